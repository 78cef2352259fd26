"""Impulse responses with their travel times taken out, and at other sampling rates.

Responses of neighbouring directions differ by their travel time most of all; averaged as they stand they
comb. So the time is taken out, interpolated on its own, and given back by the renderer's delay line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

__all__ = ["Alignment", "linear_phase", "pre_roll_samples"]

_PRE_ROLL_S = 0.0005
_FEWEST_PRE_ROLL_SAMPLES = 24
_DRIFT_SAMPLES = 1e-3
_FADED_SHARE = 0.05


def pre_roll_samples(sample_rate_hz: int) -> int:
    """Where the onsets of aligned responses lie [samples]: 0.5 ms, room for what sounds before the onset."""
    return max(_FEWEST_PRE_ROLL_SAMPLES, ceil(_PRE_ROLL_S * sample_rate_hz))


def linear_phase(advance_samples: NDArray[np.float64], n_bins: int, n_fft: int) -> NDArray[np.complex64]:
    """Spectra of an advance in time.

    Parameters
    ----------
    advance_samples : ndarray, shape (...)
        Advance [samples].
    n_bins : int
        Bins wanted, from 0.
    n_fft : int
        Transform length.

    Returns
    -------
    ndarray, complex64, shape (..., n_bins)
        exp(2 pi i k advance / n_fft), as products of a coarse and a fine table.
    """
    step = max(int(np.sqrt(n_bins)), 1)
    turn = (2j * np.pi / n_fft) * advance_samples[..., None]
    fine = np.exp(turn * np.arange(step)).astype(np.complex64)
    coarse = np.exp(turn * np.arange(0, n_bins, step)).astype(np.complex64)
    product = coarse[..., :, None] * fine[..., None, :]
    return product.reshape(*advance_samples.shape, -1)[..., :n_bins]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Transforms measured responses into aligned spectra at the rate of rendering, and those into responses.

    Parameters
    ----------
    n_taps_in, n_taps : int
        Length of the measured responses at their rate, and of the aligned ones at the rate wanted.
    n_fft_in, n_fft : int
        Transform lengths at both rates, in the ratio of the rates.
    pre_roll_in : float
        Where onsets come to lie, at the rate of the measurement [samples].
    """

    n_taps_in: int
    n_taps: int
    n_fft_in: int
    n_fft: int
    pre_roll_in: float

    @classmethod
    def between(cls, n_taps_in: int, first_onset: float, from_hz: int, to_hz: int) -> Alignment:
        """Plan the transforms.

        Parameters
        ----------
        n_taps_in : int
            Length of the measured responses [samples].
        first_onset : float
            Earliest onset in them [samples at `from_hz`].
        from_hz, to_hz : int
            Rates of the measurement and of rendering [Hz].
        """
        pre_roll_in = pre_roll_samples(to_hz) * from_hz / to_hz
        length_in = n_taps_in + pre_roll_in - first_onset
        n_taps = ceil(length_in * to_hz / from_hz)
        # circular: the room behind the responses takes what a shift moves out before their beginning
        n_fft_in, n_fft = _lengths(ceil(length_in + 3.0 * pre_roll_in), from_hz, to_hz)
        return cls(n_taps_in, n_taps, n_fft_in, n_fft, pre_roll_in)

    def cut_to(self, n_taps: int) -> Alignment:
        """Return the same plan with shorter results [samples]; the transforms stay long, so that nothing wraps."""
        return replace(self, n_taps=min(n_taps, self.n_taps))

    @property
    def n_bins(self) -> int:
        """Bins of the aligned spectra."""
        return self.n_fft // 2 + 1

    def spectra(self, hrirs: NDArray[np.float32], onset: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Spectra, at the rate of rendering, of responses whose onsets are moved to the pre-roll.

        Parameters
        ----------
        hrirs : ndarray, float32, shape (..., n_taps_in)
            Measured responses.
        onset : ndarray, shape (...)
            Their onsets [samples at the rate of the measurement].

        Returns
        -------
        ndarray, complex64, shape (..., n_fft // 2 + 1)
            Cut or continued by zeros; the top 5 % below the lower Nyquist frequency fade out, so that
            nothing rings.
        """
        from scipy import fft

        kept = min(self.n_fft_in // 2 + 1, self.n_bins)
        spectra: NDArray[np.complex64] = fft.rfft(hrirs, self.n_fft_in)[..., :kept]
        spectra = spectra * linear_phase(onset - self.pre_roll_in, kept, self.n_fft_in)
        if self.n_fft_in == self.n_fft:
            return spectra
        taper = np.clip((1.0 - np.arange(kept) / (kept - 1)) / _FADED_SHARE, 0.0, 1.0)
        spectra *= (np.sin(0.5 * np.pi * taper) ** 2).astype(np.float32)
        if kept == self.n_bins:
            return spectra
        padding = [(0, 0)] * (spectra.ndim - 1) + [(0, self.n_bins - kept)]
        return np.pad(spectra, padding)

    def responses(self, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Responses at the rate of rendering, shape (..., n_taps), of aligned spectra."""
        from scipy import fft

        time: NDArray[np.float32] = fft.irfft(spectra, self.n_fft)[..., : self.n_taps]
        return time


def _lengths(shortest: int, from_hz: int, to_hz: int) -> tuple[int, int]:
    """Transform lengths in the ratio of the rates, or so near it that a response drifts by 0.001 samples."""
    from scipy import fft

    if from_hz == to_hz:
        length = 2 * int(fft.next_fast_len(-(-shortest // 2), real=True))
        return length, length
    common = int(np.gcd(from_hz, to_hz))
    period_in, period_out = from_hz // common, to_hz // common
    if period_in <= shortest:
        periods = int(fft.next_fast_len(-(-shortest // period_in), real=True))
        return periods * period_in, periods * period_out
    lengths_in = np.arange(shortest, 4 * shortest)
    lengths_out = np.round(lengths_in * (to_hz / from_hz)).astype(np.int64)
    drift = shortest * np.abs(lengths_out * (from_hz / to_hz) / lengths_in - 1.0)
    good = np.flatnonzero(drift <= max(_DRIFT_SAMPLES, float(drift.min())))[0]
    return int(lengths_in[good]), int(lengths_out[good])
