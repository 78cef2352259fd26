"""How loud a sound is over time, and when something in it begins: what can be compared with movement.

Onset strength is spectral flux: the rise of the log spectrogram from one frame to the next, summed over the
bands. A log spectrogram takes a quiet onset as seriously as a loud one, as ears do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.hear.mel import FRAME_STEP_S

__all__ = ["Loudness", "follow_loudness"]

Floats = NDArray[np.float32]

_FLUX_STEP = 2  # frames: an onset is spread over the 25 ms of a window
_FRAMES_AT_A_TIME = 8192
_FLOOR = float(np.log(0.001))
_QUIET_NP = np.log(10.0) * 50.0 / 20.0  # 50 dB below the loudest band counts as silence


@dataclass(frozen=True, slots=True)
class Loudness:
    """A sound's level and onsets, every 10 ms.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Middle of each frame [s].
    level : ndarray, shape (n,)
        Mean log magnitude over the bands, 0 (silence, or 50 dB below the loudest) and above [Np].
    onset : ndarray, shape (n,)
        Rise of the level summed over the bands that rise, not negative [Np / 20 ms].
    """

    time_s: NDArray[np.float64]
    level: Floats
    onset: Floats

    @property
    def is_silent(self) -> bool:
        """Whether nothing is heard at all."""
        return not bool((self.level > 0.0).any())


def follow_loudness(spectrogram: Floats) -> Loudness:
    """Measure level and onsets.

    Parameters
    ----------
    spectrogram : ndarray, float32, shape (n_frames, 64)
        As from `log_mel`.

    Returns
    -------
    Loudness
    """
    # digital silence has the logarithm of the offset; what is far below the loudest is not heard beside it
    floor = max(_FLOOR, float(spectrogram.max()) - _QUIET_NP)
    silent = spectrogram.max() <= _FLOOR + 1e-3
    level, onset = np.zeros(len(spectrogram), np.float32), np.zeros(len(spectrogram), np.float32)
    for first in range(0, 0 if silent else len(spectrogram), _FRAMES_AT_A_TIME):
        before = min(first, _FLUX_STEP)
        heard = np.maximum(spectrogram[first - before : first + _FRAMES_AT_A_TIME] - floor, 0.0)
        level[first : first + _FRAMES_AT_A_TIME] = heard[before:].mean(axis=1)
        rise = np.maximum(heard[_FLUX_STEP:] - heard[:-_FLUX_STEP], 0.0).mean(axis=1)
        onset[first - before + _FLUX_STEP :][: len(rise)] = rise
    time_s = np.asarray((np.arange(len(spectrogram)) + 1.25) * FRAME_STEP_S, dtype=np.float64)
    return Loudness(time_s, level, onset)
