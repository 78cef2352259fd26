"""Noise that belongs to a place in time: the same for a frame however a sound is cut.

A counter-based generator (J. Salmon and others: "Parallel random numbers: as easy as 1, 2, 3", SC 2011) is keyed by
the seed and counts from the frame's number on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import N_BINS
from foleyspace_host.errors import InvalidInput

__all__ = ["MAX_SEED", "checked_seed", "frame_noise"]

MAX_SEED = 1 << 53
"""Largest seed."""

_FIRST = 1 << 40  # frames may be counted from before the beginning
_OF_A_COUNT = 4  # numbers of 64 bits that a state of the counter gives


def checked_seed(seed: int) -> int:
    """Return a seed that can be used.

    Parameters
    ----------
    seed : int
        0 to `MAX_SEED`.

    Returns
    -------
    int
        The same.

    Raises
    ------
    InvalidInput
        If it is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InvalidInput(f"{seed} is outside 0 to {MAX_SEED}", where="seed")
    return seed


def frame_noise(seed: int, first: int, n_frames: int, n_channels: int = 2) -> NDArray[np.float32]:
    """Return complex Gaussian noise of power 1.

    Parameters
    ----------
    seed : int
        0 to `MAX_SEED`.
    first : int
        Number of the first frame; may be negative.
    n_frames : int
        How many frames.
    n_channels : int
        Channels, each with a noise of its own.

    Returns
    -------
    ndarray, float32, shape (2 n_channels, N_BINS, n_frames)
        Real and imaginary part of each channel in turn.
    """
    a_frame = n_channels * N_BINS
    counts = a_frame // _OF_A_COUNT
    generator = np.random.Philox(key=seed, counter=(_FIRST + first) * counts)
    raw = generator.random_raw(n_frames * a_frame).reshape(n_frames, n_channels, N_BINS)
    # G. Box, M. Muller, Ann. Math. Stat. 29, 1958, without the factor of sqrt 2: the power is that of both parts
    uniform = ((raw >> np.uint64(32)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    size = np.sqrt(-np.log(np.minimum(uniform, np.float32(1.0 - 2.0**-24))))
    angle = (raw & np.uint64(0xFFFFFFFF)).astype(np.float32) * np.float32(2.0 * np.pi * 2.0**-32)
    noise = np.empty((2 * n_channels, N_BINS, n_frames), dtype=np.float32)
    noise[0::2] = (size * np.cos(angle)).transpose(1, 2, 0)
    noise[1::2] = (size * np.sin(angle)).transpose(1, 2, 0)
    return noise
