"""From a video to a trajectory file."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.pipeline.outputs import check_outputs, write_text
from foleyspace_host.pipeline.provenance import detector_used, made_with
from foleyspace_host.pipeline.results import LocalizeResult, summarize
from foleyspace_host.pipeline.settings import LocalizeSettings, plain
from foleyspace_host.pipeline.stages import OnStage, Stages

__all__ = ["localize_file", "located"]


def localize_file(
    video: str | Path,
    out: str | Path,
    *,
    label: str | None = None,
    hfov_deg: float = DEFAULT_HFOV_DEG,
    detector: str | Path | None = None,
    on_progress: OnStage | None = None,
) -> LocalizeResult:
    """Find out where the source in a video is, and write the trajectory.

    Parameters
    ----------
    video : str or Path
        The video.
    out : str or Path
        Trajectory file to write (JSON).
    label : str, optional
        Class to follow; the most prominent object if not given.
    hfov_deg : float
        Field of view over the longer side of the picture, 1 to 179 [deg].
    detector : str or Path, optional
        ONNX file used instead of the shipped detector.
    on_progress : callable, optional
        Called as (stage, done, total); raises Cancelled to stop.

    Returns
    -------
    LocalizeResult

    Raises
    ------
    FoleySpaceError
        MediaError for a video that cannot be used, NothingFound when nothing matches `label`,
        OutputUnwritable, ModelUnavailable, InvalidInput; nothing is written then.
    """
    start = perf_counter()
    video, out = Path(video), Path(out)
    settings = LocalizeSettings(label, hfov_deg, None if detector is None else Path(detector))
    check_outputs([out], [video, settings.detector])
    stages = Stages(on_progress)
    trajectory = located(video, settings, stages)
    with stages.stage("write"):
        write_text(out, dumps(trajectory))
    return LocalizeResult(
        output=str(out),
        video=str(video),
        duration_s=trajectory.duration_s,
        sources=tuple(summarize(source) for source in trajectory.sources),
        settings=plain(settings),
        provenance=made_with([detector_used(settings.detector)]),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
    )


def located(video: Path, settings: LocalizeSettings, stages: Stages) -> Trajectory:
    """Run the stage "localize".

    Parameters
    ----------
    video : Path
        The video.
    settings : LocalizeSettings
        How the source is found.
    stages : Stages
        Where progress goes.

    Returns
    -------
    Trajectory
    """
    from foleyspace_host.localize.localizer import localize

    with stages.stage("localize") as report:
        return localize(
            video,
            label=settings.label,
            hfov_deg=settings.hfov_deg,
            detector=settings.detector,
            on_progress=report,
        )
