"""From noise to sound in steps, whatever pieces it is asked for in: pieces give what the whole gives.

Each step of the flow is a stream of its own that keeps as many past frames as the network sees, as in
`foleyspace_host.diffusion.sampler`; noise belongs to its place in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, expanded, overlapped
from foleyspace_host.diffusion.noise import checked_seed, frame_noise
from foleyspace_host.diffusion.reach import log_map
from foleyspace_host.diffusion.sampler import flow_times
from foleyspace_host.generate.embedded.condition import FLOOR_DB, begin, rows
from foleyspace_host.generate.embedded.model import FoleyModel

__all__ = ["CHUNK_FRAMES", "Wanted", "sample"]

CHUNK_FRAMES = 768
"""Frames that are computed together: 4.1 s."""

_SILENT_DB = -120.0
_AWAY = 1.0  # how far the flow keeps from what is unwanted

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sound shall be like.

    Parameters
    ----------
    shares : ndarray, float32, shape (n_classes,)
        Share of each class, together 1.
    guidance : float
        Strength with which they are followed, 1 to 4.
    unwanted : ndarray, float32, shape (n_classes,), optional
        Shares of what it shall not be like; costs a second evaluation a step.
    """

    shares: Floats
    guidance: float
    unwanted: Floats | None = None


class _Step:
    """One step of the flow: keeps what the network sees around the frames that it answers for."""

    def __init__(self, model: FoleyModel, wanted: Wanted, mean_db: Floats, peak_db: float) -> None:
        self._model, self._wanted, self._mean_db, self._peak_db = model, wanted, mean_db, peak_db
        self._place = np.zeros((2, N_BINS, model.memory), dtype=np.float32)
        self._levels_db = np.full(model.memory, _SILENT_DB, dtype=np.float32)

    def push(self, place: Floats, levels_db: Floats, t: float, step: float, *, last: bool) -> tuple[Floats, Floats]:
        """Take the next frames over their level, and return those that are moved on, and their levels."""
        model = self._model
        ahead = model.look_ahead if last else 0
        place = np.concatenate([self._place, place, np.zeros((2, N_BINS, ahead), dtype=np.float32)], axis=2)
        levels_db = np.concatenate([self._levels_db, levels_db, np.full(ahead, _SILENT_DB, dtype=np.float32)])
        n_ready = len(levels_db) - model.memory - model.look_ahead
        if n_ready <= 0:
            self._place, self._levels_db = place, levels_db
            return place[..., :0], levels_db[:0]
        self._place, self._levels_db = place[..., n_ready:], levels_db[n_ready:]
        shown_db = np.maximum(levels_db, np.float32(self._peak_db + FLOOR_DB))  # what is silent was never learnt lower
        maps = np.concatenate([place, log_map(begin(self._mean_db, shown_db - np.float32(self._peak_db)))[None]])[None]
        end = self._end(maps, shown_db - np.float32(self._peak_db), t)
        now = slice(model.memory, model.memory + n_ready)
        moved = place[..., now] + np.float32(step / (1.0 - t)) * (end[..., now] - place[..., now])
        return moved, levels_db[now]

    def _end(self, maps: Floats, levels_db: Floats, t: float) -> Floats:
        wanted = self._wanted
        end = self._model.end(maps, rows(wanted.shares, levels_db, wanted.guidance)[None], t)
        if wanted.unwanted is None:
            return end
        away = end - self._model.end(maps, rows(wanted.unwanted, levels_db, 1.0)[None], t)
        return end + np.float32(_AWAY) * away


def sample(
    model: FoleyModel,
    wanted: Wanted,
    levels_db: Floats,
    *,
    seed: int,
    n_steps: int,
    chunk_frames: int = CHUNK_FRAMES,
) -> Iterator[Floats | None]:
    """Make a sound.

    Parameters
    ----------
    model : FoleyModel
        The network.
    wanted : Wanted
        What it shall be like.
    levels_db : ndarray, float32, shape (n_frames,)
        Level of each frame [dB re 1].
    seed : int
        Seed of the noise.
    n_steps : int
        Steps of the flow, at least 1.
    chunk_frames : int
        Frames that are computed together.

    Yields
    ------
    ndarray, float32, shape (n,), or None
        None after each evaluation, where the caller may cancel; then the next samples. In all n_frames * HOP samples,
        the first of them at the centre of frame 0.
    """
    checked_seed(seed)
    mean_db = (10.0 * np.log10(wanted.shares @ 10.0 ** (model.mean_db / 10.0) + 1e-12)).astype(np.float32)
    peak_db = float(levels_db.max(initial=_SILENT_DB))
    times = flow_times(n_steps)
    steps = [_Step(model, wanted, mean_db, peak_db) for _ in times]
    past = np.zeros((1, N_FFT - HOP), dtype=np.float32)
    skip, left = N_FFT // 2, len(levels_db) * HOP
    for first in range(0, len(levels_db), chunk_frames):
        levels = levels_db[first : first + chunk_frames]
        last = first + chunk_frames >= len(levels_db)
        place = frame_noise(seed, first, len(levels), n_channels=1)
        for one, (t, step) in zip(steps, times, strict=True):
            place, levels = one.push(place, levels, t, step, last=last)
            yield None
        if last:  # frames that only end what sounds
            quiet = N_FFT // 2 // HOP
            place = np.concatenate([place, np.zeros((2, N_BINS, quiet), dtype=np.float32)], axis=2)
            levels = np.concatenate([levels, np.full(quiet, _SILENT_DB, dtype=np.float32)])
        maps = place * begin(mean_db, levels)
        nyquist = np.zeros((1, maps.shape[2]), dtype=np.complex64)
        sound = overlapped(expanded(maps, nyquist), past)[0]
        cut = sound[min(skip, len(sound)) :][:left]
        skip -= min(skip, len(sound))
        left -= len(cut)
        if len(cut):
            yield cut
