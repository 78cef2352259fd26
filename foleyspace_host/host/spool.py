"""Sounds that came as raw frames, on their way to the disk: checked, and written from where they were received."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from foleyspace_host.errors import DiskFull, InvalidInput, OutputUnwritable
from foleyspace_host.protocol.messages import BufferSpec

__all__ = ["Spool"]

_SPARE_BYTES = 64 << 20  # what the disk keeps for the database and the log


class Spool:
    """The folder of buffers whose jobs are not accepted yet.

    Parameters
    ----------
    folder : Path
        The folder; what an earlier host left in it is removed, for its jobs were never accepted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="spool")  # hashing and writing leave the GIL

    def write(self, specs: Sequence[BufferSpec], buffers: Sequence[memoryview]) -> Path | None:
        """Write buffers as ``00.buf``, ``01.buf`` ... into a folder of their own, and see them on the disk.

        Parameters
        ----------
        specs : sequence of BufferSpec
            What they should be; that the sizes agree was checked when the message was decoded.
        buffers : sequence of memoryview
            What they are; not copied in memory.

        Returns
        -------
        Path, optional
            The folder, or None if there are no buffers; the caller has it moved or calls `drop`.

        Raises
        ------
        InvalidInput
            A buffer is not what is said about it.
        DiskFull
            There is no space for them.
        OutputUnwritable
            They cannot be written for another reason.
        """
        if not specs:
            return None
        folder = self._folder / secrets.token_hex(8)
        try:
            if shutil.disk_usage(self._folder).free < sum(spec.n_bytes for spec in specs) + _SPARE_BYTES:
                raise _full(self._folder)
            folder.mkdir(mode=0o700)
            # the disk works while the processor hashes
            written = [self._pool.submit(_write, folder / f"{n:02d}.buf", buffer) for n, buffer in enumerate(buffers)]
            checked = [self._pool.submit(_check, n, *pair) for n, pair in enumerate(zip(specs, buffers, strict=True))]
            wait([*written, *checked])  # not to remove the folder while something is being written there
            for future in (*written, *checked):
                future.result()
            _flush(folder)
        except OSError as error:
            self.drop(folder)
            if error.errno in (errno.ENOSPC, errno.EFBIG):
                raise _full(self._folder) from error
            raise OutputUnwritable(f"a buffer cannot be written ({error.strerror})", where=str(folder)) from error
        except BaseException:
            self.drop(folder)
            raise
        return folder

    def drop(self, folder: Path | None) -> None:
        """Remove a folder of buffers whose job was not accepted; nothing happens if it was moved away."""
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def _check(number: int, spec: BufferSpec, buffer: memoryview) -> None:
    if hashlib.blake2b(buffer, digest_size=32).hexdigest() != spec.blake2b:
        where = f"$.buffers[{number}].blake2b"
        raise InvalidInput("the bytes that came are not those that were hashed", where=where, cure="send them again")


def _write(path: Path, buffer: memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        rest = buffer
        while rest.nbytes:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(folder: Path) -> None:
    """Make the names of the files durable where the system offers it."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _full(folder: Path) -> DiskFull:
    return DiskFull("no space for the sound that was sent", where=str(folder), cure="free some space on this disk")
