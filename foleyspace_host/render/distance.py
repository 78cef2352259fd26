"""What distance does to level and arrival time."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PHYSICAL_REFERENCE_M",
    "RELATIVE_LIMIT_DB",
    "SPEED_OF_SOUND_M_S",
    "DistanceGain",
    "Propagation",
    "distance_gain",
    "propagation_s",
]

DistanceGain = Literal["relative", "physical", "none"]
Propagation = Literal["none", "doppler", "physical"]

SPEED_OF_SOUND_M_S = 343.2
"""Speed of sound in dry air at 20 degrees Celsius (ISO 9613-1) [m/s]."""

RELATIVE_LIMIT_DB = 12.0
"""Bound of the relative law, both ways [dB]."""

PHYSICAL_REFERENCE_M = 1.0
"""Distance at which the physical law is neutral [m]."""


def distance_gain(distance_m: NDArray[np.float64], median_m: float, law: DistanceGain) -> NDArray[np.float64]:
    """Pressure gain by the inverse distance law.

    Parameters
    ----------
    distance_m : ndarray
        Distances, positive [m].
    median_m : float
        Median distance of the whole path [m].
    law : {"relative", "physical", "none"}
        See `RenderOptions`.

    Returns
    -------
    ndarray, float64, shape of `distance_m`
        Linear gains: median / r within +-12 dB, 1 m / r, or 1.
    """
    if law == "none":
        return np.ones_like(distance_m)
    if law == "physical":
        return PHYSICAL_REFERENCE_M / distance_m
    limit = 10.0 ** (RELATIVE_LIMIT_DB / 20.0)
    return np.clip(median_m / distance_m, 1.0 / limit, limit)


def propagation_s(distance_m: NDArray[np.float64], median_m: float, law: Propagation) -> NDArray[np.float64]:
    """Time that the sound travels before it is heard.

    Parameters
    ----------
    distance_m : ndarray
        Distances [m].
    median_m : float
        Median distance of the whole path [m].
    law : {"none", "doppler", "physical"}
        See `RenderOptions`.

    Returns
    -------
    ndarray, float64, shape of `distance_m`
        0, (r - median) / c, or r / c [s].
    """
    if law == "none":
        return np.zeros_like(distance_m)
    travelled_m = distance_m - median_m if law == "doppler" else distance_m
    return travelled_m / SPEED_OF_SOUND_M_S
