"""Results on their way into the project's folder: each whole and under a name that nothing has."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.media.atomic import write_error

__all__ = ["folder_for", "place"]

_CHUNK_BYTES = 4 << 20


def folder_for(text: str) -> tuple[Path, bool]:
    """Return the folder for results, which is made if it is not there, and whether it was made.

    Raises
    ------
    OutputUnwritable
        If that is no absolute path, or cannot be made.
    """
    folder = Path(text)
    if not folder.is_absolute():
        raise OutputUnwritable("is not an absolute path", where=text, cure="save the project, or set its media folder")
    try:
        if folder.is_dir():
            return folder, False
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    return folder, True


def place(made: Path, folder: Path, on_progress: Callable[[], None]) -> Path:
    """Move a finished file into a folder.

    Parameters
    ----------
    made : Path
        The file.
    folder : Path
        Where it goes.
    on_progress : callable
        Called between pieces where it has to be copied to another disk; raises to stop.

    Returns
    -------
    Path
        Where it is now; a number is added where its name is taken.

    Raises
    ------
    OutputUnwritable
        If it cannot be put there (DiskFull if there is no space); nothing is left there then.
    """
    try:
        source = made
        if made.stat().st_dev != folder.stat().st_dev:
            source = _copied(made, folder / f".{made.name}.part", on_progress)
        try:
            return _named(source, folder, made)
        finally:
            if source is not made:
                source.unlink(missing_ok=True)
            made.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, folder / made.name) from error


def _named(source: Path, folder: Path, made: Path) -> Path:
    for number in count(1):
        target = folder / (made.name if number == 1 else f"{made.stem}-{number}{made.suffix}")
        try:
            try:
                os.link(source, target)
            except FileExistsError:
                raise
            except OSError:  # a file has but one name there: take the name, then put the file over it
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
                os.replace(source, target)
        except FileExistsError:
            continue
        return target
    raise AssertionError  # the numbers do not end


def _copied(made: Path, hidden: Path, on_progress: Callable[[], None]) -> Path:
    try:
        with made.open("rb") as file, hidden.open("wb") as copy:
            while chunk := file.read(_CHUNK_BYTES):
                copy.write(chunk)
                on_progress()
            copy.flush()
            os.fsync(copy.fileno())
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    return hidden
