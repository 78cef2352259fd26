"""What is to be expected between few measured directions: the trend that their interpolation departs from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.align import linear_phase
from foleyspace_host.hrtf.ear_prior import EarPrior, on_grid
from foleyspace_host.hrtf.listener import BANDS_HZ, band_levels_db, band_weights, erb_number
from foleyspace_host.hrtf.onset import best_onsets
from foleyspace_host.hrtf.refine import Stencil, stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs

__all__ = ["FEW_DIRECTIONS", "Expected", "ear_traits", "ears_on_grid", "expected_traits"]

FEW_DIRECTIONS = 120
"""Measured directions below which what ears have in common helps; at 300 they lie 12 degrees apart."""

_TIMES_HZ = (200.0, 400.0, 800.0, 1500.0)  # octaves whose times of arrival are told apart
_HIGH_HZ = 3000.0  # from which on the onset alone counts
_N_FFT = 1024  # at least
_MOST_DB = 6.0  # that what was interpolated is moved by

Floats = NDArray[np.float64]


def ear_traits(measured: MeasuredHrirs, onset_samples: Floats) -> Floats:
    """Return the traits of measured responses that `EarPrior` knows.

    Parameters
    ----------
    measured : MeasuredHrirs
        Responses.
    onset_samples : ndarray, float64, shape (n, 2)
        Their onsets [samples].

    Returns
    -------
    ndarray, float64, shape (n, 2, 37)
        Levels in `BANDS_HZ` [dB], when sound arrives in four octaves from 200 Hz on, and its onset [us].
    """
    from scipy import fft

    rate = measured.sample_rate_hz
    n_fft = max(int(fft.next_fast_len(measured.hrirs.shape[-1], real=True)), _N_FFT)
    hz = np.arange(n_fft // 2 + 1) * (rate / n_fft)
    aligned = fft.rfft(measured.hrirs, n_fft) * linear_phase(onset_samples, len(hz), n_fft)
    # less the phase that all directions share, which is that of loudspeakers and microphones
    shared = (aligned / np.maximum(np.abs(aligned), 1e-12)).sum(axis=0, keepdims=True)
    aligned = aligned * shared.conj()
    onset_s = (onset_samples + measured.delay_samples) / rate
    times_s = []
    for centre_hz in _TIMES_HZ:
        octave = np.abs(np.log2(np.maximum(hz, 1.0) / centre_hz)) <= 0.5
        # how much later than the onset: the line through zero that is nearest to the phases
        weight, turn = np.abs(aligned[..., octave]), np.angle(aligned[..., octave])
        slope = (weight * turn).sum(axis=-1) / np.maximum((weight * hz[octave]).sum(axis=-1), 1e-12)
        times_s.append(onset_s - slope / (2.0 * np.pi))
    times_us = 1e6 * np.stack([*times_s, onset_s], axis=2)
    return np.concatenate([band_levels_db(measured.hrirs, rate), times_us], axis=2)


def ears_on_grid(measured: MeasuredHrirs) -> Floats:
    """Return what `learn_ears` learns from a dense set, shape (37, 2, n_grid)."""
    onset, _ = best_onsets(measured.unit, measured.hrirs, measured.sample_rate_hz)
    return on_grid(measured.unit, ear_traits(measured, onset))


def expected_traits(prior: EarPrior, unit: Floats, traits: Floats, made: Stencil) -> Floats:
    """Return the traits that are to be expected in directions.

    What ears have in common is trusted in each trait as far as it proves itself: it has to miss measurements, of which
    it is given the others, by less than a spline through these does. Else the spline is what is expected.

    Parameters
    ----------
    prior : EarPrior
        What ears have in common.
    unit : ndarray, float64, shape (n_measured + n_made, 3)
        Directions, measured ones first.
    traits : ndarray, float64, shape (n_measured, 2, 37)
        From `ear_traits`.
    made : Stencil
        What a spline makes the directions behind the measured ones of.

    Returns
    -------
    ndarray, float64, shape (n_measured + n_made, 2, 37)
    """
    measured = unit[: len(traits)]
    found, missed = prior.given(measured, traits, unit)
    alone = stencils(measured, measured, leave_out=np.arange(len(measured)))
    worse = np.square(missed).sum(axis=(0, 1)) >= np.square(traits - _carried(traits, alone)).sum(axis=(0, 1))
    found[..., worse] = np.concatenate([traits, _carried(traits, made)])[..., worse]
    return found


class Expected:
    """The trend of responses that is to be expected; see `expected_traits`.

    Parameters
    ----------
    prior, unit, traits, made
        As for `expected_traits`.
    frequency_hz : ndarray, float64, shape (n_bins,)
        Frequencies of the gains [Hz].

    Attributes
    ----------
    arrival_us : ndarray, float64, shape (n_measured + n_made, 2)
        When sound arrives [us].
    """

    def __init__(self, prior: EarPrior, unit: Floats, traits: Floats, made: Stencil, frequency_hz: Floats) -> None:
        found = expected_traits(prior, unit, traits, made)
        n_bands = len(BANDS_HZ)
        self.arrival_us = found[..., -1]
        self._level_db = found[..., :n_bands].astype(np.float32)
        self._later_us = (found[..., n_bands:-1] - found[..., -1:]).astype(np.float32)
        self._share = band_weights(frequency_hz).T.astype(np.float32)
        self._bands = _lines(erb_number(frequency_hz), erb_number(np.array(BANDS_HZ)))
        octaves = _lines(np.log(np.maximum(frequency_hz, 1.0)), np.log(np.array([*_TIMES_HZ, _HIGH_HZ])))[:-1]
        self._turn = (octaves * (-2e-6 * np.pi * frequency_hz)).astype(np.float32)

    def gains(self, rows: NDArray[np.int64]) -> NDArray[np.complex64]:
        """Return gains of aligned responses of the directions of these numbers, shape (n, 2, n_bins)."""
        level_db, turn = self._level_db[rows] @ self._bands, self._later_us[rows] @ self._turn
        gains: NDArray[np.complex64] = np.exp(level_db * np.float32(np.log(10.0) / 20.0) + 1j * turn)
        return gains

    def settled(self, rows: NDArray[np.int64], spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Give the trend back to spectra without it, and the levels that are expected to their bands."""
        made = spectra * self.gains(rows)
        power = np.square(made.real) + np.square(made.imag)
        level_db = 10.0 * np.log10(np.maximum(power @ self._share, 1e-20))
        lacking_db = np.clip(self._level_db[rows] - level_db, -_MOST_DB, _MOST_DB) @ self._bands
        made *= np.exp(lacking_db * np.float32(np.log(10.0) / 20.0))
        return made


def _carried(values: Floats, stencil: Stencil) -> Floats:
    """Carry values to other directions."""
    neighbours, weights = stencil
    carried: Floats = np.einsum("nk,nk...->n...", weights, values[neighbours])
    return carried


def _lines(at: Floats, centres: Floats) -> NDArray[np.float32]:
    """Weights of centres that make straight lines between them, and level ones beyond, shape (n_centres, n)."""
    place = np.interp(at, centres, np.arange(float(len(centres))))
    return np.maximum(1.0 - np.abs(place - np.arange(len(centres))[:, None]), 0.0).astype(np.float32)
