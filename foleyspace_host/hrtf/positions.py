"""Directions of measurements as the listener sees them, and the choice of one measurement for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.frames import angles_to_unit

__all__ = ["REPEAT_DEG", "Shells", "cartesian", "choose_shell", "frame_axes", "merge_repeats"]

REPEAT_DEG = 0.1
"""Measurements nearer than this are of one direction [deg]: a tenth of the finest grids' step, 1 us of ITD."""

_SAME_DELAY_SAMPLES = 0.01
_SHELL_STEP = 1.02

Floats = NDArray[np.float64]


def cartesian(values: Floats, kind: str, units: str = "") -> Floats:
    """Turn coordinates of a SOFA variable into metres along x, y and z.

    Parameters
    ----------
    values : ndarray, shape (n, 3)
        Coordinates: x, y, z, or azimuth, elevation and radius.
    kind : str
        ``Type`` of the variable: "cartesian" or "spherical".
    units : str
        ``Units`` of the variable; angles are in degrees unless it names radians.

    Returns
    -------
    ndarray, float64, shape (n, 3)
    """
    if not kind.lower().startswith("spherical"):
        return values
    angles = np.degrees(values[:, :2]) if units.lower().lstrip().startswith("rad") else values[:, :2]
    return angles_to_unit(angles[:, 0], angles[:, 1]) * values[:, 2:3]


def frame_axes(view: Floats, up: Floats) -> Floats | None:
    """Axes x (along the view), y (left) and z of a body that looks along `view` with `up` above it.

    Parameters
    ----------
    view, up : ndarray, shape (n, 3) or (1, 3)
        Need not have unit length nor be exactly perpendicular.

    Returns
    -------
    ndarray, float64, shape (n, 3, 3), or None
        Rows are the axes; None if somewhere view and up are parallel or missing.
    """
    view, up = np.broadcast_arrays(view, up)
    left = np.cross(up, view)
    lengths = [np.linalg.norm(axis, axis=1, keepdims=True) for axis in (view, left)]
    if not min(float(length.min()) for length in lengths) > 1e-6:
        return None
    view, left = view / lengths[0], left / lengths[1]
    return np.stack([view, left, np.cross(view, left)], axis=1)


@dataclass(frozen=True, slots=True)
class Shells:
    """Distances at which a set was measured, and the measurements to use.

    Parameters
    ----------
    chosen : ndarray of int
        Measurements to use.
    radii_m : tuple of float
        Median distance of each shell, nearest first [m].
    radius_m : float
        Median distance of the chosen measurements [m].
    """

    chosen: NDArray[np.int64]
    radii_m: tuple[float, ...]
    radius_m: float


def choose_shell(unit: Floats, radius_m: Floats) -> Shells:
    """Choose the measurements at one distance, since distance is rendered apart.

    The farthest shell is nearest to a plane wave; but a far shell that holds less than half as many
    directions as another one gives way to that. Where distances scatter so that no shell holds even half
    of all directions, each direction is taken at its farthest.

    Parameters
    ----------
    unit : ndarray, shape (n, 3)
        Directions.
    radius_m : ndarray, shape (n,)
        Distances, larger than 0 [m].

    Returns
    -------
    Shells
    """
    order = np.argsort(radius_m, kind="stable")
    steps = np.flatnonzero(radius_m[order][1:] > _SHELL_STEP * radius_m[order][:-1]) + 1
    shells = np.split(order, steps)
    directions = [len(np.unique(_rounded(unit[shell]), axis=0)) for shell in shells]
    enough = [shell for shell, count in zip(shells, directions, strict=True) if 2 * count >= max(directions)]
    chosen = enough[-1]
    everything, first = np.unique(_rounded(unit[order[::-1]]), axis=0, return_index=True)
    if 2 * len(np.unique(_rounded(unit[chosen]), axis=0)) < len(everything):
        chosen = order[::-1][first]
    radii = tuple(float(np.median(radius_m[shell])) for shell in shells)
    return Shells(np.sort(chosen), radii, float(np.median(radius_m[chosen])))


def merge_repeats(
    unit: Floats, hrirs: NDArray[np.float32], delay_samples: Floats
) -> tuple[Floats, NDArray[np.float32], Floats]:
    """Average measurements of one direction (poles are often measured at every azimuth).

    Parameters
    ----------
    unit : ndarray, shape (n, 3)
        Directions.
    hrirs : ndarray, shape (n, 2, n_taps)
        Responses.
    delay_samples : ndarray, shape (n, 2)
        Delays apart from the responses [samples]; responses are averaged only over equal ones.

    Returns
    -------
    unit, hrirs, delay_samples : ndarray
        One entry for each direction, in the order of their first measurements.
    """
    group = _groups(unit)
    n_groups = int(group.max()) + 1
    if n_groups == len(unit):
        return unit, hrirs, delay_samples
    first = np.full(n_groups, len(unit))
    np.minimum.at(first, group, np.arange(len(unit)))
    alike = (np.abs(delay_samples - delay_samples[first[group]]) <= _SAME_DELAY_SAMPLES).all(axis=1)
    repeated = np.flatnonzero(np.bincount(group)[group] > 1)
    merged = unit[first], hrirs[first], delay_samples[first]
    for members in np.split(repeated[np.argsort(group[repeated], kind="stable")], _borders(group, repeated)):
        used = members[alike[members]]
        merged[0][group[members[0]]] = unit[used].mean(axis=0)
        merged[1][group[members[0]]] = hrirs[used].mean(axis=0)
    merged[0][:] /= np.linalg.norm(merged[0], axis=1, keepdims=True)
    return merged


def _borders(group: NDArray[np.int64], repeated: NDArray[np.int64]) -> NDArray[np.int64]:
    ordered = np.sort(group[repeated])
    return np.flatnonzero(np.diff(ordered)) + 1


def _groups(unit: Floats) -> NDArray[np.int64]:
    """Return the number of each measurement's direction, counted in the order of first appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    # exact repeats first: their number of pairs would grow with its square
    _, first, exact = np.unique(_rounded(unit), axis=0, return_index=True, return_inverse=True)
    pairs = cKDTree(unit[first]).query_pairs(2.0 * np.sin(np.radians(REPEAT_DEG) / 2.0), output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(first), len(first)))
    _, near = connected_components(graph, directed=False)
    group = near[exact.reshape(-1)]
    _, appears, number = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(appears), dtype=np.int64)
    rank[np.argsort(appears)] = np.arange(len(appears))
    return rank[number.reshape(-1)]


def _rounded(unit: Floats) -> Floats:
    rounded: Floats = np.round(unit, 5) + 0.0  # no negative zeros
    return rounded
