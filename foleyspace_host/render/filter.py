"""The head's filter: between control points, the response of a source moves on a straight line.

A response that moves in steps, or on any curve with corners at other places, is heard as noise beside a moving
tone. Each hop of sound is therefore filtered twice, as it is and faded in, by the response at its beginning and
by what is new at its end. The inner loops are in ``kernels/c/spectra.c``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.kernels.spectra import Fourier, Responses, analyse, synthesise
from foleyspace_host.render.control import FilterControl

__all__ = ["FrameFilter", "hop_samples"]


def hop_samples(sample_rate_hz: int) -> int:
    """Distance of control points: a power of two near 5.3 ms [samples].

    256 samples at 44.1 and 48 kHz. A source at 90 degrees a second turns by half a degree meanwhile.
    """
    return 1 << max(round(np.log2(sample_rate_hz * 256 / 48_000)), 4)


class FrameFilter:
    """Filters hops of one sound for the directions of any number of sources.

    The hops of a steady source add up to plain convolution.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses.
    hop : int
        Distance of the control points [samples].
    rings : bool
        Whether tones will be asked for: having no phase, they ring before and after what strikes them, which
        needs room.

    Attributes
    ----------
    n_fft : int
        Length of the transforms.
    lead : int
        How far before a hop its filtered sound begins [samples].
    frequency_hz : ndarray, float64, shape (n_fft / 2 + 1,)
        Frequencies of the bins [Hz].
    """

    def __init__(self, hrtf: Hrtf, hop: int, *, rings: bool = False) -> None:
        self.hop = hop
        # with half a hop around them, 90 dB of the near field's tones stay in place
        self.n_fft = Fourier.fast_length(hop + hrtf.n_taps - 1 + (hop // 2 if rings else 0))
        self.lead = (self.n_fft - hop - hrtf.n_taps + 1) // 2
        self.frequency_hz = np.arange(self.n_fft // 2 + 1, dtype=np.float64) * (hrtf.sample_rate_hz / self.n_fft)
        self._fourier = Fourier.of(self.n_fft)
        self._responses = Responses(hrtf.responses, self._fourier)
        line = np.arange(hop) / hop
        # where a source jumps, the responses cross-fade on a cosine, which has no corners
        self._fades = np.stack([line, 0.5 - 0.5 * np.cos(np.pi * line)]).astype(np.float32)

    def spectra(self, n_hops: int) -> NDArray[np.float32]:
        """Return room for the spectra of so many hops, to be used again and again."""
        return np.empty((n_hops, 4, self.n_fft // 2), dtype=np.float32)

    def analyse(self, mono: NDArray[np.float32], jump: NDArray[np.bool_], spectra: NDArray[np.float32]) -> None:
        """Transform the hops of a stretch of sound.

        Parameters
        ----------
        mono : ndarray, float32, shape (n_hops * hop,)
            The sound, contiguous.
        jump : ndarray of bool, shape (n_hops,)
            Hops in which a source jumps.
        spectra : ndarray, float32, shape (n_hops, 4, n_fft / 2)
            Filled; see `kernels.spectra.analyse`.
        """
        analyse(mono.reshape(-1, self.hop), jump, self._fades, self.lead, self._fourier, spectra)

    def synthesise(self, spectra: NDArray[np.float32], control: FilterControl, out: NDArray[np.float32]) -> None:
        """Filter hops and add them up.

        Parameters
        ----------
        spectra : ndarray, float32, shape (n_hops, 4, n_fft / 2)
            As from `analyse`.
        control : FilterControl
            Direction, gain and tone at each of the n_hops + 1 control points.
        out : ndarray, float32, shape (2, at least (n_hops - 1) * hop + n_fft)
            Added to; its first sample is `lead` samples before the first hop.
        """
        synthesise(spectra, self.hop, self._responses, control.vertex, control.weight, control.tone, out)
