"""The mono sum of a sound, with its level kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource

__all__ = ["mono_blocks", "mono_gain", "power_keeping_gain"]

MAX_MONO_GAIN = float(10 ** (6 / 20))


def mono_gain(source: AudioSource) -> float:
    """Return the factor for the mean of the channels that keeps their power.

    ``mono = gain * mean over channels`` with ``gain = sqrt(mean channel power / power of the mean)``: 1 for
    identical channels, +3 dB for two independent ones of equal level. Bounded to +6 dB, so that channels of
    opposite phase, whose mean is little but noise, are not blown up; 1 for silence. (The mean never has more
    power than the channels, so the factor is never below 1.)

    Parameters
    ----------
    source : AudioSource
        The sound; it is decoded once if it has not been measured before.

    Returns
    -------
    float
        Factor, 1 to 1.995.

    Raises
    ------
    MediaError
        As `AudioSource.scan` does.
    """
    return source.mono_gain


def mono_blocks(source: AudioSource, block_samples: int = 1 << 16) -> Iterator[np.ndarray]:
    """Yield the power-keeping mono sum of a sound, in blocks of equal length (the last may be shorter).

    Parameters
    ----------
    source : AudioSource
        The sound; read twice, once to find the gain.
    block_samples : int
        Samples per block, at least 1.

    Yields
    ------
    ndarray of float32, shape (n,)
        Finite samples.

    Raises
    ------
    InvalidInput, MediaError
        As `AudioSource.blocks` does.
    """
    return (block[0] for block in source.blocks(block_samples, "mono"))


def power_keeping_gain(power: float, mean_power: float) -> float:
    """Return the factor of `mono_gain` from measured powers.

    Parameters
    ----------
    power : float
        Mean over the channels of their power, in any unit.
    mean_power : float
        Power of the mean of the channels, in the same unit.

    Returns
    -------
    float
        Factor, 1 to 1.995.
    """
    if power <= 0.0:
        return 1.0
    if mean_power * MAX_MONO_GAIN**2 <= power:
        return MAX_MONO_GAIN
    return max(1.0, float(np.sqrt(power / mean_power)))
