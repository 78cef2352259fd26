"""Named arrays in one file, that are read by mapping the file into memory.

An archive of numpy's would be copied and summed up byte by byte, which takes longer than all else that starting
takes here. In these files a rendering touches only the responses that it uses; a checksum of the whole, computed
eight bytes at a time, finds what was damaged on the disk.
"""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_arrays", "write_arrays"]

_MAGIC = b"FoleySpace arrays 1\n"
_ALIGNMENT = 64
_HEAD_BYTES = 64  # magic, length and checksum of the table of contents
_ROW = 512  # words that are summed together


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays.

    Parameters
    ----------
    file : binary file
        At its start.
    arrays : mapping of str to ndarray
        Of numbers or text.

    Raises
    ------
    ValueError
        If one of them holds objects.
    """
    contents, offset = [], 0
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds objects")
        contents.append([name, array.dtype.str, array.shape, offset, _checksum(array.tobytes())])
        offset += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    table = json.dumps(contents).encode()
    table += b" " * (-len(table) % _ALIGNMENT)
    head = _MAGIC + f"{len(table):10d} {zlib.crc32(table):10d}".encode()
    file.write(head.ljust(_HEAD_BYTES) + table)
    for array in arrays.values():
        file.write(array.tobytes() + b"\0" * (-array.nbytes % _ALIGNMENT))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    path : Path
        The file; it stays mapped into memory as long as one of the arrays is used.

    Returns
    -------
    dict of str to ndarray
        Not to be written to.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is another file, or damaged.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # ValueError where it is empty
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a file of arrays")
    n_bytes, checksum = (int(word) for word in data[len(_MAGIC) : _HEAD_BYTES].split())
    table = data[_HEAD_BYTES : _HEAD_BYTES + n_bytes]
    if len(table) != n_bytes or zlib.crc32(table) != checksum:
        raise ValueError("the table of contents is damaged")
    start = _HEAD_BYTES + n_bytes
    arrays = {}
    for name, kind, shape, offset, expected in json.loads(table):
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(data, np.dtype(kind), count, start + offset).reshape(shape)
        if _checksum(memoryview(data)[start + offset : start + offset + array.nbytes]) != expected:
            raise ValueError(f"{name} is damaged")
        arrays[name] = array
    return arrays


def _checksum(data: bytes | memoryview) -> int:
    """Return the CRC of sums of words: as good against damage by chance, and ten times as quick."""
    n_words = len(data) // (8 * _ROW) * _ROW
    with np.errstate(over="ignore"):
        sums = np.frombuffer(data, np.uint64, n_words).reshape(-1, _ROW).sum(axis=1)
    return zlib.crc32(data[8 * n_words :], zlib.crc32(sums.tobytes()))
