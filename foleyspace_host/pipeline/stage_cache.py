"""Finished stages kept on disk, by what they were made from.

An entry is named by a key, which is a digest of all that the stage depends on (the contents of its inputs, its
settings, the models, this program's own code and its libraries), and by the digest of what it holds. So an
entry is never wrong, only unused; a stage that was finished before a crash, or by another job, is found again.
A result that stays is not kept twice: where the disk can, the entry is a second name of the same file, and if
somebody writes to that, the digest tells. The least recently used entries go when the folder grows beyond its
limit. The cache is a convenience: whatever is damaged, foreign or not writable is as good as absent.
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
from foleyspace_host.pipeline.cache_index import PARTIAL, CacheIndex, listed

__all__ = ["STAGES", "StageCache", "file_digest"]

STAGES = ("decode", "localize", "render")
"""The stages whose results can be kept."""

_CHUNK_BYTES = 1 << 20
_UNSURE_NS = 2_000_000_000  # file systems tell times to within two seconds at worst
_MAX_DIGESTS = 256
_SLACK = 16  # parts of the limit that are added before the folder is looked through for what others added

_digests: dict[tuple[str, int, int, int], str] = {}


class StageCache:
    """A folder of finished stages, which several processes and threads may use at once.

    Parameters
    ----------
    folder : Path
        Where the entries lie; made when the first one comes.
    limit_bytes : int
        Size that they may have together; with 0 nothing is kept. Each process that writes at the same time may
        be beyond it by a sixteenth for a while.
    stages : collection of str
        The stages to keep, of `STAGES`; of others nothing is looked for either.
    """

    def __init__(self, folder: Path, limit_bytes: int, stages: Collection[str] = STAGES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._stages = frozenset(stages)
        self._index = CacheIndex(folder)

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
            Also put the file here, in place of whatever is there, so that it stays when the entry goes: as a hard
            link if no one else has the file, so that nobody sees what others write to theirs, and else as a copy.

        Returns
        -------
        Path or None
            An intact file: `copy` if that was given. None if there is none.
        """
        for entry in self._index.find(key):
            with contextlib.suppress(OSError):
                if self._intact(entry, copy):
                    return copy or entry
            if copy is not None:  # half of it, or not what it should be
                with contextlib.suppress(OSError):
                    copy.unlink(missing_ok=True)
        return None

    def fetch_text(self, key: str) -> str | None:
        """Return the text that was stored under a key, or None."""
        entry = self.fetch(key)
        try:
            return None if entry is None else entry.read_text(encoding="utf-8")
        except (OSError, ValueError):  # gone since
            return None

    def store(self, key: str, path: Path) -> None:
        """Keep a file under a key; that it cannot be kept is no error.

        Where that is possible, the entry is the same file under a second name: nothing is copied.

        Parameters
        ----------
        key : str
            As `stage_key` makes it.
        path : Path
            The complete file.
        """
        with contextlib.suppress(OSError):
            if 0 < path.stat().st_size <= self.limit_bytes:
                self._keep(key, path.suffix, lambda partial: _place(path.resolve(), partial))

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
        for entry in listed(self.folder)[0]:
            stage = entry.path.name.split("-", 1)[0]
            number, n_bytes = found.get(stage, (0, 0))
            found[stage] = number + 1, n_bytes + entry.n_bytes
        return found

    def clear(self) -> int:
        """Remove every entry, and return what that freed [bytes]; what is linked to results stays with them."""
        entries, partials = listed(self.folder)
        freed = 0
        for path in (*(entry.path for entry in entries), *partials):
            with contextlib.suppress(OSError):
                found = path.stat()
                path.unlink()
                freed += found.st_size if found.st_nlink == 1 else 0
            self._index.drop(path)
        return freed

    def _keep(self, key: str, suffix: str, write: Callable[[Path], object]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{key}.{os.urandom(6).hex()}{PARTIAL}"
        try:
            write(partial)
            entry = self.folder / f"{key}.{_digest_of(partial)}{suffix}"
            os.replace(partial, entry)  # others see all of it or nothing; a power cut shows in the digest
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        n_bytes, n_new_bytes = self._index.add(entry, entry.stat().st_size)
        if n_bytes > self.limit_bytes or n_new_bytes > self.limit_bytes // _SLACK:
            self._prune(entry)

    def _intact(self, entry: Path, copy: Path | None) -> bool:
        """Tell whether an entry is there and is what it should be, and put the copy, which is judged, in its place."""
        try:
            if copy is not None:
                _place(entry, copy)
            if _digest_of(copy or entry) == _promised(entry):
                # was used now; when it was changed stays, since somebody may have it under another name
                os.utime(entry, ns=(time.time_ns(), entry.stat().st_mtime_ns))
                return True
            entry.unlink()
        except FileNotFoundError:
            pass  # another process removed it
        self._index.drop(entry)
        return False

    def _prune(self, newest: Path) -> None:
        """Remove the entries that were not used for longest, and some more, so that not every new one needs this."""
        entries = self._index.renewed()
        total = sum(entry.n_bytes for entry in entries)
        if total <= self.limit_bytes:
            return
        enough = self.limit_bytes - self.limit_bytes // _SLACK
        for entry in sorted(entries, key=lambda entry: (entry.path == newest, entry.used_ns)):
            if total <= (self.limit_bytes if entry.path == newest else enough):
                return
            with contextlib.suppress(OSError):
                entry.path.unlink()
                total -= entry.n_bytes
                self._index.drop(entry.path)


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
    chunk = memoryview(bytearray(_CHUNK_BYTES))  # the same memory for all of the file
    with path.open("rb", buffering=0) as file:
        while n_bytes := file.readinto(chunk):
            digest.update(chunk[:n_bytes])
            if on_progress is not None:
                on_progress(0, 0)
    return digest.hexdigest()


def _promised(entry: Path) -> str:
    """Return the digest that an entry has in its name."""
    return entry.name.split(".")[1]


def _place(file: Path, name: Path) -> None:
    """Put a file under a second name; copy it where it can have none, or has one already."""
    name.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.link(file, name)
        if name.stat().st_nlink == 2:
            return
        name.unlink()
    with file.open("rb") as source, name.open("wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK_BYTES)
        copy.flush()
        os.fsync(copy.fileno())
