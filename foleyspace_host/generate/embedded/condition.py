"""What the embedded model is told, frame by frame, and the spectrum from which its flow begins.

The flow begins at noise that has the loudness that is wanted and the mean spectrum of the class (as S. Lee and others
begin theirs at the statistics of the data: "PriorGrad", ICLR 2022). Everything is shown to the network in proportion
to that, so that neither levels nor mean spectra need be learnt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, SAMPLE_RATE_HZ
from foleyspace_host.generate.classes import NAMES

__all__ = ["FLOOR_DB", "N_BANDS", "N_CONDITION", "N_FOLEY_MAPS", "band_shares", "begin", "levels_db", "rows"]

N_FOLEY_MAPS = 3
"""Input maps: where the flow is (2), and the logarithm of the level that all is in proportion to (1)."""

N_CONDITION = len(NAMES) + 2
"""Columns: share of each class, level in proportion to the loudest frame, strength of guidance."""

N_BANDS = 40
"""Bands in which mean spectra are kept, equally wide on the ERB scale."""

FLOOR_DB = -60.0
"""Lowest level of a frame re the loudest [dB]; below it there is silence."""

_GUIDANCE_RANGE = 3.0


def band_shares() -> NDArray[np.float32]:
    """Return how much of each bin belongs to each band, float32, shape (N_BANDS, N_BINS); every bin adds up to 1.

    Bands overlap as triangles, equally far apart on the scale of B. Glasberg and B. Moore, Hear. Res. 47, 1990.
    """
    frequency_hz = np.arange(N_BINS) * (SAMPLE_RATE_HZ / N_FFT)
    rate = 21.4 * np.log10(1.0 + 0.00437 * frequency_hz)
    place = rate / rate[-1] * (N_BANDS - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[None] - np.arange(N_BANDS)[:, None])).astype(np.float32)


def levels_db(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of each frame of a sound.

    Parameters
    ----------
    samples : ndarray, float32, shape (n_samples,)
        Sound at 48 kHz.

    Returns
    -------
    ndarray, float32, shape (ceil(n_samples / HOP),)
        Mean square under the analysis window of a frame, centred at its number times HOP, in dB re 1; at least -200.
    """
    n_frames = -(-len(samples) // HOP)
    padded = np.zeros((n_frames - 1) * HOP + N_FFT if n_frames else N_FFT, dtype=np.float64)
    kept = samples[: len(padded) - N_FFT // 2]
    padded[N_FFT // 2 : N_FFT // 2 + len(kept)] = kept
    weight = np.sin(np.pi * np.arange(N_FFT) / N_FFT) ** 2
    framed = np.lib.stride_tricks.sliding_window_view(padded**2, N_FFT)[::HOP][:n_frames]
    power = framed @ (weight / weight.sum())
    return (10.0 * np.log10(np.maximum(power, 1e-20))).astype(np.float32)


def rows(shares: NDArray[np.float32], levels_db: NDArray[np.float32], guidance: float) -> NDArray[np.float32]:
    """Return what the network is told of each frame.

    Parameters
    ----------
    shares : ndarray, float32, shape (n_classes,)
        Share of each class; zeros for none in particular.
    levels_db : ndarray, float32, shape (n_frames,)
        Level re the loudest frame [dB].
    guidance : float
        Strength with which the class is followed, 1 or more.

    Returns
    -------
    ndarray, float32, shape (n_frames, N_CONDITION)
    """
    told = np.empty((len(levels_db), N_CONDITION), dtype=np.float32)
    told[:, : len(NAMES)] = shares
    told[:, -2] = np.clip(levels_db, FLOOR_DB, 0.0) / -FLOOR_DB
    told[:, -1] = (guidance - 1.0) / _GUIDANCE_RANGE
    return told


def begin(mean_db: NDArray[np.float32], levels_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of each bin and frame from which the flow begins, in square roots of magnitudes.

    Parameters
    ----------
    mean_db : ndarray, float32, shape (N_BANDS,)
        Mean spectrum of the class: power in a bin of a frame of mean power 1 [dB].
    levels_db : ndarray, float32, shape (n_frames,)
        Level of each frame [dB re 1].

    Returns
    -------
    ndarray, float32, shape (N_BINS, n_frames)
    """
    spectrum_db = mean_db @ band_shares()
    return np.exp((np.log(10.0) / 40.0) * (spectrum_db[:, None] + levels_db[None])).astype(np.float32)
