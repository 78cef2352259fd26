"""From bands to a waveform: partials go on in phase, all else is noise that is shaped.

The split is that of X. Serra, J. Smith: "Spectral modeling synthesis", Computer Music Journal 14(4), 1990. A band
belongs to a partial as far as it stands out from the bands around it, in frames before and after too. The phases of
partials follow the frequency of their peaks from frame to frame (G. Beauregard, M. Harish, L. Wyse: "Single pass
spectrogram inversion", IEEE DSP 2015).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.embedded.bands import HOP, N_BINS, N_FFT, bins_db, window

__all__ = ["CHUNK_FRAMES", "partial_shares", "waveform", "white_noise"]

CHUNK_FRAMES = 1024
"""Frames that are computed together: 10.9 s."""

_AROUND_BANDS = 13  # whose median a partial stands out from
_NOISE_DB, _PARTIAL_DB = 4.0, 9.0  # standing out by which a band is all noise, and all partial
_LOOKS = (-4, -2, 0, 2, 4)  # frames at which it must: two windows, so that chance does not do it
_REACH = 4
_LONGEST = 1 << 40  # blocks of noise before the first one, for counters that are not negative

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def partial_shares(bands_db: Floats) -> Floats:
    """Return how far each band belongs to a partial.

    Parameters
    ----------
    bands_db : ndarray, float32, shape (N_BANDS, n_frames)
        Levels [dB].

    Returns
    -------
    ndarray, float32, shape (N_BANDS, n_frames)
        0 (noise) to 1.
    """
    from scipy.ndimage import maximum_filter1d, median_filter

    n_frames = bands_db.shape[1]
    out_db = bands_db - median_filter(bands_db, size=(_AROUND_BANDS, 1), mode="nearest")
    padded = np.pad(out_db, ((0, 0), (_REACH, _REACH)), mode="edge")
    least = np.full(bands_db.shape, np.inf, dtype=np.float32)
    for look in _LOOKS:  # a partial may glide, by a band
        near = maximum_filter1d(padded[:, _REACH + look : _REACH + look + n_frames], 3 if look else 1, axis=0)
        np.minimum(least, near, out=least)
    part = np.clip((least - _NOISE_DB) / (_PARTIAL_DB - _NOISE_DB), 0.0, 1.0)
    found: Floats = maximum_filter1d(part * part * (3.0 - 2.0 * part), 3, axis=0)  # with both flanks
    return found


def white_noise(seed: int, first: int, n_blocks: int) -> Floats:
    """Return blocks of white noise of rms 1, the same whatever pieces they are asked for in.

    Parameters
    ----------
    seed : int
        Not negative.
    first : int
        Number of the first block; may be negative.
    n_blocks : int
        How many.

    Returns
    -------
    ndarray, float32, shape (n_blocks * HOP,)
        Normally distributed (G. Box, M. Muller, Ann. Math. Stat. 29, 1958).
    """
    raw = np.random.Philox(key=seed, counter=(_LONGEST + first) * (HOP // 8)).random_raw(n_blocks * HOP // 2)
    even = (raw.view(np.uint32).reshape(-1, 2).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    size = np.sqrt(-2.0 * np.log(np.minimum(even[:, 0], np.float32(1.0 - 2.0**-24))))
    angle = np.float32(2.0 * np.pi) * even[:, 1]
    return np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1).reshape(-1)


def waveform(bands_db: Floats, levels_db: Floats, seed: int, chunk_frames: int = CHUNK_FRAMES) -> Iterator[Floats]:
    """Make a sound of its bands.

    Parameters
    ----------
    bands_db : ndarray, float32, shape (N_BANDS, n_frames)
        Bands [dB re white noise of the frame's level].
    levels_db : ndarray, float32, shape (n_frames,)
        Level of each frame [dB re 1].
    seed : int
        Seed of its noise, not negative.
    chunk_frames : int
        Frames that are computed together.

    Yields
    ------
    ndarray, float32, shape (n,)
        The next samples at 48 kHz, n_frames * HOP in all; the first one is the centre of frame 0.
    """
    n_frames = len(levels_db)
    own = window()
    scale = float(np.sqrt(np.square(own, dtype=np.float64).sum()))
    ends = float(np.square(own[::HOP], dtype=np.float64).sum())
    n_parts = N_FFT // HOP
    phase = np.zeros(N_BINS)
    past = np.zeros(N_FFT - HOP, dtype=np.float32)
    skip, left = N_FFT // 2, n_frames * HOP
    for first in range(0, n_frames, chunk_frames):
        stop = min(first + chunk_frames, n_frames)
        lead = min(first, _REACH)
        near = bands_db[:, first - lead : stop + _REACH]
        partial = np.clip(bins_db(partial_shares(near)[:, lead : lead + stop - first]), 0.0, 1.0)
        size = scale * 10.0 ** ((bins_db(bands_db[:, first:stop]) + levels_db[None, first:stop]) / 20.0)
        noise = white_noise(seed, first - n_parts // 2, stop - first + n_parts - 1)
        framed = np.lib.stride_tricks.sliding_window_view(noise, N_FFT)[::HOP] * own
        spectrum = np.fft.rfft(framed, axis=1).T * (size * np.sqrt(1.0 - partial) / scale)
        phases, phase = _followed(np.log(np.maximum(size, 1e-12)), phase)
        spectrum += size * np.sqrt(partial) * np.exp(1j * phases)
        frames = np.fft.irfft(spectrum, axis=0).astype(np.float32) * own[:, None] / np.float32(ends)
        quiet = n_parts // 2 if stop == n_frames else 0  # blocks that only end what sounds
        sound = np.zeros((stop - first + quiet) * HOP + N_FFT, dtype=np.float32)
        sound[: len(past)] = past
        blocks = sound.reshape(-1, HOP)
        for part in range(n_parts):
            blocks[part : part + stop - first] += frames[part * HOP : (part + 1) * HOP].T
        ready = (stop - first + quiet) * HOP
        past = sound[ready : ready + N_FFT - HOP]
        cut = sound[:ready][min(skip, ready) :][:left]
        skip -= min(skip, ready)
        left -= len(cut)
        if len(cut):
            yield cut


def _followed(
    size: NDArray[np.floating], phase: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the phases of frames of logarithmic magnitudes (N_BINS, n), and those of the last one.

    Each peak goes on at its own frequency, that of the top of the parabola through it and its neighbours; bins around
    it keep its phase, which turns from bin to bin as frames are told from their beginning.
    """
    found = np.empty(size.shape)
    bins = np.arange(N_BINS)
    for frame in range(size.shape[1]):
        now = size[:, frame]
        peaks = np.flatnonzero((now[1:-1] > now[:-2]) & (now[1:-1] >= now[2:])) + 1
        if len(peaks):
            before, at, after = now[peaks - 1], now[peaks], now[peaks + 1]
            place = peaks + 0.5 * (before - after) / np.minimum(before - 2.0 * at + after, -1e-9)
            moved = phase[peaks] + 2.0 * np.pi * HOP / N_FFT * place
            whose = np.searchsorted(0.5 * (peaks[1:] + peaks[:-1]), bins)
            phase = np.remainder(moved[whose] + np.pi * ((bins - peaks[whose]) % 2), 2.0 * np.pi)
        found[:, frame] = phase
    return found, phase
