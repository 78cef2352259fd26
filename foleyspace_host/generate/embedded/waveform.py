"""From bands to a waveform: partials go on in phase, all else is noise that is shaped.

The split is that of X. Serra, J. Smith: "Spectral modeling synthesis", Computer Music Journal 14(4), 1990.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.embedded.bands import HOP, N_FFT, bins_db, window
from foleyspace_host.generate.embedded.partials import REACH, Partials, partial_shares, tones

__all__ = ["CHUNK_FRAMES", "waveform", "white_noise"]

CHUNK_FRAMES = 1024
"""Frames that are computed together: 10.9 s."""

_LONGEST = 1 << 40  # blocks of noise before the first one, for counters that are not negative

Floats = NDArray[np.float32]


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
    ends = float(np.square(own[::HOP], dtype=np.float64).sum())
    n_parts = N_FFT // HOP
    partials = Partials()
    past = np.zeros(N_FFT - HOP, dtype=np.float32)
    skip, left = N_FFT // 2, n_frames * HOP
    for first in range(0, n_frames, chunk_frames):
        stop = min(first + chunk_frames, n_frames)
        lead = min(first, REACH)
        now_db = bands_db[:, first:stop]
        shares = partial_shares(bands_db[:, first - lead : stop + REACH])[:, lead : lead + stop - first]
        size = 10.0 ** ((bins_db(now_db) + levels_db[None, first:stop]) / 20.0)
        size *= np.sqrt(1.0 - np.clip(bins_db(shares), 0.0, 1.0))
        noise = white_noise(seed, first - n_parts // 2, stop - first + n_parts - 1)
        framed = np.lib.stride_tricks.sliding_window_view(noise, N_FFT)[::HOP] * own
        spectrum = np.fft.rfft(framed, axis=1).T * size
        partials.add_to(spectrum, tones(now_db, shares), levels_db[first:stop])
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
