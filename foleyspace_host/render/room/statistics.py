"""Statistical acoustics of a box: absorption, reverberation time, and the octaves in which they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.air import Air
from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S

__all__ = ["OCTAVES_HZ", "absorption_for", "at_octaves", "eyring_rt60_s", "wall_areas_m2"]

OCTAVES_HZ = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)
"""Centres of the bands in which walls absorb and the tail decays [Hz]; the outer ones are open to their sides."""


def eyring_rt60_s(absorption: NDArray[np.float64], size_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reverberation times by Eyring's formula, with the absorption of air at 20 degrees and 50 %.

    Parameters
    ----------
    absorption : ndarray, shape (6, 8)
        Of the walls.
    size_m : ndarray, shape (3,)
        Length, width, height [m].

    Returns
    -------
    ndarray, shape (8,)
        24 ln 10 / c * V / (-S ln(1 - mean absorption) + 4 m V) [s].
    """
    areas = wall_areas_m2(size_m)
    mean = np.clip(areas @ absorption / areas.sum(), 0.0, 1.0 - 1e-9)
    volume = float(np.prod(size_m))
    walls = -areas.sum() * np.log1p(-mean)
    return _sabine() * volume / np.maximum(walls + 4.0 * _air_per_m() * volume, 1e-9)


def absorption_for(
    rt60_s: NDArray[np.float64], size_m: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Absorption of the walls that gives reverberation times by Eyring's formula.

    Parameters
    ----------
    rt60_s : ndarray, shape (8,)
        Times wanted [s].
    size_m : ndarray, shape (3,)
        Length, width, height [m].
    shares : ndarray, shape (6,)
        How much each wall absorbs against the others.

    Returns
    -------
    ndarray, shape (6, 8)
        Absorption, 0.01 to 0.99: where air alone absorbs more than the time asks for, walls absorb 0.01.
    """
    areas = wall_areas_m2(size_m)
    volume = float(np.prod(size_m))
    mean = -np.expm1(-np.maximum(_sabine() / rt60_s - 4.0 * _air_per_m(), 0.0) * volume / areas.sum())
    # by shares of the mean, and where a wall would take more than all, the others take what is left
    low, high = np.zeros_like(mean), np.full_like(mean, 1e6)
    for _ in range(80):
        scale = 0.5 * (low + high)
        under = areas @ np.clip(scale * shares[:, None], 0.01, 0.99) / areas.sum() < mean
        low, high = np.where(under, scale, low), np.where(under, high, scale)
    return np.clip(high * shares[:, None], 0.01, 0.99)


def at_octaves(values: NDArray[np.float64], frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate values at the octaves' centres, linear in them over the logarithm of frequency.

    Parameters
    ----------
    values : ndarray, shape (8,)
        At `OCTAVES_HZ`; held below the first and above the last.
    frequency_hz : ndarray, shape (n,)
        Frequencies, not negative [Hz].

    Returns
    -------
    ndarray, shape (n,)
    """
    return np.interp(np.log2(np.maximum(frequency_hz, 1.0)), np.log2(OCTAVES_HZ), values)


def wall_areas_m2(size_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the areas of the walls in the order of `WALLS`, shape (6,) [m^2]."""
    length, width, height = size_m
    return np.repeat([width * height, length * height, length * width], 2)


def _sabine() -> float:
    return float(24.0 * np.log(10.0) / SPEED_OF_SOUND_M_S)


def _air_per_m() -> NDArray[np.float64]:
    """Share of the energy that air takes per metre in each band [1/m]."""
    return Air().attenuation_db_m(OCTAVES_HZ) * (np.log(10.0) / 10.0)
