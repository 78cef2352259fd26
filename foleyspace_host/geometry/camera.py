"""The pinhole camera: from points of the picture to directions and ranges, and back.

Points are in *display* pixels (rotation and sample aspect applied), u to the right and v down from the
top left corner. The direction of a point never depends on its depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, radians, tan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput

__all__ = ["DEFAULT_HFOV_DEG", "MAX_RANGE_M", "MIN_RANGE_M", "Camera"]

DEFAULT_HFOV_DEG = 60.0
"""Field of view over the longer side when nothing is known [deg] (a 31 mm lens on full frame)."""

MIN_RANGE_M, MAX_RANGE_M = 0.3, 50.0
"""Range of distances that are rendered [m]: an arm's length to where only level and air still change."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera with the optical axis in the middle of the picture.

    Parameters
    ----------
    width, height : int
        Display size of the picture [px].
    hfov_deg : float
        Field of view over the *longer* side [deg], between 1 and 179.

    Raises
    ------
    InvalidInput
        If a size is not positive or the field of view is out of range.
    """

    width: int
    height: int
    hfov_deg: float = DEFAULT_HFOV_DEG

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InvalidInput(f"a picture of {self.width} x {self.height} pixels has no directions", where="camera")
        if not (isfinite(self.hfov_deg) and 1.0 <= self.hfov_deg <= 179.0):
            raise InvalidInput(
                f"a field of view of {self.hfov_deg} degrees is not possible",
                where="camera",
                cure="give 1 to 179 degrees over the longer side, for example 60",
            )

    @property
    def focal_px(self) -> float:
        """Focal length in display pixels: longer side / (2 tan(hfov / 2))."""
        return max(self.width, self.height) / (2.0 * tan(radians(self.hfov_deg) / 2.0))

    def directions(self, u_px: ArrayLike, v_px: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Directions of points of the picture.

        Parameters
        ----------
        u_px, v_px : array_like
            Display pixels from the left and from the top; may lie outside the picture.

        Returns
        -------
        azimuth_deg, elevation_deg : ndarray, float64
            Azimuth (left positive) and elevation (up positive) [deg].
        """
        left = self.width / 2.0 - np.asarray(u_px, dtype=np.float64)
        up = self.height / 2.0 - np.asarray(v_px, dtype=np.float64)
        return np.degrees(np.arctan2(left, self.focal_px)), np.degrees(np.arctan2(up, np.hypot(self.focal_px, left)))

    def pixels(
        self, azimuth_deg: ArrayLike, elevation_deg: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points of the picture for directions in front of the camera; the inverse of `directions`.

        Parameters
        ----------
        azimuth_deg, elevation_deg : array_like
            Directions [deg]; azimuth within (-90, 90).

        Returns
        -------
        u_px, v_px : ndarray, float64
            Display pixels; NaN for directions at or behind the camera plane.
        """
        azimuth = np.radians(np.asarray(azimuth_deg, dtype=np.float64))
        elevation = np.radians(np.asarray(elevation_deg, dtype=np.float64))
        ahead = np.where(np.cos(azimuth) > 1e-6, np.cos(azimuth), np.nan)
        left = self.focal_px * np.sin(azimuth) / ahead
        up = np.hypot(self.focal_px, left) * np.tan(elevation)
        return self.width / 2.0 - left, self.height / 2.0 - up

    def range_m(self, depth_m: ArrayLike, u_px: ArrayLike, v_px: ArrayLike) -> NDArray[np.float64]:
        """Distance along the ray of points whose depth along the optical axis is known.

        Parameters
        ----------
        depth_m : array_like
            Depth along the optical axis [m].
        u_px, v_px : array_like
            Display pixels.

        Returns
        -------
        ndarray, float64
            depth * sqrt(1 + ((u - W/2) / f)^2 + ((v - H/2) / f)^2), clamped to 0.3-50 m.
        """
        across = (np.asarray(u_px, dtype=np.float64) - self.width / 2.0) / self.focal_px
        down = (np.asarray(v_px, dtype=np.float64) - self.height / 2.0) / self.focal_px
        ray = np.asarray(depth_m, dtype=np.float64) * np.sqrt(1.0 + across**2 + down**2)
        return np.clip(ray, MIN_RANGE_M, MAX_RANGE_M)
