"""What was rendered into a folder, a line for each sound: what it was made from, by which it is found again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from foleyspace_host.errors import Conflict

if TYPE_CHECKING:
    from io import FileIO

    from foleyspace_host.timeline.digests import MediaDigests

__all__ = ["NAME", "Journal"]

NAME = "renders.jsonl"


class Journal:
    """The rendered sounds of a folder, for several threads; use it as a context manager.

    However its block ends, what was told to it is kept, so that nothing is rendered twice; only what was made from
    media that have changed since is not.

    Parameters
    ----------
    folder : Path
        The folder.
    digests : MediaDigests
        What the media are.

    Attributes
    ----------
    folder : Path
        The folder.

    Raises
    ------
    OutputUnwritable
        If the file cannot be written; also by `add`.
    Conflict
        At the end of the block, if media have changed.
    """

    def __init__(self, folder: Path, digests: MediaDigests) -> None:
        self.folder, self._digests = folder, digests
        self._path = folder / NAME
        self._file: FileIO | None = None
        self._told: dict[str, dict[str, Any]] = {}
        self._new: list[tuple[Path, str]] = []
        self._lock = Lock()
        self._making: dict[str, Lock] = {}

    def __enter__(self) -> Self:
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        for line in lines:
            try:  # the last one may be torn by a crash: that sound is rendered again
                told = json.loads(line)
                self._told[str(told["request"])] = told
            except (ValueError, KeyError, TypeError):
                continue
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        changed = set(self._digests.changed()) if self._new else set()
        for media, request in self._new:
            if media in changed:
                self._write({"request": request})
        if self._file is not None:
            self._file.close()
        if changed and kind is None:
            raise Conflict("the file was changed while it was rendered", where=str(min(changed)), cure="run it again")

    @contextmanager
    def making(self, request: str) -> Iterator[None]:
        """Let others that look for the same sound wait until it is told of."""
        with self._lock:
            lock = self._making.setdefault(request, Lock())
        with lock:
            yield

    def find(self, request: str, sound: Path) -> dict[str, Any] | None:
        """Return what was told of a sound.

        Parameters
        ----------
        request : str
            Digest of all that it is made from.
        sound : Path
            Where it must lie.

        Returns
        -------
        dict or None
            None unless it is there, and was not touched since.
        """
        told = self._told.get(request)
        return told if told is not None and told.get("file") == _identity(sound) else None

    def add(self, request: str, sound: Path, media: Path, told: dict[str, Any]) -> None:
        """Tell of a sound that was rendered.

        Parameters
        ----------
        request : str
            Digest of all that it was made from.
        sound : Path
            The sound.
        media : Path
            What it was rendered from.
        told : dict
            What is to be known of it.
        """
        told = {"request": request, "file": _identity(sound), **told}
        with self._lock:
            self._new.append((media, request))
            self._told[request] = told
            self._write(told)

    def is_unchanged(self, media: Path) -> bool:
        """Tell whether a file is what its digest was made of."""
        return not self._digests.is_changed(media)

    def _write(self, told: dict[str, Any]) -> None:
        import msgspec

        from foleyspace_host.media.atomic import write_error

        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
                self._file.write(b"\n")  # after what a crash may have torn
            self._file.write(msgspec.json.encode(told) + b"\n")
        except OSError as error:
            raise write_error(error, self._path) from error


def _identity(path: Path) -> list[int] | None:
    """Return what changes with a file: whatever writes to it changes its time."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]
