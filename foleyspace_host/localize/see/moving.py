"""What moves by itself: the motion that is left when the camera's has been taken out.

Dense optical flow (Kroeger and others' inverse search, as OpenCV has it) between two small pictures, less the
flow that the camera's motion would give. What is left over is divided by what noise and misfit leave everywhere
in the picture, so that a resting scene has none. Flowing water, smoke and leaves change more than they move;
what is left of the difference of the pictures after following the flow counts too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import Grey, Warp

__all__ = ["MotionMap", "moving", "regions"]

Floats = NDArray[np.float32]

_FLOOR_PX = 0.15  # per step: the flow of a still picture is not better than that
_CHANGE_FLOOR = 4.0  # of 255: noise of cameras and coding
_MOVING = 1.0  # in units of the above
_LEAST_AREA = 0.002  # of the picture
_LARGEST = 6


@dataclass(frozen=True, slots=True)
class MotionMap:
    """Motion over the picture.

    Parameters
    ----------
    strength : ndarray, float32, shape (rows, columns)
        0 where nothing moves by itself, 1 where it just stands out, more where it is fast.
    """

    strength: Floats

    def within(self, box: NDArray[np.float64]) -> float:
        """Return the mean strength in a box (left, top, right, bottom as fractions)."""
        rows, columns = self.strength.shape
        left, right = int(box[0] * columns), max(int(np.ceil(box[2] * columns)), int(box[0] * columns) + 1)
        top, bottom = int(box[1] * rows), max(int(np.ceil(box[3] * rows)), int(box[1] * rows) + 1)
        piece = self.strength[max(top, 0) : bottom, max(left, 0) : right]
        return float(piece.mean()) if piece.size else 0.0


def moving(earlier: Grey, later: Grey, warp: Warp) -> MotionMap:
    """Measure what moves by itself.

    Parameters
    ----------
    earlier, later : ndarray of uint8, shape (height, width)
        Grey pictures of the same size, of about 200 pixels.
    warp : Warp
        The camera's motion between them.

    Returns
    -------
    MotionMap
        As large as the pictures; of the earlier one's geometry warped to the later one's.
    """
    import cv2

    height, width = later.shape
    size = np.array([width, height], dtype=np.float64)
    # the earlier picture as it were, had it had only the camera's motion; of fractions pixels, counted by middles
    linear = warp.matrix[:, :2] * size[:, None] / size
    steps = np.column_stack([linear, warp.matrix[:, 2] * size - 0.5 + linear @ np.array([0.5, 0.5])])
    still = cv2.warpAffine(earlier, steps, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outside = cv2.warpAffine(np.ones_like(earlier), steps, (width, height), flags=cv2.INTER_NEAREST) == 0
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(later, still, None)
    flow[outside] = 0.0
    speed = cv2.magnitude(flow[..., 0], flow[..., 1])
    followed = flow + _places(width, height)
    guess = cv2.remap(still, followed, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.absdiff(guess, later).astype(np.float32)
    change[outside] = 0.0
    # what is everywhere is not motion of anything: blur, misfit of the camera, grain
    speed = np.maximum(speed - 3.0 * np.median(speed), 0.0) / (6.0 * _FLOOR_PX)
    change = np.maximum(change - 3.0 * np.median(change), 0.0) / (2.0 * _CHANGE_FLOOR)
    strength = cv2.GaussianBlur(speed + 0.5 * change, (0, 0), width / 100.0)
    return MotionMap(strength.astype(np.float32))


@cache
def _places(width: int, height: int) -> Floats:
    """Return x and y of each pixel, shape (height, width, 2)."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def regions(motion: MotionMap) -> list[tuple[NDArray[np.float64], float]]:
    """Return the largest moving regions.

    Parameters
    ----------
    motion : MotionMap
        Motion over the picture.

    Returns
    -------
    list of (ndarray of shape (4,), float)
        Box as fractions of the picture, and mean strength in the region; the strongest in all first.
    """
    import cv2

    strength = motion.strength
    height, width = strength.shape
    loud = max(_MOVING, 0.25 * float(np.percentile(strength, 99.5)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((strength > loud).astype(np.uint8), connectivity=8)
    found = []
    for index in range(1, count):
        left, top, wide, high, area = stats[index]
        if area < _LEAST_AREA * width * height:
            continue
        mean = float(strength[labels == index].mean())
        box = np.array([left / width, top / height, (left + wide) / width, (top + high) / height])
        found.append((box, mean, mean * area))
    found.sort(key=lambda item: -item[2])
    return [(box, mean) for box, mean, _ in found[:_LARGEST]]
