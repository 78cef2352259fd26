"""Points beside a source: on an arc through its direction, moving with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from foleyspace_host.render.points import Path

__all__ = ["ArcPath", "turned_left"]


@dataclass(frozen=True, slots=True)
class ArcPath:
    """A path that keeps an angle to another one, to the left as seen by the listener, at the same distance.

    The arc is the great circle that crosses the middle path horizontally. Straight above and below, where
    every direction is horizontal, it runs from left to right.

    Parameters
    ----------
    middle : Path
        The path that it keeps to.
    angle_deg : float
        Angle to the left [deg].
    """

    middle: Path
    angle_deg: float

    def sample(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit directions (n, 3) and distances (n,) [m] at times (n,) [s]."""
        unit, distance_m = self.middle.sample(t_s)
        return turned_left(unit, self.angle_deg), distance_m

    def cuts_between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times of jumps in [start_s, end_s) [s]."""
        return self.middle.cuts_between(start_s, end_s)

    def distance_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the distance over all times [m]."""
        return self.middle.distance_bounds_m()


def turned_left(unit: NDArray[np.float64], angle_deg: float) -> NDArray[np.float64]:
    """Turn directions to the left as seen by the listener, on the great circle that crosses them horizontally.

    Parameters
    ----------
    unit : ndarray, shape (n, 3)
        Directions.
    angle_deg : float
        Angle [deg].

    Returns
    -------
    ndarray, shape (n, 3)
    """
    left = np.stack([-unit[:, 1], unit[:, 0], np.zeros(len(unit))], axis=1)
    length = np.linalg.norm(left, axis=1, keepdims=True)
    left = np.where(length > 1e-6, left / np.maximum(length, 1e-6), [[0.0, 1.0, 0.0]])
    angle = np.deg2rad(angle_deg)
    turned: NDArray[np.float64] = np.cos(angle) * unit + np.sin(angle) * left
    return turned
