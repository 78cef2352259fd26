"""How far away a thing is, as far as its box can tell.

Of a known class: from the height of the box and the height that the class usually has. Of no known class: from
where it stands in the picture, and how large it looks.

Without a class two assumptions are left, and both are weak. The first: level ground, and a camera that is held
level 1.5 m above it, so that the horizon is the middle row. What stands on the ground then has its foot the lower
in the picture the nearer it is::

    depth = 1.5 m x focal length / (rows from the middle of the picture to the foot)

kept within 1.5 and 10 m, and 10 m for whatever has its foot above the horizon. The second: a thing that is worth
a sound is about a metre tall. The logarithms of both depths are averaged with the weights of their deviations,
0.6 and 1.0 (factors of 1.8 and 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.see.classes import DEFAULT_CLASS, class_meant

__all__ = ["Depths", "combined", "cut_off", "guessed"]

Array = NDArray[np.float64]

_EDGE = 0.012  # of the picture: detectors stop a few pixels short of the edge
_CLASS_DEVIATION = 0.15  # of the logarithm: one person or car is taller than the other
_CAMERA_HEIGHT_M = 1.5
_NEAREST_ROW_M, _FARTHEST_ROW_M = 1.5, 10.0
_ROW_DEVIATION, _SIZE_DEVIATION = 0.6, 1.0


@dataclass(frozen=True, slots=True)
class Depths:
    """Depths along the optical axis, and how sure they are.

    Parameters
    ----------
    log_m : ndarray, shape (n,)
        Natural logarithms of depths [m].
    deviation : ndarray, shape (n,)
        Their standard deviations; infinite where nothing is known.
    """

    log_m: Array
    deviation: Array

    def range_m(self, camera: Camera, x: Array, y: Array) -> Array:
        """Return distances along the rays through points given as fractions of the picture, 0.3 to 50 [m]."""
        return camera.range_m(np.exp(self.log_m), x * camera.width, y * camera.height)


def cut_off(boxes: Array) -> NDArray[np.bool_]:
    """Say which edges of the picture cut a box off.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        Left, top, right, bottom as fractions of width and height.

    Returns
    -------
    ndarray of bool, shape (n, 4)
        True where the box ends at the left, top, right, bottom edge of the picture.
    """
    return np.concatenate([boxes[:, :2] <= _EDGE, boxes[:, 2:] >= 1.0 - _EDGE], axis=1)


def guessed(camera: Camera, y: Array, height: Array, label: str, deviation: ArrayLike = 0.0) -> Depths:
    """Depths of a thing from its boxes alone.

    Parameters
    ----------
    camera : Camera
        The camera.
    y : ndarray, shape (n,)
        Centres as fractions of the picture's height, from the top.
    height : ndarray, shape (n,)
        Heights of the whole thing as fractions of the picture's height, positive.
    label : str
        What it is.
    deviation : array_like, shape (n,)
        Standard deviations of the logarithms of the heights.

    Returns
    -------
    Depths
        Of a known class focal length x class height / height in pixels; else see the module's description.
    """
    meant = class_meant(label)
    log_m = np.log(camera.focal_px * meant.height_m / (np.maximum(height, 1e-6) * camera.height))
    if meant is not DEFAULT_CLASS:
        return Depths(log_m, np.hypot(_CLASS_DEVIATION, deviation) + np.zeros_like(log_m))
    foot = np.minimum(y + height / 2.0, 1.0) - 0.5
    ground_m = _CAMERA_HEIGHT_M * camera.focal_px / (np.maximum(foot, 1e-6) * camera.height)
    by_row = Depths(np.log(np.clip(ground_m, _NEAREST_ROW_M, _FARTHEST_ROW_M)), np.full(len(log_m), _ROW_DEVIATION))
    return combined(by_row, Depths(log_m, np.hypot(_SIZE_DEVIATION, deviation) + np.zeros_like(log_m)))


def combined(first: Depths, second: Depths) -> Depths:
    """Average what two ways of telling say, weighted by how sure they are.

    Parameters
    ----------
    first, second : Depths
        Of the same points.

    Returns
    -------
    Depths
        Means of the logarithms with the weights of independent errors.
    """
    weights = np.stack([first.deviation, second.deviation]) ** -2.0
    total = weights.sum(axis=0)
    logs = np.where(weights > 0.0, np.stack([first.log_m, second.log_m]), 0.0)
    known = total > 0.0
    mean = np.where(known, (weights * logs).sum(axis=0) / np.where(known, total, 1.0), first.log_m)
    return Depths(mean, np.where(known, np.where(known, total, 1.0) ** -0.5, np.inf))
