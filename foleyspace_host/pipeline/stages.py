"""The stages of a chain: named, timed, and reporting their progress in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

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

    Attributes
    ----------
    times_s : dict of str to float
        How long each finished stage took [s].
    """

    def __init__(self, on_progress: OnStage | None = None) -> None:
        self._on_progress = on_progress
        self.times_s: dict[str, float] = {}

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
