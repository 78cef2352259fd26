"""The whole way: a timeline in, its sounds placed, the timeline out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Unpack

from foleyspace_host.errors import InvalidInput, NothingFound
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.pipeline.provenance import made_with
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings, SoundKeywords, plain
from foleyspace_host.timeline.choose import choose
from foleyspace_host.timeline.export import write_trajectories
from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.foley import Foley, FoleySettings
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.mixdown import mix_rendered
from foleyspace_host.timeline.outputs import check_timeline_outputs
from foleyspace_host.timeline.read import OpenTimeline, open_timeline
from foleyspace_host.timeline.results import TimelineResult, clip_result
from foleyspace_host.timeline.work import Work, length_s
from foleyspace_host.timeline.write import write_timeline

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["renders_folder", "spatialize_timeline"]


def renders_folder(out: Path) -> Path:
    """Return the folder beside a written timeline in which its rendered sounds lie."""
    return out.with_name(f"{out.stem}-foleyspace")


def spatialize_timeline(
    timeline: str | Path,
    out: str | Path | None = None,
    *,
    mixdown: str | Path | None = None,
    adm: str | Path | None = None,
    timeline_name: str | None = None,
    track: Sequence[str] = (),
    clip: Sequence[str] = (),
    marked: bool = False,
    with_metadata: bool = False,
    keep_sources: bool = False,
    handles_s: float = 1.0,
    dry_run: bool = False,
    trajectories: str | Path | None = None,
    roots: Sequence[Path] = (),
    rate_hz: float | None = None,
    engine: str | None = None,
    negative: str = "",
    label: str | None = None,
    hfov_deg: float | None = None,
    hrtf: str | Path | None = None,
    device: Device = "auto",
    cache: StageCache | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
    **options: Unpack[SoundKeywords],
) -> TimelineResult:
    """Place the sounds of a timeline where its pictures, its metadata or its markers show them.

    Parameters
    ----------
    timeline : str or Path
        ``.otio``, ``.otioz``, ``.otiod``, or what the installed adapters of OpenTimelineIO read.
    out : str or Path, optional
        ``.otio`` file to write; the rendered sounds lie beside it, see `renders_folder`.
    mixdown : str or Path, optional
        ``.wav`` or ``.flac`` file for the sum of all that is rendered, as long as the timeline.
    adm : str or Path, optional
        ``.wav`` file for the dry sounds and their positions as objects of ITU-R BS.2076, see `write_adm`.
    timeline_name : str, optional
        Which timeline of the file, by its name or its number from 1 on; needed if it holds several. The others are
        written as they are.
    track, clip, marked, with_metadata
        Which clips are rendered, see `choose`; all if none is given.
    keep_sources : bool
        Whether clips that are rendered go on sounding; they are disabled if not.
    handles_s : float
        How much more of its file a clip is rendered with on either side, 0 to 60 [s].
    dry_run : bool
        Only tell what would be done.
    trajectories : str or Path, optional
        Folder for the trajectory of every rendered clip as CSV; made if it is not there.
    roots : sequence of Path
        Where media may lie; anywhere if empty.
    rate_hz : float, optional
        Frame rate of an EDL, which does not say it; 24 if not given [Hz].
    engine : str, optional
        What makes the sounds that markers ``foley: PROMPT`` wish for; the one that ships if not given.
    negative : str
        What these should not sound like.
    label : str, optional
        Class to follow in the picture; the most prominent object if not given.
    hfov_deg : float, optional
        Field of view over the longer side of the picture [deg].
    hrtf : str or Path, optional
        SOFA file; the shipped set if not given.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    cache : StageCache, optional
        Where what was seen is looked for and kept.
    on_progress : callable, optional
        Called as (stage, done, total) with the stages "look", "foley", "clips", "mix", "adm" and "write"; raises
        Cancelled to stop.
    **options
        How to render, see `RenderSettings`.

    Returns
    -------
    TimelineResult
        A clip that could not be rendered is in it with the reason, and sounds as before.

    Raises
    ------
    FoleySpaceError
        If the timeline cannot be read, nothing of it can be rendered, or an output cannot be written.
    """
    start = perf_counter()
    path, target, mixed, objects = Path(timeline), _path(out), _path(mixdown), _path(adm)
    looking = LocalizeSettings(label=label, hfov_deg=DEFAULT_HFOV_DEG if hfov_deg is None else hfov_deg)
    settings = RenderSettings(hrtf=_path(hrtf), **options)
    check_timeline_outputs(path, target, mixed, settings, handles_s, dry_run=dry_run, adm=objects)
    unpack_to = None if target is None or dry_run else renders_folder(target) / "media"
    if unpack_to is not None and path.suffix.lower() == ".otioz":
        unpack_to.mkdir(parents=True, exist_ok=True)
    elif path.suffix.lower() != ".otioz":
        unpack_to = None
    opened = open_timeline(path, unpack_to, roots, timeline_name, rate_hz)
    flat = _flattened(opened)
    choices = choose(flat, tracks=track, clips=clip, marked=marked, with_metadata=with_metadata)
    work = Work(opened, looking, settings, Fraction(handles_s), device, cache, on_progress)
    foley = Foley(FoleySettings(engine, negative, settings.seed), looking, device, cache, work.report)
    choices = foley.judged(choices)
    warnings = [*opened.warnings]
    rendered: list[Rendered] = []
    written = levels = None
    if dry_run:
        clips = [clip_result(choice, engine=foley.engine_of(choice)) for choice in choices]
    else:
        assert target is not None  # noqa: S101 - checked with the outputs
        folder = renders_folder(target)
        folder.mkdir(parents=True, exist_ok=True)
        clips, rendered = work.render(choices, foley, folder)
        if not rendered:
            reasons = dict.fromkeys(f"{one.name}: {one.reason}" for one in clips)
            raise NothingFound(
                "nothing of the timeline can be rendered" + (f" ({'; '.join([*reasons][:3])})" if reasons else ""),
                where=str(path),
                cure="see all reasons with --dry-run",
            )
        with work.stage("mix"):
            if mixed is not None:
                levels = mix_rendered(
                    rendered, mixed, flat.duration_s, settings, on_progress=partial(work.report, "mix")
                )
        with work.stage("adm"):
            if objects is not None:
                from foleyspace_host.timeline.adm.write import write_adm

                write_adm(rendered, objects, flat.duration_s, settings, on_progress=partial(work.report, "adm"))
        told: dict[str, Any] = {"clips": len(rendered), "settings": plain(looking, settings)}
        with work.stage("write"):
            warnings += write_timeline(
                opened, rendered, target, offset_s=flat.offset_s, keep_sources=keep_sources, told=told
            )
            if trajectories is not None:
                write_trajectories(rendered, Path(trajectories))
        written = str(target)
    actions = [one.action for one in clips]
    return TimelineResult(
        timeline=str(path),
        output=written,
        mixdown=None if mixed is None or dry_run else str(mixed),
        adm=None if objects is None or dry_run else str(objects),
        mix=levels,
        duration_s=float(flat.duration_s),
        clips=tuple(clips),
        rendered=actions.count("render"),
        reused=actions.count("reuse"),
        skipped=actions.count("skip"),
        settings=plain(looking, settings)
        | {"keep_sources": keep_sources, "handles_s": handles_s, "engine": engine, "negative": negative},
        provenance=made_with([]),
        times_s=work.times_s | {"total": round(perf_counter() - start, 3)},
        warnings=tuple(warnings),
    )


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _flattened(opened: OpenTimeline) -> Flat:
    try:
        return flatten(opened.timeline, opened.file, length_s)
    except (AttributeError, KeyError, TypeError) as error:  # an object of an unknown schema, and one that is broken
        raise InvalidInput(f"is no valid timeline ({error})", where=str(opened.path), cure="export it again") from error
