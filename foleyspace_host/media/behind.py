"""Work that is done one step behind, in a second thread, while the next piece is being made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Self, TypeVar

__all__ = ["OneBehind"]

T = TypeVar("T")


class OneBehind(Generic[T]):
    """Does something with each of a series of pieces, in order, while its caller makes the next one.

    At most one piece waits. An error of the work comes out of the next `put`, or of the end of the block; the
    pieces after it are dropped. Leaving the block by an error drops what waits and lets what runs end.

    Parameters
    ----------
    work : callable
        Called with one piece at a time, never by two threads at once.
    """

    def __init__(self, work: Callable[[T], object]) -> None:
        self._work = work
        self._piece: T | None = None
        self._ready, self._free = threading.Semaphore(0), threading.Semaphore(1)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="one-behind", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def put(self, piece: T) -> None:
        """Hand over the next piece, which must not be changed any more, once the one before is taken up."""
        self._free.acquire()
        if self._error is not None:
            raise self._error
        self._piece = piece
        self._ready.release()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._free.acquire()
        self._piece = None
        self._ready.release()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            piece, self._piece = self._piece, None
            if piece is None:
                return
            self._free.release()
            try:
                self._work(piece)
            except BaseException as error:
                self._error = error
                self._free.release()
                return
