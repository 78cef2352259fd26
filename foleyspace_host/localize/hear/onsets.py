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


def follow_loudness(*pieces: Floats) -> Loudness:
    """Measure level and onsets.

    Parameters
    ----------
    *pieces : ndarray, float32, shape (n_frames, 64)
        A spectrogram as from `log_mel`, whole or in consecutive pieces: that of an hour need not be copied together.

    Returns
    -------
    Loudness
    """
    # digital silence has the logarithm of the offset; what is far below the loudest is not heard beside it
    loudest = max(float(piece.max()) for piece in pieces)
    floor = max(_FLOOR, loudest - _QUIET_NP)
    n_frames = sum(len(piece) for piece in pieces)
    level, onset = np.zeros(n_frames, np.float32), np.zeros(n_frames, np.float32)
    at = 0
    before = pieces[0][:0]
    for piece in pieces if loudest > _FLOOR + 1e-3 else ():
        for first in range(0, len(piece), _FRAMES_AT_A_TIME):
            now = piece[first : first + _FRAMES_AT_A_TIME]
            heard = np.maximum(np.concatenate([before, now]) - floor, 0.0)
            level[at : at + len(now)] = heard[len(before) :].mean(axis=1)
            rise = np.maximum(heard[_FLUX_STEP:] - heard[:-_FLUX_STEP], 0.0).mean(axis=1)
            onset[at - len(before) + _FLUX_STEP :][: len(rise)] = rise
            before = np.concatenate([before, now[-_FLUX_STEP:]])[-_FLUX_STEP:]
            at += len(now)
    time_s = np.asarray((np.arange(n_frames) + 1.25) * FRAME_STEP_S, dtype=np.float64)
    return Loudness(time_s, level, onset)
