"""Decoding the sound of a container (MP4, MOV, MKV, AVI ...) onto the presentation time line.

Encoder priming and padding are dropped (the decoder does it from the edit list or the codec delay), a stream
that starts late is led in with silence, and holes are filled with silence, so that sample ``k`` is heard at
``k / sample_rate_hz`` after time zero of the file.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av import time_base
from av.error import FFmpegError

from foleyspace_host.errors import MediaDamaged, NoAudio
from foleyspace_host.geometry.timebase import sample_at
from foleyspace_host.media.container import (
    audio_stream,
    codec_name,
    damaged,
    open_container,
    origin_s,
    stream_duration_s,
    stream_start_s,
)

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

__all__ = ["ContainerAudioReader"]

# Time stamps jitter by up to a tick of the container (1 ms in Matroska); a lost packet of any codec in use
# is longer than this.
_GAP_S = Fraction(1, 100)
_SILENCE_SAMPLES = 1 << 16
_MAX_GAP_S = 24 * 3600


class ContainerAudioReader:
    """Reads the audio of one container file in blocks, from time zero, as often as asked.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    NoAudio
        The file has no audio stream.
    MediaDamaged
        The file cannot be opened, or no audio in it can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_container(path) as container:
            stream = _audio_of(container, path)
            first = next((frame for frame in _frames(container, stream, path)), None)
            self.codec = codec_name(stream)
            # the decoder's word, not the header's: HE-AAC says half the rate that it decodes to
            self.sample_rate_hz = first.sample_rate if first else stream.codec_context.sample_rate
            self.n_channels = first.layout.nb_channels if first else stream.codec_context.layout.nb_channels
            duration_s = stream_duration_s(stream)
            if duration_s is None:
                duration_s = Fraction(container.duration or 0, time_base)
            self.n_samples_about = sample_at(duration_s, self.sample_rate_hz)

    def blocks(self, first: int = 0) -> Generator[np.ndarray]:
        """Yield the samples in order; sample 0 is heard at time zero of the file.

        All before `first` is decoded too: only counting from the start gives the exact sample.

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
            Decoding fails midway, or the format of the audio changes midway.
        """
        position = 0
        for block in self._all_blocks():
            position += block.shape[1]
            if position > first:
                yield block[:, max(0, block.shape[1] - (position - first)) :]

    def _all_blocks(self) -> Iterator[np.ndarray]:
        with open_container(self.path) as container:
            stream = _audio_of(container, self.path)
            origin = origin_s(container)
            end = self._declared_end(stream, origin)
            position, last = 0, None
            for frame in _frames(container, stream, self.path):
                self._check_format(frame)
                shift = self._shift(frame, origin, position, first=last is None)
                if last is not None and last.shape[1]:
                    yield last
                if shift > 0:
                    yield from _silence(self.n_channels, shift)
                last = _as_float(frame)[:, max(0, -shift) :]
                position += max(0, shift) + last.shape[1]
            if last is None:
                return
            if end is not None and 0 < position - end < last.shape[1]:
                # padding of the last packet, which the edit list ends before
                last = last[:, : end - position]
            yield last

    def _shift(self, frame: AudioFrame, origin: Fraction, position: int, *, first: bool) -> int:
        """Return by how many samples a frame is late (to be filled) or, negative, early (to be dropped)."""
        if frame.pts is None or frame.time_base is None:
            return 0
        shift = sample_at(frame.pts * frame.time_base - origin, self.sample_rate_hz) - position
        if not first and abs(shift) <= _GAP_S * self.sample_rate_hz:
            return 0
        if shift > _MAX_GAP_S * self.sample_rate_hz:
            raise damaged(self.path, "time stamps of the audio jump by more than a day")
        return shift

    def _declared_end(self, stream: AudioStream, origin: Fraction) -> int | None:
        """Return the sample at which the file says that its audio ends, where it says so exactly."""
        duration = stream_duration_s(stream)
        if duration is None or stream.time_base != Fraction(1, self.sample_rate_hz):
            return None
        return sample_at(stream_start_s(stream) - origin + duration, self.sample_rate_hz)

    def _check_format(self, frame: AudioFrame) -> None:
        found = (frame.sample_rate, frame.layout.nb_channels)
        if found != (self.sample_rate_hz, self.n_channels):
            raise MediaDamaged(
                f"the audio changes midway from {self.sample_rate_hz} Hz, {self.n_channels} channels "
                f"to {found[0]} Hz, {found[1]} channels",
                where=str(self.path),
                cure="convert its sound to one format, or pass it as a WAV file with --audio",
            )


def _audio_of(container: InputContainer, path: Path) -> AudioStream:
    stream = audio_stream(container)
    if stream is None:
        raise NoAudio("the file has no audio stream", where=str(path), cure="add a sound file with --audio FILE")
    return stream


def _frames(container: InputContainer, stream: AudioStream, path: Path) -> Iterator[AudioFrame]:
    """Decode the stream; a stream cut out of a longer one may start with packets that cannot stand alone."""
    decoded_any = False
    failure: FFmpegError | None = None
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except EOFError:
            break
        except FFmpegError as error:
            if decoded_any:
                raise damaged(path, error) from error
            failure = error
            continue
        for frame in frames:
            if frame.samples:
                decoded_any = True
                yield frame
    if failure is not None and not decoded_any:
        raise damaged(path, failure) from failure


def _silence(n_channels: int, n_samples: int) -> Iterator[np.ndarray]:
    while n_samples > 0:
        n = min(n_samples, _SILENCE_SAMPLES)
        yield np.zeros((n_channels, n), np.float32)
        n_samples -= n


def _as_float(frame: AudioFrame) -> np.ndarray:
    """Return the samples of a frame as float32 (n_channels, n), integers scaled to ±1."""
    samples: np.ndarray = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.uint8:
        return np.ascontiguousarray((samples.astype(np.float32) - 128.0) / 128.0)
    if np.issubdtype(samples.dtype, np.signedinteger):
        scale = -float(np.iinfo(samples.dtype).min)
        return np.ascontiguousarray((samples / scale).astype(np.float32))
    return np.ascontiguousarray(samples, dtype=np.float32)
