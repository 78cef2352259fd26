"""When the sound reaches each ear: travel times of measured impulse responses.

No one estimator suits all sets: a threshold 20 dB below the peak is best for clean responses, and meets
the ringing before the onset in equalised ones. So each set is aligned by the estimator with which its own
directions are best predicted from their neighbours.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.refine import stencils

__all__ = ["ESTIMATORS", "best_onsets", "minimum_phase_lag", "threshold_onsets"]

Floats = NDArray[np.float64]
Responses = NDArray[np.float32]

_OVERSAMPLING = 4
_FINE_STEPS = 16
_JUDGED_DIRECTIONS = 100
_JUDGED_NEIGHBOURS = 12
_JUDGED_BAND_HZ = (200.0, 4000.0)  # where ears hear time differences, and a little above
_CLEARLY_BETTER_DB = 0.3
_LAG_CUTOFF_HZ = 1500.0
_LAG_RATE_HZ = 64_000  # at least; a parabola through three lags of a sound below 1.5 kHz is then exact to 0.1 us

ESTIMATORS: dict[str, float | None] = {
    "threshold -20 dB": -20.0,
    "threshold -12 dB": -12.0,
    "threshold -6 dB": -6.0,
    "minimum-phase lag": None,
}
"""Estimators and their thresholds in order of preference; a later one is taken only where it is clearly better."""


def threshold_onsets(hrirs: Responses, thresholds_db: list[float], block: int = 256) -> Floats:
    """First crossing of thresholds below each response's own peak.

    Parameters
    ----------
    hrirs : ndarray, shape (n_directions, 2, n_taps)
        Impulse responses.
    thresholds_db : list of float
        Levels re the peak of the same response [dB].
    block : int
        Directions that are oversampled at a time, which bounds memory.

    Returns
    -------
    ndarray, float64, shape (n_thresholds, n_directions, 2)
        Onsets [samples]: on the magnitude at 4 times the rate, cubically interpolated; 0 for silence.
    """
    from scipy import fft

    n_fft = fft.next_fast_len(hrirs.shape[-1], real=True)
    onsets = np.zeros((len(thresholds_db), *hrirs.shape[:2]))
    for start in range(0, len(hrirs), block):
        part = slice(start, min(start + block, len(hrirs)))
        fine = np.abs(fft.irfft(fft.rfft(hrirs[part], n_fft), n_fft * _OVERSAMPLING))
        fine *= _OVERSAMPLING  # only ratios matter, but denormal numbers are slow
        peak = fine.max(axis=-1)
        for which, threshold_db in enumerate(thresholds_db):
            onsets[which, part] = _crossing(fine, peak * 10.0 ** (threshold_db / 20.0)) / _OVERSAMPLING
    return onsets


def _crossing(values: Responses, threshold: Floats) -> Floats:
    """Index at which values first reach a threshold, shape (n, 2); 0 where they start above it."""
    index = (values >= threshold[..., None]).argmax(axis=-1)
    last = values.shape[-1] - 1
    before, below, above, after = (
        np.take_along_axis(values, np.clip(index + step, 0, last)[..., None], -1).astype(np.float64)
        for step in (-2, -1, 0, 1)
    )
    x = np.linspace(0.0, 1.0, _FINE_STEPS + 1)  # Lagrange's cubic through four points, between the middle two
    curve = (
        before * (-x * (x - 1.0) * (x - 2.0) / 6.0)
        + below * ((x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0)
        + above * (-(x + 1.0) * x * (x - 2.0) / 2.0)
        + after * ((x + 1.0) * x * (x - 1.0) / 6.0)
    )
    curve[..., -1:] = above
    step = np.maximum((curve >= threshold[..., None]).argmax(axis=-1), 1)
    high = np.take_along_axis(curve, step[..., None], -1)[..., 0]
    low = np.take_along_axis(curve, step[..., None] - 1, -1)[..., 0]
    rise = np.where(high > low, high - low, 1.0)
    offset = (step - 1 + np.clip((threshold - low) / rise, 0.0, 1.0)) / _FINE_STEPS
    crossing: Floats = np.where(index > 0, index - 1 + offset, 0.0)
    return crossing


def minimum_phase_lag(hrirs: Responses, sample_rate_hz: int, block: int = 256) -> Floats:
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
        Maximum of the cross-correlation with a parabola through three lags [samples].
    """
    from scipy import fft

    n_taps = hrirs.shape[-1]
    n_fft, fine = 1 << (2 * n_taps - 1).bit_length(), ceil(_LAG_RATE_HZ / sample_rate_hz)
    low_pass = np.exp(-0.5 * (np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz) / _LAG_CUTOFF_HZ) ** 2)
    heard = int(np.searchsorted(-low_pass, -1e-7))  # what lies above adds nothing
    fold = np.zeros(n_fft, dtype=np.float32)
    fold[0] = fold[n_fft // 2] = 1.0
    fold[1 : n_fft // 2] = 2.0
    lag = np.empty(hrirs.shape[:2])
    for start in range(0, len(hrirs), block):
        spectrum = fft.rfft(hrirs[start : start + block], n_fft)
        size = np.abs(spectrum)
        floor = np.maximum(1e-6 * size.max(axis=-1, keepdims=True), np.float32(1e-30))
        cepstrum = fft.irfft(np.log(np.maximum(size, floor)), n_fft)
        phase = fft.rfft(cepstrum * fold)[..., :heard].imag
        # the minimum-phase version has the same magnitude: only its phase is taken out
        crossed = spectrum[..., :heard] * size[..., :heard] * np.exp(-1j * phase) * low_pass[:heard]
        correlation = fft.irfft(crossed.astype(np.complex128), n_fft * fine)[..., : n_taps * fine]
        peak = np.clip(correlation.argmax(axis=-1), 1, n_taps * fine - 2)
        before, top, after = (
            np.take_along_axis(correlation, (peak + step)[..., None], -1)[..., 0] for step in (-1, 0, 1)
        )
        curve = before - 2.0 * top + after
        offset = np.where(curve < 0.0, 0.5 * (before - after) / np.where(curve < 0.0, curve, 1.0), 0.0)
        lag[start : start + block] = (peak + np.clip(offset, -1.0, 1.0)) / fine
    return lag


def best_onsets(unit: Floats, hrirs: Responses, sample_rate_hz: int) -> tuple[Floats, str]:
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
    neighbours, weights = stencils(unit, unit[judged], n_neighbours=_JUDGED_NEIGHBOURS, leave_out=judged)
    used, local = np.unique(np.concatenate([judged, neighbours.ravel()]), return_inverse=True)
    onsets = _all_onsets(hrirs[used], sample_rate_hz)
    band_spectra, cycles = _judged_band(hrirs[used], sample_rate_hz)
    local_judged, local_neighbours = local[: len(judged)], local[len(judged) :].reshape(neighbours.shape)
    truth = band_spectra[local_judged]
    power = np.maximum((np.abs(truth) ** 2).sum(axis=-1), 1e-30)

    best, best_db = "", np.inf
    for name, onset in onsets.items():
        # each neighbour's response at the travel time that the neighbours predict for the judged direction
        predicted_onset = np.einsum("qk,qke->qe", weights, onset[local_neighbours])
        aligned = band_spectra * np.exp(2j * np.pi * cycles * onset[..., None])
        predicted = np.einsum("qk,qkef->qef", weights, aligned[local_neighbours])
        predicted *= np.exp(-2j * np.pi * cycles * predicted_onset[..., None])
        error = (np.abs(predicted - truth) ** 2).sum(axis=-1) / power
        error_db = float(10.0 * np.log10(np.mean(np.minimum(error, 4.0)) + 1e-12))
        if error_db < best_db - (_CLEARLY_BETTER_DB if best else 0.0):
            best, best_db = name, error_db
    threshold_db = ESTIMATORS[best]
    if threshold_db is None:
        return minimum_phase_lag(hrirs, sample_rate_hz), best
    return threshold_onsets(hrirs, [threshold_db])[0], best


def _all_onsets(hrirs: Responses, sample_rate_hz: int) -> dict[str, Floats]:
    thresholds = {name: level for name, level in ESTIMATORS.items() if level is not None}
    found = dict(zip(thresholds, threshold_onsets(hrirs, list(thresholds.values())), strict=True))
    return {name: found[name] if name in found else minimum_phase_lag(hrirs, sample_rate_hz) for name in ESTIMATORS}


def _judged_band(hrirs: Responses, sample_rate_hz: int) -> tuple[NDArray[np.complex64], Floats]:
    """Spectra in the judged band, and its frequencies [cycles per sample]."""
    from scipy import fft

    n_fft = int(fft.next_fast_len(hrirs.shape[-1] + 64, real=True))
    frequency = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    band = (frequency >= _JUDGED_BAND_HZ[0]) & (frequency <= _JUDGED_BAND_HZ[1])
    spectra: NDArray[np.complex64] = fft.rfft(hrirs, n_fft)[..., band]
    return spectra, frequency[band] / sample_rate_hz
