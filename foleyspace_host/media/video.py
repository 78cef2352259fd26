"""Pictures of a video as a viewer sees them: upright, with square pixels, at their presentation times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.errors import InvalidInput, MediaEmpty, NoVideo
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.media.display import DisplayGeometry, display_geometry, display_image

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["Frame", "Passed", "decoded", "read_frames"]

_WORTH_A_JUMP_S = 10  # what lies before is decoded faster than an index is read
_MOST_PASSED = 32  # of 4K pictures that is some hundred megabytes


@dataclass(frozen=True)
class Passed:
    """A picture that the sampling passes over; it can still be looked at.

    Attributes
    ----------
    t_s : float
        Presentation time [s].
    """

    t_s: float
    _frame: VideoFrame
    _geometry: DisplayGeometry

    def image(self, max_side_px: int | None = None) -> np.ndarray:
        """Return the picture as that of a `Frame`, scaled down if its longer side is longer."""
        return display_image(self._frame, self._geometry, max_side_px)


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes
    ----------
    t_s : float
        Presentation time [s] from time zero of the file, the zero of its audio samples too.
    image : ndarray of uint8, shape (height, width, 3)
        RGB in display orientation and aspect.
    passed : tuple of Passed
        The pictures since the frame before, where not all are asked for; of very many the last 32.
    """

    t_s: float
    image: np.ndarray
    passed: tuple[Passed, ...] = ()


def read_frames(
    path: str | Path, *, rate_hz: float | None = None, max_side_px: int | None = None, span: Span | None = None
) -> Iterator[Frame]:
    """Yield the pictures of a video in order of presentation, without holding more than the last.

    Of interlaced pictures the upper field counts, so that what moves has no combs.

    Parameters
    ----------
    path : str or Path
        The video.
    rate_hz : float, optional
        About how many pictures per second to yield, chosen by presentation time: the first one at or after
        each multiple of 1/rate_hz. All of them when None, or when the video has fewer.
    max_side_px : int, optional
        Pictures whose longer side is longer are scaled down to it.
    span : Span, optional
        The part of the video to look at; times count from its start. The picture that is on the screen when
        it starts comes first, at time 0.

    Yields
    ------
    Frame
        Time and picture.

    Raises
    ------
    InvalidInput
        rate_hz or max_side_px is not positive, or the video ends before the span begins.
    MediaMissing, MediaDamaged
        The file is missing, cut off or damaged.
    NoVideo
        There is no moving picture in the file.
    MediaEmpty
        There is a video stream with no picture in it.
    """
    if rate_hz is not None and not (isfinite(rate_hz) and rate_hz > 0):
        raise InvalidInput(f"rate_hz is {rate_hz}", cure="use a number above 0")
    if max_side_px is not None and max_side_px < 1:
        raise InvalidInput(f"max_side_px is {max_side_px}", cure="use 1 or more")
    return _frames(Path(path), rate_hz, max_side_px, span)


def _frames(path: Path, rate_hz: float | None, max_side_px: int | None, span: Span | None) -> Iterator[Frame]:
    from foleyspace_host.media.container import open_container, video_stream

    due = 0
    passed: list[Passed] = []
    geometry: DisplayGeometry | None = None
    size = (0, 0)
    with open_container(path) as container:
        stream = video_stream(container)
        if stream is None:
            raise NoVideo("the file has no video stream", where=str(path), cure="name a video file")
        shown = _timed(container, stream, path, span)
        for exact, frame in shown if span is None else _within(shown, span, path):
            t_s = float(exact)
            # asked of each frame, its side data would keep it alive until the next garbage collection
            if geometry is None or size != (frame.width, frame.height):
                geometry, size = display_geometry(frame, stream), (frame.width, frame.height)
            if rate_hz is not None:
                # a tick of time stamp rounding (1 ms in Matroska) must not put a frame off to the next
                now = floor((t_s + 0.002) * rate_hz)
                if now < due:
                    passed = [*passed[1 - _MOST_PASSED :], Passed(t_s, frame, geometry)]
                    continue
                due = now + 1
            yield Frame(t_s, display_image(frame, geometry, max_side_px), tuple(passed))
            passed = []


def _timed(
    container: InputContainer, stream: VideoStream, path: Path, span: Span | None
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Yield the pictures that are shown, with their times from time zero of the file."""
    from foleyspace_host.media.container import origin_s

    origin = origin_s(container)
    if span is not None and stream.time_base and span.start_s > _WORTH_A_JUMP_S:
        _jump(container, stream, span.start_s + origin)
    t_s, any_frame = -1.0, False
    for frame in decoded(container, stream, path):
        any_frame = True
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is not None and frame.time_base is not None:
            exact = ticks * frame.time_base - origin
        else:  # raw streams without time stamps: one frame period after the last
            exact = Fraction(t_s) + 1 / (stream.average_rate or Fraction(25)) if t_s >= 0 else Fraction(0)
        # decoders repeat a time stamp now and then; times that go back are of no use to anyone
        if exact < 0 or float(exact) <= t_s:
            continue
        t_s = float(exact)
        yield exact, frame
    if not any_frame:
        raise MediaEmpty("the file has a video stream with no frames in it", where=str(path), cure="export it again")


def _jump(container: InputContainer, stream: VideoStream, time_s: Fraction) -> None:
    """Go on at the last picture at or before a time that needs no other; stay at the start where that fails."""
    from av.error import FFmpegError

    assert stream.time_base is not None  # noqa: S101 - checked by the caller
    with suppress(FFmpegError):  # some files have no index to jump by
        container.seek(floor(time_s / stream.time_base), stream=stream, backward=True)
        first = next((packet for packet in container.demux(stream) if packet.pts is not None), None)
        late = first is None or first.pts is None or first.pts * stream.time_base > time_s
        # the demuxer is past its first packet now: jump again, or back to the start if it went too far
        container.seek(0 if late else floor(time_s / stream.time_base), stream=stream, backward=True)


def _within(
    shown: Iterator[tuple[Fraction, VideoFrame]], span: Span, path: Path
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Yield what is seen within a span, with times from its start."""
    before: VideoFrame | None = None
    first = True
    for exact, frame in shown:
        if exact <= span.start_s:
            before = frame
            continue
        if first and before is not None:
            yield Fraction(0), before
        first = False
        if exact >= span.end_s:
            return
        yield exact - span.start_s, frame
    if first:
        # the last picture stays on the screen for as long as the file says that it lasts
        if before is None or span.start_s >= _end_s(path):
            raise InvalidInput(
                f"the span starts at {float(span.start_s):g} s, where the video has ended",
                where=str(path),
                cure="give a span within the file",
            )
        yield Fraction(0), before


def _end_s(path: Path) -> Fraction:
    from foleyspace_host.media.probe import probe

    return probe(path).duration_s


def decoded(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    """Decode a stream with all cores, hiding what a player would hide.

    Parameters
    ----------
    container : InputContainer
        The opened file.
    stream : VideoStream
        Its picture.
    path : Path
        The file, for the error.

    Yields
    ------
    VideoFrame
        Frames in order of presentation.

    Raises
    ------
    MediaDamaged
        There were packets and not one could be decoded.
    """
    from av.error import FFmpegError

    from foleyspace_host.media.container import damaged

    stream.thread_type = "AUTO"
    failure: FFmpegError | None = None
    decoded_any = False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except EOFError:
            break
        except FFmpegError as error:
            # one bad packet is a glitch of a frame in the picture; the rest is still there to be seen
            failure = error
            continue
        for frame in frames:
            decoded_any = True
            yield frame
    if failure is not None and not decoded_any:
        raise damaged(path, failure) from failure
