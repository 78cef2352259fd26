"""Partials: which bands belong to one, what its pitch is, and how it goes on from frame to frame.

Bands are wider than an ear's sense of pitch. A tone's power parts among its band and the two beside it, and how it does
so says where between their centres it lies: tones come back within 1 Hz and 0.1 % of where they were. A partial that
moves takes its phase along, at the mean of the frequencies before and after (R. McAulay, T. Quatieri: "Speech
analysis/synthesis based on a sinusoidal representation", IEEE Trans. ASSP 34(4), 1986).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.embedded.bands import HOP, N_BANDS, N_BINS, N_FFT, SAMPLE_RATE_HZ, analysis, centres_hz

__all__ = ["REACH", "Partials", "Tones", "partial_shares", "tones"]

REACH = 4
"""Frames before and after one that decide what in it is a partial."""

_AROUND_BANDS = 13  # whose median a partial stands out from
_NOISE_DB, _PARTIAL_DB = 2.0, 5.0  # standing out by which a band is all noise, and all partial
_LOOKS = (-4, -2, 0, 2, 4)  # frames at which it must: two windows, so that chance does not do it
_LEAST_SHARE = 0.02
_FARTHEST_BANDS = 2.5  # that a partial moves from one frame to the next
_LOBE = np.arange(-5, 6)  # bins around a tone's own that it fills
_N_OFFSETS = 65
_GOLDEN = 0.5 * (5.0**0.5 - 1.0)

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def partial_shares(bands_db: Floats) -> Floats:
    """Return how far each band belongs to a partial: as far as it stands out, in frames before and after too.

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
    padded = np.pad(out_db, ((0, 0), (REACH, REACH)), mode="edge")
    least = np.full(bands_db.shape, np.inf, dtype=np.float32)
    for look in _LOOKS:  # a partial may glide, by a band
        near = maximum_filter1d(padded[:, REACH + look : REACH + look + n_frames], 3 if look else 1, axis=0)
        np.minimum(least, near, out=least)
    part = np.clip((least - _NOISE_DB) / (_PARTIAL_DB - _NOISE_DB), 0.0, 1.0)
    found: Floats = maximum_filter1d(part * part * (3.0 - 2.0 * part), 3, axis=0)  # with both flanks
    return found


class Tones(NamedTuple):
    """Partials of frames, by frame.

    Parameters
    ----------
    frame : ndarray, int, shape (n,)
        In which frame.
    place : ndarray, shape (n,)
        Where among the bands [bands].
    frequency_hz : ndarray, shape (n,)
        Pitch [Hz].
    amplitude : ndarray, shape (n,)
        Re the rms of the frame, to whose level the bands are told.
    """

    frame: NDArray[np.intp]
    place: Doubles
    frequency_hz: Doubles
    amplitude: Doubles


def tones(bands_db: Floats, shares: Floats) -> Tones:
    """Find the partials of each frame.

    Parameters
    ----------
    bands_db, shares : ndarray, float32, shape (N_BANDS, n_frames)
        Levels [dB], and how far each band belongs to a partial.

    Returns
    -------
    Tones
        One for each band that is louder than the two beside it.
    """
    padded = np.pad(bands_db, ((1, 1), (0, 0)), constant_values=-np.inf)
    peak = (bands_db > padded[:-2]) & (bands_db >= padded[2:]) & (shares > _LEAST_SHARE)
    frame, band = np.nonzero(peak.T)
    low, own, high = (
        10.0 ** (bands_db[np.clip(band + beside, 0, N_BANDS - 1), frame].astype(np.float64) / 10.0)
        for beside in (-1, 0, 1)
    )
    least, most, places, gains = _responses()
    power = low + own + high
    lean = (high - low) / power
    at = np.clip((lean - least[band]) / (most[band] - least[band]), 0.0, 1.0) * (_N_OFFSETS - 1)
    first = np.minimum(at.astype(np.intp), _N_OFFSETS - 2)
    part = at - first
    place, gain = (table[band, first] * (1.0 - part) + table[band, first + 1] * part for table in (places, gains))
    energy = 0.375 * N_FFT  # of a Hann window
    amplitude = 2.0 * np.sqrt(shares[band, frame] * power / gain * energy)  # half of it lies below zero
    return Tones(frame, place, np.interp(place, np.arange(N_BANDS), centres_hz()), amplitude)


class Partials:
    """Partials that go on from one piece of a sound to the next."""

    def __init__(self) -> None:
        self._place = self._frequency_hz = self._phase = np.zeros(0)

    def add_to(self, spectrum: NDArray[np.complex128], found: Tones, levels_db: Floats) -> None:
        """Add partials to the frames of the next piece.

        Parameters
        ----------
        spectrum : ndarray, complex, shape (N_BINS, n_frames)
            Spectra of windowed frames, told from their beginning; changed in place.
        found : Tones
            Partials in these frames.
        levels_db : ndarray, float32, shape (n_frames,)
            Level of each frame [dB re 1].
        """
        phase = np.empty(len(found.frame))
        ends = np.searchsorted(found.frame, np.arange(spectrum.shape[1] + 1))
        for first, stop in pairwise(ends):
            now = slice(first, stop)
            phase[now] = self._gone_on(found.place[now], found.frequency_hz[now])
        bins = found.frequency_hz * (N_FFT / SAMPLE_RATE_HZ)
        fill = np.round(bins).astype(np.intp)[:, None] + _LOBE
        size = 0.5 * found.amplitude * 10.0 ** (levels_db[found.frame] / 20.0)
        lobe = size[:, None] * _window_at(bins[:, None] - fill) * np.exp(1j * phase)[:, None]
        lobe[fill % 2 == 1] *= -1.0  # as phases are those in the middle of the frame
        frame = np.broadcast_to(found.frame[:, None], fill.shape)
        within = (fill >= 0) & (fill < N_BINS)
        np.add.at(spectrum, (fill[within], frame[within]), lobe[within])

    def _gone_on(self, place: Doubles, frequency_hz: Doubles) -> Doubles:
        """Return the phases of the partials of the next frame."""
        # new ones begin anywhere, but always there: all at once would be a click
        phase = 2.0 * np.pi * np.remainder(_GOLDEN * np.round(place), 1.0)
        if len(self._place) and len(place):
            far = np.abs(place[:, None] - self._place)
            whose = far.argmin(axis=1)
            mean_hz = 0.5 * (frequency_hz + self._frequency_hz[whose])
            moved = self._phase[whose] + 2.0 * np.pi * HOP / SAMPLE_RATE_HZ * mean_hz
            phase = np.where(far[np.arange(len(place)), whose] < _FARTHEST_BANDS, moved, phase)
        self._place, self._frequency_hz, self._phase = place, frequency_hz, np.remainder(phase, 2.0 * np.pi)
        return self._phase


def _window_at(offset_bins: Doubles) -> Doubles:
    """Return the spectrum of a periodic Hann window around its middle, at fractions of bins."""
    near: Doubles = np.sinc(offset_bins) + 0.5 * (np.sinc(offset_bins - 1.0) + np.sinc(offset_bins + 1.0))
    return 0.5 * N_FFT * near


@cache
def _responses() -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Return how tones around the centre of each band fill it and the two beside it.

    The least and the greatest lean of a tone there (the upper band's power less the lower one's, over that of all
    three), shapes (N_BANDS,); for leans evenly between them, where the tone lies [bands] and what the power of the
    three bands together is for a spectrum whose lobe is `_window_at`, shapes (N_BANDS, _N_OFFSETS).
    """
    steps = np.linspace(-0.75, 0.75, 49)
    band = np.arange(N_BANDS)
    place = np.clip(band[:, None] + steps, 0.0, N_BANDS - 1.0)
    bins = np.interp(place, band, centres_hz()) * (N_FFT / SAMPLE_RATE_HZ)
    fill = np.round(bins).astype(np.intp)[..., None] + _LOBE
    lobe = np.where((fill >= 0) & (fill < N_BINS), _window_at(bins[..., None] - fill) ** 2, 0.0)
    share = analysis().astype(np.float64)
    low, own, high = (
        np.einsum("bok,bok->bo", share[np.clip(band + beside, 0, N_BANDS - 1)[:, None, None], fill % N_BINS], lobe)
        for beside in (-1, 0, 1)
    )
    power = low + own + high
    lean = np.maximum.accumulate((high - low) / power, axis=1)
    least, most = lean[:, 0], lean[:, -1]
    even = np.linspace(least, most, _N_OFFSETS, axis=1)
    places, gains = (
        np.stack([np.interp(even[one], lean[one], table[one]) for one in range(N_BANDS)]) for table in (place, power)
    )
    return least, most, places, gains
