"""How far away a thing is: from the height of its box and the height its class usually has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.see.classes import class_named

__all__ = ["cut_off", "range_m"]

_EDGE = 0.012  # of the picture: detectors stop a few pixels short of the edge


def cut_off(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
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


def range_m(
    camera: Camera, x: NDArray[np.float64], y: NDArray[np.float64], height: NDArray[np.float64], label: str
) -> NDArray[np.float64]:
    """Distance of things from the height at which they appear.

    Parameters
    ----------
    camera : Camera
        The camera.
    x, y : ndarray, shape (n,)
        Centres as fractions of the picture's width and height.
    height : ndarray, shape (n,)
        Heights of the whole things as fractions of the picture's height, positive.
    label : str
        Class name.

    Returns
    -------
    ndarray, shape (n,)
        Distance along the ray [m], 0.3 to 50: depth = focal length x class height / height in pixels.
    """
    depth_m = camera.focal_px * class_named(label).height_m / (np.maximum(height, 1e-6) * camera.height)
    return camera.range_m(depth_m, x * camera.width, y * camera.height)
