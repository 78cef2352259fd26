"""How the camera moves between two pictures: a pan, a zoom and a roll, taken from what stands still.

Corners of the earlier picture are found again in the later one (Lucas and Kanade's pyramid, forwards and back);
the similarity that most of them agree on (RANSAC) is the camera's. Where boxes of things that may move by
themselves are known, their corners are left out, or a car that fills the picture would be the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["STILL", "Warp", "camera_motion", "share_found_again"]

Grey = NDArray[np.uint8]
Corners = NDArray[np.float32]

_CORNERS = 160  # four numbers are wanted of them
_FOUND_AGAIN_PX = 0.7  # forwards and back must end where they began
_AGREES_PX = 1.0
_LEAST_CORNERS = 12
_LEAST_SHARE = 0.35
_LEAST_CELLS = 5  # of 4 x 4 parts of the picture that have corners, to speak for all of it
_LIGHT_PX = 8.0
_MAX_STEP = 0.35  # of the picture, between two pictures: more is a misfit


@dataclass(frozen=True, slots=True)
class Warp:
    """Where a point of the earlier picture that stands still lies in the later one.

    Parameters
    ----------
    matrix : ndarray, shape (2, 3)
        Of positions as fractions of width and height: later = matrix @ (x, y, 1).
    share : float
        Share of the corners that agreed, 0 to 1; 0 where there was nothing to go by.
    """

    matrix: NDArray[np.float64]
    share: float

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points, shape (..., 2)."""
        moved: NDArray[np.float64] = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved

    @property
    def zoom(self) -> float:
        """Factor by which sizes grow."""
        return float(np.sqrt(max(abs(np.linalg.det(self.matrix[:, :2])), 1e-9)))

    @property
    def pan(self) -> float:
        """How far the middle of the picture moves, in picture widths and heights."""
        middle = np.array([0.5, 0.5])
        return float(np.hypot(*(self.points(middle) - middle)))


STILL = Warp(np.eye(2, 3), 0.0)
"""A camera that does not move, or of which nothing is known."""


def camera_motion(earlier: Grey, later: Grey, boxes: Sequence[NDArray[np.float64]] = ()) -> Warp:
    """Estimate the camera's motion.

    Parameters
    ----------
    earlier, later : ndarray of uint8, shape (height, width)
        Grey pictures of the same size; some hundred pixels are enough.
    boxes : sequence of ndarray, shape (4,)
        Things of the earlier picture that may move by themselves: left, top, right, bottom as fractions.

    Returns
    -------
    Warp
        `STILL` where too few corners agree.
    """
    height, width = earlier.shape
    mask = np.full(earlier.shape, 255, np.uint8)
    for left, top, right, bottom in boxes:
        mask[int(top * height) : int(np.ceil(bottom * height)), int(left * width) : int(np.ceil(right * width))] = 0
    if mask.mean() < 0.15 * 255:  # hardly anything would be left to go by
        mask[:] = 255
    first, second, _ = _found_again(earlier, later, mask)
    if len(first) < _LEAST_CORNERS:
        return STILL
    matrix, inliers = _agreed(first, second)
    if matrix is None:
        return STILL
    share = float(inliers.mean())
    size = np.array([width, height], dtype=np.float64)
    # from pixels, whose middles count from 0, to fractions of the picture
    linear = matrix[:, :2] * size[None, :] / size[:, None]
    shift = (matrix[:, 2] + 0.5 - matrix[:, :2] @ np.array([0.5, 0.5])) / size
    warp = Warp(np.column_stack([linear, shift]), share)
    if share < _LEAST_SHARE or warp.pan > _MAX_STEP or not 0.7 < warp.zoom < 1.43:
        return STILL
    return warp


def share_found_again(earlier: Grey, later: Grey) -> float | None:
    """Say how much of one picture is in another one, whatever the camera did between them.

    Parameters
    ----------
    earlier, later : ndarray of uint8, shape (height, width)
        Grey pictures of the same size; their brightness may differ.

    Returns
    -------
    float or None
        Share of the corners that are found again where one camera motion brings them; None if the earlier
        picture has too few corners, or has them in a small part only.
    """
    mask = np.full(earlier.shape, 255, np.uint8)
    first, second, corners = _found_again(_evenly_lit(earlier), _evenly_lit(later), mask)
    cells = np.unique((corners * 4 // np.array(earlier.shape[::-1])).astype(int), axis=0)
    if len(corners) < 2 * _LEAST_CORNERS or len(cells) < _LEAST_CELLS:
        return None
    if len(first) < _LEAST_CORNERS // 2:
        return 0.0
    matrix, inliers = _agreed(first, second)
    return 0.0 if matrix is None else float(inliers.sum()) / len(corners)


def _evenly_lit(picture: Grey) -> Grey:
    """Return a picture less its local brightness, over its local contrast."""
    import cv2

    values = picture.astype(np.float32)
    values -= cv2.GaussianBlur(values, (0, 0), _LIGHT_PX)
    contrast = np.sqrt(cv2.GaussianBlur(values**2, (0, 0), _LIGHT_PX))
    lit: Grey = np.clip(128.0 + 40.0 * values / (contrast + 4.0), 0, 255).astype(np.uint8)
    return lit


def _found_again(earlier: Grey, later: Grey, mask: Grey) -> tuple[Corners, Corners, Corners]:
    """Return corners that are found again, where they are then, and all corners, shape (n, 2) each [pixels]."""
    import cv2

    none = np.zeros((0, 2), np.float32)
    corners = cv2.goodFeaturesToTrack(earlier, _CORNERS, 0.01, max(earlier.shape[1] // 64, 3), mask=mask)
    if corners is None or len(corners) < _LEAST_CORNERS:
        return none, none, none
    found, seen, _ = cv2.calcOpticalFlowPyrLK(earlier, later, corners, None, winSize=(15, 15), maxLevel=4)
    back, seen_back, _ = cv2.calcOpticalFlowPyrLK(later, earlier, found, None, winSize=(15, 15), maxLevel=4)
    kept = (seen.ravel() == 1) & (seen_back.ravel() == 1)
    kept &= np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < _FOUND_AGAIN_PX
    return corners.reshape(-1, 2)[kept], found.reshape(-1, 2)[kept], corners.reshape(-1, 2)


def _agreed(first: Corners, second: Corners) -> tuple[NDArray[np.float64] | None, NDArray[np.uint8]]:
    """Return the similarity that most corners agree on, and which do."""
    import cv2

    cv2.setRNGSeed(1)  # the same pictures give the same answer
    matrix, inliers = cv2.estimateAffinePartial2D(
        first, second, method=cv2.RANSAC, ransacReprojThreshold=_AGREES_PX, maxIters=500, confidence=0.995
    )
    return matrix, inliers
