"""A rigid sphere for a head: what a head does to sound before its shape and its ears matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD_RADIUS_M", "HeadShadow", "sphere_response"]

HEAD_RADIUS_M = 0.0875
"""Radius of the average head [m] (Algazi, Avendano & Duda 2001)."""

_SPEED_OF_SOUND_M_S = 343.2
_TERMS = 90  # of the series; ka is 32 at 20 kHz

_SHARE = 0.5
_SHADOW_RADIUS_M = 0.1
_EAR_ELEVATION_DEG = -5.0
_DISTANCE_M = 1.4
_ANGLE_STEP_DEG = 3.0
_FREQUENCIES_HZ = np.geomspace(60.0, 20_000.0, 48)


def sphere_response(
    distance_m: NDArray[np.float64],
    angle_deg: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    radius_m: float = HEAD_RADIUS_M,
) -> NDArray[np.complex128]:
    """Pressure on a rigid sphere re the pressure at its centre's place without it.

    Parameters
    ----------
    distance_m : ndarray, shape (n_distances,)
        Distances of a point source from the centre, larger than the radius [m].
    angle_deg : ndarray, shape (n_angles,)
        Angles between the source and the place on the sphere, seen from the centre [deg].
    frequency_hz : ndarray, shape (n_frequencies,)
        Frequencies, positive [Hz].
    radius_m : float
        Radius of the sphere [m].

    Returns
    -------
    ndarray, complex128, shape (n_distances, n_angles, n_frequencies)
        Duda & Martens 1998, equation (A1); the spherical spreading 1/r is divided out.
    """
    from scipy.special import eval_legendre, spherical_jn, spherical_yn

    order = np.arange(_TERMS)
    ka = 2.0 * np.pi * frequency_hz / _SPEED_OF_SOUND_M_S * radius_m
    rho = np.asarray(distance_m) / radius_m
    kr = rho[:, None, None] * ka[:, None]
    with np.errstate(all="ignore"):
        incoming = spherical_jn(order, kr) + 1j * spherical_yn(order, kr)
        surface = spherical_jn(order, ka[:, None], True) + 1j * spherical_yn(order, ka[:, None], True)
        ratio = incoming / surface
    ratio = np.where(np.isfinite(ratio), ratio, 0.0)  # orders so high that both overflow add nothing
    legendre = eval_legendre(order, np.cos(np.radians(angle_deg))[:, None])
    series = np.einsum("dfm,am->daf", ratio * (2 * order + 1), legendre)
    factor = -(rho[:, None] / ka) * np.exp(-1j * kr[..., 0])
    return np.asarray(factor[:, None, :] * series, dtype=np.complex128)


class HeadShadow:
    """The trend in the magnitudes of measured responses: half of a sphere's, in decibels.

    Between sparse measurements the shadow of the head changes faster than they tell, but much alike for all
    heads. Taken out before the magnitudes are interpolated and given back after, it spares the interpolation this
    part (kriging with a trend). Half of it, since no head is a sphere; a radius of 10 cm, since noses and necks
    shade too. Both were chosen on KEMAR: with three quarters of it held out the error of the ILD is 0.30 instead of
    0.37 dB. Of sets that had no part in the choice, IRCAM's subject 1002 goes from 1.25 to 1.01 dB (its ITD from 13.9
    to 14.6 us), and the denser ARI NH2 and CIPIC 003 stay within 0.01 dB of 0.58 and 0.18 dB.

    Parameters
    ----------
    unit : ndarray, float64, shape (n, 3)
        Directions.
    frequency_hz : ndarray, shape (n_bins,)
        Frequencies [Hz].
    """

    def __init__(self, unit: NDArray[np.float64], frequency_hz: NDArray[np.float64]) -> None:
        self._unit = unit
        angles = np.arange(0.0, 180.0 + _ANGLE_STEP_DEG, _ANGLE_STEP_DEG)
        response = sphere_response(np.array([_DISTANCE_M]), angles, _FREQUENCIES_HZ, _SHADOW_RADIUS_M)[0]
        wanted = np.log(np.clip(frequency_hz, _FREQUENCIES_HZ[0], _FREQUENCIES_HZ[-1]))
        rows = [np.interp(wanted, np.log(_FREQUENCIES_HZ), row) for row in _SHARE * np.log(np.abs(response))]
        self._table = np.exp(rows).astype(np.float32)
        elevation = np.deg2rad(_EAR_ELEVATION_DEG)
        side, below = np.cos(elevation), np.sin(elevation)
        self._ears = np.array([[0.0, side, below], [0.0, -side, below]])

    def gains(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the trend for the directions of these numbers, shape (n, 2 ears, n_bins)."""
        angle = np.degrees(np.arccos(np.clip(self._unit[rows] @ self._ears.T, -1.0, 1.0))) / _ANGLE_STEP_DEG
        low = np.minimum(angle.astype(np.int64), len(self._table) - 2)
        part = (angle - low).astype(np.float32)[..., None]
        gains: NDArray[np.float32] = self._table[low] * (np.float32(1.0) - part)
        gains += self._table[low + 1] * part
        return gains

    def settled(self, rows: NDArray[np.int64], spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Give the trend back to spectra without it, shape (n, 2 ears, n_bins)."""
        return spectra * self.gains(rows)
