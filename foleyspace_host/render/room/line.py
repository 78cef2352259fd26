"""A sound that any number of images read, each with its own sliding delay."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.images import TERMS, polynomials

__all__ = ["SoundLine"]

_HALF_TAPS = 16  # samples before and after that a value between samples depends on
_PASS = 0.83  # of the Nyquist frequency, above which readings may be anything small
_WEIGHT_ABOVE = 1e-3
_SPARE = 2


class SoundLine:
    """The past of a sound, as a polynomial in time around each sample.

    A delayed reading is the value of a polynomial, at a few operations a sample, however the delay slides
    (C. W. Farrow: "A continuously variable digital delay element", ISCAS 1988). Its terms are filters, which
    are applied once for all images.

    Parameters
    ----------
    behind, ahead : int
        How far back, and how far into the future, readings may reach [samples].
    span : int
        Samples that are read between two calls of `push`.

    Attributes
    ----------
    terms : ndarray, float32, shape (5, length)
        The polynomials.
    n_ahead : int
        How much more than is read `push` must have brought before [samples].
    """

    def __init__(self, behind: int, ahead: int, span: int) -> None:
        self.n_ahead = ahead + _HALF_TAPS + _SPARE
        self.terms = np.zeros((TERMS, behind + span + ahead + 2 * _SPARE), dtype=np.float32)
        self._held = np.zeros(2 * _HALF_TAPS, dtype=np.float32)
        self._end = -_HALF_TAPS  # sample number behind the last column

    def push(self, sound: NDArray[np.float32]) -> None:
        """Take the next samples, shape (n,)."""
        joined = np.concatenate([self._held, sound])
        self._held = joined[-2 * _HALF_TAPS :].copy()
        self._end += len(sound)
        new = polynomials(joined, _term_filters())[:, -self.terms.shape[1] :]
        kept = self.terms.shape[1] - new.shape[1]
        self.terms[:, :kept] = self.terms[:, new.shape[1] :]
        self.terms[:, kept:] = new

    def column(self, sample: int) -> int:
        """Return where a sample stands in `terms`."""
        return sample - (self._end - self.terms.shape[1])


@lru_cache(maxsize=1)
def _term_filters() -> NDArray[np.float32]:
    """Taps of the filters whose outputs are the terms, shape (5, 32); see `polynomials`.

    At each frequency w the terms approximate exp(j w t), for t from -1/2 to 1/2, with the least squares of the
    errors at Chebyshev's nodes, and the filters those: together to -82 dB below a quarter of the Nyquist
    frequency, -71 dB at 0.6 and -59 dB at 0.8.
    """
    turn = np.linspace(0.0, np.pi, 257)
    weight = np.where(turn <= _PASS * np.pi, 1.0, _WEIGHT_ABOVE)
    nodes = 0.5 * np.cos(np.pi * (np.arange(32) + 0.5) / 32)
    powers = (nodes[:, None] ** np.arange(TERMS)).astype(np.complex128)
    wanted = np.linalg.lstsq(powers, np.exp(1j * nodes[:, None] * turn), rcond=None)[0]
    wanted[:, turn > _PASS * np.pi] = 0.0
    later = np.arange(1, _HALF_TAPS)
    taps = np.zeros((TERMS, 2 * _HALF_TAPS))
    for term in range(TERMS):  # even ones are real and symmetric, odd ones imaginary and antisymmetric
        even = term % 2 == 0
        waves = np.cos(turn[:, None] * np.arange(_HALF_TAPS)) if even else np.sin(turn[:, None] * later)
        target = wanted[term].real if even else wanted[term].imag
        side = np.linalg.lstsq(waves * weight[:, None], target * weight, rcond=None)[0]
        if even:
            taps[term, _HALF_TAPS], side = side[0], side[1:]
        taps[term, _HALF_TAPS + later] = 0.5 * side
        taps[term, _HALF_TAPS - later] = 0.5 * side if even else -0.5 * side
    return taps.astype(np.float32)
