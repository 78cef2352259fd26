"""The width of a source: its spectrum, cut into narrow bands that come from different directions.

An extended source sounds as wide as it is because its parts do not sound alike: what reaches the two ears is
no longer coherent. One clip is turned into such parts by giving every narrow band of frequencies to one of
several directions on an arc (T. Pihlajamaki, O. Santala, V. Pulkki: "Synthesis of spatially extended virtual
sources with time-frequency decomposition of mono signals", J. Audio Eng. Soc. 62, 2014; the same idea with a
continuous sweep is F. Zotter, M. Frank, M. Kronlachner, J.-W. Choi: "Efficient phantom source widening and
diffuseness in ambisonics", EAA Symposium on Auralization and Ambisonics, 2014). The bands add up to the clip
itself, so a narrow source is not coloured, and their filters last 18 ms to either side, so beats stay beats.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S

__all__ = ["Part", "half_taps", "part_filters", "parts_of"]

_LEAST_DEG = 1.0  # a source narrower than what ears resolve is a point
_SPACING_DEG = 22.5
_REACH_S = 18e-3
_BAND_HZ = 90.0  # the narrowest that a filter of this length tells apart well
_BAND_ERB = 0.35  # width of a band at high frequencies, in auditory bands
_FADE = 0.2  # share of a band in which the next one takes over
_KAISER_BETA = 1.2
_HEAD_RADIUS_M = 0.09


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts into which the spectrum of an extended source is cut.

    Parameters
    ----------
    index, count : int
        Which part of how many, from left to right.
    extent_deg : float
        Width of the source [deg].
    """

    index: int
    count: int
    extent_deg: float


def parts_of(extent_deg: float) -> list[tuple[float, Part | None]]:
    """Return the parts of a source.

    Parameters
    ----------
    extent_deg : float
        Its width, 0 to 180 [deg].

    Returns
    -------
    list of (float, Part or None)
        Offset to the left of the source's direction [deg] and part; one part without a filter for a point.
    """
    if extent_deg < _LEAST_DEG:
        return [(0.0, None)]
    count = max(2 * ceil((extent_deg / _SPACING_DEG - 1.0) / 2.0 - 1e-9) + 1, 3)
    width = extent_deg / count  # of the sector that each part stands for
    return [(((count - 1) / 2 - index) * width, Part(index, count, extent_deg)) for index in range(count)]


def half_taps(sample_rate_hz: int) -> int:
    """Return how far the filters of `part_filters` reach to either side [samples]."""
    return ceil(_REACH_S * sample_rate_hz)


@lru_cache(maxsize=16)
def part_filters(count: int, extent_deg: float, sample_rate_hz: int) -> NDArray[np.float32]:
    """Return the filters of all parts of a source.

    Parameters
    ----------
    count : int
        Number of parts.
    extent_deg : float
        Width of the source [deg].
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    ndarray, float32, shape (count, 2 * half_taps + 1)
        Impulse responses, symmetric. For a narrow source they add up to a single one in the middle; for a
        wide one, whose parts add up in power at high frequencies, their power adds up to one there.
    """
    half = half_taps(sample_rate_hz)
    n_fft = 1 << int(np.ceil(np.log2(8 * half)))
    hz: NDArray[np.float64] = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate_hz / n_fft)
    weights = _shortened(_bands(hz, count), half, n_fft)
    # bands that follow each other are two thirds of the width apart on average; where an ear's path to them
    # differs by more than a fraction of a wavelength, powers add and not pressures
    path_m = _HEAD_RADIUS_M * np.deg2rad(extent_deg * (count - 1) / count) * 2.0 / 3.0
    phase = 2.0 * np.pi * hz * path_m / SPEED_OF_SOUND_M_S
    incoherent = phase**2 / (1.0 + phase**2)
    weights /= (weights**2).sum(axis=0) ** (0.5 * incoherent)
    taps = np.fft.irfft(_shortened(weights, half, n_fft), n_fft, axis=1)
    return np.concatenate([taps[:, -half:], taps[:, : half + 1]], axis=1).astype(np.float32)


def _bands(hz: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Share of each part in each frequency; they add up to one."""
    # number of the band as a function of frequency: the integral over 1 / width
    width = np.maximum(_BAND_HZ, _BAND_ERB * 24.7 * (4.37e-3 * hz + 1.0))
    position = np.concatenate([[0.0], np.cumsum(0.5 * (1.0 / width[1:] + 1.0 / width[:-1]) * np.diff(hz))])
    order = _order(count, int(position[-1]) + 2)
    band = np.floor(position).astype(np.int64)
    fade = 0.5 - 0.5 * np.cos(np.pi * np.clip((position - band - (1.0 - _FADE)) / _FADE, 0.0, 1.0))
    share = np.zeros((count, len(hz)))
    columns = np.arange(len(hz))
    share[order[band], columns] += 1.0 - fade
    share[order[band + 1], columns] += fade
    return share


def _order(count: int, n_bands: int) -> NDArray[np.int64]:
    """Part of each band: neighbours far apart, all parts equally often, the sides in turn."""
    middle = count // 2
    # the middle, then pairs on both sides, every other one from the inside out and then the rest: 4 26 08 35 17
    turn = [middle]
    for step in (*range(2, middle + 1, 2), *range(1, middle + 1, 2)):
        turn += [middle - step, middle + step]
    mirrored = [count - 1 - part for part in turn]
    return np.array((turn + mirrored) * (n_bands // (2 * count) + 1), dtype=np.int64)[:n_bands]


def _shortened(response: NDArray[np.float64], half: int, n_fft: int) -> NDArray[np.float64]:
    """Limit zero-phase responses to so many samples on either side; what adds up to one still does."""
    taps = np.fft.irfft(response, n_fft, axis=1)
    taper = np.kaiser(2 * half + 3, _KAISER_BETA)[1:-1]
    window = np.zeros(n_fft)
    window[: half + 1], window[-half:] = taper[half:], taper[:half]
    return np.fft.rfft(taps * window, axis=1).real
