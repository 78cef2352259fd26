"""Directions as angles and as unit vectors in the SOFA frame (x front, y left, z up)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["angles_to_unit", "great_circle_deg", "unit_to_angles", "wrap_deg"]


def wrap_deg(angle_deg: ArrayLike) -> NDArray[np.float64]:
    """Wrap angles to the half-open range [-180, 180) degrees.

    Parameters
    ----------
    angle_deg : array_like
        Angles [deg].

    Returns
    -------
    ndarray, float64, shape of `angle_deg`
        The same angles in [-180, 180) [deg].
    """
    return (np.asarray(angle_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0


def angles_to_unit(azimuth_deg: ArrayLike, elevation_deg: ArrayLike) -> NDArray[np.float64]:
    """Turn azimuth and elevation into unit vectors.

    Parameters
    ----------
    azimuth_deg : array_like, shape (...)
        Azimuth anticlockwise from the front [deg]; 90 is left.
    elevation_deg : array_like, shape (...)
        Elevation above the horizontal plane [deg].

    Returns
    -------
    ndarray, float64, shape (..., 3)
        Unit vectors (x front, y left, z up).
    """
    azimuth, elevation = np.broadcast_arrays(np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg))
    return np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], axis=-1
    )


def unit_to_angles(vectors: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn vectors of any length into azimuth and elevation.

    Parameters
    ----------
    vectors : array_like, shape (..., 3)
        Vectors (x front, y left, z up); need not have unit length. The null vector is straight ahead.

    Returns
    -------
    azimuth_deg, elevation_deg : ndarray, float64, shape (...)
        Azimuth in (-180, 180] and elevation in [-90, 90] [deg].
    """
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def great_circle_deg(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Angle between vectors, exact for small and for opposite ones alike.

    Parameters
    ----------
    first, second : array_like, shape (..., 3)
        Vectors of any length other than zero.

    Returns
    -------
    ndarray, float64, shape (...)
        Angle, 0 to 180 [deg], as atan2(|a x b|, a . b).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))
