"""From real numbers to integers, with dither instead of distortion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DITHER_SEED", "Quantizer"]

DITHER_SEED = 1770
"""Where the noise starts: the same sound always gives the same integers."""


class Quantizer:
    """Rounds a stream of samples to so many bits.

    Noise of triangular density, two steps wide and one third of a step squared in power on top of the
    rounding, makes the error independent of the sound (S. P. Lipshitz, R. A. Wannamaker, J. Vanderkooy:
    "Quantization and dither: a theoretical survey", J. Audio Eng. Soc. 40, 1992). Samples that are exactly
    zero stay zero: digital silence remains what it is.

    Parameters
    ----------
    n_bits : int
        Bits of the integers, 2 to 24.
    n_channels : int
        Number of channels; each has noise of its own.
    """

    def __init__(self, n_bits: int, n_channels: int) -> None:
        self._full = float(1 << (n_bits - 1))
        self._n_channels = n_channels
        self._noise = np.random.Generator(np.random.PCG64(DITHER_SEED))

    def quantize(self, block: NDArray[np.float32], gain: float = 1.0) -> NDArray[np.int32]:
        """Round the next samples.

        Parameters
        ----------
        block : ndarray, shape (n_channels, n)
            Samples, nominally within +-1; how a stream is cut into blocks does not change the result.
        gain : float
            Linear factor applied first.

        Returns
        -------
        ndarray, int32, shape (n_channels, n)
            Steps; +-1 is 2 to the power of n_bits - 1, and what lies beyond the largest step is clipped to it.
        """
        # in order of time, so that the noise of a sample does not depend on the blocks
        noise = self._noise.random((block.shape[1], self._n_channels, 2), dtype=np.float32)
        steps = block * np.float64(gain * self._full)
        silent = steps == 0.0
        steps += (noise[..., 0] - noise[..., 1]).T
        np.rint(steps, out=steps)
        steps[silent] = 0.0
        return np.clip(steps, -self._full, self._full - 1.0).astype(np.int32)
