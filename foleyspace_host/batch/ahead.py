"""Planning ahead of the work: inputs are read, and stages found, while others are at work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from foleyspace_host.batch.items import Item
from foleyspace_host.batch.plan import Stage

__all__ = ["Ahead"]

_AT_ONCE = 64
_THREADS = 4


class Ahead:
    """Plans items in threads, in order; to be closed.

    Parameters
    ----------
    items : sequence of Item
        What is to be planned.
    plan : callable
        Returns the stages of an item, or raises; called from several threads.
    """

    def __init__(self, items: Sequence[Item], plan: Callable[[Item], tuple[Stage, ...]]) -> None:
        self._waiting = deque(items)
        self._plan = plan
        self._planned: deque[tuple[Item, Future[tuple[Stage, ...]]]] = deque()
        self._pool = ThreadPoolExecutor(_THREADS, "planner")

    @property
    def over(self) -> bool:
        """Whether everything was taken."""
        return not self._waiting and not self._planned

    def wait(self, timeout_s: float) -> None:
        """Wait until there is something to take, or nothing left."""
        self._submit()
        until_s = time.monotonic() + timeout_s
        while self._planned and not self._planned[0][1].done() and time.monotonic() < until_s:
            time.sleep(0.005)

    def take(self) -> Iterator[tuple[Item, Future[tuple[Stage, ...]]]]:
        """Yield the items that are planned by now, each with its stages or the reason why there are none."""
        self._submit()
        while self._planned and self._planned[0][1].done():
            yield self._planned.popleft()

    def close(self) -> None:
        """Stop planning."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self) -> None:
        while self._waiting and len(self._planned) < _AT_ONCE:
            item = self._waiting.popleft()
            self._planned.append((item, self._pool.submit(self._plan, item)))
