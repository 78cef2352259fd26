"""All sounds on the training device, and crops of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from foleyspace_host.errors import InvalidInput
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ
from training.flow.sounds import Sound

__all__ = ["SoundBank"]

_TRIES = 4
_QUIET_DB = -20.0  # a crop that is so much quieter than its sound is drawn again
_FADE = 240
_TWO_AT_ONCE = 0.15


class SoundBank:
    """All sounds on the training device, and crops of them.

    Parameters
    ----------
    sounds : sequence of Sound
        The sounds.
    shares : dict of str to float, optional
        How often each kind is drawn; alike for the kinds there are if not given.
    device : torch.device or str
        Where they shall lie, as 16-bit numbers.

    Raises
    ------
    InvalidInput
        If there is no sound.
    """

    def __init__(
        self, sounds: Sequence[Sound], shares: dict[str, float] | None = None, device: torch.device | str = "cpu"
    ) -> None:
        if not sounds:
            raise InvalidInput("there are no sounds", where="material")
        self.names = [sound.name for sound in sounds]
        self._length = np.array([len(sound.samples) for sound in sounds])
        self._first = np.concatenate([[0], np.cumsum(self._length)[:-1]])
        joined = np.concatenate([np.round(sound.samples * 32_767.0).astype(np.int16) for sound in sounds])
        self._samples = torch.from_numpy(joined).to(device)
        self._level = np.array([_level(sound.samples) for sound in sounds])
        kinds = np.array([sound.kind for sound in sounds])
        weight = np.sqrt(self._length.astype(np.float64))  # long sounds are drawn more often, but not in proportion
        self._probability = np.zeros(len(sounds))
        for kind in np.unique(kinds):
            chosen = kinds == kind
            share = 1.0 if shares is None else shares.get(str(kind), 0.0)
            self._probability[chosen] = share * weight[chosen] / weight[chosen].sum()
        self._probability /= self._probability.sum()

    def crop(self, rng: np.random.Generator, n_samples: int) -> torch.Tensor:
        """Return a stretch of a sound, or of two, as if silence came before it; float32, shape (n_samples,)."""
        crop = self._one(rng, n_samples)
        if rng.random() < _TWO_AT_ONCE:
            crop = crop + 10.0 ** (rng.uniform(-12.0, 6.0) / 20.0) * self._one(rng, n_samples)
        fade = torch.linspace(0.0, 1.0, _FADE, device=crop.device)
        crop[:_FADE] *= fade
        return crop

    def _one(self, rng: np.random.Generator, n_samples: int) -> torch.Tensor:
        which = int(rng.choice(len(self._first), p=self._probability))
        first, length = int(self._first[which]), int(self._length[which])
        crop = torch.zeros(n_samples, device=self._samples.device)
        if length <= n_samples:  # again and again, with pauses
            at = int(rng.uniform(0.0, 0.5) * (n_samples - length))
            while at < n_samples:
                taken = min(length, n_samples - at)
                crop[at : at + taken] = self._samples[first : first + taken].float() / 32_767.0
                at += length + int(rng.exponential(0.3) * SAMPLE_RATE_HZ)
            return crop
        best, loudest = 0, -1.0
        for _ in range(_TRIES):
            start = first + int(rng.integers(length - n_samples + 1))
            level = float(self._samples[start : start + n_samples : 16].float().square().mean().sqrt()) / 32_767.0
            if level > loudest:
                best, loudest = start, level
            if level > self._level[which] * 10.0 ** (_QUIET_DB / 20.0):
                break
        crop[:] = self._samples[best : best + n_samples].float() / 32_767.0
        return crop


def _level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
