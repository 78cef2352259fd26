"""Reading plain WAV, RF64 and BW64 files without libsndfile, whose loading takes longer than reading a clip.

Only integers of 16, 24 and 32 bits and floats of 32 and 64 bits; every other coding, and every file whose
header is not in order, is left to libsndfile.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from foleyspace_host.errors import MediaDamaged

__all__ = ["WavFileReader", "plain_wav"]

_READ_SAMPLES = 1 << 16
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN = 0x7FFF_0000  # sizes from here on mean "not known when the header was written"
# name of the coding by format tag and bits
_CODINGS = {
    (1, 16): "pcm_16",
    (1, 24): "pcm_24",
    (1, 32): "pcm_32",
    (3, 32): "float",
    (3, 64): "double",
}


_STORED = {"pcm_16": "<i2", "pcm_24": "u1", "pcm_32": "<i4", "float": "<f4", "double": "<f8"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the samples of a WAV file are, and how they are stored.

    Parameters
    ----------
    sample_rate_hz, n_channels, n_samples : int
        Rate [Hz], channels, and samples of each.
    codec : str
        "pcm_16", "pcm_24", "pcm_32", "float" or "double".
    first_byte, frame_bytes : int
        Place of the first sample, and bytes of one sample of all channels.
    """

    sample_rate_hz: int
    n_channels: int
    n_samples: int
    codec: str
    first_byte: int
    frame_bytes: int


def _layout(file: BinaryIO) -> _Layout | None:
    """Return what the header says; None for another kind of file, another coding, or anything unusual."""
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return None
    coding: tuple[str, int, int, int] | None = None
    data_bytes_64 = None
    while len(header := file.read(8)) == 8:
        name, length = header[:4], int.from_bytes(header[4:], "little")
        if name == b"data":
            if length == 0xFFFF_FFFF and data_bytes_64 is not None:
                length = data_bytes_64
            elif length >= _UNKNOWN and head[:4] == b"RIFF":
                return None
            if coding is None or not length:
                return None
            codec, rate_hz, n_channels, frame_bytes = coding
            if length % frame_bytes:
                return None
            return _Layout(rate_hz, n_channels, length // frame_bytes, codec, file.tell(), frame_bytes)
        body = file.read(min(length, 64))
        file.seek(length - len(body) + (length & 1), 1)
        if name == b"ds64" and len(body) >= 16:
            data_bytes_64 = int.from_bytes(body[8:16], "little")
        elif name == b"fmt ":
            coding = _coding(body)
            if coding is None:
                return None
    return None


def _coding(body: bytes) -> tuple[str, int, int, int] | None:
    """Return coding, rate, channels and bytes of a frame, from the body of the chunk ``fmt``."""
    if len(body) < 16:
        return None
    tag, n_channels, rate_hz, _, frame_bytes, n_bits = struct.unpack_from("<HHIIHH", body)
    if tag == 0xFFFE:
        if len(body) < 40 or body[26:40] != _GUID_TAIL:
            return None
        valid_bits, tag = int.from_bytes(body[18:20], "little"), int.from_bytes(body[24:26], "little")
        if valid_bits != n_bits:
            return None
    codec = _CODINGS.get((tag, n_bits))
    if codec is None or not n_channels or not rate_hz or frame_bytes * 8 != n_bits * n_channels:
        return None
    return codec, rate_hz, n_channels, frame_bytes


def plain_wav(path: Path) -> WavFileReader | None:
    """Return a reader for a file.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    WavFileReader or None
        None if it is not a plain WAV, RF64 or BW64 file.
    """
    try:
        with path.open("rb") as file:
            layout = _layout(file)
    except OSError:
        return None
    return None if layout is None else WavFileReader(path, layout)


class WavFileReader:
    """Reads one WAV file in blocks, from the start, as often as asked.

    Parameters
    ----------
    path : Path
        The file.
    layout : _Layout
        What its header says.
    """

    def __init__(self, path: Path, layout: _Layout) -> None:
        self.path = path
        self._layout = layout
        self.sample_rate_hz, self.n_channels = layout.sample_rate_hz, layout.n_channels
        self.n_samples = self.n_samples_about = layout.n_samples
        self.codec = layout.codec

    def n_samples_there(self) -> int:
        """Return how many samples the file holds, which is fewer than it says where it was cut off."""
        there = self.path.stat().st_size - self._layout.first_byte
        return max(min(there // self._layout.frame_bytes, self.n_samples), 0)

    def blocks(self, first: int = 0) -> Generator[np.ndarray]:
        """Yield the samples in order.

        Parameters
        ----------
        first : int
            The sample to begin with.

        Yields
        ------
        ndarray of float32, shape (n_channels, n)
            Consecutive pieces of any length.

        Raises
        ------
        MediaDamaged
            The file cannot be read to its end.
        """
        layout = self._layout
        position = min(first, layout.n_samples)
        try:
            with self.path.open("rb") as file:
                file.seek(layout.first_byte + position * layout.frame_bytes)
                while position < layout.n_samples:
                    count = min(_READ_SAMPLES, layout.n_samples - position)
                    stored = np.fromfile(file, _STORED[layout.codec], count * layout.frame_bytes // _size(layout.codec))
                    if stored.size * stored.itemsize < count * layout.frame_bytes:
                        break
                    frames = _decoded(stored, layout.codec).reshape(count, layout.n_channels)
                    position += count
                    yield np.ascontiguousarray(frames.T)
        except (OSError, MemoryError) as error:
            raise MediaDamaged(
                f"the file cannot be read ({error})", where=str(self.path), cure="copy it again"
            ) from error
        if position < layout.n_samples:
            raise MediaDamaged(
                f"the file is cut off: {layout.n_samples} samples announced, {position} found",
                where=str(self.path),
                cure="export or copy it again",
            )


def _size(codec: str) -> int:
    return np.dtype(_STORED[codec]).itemsize


def _decoded(stored: np.ndarray, codec: str) -> np.ndarray:
    """Return samples as float32, full scale at 1."""
    if codec == "float":
        return stored.astype(np.float32, copy=False)
    if codec == "double":
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is told where it is read
            return stored.astype(np.float32)
    if codec == "pcm_24":
        wide = np.zeros((len(stored) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = stored.reshape(-1, 3)
        stored = wide.view("<i4")[:, 0]
    return stored.astype(np.float32) * np.float32(2.0**-15 if codec == "pcm_16" else 2.0**-31)
