"""Whether all workers of a cluster see the same folders as this machine; work goes by paths, so they must."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import HostError, OutputUnwritable

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_storage", "look_from_worker"]

_PROBE = ".foleyspace-probe-"
_PATIENCE_S = 5.0  # for network file systems, which tell of new files a little later
_CURE = "mount the same storage under the same path on every machine, with the right to write"

Trouble = tuple[str, str]
"""A folder, and what is wrong with it."""


def check_storage(client: Client, writable: Iterable[Path], readable: Iterable[Path]) -> None:
    """See that every worker reads what this machine writes, and the other way round.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    writable : iterable of Path
        Folders that results are put into. A small file is written into each by this machine and by every worker,
        read by the other side, and removed.
    readable : iterable of Path
        Files that are inputs: a worker must see one of each folder, with the size that it has here.

    Raises
    ------
    HostError
        Names the first worker that does not see a folder, and the folder.
    OutputUnwritable
        If this machine cannot write into one.
    """
    token = uuid.uuid4().hex[:16]
    folders = sorted({str(path.absolute()) for path in writable})
    samples: dict[str, tuple[str, int]] = {}
    for path in (path.absolute() for path in readable):
        if path.is_file():
            samples.setdefault(str(path.parent), (str(path), path.stat().st_size))
    try:
        for folder in folders:
            try:
                (Path(folder) / f"{_PROBE}{token}").write_text(token)
            except OSError as error:
                cure = "choose a folder that can be written to"
                raise OutputUnwritable(f"cannot be written to ({error.strerror})", where=folder, cure=cure) from error
        told: Mapping[str, list[Trouble] | BaseException] = client.run(
            look_from_worker, token, folders, list(samples.values()), on_error="return"
        )
        for worker, troubles in sorted(told.items()):
            if isinstance(troubles, BaseException):
                raise HostError(f"the worker cannot look at the storage ({troubles})", where=worker, cure=_CURE)
            for folder, what in troubles:
                raise HostError(f"the worker {what} the folder {folder}", where=worker, cure=_CURE)
            for folder in folders:
                if _read(_answer(folder, token, worker)) != worker:
                    problem = f"what the worker writes into the folder {folder} is not seen here"
                    raise HostError(problem, where=worker, cure=_CURE)
    finally:
        for folder in folders:
            for path in Path(folder).glob(f"{_PROBE}{token}*"):
                path.unlink(missing_ok=True)


def look_from_worker(
    token: str, folders: Sequence[str], samples: Sequence[tuple[str, int]], dask_worker: object
) -> list[Trouble]:
    """Look at the folders from a worker, and leave an answer in those that are written to.

    Parameters
    ----------
    token : str
        What the probe of this check holds, and is named by.
    folders : sequence of str
        Where it lies.
    samples : sequence of (str, int)
        Files and their sizes in bytes.
    dask_worker : distributed.Worker
        Given by Dask.

    Returns
    -------
    list of (str, str)
        Folders with what is wrong with them; at most one.
    """
    for folder in folders:
        if _read(Path(folder) / f"{_PROBE}{token}") != token:
            return [(folder, "does not see what is written into")]
        worker = str(getattr(dask_worker, "address", ""))
        try:
            _answer(folder, token, worker).write_text(worker)
        except OSError as error:
            return [(folder, f"cannot write ({error.strerror}) into")]
    for path, n_bytes in samples:
        try:
            same = os.stat(path).st_size == n_bytes
        except OSError:
            same = False
        if not same:
            return [(str(Path(path).parent), f"does not see the file {Path(path).name} in")]
    return []


def _answer(folder: str, token: str, worker: str) -> Path:
    plain = "".join(letter if letter.isalnum() else "_" for letter in worker)
    return Path(folder) / f"{_PROBE}{token}-{plain}"


def _read(path: Path) -> str | None:
    """Return what a file holds, which may have to be waited for."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if text := path.read_text():
                return text
        except OSError:
            pass
        if time.monotonic() >= until_s or not path.parent.is_dir():
            return None
        time.sleep(0.1)
