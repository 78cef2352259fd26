"""Writing WAV files: RF64 when they grow too long, and their place in time for a DAW.

libsndfile through its Python package can neither write ``bext`` chunks nor turn a file into RF64 while it
grows, and a WAV file is little more than its header: room for the 64-bit sizes is kept from the start, as
EBU Tech 3306 proposes, and the header is written again when the sizes are known.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.meters import interleaved

__all__ = ["WAV_BYTES", "Broadcast", "WavWriter", "read_broadcast"]

WAV_BYTES = {"FLOAT": 4, "PCM_24": 3, "PCM_16": 2}
"""Bytes of a sample."""

_RIFF_LIMIT_BYTES = 0xFFFF_FFFF - 65_536  # what a RIFF size field can say, less room for the header
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_BEXT_TEXTS = struct.Struct("<256s32s32s10s8sQ")
_BEXT = struct.Struct("<256s32s32s10s8sQH64s5h180s")
_NOT_MEASURED = 0x7FFF


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What a Broadcast Wave file tells about itself (EBU Tech 3285, version 2).

    Parameters
    ----------
    time_reference : int
        Samples since midnight at which the sound starts, not negative.
    description, originator, originator_reference : str
        Free text, at most 256, 32 and 32 bytes are kept.
    date, time : str
        When it was made, as yyyy-mm-dd and hh:mm:ss; empty if not known.
    loudness_lufs, true_peak_db, max_momentary_lufs, max_short_term_lufs : float or None
        Levels [LUFS, dBTP]; None if not known.
    """

    time_reference: int
    description: str = ""
    originator: str = "FoleySpace"
    originator_reference: str = ""
    date: str = ""
    time: str = ""
    loudness_lufs: float | None = field(default=None, kw_only=True)
    true_peak_db: float | None = field(default=None, kw_only=True)
    max_momentary_lufs: float | None = field(default=None, kw_only=True)
    max_short_term_lufs: float | None = field(default=None, kw_only=True)

    def chunk(self) -> bytes:
        """Return the chunk ``bext`` with its header."""
        texts = (self.description, self.originator, self.originator_reference, self.date, self.time)
        levels = (self.loudness_lufs, None, self.true_peak_db, self.max_momentary_lufs, self.max_short_term_lufs)
        body = _BEXT.pack(
            *(text.encode("latin-1", "replace") for text in texts),
            self.time_reference,
            2,
            b"",
            *(_NOT_MEASURED if level is None else round(max(min(level, 99.99), -99.99) * 100) for level in levels),
            b"",
        )
        return b"bext" + len(body).to_bytes(4, "little") + body


def read_broadcast(path: Path) -> Broadcast | None:
    """Read the chunk ``bext`` of a WAV, RF64 or BW64 file.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    Broadcast or None
        Texts and time; None where there is no such chunk. Levels are left out: they are those of another sound.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            return None
        size_64 = 0
        while len(header := file.read(8)) == 8:
            name, length = header[:4], int.from_bytes(header[4:], "little")
            if name == b"bext" and length >= _BEXT_TEXTS.size:
                body = file.read(_BEXT_TEXTS.size)
                if len(body) < _BEXT_TEXTS.size:
                    return None
                fields = _BEXT_TEXTS.unpack(body)
                texts = [text.split(b"\0")[0].decode("latin-1").strip() for text in fields[:5]]
                return Broadcast(fields[5], *texts)
            if name == b"ds64":
                body = file.read(length)
                size_64 = int.from_bytes(body[8:16], "little")
            else:
                length = size_64 if name == b"data" and length == 0xFFFF_FFFF else length
                file.seek(length, 1)
            file.seek(length & 1, 1)
    return None


class WavWriter:
    """Writes one WAV file; it is complete after `finish`.

    Parameters
    ----------
    file : binary file
        Open for writing, at its start.
    sample_rate_hz : int
        Sampling rate [Hz].
    n_channels : int
        Number of channels.
    subtype : {"FLOAT", "PCM_24", "PCM_16"}
        Coding of a sample.
    channel_mask : int, optional
        Loudspeakers that the channels are for, in the bits of WAVE_FORMAT_EXTENSIBLE; 0 means none in
        particular. If not given, mono and stereo are what they are, and more channels are for none.
    broadcast : Broadcast, optional
        Leads to a Broadcast Wave file.
    chunks : bytes
        More chunks for the header, of even length. A file with such ones is a BW64 file (ITU-R BS.2088) where it
        would be RF64.

    Attributes
    ----------
    n_samples : int
        Samples per channel so far.
    """

    def __init__(
        self,
        file: BinaryIO,
        sample_rate_hz: int,
        n_channels: int,
        subtype: str,
        *,
        channel_mask: int | None = None,
        broadcast: Broadcast | None = None,
        chunks: bytes = b"",
    ) -> None:
        self._file = file
        self._chunks, self._behind_bytes = chunks, 0
        self._rate_hz, self._n_channels, self._subtype = sample_rate_hz, n_channels, subtype
        self._mask, self._broadcast = channel_mask, broadcast
        self._frame_bytes = n_channels * WAV_BYTES[subtype]
        self.n_samples = 0
        file.write(self._header())

    def write(self, block: NDArray[np.float32] | NDArray[np.int32]) -> None:
        """Append samples.

        Parameters
        ----------
        block : ndarray, shape (n_channels, n)
            float32 for FLOAT; int32 within the range of the coding for the others.
        """
        if self._subtype == "FLOAT":
            data = interleaved(block.astype(np.float32, copy=False)).astype("<f4", copy=False)
        elif self._subtype == "PCM_16":
            data = np.ascontiguousarray(block.T).astype("<i2")
        else:
            words = np.ascontiguousarray(block.T).astype("<i4", copy=False)
            data = np.ascontiguousarray(words.view(np.uint8).reshape(-1, 4)[:, :3])
        self._file.write(data.data)
        self.n_samples += block.shape[1]

    def finish(self, broadcast: Broadcast | None = None, behind: bytes = b"") -> None:
        """Write chunks behind the samples, and the header with the sizes; `broadcast` replaces the first one."""
        if self._broadcast is not None and broadcast is not None:
            self._broadcast = broadcast
        if self._data_bytes & 1:
            self._file.write(b"\0")
        self._file.write(behind)
        self._behind_bytes = len(behind)
        self._file.seek(0)
        self._file.write(self._header())

    @property
    def _data_bytes(self) -> int:
        return self.n_samples * self._frame_bytes

    def _header(self) -> bytes:
        chunks = self._format() + self._chunks
        if self._broadcast is not None:
            chunks = self._broadcast.chunk() + chunks
        data_bytes = self._data_bytes
        total = 4 + 36 + len(chunks) + 8 + data_bytes + (data_bytes & 1) + self._behind_bytes
        if total <= _RIFF_LIMIT_BYTES:
            head = struct.pack("<4sI4s4sI28x", b"RIFF", total, b"WAVE", b"JUNK", 28)
            return head + chunks + struct.pack("<4sI", b"data", data_bytes)
        sizes = struct.pack("<4sI3QI", b"ds64", 28, total, data_bytes, self.n_samples, 0)
        head = struct.pack("<4sI4s", b"BW64" if self._chunks else b"RF64", 0xFFFF_FFFF, b"WAVE") + sizes
        return head + chunks + struct.pack("<4sI", b"data", 0xFFFF_FFFF)

    def _format(self) -> bytes:
        tag = _FLOAT if self._subtype == "FLOAT" else _PCM
        extensible = self._mask is not None or self._n_channels > 2
        n_bits = 8 * WAV_BYTES[self._subtype]
        body = struct.pack(
            "<HHIIHH",
            _EXTENSIBLE if extensible else tag,
            self._n_channels,
            self._rate_hz,
            self._rate_hz * self._frame_bytes,
            self._frame_bytes,
            n_bits,
        )
        if extensible:
            body += struct.pack("<HHIH", 22, n_bits, self._mask or 0, tag) + _GUID_TAIL
        elif tag == _FLOAT:
            body += struct.pack("<H", 0)
        chunk = b"fmt " + len(body).to_bytes(4, "little") + body
        if tag == _FLOAT:
            chunk += struct.pack("<4sII", b"fact", 4, min(self.n_samples, 0xFFFF_FFFF))
        return chunk
