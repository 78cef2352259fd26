"""What lies in a folder of finished stages: listed once, and not anew for each look-up."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

__all__ = ["PARTIAL", "CacheIndex", "Entry", "listed"]

PARTIAL = ".part"
"""Suffix of entries that are being written."""

_ABANDONED_S = 3600.0
_BELIEVED_S = 5.0  # what other processes put there meanwhile is found later; till then it is as good as absent


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished entry.

    Parameters
    ----------
    path : Path
        Its file, ``KEY.DIGEST.SUFFIX``.
    n_bytes : int
        Its size.
    used_ns : int
        When it was used last, since the epoch [ns].
    """

    path: Path
    n_bytes: int
    used_ns: int


def listed(folder: Path) -> tuple[list[Entry], list[Path]]:
    """List a folder once.

    Parameters
    ----------
    folder : Path
        The folder, which need not be there.

    Returns
    -------
    entries : list of Entry
        What is finished.
    partials : list of Path
        What is being written, or was left when that was interrupted.
    """
    entries: list[Entry] = []
    partials: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for one in found:
            if one.name.endswith(PARTIAL):
                partials.append(Path(one.path))
            elif "." in one.name.partition("-")[2]:
                with contextlib.suppress(OSError):  # gone since
                    facts = one.stat()
                    # of a file with a second name elsewhere only the time of access is ours to set
                    used_ns = max(facts.st_atime_ns, facts.st_mtime_ns)
                    entries.append(Entry(Path(one.path), facts.st_size, used_ns))
    return entries, partials


class CacheIndex:
    """The entries of a folder by their keys, for several threads.

    It may be behind what other processes do there by some seconds: then it names what is gone, or does not yet
    name what is new.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._entries: dict[str, dict[Path, int]] = {}
        self._n_bytes = self._n_new_bytes = 0
        self._listed_s: float | None = None

    def find(self, key: str) -> list[Path]:
        """Return the entries of a key."""
        with self._lock:
            found = self._entries.get(key)
            if not found and (self._listed_s is None or time.monotonic() - self._listed_s > _BELIEVED_S):
                self._list()
                found = self._entries.get(key)
            return [*(found or ())]

    def add(self, path: Path, n_bytes: int) -> tuple[int, int]:
        """Take up an entry that was written.

        Parameters
        ----------
        path : Path
            The entry.
        n_bytes : int
            Its size.

        Returns
        -------
        n_bytes : int
            Size of all that is known to be there.
        n_new_bytes : int
            How much of that was taken up since the folder was listed last.
        """
        with self._lock:
            if self._listed_s is None:
                self._list()
            else:
                self._take_up(path, n_bytes)
                self._n_new_bytes += n_bytes
            return self._n_bytes, self._n_new_bytes

    def drop(self, path: Path) -> None:
        """Forget an entry that is gone."""
        with self._lock:
            self._n_bytes -= self._entries.get(_key(path), {}).pop(path, 0)

    def renewed(self) -> list[Entry]:
        """List the folder again, and return all that is in it."""
        with self._lock:
            return self._list()

    def _take_up(self, path: Path, n_bytes: int) -> None:
        there = self._entries.setdefault(_key(path), {})
        self._n_bytes += n_bytes - there.get(path, 0)
        there[path] = n_bytes

    def _list(self) -> list[Entry]:
        entries, partials = listed(self._folder)
        now_s = time.time()
        for partial in partials:
            with contextlib.suppress(OSError):
                if now_s - partial.stat().st_mtime > _ABANDONED_S:
                    partial.unlink()
        self._entries, self._n_bytes, self._n_new_bytes = {}, 0, 0
        for entry in entries:
            self._take_up(entry.path, entry.n_bytes)
        self._listed_s = time.monotonic()
        return entries


def _key(path: Path) -> str:
    return path.name.partition(".")[0]
