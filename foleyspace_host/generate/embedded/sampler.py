"""From noise to bands, step by step.

Pieces are computed with what the network sees around them, so that they are those of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.embedded.bands import LOWEST_BAND_DB, N_BANDS
from foleyspace_host.generate.embedded.condition import N_LIKENESS, rows
from foleyspace_host.generate.embedded.model import FoleyModel
from foleyspace_host.generate.embedded.portrait import Portrait, shown

__all__ = ["CHUNK_FRAMES", "LATE", "Wanted", "flow_times", "sample"]

CHUNK_FRAMES = 1024
"""Frames that are computed together: 10.9 s."""

LATE = 1.5
"""Power of the flow's clock: what is fine is decided late, so steps are shorter there."""

_HIGHEST_DB = 40.0  # of a band: a single partial in white noise's place has 27

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sound shall be like.

    Parameters
    ----------
    portrait : Portrait
        Where its flow begins.
    likeness : ndarray, float32, shape (N_LIKENESS,)
        What it shall be like, see `condition.rows`.
    guidance : float
        Strength with which that is followed, 1 or more.
    unlike : ndarray, float32, shape (N_LIKENESS,), optional
        What it is led away from; nothing in particular if not given.
    """

    portrait: Portrait
    likeness: Floats
    guidance: float
    unlike: Floats | None = None


def flow_times(n_steps: int) -> list[float]:
    """Return the times at which the network is asked, and 1 at the end.

    Parameters
    ----------
    n_steps : int
        Steps, at least 1.

    Returns
    -------
    list of float
        n_steps + 1 times, from 0 on.

    Raises
    ------
    InvalidInput
        If there is no step.
    """
    if n_steps < 1:
        raise InvalidInput(f"{n_steps} steps lead nowhere", where="steps", cure="take at least 1")
    return [1.0 - (1.0 - step / n_steps) ** LATE for step in range(n_steps + 1)]


def sample(
    model: FoleyModel,
    wanted: Wanted,
    levels_db: Floats,
    *,
    seed: int,
    n_steps: int,
    chunk_frames: int = CHUNK_FRAMES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Make the bands of a sound.

    Parameters
    ----------
    model : FoleyModel
        The network.
    wanted : Wanted
        What it shall be like.
    levels_db : ndarray, float32, shape (n_frames,)
        Level of each frame re the loudest [dB].
    seed : int
        Seed of the noise at the beginning, not negative.
    n_steps : int
        Steps of the flow, at least 1.
    chunk_frames : int
        Frames that are computed together.
    on_progress : callable, optional
        Told (done, total) after each evaluation; may raise to cancel.

    Returns
    -------
    ndarray, float32, shape (N_BANDS, n_frames)
        Bands [dB re white noise of the frame's level].

    Raises
    ------
    InvalidInput
        If there is no step.
    """
    times = flow_times(n_steps)
    n_frames = len(levels_db)
    # frame by frame, so that a longer sound begins as a shorter one does
    place = np.random.default_rng(seed).standard_normal((n_frames, N_BANDS), dtype=np.float32).T
    unlike = np.zeros(N_LIKENESS, dtype=np.float32) if wanted.unlike is None else wanted.unlike
    starts = range(0, n_frames, chunk_frames)
    total, done = len(starts) * n_steps, 0
    for now, then in pairwise(times):
        before = place[:, :0]  # frames that have moved on already, as the next ones are to see them
        for first in starts:
            stop = min(first + chunk_frames, n_frames)
            seen = slice(max(first - model.reach, 0), min(stop + model.reach, n_frames))
            kept = slice(first - seen.start, stop - seen.start)
            around = np.concatenate([before[:, before.shape[1] - kept.start :], place[:, first : seen.stop]], axis=1)
            before = around[:, : kept.stop][:, -model.reach :] if model.reach else before
            level_db = levels_db[seen]
            told = np.stack([rows(wanted.likeness, level_db), rows(unlike, level_db)])
            portrait = np.stack([shown(wanted.portrait, wanted.portrait.mean_db(level_db))] * 2)
            like, other = model.velocity(np.stack([around] * 2), portrait, told, now)[..., kept]
            place[:, first:stop] += np.float32(then - now) * (other + np.float32(wanted.guidance) * (like - other))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
    for first in starts:
        part = place[:, first : first + chunk_frames]
        part *= wanted.portrait.spread_db[:, None]
        part += wanted.portrait.mean_db(levels_db[first : first + chunk_frames])
        np.clip(part, LOWEST_BAND_DB, _HIGHEST_DB, out=part)
    return place
