"""The files that a job makes: finished in the job's own folder, then put where the client wants them.

A result takes its place in one step under a name that nothing has yet. Whatever stops the work before that
step, be it a signal that cannot be caught, leaves nothing at the place but, on another disk, a hidden file of
the job's own name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.protocol.messages import Artifact

__all__ = ["place", "result_name", "work_folder"]

_CHUNK_BYTES = 4 << 20


@contextmanager
def work_folder(assignment: Assignment) -> Iterator[Path]:
    """Give an empty folder for what is being made; it goes in the end, as what an earlier attempt left does.

    Yields
    ------
    Path
        A folder of the job's own.

    Raises
    ------
    OutputUnwritable
        If it cannot be made.
    """
    from foleyspace_host.media.atomic import write_error

    folder = assignment.folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def result_name(assignment: Assignment, suffix: str) -> str:
    """Return the name of a result: what it was made from, and the job."""
    return f"{assignment.stem}-{assignment.job_id[:8]}{suffix}"


def place(made: Path, role: str, assignment: Assignment, on_progress: Callable[[int, int], None]) -> Artifact:
    """Put a finished file into the folder for results, under a name that is free.

    Parameters
    ----------
    made : Path
        The file, in the job's work folder and already called as `result_name` says.
    role : str
        What it is: "audio", "video" or "trajectory".
    assignment : Assignment
        The job.
    on_progress : callable
        Called as (bytes done, bytes in all); raises Cancelled to stop.

    Returns
    -------
    Artifact

    Raises
    ------
    OutputUnwritable
        If it cannot be put there, or the folder was swapped for a link (DiskFull if there is no space).
    """
    from foleyspace_host.media.atomic import write_error

    folder = assignment.output_folder
    try:
        n_bytes = made.stat().st_size
        digest = _digest(made, on_progress, n_bytes)
        with _folder(folder) as put:
            source, hidden = made, None
            if not _same_disk(made, folder):
                source = hidden = _copied(made, folder / f".{made.name}.part", on_progress, n_bytes)
            try:
                stem = result_name(assignment, "")
                name = _linked(source, stem, made.name.removeprefix(stem), put)
            finally:
                if hidden is not None:
                    hidden.unlink(missing_ok=True)
            put.flush()
    except OSError as error:
        raise write_error(error, folder / made.name) from error
    return Artifact(role=role, path=str(folder / name), n_bytes=n_bytes, sha256=digest)


def _same_disk(made: Path, folder: Path) -> bool:
    return made.stat().st_dev == folder.stat().st_dev


def _digest(path: Path, on_progress: Callable[[int, int], None], n_bytes: int) -> str:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            on_progress(done, n_bytes)
    return digest.hexdigest()


def _copied(made: Path, hidden: Path, on_progress: Callable[[int, int], None], n_bytes: int) -> Path:
    """Bring a file to another disk."""
    from foleyspace_host.media.atomic import check_space

    check_space(hidden, n_bytes)
    hidden.unlink(missing_ok=True)  # of an earlier attempt: no one else makes such names
    try:
        descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(descriptor, "wb") as copy, made.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                copy.write(chunk)
                on_progress(n_bytes, n_bytes)
            copy.flush()
            os.fsync(copy.fileno())
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    return hidden


class _Place:
    """A folder, by descriptor where the system can: then nobody can swap it any more."""

    def __init__(self, folder: Path, descriptor: int | None) -> None:
        self._folder = folder
        self._descriptor = descriptor

    def link(self, source: Path, name: str) -> None:
        """Give a file a second name here; FileExistsError if the name is taken."""
        if self._descriptor is not None:
            os.link(source, name, dst_dir_fd=self._descriptor, follow_symlinks=False)
        else:
            os.link(source, self._folder / name)

    def move(self, source: Path, name: str) -> None:
        """Do the same where a file has but one name: take the name, then put the file over it."""
        target = self._folder / name
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            os.replace(source, target)
        except OSError:
            target.unlink(missing_ok=True)
            raise

    def flush(self) -> None:
        """Make the new name durable where the system offers it."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._descriptor)


@contextmanager
def _folder(folder: Path) -> Iterator[_Place]:
    descriptor = None
    if os.link in os.supports_dir_fd and hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.path.realpath(folder) != str(folder) or (
            descriptor is not None and not os.path.samestat(os.fstat(descriptor), os.stat(folder))
        ):
            raise OutputUnwritable("the folder became a link", where=str(folder), cure="send the job again")
        yield _Place(folder, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _linked(source: Path, stem: str, suffix: str, put: _Place) -> str:
    """Put a file in its place under the first name that is free."""
    for number in count(1):
        name = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        try:
            try:
                put.link(source, name)
            except FileExistsError:
                raise
            except OSError:  # file systems without a second name for a file, such as exFAT
                put.move(source, name)
        except FileExistsError:
            continue
        return name
    raise AssertionError  # the numbers do not end
