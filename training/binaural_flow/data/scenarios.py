"""How sources move in training: invented trajectories, seeded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.frames import unit_to_angles
from foleyspace_host.geometry.trajectory import Key, Source

__all__ = ["SCENARIOS", "Distances", "invent"]

Distances = tuple[float, float]
"""The nearest and the farthest that a source comes [m]."""

Floats = NDArray[np.float64]
Movement = tuple[Floats, NDArray[np.bool_]]
"""Positions, shape (n, 3) [m], and at which of them the source jumps."""

_STEP_S = 0.04
_LOWEST_DEG, _HIGHEST_DEG = -40.0, 85.0  # where heads are measured
_FASTEST_M_S = 20.0


def invent(name: str, rng: np.random.Generator, duration_s: float, distances_m: Distances = (0.3, 10.0)) -> Source:
    """Invent a source that moves in a named way.

    Parameters
    ----------
    name : str
        One of `SCENARIOS`.
    rng : numpy.random.Generator
        Where the dice come from.
    duration_s : float
        Duration of the clip [s].
    distances_m : (float, float)
        Bounds of the distance [m].

    Returns
    -------
    Source
        A key every 40 ms, elevations of -40 to 85 degrees.
    """
    times = _STEP_S * np.arange(int(np.ceil(duration_s / _STEP_S)) + 1, dtype=np.float64)
    place, jump = SCENARIOS[name](rng, times, distances_m)
    azimuth, elevation = unit_to_angles(place)
    elevation = np.clip(elevation, _LOWEST_DEG, _HIGHEST_DEG)
    distance = np.clip(np.linalg.norm(place, axis=1), *distances_m)
    steps = zip(times.tolist(), azimuth.tolist(), elevation.tolist(), distance.tolist(), jump.tolist(), strict=True)
    keys = tuple(Key(t, a, e, r, cut=cut) for t, a, e, r, cut in steps)
    if len(set(zip(azimuth, elevation, distance, strict=True))) == 1:
        keys = keys[:1]
    return Source(name, keys)


def _somewhere(rng: np.random.Generator, distances_m: Distances) -> Floats:
    """Draw a place: any azimuth, elevations mostly near the horizon, distances evenly in their logarithm."""
    azimuth = rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.5:  # what is seen is in front
        azimuth = np.deg2rad(np.clip(35.0 * rng.standard_normal(), -90.0, 90.0))
    elevation = np.deg2rad(np.clip(20.0 * rng.standard_normal(), _LOWEST_DEG, _HIGHEST_DEG))
    low, high = np.log(distances_m)
    distance = np.exp(rng.uniform(low, high))
    level = np.cos(elevation)
    return distance * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])


def _still(n: int) -> NDArray[np.bool_]:
    return np.zeros(n, dtype=np.bool_)


def _static(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    return np.repeat(_somewhere(rng, distances_m)[None], len(times), axis=0), _still(len(times))


def _pass_by(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    """Pass the listener on a straight line, nearest somewhere in the clip."""
    nearest = _somewhere(rng, (distances_m[0], min(5.0, distances_m[1])))
    across = np.cross(nearest, rng.standard_normal(3) * (0.2, 0.2, 1.0))
    across /= max(float(np.linalg.norm(across)), 1e-9)
    speed = np.exp(rng.uniform(np.log(0.5), np.log(_FASTEST_M_S)))
    along = speed * (times - rng.uniform(0.0, times[-1]))
    return nearest + along[:, None] * across, _still(len(times))


def _orbit(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    """Round the listener at a steady height and distance; 5 to 200 degrees a second."""
    start = _somewhere(rng, distances_m)
    rate = np.deg2rad(np.exp(rng.uniform(np.log(5.0), np.log(200.0)))) * rng.choice([-1.0, 1.0])
    turn = rate * times
    x = np.cos(turn) * start[0] - np.sin(turn) * start[1]
    y = np.sin(turn) * start[0] + np.cos(turn) * start[1]
    return np.stack([x, y, np.full_like(x, start[2])], axis=1), _still(len(times))


def _radial(rng: np.random.Generator, times: Floats, distances_m: Distances, sign: float) -> Movement:
    start = _somewhere(rng, distances_m)
    low, high = distances_m
    span = rng.uniform(0.2, 1.0) * (high - low) * min(times[-1] * _FASTEST_M_S / (high - low), 1.0)
    near = rng.uniform(low, high - span)
    part = times / max(times[-1], 1e-9)
    distance = near + span * (part if sign > 0.0 else 1.0 - part)
    drift = np.cross(start / np.linalg.norm(start), rng.standard_normal(3)) * rng.uniform(0.0, 0.5)
    unit = start / np.linalg.norm(start) + part[:, None] * drift
    return unit / np.linalg.norm(unit, axis=1, keepdims=True) * distance[:, None], _still(len(times))


def _approach(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    return _radial(rng, times, distances_m, -1.0)


def _recede(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    return _radial(rng, times, distances_m, 1.0)


def _random_walk(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    """Wanders with a smooth random velocity, as animals and people do."""
    start = _somewhere(rng, distances_m)
    n = len(times)
    kernel = np.hanning(2 * max(int(rng.uniform(0.1, 0.6) / _STEP_S), 1) + 3)
    pushes = rng.standard_normal((n + len(kernel), 3)) * (1.0, 1.0, 0.3)
    speed = np.exp(rng.uniform(np.log(0.3), np.log(8.0)))
    velocity = np.stack([np.convolve(row, kernel, "valid")[:n] for row in pushes.T], axis=1)
    velocity *= speed / max(float(np.sqrt((velocity**2).sum(axis=1).mean())), 1e-9)
    place = start + np.cumsum(velocity, axis=0) * _STEP_S
    near = np.linalg.norm(place, axis=1, keepdims=True)
    return place * np.clip(near, *distances_m) / np.maximum(near, 1e-6), _still(n)


def _jump(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    """Stays, and at one or two moments is elsewhere: a cut in the picture, or an edit."""
    n = len(times)
    jump = _still(n)
    jump[rng.integers(max(n // 4, 1), n, size=int(rng.integers(1, 3)))] = True
    jump[0] = False
    parts = np.cumsum(jump)
    places = np.stack([_somewhere(rng, distances_m) for _ in range(int(parts[-1]) + 1)])
    return places[parts], jump


def _paper(rng: np.random.Generator, times: Floats, distances_m: Distances) -> Movement:
    """Wander over a screen as the paper maps it, with depths of 0 to 6 m straight ahead."""
    knots = np.arange(0.0, times[-1] + 1.0, 1.0)

    def wander(low: float, high: float) -> Floats:
        return np.interp(times, knots, rng.uniform(low, high, len(knots)))

    half = 0.5 * min(6.0, distances_m[1])
    place = np.stack([wander(distances_m[0], min(6.0, distances_m[1])), wander(-half, half), wander(-1.0, 1.0)], axis=1)
    near = np.linalg.norm(place, axis=1, keepdims=True)
    return place * np.clip(near, *distances_m) / np.maximum(near, 1e-6), _still(len(times))


SCENARIOS: dict[str, Callable[[np.random.Generator, Floats, Distances], Movement]] = {
    "static": _static,
    "pass-by": _pass_by,
    "orbit": _orbit,
    "approach": _approach,
    "recede": _recede,
    "random walk": _random_walk,
    "jump": _jump,
    "paper": _paper,
}
"""Ways to move, by name."""
