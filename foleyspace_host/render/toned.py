"""Tones on a plain sound: overlapping Hann frames, filtered without phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.points import Point

__all__ = ["ToneFilter"]


class ToneFilter:
    """Puts the tones of a point on its sound, before anything is panned.

    Tones that differ between the ears (the near field's) are the head's doing. Panned formats leave the head
    to the listener, and these tones out.

    Parameters
    ----------
    point : Point
        The point.
    sample_rate_hz : int
        Sampling rate [Hz].
    hop : int
        Distance of the frames [samples].

    Attributes
    ----------
    n_early, n_late : int
        How far before and after the first and the last new sample `add` reaches [samples]; the last `n_late`
        samples and those `n_early` reaches back over next time are not complete yet.
    """

    def __init__(self, point: Point, sample_rate_hz: int, hop: int) -> None:
        self._path, self._tones = point.path, point.tones
        self._rate_hz, self._hop = sample_rate_hz, hop
        self._n_fft = 4 * hop  # half of it room for the filter to ring, as much before as after
        self._frequency_hz = np.asarray(np.fft.rfftfreq(self._n_fft, 1.0 / sample_rate_hz), dtype=np.float64)
        self._window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)
        self._past = np.zeros(hop, dtype=np.float32)
        self._frame = 0
        self.n_early = self.n_late = 2 * hop

    def add(self, sound: NDArray[np.float32], line: NDArray[np.float32]) -> None:
        """Filter the next samples.

        Parameters
        ----------
        sound : ndarray, float32, shape (n_hops * hop,)
            What follows on the sound before.
        line : ndarray, float32, shape (at least n_early + n_hops * hop + hop,)
            Added to; its first sample is `n_early` before the first of `sound`.
        """
        from scipy import fft

        hop, count = self._hop, len(sound) // self._hop
        joined = np.concatenate([self._past, sound])
        self._past = joined[-hop:].copy()
        frames = np.lib.stride_tricks.sliding_window_view(joined, 2 * hop)[::hop] * self._window
        padded = np.zeros((count, self._n_fft), dtype=np.float32)
        padded[:, hop : 3 * hop] = frames
        times_s = np.arange(self._frame, self._frame + count) * (hop / self._rate_hz)
        unit, distance_m = self._path.sample(times_s)
        spectra = fft.rfft(padded, overwrite_x=True)
        for tone in self._tones:
            gains = tone(unit, distance_m, self._frequency_hz)
            if len(gains) == 1:
                spectra *= gains[0]
        filtered = fft.irfft(spectra, self._n_fft, overwrite_x=True).reshape(count, 4, hop)
        quarters = line[: (count + 3) * hop].reshape(count + 3, hop)
        for quarter in range(4):
            quarters[quarter : quarter + count] += filtered[:, quarter]
        self._frame += count
