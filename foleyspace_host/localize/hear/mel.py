"""Log-mel spectrograms as YAMNet takes them.

16 kHz; 25 ms periodic Hann windows every 10 ms; magnitudes of 512-point transforms; 64 triangular bands of the
HTK mel scale from 125 to 7500 Hz; log(x + 0.001); patches of 96 frames (0.96 s) every 48 (0.48 s). From the
published description of the model (Google, "YAMNet", research/audioset in tensorflow/models).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME_STEP_S", "N_BANDS", "PATCH_FRAMES", "PATCH_STEP", "RATE_HZ", "log_mel", "mel_bands", "patches"]

Floats = NDArray[np.float32]

RATE_HZ = 16_000
FRAME_STEP_S = 0.01
PATCH_FRAMES, PATCH_STEP = 96, 48
_WINDOW, _STEP, _N_FFT = 400, 160, 512
N_BANDS = 64
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_OFFSET = 0.001
_FRAMES_AT_A_TIME = 4096


@cache
def mel_bands() -> Floats:
    """Return the weight of each bin in each band, shape (257, 64): triangles, straight on the mel scale.

    HTK's scale: mel = 1127 ln(1 + f / 700).
    """
    mel = 1127.0 * np.log1p(np.arange(_N_FFT // 2 + 1) * RATE_HZ / _N_FFT / 700.0)
    low, high = 1127.0 * np.log1p(np.array([_LOW_HZ, _HIGH_HZ]) / 700.0)
    edges = np.linspace(low, high, N_BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    bands = np.maximum(np.minimum(rising, falling), 0.0)
    bands[0] = 0.0  # a constant is no sound
    return bands.astype(np.float32)


def log_mel(sound: Floats) -> Floats:
    """Return the spectrogram of a sound.

    Parameters
    ----------
    sound : ndarray, float32, shape (n,)
        Mono, 16 kHz, nominal +-1. Shorter than one window it is padded with silence.

    Returns
    -------
    ndarray, float32, shape (1 + (n - 400) // 160, 64)
        Natural logarithms; frame k begins at k * 10 ms.
    """
    if len(sound) < _WINDOW:
        sound = np.pad(sound, (0, _WINDOW - len(sound)))
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_STEP]
    pieces = [
        np.log(np.abs(np.fft.rfft(frames[first : first + _FRAMES_AT_A_TIME] * window, _N_FFT)) @ mel_bands() + _OFFSET)
        for first in range(0, len(frames), _FRAMES_AT_A_TIME)
    ]
    return np.concatenate(pieces).astype(np.float32)


def patches(spectrogram: Floats) -> Floats:
    """Cut a spectrogram into patches.

    Parameters
    ----------
    spectrogram : ndarray, float32, shape (n_frames, 64)
        As from `log_mel`.

    Returns
    -------
    ndarray, float32, shape (n_patches, 96, 64)
        Overlapping by half; a last one takes in what is left over, the frames of silence added to it being
        those of digital silence. At least one.
    """
    n_frames = len(spectrogram)
    count = 1 + max(-(-(n_frames - PATCH_FRAMES) // PATCH_STEP), 0)
    missing = (count - 1) * PATCH_STEP + PATCH_FRAMES - n_frames
    padded = np.pad(spectrogram, ((0, missing), (0, 0)), constant_values=np.log(np.float32(_OFFSET)))
    # a view: the patches of an hour overlap, and copied they would take twice its spectrogram
    windows = np.lib.stride_tricks.sliding_window_view(padded, PATCH_FRAMES, axis=0)[::PATCH_STEP]
    return windows.transpose(0, 2, 1)
