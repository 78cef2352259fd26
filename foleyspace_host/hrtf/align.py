"""Impulse responses with their travel times taken out, and at other sampling rates.

Responses of neighbouring directions differ by their travel time most of all; averaged as they stand they
comb. So the time is taken out, interpolated on its own, and given back by the renderer's delay line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PRE_ROLL_SAMPLES", "aligned_spectra", "resample_responses"]

PRE_ROLL_SAMPLES = 24
"""Where the onset of aligned responses lies [samples]: room for what sounds before the threshold."""


def aligned_spectra(hrirs: NDArray[np.float64], onset: NDArray[np.float64], n_fft: int) -> NDArray[np.complex128]:
    """Spectra of the responses with their onsets moved to `PRE_ROLL_SAMPLES`.

    Parameters
    ----------
    hrirs : ndarray, shape (..., n_taps)
        Impulse responses.
    onset : ndarray, shape (...)
        Their onsets [samples].
    n_fft : int
        Transform length, larger than `n_taps` plus `PRE_ROLL_SAMPLES`.

    Returns
    -------
    ndarray, complex128, shape (..., n_fft // 2 + 1)
        Spectra; a delay of PRE_ROLL_SAMPLES - onset is applied as a linear phase.
    """
    cycles = np.fft.rfftfreq(n_fft)
    advance = (onset - PRE_ROLL_SAMPLES)[..., None]
    return np.fft.rfft(hrirs, n_fft) * np.exp(2j * np.pi * cycles * advance)


def resample_responses(hrirs: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Resample impulse responses so that their frequency responses stay the same.

    Parameters
    ----------
    hrirs : ndarray, shape (..., n_taps)
        Impulse responses at `from_hz`.
    from_hz, to_hz : int
        Sampling rates [Hz].

    Returns
    -------
    ndarray, float64, shape (..., ceil(n_taps * to_hz / from_hz))
        Responses at `to_hz`. The spectrum is cut or continued by zeros; the top 5 % below the lower
        Nyquist frequency fade out, so that nothing rings.
    """
    if from_hz == to_hz:
        return hrirs
    n_taps = hrirs.shape[-1]
    common = np.gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    n_in = -(-2 * n_taps // down) * down  # a whole number of periods of both grids, zero padded
    n_out = n_in // down * up
    spectrum = np.fft.rfft(hrirs, n_in)
    n_keep = min(n_in, n_out) // 2 + 1
    taper = np.clip((1.0 - np.arange(n_keep) / (n_keep - 1)) / 0.05, 0.0, 1.0)
    kept = spectrum[..., :n_keep] * np.sin(0.5 * np.pi * taper) ** 2
    n_taps_out = -(-n_taps * to_hz // from_hz)
    return np.fft.irfft(kept, n_out)[..., :n_taps_out]
