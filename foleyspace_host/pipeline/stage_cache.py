"""Finished stages kept on disk, by what they were made from.

An entry is named by a key, which is a digest of all that the stage depends on (the contents of its inputs, its
settings, the models, this program's own code and its libraries), and by the digest of what it holds. So an
entry is never wrong, only unused; a stage that was finished before a crash, or by another job, is found again.
The least recently used entries go when the folder grows beyond its limit. The cache is a convenience: whatever
is damaged, foreign or not writable is as good as absent.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from foleyspace_host.errors import MediaMissing

__all__ = ["STAGES", "StageCache", "file_digest"]

STAGES = ("decode", "localize", "render")
"""The stages whose results can be kept."""

_PARTIAL = ".part"
_ABANDONED_S = 3600.0
_CHUNK_BYTES = 4 << 20
_UNSURE_NS = 2_000_000_000  # file systems tell times to within two seconds at worst
_MAX_DIGESTS = 256

_digests: dict[tuple[str, int, int, int], str] = {}


class StageCache:
    """A folder of finished stages, which several processes may use at once.

    Parameters
    ----------
    folder : Path
        Where the entries lie; made when the first one comes.
    limit_bytes : int
        Size that they may have together; with 0 nothing is kept.
    stages : collection of str
        The stages to keep, of `STAGES`; of others nothing is looked for either.
    """

    def __init__(self, folder: Path, limit_bytes: int, stages: Collection[str] = STAGES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._stages = frozenset(stages)

    def keeps(self, stage: str) -> bool:
        """Tell whether results of a stage are kept."""
        return self.limit_bytes > 0 and stage in self._stages

    def fetch(self, key: str, copy: Path | None = None) -> Path | None:
        """Return the file that was stored under a key.

        Parameters
        ----------
        key : str
            As `stage_key` makes it.
        copy : Path, optional
            Also put the file here, in place of whatever is there (as a hard link where that is possible: for
            reading only), so that it stays when the entry goes.

        Returns
        -------
        Path or None
            An intact file: `copy` if that was given. None if there is none.
        """
        for entry in self._entries(f"{key}.*"):
            try:
                if _digest_of(entry) != _promised(entry):
                    entry.unlink()
                    continue
                if copy is not None:
                    _place(entry, copy)
                os.utime(entry)  # was used now
            except OSError:
                continue
            return copy or entry
        return None

    def fetch_text(self, key: str) -> str | None:
        """Return the text that was stored under a key, or None."""
        entry = self.fetch(key)
        try:
            return None if entry is None else entry.read_text(encoding="utf-8")
        except (OSError, ValueError):  # gone since
            return None

    def store(self, key: str, path: Path) -> None:
        """Keep a copy of a file under a key; that it cannot be kept is no error.

        Parameters
        ----------
        key : str
            As `stage_key` makes it.
        path : Path
            The complete file.
        """
        with contextlib.suppress(OSError):
            if 0 < path.stat().st_size <= self.limit_bytes:
                self._keep(key, path.suffix, lambda partial: shutil.copyfile(path, partial))

    def store_text(self, key: str, text: str, suffix: str = ".json") -> None:
        """Keep a text under a key; that it cannot be kept is no error."""
        content = text.encode()
        with contextlib.suppress(OSError):
            if len(content) <= self.limit_bytes:
                self._keep(key, suffix, lambda partial: partial.write_bytes(content))

    def store_pieces(self, key: str, pieces: Iterable[str], suffix: str = ".json") -> None:
        """Keep a text that comes in pieces under a key; that it cannot be kept is no error."""

        def write(partial: Path) -> None:
            room = self.limit_bytes
            with partial.open("wb") as file:
                for piece in pieces:
                    room -= file.write(piece.encode())
                    if room < 0:
                        raise OSError(errno.EFBIG, "larger than the cache may be")

        with contextlib.suppress(OSError):
            self._keep(key, suffix, write)

    def usage(self) -> dict[str, tuple[int, int]]:
        """Return the number of entries and their size in bytes, by stage."""
        found: dict[str, tuple[int, int]] = {}
        for entry in self._entries("*-*.*"):
            stage = entry.name.split("-", 1)[0]
            with contextlib.suppress(OSError):
                number, n_bytes = found.get(stage, (0, 0))
                found[stage] = number + 1, n_bytes + entry.stat().st_size
        return found

    def clear(self) -> None:
        """Remove every entry."""
        for entry in (*self._entries("*-*.*"), *self._partials()):
            with contextlib.suppress(OSError):
                entry.unlink()

    def _keep(self, key: str, suffix: str, write: Callable[[Path], object]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{key}.{os.urandom(6).hex()}{_PARTIAL}"
        try:
            write(partial)
            entry = self.folder / f"{key}.{_digest_of(partial)}{suffix}"
            os.replace(partial, entry)  # others see all of it or nothing; a power cut shows in the digest
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        self._prune(entry)

    def _entries(self, pattern: str) -> list[Path]:
        with contextlib.suppress(OSError):
            return [path for path in self.folder.glob(pattern) if path.suffix != _PARTIAL]
        return []

    def _partials(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return list(self.folder.glob(f"*{_PARTIAL}"))
        return []

    def _prune(self, newest: Path) -> None:
        """Remove the entries that were not used for longest, and what interrupted writes left."""
        now = time.time()
        for partial in self._partials():
            with contextlib.suppress(OSError):
                if now - partial.stat().st_mtime > _ABANDONED_S:
                    partial.unlink()
        entries = []
        for path in self._entries("*-*.*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                entries.append((path == newest, found.st_mtime_ns, found.st_size, path))
        total = sum(n_bytes for _, _, n_bytes, _ in entries)
        for _, _, n_bytes, path in sorted(entries):
            if total <= self.limit_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= n_bytes


def file_digest(path: Path, on_progress: Callable[[int, int], None] | None = None) -> str:
    """Return the digest of a file's content.

    It is remembered by place, identity, size and time of the last change, unless that was just now: then the
    file may change again and keep its time.

    Parameters
    ----------
    path : Path
        The file.
    on_progress : callable, optional
        Called as on_progress(0, 0) now and then; raises Cancelled to stop.

    Returns
    -------
    str
        SHA-256 in hexadecimal.

    Raises
    ------
    MediaMissing
        If the file cannot be read.
    """
    try:
        found = path.stat()
        identity = (os.path.abspath(path), found.st_ino, found.st_size, found.st_mtime_ns)
        digest = _digests.get(identity)
        if digest is None:
            digest = _digest_of(path, on_progress)
            if time.time_ns() - found.st_mtime_ns > _UNSURE_NS:
                while len(_digests) >= _MAX_DIGESTS:
                    _digests.pop(next(iter(_digests)), None)  # another thread may be doing the same
                _digests[identity] = digest
    except OSError as error:
        raise MediaMissing(
            f"cannot be read ({error.strerror or error})", where=str(path), cure="check the name and your permissions"
        ) from error
    return digest


def _digest_of(path: Path, on_progress: Callable[[int, int], None] | None = None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            if on_progress is not None:
                on_progress(0, 0)
    return digest.hexdigest()


def _promised(entry: Path) -> str:
    """Return the digest that an entry has in its name."""
    return entry.name.split(".")[1]


def _place(entry: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    try:
        os.link(entry, copy)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        shutil.copyfile(entry, copy)
