"""The stages of a chain: named, timed, and reporting their progress in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["OnProgress", "OnStage", "Stages"]

OnProgress = Callable[[int, int], None]
"""Called as (done, total), in units of its own; raises Cancelled to stop the work."""

OnStage = Callable[[str, int, int], None]
"""Called as (stage, done, total); raises Cancelled to stop the work."""


class Stages:
    """Runs the stages of one chain.

    Parameters
    ----------
    on_progress : callable, optional
        Called as (stage, done, total), with done never falling within a stage and reaching total at its end;
        it may raise Cancelled.
    cache : StageCache, optional
        Where stages look for their result before they work, and leave it for later.

    Attributes
    ----------
    cache : StageCache or None
        The same.
    times_s : dict of str to float
        How long each finished stage took [s].
    reused : list of str
        The stages whose result was in the cache.
    device : str
        Where models computed: "cuda" or "cpu".
    warnings : list of str
        What the user should know, one line each.
    """

    def __init__(self, on_progress: OnStage | None = None, cache: StageCache | None = None) -> None:
        self._on_progress = on_progress
        self.cache = cache
        self.times_s: dict[str, float] = {}
        self.reused: list[str] = []
        self.device = "cpu"
        self.warnings: list[str] = []

    def cache_of(self, stage: str) -> StageCache | None:
        """Return the cache if it keeps the results of a stage, else None."""
        return self.cache if self.cache is not None and self.cache.keeps(stage) else None

    @contextmanager
    def stage(self, name: str) -> Iterator[OnProgress]:
        """Run one stage.

        Parameters
        ----------
        name : str
            Its name, shown to the user.

        Yields
        ------
        callable
            What the stage calls with (done, total); a total of 0 means that it is not known.
        """
        furthest = last_total = 0

        def report(done: int, total: int) -> None:
            nonlocal furthest, last_total
            furthest, last_total = max(furthest, done), max(total, 0)
            if self._on_progress is not None:
                known = last_total or furthest + 1
                self._on_progress(name, min(furthest, known), known)

        start = perf_counter()
        report(0, 0)
        yield report
        report(max(last_total, furthest, 1), max(last_total, furthest, 1))
        self.times_s[name] = round(perf_counter() - start, 3)
