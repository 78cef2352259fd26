"""Pictures of a video as a viewer sees them: upright, with square pixels, at their presentation times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from foleyspace_host.errors import InvalidInput, MediaEmpty, NoVideo

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["DisplayGeometry", "Frame", "decoded", "display_geometry", "read_frames"]


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes
    ----------
    t_s : float
        Presentation time [s] from time zero of the file, the zero of its audio samples too.
    image : ndarray of uint8, shape (height, width, 3)
        RGB in display orientation and aspect.
    """

    t_s: float
    image: np.ndarray


@dataclass(frozen=True)
class DisplayGeometry:
    """How a stored picture is brought to the display.

    Attributes
    ----------
    width, height : int
        Display size [pixels], after turning and with square pixels.
    sample_aspect : Fraction
        Width over height of a stored pixel.
    swaps_axes : bool
        Stored rows become columns (a turn by 90 or 270 degrees).
    flips_rows, flips_columns : bool
        The displayed picture is reversed along this axis, after the swap.
    """

    width: int
    height: int
    sample_aspect: Fraction
    swaps_axes: bool
    flips_rows: bool
    flips_columns: bool

    @property
    def rotation_deg(self) -> int:
        """Turn for display, anticlockwise: 0, 90, 180 or 270 (a mirrored picture counts by its turn)."""
        if self.swaps_axes:
            return 90 if self.flips_rows else 270
        return 180 if self.flips_rows else 0

    def apply(self, stored: np.ndarray) -> np.ndarray:
        """Turn a stored picture (already scaled to square pixels) upright.

        Parameters
        ----------
        stored : ndarray, shape (rows, columns, 3)
            The picture as decoded.

        Returns
        -------
        ndarray
            The picture for display, contiguous.
        """
        image = stored.swapaxes(0, 1) if self.swaps_axes else stored
        image = image[:: -1 if self.flips_rows else 1, :: -1 if self.flips_columns else 1]
        return np.ascontiguousarray(image)


def read_frames(path: str | Path, *, rate_hz: float | None = None, max_side_px: int | None = None) -> Iterator[Frame]:
    """Yield the pictures of a video in order of presentation, without holding more than one.

    Parameters
    ----------
    path : str or Path
        The video.
    rate_hz : float, optional
        About how many pictures per second to yield, chosen by presentation time: the first one at or after
        each multiple of 1/rate_hz. All of them when None, or when the video has fewer.
    max_side_px : int, optional
        Pictures whose longer side is longer are scaled down to it.

    Yields
    ------
    Frame
        Time and picture.

    Raises
    ------
    InvalidInput
        rate_hz or max_side_px is not positive.
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
    return _frames(Path(path), rate_hz, max_side_px)


def _frames(path: Path, rate_hz: float | None, max_side_px: int | None) -> Iterator[Frame]:
    from foleyspace_host.media.container import open_container, origin_s, video_stream

    with open_container(path) as container:
        stream = video_stream(container)
        if stream is None:
            raise NoVideo("the file has no video stream", where=str(path), cure="name a video file")
        origin = origin_s(container)
        due, t_s, any_frame = 0, -1.0, False
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
            if rate_hz is not None:
                # a tick of time stamp rounding (1 ms in Matroska) must not put a frame off to the next
                now = floor((t_s + 0.002) * rate_hz)
                if now < due:
                    continue
                due = now + 1
            yield Frame(t_s, _image(frame, display_geometry(frame, stream), max_side_px))
    if not any_frame:
        raise MediaEmpty("the file has a video stream with no frames in it", where=str(path), cure="export it again")


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


def display_geometry(frame: VideoFrame, stream: VideoStream) -> DisplayGeometry:
    """Return how a decoded picture is brought to the display.

    Parameters
    ----------
    frame : VideoFrame
        A decoded picture; its display matrix, if any, is snapped to quarter turns and mirrorings.
    stream : VideoStream
        The stream it came from, for the shape of its pixels.

    Returns
    -------
    DisplayGeometry
        Size, turn and mirroring.
    """
    from av.sidedata.sidedata import Type

    aspect = stream.sample_aspect_ratio
    aspect = Fraction(aspect) if aspect else Fraction(1)
    width, height = max(1, floor(frame.width * aspect + Fraction(1, 2))), frame.height
    # libavutil/display.h: a stored point (p, q) is shown at (a p + c q, b p + d q)
    a, b, c, d = 1, 0, 0, 1
    for data in cast("Iterable[SideData]", frame.side_data):
        if data.type == Type.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return DisplayGeometry(height, width, aspect, True, b < 0, c < 0)
    return DisplayGeometry(width, height, aspect, False, d < 0, a < 0)


def _image(frame: VideoFrame, geometry: DisplayGeometry, max_side_px: int | None) -> np.ndarray:
    width, height = geometry.width, geometry.height
    if geometry.swaps_axes:
        width, height = height, width
    if max_side_px is not None and max(width, height) > max_side_px:
        scale = Fraction(max_side_px, max(width, height))
        width = max(1, floor(width * scale + Fraction(1, 2)))
        height = max(1, floor(height * scale + Fraction(1, 2)))
    smaller = width < frame.width or height < frame.height
    scaled = frame.reformat(width, height, "rgb24", interpolation="AREA" if smaller else "BICUBIC")
    return geometry.apply(scaled.to_ndarray())
