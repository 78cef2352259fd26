"""The head's filter: overlapping frames, each with the response of its own direction.

The frames are triangles: between two of them the response then moves on a straight line. (Hann frames would
move it in steps, which are heard as noise beside a moving tone.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render.control import FilterControl
from foleyspace_host.render.fft import fast_length, multiply_blended, multiply_tone, packed_irfft, packed_rfft

__all__ = ["FrameFilter", "hop_samples"]


def hop_samples(sample_rate_hz: int) -> int:
    """Distance of frames and control points: a power of two near 5.3 ms [samples].

    256 samples at 44.1 and 48 kHz. A source at 90 degrees a second turns by half a degree meanwhile.
    """
    return 1 << max(round(np.log2(sample_rate_hz * 256 / 48_000)), 4)


class FrameFilter:
    """Filters frames of one sound for the directions of any number of sources.

    Frame k is a triangle, centred at sample k * hop and two hops long; the frames of a steady
    source add up to plain convolution.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses.
    hop : int
        Distance of the frames [samples].
    """

    def __init__(self, hrtf: Hrtf, hop: int) -> None:
        self.hop = hop
        self.n_fft = fast_length(2 * hop + hrtf.n_taps - 1)
        self.frequency_hz = np.arange(self.n_fft // 2 + 1, dtype=np.float64) * (hrtf.sample_rate_hz / self.n_fft)
        self._responses = _packed_responses(hrtf, self.n_fft)
        line = np.arange(hop) / hop
        self._rises = np.stack([line, 0.5 - 0.5 * np.cos(np.pi * line)]).astype(np.float32)  # moving, jumping

    def analyse(self, mono: NDArray[np.float32], jump: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Transform the frames of a stretch of sound.

        Parameters
        ----------
        mono : ndarray, float32, shape ((n_frames + 1) * hop,)
            Sound from one hop before the first frame's centre to one hop after the last one's.
        jump : ndarray of bool, shape (n_frames + 1,)
            Hops in which a source jumps: there the frames cross-fade on a cosine, which has no corners.

        Returns
        -------
        ndarray, float32, shape (n_frames, n_fft)
            Packed spectra, see `fft`.
        """
        hops = mono.reshape(-1, self.hop)
        padded = np.zeros((len(hops) - 1, self.n_fft), dtype=np.float32)
        if jump.any():
            rise = self._rises[jump.astype(np.intp)]
            rising, falling = hops * rise, hops * (np.float32(1.0) - rise)
        else:
            rising, falling = hops * self._rises[0], hops * (np.float32(1.0) - self._rises[0])
        padded[:, : self.hop] = rising[:-1]
        padded[:, self.hop : 2 * self.hop] = falling[1:]
        return packed_rfft(padded, padded)

    def synthesise(self, spectra: NDArray[np.float32], control: FilterControl, out: NDArray[np.float32]) -> None:
        """Filter frames and add them up.

        Parameters
        ----------
        spectra : ndarray, float32, shape (n_frames, n_fft)
            As from `analyse`.
        control : FilterControl
            Direction, gain and tone of each frame.
        out : ndarray, float32, shape (2, at least (n_frames - 1) * hop + n_fft)
            Added to; its first sample is the first sample of the first frame.
        """
        filtered = np.empty((2, *spectra.shape), dtype=np.float32)
        multiply_blended(spectra, self._responses, control.vertex, control.weight, filtered)
        if control.tone is not None:
            multiply_tone(filtered, control.tone)
        rows = filtered.reshape(-1, self.n_fft)
        packed_irfft(rows, rows)
        _overlap_add(filtered, self.hop, out)


@lru_cache(maxsize=2)
def _packed_responses(hrtf: Hrtf, n_fft: int) -> NDArray[np.float32]:
    """Return packed spectra of all responses, shape (n_vertices, 2, n_fft)."""
    padded = np.zeros((len(hrtf.responses), 2, n_fft), dtype=np.float32)
    padded[..., : hrtf.n_taps] = hrtf.responses
    rows = padded.reshape(-1, n_fft)
    packed_rfft(rows, rows)
    return padded


@njit(cache=True)
def _overlap_add(frames, hop, out):  # type: ignore[no-untyped-def]
    for ear in range(frames.shape[0]):
        for frame in range(frames.shape[1]):
            target = out[ear, frame * hop : frame * hop + frames.shape[2]]
            for index in range(frames.shape[2]):
                target[index] += frames[ear, frame, index]
