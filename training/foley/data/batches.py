"""A seeded stream of batches: cuts of sounds, varied, with what the network is told about them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import FLOOR_DB, HOP, analysed
from foleyspace_host.generate.embedded.condition import N_LIKENESS, RECORDED, rows
from foleyspace_host.generate.embedded.portrait import portrait_of, shown
from training.foley.data.bank import Bank
from training.foley.model.flow import FoleyBatch

__all__ = ["Stream"]

_RECORDED = 0.6  # of the examples of a class that has recordings of its own
_LARGEST_SHIFT = 0.25  # octaves up or down, by playing faster or slower
_LARGEST_TILT_DB = 2.0  # an octave
_FARTHEST = 5.0  # spreads
_LEAST_HEARD = 0.05  # of the loss of a frame of silence: what is next to a sound's end need not be right, only calm

Samples = NDArray[np.float32]


class Stream:
    """Batches without end; batch number n is always the same.

    Parameters
    ----------
    bank : Bank
        Sounds.
    n_frames : int
        Frames of an example.
    seed : int
        Seed of the choices.
    vary : bool
        Whether sounds are played faster or slower, tilted and turned around.
    device : torch.device or str
        Where batches go.
    """

    def __init__(
        self, bank: Bank, *, n_frames: int, seed: int, vary: bool = True, device: torch.device | str = "cpu"
    ) -> None:
        self._bank, self._n_frames, self._seed, self._vary, self._device = bank, n_frames, seed, vary, device
        self._classes = [n for n in range(len(NAMES)) if bank.recorded[n] or bank.invented[n]]

    def batch(self, number: int, size: int) -> FoleyBatch:
        """Return batch number 0, 1, ...

        Parameters
        ----------
        number : int
            Which one.
        size : int
            Examples.

        Returns
        -------
        FoleyBatch
        """
        rng = np.random.default_rng([self._seed, number])
        bands, shown_to_it, told, heard = [], [], [], []
        for place in range(number * size, (number + 1) * size):
            # every class in turn, so that each is seen as often as any other
            turn, within = divmod(place, len(self._classes))
            which = int(np.random.default_rng([self._seed, turn, 1]).permutation(self._classes)[within])
            source, is_recorded = self._drawn(rng, which)
            level_db, bands_db = analysed(self._cut(rng, source))
            level_db = level_db - level_db.max()
            likeness = np.zeros(N_LIKENESS, dtype=np.float32)
            likeness[which], likeness[RECORDED] = 1.0, float(is_recorded)
            portrait = portrait_of(level_db, bands_db)
            mean_db = portrait.mean_db(level_db)
            bands.append(np.clip((bands_db - mean_db) / portrait.spread_db[:, None], -_FARTHEST, _FARTHEST))
            shown_to_it.append(shown(portrait, mean_db))
            told.append(rows(likeness, level_db))
            heard.append(np.where(level_db > FLOOR_DB, 1.0, _LEAST_HEARD).astype(np.float32))

        def moved(arrays: list[Samples]) -> torch.Tensor:
            return torch.from_numpy(np.stack(arrays)).to(self._device)

        return FoleyBatch(moved(bands), moved(shown_to_it), moved(told), moved(heard))

    def _drawn(self, rng: np.random.Generator, which: int) -> tuple[Samples, bool]:
        recorded, invented = self._bank.recorded[which], self._bank.invented[which]
        # of few recordings, each would come too often
        share = _RECORDED * min(1.0, len(recorded) / 4.0) if invented else 1.0
        is_recorded = bool(recorded) and float(rng.uniform()) < share
        source = recorded if is_recorded else invented
        return source[int(rng.integers(len(source)))], is_recorded

    def _cut(self, rng: np.random.Generator, sound: Samples) -> Samples:
        wanted = self._n_frames * HOP
        if self._vary:
            sound = _varied(rng, sound)
        # short sounds follow each other, as steps and knocks do
        while len(sound) < wanted // 2:
            gap = np.zeros(int(rng.uniform(0.02, 0.4) * wanted), dtype=np.float32)
            sound = np.concatenate([sound, gap, sound if not self._vary else _varied(rng, sound)])
        if len(sound) <= wanted:
            before = int(rng.integers(0, wanted - len(sound) + 1))
            return np.pad(sound, (before, wanted - len(sound) - before)).astype(np.float32)
        start = int(rng.integers(0, len(sound) - wanted + 1))
        cut = sound[start : start + wanted]
        if np.abs(cut).max() < 1e-3 * np.abs(sound).max():  # a pause: from the loudest place instead
            start = int(np.clip(np.abs(sound).argmax() - wanted // 2, 0, len(sound) - wanted))
            cut = sound[start : start + wanted]
        return cut


def _varied(rng: np.random.Generator, sound: Samples) -> Samples:
    """Play a sound a little faster or slower, tilt its spectrum, and perhaps turn its sign."""
    ratio = 2.0 ** rng.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT)
    place = np.arange(int((len(sound) - 1) / ratio) + 1) * ratio
    moved = np.interp(place, np.arange(len(sound)), sound)
    tilt = np.tanh(rng.normal(0.0, 0.5)) * _LARGEST_TILT_DB / 12.0  # a first-order shelf is enough
    tilted = moved + tilt * np.diff(moved, prepend=0.0) * 4.0
    return (tilted * rng.choice([-1.0, 1.0])).astype(np.float32)
