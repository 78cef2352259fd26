"""From Blender's axes to those of the host: the frame of SOFA, x to the front, y to the left, z up.

A camera looks along its local -Z, with +X to its right and +Y up. Any other object is taken for a head as Blender's
conventions have it: it looks along -Y, +X is its left and +Z up.
"""

from __future__ import annotations

from math import atan2, degrees, hypot
from typing import Any

__all__ = ["CAMERA", "HEAD", "angles", "axes_of", "seen_from"]

CAMERA = ((0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
"""Rows: front, left and up in the axes of a camera."""
HEAD = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
"""Rows: front, left and up in the axes of an object that is a head."""

Axes = tuple[tuple[float, float, float], ...]


def axes_of(listener: Any) -> Axes:
    """Return the axes of an object that listens, by what it is."""
    return CAMERA if listener.type == "CAMERA" else HEAD


def seen_from(point: Any, listener_world: Any, axes: Axes) -> tuple[float, float, float]:
    """Return where a point is for a listener.

    Parameters
    ----------
    point : mathutils.Vector
        In the world, in units of the scene.
    listener_world : mathutils.Matrix
        World matrix of the listener. Its scale is left out as Blender's cameras do it: a mirrored one sees, and
        hears, things mirrored.
    axes : tuple
        `CAMERA` or `HEAD`.

    Returns
    -------
    tuple of float
        x to the front, y to the left, z up, in units of the scene.
    """
    x, y, z = listener_world.normalized().inverted_safe() @ point
    return tuple(row[0] * x + row[1] * y + row[2] * z for row in axes)  # type: ignore[return-value]


def angles(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return azimuth (left positive, -180 to 180) and elevation (up positive) [deg] and the distance."""
    flat = hypot(x, y)
    return degrees(atan2(y, x)), degrees(atan2(z, flat)), hypot(flat, z)
