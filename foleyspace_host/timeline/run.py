"""The whole way: a timeline in, its sounds placed, the timeline out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Unpack

from foleyspace_host.errors import (
    Cancelled,
    FoleySpaceError,
    InvalidInput,
    ModelUnavailable,
    NothingFound,
    OutputUnwritable,
)
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.pipeline.provenance import made_with
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings, SoundKeywords, plain
from foleyspace_host.timeline.choose import Choice, choose
from foleyspace_host.timeline.export import write_trajectories
from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.looking import Looking
from foleyspace_host.timeline.markers import foley_prompt
from foleyspace_host.timeline.mixdown import Voice, mix
from foleyspace_host.timeline.outputs import check_timeline_outputs
from foleyspace_host.timeline.read import OpenTimeline, open_timeline
from foleyspace_host.timeline.renders import part_of, render_clip
from foleyspace_host.timeline.results import ClipResult, TimelineResult, clip_result
from foleyspace_host.timeline.trajectories import from_markers, from_metadata
from foleyspace_host.timeline.write import write_timeline

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["renders_folder", "spatialize_timeline"]

_FINE = 1000  # steps of progress in a clip
_FATAL = (Cancelled, OutputUnwritable, ModelUnavailable)


def renders_folder(out: Path) -> Path:
    """Return the folder beside a written timeline in which its rendered sounds lie."""
    return out.with_name(f"{out.stem}-foleyspace")


def spatialize_timeline(
    timeline: str | Path,
    out: str | Path | None = None,
    *,
    mixdown: str | Path | None = None,
    track: Sequence[str] = (),
    clip: Sequence[str] = (),
    marked: bool = False,
    with_metadata: bool = False,
    keep_sources: bool = False,
    handles_s: float = 1.0,
    dry_run: bool = False,
    trajectories: str | Path | None = None,
    roots: Sequence[Path] = (),
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
        Called as (stage, done, total) with the stages "look", "clips", "mix" and "write"; raises Cancelled to stop.
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
    path, target, mixed = Path(timeline), _path(out), _path(mixdown)
    looking = LocalizeSettings(label=label, hfov_deg=DEFAULT_HFOV_DEG if hfov_deg is None else hfov_deg)
    rendering: dict[str, Any] = {"hrtf": _path(hrtf), **options}
    settings = RenderSettings(**rendering)
    check_timeline_outputs(path, target, mixed, settings, handles_s, dry_run=dry_run)
    unpack_to = None if target is None or dry_run else renders_folder(target) / "media"
    if unpack_to is not None and path.suffix.lower() == ".otioz":
        unpack_to.mkdir(parents=True, exist_ok=True)
    elif path.suffix.lower() != ".otioz":
        unpack_to = None
    opened = open_timeline(path, unpack_to, roots)
    flat = _flattened(opened)
    choices = choose(flat, tracks=track, clips=clip, marked=marked, with_metadata=with_metadata)
    work = _Work(opened, flat, looking, rendering, Fraction(handles_s), device, cache, on_progress)
    warnings = [
        f"the marker {marker.text!r} wishes for a sound, and timelines are given none yet: make it with "
        "`foleyspace generate`, and put it onto a track"
        for marker in dict.fromkeys((*flat.markers, *(m for piece in flat.pieces for m in piece.markers)))
        if foley_prompt(marker.text)
    ]
    clips = [clip_result(choice) for choice in choices]
    rendered: list[Rendered] = []
    written = None
    if not dry_run:
        assert target is not None  # noqa: S101 - checked with the outputs
        folder = renders_folder(target)
        folder.mkdir(parents=True, exist_ok=True)
        clips, rendered = work.render(choices, folder)
        if not rendered:
            reasons = dict.fromkeys(f"{one.name}: {one.reason}" for one in clips)
            raise NothingFound(
                "nothing of the timeline can be rendered" + (f" ({'; '.join([*reasons][:3])})" if reasons else ""),
                where=str(path),
                cure="see all reasons with --dry-run",
            )
        with work.stage("mix"):
            if mixed is not None:
                work.mix(rendered, mixed, settings)
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
        duration_s=float(flat.duration_s),
        clips=tuple(clips),
        rendered=actions.count("render"),
        reused=actions.count("reuse"),
        skipped=actions.count("skip"),
        settings=plain(looking, settings) | {"keep_sources": keep_sources, "handles_s": handles_s},
        provenance=made_with([]),
        times_s=work.times_s | {"total": round(perf_counter() - start, 3)},
        warnings=tuple(warnings),
    )


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _flattened(opened: OpenTimeline) -> Flat:
    try:
        return flatten(opened.timeline, opened.file, _length_s)
    except (AttributeError, KeyError, TypeError) as error:  # an object of an unknown schema, and one that is broken
        raise InvalidInput(f"is no valid timeline ({error})", where=str(opened.path), cure="export it again") from error


def _length_s(path: Path) -> Fraction:
    from foleyspace_host.media.probe import probe

    return probe(path).duration_s


@dataclass
class _Work:
    """The stages of one timeline."""

    opened: OpenTimeline
    flat: Flat
    looking: LocalizeSettings
    rendering: dict[str, Any]
    handles_s: Fraction
    device: Device
    cache: StageCache | None
    on_progress: Callable[[str, int, int], None] | None
    times_s: dict[str, float] = field(default_factory=dict)
    _lengths_s: dict[Path, Fraction] = field(default_factory=dict)

    def stage(self, name: str) -> _Timed:
        """Return a context in which the time of a stage is taken."""
        return _Timed(name, self.times_s)

    def render(self, choices: Sequence[Choice], folder: Path) -> tuple[list[ClipResult], list[Rendered]]:
        """Look at the pictures and render the clips."""
        from foleyspace_host.media.atomic import scratch_file

        sounding = [choice for choice in choices if not choice.reason]
        with self.stage("look"):
            seen = Looking(self.looking, self.device, self.cache, self.report)
            seen.look([part for choice in sounding for part in choice.pictures], folder)
        results: list[ClipResult] = []
        rendered: list[Rendered] = []
        done = 0
        with self.stage("clips"), scratch_file(folder / "clip.json", ".json") as scratch:
            for choice in choices:
                if choice.reason:
                    results.append(clip_result(choice))
                    continue
                try:
                    one, reused = self._clip(choice, seen, (folder, scratch), done, len(sounding))
                    rendered.append(one)
                    results.append(clip_result(choice, output=str(one.path), reused=reused))
                except _FATAL:
                    raise
                except FoleySpaceError as error:
                    results.append(clip_result(choice, reason=error.problem))
                done += 1
                self.report("clips", done * _FINE, len(sounding) * _FINE)
        return results, rendered

    def _clip(
        self, choice: Choice, seen: Looking, places: tuple[Path, Path], done: int, total: int
    ) -> tuple[Rendered, bool]:
        piece = choice.piece
        assert piece.path is not None  # noqa: S101 - `choose` leaves the others out
        if choice.origin == "metadata":
            trajectory = from_metadata(piece, self.opened.file)
        elif choice.origin == "marker":
            trajectory = from_markers(piece)
        else:
            trajectory = seen.trajectory(choice)
        shares = {"decode": (0.0, 0.2), "render": (0.2, 0.6), "write": (0.8, 0.2)}

        def report(stage: str, part: int, whole: int) -> None:
            first, share = shares.get(stage, (0.0, 0.0))
            self.report("clips", int((done + first + share * part / max(whole, 1)) * _FINE), total * _FINE)

        return render_clip(
            choice,
            part_of(piece, self.handles_s, self._length_s(piece.path)),
            trajectory,
            *places,
            self.rendering,
            models=seen.models if choice.origin == "picture" else [],
            device=self.device,
            cache=self.cache,
            on_progress=report,
        )

    def _length_s(self, path: Path) -> Fraction:
        if path not in self._lengths_s:
            self._lengths_s[path] = _length_s(path)
        return self._lengths_s[path]

    def mix(self, rendered: Sequence[Rendered], out: Path, settings: RenderSettings) -> None:
        """Write the mix, at the highest of the rates."""
        rate = max(one.sample_rate_hz for one in rendered)
        voices = [Voice(one.piece, one.path, one.handle_s) for one in rendered]
        mix(
            voices,
            out,
            self.flat.duration_s,
            rate,
            settings.format,
            bit_depth=settings.bit_depth or "24",
            on_progress=lambda done, total: self.report("mix", done, total),
        )

    def report(self, stage: str, done: int, total: int) -> None:
        """Tell the progress of a stage."""
        if self.on_progress is not None:
            self.on_progress(stage, done, total)


class _Timed:
    def __init__(self, name: str, times_s: dict[str, float]) -> None:
        self._name, self._times_s = name, times_s

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._times_s[self._name] = round(perf_counter() - self._start, 3)
