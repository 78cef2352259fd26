"""Ambisonics: real spherical harmonics of the direction, AmbiX conventions."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_ORDER", "AmbisonicLaw"]

MAX_ORDER = 3


class AmbisonicLaw:
    """Encodes plane waves in ACN order with SN3D weights (AmbiX: Nachbar, Zotter et al. 2011).

    Channel n (n + 1) + m holds N(n, |m|) P(n, |m|)(sin elevation) times cos(m azimuth), or sin(|m| azimuth)
    for negative m, without the Condon-Shortley phase; written out below as polynomials of x, y, z.
    Channel 0 is the sound itself; no channel is ever louder.

    Parameters
    ----------
    order : int
        1 to 3.
    """

    def __init__(self, order: int) -> None:
        if not 1 <= order <= MAX_ORDER:
            raise ValueError(f"order {order} is not 1 to {MAX_ORDER}")
        self._n_channels = (order + 1) ** 2

    def gains(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return linear gains (n, n_channels) for directions (n, 3); see `PanLaw`."""
        x, y, z = np.asarray(unit, dtype=np.float64).T
        harmonics = [np.ones_like(x), y, z, x]
        if self._n_channels > 4:
            half = sqrt(3.0) / 2.0
            harmonics += [
                2.0 * half * x * y,
                2.0 * half * y * z,
                1.5 * z**2 - 0.5,
                2.0 * half * x * z,
                half * (x**2 - y**2),
            ]
        if self._n_channels > 9:
            outer, inner, middle = sqrt(5.0 / 8.0), sqrt(3.0 / 8.0), sqrt(15.0)
            harmonics += [
                outer * y * (3.0 * x**2 - y**2),
                middle * x * y * z,
                inner * y * (5.0 * z**2 - 1.0),
                z * (2.5 * z**2 - 1.5),
                inner * x * (5.0 * z**2 - 1.0),
                0.5 * middle * z * (x**2 - y**2),
                outer * x * (x**2 - 3.0 * y**2),
            ]
        return np.stack(harmonics, axis=1)
