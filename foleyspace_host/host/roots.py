"""The folders that a client may read and write in, and the only way to a file in them.

A path is made absolute with all links followed, must then lie below a root, and is opened from that root down
with no link followed any more: whoever swaps a folder for a link in between gets an error, not another file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from foleyspace_host.errors import FoleySpaceError, InvalidInput, MediaMissing, OutputUnwritable, UnauthorizedPath
from foleyspace_host.jobs.model import InputFile

__all__ = ["Roots", "allow"]

_WINDOWS = sys.platform == "win32"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\..*)?", re.IGNORECASE)  # devices of Windows
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


def allow(wanted: Iterable[str], narrowed: Sequence[Path] | None = None) -> tuple[Roots, list[str]]:
    """Decide which folders a client may use.

    Parameters
    ----------
    wanted : iterable of str
        The folders that the client asks for.
    narrowed : sequence of Path, optional
        The only folders that the configuration allows; each wanted one is cut down to what lies in these.

    Returns
    -------
    Roots
        The allowed folders.
    list of str
        One line for each wanted folder that is not, or only in part, among them.
    """
    limits = None if narrowed is None else [Path(os.path.realpath(folder)) for folder in narrowed]
    folders: list[Path] = []
    warnings: list[str] = []
    for text in wanted:
        try:
            folder = _resolved(text, "$.roots")
        except FoleySpaceError as error:
            warnings.append(f"{text!r} is not among the roots: {error.problem}")
            continue
        if not folder.is_dir():
            warnings.append(f"{text!r} is not among the roots: there is no such folder")
            continue
        parts = [folder] if limits is None else list(_common(folder, limits))
        if not parts:
            warnings.append(f"{text!r} is not among the roots: the host's configuration does not allow it")
        elif parts != [folder]:
            warnings.append(f"of {text!r} the host's configuration allows only {', '.join(map(str, parts))}")
        folders += (part for part in parts if part not in folders)
    return Roots(folders), warnings


def _common(folder: Path, limits: Sequence[Path]) -> Iterator[Path]:
    for limit in limits:
        if folder.is_relative_to(limit):
            yield folder
            return
    for limit in limits:
        if limit.is_relative_to(folder) and limit.is_dir():
            yield limit


class Roots:
    """Folders in which a connection may read and write.

    Parameters
    ----------
    folders : iterable of Path
        The folders, absolute, with all links followed.
    """

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self.folders = tuple(folders)

    def input_file(self, path: str, field: str) -> InputFile:
        """Return a file's identity, by which whoever reads it later knows that it is the same.

        Parameters
        ----------
        path : str
            The file as the client names it.
        field : str
            Where the request names it: ``$.job.audio.path``.

        Returns
        -------
        InputFile

        Raises
        ------
        UnauthorizedPath
            It lies outside of the roots, or was swapped for a link meanwhile.
        MediaMissing
            There is no such file in a root, or it may not be read, or it is a folder or a device.
        InvalidInput
            This is no absolute path of this system.
        """
        resolved, root = self._locate(path, field)
        try:
            with _opened(resolved, root, os.O_RDONLY) as descriptor:
                facts = os.fstat(descriptor)
        except OSError as error:
            raise _explained(error, path, field, "read") from error
        if not stat.S_ISREG(facts.st_mode):
            raise MediaMissing(f"{_named(path)} is no file", where=field, cure="name a sound, video or other file")
        return InputFile(field, str(resolved), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)

    def output_folder(self, path: str, field: str) -> Path:
        """Return a folder for results, with all links followed.

        Raises
        ------
        UnauthorizedPath
            It lies outside of the roots, or was swapped for a link meanwhile.
        OutputUnwritable
            There is no such folder in a root, or it may not be written in.
        InvalidInput
            This is no absolute path of this system.
        """
        resolved, root = self._locate(path, field)
        try:
            with _opened(resolved, root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)):
                pass
        except OSError as error:
            raise _explained(error, path, field, "write in") from error
        if not os.access(resolved, os.W_OK | os.X_OK):
            raise OutputUnwritable(f"{_named(path)} cannot be written in", where=field, cure="name another folder")
        return resolved

    def _locate(self, path: str, field: str) -> tuple[Path, Path]:
        """Return the path with all links followed, and the root it lies in; whether it exists is not told."""
        resolved = _resolved(path, field)
        for root in self.folders:
            if resolved.is_relative_to(root):
                return resolved, root
        raise UnauthorizedPath(
            f"{_named(path)} lies outside of the folders that this connection may use",
            where=field,
            cure="name its folder among the roots in hello",
        )


def _resolved(path: str, field: str) -> Path:
    """Return a path with all links followed; what is no plain absolute path is refused before that."""
    if any(ord(letter) < 32 for letter in path):
        raise InvalidInput("a path with control characters", where=field, cure="rename the file")
    if not os.path.isabs(path) or path.startswith(("\\\\", "//")):
        raise InvalidInput("not an absolute path on this machine", where=field, cure="give the whole path")
    if _WINDOWS and (":" in path[2:] or any(_RESERVED.fullmatch(part.rstrip(" .")) for part in Path(path).parts)):
        raise InvalidInput("a path that names a device or a stream", where=field, cure="rename the file")
    try:
        return Path(os.path.realpath(path))
    except OSError as error:  # a link that went away while it was read
        raise _explained(error, path, field, "read") from error


@contextmanager
def _opened(path: Path, root: Path, flags: int) -> Iterator[int]:
    """Open a resolved path from its root down, one part after the other, and no link among them."""
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)  # a pipe must not make us wait
    if not _BY_DESCRIPTOR:  # Windows: links need rights that plain users lack
        if path.is_dir() and os.path.realpath(path) == str(path):
            yield -1
            return
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
        try:
            if os.path.realpath(path) != str(path):
                raise OSError(errno.ELOOP, "swapped for a link")
            yield descriptor
        finally:
            os.close(descriptor)
        return
    parts = path.relative_to(root).parts
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for number, part in enumerate(parts, 1):
            wanted = flags if number == len(parts) else os.O_RDONLY | os.O_DIRECTORY
            below = os.open(part, wanted | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _explained(error: OSError, path: str, field: str, purpose: str) -> Exception:
    if error.errno == errno.ELOOP:  # a link where there was none
        return UnauthorizedPath(f"{_named(path)} changed while it was checked", where=field, cure="try again")
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    kind = MediaMissing if purpose == "read" else OutputUnwritable
    return kind(f"{_named(path)} is nothing to {purpose} ({reason})", where=field, cure="check the path")


def _named(path: str) -> str:
    """Return a path as an error can say it."""
    return ascii(path if len(path) <= 500 else f"...{path[-500:]}") if not path.isprintable() else f"{path[-500:]}"
