"""A source's keys as a continuous path: great circles for the direction, logarithms for the distance."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import MAX_RANGE_M, MIN_RANGE_M
from foleyspace_host.geometry.frames import angles_to_unit, wrap_deg
from foleyspace_host.geometry.trajectory import Source

__all__ = ["SourcePath", "widen_azimuth"]


def widen_azimuth(azimuth_deg: ArrayLike, spread: float) -> NDArray[np.float64]:
    """Multiply azimuths by the rendering's `spread`, stopping at straight behind.

    Parameters
    ----------
    azimuth_deg : array_like
        Azimuths [deg], of any turn.
    spread : float
        Factor, 0 to 10; 1 is true geometry.

    Returns
    -------
    ndarray, float64
        Azimuths in [-180, 180] [deg]; the side never changes.

    Raises
    ------
    InvalidInput
        If `spread` is out of range.
    """
    if not (isfinite(spread) and 0.0 <= spread <= 10.0):
        raise InvalidInput(f"spread {spread} is outside 0 to 10", where="spread", cure="use 1 for true geometry")
    return np.clip(wrap_deg(azimuth_deg) * spread, -180.0, 180.0)


@dataclass(frozen=True, slots=True)
class SourcePath:
    """Where a source is at any time.

    Parameters
    ----------
    t_s : ndarray, shape (n_keys,)
        Times of the keys, strictly increasing [s].
    unit : ndarray, shape (n_keys, 3)
        Directions of the keys.
    distance_m : ndarray, shape (n_keys,)
        Distances of the keys, clamped to 0.3-50 [m].
    cut : ndarray of bool, shape (n_keys,)
        Whether the source jumps to the key instead of moving there.
    angle_rad : ndarray, shape (n_keys - 1,)
        Angles between neighbouring keys [rad].
    square : ndarray, shape (n_keys - 1, 3)
        Direction square to each key's in which the next one lies.
    """

    t_s: NDArray[np.float64]
    unit: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    cut: NDArray[np.bool_]
    angle_rad: NDArray[np.float64]
    square: NDArray[np.float64]

    @classmethod
    def from_source(cls, source: Source, spread: float = 1.0) -> SourcePath:
        """Build the path of a source.

        Parameters
        ----------
        source : Source
            Keys in the listener's frame.
        spread : float
            Factor on every azimuth; see `widen_azimuth`.

        Returns
        -------
        SourcePath

        Raises
        ------
        InvalidInput
            If `spread` is out of range.
        """
        keys = source.keys
        table = np.array([(k.t_s, k.azimuth_deg, k.elevation_deg, k.distance_m) for k in keys], dtype=np.float64)
        unit = angles_to_unit(widen_azimuth(table[:, 1], spread), table[:, 2])
        angle_rad, square = _arcs(unit[:-1], unit[1:])
        return cls(
            t_s=table[:, 0],
            unit=unit,
            distance_m=np.clip(table[:, 3], MIN_RANGE_M, MAX_RANGE_M),
            cut=np.array([k.cut for k in keys], dtype=np.bool_),
            angle_rad=angle_rad,
            square=square,
        )

    def sample(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions at given times; the first and the last key are held outside the path.

        Parameters
        ----------
        t_s : array_like, shape (n,)
            Times [s].

        Returns
        -------
        unit : ndarray, shape (n, 3)
            Directions, along the great circle between neighbouring keys at constant angular speed.
        distance_m : ndarray, shape (n,)
            Distances, linear in their logarithm between neighbouring keys [m].
        """
        times = np.asarray(t_s, dtype=np.float64)
        if len(self.t_s) == 1:
            return np.repeat(self.unit, len(times), axis=0), np.repeat(self.distance_m, len(times))
        after = np.clip(np.searchsorted(self.t_s, times, side="right"), 1, len(self.t_s) - 1)
        before = after - 1
        part = np.clip((times - self.t_s[before]) / (self.t_s[after] - self.t_s[before]), 0.0, 1.0)
        part = np.where(self.cut[after], np.floor(part), part)  # holds the key before until the cut
        distance = np.exp((1.0 - part) * np.log(self.distance_m[before]) + part * np.log(self.distance_m[after]))
        turn = (part * self.angle_rad[before])[:, None]
        unit = np.cos(turn) * self.unit[before] + np.sin(turn) * self.square[before]
        return unit / np.linalg.norm(unit, axis=1, keepdims=True), distance

    def cuts_between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times of the jumps in the half-open span [start_s, end_s)."""
        times = self.t_s[self.cut & (np.arange(len(self.t_s)) > 0)]
        return times[(times >= start_s) & (times < end_s)]

    def distance_bounds_m(self) -> tuple[float, float]:
        """Return the smallest and the largest distance [m]."""
        return float(self.distance_m.min()), float(self.distance_m.max())

    def median_distance_m(self, duration_s: float) -> float:
        """Return the median over time of the distance during [0, duration_s] [m]."""
        times = np.linspace(0.0, duration_s, min(max(int(duration_s * 50), 2), 100_000))
        ordered = np.sort(self.sample(times)[1])  # np.median would import masked arrays to look for them
        return float(0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]))


def _arcs(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Great circles: angles [rad], and where they lead to; opposite directions turn about the vertical axis."""
    angle = np.arctan2(np.linalg.norm(np.cross(first, second), axis=1), (first * second).sum(axis=1))
    side = second - np.cos(angle)[:, None] * first  # the part of `second` square to `first`
    length = np.linalg.norm(side, axis=1, keepdims=True)
    level = np.stack([-first[:, 1], first[:, 0], np.zeros(len(first))], axis=1)
    level = np.where(np.linalg.norm(level, axis=1, keepdims=True) > 1e-9, level, [[0.0, 1.0, 0.0]])
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    opposite = (angle > np.pi - 1e-6)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.where(opposite, level, np.where(length > 1e-12, side / length, 0.0))
    return angle, square
