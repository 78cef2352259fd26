"""When the sound reaches each ear: travel times of measured impulse responses.

No one estimator suits all sets: a threshold 20 dB below the peak is best for clean responses, and meets
the ringing before the onset in equalised ones. So each set is aligned by the estimator with which its own
directions are best predicted from their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.align import aligned_spectra
from foleyspace_host.hrtf.refine import stencils

__all__ = ["ESTIMATORS", "best_onsets", "minimum_phase_lag", "threshold_onset"]

Floats = NDArray[np.float64]

_OVERSAMPLING = 16
_JUDGED_DIRECTIONS = 120
_JUDGED_BAND_HZ = (200.0, 4000.0)  # where ears hear time differences, and a little above
_CLEARLY_BETTER_DB = 0.3
_LAG_CUTOFF_HZ = 1500.0


def threshold_onset(hrirs: Floats, threshold_db: float, block: int = 256) -> Floats:
    """First crossing of a threshold below each response's own peak.

    Parameters
    ----------
    hrirs : ndarray, shape (n_directions, 2, n_taps)
        Impulse responses.
    threshold_db : float
        Level re the peak of the same response [dB].
    block : int
        Directions that are oversampled at a time, which bounds memory.

    Returns
    -------
    ndarray, float64, shape (n_directions, 2)
        Onsets on a 16 times oversampled and linearly interpolated magnitude [samples]; 0 for silence.
    """
    from scipy import fft

    n_fft = fft.next_fast_len(hrirs.shape[-1], real=True)
    onset = np.zeros(hrirs.shape[:2])
    for start in range(0, len(hrirs), block):
        part = hrirs[start : start + block]
        fine = np.abs(fft.irfft(fft.rfft(part, n_fft), n_fft * _OVERSAMPLING))
        threshold = fine.max(axis=-1) * 10.0 ** (threshold_db / 20.0)
        index = (fine >= threshold[..., None]).argmax(axis=-1)
        above = np.take_along_axis(fine, index[..., None], -1)[..., 0]
        below = np.take_along_axis(fine, np.maximum(index - 1, 0)[..., None], -1)[..., 0]
        rise = np.where(above > below, above - below, 1.0)
        crossing = index - 1 + np.clip((threshold - below) / rise, 0.0, 1.0)
        onset[start : start + block] = np.where(index > 0, crossing, 0.0) / _OVERSAMPLING
    return onset


def minimum_phase_lag(hrirs: Floats, sample_rate_hz: int, block: int = 256) -> Floats:
    """Lag of each response behind its minimum-phase version, below about 1.5 kHz (Nam et al. 2008).

    Parameters
    ----------
    hrirs : ndarray, shape (n_directions, 2, n_taps)
        Impulse responses.
    sample_rate_hz : int
        Sampling rate [Hz].
    block : int
        Directions that are transformed at a time.

    Returns
    -------
    ndarray, float64, shape (n_directions, 2)
        Maximum of the cross-correlation, on an 8 times oversampled lag axis with a parabola [samples].
    """
    n_taps = hrirs.shape[-1]
    n_fft, fine = 1 << (2 * n_taps - 1).bit_length(), 8
    low_pass = np.exp(-0.5 * (np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz) / _LAG_CUTOFF_HZ) ** 2)
    fold = np.zeros(n_fft)
    fold[0] = fold[n_fft // 2] = 1.0
    fold[1 : n_fft // 2] = 2.0
    lag = np.empty(hrirs.shape[:2])
    for start in range(0, len(hrirs), block):
        spectrum = np.fft.rfft(hrirs[start : start + block], n_fft)
        size = np.abs(spectrum)
        floor = np.maximum(1e-6 * size.max(axis=-1, keepdims=True), 1e-30)
        cepstrum = np.fft.irfft(np.log(np.maximum(size, floor)), n_fft)
        minimum_phase = np.exp(np.fft.rfft(cepstrum * fold))
        correlation = np.fft.irfft(spectrum * np.conj(minimum_phase) * low_pass, n_fft * fine)
        correlation = correlation[..., : n_taps * fine]
        peak = np.clip(correlation.argmax(axis=-1), 1, n_taps * fine - 2)
        before, top, after = (
            np.take_along_axis(correlation, (peak + step)[..., None], -1)[..., 0] for step in (-1, 0, 1)
        )
        curve = before - 2.0 * top + after
        offset = np.where(curve < 0.0, 0.5 * (before - after) / np.where(curve < 0.0, curve, 1.0), 0.0)
        lag[start : start + block] = (peak + np.clip(offset, -1.0, 1.0)) / fine
    return lag


ESTIMATORS: dict[str, Callable[[Floats, int], Floats]] = {
    "threshold -20 dB": lambda hrirs, _: threshold_onset(hrirs, -20.0),
    "threshold -12 dB": lambda hrirs, _: threshold_onset(hrirs, -12.0),
    "threshold -6 dB": lambda hrirs, _: threshold_onset(hrirs, -6.0),
    "minimum-phase lag": minimum_phase_lag,
}
"""Estimators in order of preference; a later one is taken only where it is clearly better."""


def best_onsets(unit: Floats, hrirs: Floats, sample_rate_hz: int) -> tuple[Floats, str]:
    """Onsets by the estimator that suits the set.

    Parameters
    ----------
    unit : ndarray, shape (n_directions, 3)
        Directions.
    hrirs : ndarray, shape (n_directions, 2, n_taps)
        Impulse responses.
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    onset : ndarray, float64, shape (n_directions, 2)
        Onsets [samples].
    estimator : str
        Its name in `ESTIMATORS`.
    """
    judged = np.unique(np.linspace(0, len(unit) - 1, _JUDGED_DIRECTIONS).astype(int))
    neighbours, weights = stencils(unit, unit[judged], leave_out=judged)
    used, local = np.unique(np.concatenate([judged, neighbours.ravel()]), return_inverse=True)
    local_judged, local_neighbours = local[: len(judged)], local[len(judged) :].reshape(neighbours.shape)
    n_fft = 1 << (hrirs.shape[-1] + 64).bit_length()
    frequency = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    band = (frequency >= _JUDGED_BAND_HZ[0]) & (frequency <= _JUDGED_BAND_HZ[1])
    truth = np.fft.rfft(hrirs[judged], n_fft)[..., band]
    power = np.maximum((np.abs(truth) ** 2).sum(axis=-1), 1e-30)

    best_name, best_db = "", np.inf
    for name, estimate in ESTIMATORS.items():
        onset = estimate(hrirs[used], sample_rate_hz)
        aligned = aligned_spectra(hrirs[used], onset, n_fft)[..., band]
        predicted = np.einsum("qk,qkef->qef", weights, aligned[local_neighbours])
        shift = onset[local_judged] - np.einsum("qk,qke->qe", weights, onset[local_neighbours])
        target = aligned[local_judged]
        predicted *= np.exp(2j * np.pi * (frequency[band] / sample_rate_hz) * shift[..., None])
        error = (np.abs(predicted - target) ** 2).sum(axis=-1) / power
        error_db = float(10.0 * np.log10(np.mean(np.minimum(error, 4.0)) + 1e-12))
        if error_db < best_db - (_CLEARLY_BETTER_DB if best_name else 0.0):
            best_name, best_db = name, error_db
    return ESTIMATORS[best_name](hrirs, sample_rate_hz), best_name
