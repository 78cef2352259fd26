"""Rooms for training: random boxes like those that people live and work in."""

from __future__ import annotations

import numpy as np

from foleyspace_host.render.room import OCTAVES_HZ, RoomModel
from foleyspace_host.render.room.statistics import eyring_rt60_s

__all__ = ["LONGEST_RT60_S", "SHORTEST_RT60_S", "invent_room"]

SHORTEST_RT60_S, LONGEST_RT60_S = 0.15, 0.6
"""Bounds of the reverberation time in any octave [s]; the longest is the memory that a model needs."""

_SEEDS = 2**31


def invent_room(rng: np.random.Generator, *, order: int = 2, reflections: int = 10) -> RoomModel:
    """Invent a room.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the dice come from.
    order, reflections : int
        As for `RoomModel`.

    Returns
    -------
    RoomModel
        2.5 to 12 m long, ceilings of 2.2 to 5 m; times of 0.15 to 0.6 s that differ between octaves as they do in
        furnished rooms, nowhere longer than bare walls would allow; the listener at least 0.5 m from the walls.
    """
    length = np.exp(rng.uniform(np.log(2.5), np.log(12.0)))
    width = np.clip(length * rng.uniform(0.5, 1.2), 2.2, 12.0)
    height = np.clip(rng.uniform(2.2, 0.35 * max(length, width) + 2.0), 2.2, 5.0)
    size = np.array([length, width, height])
    middle = np.exp(rng.uniform(np.log(SHORTEST_RT60_S), np.log(LONGEST_RT60_S)))
    octave = np.arange(len(OCTAVES_HZ)) - 3.0  # from 1 kHz
    slope = rng.normal(-0.05, 0.08)  # highs die earlier, in most rooms
    wiggle = np.convolve(rng.normal(0.0, 0.1, len(octave) + 2), [0.25, 0.5, 0.25], "valid")
    times = np.clip(middle * np.exp(slope * octave + wiggle), SHORTEST_RT60_S, LONGEST_RT60_S)
    # the air bounds the highest octaves of large rooms
    times = np.minimum(times, eyring_rt60_s(np.full((6, len(OCTAVES_HZ)), 0.02), size))
    listener = rng.uniform(0.0, 1.0, 3) * (size - (1.2, 1.2, 0.0)) + (0.6, 0.6, 0.0)
    listener[2] = np.clip(rng.normal(1.5, 0.2), 1.0, size[2] - 0.5)
    return RoomModel.of(
        size,
        name="invented",
        rt60_s=times,
        shares=np.exp(rng.normal(0.0, 0.5, 6)),
        scattering=rng.uniform(0.05, 0.35),
        listener_m=listener,
        order=order,
        reflections=reflections,
        seed=int(rng.integers(_SEEDS)),
    )
