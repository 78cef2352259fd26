"""Blocks of any size, taken in any size."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput, NonFinite
from foleyspace_host.kernels.meters import largest

__all__ = ["Feed"]


class Feed:
    """A clip that arrives in blocks; silence follows the last.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (n_channels, any)
        The clip in order.
    n_channels : int
        Channels that are needed; further ones are left out.
    """

    def __init__(self, blocks: Iterable[NDArray[np.float32]], n_channels: int) -> None:
        self._blocks = iter(blocks)
        self._n_channels = n_channels
        self._rest = np.zeros((n_channels, 0), dtype=np.float32)

    def take(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        ndarray, float32, shape (n_channels, n_samples)

        Raises
        ------
        InvalidInput
            If the clip has too few channels.
        NonFinite
            If it holds NaN or infinite samples.
        """
        out = np.zeros((self._n_channels, n_samples), dtype=np.float32)
        filled = 0
        while filled < n_samples:
            if not self._rest.shape[1]:
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = self._checked(block)
            taken = min(self._rest.shape[1], n_samples - filled)
            out[:, filled : filled + taken] = self._rest[:, :taken]
            self._rest = self._rest[:, taken:]
            filled += taken
        return out

    def _checked(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        samples = np.atleast_2d(np.asarray(block, dtype=np.float32))
        if len(samples) < self._n_channels:
            raise InvalidInput(f"a clip of {len(samples)} channels where {self._n_channels} are needed", where="audio")
        if not isfinite(largest(samples)):
            raise NonFinite("the audio holds NaN or infinite samples", cure="repair or re-export it")
        return samples[: self._n_channels]
