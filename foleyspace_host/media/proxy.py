"""A small copy of a video that every browser plays: VP9 and Opus in WebM, upright, with square pixels.

H.264 would play in Safari of any age, but not in the Chromium builds and Firefoxes that come without
proprietary decoders; VP9 and Opus in WebM play in all of them, and in Safari since version 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.errors import MediaEmpty
from foleyspace_host.media.audio import AudioSource
from foleyspace_host.media.container import audio_stream, codec_name, open_container, video_stream
from foleyspace_host.media.resample import resampled
from foleyspace_host.media.video import Frame, read_frames

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

__all__ = ["AUDIO_BITS_PER_S", "PROXY_LINES", "plays_in_browsers", "proxy_size", "write_proxy"]

PROXY_LINES = 480
"""The shorter side of a proxy is at most so long [px]."""

AUDIO_BITS_PER_S = 96_000

# what the usual builds of Chromium, Firefox and Safari play from a file
_PLAYABLE = {".mp4": {"h264"}, ".m4v": {"h264"}, ".webm": {"vp8", "vp9", "av1"}}
_PLAYABLE_SOUND = {"aac", "mp3", "opus", "vorbis", "flac"}
_PLAYABLE_PIXELS = {"yuv420p", "yuvj420p"}

_MAX_RATE_HZ = 60.0  # pictures; no display that one edits at shows more
_KEY_FRAMES_EVERY_S = 0.5  # a browser decodes from there to each picture that one jumps to
_TICKS_HZ = 1000  # of WebM
_OPUS_RATE_HZ = 48_000
_OPUS_SAMPLES = 960
# the fastest of the encoder: it runs at four times real time on one core, and a proxy is looked at once
_OPTIONS = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1"}


def proxy_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of the proxy of a picture.

    Parameters
    ----------
    width, height : int
        Display size [px].

    Returns
    -------
    width, height : int
        Even numbers of the same aspect, the shorter one at most `PROXY_LINES`; never larger than the picture,
        but for a picture of one line or column.
    """
    scale = min(Fraction(PROXY_LINES, min(width, height)), Fraction(1))
    return _even(width * scale, width), _even(height * scale, height)


def plays_in_browsers(video: Path) -> bool:
    """Tell whether the usual browsers play a video as it is.

    Parameters
    ----------
    video : Path
        The video.

    Returns
    -------
    bool
        True for 8-bit 4:2:0 pictures in H.264 in MP4, or VP8, VP9 or AV1 in WebM, with a sound they decode.

    Raises
    ------
    MediaMissing, MediaDamaged
        If the file cannot be read.
    """
    codecs = _PLAYABLE.get(video.suffix.lower())
    if codecs is None:
        return False
    with open_container(video) as container:
        picture, sound = video_stream(container), audio_stream(container)
        return (
            picture is not None
            and codec_name(picture) in codecs
            and picture.codec_context.pix_fmt in _PLAYABLE_PIXELS
            and (sound is None or codec_name(sound) in _PLAYABLE_SOUND)
        )


def write_proxy(
    video: Path,
    out: Path,
    *,
    size: tuple[int, int],
    frame_rate: Fraction | None,
    bits_per_s: int,
    sound: AudioSource | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write a proxy of a video.

    Parameters
    ----------
    video : Path
        The video.
    out : Path
        File to write, any suffix; the caller makes it appear in one step (`atomic_output`).
    size : (int, int)
        Width and height of its picture [px], even; see `proxy_size`.
    frame_rate : Fraction or None
        Mean rate of the pictures, by which the encoder shares out its bits; 25 Hz if not known. The pictures
        keep their own times.
    bits_per_s : int
        About how many bits a second of picture takes at most [1/s].
    sound : AudioSource, optional
        Sound from time zero on: one or two channels as they are, more as their power-keeping sum.
    on_progress : callable, optional
        Called with the time that is written [s]; raise Cancelled to stop.

    Raises
    ------
    MediaError
        The video or the sound cannot be read.
    OutputUnwritable
        The file cannot be written.
    """
    import av

    rate = min(frame_rate or Fraction(25), Fraction(_MAX_RATE_HZ))
    with _encoder_errors(out), av.open(f"file:{out}", "w", format="webm") as output:
        picture = _picture(output, size, rate, bits_per_s)
        packets = _Sound(output, sound) if sound is not None else None
        written = 0
        for frame in _frames(video, max(size)):
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.image), "rgb24")
            image = image.reformat(*size, "yuv420p", interpolation="AREA")
            image.pts, image.time_base = floor(frame.t_s * _TICKS_HZ + 0.5), Fraction(1, _TICKS_HZ)
            output.mux(picture.encode(image))
            written += 1
            if packets is not None:
                packets.until(frame.t_s)
            if on_progress is not None:
                on_progress(frame.t_s)
        if not written:
            raise MediaEmpty("the video holds no pictures", where=str(video), cure="give a video that plays")
        output.mux(picture.encode(None))
        if packets is not None:
            packets.finish(on_progress)


def _frames(video: Path, max_side_px: int) -> Iterator[Frame]:
    return read_frames(video, rate_hz=_MAX_RATE_HZ, max_side_px=max_side_px)


def _picture(output: OutputContainer, size: tuple[int, int], rate: Fraction, bits_per_s: int) -> VideoStream:
    stream = output.add_stream("libvpx-vp9", rate=rate)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS_HZ)
    stream.bit_rate = bits_per_s
    stream.options = {**_OPTIONS, "g": str(max(round(rate * Fraction(_KEY_FRAMES_EVERY_S)), 1)), "crf": "34"}
    stream.codec_context.thread_count = 0
    return stream


class _Sound:
    """The sound of a proxy, encoded as far as the picture has come."""

    def __init__(self, output: OutputContainer, sound: AudioSource) -> None:
        one = sound.n_channels != 2
        self._layout = "mono" if one else "stereo"
        self._output = output
        self._stream = output.add_stream("libopus", rate=_OPUS_RATE_HZ)
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = "flt"
        self._stream.bit_rate = AUDIO_BITS_PER_S
        blocks = sound.blocks(_OPUS_SAMPLES, "mono" if one else "all")
        self._blocks = resampled(blocks, sound.sample_rate_hz, _OPUS_RATE_HZ)
        self._n_samples = 0

    def until(self, time_s: float) -> None:
        while self._n_samples < time_s * _OPUS_RATE_HZ and self._more():
            pass

    def finish(self, on_progress: Callable[[float], None] | None) -> None:
        while self._more():
            if on_progress is not None:
                on_progress(self._n_samples / _OPUS_RATE_HZ)
        self._output.mux(self._stream.encode(None))

    def _more(self) -> bool:
        from av import AudioFrame

        block = next(self._blocks, None)
        if block is None:
            return False
        if block.shape[1]:
            packed = np.ascontiguousarray(block.T.reshape(1, -1).clip(-1.0, 1.0))
            frame = AudioFrame.from_ndarray(packed, "flt", self._layout)
            frame.sample_rate, frame.pts = _OPUS_RATE_HZ, self._n_samples
            frame.time_base = Fraction(1, _OPUS_RATE_HZ)
            self._output.mux(self._stream.encode(frame))
            self._n_samples += block.shape[1]
        return True


@contextmanager
def _encoder_errors(out: Path) -> Iterator[None]:
    from av.error import FFmpegError

    from foleyspace_host.media.atomic import write_error

    try:
        yield
    except FFmpegError as error:  # those of reading have become MediaError before
        raise write_error(OSError(error.errno, error.strerror or str(error)), out) from error


def _even(length: Fraction, most: int) -> int:
    nearest = 2 * floor(length / 2 + Fraction(1, 2))
    return max(nearest if nearest <= most else nearest - 2, 2)
