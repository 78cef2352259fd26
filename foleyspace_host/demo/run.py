"""The demo: make a clip whose truth is known, spatialize it, measure the result and draw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.pipeline.stages import OnStage, Stages

if TYPE_CHECKING:
    from foleyspace_host.demo.measure import Errors
    from foleyspace_host.demo.picture import Measured
    from foleyspace_host.geometry.trajectory import Source

__all__ = ["DemoResult", "run_demo"]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made and measured.

    Parameters
    ----------
    clip : str
        The clip before, with its sound in mono.
    video : str
        The clip with binaural sound.
    sound : str
        The binaural sound alone (WAV, 32-bit float).
    trajectory : str
        Where the horse was found.
    picture : str
        Truth beside estimate (PNG).
    clip_s : float
        Duration of the clip [s].
    errors : Errors
        Estimated against true path.
    itd_error_us, ild_error_db : float
        Mean absolute difference of the interaural cues measured in the sound from those of the true path.
    times_s : dict of str to float
        How long the parts took [s]: "scene", "spatialize" (video in, video out), "measure", "total".
    """

    clip: str
    video: str
    sound: str
    trajectory: str
    picture: str
    clip_s: float
    errors: Errors
    itd_error_us: float
    ild_error_db: float
    times_s: dict[str, float]


def run_demo(folder: str | Path, on_progress: OnStage | None = None) -> DemoResult:
    """Run the demo.

    Parameters
    ----------
    folder : str or Path
        Where the results go; made if missing.
    on_progress : callable, optional
        Called as (stage, done, total); raises Cancelled to stop.

    Returns
    -------
    DemoResult

    Raises
    ------
    FoleySpaceError
        OutputUnwritable if the folder cannot be made or written to; ModelUnavailable without ONNX Runtime.
    """
    from foleyspace_host.demo import scene
    from foleyspace_host.geometry.trajectory_file import read_trajectory
    from foleyspace_host.media.atomic import atomic_output
    from foleyspace_host.pipeline.spatialize import spatialize

    start = perf_counter()
    folder = _made(Path(folder))
    clip, video, sound = folder / "scene.mp4", folder / "binaural.mp4", folder / "binaural.wav"
    trajectory, picture = folder / "trajectory.json", folder / "picture.png"
    stages = Stages(on_progress)
    with stages.stage("scene") as report, atomic_output(clip) as temporary:
        scene.write_clip(temporary, report)

    begun = perf_counter()
    spatialize(clip, video, trajectory_out=trajectory, on_progress=on_progress)
    spatialize_s = perf_counter() - begun
    # the same path again, as the float sound that is measured: AAC is not exact
    spatialize(clip, sound, keys=trajectory)

    with stages.stage("measure") as report:
        report(0, 1)
        measured = _measured(clip, sound, read_trajectory(trajectory).selected[0])
        from foleyspace_host.demo.picture import draw

        with atomic_output(picture) as temporary:
            draw(measured, temporary)
    times_s = stages.times_s | {"spatialize": spatialize_s, "total": perf_counter() - start}
    return DemoResult(
        clip=str(clip),
        video=str(video),
        sound=str(sound),
        trajectory=str(trajectory),
        picture=str(picture),
        clip_s=float(scene.DURATION_S),
        errors=measured.errors,
        itd_error_us=measured.itd_error_us,
        ild_error_db=measured.ild_error_db,
        times_s={name: round(value, 2) for name, value in times_s.items()},
    )


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnwritable(
            f"the folder cannot be made ({error.strerror})", where=str(folder), cure="choose another with -o"
        ) from error
    return folder


def _measured(clip: Path, sound: Path, source: Source) -> Measured:
    from foleyspace_host.demo import measure, scene
    from foleyspace_host.demo.picture import Measured
    from foleyspace_host.media.audio import read_audio

    binaural, rate_hz = read_audio(sound)
    middles = np.arange(0.125, scene.DURATION_S, 0.125)
    rendered = measure.cues_over_time(binaural, rate_hz, middles)
    # two seconds of the dry sound are enough to measure the responses with
    dry = scene.sound()[: 2 * scene.SAMPLE_RATE_HZ]
    at_middles = scene.truth(rendered.t_s)
    wanted = measure.expected_cues(rendered.t_s, at_middles.azimuth_deg, dry, scene.SAMPLE_RATE_HZ)
    truth = scene.truth(np.arange(scene.DURATION_S * scene.FRAME_RATE) / scene.FRAME_RATE)
    return Measured(
        view=_moments(clip),
        truth=truth,
        source=source,
        expected=wanted,
        rendered=rendered,
        errors=measure.trajectory_errors(source, truth),
        itd_error_us=float(np.nanmean(np.abs(rendered.itd_us - wanted.itd_us))),
        ild_error_db=float(np.nanmean(np.abs(rendered.ild_db - wanted.ild_db))),
    )


def _moments(clip: Path) -> NDArray[np.uint8]:
    """Lay three moments of the clip over each other; the horse is darker than what it moves over."""
    from foleyspace_host.media.video import read_frames

    wanted_s = [0.2, 4.0, 7.8]
    darkest: NDArray[np.uint8] | None = None
    for frame in read_frames(clip):
        if wanted_s and frame.t_s >= wanted_s[0]:
            wanted_s.pop(0)
            darkest = frame.image if darkest is None else np.minimum(darkest, frame.image)
    assert darkest is not None  # noqa: S101 - the clip was just written
    return darkest
