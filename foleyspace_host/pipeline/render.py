"""From a dry sound and a trajectory file to a spatial sound file."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Unpack

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import read_trajectory
from foleyspace_host.pipeline.dry import DryClip, open_dry, scan
from foleyspace_host.pipeline.outputs import check_coding, check_format, check_outputs, output_kind
from foleyspace_host.pipeline.provenance import flow_used, hrtf_used, made_with
from foleyspace_host.pipeline.rendering import check_audible, ears_for, write_rendered
from foleyspace_host.pipeline.results import RenderResult, sound_use, summarize
from foleyspace_host.pipeline.settings import RenderSettings, SoundKeywords, plain
from foleyspace_host.pipeline.stages import OnStage, Stages
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.hrtf.prepare import Hrtf
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.rendition import Tee
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["decoded", "render_along", "render_file"]


def render_file(
    dry: str | Path,
    trajectory: str | Path,
    out: str | Path,
    *,
    hrtf: str | Path | None = None,
    span: Span | None = None,
    cache: StageCache | None = None,
    tee: Tee | None = None,
    device: Device = "auto",
    on_progress: OnStage | None = None,
    **options: Unpack[SoundKeywords],
) -> RenderResult:
    """Place a sound along a trajectory; the result is as long as the sound, to the sample.

    Parameters
    ----------
    dry : str or Path
        Sound file, or video whose sound is taken; several channels are summed to mono, power kept, unless
        ``channels="spread"`` places them side by side.
    trajectory : str or Path
        JSON or CSV trajectory.
    out : str or Path
        Sound file to write: ``.wav`` (32 bit float unless ``bit_depth`` is given) or ``.flac``.
    hrtf : str or Path, optional
        SOFA file; the shipped KEMAR set if not given.
    span : Span, optional
        The part of the sound to place, as if it had been cut out; the trajectory's times count from its start.
        The result has exactly the samples from its rounded start to its rounded end.
    cache : StageCache, optional
        Where earlier results for the same inputs and settings are looked for, and these are kept.
    tee : Tee, optional
        Gets what is rendered as well, while it is being rendered.
    device : {"auto", "cpu", "cuda"}
        Where a flow model computes, see `open_session`.
    on_progress : callable, optional
        Called as (stage, done, total); raises Cancelled to stop.
    **options
        How to render, and which sound to make of it: see `RenderSettings`.

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
    settings = RenderSettings(hrtf=None if hrtf is None else Path(hrtf), **options)
    if output_kind(out) != "sound":
        raise InvalidInput(
            "a sound alone makes no video",
            where=str(out),
            cure="end the name with .wav, or put the sound into a video with `foleyspace spatialize --audio`",
        )
    check_format(settings.format, out)
    check_coding(out, settings.bit_depth, settings.time_reference)
    check_outputs([out], [dry, trajectory, settings.hrtf, *settings.model_files])
    path = read_trajectory(trajectory)
    check_audible(path, str(trajectory))
    stages = Stages(on_progress, cache)
    return render_along(path, dry, out, settings, stages, span=span, tee=tee, device=device, start=start)


def render_along(
    path: Trajectory,
    dry: Path,
    out: Path,
    settings: RenderSettings,
    stages: Stages,
    *,
    span: Span | None = None,
    tee: Tee | None = None,
    device: Device = "auto",
    start: float | None = None,
) -> RenderResult:
    """Place a sound along a trajectory, when all that `render_file` checks first is known to be in order.

    Parameters
    ----------
    path : Trajectory
        Where it is; a source of it must be selected.
    dry, out : Path
        Sound to place, and ``.wav`` or ``.flac`` file to write.
    settings : RenderSettings
        How to render, in a format that the file can hold.
    stages : Stages
        Where progress goes, and the cache.
    span, tee, device
        As for `render_file`.
    start : float, optional
        When the work began, as `perf_counter` has it; now if not given.

    Returns
    -------
    RenderResult

    Raises
    ------
    FoleySpaceError
        As `render_file` does.
    """
    start = perf_counter() if start is None else start
    clip, ears = decoded(dry, settings, stages, span)
    source = clip.source
    written = write_rendered(clip, path, ears, settings, out, stages, tee=tee, device=device)
    return RenderResult(
        output=str(out),
        codec=written.codec,
        format=settings.format,
        channels=find_format(settings.format).channels,
        duration_s=clip.n_samples / source.sample_rate_hz,
        sample_rate_hz=source.sample_rate_hz,
        n_samples=clip.n_samples,
        true_peak_db=written.true_peak_db,
        loudness_lufs=written.loudness_lufs,
        gain_db=written.gain_db,
        time_reference=written.time_reference,
        sound=sound_use(clip),
        sources=tuple(summarize(s) for s in path.selected),
        settings=plain(settings),
        provenance=made_with([] if ears is None else [hrtf_used(settings.hrtf), *flow_used(settings)], stages.device),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
        reused=tuple(stages.reused),
        warnings=tuple(stages.warnings),
    )


def decoded(dry: Path, settings: RenderSettings, stages: Stages, span: Span | None) -> tuple[DryClip, Hrtf | None]:
    """Open a sound that is to be placed, and what it is placed with: the stage "decode".

    Parameters
    ----------
    dry : Path
        The sound.
    settings : RenderSettings
        How it will be rendered.
    stages : Stages
        Where progress goes, and the cache.
    span : Span or None
        The part of it to take.

    Returns
    -------
    clip : DryClip
        The sound, with the samples of the span.
    ears : Hrtf or None
        See `ears_for`.

    Raises
    ------
    FoleySpaceError
        As `open_dry`, `ears_for` and `scan` do.
    """
    with stages.stage("decode") as report:
        source = open_dry(dry, span)
        ears = ears_for(settings, source.sample_rate_hz)
        scan(source, stages, report)
    n_samples = source.n_samples
    if span is not None:
        first, stop = span.samples(source.sample_rate_hz)
        n_samples = stop - first
    return DryClip(source, n_samples, settings.channels), ears
