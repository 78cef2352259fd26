"""Does a thing move when the sound does? Hooves, hammers and lips do; an engine or a kettle does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.hear.onsets import Loudness

__all__ = ["synchrony"]

_LEAST_SIGHTINGS = 16
_SLOWEST_S = 2.0  # what changes more slowly, such as an approach, comes with any sound that grows
_STEP_S = 0.125  # the motion in a picture is that since the one before


def synchrony(chain: Chain, loudness: Loudness) -> float:
    """Correlate the motion within a thing's boxes with the loudness of the sound.

    Parameters
    ----------
    chain : Chain
        The thing.
    loudness : Loudness
        Level and onsets of the sound.

    Returns
    -------
    float
        Pearson's correlation of motion with level or with onsets, whichever is higher, slow changes taken
        out; less what chance gives so many samples (1.64 / sqrt(n), one time in twenty); 0 to 1, and 0 where
        it cannot be told.
    """
    sightings = chain.sightings
    if len(sightings) < _LEAST_SIGHTINGS or loudness.is_silent:
        return 0.0
    time_s = np.array([sighting.t_s for sighting in sightings])
    motion = np.log1p([sighting.motion for sighting in sightings])
    first = np.searchsorted(loudness.time_s, time_s - _STEP_S)
    last = np.maximum(np.searchsorted(loudness.time_s, time_s), first + 1)
    best = 0.0
    for heard in (loudness.level, np.sqrt(loudness.onset)):
        total = np.concatenate([[0.0], np.cumsum(heard, dtype=np.float64)])
        inside = np.minimum(last, len(heard))
        mean = (total[inside] - total[np.minimum(first, inside)]) / np.maximum(inside - np.minimum(first, inside), 1)
        best = max(best, _correlation(_quick(time_s, motion), _quick(time_s, mean)))
    return max(best - 1.64 / np.sqrt(len(sightings)), 0.0)


def _quick(time_s: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values less their mean over the seconds around them."""
    low = np.searchsorted(time_s, time_s - _SLOWEST_S / 2)
    high = np.searchsorted(time_s, time_s + _SLOWEST_S / 2, side="right")
    total = np.concatenate([[0.0], np.cumsum(values)])
    slow: NDArray[np.float64] = (total[high] - total[low]) / (high - low)
    return values - slow


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    power = float((first**2).sum() * (second**2).sum())
    return float(first @ second) / np.sqrt(power) if power > 1e-12 else 0.0
