"""How far a sound reaches: a level in each bin that follows what is heard at once and falls as the longest room does.

Nothing that is added to a prior is louder than some share of this level. So the network is shown everything in
proportion to it, its answer is in proportion to it, and so is the noise on the prior (as in S. Lee and others:
"PriorGrad", ICLR 2022): where nothing sounds, and nothing has sounded, there is no noise and nothing is added.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ

__all__ = ["FALL", "FLOOR", "Reach", "log_map", "loudest"]

LONGEST_RT60_S = 0.6

FALL = 3.0 * log(10.0) * HOP / SAMPLE_RATE_HZ / LONGEST_RT60_S / 2.0
"""Fall of the level in a frame [nepers]: 60 dB in `LONGEST_RT60_S`, half of it in square roots of magnitudes."""

FLOOR = 1e-3
"""Least level: in square roots of magnitudes 120 dB below the level of the sound."""


def loudest(prior: NDArray[np.float32], mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest magnitude of all channels in each bin and its neighbours.

    Parameters
    ----------
    prior : ndarray, float32, shape (4, n_bins, n)
        Compressed spectra: real and imaginary parts.
    mono : ndarray, float32, shape (2, n_bins, n)
        The same of the mono sound.

    Returns
    -------
    ndarray, float32, shape (n_bins, n)
    """
    maps = np.concatenate([prior, mono])
    size = np.sqrt((maps[0::2] ** 2 + maps[1::2] ** 2).max(axis=0))
    beside = np.pad(size, ((1, 1), (0, 0)))
    return np.maximum(size, np.maximum(beside[:-2], beside[2:]))


def log_map(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level as the network sees it: its logarithm, 0 at 26 dB below the level of the sound."""
    return (np.log(level) + np.float32(1.5)) / np.float32(2.0)


class Reach:
    """The level, piece by piece."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def push(self, prior: NDArray[np.float32], mono: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the level in the next frames.

        Parameters
        ----------
        prior, mono : ndarray
            As for `loudest`.

        Returns
        -------
        ndarray, float32, shape (n_bins, n)
            At least `FLOOR`.
        """
        size = np.log(np.maximum(loudest(prior, mono), np.float32(FLOOR)))
        if self._before is not None:
            size[:, 0] = np.maximum(size[:, 0], self._before - np.float32(FALL))
        # a maximum over the past that falls is a running maximum of what rises as much
        rise = (np.float32(FALL) * np.arange(size.shape[1])).astype(np.float32)
        level = np.maximum.accumulate(size + rise, axis=1) - rise
        self._before = level[:, -1].copy()
        return np.maximum(np.exp(level), np.float32(FLOOR))
