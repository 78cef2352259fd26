"""The head's filter: overlapping Hann frames, each with the response of its own direction."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render.control import FilterControl

__all__ = ["FrameFilter", "hop_samples"]


def hop_samples(sample_rate_hz: int) -> int:
    """Distance of frames and control points: a power of two near 5.3 ms [samples].

    256 samples at 44.1 and 48 kHz. A source at 90 degrees a second turns by half a degree meanwhile.
    """
    return 1 << max(round(np.log2(sample_rate_hz * 256 / 48_000)), 4)


class FrameFilter:
    """Filters frames of one sound for the directions of any number of sources.

    Frame k is Hann weighted, centred at sample k * hop and two hops long; the frames of a steady
    source add up to plain convolution.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses.
    hop : int
        Distance of the frames [samples].
    """

    def __init__(self, hrtf: Hrtf, hop: int) -> None:
        from scipy import fft

        self.hop = hop
        self.n_fft = 2 * int(fft.next_fast_len(-(-(2 * hop + hrtf.n_taps - 1) // 2), real=True))
        self._responses = hrtf.spectra(self.n_fft)
        self._window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)

    def analyse(self, mono: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Spectra of the frames of a stretch of sound.

        Parameters
        ----------
        mono : ndarray, float32, shape ((n_frames + 1) * hop,)
            Sound from one hop before the first frame's centre to one hop after the last one's.

        Returns
        -------
        ndarray, complex64, shape (n_frames, n_fft // 2 + 1)
        """
        from scipy import fft

        frames = np.lib.stride_tricks.sliding_window_view(mono, 2 * self.hop)[:: self.hop]
        spectra: NDArray[np.complex64] = fft.rfft(frames * self._window, self.n_fft)
        return spectra

    def synthesise(self, spectra: NDArray[np.complex64], control: FilterControl, out: NDArray[np.float32]) -> None:
        """Filter frames and add them up.

        Parameters
        ----------
        spectra : ndarray, complex64, shape (n_frames, n_fft // 2 + 1)
            As from `analyse`.
        control : FilterControl
            Direction and gain of each frame.
        out : ndarray, float32, shape (2, at least (n_frames - 1) * hop + n_fft)
            Added to; its first sample is the first sample of the first frame.
        """
        from scipy import fft

        filtered = np.empty((2, *spectra.shape), dtype=np.complex64)
        _blend_and_multiply(spectra, self._responses, control.vertex, control.weight, filtered)
        _overlap_add(fft.irfft(filtered, self.n_fft, overwrite_x=True), self.hop, out)


@njit(cache=True, fastmath=True)
def _blend_and_multiply(spectra, responses, vertex, weight, out):  # type: ignore[no-untyped-def]
    for frame in range(spectra.shape[0]):
        a, b, c = vertex[frame, 0], vertex[frame, 1], vertex[frame, 2]
        wa, wb, wc = weight[frame, 0], weight[frame, 1], weight[frame, 2]
        sound = spectra[frame]
        for ear in range(2):
            ra, rb, rc, result = responses[a, ear], responses[b, ear], responses[c, ear], out[ear, frame]
            for k in range(sound.shape[0]):
                result[k] = sound[k] * (wa * ra[k] + wb * rb[k] + wc * rc[k])


@njit(cache=True)
def _overlap_add(frames, hop, out):  # type: ignore[no-untyped-def]
    for ear in range(frames.shape[0]):
        for frame in range(frames.shape[1]):
            target = out[ear, frame * hop : frame * hop + frames.shape[2]]
            for index in range(frames.shape[2]):
                target[index] += frames[ear, frame, index]
