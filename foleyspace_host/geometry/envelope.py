"""The level of a source over time, from its keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.geometry.trajectory import Source

__all__ = ["GainEnvelope"]


@dataclass(frozen=True, slots=True, eq=False)
class GainEnvelope:
    """Level of a source at any time, relative to the source's own level.

    Parameters
    ----------
    t_s : ndarray, shape (n_keys,)
        Times of the keys, strictly increasing [s].
    gain_db : ndarray, shape (n_keys,)
        Levels at the keys [dB].
    cut : ndarray of bool, shape (n_keys,)
        Whether the level jumps at the key instead of moving there.
    """

    t_s: NDArray[np.float64]
    gain_db: NDArray[np.float64]
    cut: NDArray[np.bool_]

    @classmethod
    def from_source(cls, source: Source) -> GainEnvelope | None:
        """Build the envelope of a source; None where every key has 0 dB.

        Parameters
        ----------
        source : Source
            Keys with levels.

        Returns
        -------
        GainEnvelope or None
        """
        if not any(key.gain_db for key in source.keys):
            return None
        table = np.array([(key.t_s, key.gain_db, key.cut) for key in source.keys], dtype=np.float64)
        return cls(table[:, 0], table[:, 1], table[:, 2].astype(np.bool_))

    def sample(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return linear factors at times.

        Parameters
        ----------
        t_s : array_like, shape (n,)
            Times [s].

        Returns
        -------
        ndarray, float64, shape (n,)
            Factors, linear in decibels between the keys; the first and the last key are held outside.
        """
        times = np.asarray(t_s, dtype=np.float64)
        gain_db = np.interp(times, self.t_s, self.gain_db)
        if self.cut.any():
            after = np.searchsorted(self.t_s, times, side="right")
            held = (after > 0) & (after < len(self.t_s)) & self.cut[np.minimum(after, len(self.t_s) - 1)]
            gain_db[held] = self.gain_db[after[held] - 1]
        factors: NDArray[np.float64] = 10.0 ** (gain_db / 20.0)
        return factors
