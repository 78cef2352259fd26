"""Digests of the media of a timeline, each made once, ahead of the work, in a second thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Self

from foleyspace_host.errors import Cancelled, MediaMissing
from foleyspace_host.pipeline.stage_cache import file_digest

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["MediaDigests"]

_YOUNG_NS = 2_000_000_000  # a file that changes again this soon may keep its time
_WAIT_S = 0.2

_Identity = tuple[int, int, int]


class MediaDigests:
    """Knows the content of files; use it as a context manager.

    Parameters
    ----------
    paths : iterable of Path
        The files, in the order in which they will be asked for.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._stopped = Event()
        self._thread = ThreadPoolExecutor(1, "digests")
        self._made: dict[Path, Future[tuple[str, _Identity, bool]]] = {
            path: self._thread.submit(self._make, path) for path in dict.fromkeys(paths)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.shutdown(cancel_futures=True)

    def of(self, path: Path, on_wait: Callable[[], None]) -> str:
        """Return the digest of a file as it was when it was first read.

        Parameters
        ----------
        path : Path
            One of the files.
        on_wait : callable
            Called now and then while it is waited for; raises Cancelled to stop.

        Returns
        -------
        str
            SHA-256 in hexadecimal.

        Raises
        ------
        MediaMissing
            If it cannot be read.
        """
        from concurrent.futures import wait

        made = self._made[path]
        while not made.done():
            on_wait()
            wait([made], _WAIT_S)
        return made.result()[0]

    def changed(self) -> list[Path]:
        """Return the files that are no longer what they were when their digests were made."""
        return [path for path in self._made if self.is_changed(path)]

    def is_changed(self, path: Path) -> bool:
        """Tell whether one of the files is no longer what it was when its digest was made; if there is none, no."""
        made = self._made[path]
        if not made.done() or made.cancelled() or made.exception() is not None:
            return False
        digest, identity, is_sure = made.result()
        try:
            return _identity(path) != identity or (not is_sure and file_digest(path) != digest)
        except (OSError, MediaMissing):
            return True

    def _make(self, path: Path) -> tuple[str, _Identity, bool]:
        try:
            identity = _identity(path)
        except OSError as error:
            raise MediaMissing(f"cannot be read ({error.strerror or error})", where=str(path)) from error
        is_sure = time.time_ns() - identity[2] > _YOUNG_NS
        return file_digest(path, self._stop), identity, is_sure

    def _stop(self, _done: int, _total: int) -> None:
        if self._stopped.is_set():
            raise Cancelled("stopped")


def _identity(path: Path) -> _Identity:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
