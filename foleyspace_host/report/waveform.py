"""The outline of a sound, as much of it as a timeline can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource

__all__ = ["Waveform", "read_waveform"]

_PEAKS_PER_S = 200.0
_MOST_PEAKS = 72_000
_BLOCK_S = 0.5


@dataclass(frozen=True, slots=True)
class Waveform:
    """Peaks over time.

    Parameters
    ----------
    peaks : ndarray of uint8, shape (n,)
        Largest magnitude of each step over all channels; 255 is the loudest of the clip, so that quiet clips
        show as well as loud ones.
    per_s : float
        Peaks per second [1/s].
    """

    peaks: NDArray[np.uint8]
    per_s: float


def read_waveform(
    sound: AudioSource, duration_s: float, on_progress: Callable[[float], None] | None = None
) -> Waveform:
    """Take the outline of a sound.

    Parameters
    ----------
    sound : AudioSource
        The sound; it is read once.
    duration_s : float
        About how long it is [s]; longer clips get fewer peaks a second.
    on_progress : callable, optional
        Called with the time that was read [s]; raise Cancelled to stop.

    Returns
    -------
    Waveform

    Raises
    ------
    MediaError
        If the sound cannot be read.
    """
    wanted = min(_PEAKS_PER_S, _MOST_PEAKS / max(duration_s, 1.0))
    step = max(round(sound.sample_rate_hz / wanted), 1)
    block = step * max(round(_BLOCK_S * sound.sample_rate_hz / step), 1)
    parts, n_samples = [], 0
    for samples in sound.blocks(block):
        loudest = np.abs(samples).max(axis=0)
        n_samples += len(loudest)
        loudest = np.pad(loudest, (0, -len(loudest) % step))
        parts.append(loudest.reshape(-1, step).max(axis=1))
        if on_progress is not None:
            on_progress(n_samples / sound.sample_rate_hz)
    peaks = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    top = float(peaks.max(initial=0.0)) or 1.0
    return Waveform(np.round(255.0 * peaks / top).astype(np.uint8), sound.sample_rate_hz / step)
