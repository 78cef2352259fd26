"""Finds files that were cut off, from what their own headers promise.

Decoders read such files without complaint and just stop early, which would put silence where the sound
should be. Each check compares sizes written in the file with the size of the file; formats that carry no
such sizes pass.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from foleyspace_host.errors import MediaDamaged, MediaEmpty, MediaMissing

__all__ = ["check_complete"]

# sizes at or above this mean "not known when the header was written" (WAV piped through a program)
_UNKNOWN_SIZE = 0x7FFF_0000


def check_complete(path: str | Path) -> bytes:
    """Check that a media file is there, holds bytes, and is as long as it says.

    Parameters
    ----------
    path : str or Path
        The file: WAV, RF64, AIFF, AVI, MP4/MOV, Matroska/WebM and Ogg are checked, others pass.

    Returns
    -------
    bytes
        The first 16 bytes, by which a reader can be chosen.

    Raises
    ------
    MediaMissing
        There is no such file or it may not be read.
    MediaEmpty
        The file holds no bytes.
    MediaDamaged
        The file ends before the place where its header says that it ends.
    """
    try:
        if Path(path).is_dir():
            raise MediaMissing("this is a folder", where=str(path), cure="name a sound or video file")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(16)
            if not head:
                raise MediaEmpty("the file is empty (0 bytes)", where=str(path), cure="export or copy it again")
            missing = _missing_bytes(file, head, size)
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise MediaMissing(reason, where=str(path), cure="check the name and your permissions") from error
    if missing:
        raise MediaDamaged(
            f"the file is cut off: at least {missing} bytes that its header promises are missing",
            where=str(path),
            cure="export or copy it again",
        )
    return head


def _missing_bytes(file: BinaryIO, head: bytes, size: int) -> int:
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] in (b"WAVE", b"AVI "):
        if head[8:12] == b"WAVE":
            return _riff(file, size, "little", b"data")
        length = int.from_bytes(head[4:8], "little")  # of AVI the index matters too, which comes last
        whole = 0 if length >= _UNKNOWN_SIZE else max(0, 8 + length - size)
        return whole or _riff(file, size, "little", b"movi")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _riff(file, size, "big", b"SSND")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _iso_boxes(file, size)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska(file, size)
    if head[:4] == b"OggS":
        return _ogg(file, size)
    return 0


def _riff(file: BinaryIO, size: int, order: str, payload: bytes) -> int:
    """Walk the chunks up to the one that holds the media."""
    position, data_size_64 = 12, None
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        name = header[:4]
        length = int.from_bytes(header[4:8], "little" if order == "little" else "big")
        if name == b"ds64":
            file.seek(position + 16)
            data_size_64 = int.from_bytes(file.read(8), "little")
        is_payload = name == payload or (name == b"LIST" and header[8:12] == payload)
        if is_payload:
            if length == 0xFFFF_FFFF and data_size_64 is not None:
                length = data_size_64
            elif length >= _UNKNOWN_SIZE and order == "little":
                return 0
            return max(0, position + 8 + length - size)
        position += 8 + length + (length & 1)
    # the payload chunk never came: either a chunk before it runs past the end, or the file stops there
    return max(1, position - size)


def _iso_boxes(file: BinaryIO, size: int) -> int:
    """Walk the top-level boxes of an ISO base media (MP4, MOV) file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:  # up to the end of the file
            return 0
        if length < 8:  # not a box: trailing padding, which some recorders leave
            return 0
        position += length
    return max(0, position - size)


def _matroska(file: BinaryIO, size: int) -> int:
    """Compare the size of the Segment element (EBML, RFC 8794) with the file."""
    file.seek(4)
    length, known = _ebml_size(file)
    if not known:
        return 0
    file.seek(length, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return 0
    length, known = _ebml_size(file)
    return max(0, file.tell() + length - size) if known else 0


def _ebml_size(file: BinaryIO) -> tuple[int, bool]:
    first = file.read(1)
    if not first or not first[0]:
        return 0, False
    extra = 8 - first[0].bit_length()
    mask = (1 << (7 - extra)) - 1
    value = int.from_bytes(bytes([first[0] & mask]) + file.read(extra), "big")
    return value, value != (1 << (7 * (extra + 1))) - 1  # all ones: not known (live recording)


def _ogg(file: BinaryIO, size: int) -> int:
    """Look for the last page, which must be whole and carry the end-of-stream flag (RFC 3533)."""
    start = max(0, size - 2 * 65536)
    file.seek(start)
    tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0 or last + 27 > len(tail):
        return 1
    n_segments = tail[last + 26]
    end = last + 27 + n_segments
    end += sum(tail[last + 27 : end])
    if end > len(tail):
        return end - len(tail)
    return 0 if tail[last + 5] & 4 else 1
