"""Where things are one picture later, without asking the detector again: where the same is seen once more.

The middle of a thing's box is looked for in the next picture around its place (normalised cross-correlation, to
fractions of a pixel by a parabola through the peak). Over one picture things change little; where one does, or is
too fast, it is not found, and the detector has to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import Grey, Warp
from foleyspace_host.localize.see.detect import Detection

__all__ = ["carried"]

Array = NDArray[np.float64]

_REACH = 0.06  # pictures: as far as it is looked for, along each side
_INNER = 0.8  # of a box's sides: scenery shows in its corners
_OUTER = 1.25
_PLAIN = 3.0  # of 255
_LEAST_PX = 7
_SURELY_SEEN = 0.3  # score from which on a thing that is not found again matters
_ALIKE = 0.6  # correlation


def carried(things: Sequence[Detection], earlier: Grey, later: Grey, warp: Warp) -> list[Detection] | None:
    """Return where things are in the next picture.

    Parameters
    ----------
    things : sequence of Detection
        Things in a picture.
    earlier, later : ndarray of uint8, shape (height, width)
        That picture and the next one, grey and small.
    warp : Warp
        The camera's motion between them.

    Returns
    -------
    list of Detection or None
        The same things with boxes moved, as wide and high as the camera's zoom makes them; without those that
        have left the picture. None if one that is surely there is not found again.
    """
    found = []
    for thing in things:
        middle, half = (thing.box[:2] + thing.box[2:]) / 2, (thing.box[2:] - thing.box[:2]) / 2
        shift, likeness = _shift(middle, half, earlier, later)
        if likeness < _ALIKE:
            if thing.score >= _SURELY_SEEN:
                return None
            shift = warp.points(middle) - middle
        half = half * warp.zoom
        box = np.clip(np.concatenate([middle + shift - half, middle + shift + half]), 0.0, 1.0)
        if (box[2:] > box[:2]).all():
            found.append(replace(thing, box=_kept_edges(thing.box, box), earlier=thing))
    return found


def _shift(middle: Array, half: Array, earlier: Grey, later: Grey) -> tuple[Array, float]:
    """Return how far what is in a box has moved, as fractions of the picture, and how alike it is there."""
    import cv2

    size = np.array(earlier.shape[::-1])
    low, high = _pixels(middle - _INNER * half, middle + _INNER * half, size)
    if earlier[low[1] : high[1], low[0] : high[0]].std() < _PLAIN:  # then its outline tells
        low, high = _pixels(middle - _OUTER * half, middle + _OUTER * half, size)
    first, last = np.maximum(low - np.ceil(_REACH * size).astype(int), 0), high + np.ceil(_REACH * size).astype(int)
    piece = earlier[low[1] : high[1], low[0] : high[0]]
    likeness = cv2.matchTemplate(later[first[1] : last[1], first[0] : last[0]], piece, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    rows, columns = likeness.shape
    beyond = (columns > 2 and x in (0, columns - 1)) or (rows > 2 and y in (0, rows - 1))
    at = np.array([x + _between(likeness[y], x), y + _between(likeness[:, x], y)])
    return (at + first - low) / size, 0.0 if beyond else float(best)


def _pixels(low: Array, high: Array, size: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last pixel but one of a box, not too small, within the picture."""
    least = np.minimum(_LEAST_PX, size)
    start = np.clip(np.round(low * size).astype(int), 0, size - least)
    return start, np.clip(np.round(high * size).astype(int), start + least, size)


def _between(values: NDArray[np.float32], peak: int) -> float:
    """Return where between the neighbours of a peak a parabola has its top, -0.5 to 0.5."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[peak - 1 : peak + 2])
    bend = before - 2.0 * here + after
    return 0.5 * (before - after) / bend if bend < 0.0 else 0.0


def _kept_edges(before: Array, after: Array) -> Array:
    """Leave a box that the picture's edge cut off cut off there: what is beyond comes in, or goes on."""
    edge = (before <= 0.0) | (before >= 1.0)
    return np.where(edge, before, after)
