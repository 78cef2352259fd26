"""From a dry clip and a trajectory to a file: the stages "render" and "write"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import TrajectoryInvalid
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.pipeline.bed import mixed
from foleyspace_host.pipeline.dry import DryClip
from foleyspace_host.pipeline.settings import RenderSettings
from foleyspace_host.pipeline.stages import OnProgress, Stages

if TYPE_CHECKING:
    from foleyspace_host.hrtf.prepare import Hrtf
    from foleyspace_host.media.audio import AudioSource

__all__ = ["Written", "check_audible", "write_rendered"]


@dataclass(frozen=True, slots=True)
class Written:
    """What went into the file.

    Parameters
    ----------
    codec : str
        How the sound is stored.
    true_peak_db : float or None
        Highest true peak as written [dBTP]; None for silence.
    gain_db : float
        Level by which the whole was turned down, 0 if it was not [dB].
    """

    codec: str
    true_peak_db: float | None
    gain_db: float


def check_audible(trajectory: Trajectory, where: str) -> None:
    """Check that a trajectory has something that sounds.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    where : str
        What messages call it.

    Raises
    ------
    TrajectoryInvalid
        If no source is selected.
    """
    if not trajectory.selected:
        raise TrajectoryInvalid(
            "no source is selected", where=where, cure='set "selected": true on the source that sounds'
        )


def write_rendered(
    clip: DryClip,
    trajectory: Trajectory,
    hrtf: Hrtf,
    settings: RenderSettings,
    out: Path,
    stages: Stages,
    *,
    video: Path | None = None,
    original: AudioSource | None = None,
) -> Written:
    """Render a clip with constant memory and write it as sound, or into a copy of a video.

    Parameters
    ----------
    clip : DryClip
        The sound to place.
    trajectory : Trajectory
        Where its selected sources are.
    hrtf : Hrtf
        Set at the clip's sampling rate.
    settings : RenderSettings
        How to render.
    out : Path
        The file to write.
    stages : Stages
        Where progress goes; the float temporary of a video lies beside `out`.
    video : Path, optional
        The video whose picture is copied; only the sound is written if not given.
    original : AudioSource, optional
        Sound of the bed; needed where `settings` has one.

    Returns
    -------
    Written

    Raises
    ------
    OutputUnwritable
        If the output cannot be written; nothing is left behind then, nor after any other error.
    """
    from foleyspace_host.media.atomic import scratch_file
    from foleyspace_host.media.write import write_audio

    rate = clip.source.sample_rate_hz
    if video is None:
        with stages.stage("render") as report:
            sound = write_audio(out, _rendered(clip, trajectory, hrtf, settings, original, report), rate, 2)
        return Written(sound.subtype, _finite(sound.true_peak_db), sound.gain_db)

    from foleyspace_host.media.mux import mux_audio

    with scratch_file(out, ".wav") as rendered:
        with stages.stage("render") as report:
            write_audio(rendered, _rendered(clip, trajectory, hrtf, settings, original, report), rate, 2)
        with stages.stage("write") as report:
            muxed = mux_audio(video, rendered, out, on_progress=report)
    return Written(muxed.codec, _finite(muxed.true_peak_db), muxed.gain_db)


def _rendered(
    clip: DryClip,
    trajectory: Trajectory,
    hrtf: Hrtf,
    settings: RenderSettings,
    original: AudioSource | None,
    report: OnProgress,
) -> Iterator[NDArray[np.float32]]:
    from foleyspace_host.render.binaural import render_blocks

    rate = clip.source.sample_rate_hz
    blocks: Iterable[NDArray[np.float32]] = render_blocks(
        clip.blocks(), clip.n_samples, rate, trajectory, hrtf, settings
    )
    if settings.bed_db is not None and original is not None:
        blocks = mixed(blocks, original, settings.bed_db, rate, clip.n_samples)
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        report(done, clip.n_samples)


def _finite(level_db: float) -> float | None:
    return round(level_db, 2) if isfinite(level_db) else None
