"""Sounds as levels of bands over time: what the embedded model makes, before phases are found for it.

Frame k is centred at sample k * HOP. Its level is the mean square under the window, its bands are told in proportion to
that: white noise has 0 dB in every band. Bands are as far apart as a harmonic of a low voice is wide up to 1 kHz, and
equally far apart in pitch above (22 an octave), so that single partials stay apart as long as an ear hears them apart.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FLOOR_DB",
    "HOP",
    "LOWEST_BAND_DB",
    "N_BANDS",
    "N_BINS",
    "N_FFT",
    "SAMPLE_RATE_HZ",
    "analysed",
    "analysis",
    "bins_db",
    "centres_hz",
    "window",
]

SAMPLE_RATE_HZ = 48_000
"""Rate at which the model works [Hz]."""

N_FFT = 2048
"""Length of a frame [samples]: 43 ms."""

HOP = 512
"""Distance of frames [samples]: 10.7 ms."""

N_BINS = N_FFT // 2 + 1
"""Bins of a frame."""

N_BANDS = 128
"""Bands of a frame."""

FLOOR_DB = -60.0
"""Level of a frame re the loudest at and below which nothing is learnt [dB]."""

LOWEST_BAND_DB = -50.0
"""Level of a band below which it is as good as silent [dB re white noise of the frame's level]."""

_SPACING_HZ = 31.25
_LINEAR_TO_HZ = 1000.0
_HIGHEST_HZ = 20_000.0
_SILENT_DB = -200.0
_FRAMES_AT_A_TIME = 2048

Floats = NDArray[np.float32]


@cache
def centres_hz() -> NDArray[np.float64]:
    """Return the centre of each band, shape (N_BANDS,), 31.25 to 20,000 Hz."""
    n_linear = round(_LINEAR_TO_HZ / _SPACING_HZ)
    linear = _SPACING_HZ * np.arange(1, n_linear + 1)
    return np.concatenate([linear, np.geomspace(_LINEAR_TO_HZ, _HIGHEST_HZ, N_BANDS - n_linear + 1)[1:]])


@cache
def _places() -> NDArray[np.float64]:
    """Return where each bin lies among the bands, in bands, shape (N_BINS,)."""
    frequency_hz = np.arange(N_BINS) * (SAMPLE_RATE_HZ / N_FFT)
    return np.interp(frequency_hz, centres_hz(), np.arange(float(N_BANDS)))


@cache
def analysis() -> Floats:
    """Return how much each bin counts in each band, float32, shape (N_BANDS, N_BINS); each band adds up to 1."""
    share = np.maximum(0.0, 1.0 - np.abs(_places()[None] - np.arange(N_BANDS)[:, None]))
    frequency_hz = np.arange(N_BINS) * (SAMPLE_RATE_HZ / N_FFT)
    share[:, (frequency_hz < 0.5 * _SPACING_HZ) | (frequency_hz > _HIGHEST_HZ * 1.03)] = 0.0
    return np.asarray(share / share.sum(axis=1, keepdims=True), dtype=np.float32)


def window() -> Floats:
    """Return a periodic Hann window, float32, shape (N_FFT,)."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)


def analysed(samples: Floats) -> tuple[Floats, Floats]:
    """Measure a sound.

    Parameters
    ----------
    samples : ndarray, float32, shape (n_samples,)
        Sound at 48 kHz.

    Returns
    -------
    tuple of 2 ndarrays, float32, shapes (n_frames,) and (N_BANDS, n_frames)
        Level of each of ceil(n_samples / HOP) frames [dB re 1], at least -200; and its bands [dB re white noise of that
        level], at least `LOWEST_BAND_DB`, which they are where there is silence.
    """
    n_frames = -(-len(samples) // HOP)
    padded = np.zeros(max(n_frames - 1, 0) * HOP + N_FFT, dtype=np.float32)
    kept = samples[: len(padded) - N_FFT // 2]
    padded[N_FFT // 2 : N_FFT // 2 + len(kept)] = kept
    framed = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][:n_frames]
    own = window()
    energy = float(np.square(own, dtype=np.float64).sum())
    level_db = np.empty(n_frames, dtype=np.float32)
    bands_db = np.empty((N_BANDS, n_frames), dtype=np.float32)
    for first in range(0, n_frames, _FRAMES_AT_A_TIME):
        part = framed[first : first + _FRAMES_AT_A_TIME] * own
        spectrum = np.fft.rfft(part, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        mean_square = np.square(part, dtype=np.float64).sum(axis=1) / energy
        now = slice(first, first + len(part))
        level_db[now] = 10.0 * np.log10(np.maximum(mean_square, 10.0 ** (_SILENT_DB / 10.0)))
        reference = np.maximum(mean_square, 10.0 ** (_SILENT_DB / 10.0)) * energy
        banded = (power @ analysis().T) / reference[:, None]
        bands_db[:, now] = 10.0 * np.log10(np.maximum(banded, 10.0 ** (LOWEST_BAND_DB / 10.0))).T
    return level_db, bands_db


def bins_db(bands_db: Floats) -> Floats:
    """Return the level of every bin, straight between the bands.

    Parameters
    ----------
    bands_db : ndarray, float32, shape (N_BANDS, n_frames)
        Levels of bands [dB].

    Returns
    -------
    ndarray, float32, shape (N_BINS, n_frames)
        Bins below half the first band's frequency and above the last one are silent: -200.
    """
    place = _places()
    below = np.minimum(place.astype(int), N_BANDS - 2)
    part = (place - below).astype(np.float32)[:, None]
    found = bands_db[below] * (1.0 - part) + bands_db[below + 1] * part
    found[~analysis().any(axis=0)] = _SILENT_DB
    return found
