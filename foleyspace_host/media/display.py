"""How a stored picture is brought to the display: its shape, its turn, its mirroring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["DisplayGeometry", "display_geometry", "display_image"]


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


def display_image(frame: VideoFrame, geometry: DisplayGeometry, max_side_px: int | None) -> np.ndarray:
    """Return a decoded picture as it is displayed; of interlaced ones the upper field.

    Parameters
    ----------
    frame : VideoFrame
        A decoded picture.
    geometry : DisplayGeometry
        How it is displayed.
    max_side_px : int or None
        The picture is scaled down if its longer side is longer.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB.
    """
    width, height = geometry.width, geometry.height
    if geometry.swaps_axes:
        width, height = height, width
    if max_side_px is not None and max(width, height) > max_side_px:
        scale = Fraction(max_side_px, max(width, height))
        width = max(1, floor(width * scale + Fraction(1, 2)))
        height = max(1, floor(height * scale + Fraction(1, 2)))
    if frame.interlaced_frame and frame.height > 1:
        frame = type(frame).from_ndarray(frame.to_ndarray(format="rgb24")[::2], "rgb24")
    smaller = width < frame.width or height < frame.height
    scaled = frame.reformat(width, height, "rgb24", interpolation="AREA" if smaller else "BICUBIC")
    return geometry.apply(scaled.to_ndarray())
