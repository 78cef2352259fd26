"""Several clips at once in threads: what one writes to the disk does not keep the next one from being rendered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from foleyspace_host.errors import Cancelled

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Report", "at_once"]

_WAIT_S = 0.1

T = TypeVar("T")

Report = Callable[[float], None]
"""Called with the part of a piece of work that is done, 0 to 1; raises Cancelled to stop it."""


def at_once(
    works: Iterable[Callable[[Report], T]], n_workers: int, on_progress: Callable[[float], None]
) -> Generator[Future[T]]:
    """Do pieces of work in threads, and yield what comes of each in their order.

    The first one is done alone: what it loads, the others find loaded. However this ends, nothing of it runs then.

    Parameters
    ----------
    works : iterable of callable
        Each is called with a `Report`. They are taken one by one, a little before their turn.
    n_workers : int
        How many are done at a time, at least 1.
    on_progress : callable
        Called by the caller's own thread, all the time, with how many pieces are done, parts of them counted; never
        falls. May raise Cancelled to stop the work.

    Yields
    ------
    Future
        Finished; its result raises what the work raised.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    stopped = Event()
    parts: dict[int, float] = {}
    waiting: deque[tuple[int, Future[T]]] = deque()
    done = 0

    def report_of(number: int) -> Report:
        def report(part: float) -> None:
            if stopped.is_set():
                raise Cancelled("stopped")
            parts[number] = max(parts[number], min(part, 1.0))

        return report

    def first() -> Future[T]:
        nonlocal done
        number, future = waiting[0]
        while not future.done():
            on_progress(done + sum([*parts.values()]))
            wait([future], _WAIT_S)
        waiting.popleft()
        del parts[number]
        done += 1
        on_progress(done + sum([*parts.values()]))
        return future

    with ThreadPoolExecutor(n_workers, "clips") as threads:
        try:
            for number, work in enumerate(works):
                parts[number] = 0.0
                waiting.append((number, threads.submit(work, report_of(number))))
                if number == 0 or len(waiting) > n_workers:  # one more than is worked on: no thread waits for us
                    yield first()
            while waiting:
                yield first()
        finally:
            stopped.set()
            threads.shutdown(cancel_futures=True)
