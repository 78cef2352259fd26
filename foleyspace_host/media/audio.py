"""Sound from any file, as blocks of float32 on the presentation time line.

This is the only place where the layout of samples changes: everything above it sees
``(n_channels, n_samples)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from foleyspace_host.errors import InvalidInput, MediaDamaged, MediaEmpty, NonFinite
from foleyspace_host.kernels.meters import largest
from foleyspace_host.media.excerpt import ExcerptReader, SoundReader
from foleyspace_host.media.mono import mono_blocks, mono_gain, power_keeping_gain
from foleyspace_host.media.resample import resampled
from foleyspace_host.media.truncation import check_complete
from foleyspace_host.media.wav_file import plain_wav

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span

__all__ = ["AudioSource", "mono_blocks", "mono_gain", "open_audio", "read_audio", "resampled"]

MAX_CHANNELS = 256
MAX_SAMPLE_RATE_HZ = 1_536_000


class AudioSource:
    """The sound of one file; can be read any number of times, always from the start.

    Sample 0 is heard at time zero of the file, which is also the zero of the frame times of its picture:
    encoder priming is dropped, a late start and holes are filled with silence. Use it as a context manager
    or not; no file stays open between two readings.

    Parameters
    ----------
    reader : SoundReader or ExcerptReader
        Decoder of the file; made by `open_audio`.
    span : Span, optional
        The part of the file that the reader reads, if it is not the whole.

    Attributes
    ----------
    path : Path
        The file.
    span : Span or None
        The part of it.
    sample_rate_hz : int
        Sampling rate [Hz].
    n_channels : int
        Number of channels.
    codec : str
        Name of the coding, for people.
    """

    def __init__(self, reader: SoundReader | ExcerptReader, span: Span | None = None) -> None:
        self._reader = reader
        self.span = span
        self.path = reader.path
        self.sample_rate_hz = reader.sample_rate_hz
        self.n_channels = reader.n_channels
        self.codec = reader.codec
        self._n_samples: int | None = None
        self._mono_gain: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def n_samples(self) -> int:
        """Exact number of samples per channel; the first use decodes the file once.

        Raises
        ------
        MediaDamaged, MediaEmpty, NonFinite
            As `scan` does.
        """
        self.scan()
        assert self._n_samples is not None  # noqa: S101 - set by scan
        return self._n_samples

    @property
    def mono_gain(self) -> float:
        """Factor for the mean of the channels that keeps their power; see `mono_gain`."""
        self.scan()
        assert self._mono_gain is not None  # noqa: S101 - set by scan
        return self._mono_gain

    def take_scan(self, n_samples: int, mono_gain: float) -> None:
        """Take over what an earlier `scan` of the same sound found, so that it need not be repeated.

        Parameters
        ----------
        n_samples : int
            Samples per channel.
        mono_gain : float
            Factor for the mean of the channels.
        """
        self._n_samples, self._mono_gain = n_samples, mono_gain

    def scan(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Decode the file once, to count its samples, check them, and measure the power of its mono sum.

        Parameters
        ----------
        on_progress : callable, optional
            Called as on_progress(samples done, samples in all as the header has it); raise Cancelled to stop.

        Raises
        ------
        MediaDamaged
            The file cannot be decoded to its end.
        MediaEmpty
            There is not one sample.
        NonFinite
            A sample is NaN or infinite.
        """
        if self._n_samples is not None:
            return
        n_samples = 0
        power = mean_power = 0.0
        for block in self._checked():
            n_samples += block.shape[1]
            if self.n_channels > 1:
                power += float(np.sum(np.square(block, dtype=np.float64))) / self.n_channels
                mean_power += float(np.sum(np.square(block.mean(axis=0, dtype=np.float64))))
            if on_progress is not None:
                on_progress(n_samples, max(n_samples, self._reader.n_samples_about))
        self._mono_gain = power_keeping_gain(power, mean_power)
        self._n_samples = n_samples

    def blocks(self, block_samples: int = 1 << 16, channels: Literal["all", "mono"] = "all") -> Iterator[np.ndarray]:
        """Yield the samples in order, in blocks of equal length (the last may be shorter).

        Parameters
        ----------
        block_samples : int
            Samples per block, at least 1.
        channels : {"all", "mono"}
            All channels as they are, or their power-keeping sum (see `mono_gain`) as one channel.

        Yields
        ------
        ndarray of float32, shape (n_channels, n) or (1, n)
            Finite samples, nominally within ±1. The array is the caller's to change.

        Raises
        ------
        InvalidInput
            block_samples is below 1, or channels is neither "all" nor "mono".
        MediaDamaged
            The file cannot be decoded to its end.
        MediaEmpty
            There is not one sample.
        NonFinite
            A sample is NaN or infinite.
        """
        if block_samples < 1:
            raise InvalidInput(f"block_samples is {block_samples}", cure="use 1 or more")
        if channels == "all":
            return _equal_blocks(self._checked(), block_samples)
        if channels == "mono":
            return _equal_blocks(self._mono(), block_samples)
        raise InvalidInput(f"channels is {channels!r}", cure='use "all" or "mono"')

    def _mono(self) -> Iterator[np.ndarray]:
        gain = self.mono_gain
        for block in self._checked():
            if self.n_channels == 1:
                yield block
            else:
                yield (gain * block.mean(axis=0, keepdims=True, dtype=np.float64)).astype(np.float32)

    def _checked(self) -> Iterator[np.ndarray]:
        n_samples = 0
        for block in self._reader.blocks():
            if not isfinite(largest(block)):
                at = n_samples + int(np.argmin(np.isfinite(block).all(axis=0)))
                raise NonFinite(
                    f"the audio holds NaN or infinite samples (first at {at / self.sample_rate_hz:.3f} s)",
                    where=str(self.path),
                    cure="render or export the sound again",
                )
            n_samples += block.shape[1]
            yield block
        if not n_samples:
            raise MediaEmpty(
                "the file has an audio stream with no samples in it",
                where=str(self.path),
                cure="export the sound again or pass another file",
            )


def open_audio(path: str | Path, span: Span | None = None) -> AudioSource:
    """Open the sound of a sound file or of a video, or a part of it.

    Parameters
    ----------
    path : str or Path
        WAV, RF64, FLAC, AIFF, Ogg, MP3 and other formats of libsndfile; MP4, MOV, MKV, AVI and every other
        container that FFmpeg reads. Of several audio streams, the one that players choose is taken.
    span : Span, optional
        The part to read, as if it had been cut out into a file of its own: exactly the samples from its
        rounded start to its rounded end, fewer where the sound ends before.

    Returns
    -------
    AudioSource
        The opened sound.

    Raises
    ------
    MediaMissing
        There is no such file.
    MediaEmpty
        The file holds no bytes.
    MediaDamaged
        The file is cut off, damaged, or not media.
    NoAudio
        There is no audio stream in it.
    InvalidInput
        No sample of it is in the span.
    """
    path = Path(path)
    head = check_complete(path)
    reader: SoundReader | None = plain_wav(path)
    if reader is None:  # imported only now: a plain WAV file needs no libsndfile
        from foleyspace_host.media.sound_file import SoundFileReader, is_sound_file

        if is_sound_file(head):
            # a coding that libsndfile lacks, or Ogg with a picture, is tried as a container
            with suppress(MediaDamaged):
                reader = SoundFileReader(path)
    if reader is None:  # imported only now: a sound file needs no FFmpeg
        from foleyspace_host.media.container_audio import ContainerAudioReader

        reader = ContainerAudioReader(path)
    if not 1 <= reader.n_channels <= MAX_CHANNELS or not 1 <= reader.sample_rate_hz <= MAX_SAMPLE_RATE_HZ:
        raise MediaDamaged(
            f"the header claims {reader.n_channels} channels at {reader.sample_rate_hz} Hz",
            where=str(path),
            cure="export or copy it again",
        )
    return AudioSource(reader if span is None else ExcerptReader(reader, span), span)


def read_audio(path: str | Path) -> tuple[np.ndarray, int]:
    """Read all sound of a file at once.

    Parameters
    ----------
    path : str or Path
        As for `open_audio`.

    Returns
    -------
    samples : ndarray of float32, shape (n_channels, n_samples)
        Finite samples.
    sample_rate_hz : int
        Sampling rate [Hz].

    Raises
    ------
    MediaError
        As `open_audio` and `AudioSource.blocks` do.
    """
    with open_audio(path) as source:
        return np.concatenate(list(source.blocks()), axis=1), source.sample_rate_hz


def _equal_blocks(pieces: Iterable[np.ndarray], block_samples: int) -> Iterator[np.ndarray]:
    held: list[np.ndarray] = []
    n_held = 0
    for piece in pieces:
        if not n_held and piece.shape[1] == block_samples:
            yield piece
            continue
        held.append(piece)
        n_held += piece.shape[1]
        if n_held < block_samples:
            continue
        joined = np.concatenate(held, axis=1)
        n_whole = n_held - n_held % block_samples
        for start in range(0, n_whole, block_samples):
            yield joined[:, start : start + block_samples].copy()
        held = [joined[:, n_whole:]]
        n_held -= n_whole
    if n_held:
        yield np.concatenate(held, axis=1)
