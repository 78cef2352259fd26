"""From a video to a trajectory file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, NothingFound
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory_file import loads, pieces, read_trajectory
from foleyspace_host.pipeline.outputs import add_text, check_outputs
from foleyspace_host.pipeline.provenance import listener_used, made_with
from foleyspace_host.pipeline.report import DEFAULT_EMBED_MB, add_report, report_outputs
from foleyspace_host.pipeline.results import LocalizeResult, summarize
from foleyspace_host.pipeline.seeing import Seeing, what_sees
from foleyspace_host.pipeline.settings import LocalizeSettings, plain
from foleyspace_host.pipeline.stage_cache import StageCache, file_digest
from foleyspace_host.pipeline.stage_key import stage_key
from foleyspace_host.pipeline.stages import OnProgress, OnStage, Stages

if TYPE_CHECKING:
    from foleyspace_host.geometry.trajectory import Trajectory
    from foleyspace_host.localize.found import Found
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.provenance import ModelUse

__all__ = ["chosen", "heard_by", "localize_file", "located", "why"]


def localize_file(
    video: str | Path,
    out: str | Path,
    *,
    label: str | None = None,
    prompt: str | None = None,
    source: Sequence[str] = (),
    hfov_deg: float = DEFAULT_HFOV_DEG,
    keys: str | Path | None = None,
    report: str | Path | None = None,
    report_embed_mb: float = DEFAULT_EMBED_MB,
    detector: str | Path | None = None,
    open_vocabulary: str | Path | None = None,
    depth: str | Path | None = None,
    depth_kind: str | None = None,
    device: Device = "auto",
    span: Span | None = None,
    cache: StageCache | None = None,
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
    prompt : str, optional
        Words for the sound; where no label is given, things that they name are taken before others.
    source : sequence of str
        Ids of the sources that shall sound; the likeliest if there are none.
    hfov_deg : float
        Field of view over the longer side of the picture, 1 to 179 [deg].
    keys : str or Path, optional
        An earlier trajectory with keys of origin "edited", through which what is found is led.
    report : str or Path, optional
        Also write a page to look at and to correct the trajectory (HTML).
    report_embed_mb : float
        Largest video to put into the page, 0 to 1000; a larger one stays beside it [10^6 bytes].
    detector : str or Path, optional
        ONNX file used instead of the shipped detector.
    open_vocabulary : str or Path, optional
        Model that is told in words what to look for: a file, the name of an added one, or "none"; if not given,
        the one added last where the label is more than the name of a class.
    depth : str or Path, optional
        Depth model: a file, the name of an added one, or "none"; the one added last if not given.
    depth_kind : str, optional
        What the depth model is; as it was added, or told by its inputs and outputs, if not given.
    device : {"auto", "cpu", "cuda"}
        Where models compute, see `open_session`.
    span : Span, optional
        The part of the video to look at, as if it had been cut out; times count from its start.
    cache : StageCache, optional
        Where an earlier result for the same video and settings is looked for, and this one is kept.
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
    keys = None if keys is None else Path(keys)
    page = None if report is None else Path(report)
    settings = LocalizeSettings.of(
        label=label,
        hfov_deg=hfov_deg,
        detector=detector,
        prompt=prompt,
        source=source,
        depth=depth,
        depth_kind=depth_kind,
        open_vocabulary=open_vocabulary,
    )
    models = what_sees(settings)
    check_outputs([out, *report_outputs(page, report_embed_mb)], [video, keys, settings.detector, *models.files])
    edited = None if keys is None else read_trajectory(keys)
    if page is not None and span is not None:
        raise InvalidInput("a report shows the whole video, not a part of it", where="report", cure="leave one out")
    stages = Stages(on_progress, cache)
    found = located(video, settings, models, stages, device=device, span=span)
    trajectory = found.trajectory
    if edited is not None:
        from foleyspace_host.localize.edited import merge_edited

        trajectory = merge_edited(trajectory, edited)
    trajectory = chosen(trajectory, settings.source, str(video))
    with ExitStack() as files:
        if page is not None:
            add_report(files, page, video, trajectory, stages, sizes=found.sizes, out=out, embed_mb=report_embed_mb)
        with stages.stage("write"):
            add_text(files, out, pieces(trajectory))
    return LocalizeResult(
        output=str(out),
        video=str(video),
        duration_s=trajectory.duration_s,
        sources=tuple(summarize(source) for source in trajectory.sources),
        settings=plain(settings) | {"keys": None if keys is None else str(keys)},
        provenance=made_with([*models.used, *heard_by(found)], stages.device),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
        report=None if page is None else str(page),
        reused=tuple(stages.reused),
        warnings=tuple(stages.warnings),
        heard=found.heard,
        why=why(found, settings),
    )


def heard_by(found: Found) -> list[ModelUse]:
    """Return the model that listened, if there was something to listen to."""
    return [listener_used()] if found.listened else []


def why(found: Found, settings: LocalizeSettings) -> str:
    """Return why what is selected is it."""
    return "it is what you chose" if settings.source else found.why


def chosen(trajectory: Trajectory, ids: tuple[str, ...], where: str) -> Trajectory:
    """Return a trajectory with the sources selected that the user chose; as it is if there are none.

    Raises
    ------
    NothingFound
        If there is no source of a name; the message lists those there are.
    """
    from foleyspace_host.localize.choose.chosen import with_chosen

    return with_chosen(trajectory, ids, where)


def located(
    video: Path,
    settings: LocalizeSettings,
    models: Seeing,
    stages: Stages,
    *,
    device: Device = "auto",
    span: Span | None = None,
) -> Found:
    """Run the stage "localize".

    Parameters
    ----------
    video : Path
        The video.
    settings : LocalizeSettings
        How the source is found.
    models : Seeing
        What looks.
    stages : Stages
        Where progress goes.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    span : Span, optional
        The part of the video to look at.

    Returns
    -------
    Found
        The trajectory as a file holds it, so that the same comes of it whether it was written, kept or neither.
    """
    with stages.stage("localize") as report:
        found = _located(video, settings, models, stages, device, span, report)
    stages.warnings += found.warnings
    return found


def _located(
    video: Path,
    settings: LocalizeSettings,
    models: Seeing,
    stages: Stages,
    device: Device,
    span: Span | None,
    report: OnProgress,
) -> Found:
    """Take what was found before, or look."""
    cache = stages.cache_of("localize")
    if cache is None:
        return _found(video, settings, models, stages, device, span, report)

    from foleyspace_host.models.session import device_expected

    digest = file_digest(video, report)
    parts = models.key | {
        "video": digest,
        "span": span,
        "label": settings.label,
        "prompt": settings.prompt,
        "hfov_deg": settings.hfov_deg,
    }
    expected = device_expected(device)
    text = cache.fetch_text(stage_key("localize", **parts, device=expected))
    if text is not None:
        stages.reused.append("localize")
        stages.device = expected
        return _read(text)
    found = _found(video, settings, models, stages, device, span, report)
    if file_digest(video) == digest:  # it may have changed meanwhile
        cache.store_pieces(stage_key("localize", **parts, device=stages.device), _written(found))
    return found


def _found(
    video: Path,
    settings: LocalizeSettings,
    models: Seeing,
    stages: Stages,
    device: Device,
    span: Span | None,
    report: OnProgress,
) -> Found:
    """Localize."""
    from foleyspace_host.localize.localizer import find, load_detector
    from foleyspace_host.localize.own_models import depth_model, finder_of

    words = None if models.words is None else finder_of(models.words, models.phrase or "", device)
    detector = None if words is not None else load_detector(settings.detector, device)
    depth = None if models.depth is None else depth_model(models.depth, models.depth_kind, device)

    def look() -> Found:
        return find(
            video,
            label=settings.label,
            prompt=settings.prompt,
            hfov_deg=settings.hfov_deg,
            detector=detector,
            vocabulary=words if detector is None else None,
            depth=depth,
            span=span,
            on_progress=report,
        )

    try:
        found = look()
    except NothingFound:
        if words is None or models.must_find:
            raise
        detector = load_detector(settings.detector, device)
        found = look()
    used = [model for model in (detector, words, depth) if model is not None]
    stages.device = "cuda" if any(model.device == "cuda" for model in used) else "cpu"
    stages.warnings += [warning for model in used for warning in model.warnings]
    return found


def _written(found: Found) -> Iterator[str]:
    """Yield what was found as text: a line of JSON, then the trajectory."""
    sizes = {
        name: {"t_s": size.t_s.tolist(), "width": size.width.tolist(), "height": size.height.tolist()}
        for name, size in found.sizes.items()
    }
    told = {"sizes": sizes} | {name: getattr(found, name) for name in ("heard", "warnings", "why", "listened")}
    yield json.dumps(told) + "\n"
    yield from pieces(found.trajectory)


def _read(text: str) -> Found:
    """Return what `_written` wrote."""
    import numpy as np

    from foleyspace_host.geometry.boxes import BoxSizes
    from foleyspace_host.localize.found import Found

    told, _, trajectory = text.partition("\n")
    data = json.loads(told)
    sizes = {
        name: BoxSizes(**{field: np.array(values, np.float64) for field, values in size.items()})
        for name, size in data["sizes"].items()
    }
    return Found(loads(trajectory), sizes, tuple(data["heard"]), tuple(data["warnings"]), data["why"], data["listened"])
