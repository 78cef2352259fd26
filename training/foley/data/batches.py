"""A seeded stream of batches: cuts of sounds, varied, with what the network is told about them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import FLOOR_DB, begin, levels_db, rows
from training.foley.data.bank import Bank
from training.foley.model.flow import FoleyBatch

__all__ = ["Stream"]

_RECORDED = 0.6  # of the examples of a class that has recordings of its own
_LARGEST_SHIFT = 0.25  # octaves up or down, by playing faster or slower
_LARGEST_TILT_DB = 2.0  # an octave

Samples = NDArray[np.float32]


class Stream:
    """Batches without end; batch number n is always the same.

    Parameters
    ----------
    bank : Bank
        Sounds.
    lead_frames, crop_frames : int
        Frames without and with loss.
    seed : int
        Seed of the choices.
    vary : bool
        Whether sounds are played faster or slower, tilted and turned around.
    device : torch.device or str
        Where batches go.
    """

    def __init__(
        self,
        bank: Bank,
        *,
        lead_frames: int,
        crop_frames: int,
        seed: int,
        vary: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        self._bank, self._seed, self._vary, self._device = bank, seed, vary, device
        self._lead, self._crop = lead_frames, crop_frames
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
        sounds, levels, told = [], [], []
        # every class in turn, so that each is seen as often as any other
        order = np.random.default_rng([self._seed, number * size // len(self._classes)]).permutation(self._classes)
        for place in range(number * size, (number + 1) * size):
            which = int(order[place % len(self._classes)])
            sound = self._cut(rng, self._drawn(rng, which))
            level = levels_db(sound)
            level = level - level.max()
            sound = sound * np.float32(10.0 ** (-float(levels_db(sound).max()) / 20.0))
            level = np.maximum(level, FLOOR_DB)
            shares = np.zeros(len(NAMES), dtype=np.float32)
            shares[which] = 1.0
            sounds.append(sound)
            levels.append(begin(self._bank.mean_db[which], level))
            told.append(rows(shares, level, 1.0))

        def moved(arrays: list[Samples]) -> torch.Tensor:
            return torch.from_numpy(np.stack(arrays)).to(self._device)

        return FoleyBatch(moved(sounds), moved(levels), moved(told), self._lead)

    def _drawn(self, rng: np.random.Generator, which: int) -> Samples:
        recorded, invented = self._bank.recorded[which], self._bank.invented[which]
        # of few recordings, each would come too often
        share = _RECORDED * min(1.0, len(recorded) / 4.0) if invented else 1.0
        source = recorded if recorded and rng.uniform() < share else invented
        return source[int(rng.integers(len(source)))]

    def _cut(self, rng: np.random.Generator, sound: Samples) -> Samples:
        wanted = (self._lead + self._crop) * HOP
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
