"""Encoding the sound of a video file, a few packets at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.dither import Quantizer
from foleyspace_host.media.resample import resampled

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

    from foleyspace_host.media.audio import AudioSource

__all__ = ["AudioEncoder", "codecs_for", "layout_name"]

_CODECS = {
    ".mp4": ("aac",),
    ".m4v": ("aac",),
    ".mov": ("pcm_s24le", "pcm_s16le", "aac"),
    ".mkv": ("flac", "pcm_s24le", "pcm_s16le", "aac"),
}
_FORMATS = {"aac": "fltp", "flac": "s32", "pcm_s24le": "s32", "pcm_s16le": "s16"}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
_AAC_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_AAC_BITS_PER_CHANNEL = 128_000
_BLOCK_SAMPLES = 1024


def codecs_for(out_path: Path, codec: str | None) -> str:
    """Return the coding of the sound in a video file, checked.

    Parameters
    ----------
    out_path : Path
        The video to write.
    codec : str or None
        A wish, or None for the usual one of such files.

    Returns
    -------
    str
        Name of the codec.

    Raises
    ------
    InvalidInput
        No such video can be written, or it cannot hold such sound.
    """
    suffix = out_path.suffix.lower()
    if suffix not in _CODECS:
        raise InvalidInput(
            f"cannot write videos of the type {suffix or '(none)'}",
            where=str(out_path),
            cure=f"use one of {', '.join(_CODECS)}",
        )
    if codec is None:
        return _CODECS[suffix][0]
    if codec not in _CODECS[suffix]:
        raise InvalidInput(
            f"a {suffix} file is not written with {codec} sound",
            where=str(out_path),
            cure=f"use one of {', '.join(_CODECS[suffix])}",
        )
    return codec


def layout_name(n_channels: int, codec: str, out_path: Path) -> str:
    """Return FFmpeg's name of the usual layout of so many channels.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    codec : str
        Coding of the sound.
    out_path : Path
        The video to write, for the error.

    Returns
    -------
    str
        Name of the layout.

    Raises
    ------
    InvalidInput
        There is none.
    """
    if n_channels not in _LAYOUTS:
        raise InvalidInput(
            f"a video cannot carry {n_channels} channels of {codec} sound",
            where=str(out_path),
            cure="write the sound to a .wav file",
        )
    return _LAYOUTS[n_channels]


class AudioEncoder:
    """The sound track of a video that is being written.

    Parameters
    ----------
    output : OutputContainer
        The file; a stream is added to it.
    source : AudioSource
        The sound.
    codec : str
        Coding: "aac", "pcm_s24le", "pcm_s16le" or "flac".
    gain_db : float
        Gain applied to all of it [dB].
    out_path : Path
        The file, for errors.

    Attributes
    ----------
    n_read : int
        Samples of the source taken so far.
    n_samples : int
        Samples given to the encoder so far.
    """

    def __init__(
        self, output: OutputContainer, source: AudioSource, codec: str, gain_db: float, out_path: Path
    ) -> None:
        self._layout = layout_name(source.n_channels, codec, out_path)
        self._format = _FORMATS[codec]
        rate_hz = source.sample_rate_hz
        self._rate_hz = rate_hz if codec != "aac" or rate_hz in _AAC_RATES_HZ else 48_000
        self._bits = 16 if codec == "pcm_s16le" else 24
        self._quantizer = Quantizer(self._bits, source.n_channels)
        self._gain = 10 ** (gain_db / 20)
        self._stream = cast("AudioStream", output.add_stream(codec, rate=self._rate_hz))
        context = self._stream.codec_context
        context.layout = self._layout
        context.format = self._format
        self._stream.time_base = Fraction(1, self._rate_hz)
        if codec == "aac":
            context.bit_rate = _AAC_BITS_PER_CHANNEL * source.n_channels
        self.n_read = 0
        self.n_samples = 0
        self._blocks = resampled(self._counted(source), rate_hz, self._rate_hz)
        self._ended = False

    def until(self, time_s: Fraction) -> Iterator[Packet[AudioStream]]:
        """Encode on to a time.

        Parameters
        ----------
        time_s : Fraction
            Time after zero [s].

        Yields
        ------
        Packet
            To be muxed.
        """
        while not self._ended and self.n_samples < time_s * self._rate_hz:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                yield from self._stream.encode(None)
            else:
                yield from self._encoded(block)

    def rest(self) -> Iterator[Packet[AudioStream]]:
        """Encode all that is left.

        Yields
        ------
        Packet
            To be muxed.
        """
        while not self._ended:
            yield from self.until(Fraction(self.n_samples + _BLOCK_SAMPLES, self._rate_hz))

    def _counted(self, source: AudioSource) -> Iterator[np.ndarray]:
        for block in source.blocks(_BLOCK_SAMPLES):
            self.n_read += block.shape[1]
            yield block

    def _encoded(self, block: np.ndarray) -> list[Packet[AudioStream]]:
        from av import AudioFrame

        samples = self._converted(block)
        if self._format == "fltp":
            packed = np.ascontiguousarray(samples)
        else:
            packed = np.ascontiguousarray(samples.T).reshape(1, -1)
        frame = AudioFrame.from_ndarray(packed, format=self._format, layout=self._layout)
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self.n_samples
        self.n_samples += block.shape[1]
        return self._stream.encode(frame)

    def _converted(self, samples: np.ndarray) -> np.ndarray:
        """Apply the gain, and round to the bits of the coding, which the encoder finds at the top of its integers."""
        if self._format == "fltp":
            return samples * np.float32(self._gain)
        rounded = self._quantizer.quantize(samples, self._gain)
        return rounded.astype(np.int16) if self._format == "s16" else rounded << (32 - self._bits)
