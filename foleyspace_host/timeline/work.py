"""The stages of a timeline: looking at its pictures, making and rendering its sounds, with their times and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from foleyspace_host.errors import Cancelled, FoleySpaceError, ModelUnavailable, OutputUnwritable
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings
from foleyspace_host.timeline.at_once import Report, at_once
from foleyspace_host.timeline.choose import Choice
from foleyspace_host.timeline.digests import MediaDigests
from foleyspace_host.timeline.foley import Foley
from foleyspace_host.timeline.journal import Journal
from foleyspace_host.timeline.kept import Kept
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.looking import Looking
from foleyspace_host.timeline.read import OpenTimeline
from foleyspace_host.timeline.renders import How, part_of, render_clip
from foleyspace_host.timeline.results import ClipResult, clip_result
from foleyspace_host.timeline.trajectories import from_markers, from_metadata

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["Timed", "Work", "length_s"]

_FINE = 1000  # steps of progress in a clip
_AT_ONCE = 2
_SHARES = {"retime": (0.0, 0.1), "decode": (0.1, 0.1), "render": (0.2, 0.6), "write": (0.8, 0.2)}
_FATAL = (Cancelled, OutputUnwritable, ModelUnavailable)


def length_s(path: Path) -> Fraction:
    """Return how long a file is [s]."""
    from foleyspace_host.media.probe import probe

    return probe(path).duration_s


@dataclass
class Work:
    """The stages of one timeline.

    Parameters
    ----------
    opened : OpenTimeline
        The timeline.
    looking : LocalizeSettings
        How sources are found in its pictures.
    settings : RenderSettings
        How its sounds are rendered.
    handles_s : Fraction
        How much more of its file a clip is rendered with on either side [s].
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    cache : StageCache or None
        Where what was seen, and what was rendered elsewhere, is looked for and kept.
    on_progress : callable or None
        Called as (stage, done, total); raises Cancelled to stop.

    Attributes
    ----------
    times_s : dict of str to float
        How long each stage took [s].
    """

    opened: OpenTimeline
    looking: LocalizeSettings
    settings: RenderSettings
    handles_s: Fraction
    device: Device
    cache: StageCache | None
    on_progress: Callable[[str, int, int], None] | None
    times_s: dict[str, float] = field(default_factory=dict)
    _lengths_s: dict[Path, Fraction] = field(default_factory=dict)

    def stage(self, name: str) -> Timed:
        """Return a context in which the time of a stage is taken."""
        return Timed(name, self.times_s)

    def render(self, choices: Sequence[Choice], foley: Foley, folder: Path) -> tuple[list[ClipResult], list[Rendered]]:
        """Look at the pictures and render the clips."""
        sounding = [choice for choice in choices if not choice.reason]
        with foley:
            with self.stage("look"):
                seen = Looking(self.looking, self.device, self.cache, self.report)
                clips = [choice for choice in sounding if choice.piece.wish is None]
                seen.look([part for choice in clips for part in choice.pictures], folder)
                foley.look(sounding, folder)
            with self.stage("foley"):
                choices = foley.made(choices, folder / "foley")
        sounding = [choice for choice in choices if not choice.reason]
        media = [choice.piece.path for choice in sounding if choice.piece.path is not None]
        results = {id(choice): clip_result(choice, engine=foley.engine_of(choice)) for choice in choices}
        how, kept = How(self.settings, self.device), Kept(self.cache)
        rendered: list[Rendered] = []
        working: list[Choice] = []

        def works() -> Iterator[Callable[[Report], tuple[Rendered, bool]]]:
            for choice in sounding:
                working.append(choice)
                yield self._clip(choice, foley.looked(choice, seen), how, digests, journal, kept)

        def report(done: float) -> None:
            self.report("clips", int(done * _FINE), len(sounding) * _FINE)

        n_workers = 1 if self.settings.n_steps else _AT_ONCE  # a model uses all of the machine by itself
        with (
            self.stage("clips"),
            MediaDigests(media) as digests,
            Journal(folder, digests) as journal,
            closing(at_once(works(), n_workers, report)) as finished,
        ):
            for number, done in enumerate(finished):
                choice = working[number]
                engine = foley.engine_of(choice)
                try:
                    one, reused = done.result()
                    if (told := foley.told(choice)) is not None:
                        one.told["generated"] = told
                    rendered.append(one)
                    results[id(choice)] = clip_result(choice, output=str(one.path), reused=reused, engine=engine)
                except _FATAL:
                    raise
                except FoleySpaceError as error:
                    results[id(choice)] = clip_result(choice, reason=error.problem, engine=engine)
        return [results[id(choice)] for choice in choices], rendered

    def _clip(
        self, choice: Choice, seen: Looking, how: How, digests: MediaDigests, journal: Journal, kept: Kept
    ) -> Callable[[Report], tuple[Rendered, bool]]:
        """Return the work of rendering a clip."""

        def work(report: Report) -> tuple[Rendered, bool]:
            piece = choice.piece
            assert piece.path is not None  # noqa: S101 - `choose` leaves the others out
            if choice.origin == "metadata":
                trajectory = from_metadata(piece, self.opened.file)
            elif choice.origin == "marker":
                trajectory = from_markers(piece)
            else:
                trajectory = seen.trajectory(choice)

            def tell(stage: str, part: int, whole: int) -> None:
                first, share = _SHARES.get(stage, (0.0, 0.0))
                report(first + share * part / max(whole, 1))

            return render_clip(
                choice,
                part_of(piece, self.handles_s, self._length_s(piece.path)),
                trajectory,
                how,
                journal,
                media=digests.of(piece.path, lambda: report(0.0)),
                models=seen.models if choice.origin == "picture" else [],
                kept=kept,
                on_progress=tell,
            )

        return work

    def _length_s(self, path: Path) -> Fraction:
        if path not in self._lengths_s:
            self._lengths_s[path] = length_s(path)
        return self._lengths_s[path]

    def report(self, stage: str, done: int, total: int) -> None:
        """Tell the progress of a stage."""
        if self.on_progress is not None:
            self.on_progress(stage, done, total)


class Timed:
    """Takes the time of a stage.

    Parameters
    ----------
    name : str
        The stage.
    times_s : dict of str to float
        Where the time goes [s].
    """

    def __init__(self, name: str, times_s: dict[str, float]) -> None:
        self._name, self._times_s = name, times_s

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._times_s[self._name] = round(perf_counter() - self._start, 3)
