"""Output files that are either complete or absent.

A file is written under a hidden name in the folder of its target, flushed to the disk, and renamed over the
target in one step. Whatever goes wrong before that step (an error, a full disk, the user's cancel) leaves
the old target as it was and nothing beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foleyspace_host.errors import DiskFull, FoleySpaceError, OutputUnwritable

__all__ = ["atomic_output", "check_space", "check_writable", "clear_partials", "scratch_file", "write_error"]

_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def write_error(error: OSError, path: str | Path) -> OutputUnwritable:
    """Return the error of the project for an operating system's error on an output.

    Parameters
    ----------
    error : OSError
        What the system said.
    path : str or Path
        The output as the user named it.

    Returns
    -------
    OutputUnwritable
        DiskFull when the space or the quota is used up; to be raised by the caller.
    """
    if error.errno in _NO_SPACE:
        return DiskFull(
            "the disk is full, or the file would grow past its limit",
            where=str(path),
            cure="free some space or write to another disk",
        )
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return OutputUnwritable(
        f"cannot write here ({reason})",
        where=str(path),
        cure="choose another place, or close the program that has the file open",
    )


def check_writable(path: str | Path) -> Path:
    """Check that a file can be created at a path, before any work is done for it.

    Parameters
    ----------
    path : str or Path
        The output file; it may exist and would then be replaced.

    Returns
    -------
    Path
        The absolute path with symbolic links followed, so that a link is kept and its target replaced.

    Raises
    ------
    OutputUnwritable
        The folder is missing or not writable, or the path is a folder or a device.
    DiskFull
        Not even an empty file fits.
    """
    try:
        target = _checked_target(path)
        # only creating a file tells the truth on network shares, sandboxes and Windows
        _create_beside(target).unlink()
    except (OSError, ValueError) as error:
        raise _as_write_error(error, path) from error
    return target


def check_space(path: str | Path, n_bytes: int) -> None:
    """Check, before the work, that what is to be written will find space.

    Parameters
    ----------
    path : str or Path
        The output file.
    n_bytes : int
        About how much will lie there at the same time, with intermediate results [bytes].

    Raises
    ------
    DiskFull
        If the disk has less left. (Where it does not tell, or a quota is smaller, writing will find out.)
    """
    try:
        free = _free_bytes(Path(path).resolve().parent)
    except OSError:
        return
    if free < n_bytes:
        raise DiskFull(
            f"about {n_bytes / 1e6:,.0f} MB are needed and the disk has {free / 1e6:,.0f} MB left",
            where=str(path),
            cure="free some space or write to another disk",
        )


@contextmanager
def atomic_output(path: str | Path) -> Iterator[Path]:
    """Give a temporary file that becomes ``path`` when the block ends well, and vanishes when not.

    Parameters
    ----------
    path : str or Path
        The file to write or replace.

    Yields
    ------
    Path
        An empty file in the same folder with the same suffix and a hidden name; write to it or replace it.

    Raises
    ------
    OutputUnwritable
        The output cannot be written here (raised before the block runs if that can be known), or a write
        in the block failed with an OSError.
    DiskFull
        There was no space for it.
    """
    try:
        target = _checked_target(path)
        temporary = _create_beside(target)
    except (OSError, ValueError) as error:
        raise _as_write_error(error, path) from error
    try:
        yield temporary
        _flush_to_disk(temporary)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(temporary, target)
        _flush_folder(target.parent)
    except FoleySpaceError:
        raise
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        # after the rename there is nothing of this name left
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def scratch_file(path: str | Path, suffix: str) -> Iterator[Path]:
    """Give a hidden file beside an output for an intermediate result; it is deleted in any case.

    Parameters
    ----------
    path : str or Path
        The output it lies beside (same folder, hence same disk).
    suffix : str
        Suffix of the file, with the dot.

    Yields
    ------
    Path
        An empty file.

    Raises
    ------
    OutputUnwritable
        No file can be created there (DiskFull when there is no space).
    """
    try:
        scratch = _create_beside(_checked_target(path).with_suffix(suffix))
    except (OSError, ValueError) as error:
        raise _as_write_error(error, path) from error
    try:
        yield scratch
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def _checked_target(path: str | Path) -> Path:
    """Return the file that an output is, with links followed; refuse what cannot be written, as far as that shows."""
    target = Path(path).resolve()
    folder = target.parent
    if not folder.is_dir():
        raise OutputUnwritable(
            f"there is no folder {folder}", where=str(path), cure="create the folder or choose another"
        )
    if target.exists():
        mode = target.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise OutputUnwritable(f"this is {kind}", where=str(path), cure="name a file to write")
        if not os.access(target, os.W_OK):
            raise OutputUnwritable(
                "the file is there and write-protected",
                where=str(path),
                cure="choose another name or allow writing to it",
            )
    return target


def _free_bytes(folder: Path) -> int:
    if hasattr(os, "statvfs"):  # the same as below, without what that module imports
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize
    import shutil

    return shutil.disk_usage(folder).free


def _as_write_error(error: OSError | ValueError, path: str | Path) -> OutputUnwritable:
    if isinstance(error, OSError):
        return write_error(error, path)
    # an embedded null character, for example
    return OutputUnwritable("this is not a usable file name", where=repr(str(path)), cure="choose another name")


def clear_partials(path: str | Path) -> None:
    """Remove what killed processes left beside an output that nobody writes any more.

    Parameters
    ----------
    path : str or Path
        The output.
    """
    target = Path(path)
    name = re.compile(re.escape(f".{_short(target)}.") + "[0-9a-f]{12}" + re.escape(f".part{target.suffix}"))
    with contextlib.suppress(OSError):
        for found in os.listdir(target.parent):
            if name.fullmatch(found):
                target.with_name(found).unlink(missing_ok=True)


def _short(target: Path) -> str:
    """Return the stem of a name, short enough for hidden names to stay within the 255 bytes of file systems."""
    return target.stem.encode()[:100].decode(errors="ignore")


def _create_beside(target: Path) -> Path:
    """Create an empty file with a fresh hidden name; its permissions follow the umask."""
    while True:
        candidate = target.with_name(f".{_short(target)}.{os.urandom(6).hex()}.part{target.suffix}")
        try:
            os.close(os.open(candidate, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return candidate


def _flush_to_disk(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable where the system offers it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
