"""Tells a sound that glides from one that does not, and parts it into what stands still and the course of its pitch.

Spectra on a scale of octaves are laid over one that is the mean of all, each moved by as much as fits best; the way of
least resistance through all the moves is the course (A. Viterbi, IEEE Trans. Information Theory 13, 1967), the mean is
taken anew, and so on. So partials may have any proportions, and noise beside them does no harm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.embedded.bands import SAMPLE_RATE_HZ
from foleyspace_host.generate.embedded.course import LOWEST_OCTAVES, Course
from foleyspace_host.generate.embedded.varispeed import STEP

__all__ = ["Parted", "parted"]

_N_FFT = 1024
_PADDED = 4
_LOWEST_HZ, _HIGHEST_HZ = 250.0, 16_000.0
_OCTAVE = 24  # places of the scale
_FARTHEST = 36  # places from the mean, either way
_FASTEST = 3  # places a step
_CHANGE = 0.02  # what a place of change costs
_ROUNDS = 6
_AROUND = 25  # places whose median a partial stands out from
_MOST_DB = 24.0  # more does not count more
_HEARD_DB, _USED_DB = 35.0, 40.0  # below the loudest
_LEAST_CLEAR_DB = 45.0  # root of the sum of squares over the scale: noise has 20 to 40
_LEAST_GAIN = 0.04  # of the mean likeness to the mean
_HIGHEST_PART = 98.0  # percentile of the course that counts as its highest; what is above is cut
_SHORTEST = 4  # steps of a call
_OVERSAMPLED = 4

Samples = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Parted(NamedTuple):
    """A sound that glides.

    Parameters
    ----------
    steady : ndarray, float32, shape (n,)
        The sound, played faster where it is lower: its pitch is held at its highest.
    course : Course
        Its calls.
    """

    steady: Samples
    course: Course


def parted(sound: Samples) -> Parted | None:
    """Part a sound.

    Parameters
    ----------
    sound : ndarray, float32, shape (n,)
        At 48 kHz.

    Returns
    -------
    Parted or None
        None if its pitch stands still, or it has none: if its spectra are not clearly more alike along some course.
    """
    level_db, clear = _spectra(sound)
    weight = np.where(level_db > level_db.max() - _USED_DB, 10.0 ** ((level_db - level_db.max()) / 40.0), 0.0)
    norm = np.sqrt((clear**2).sum(axis=1)) + 1e-6
    if weight @ norm < _LEAST_CLEAR_DB * weight.sum():
        return None
    unit = clear / norm[:, None]
    places = _course(unit, weight, int(np.argmax(weight * norm)))
    if _likeness(_moved(unit, places), weight) < _likeness(unit, weight) + _LEAST_GAIN:
        return None
    heard = level_db > level_db.max() - _HEARD_DB
    octaves = places / _OCTAVE
    octaves = np.clip(octaves - np.percentile(octaves[heard], _HIGHEST_PART), LOWEST_OCTAVES, 0.0)
    steps = np.flatnonzero(heard)
    octaves = np.interp(np.arange(len(octaves)), steps, octaves[steps])
    calls = [octaves[call].astype(np.float32) for call in _calls(steps, octaves)]
    return Parted(_held(sound, octaves), Course(tuple(calls))) if calls else None


def _spectra(sound: Samples) -> tuple[Doubles, Doubles]:
    """Return the level of each step [dB], shape (n,), and how far its spectrum stands out, shape (n, places)."""
    from scipy.ndimage import gaussian_filter1d, median_filter

    n_steps = max(1, len(sound) // STEP)
    padded = np.pad(sound.astype(np.float64), (_N_FFT // 2, _N_FFT))
    framed = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::STEP][:n_steps] * np.hanning(_N_FFT)
    power = np.abs(np.fft.rfft(framed, _PADDED * _N_FFT, axis=1)) ** 2
    n_places = int(_OCTAVE * np.log2(_HIGHEST_HZ / _LOWEST_HZ))
    bins = _LOWEST_HZ * 2.0 ** (np.arange(n_places) / _OCTAVE) * _PADDED * _N_FFT / SAMPLE_RATE_HZ
    low = bins.astype(np.intp)
    on_scale = power[:, low] * (1.0 - (bins - low)) + power[:, low + 1] * (bins - low)
    spectra_db = 10.0 * np.log10(on_scale + 1e-12)
    out_db = np.clip(spectra_db - median_filter(spectra_db, size=(1, _AROUND), mode="nearest"), 0.0, _MOST_DB)
    level_db = 10.0 * np.log10(np.square(framed).mean(axis=1) + 1e-12)
    return level_db, gaussian_filter1d(out_db, 1.0, axis=1)


def _course(unit: Doubles, weight: Doubles, first: int) -> Doubles:
    """Return by how many places each step lies above the mean, shape (n,)."""
    mean = unit[first]
    n_places = unit.shape[1]
    moves = np.arange(-_FARTHEST, _FARTHEST + 1)
    found = np.zeros(len(unit))
    for _ in range(_ROUNDS):
        wide = np.pad(mean, _FARTHEST)
        likeness = unit @ np.stack([wide[_FARTHEST - move :][:n_places] for move in moves], axis=1)
        path = _best_path(likeness * weight[:, None], weight)
        found = moves[path] + _between(likeness, path)
        mean = weight @ _moved(unit, found)
        mean /= np.sqrt((mean**2).sum()) + 1e-9
    return found


def _best_path(gain: Doubles, weight: Doubles) -> NDArray[np.intp]:
    """Return the way of the greatest sum that changes by `_FASTEST` places a step; by any number in silence."""
    n_moves = gain.shape[1]
    best = gain[0].copy()
    came = np.empty(gain.shape, dtype=np.intp)
    changes = np.arange(-_FASTEST, _FASTEST + 1)
    own = np.arange(n_moves)
    before = own - changes[:, None]
    inside = (before >= 0) & (before < n_moves)
    before = np.clip(before, 0, n_moves - 1)
    cost = _CHANGE * np.abs(changes)[:, None]
    for step in range(1, len(gain)):
        if weight[step] <= 0.0:
            came[step] = best.argmax()
            best[:] = best.max()  # nothing is heard: it may go on anywhere
            continue
        ways = np.where(inside, best[before] - cost * weight[step], -np.inf)
        which = ways.argmax(axis=0)
        came[step] = before[which, own]
        best = ways[which, own] + gain[step]
    path = np.empty(len(gain), dtype=np.intp)
    path[-1] = best.argmax()
    for step in range(len(gain) - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path


def _between(likeness: Doubles, path: NDArray[np.intp]) -> Doubles:
    """Return how far beside each place of a path a parabola through it and its neighbours is highest."""
    step = np.arange(len(path))
    inner = np.clip(path, 1, likeness.shape[1] - 2)
    low, own, high = (likeness[step, inner + beside] for beside in (-1, 0, 1))
    bend = low - 2.0 * own + high
    peak = np.where(bend < -1e-9, 0.5 * (low - high) / np.minimum(bend, -1e-9), 0.0)
    return np.where((inner == path) & (np.abs(peak) <= 1.0), peak, 0.0)


def _moved(unit: Doubles, places: Doubles) -> Doubles:
    """Return spectra moved down, each by as many places."""
    wide = np.pad(unit, ((0, 0), (_FARTHEST + 2, _FARTHEST + 2)))
    at = np.arange(unit.shape[1]) + _FARTHEST + 2 + places[:, None]
    low = np.floor(at).astype(np.intp)
    row = np.arange(len(unit))[:, None]
    return wide[row, low] * (1.0 - (at - low)) + wide[row, low + 1] * (at - low)


def _likeness(unit: Doubles, weight: Doubles) -> float:
    """Return the mean cosine of spectra with their mean."""
    mean = weight @ unit
    return float(np.sqrt((mean**2).sum()) / weight.sum())


def _calls(heard: NDArray[np.intp], octaves: Doubles) -> list[NDArray[np.intp]]:
    """Return the steps of each call: parted by silence, and by leaps of the pitch."""
    leap = np.abs(np.diff(octaves[heard])) > 0.8 * _FASTEST / _OCTAVE
    found = np.split(heard, np.flatnonzero((np.diff(heard) > 2) | leap) + 1)
    return [call for call in found if len(call) >= _SHORTEST]


def _held(sound: Samples, octaves: Doubles) -> Samples:
    """Return a sound with its pitch held at octave 0."""
    from scipy.signal import resample_poly

    speed = 2.0 ** -np.interp(np.arange(len(sound)), np.arange(len(octaves)) * STEP, octaves)
    heard_at = np.concatenate([[0.0], np.cumsum(1.0 / speed)])[:-1]
    place = np.interp(np.arange(0.0, heard_at[-1], 0.5), heard_at, np.arange(len(sound)))
    fine = resample_poly(sound.astype(np.float64), _OVERSAMPLED, 1)
    read = np.interp(place * _OVERSAMPLED, np.arange(len(fine)), fine)
    return np.asarray(resample_poly(read, 1, 2), dtype=np.float32)  # what it lifts beyond half the rate is left out
