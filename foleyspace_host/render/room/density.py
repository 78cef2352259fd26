"""How much of a room's energy its rendered reflections carry over time, and how much is left to the tail."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S
from foleyspace_host.render.room.images import images_of, inside
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.statistics import OCTAVES_HZ

__all__ = ["TailShare", "tail_share"]

_PLACES = 24  # of sources over which the density is averaged
_MAX_ORDER = 12  # of the images that stand for all
_BINS_PER_FREE_PATH = 12


class TailShare:
    """Share of the diffuse field's energy that the tail carries, over the time after the direct sound.

    Parameters
    ----------
    step_s : float
        Time between two values [s].
    share : ndarray, shape (8, n)
        Shares from time 0 on, 0 to 1; 1 after the last.
    """

    def __init__(self, step_s: float, share: NDArray[np.float64]) -> None:
        self.step_s = step_s
        self.share = share

    def at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return shares at times (n,) after the direct sound, shape (8, n)."""
        knots = (np.arange(self.share.shape[1] + 1) + 0.5) * self.step_s
        return np.stack([np.interp(time_s, knots, [*row, 1.0]) for row in self.share])

    @property
    def mixing_s(self) -> float:
        """Time from which the tail carries half of the energy at 1 kHz or more [s]."""
        below = np.flatnonzero(self.share[3] < 0.5)
        return self.step_s * (int(below[-1]) + 1.5 if len(below) else 0.0)


@lru_cache(maxsize=16)
def tail_share(room: RoomModel) -> TailShare:
    """Return what the tail has to carry so that it and the rendered reflections make the whole.

    All images that a room has are enumerated for sources at many places. At each time the tail's share is the
    energy of those that are not rendered, be it for their order, their number or what walls scattered, of the
    energy of all. Before the first reflection it is nothing.

    Parameters
    ----------
    room : RoomModel
        The room.

    Returns
    -------
    TailShare
    """
    rng = np.random.default_rng(room.seed)
    size, ears = np.array(room.size_m), np.array(room.listener_m)
    places = ears + inside(room, rng.uniform(0.0, 1.0, (_PLACES, 3)) * size - ears)
    rendered = images_of(room).strongest(room, places, room.reflections)
    distance = np.linalg.norm(places - ears, axis=1)
    step_s = room.mean_free_path_m / SPEED_OF_SOUND_M_S / _BINS_PER_FREE_PATH

    late_m = _detours(rendered.positions_m(places), ears, distance).max(initial=0.0)
    order = int(np.clip(np.ceil((late_m + room.mean_free_path_m) / size.min()) + 2, room.order + 1, _MAX_ORDER))
    everything = images_of(room, order, scattering=False)
    n_bins = int(late_m / SPEED_OF_SOUND_M_S / step_s) + 4 * _BINS_PER_FREE_PATH

    def density(images_m: NDArray[np.float64], amplitude: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy per second in each band, averaged over the places and over two thirds of a free path."""
        bins = (_detours(images_m, ears, distance) / SPEED_OF_SOUND_M_S / step_s).astype(np.int64)
        energy = 1.0 / ((images_m - ears) ** 2).sum(axis=-1)
        near = bins < n_bins
        found = np.empty((len(OCTAVES_HZ), n_bins))
        for band, kept in enumerate(amplitude.T**2):
            weights = (energy * kept)[near]
            found[band] = np.bincount(bins[near], weights, n_bins) / (len(places) * step_s)
        bell = np.hanning(2 * (2 * _BINS_PER_FREE_PATH // 3) + 1)
        return np.stack([np.convolve(row, bell / bell.sum(), "same") for row in found])

    whole = density(everything.positions_m(places), everything.amplitude)
    part = density(rendered.positions_m(places), rendered.amplitude)
    theory = room.diffuse_energy_per_s((np.arange(n_bins) + 0.5) * step_s + distance.mean() / SPEED_OF_SOUND_M_S)
    begun = np.maximum.accumulate(np.clip(whole / theory, 0.0, 1.0), axis=1)
    # some of the places are near a wall; no room answers at once, and no onset shall be heard
    begun *= np.sin(0.5 * np.pi * np.minimum(np.arange(n_bins) * (2.0 / _BINS_PER_FREE_PATH), 1.0)) ** 2
    missing = np.clip(1.0 - part / np.maximum(whole, 1e-12 * theory), 0.0, 1.0)
    return TailShare(step_s, begun * missing)


def _detours(
    images_m: NDArray[np.float64], ears: NDArray[np.float64], distance_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.maximum(np.linalg.norm(images_m - ears, axis=-1) - distance_m[:, None], 0.0)
