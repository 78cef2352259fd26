"""From a dry sound and a trajectory file to a binaural sound file."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory_file import read_trajectory
from foleyspace_host.pipeline.dry import DryClip, open_dry
from foleyspace_host.pipeline.outputs import check_outputs, output_kind
from foleyspace_host.pipeline.provenance import hrtf_used, made_with
from foleyspace_host.pipeline.rendering import check_audible, write_rendered
from foleyspace_host.pipeline.results import RenderResult, sound_use, summarize
from foleyspace_host.pipeline.settings import RenderSettings, plain
from foleyspace_host.pipeline.stages import OnStage, Stages
from foleyspace_host.render.options import DistanceGain, Propagation

__all__ = ["render_file"]


def render_file(
    dry: str | Path,
    trajectory: str | Path,
    out: str | Path,
    *,
    hrtf: str | Path | None = None,
    distance_gain: DistanceGain = "relative",
    propagation: Propagation = "none",
    spread: float = 1.0,
    on_progress: OnStage | None = None,
) -> RenderResult:
    """Place a sound along a trajectory; the result is as long as the sound, to the sample.

    Parameters
    ----------
    dry : str or Path
        Sound file, or video whose sound is taken; several channels are summed to mono, power kept.
    trajectory : str or Path
        JSON or CSV trajectory.
    out : str or Path
        Sound file to write: ``.wav`` (32 bit float) or ``.flac``.
    hrtf : str or Path, optional
        SOFA file; the shipped KEMAR set if not given.
    distance_gain, propagation, spread
        As for `RenderOptions`.
    on_progress : callable, optional
        Called as (stage, done, total); raises Cancelled to stop.

    Returns
    -------
    RenderResult

    Raises
    ------
    FoleySpaceError
        TrajectoryInvalid, MediaError, HrtfInvalid, OutputUnwritable, InvalidInput; nothing is written then.
    """
    start = perf_counter()
    dry, out, trajectory = Path(dry), Path(out), Path(trajectory)
    settings = RenderSettings(distance_gain, propagation, spread, None if hrtf is None else Path(hrtf))
    if output_kind(out) != "sound":
        raise InvalidInput(
            "a sound alone makes no video",
            where=str(out),
            cure="end the name with .wav, or put the sound into a video with `foleyspace spatialize --audio`",
        )
    check_outputs([out], [dry, trajectory, settings.hrtf])
    path = read_trajectory(trajectory)
    check_audible(path, str(trajectory))
    stages = Stages(on_progress)
    with stages.stage("decode") as report:
        from foleyspace_host.hrtf.prepare import load_hrtf

        source = open_dry(dry)
        ears = load_hrtf(settings.hrtf, source.sample_rate_hz)
        source.scan(report)
    clip = DryClip(source, source.n_samples)
    written = write_rendered(clip, path, ears, settings, out, stages)
    return RenderResult(
        output=str(out),
        codec=written.codec,
        duration_s=clip.n_samples / source.sample_rate_hz,
        sample_rate_hz=source.sample_rate_hz,
        n_samples=clip.n_samples,
        true_peak_db=written.true_peak_db,
        gain_db=written.gain_db,
        sound=sound_use(clip),
        sources=tuple(summarize(s) for s in path.selected),
        settings=plain(settings),
        provenance=made_with([hrtf_used(settings.hrtf)]),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
    )
