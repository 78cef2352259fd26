"""Direct sound, reflections and tail together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import tee

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.room.early import reflection_blocks
from foleyspace_host.render.room.hearing import Hearing
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.reverb import added, tail_blocks

__all__ = ["surrounded"]

Blocks = Iterable[NDArray[np.float32]]


def surrounded(
    direct: Callable[[Blocks], Iterator[NDArray[np.float32]]],
    blocks: Blocks,
    n_samples: int,
    sample_rate_hz: int,
    points: Sequence[Point],
    room: RoomModel,
    hearing: Hearing,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Put a room around a rendering.

    Parameters
    ----------
    direct : callable
        Renders blocks without the room.
    blocks : iterable of ndarray, float32, shape (any,) or (n_clip_channels, any)
        The clip in order; how it is cut does not change the result.
    n_samples : int
        Samples to render.
    sample_rate_hz : int
        Sampling rate [Hz].
    points : sequence of Point
        Direct sounds.
    room : RoomModel
        The room.
    hearing : Hearing
        Ears or channels.
    options : RenderOptions
        Laws of distance and propagation.

    Returns
    -------
    iterator of ndarray, float32, shape (hearing.n_channels, m)
        n_samples in all: the direct sound, to which the rest is added.
    """
    plain, early, late = tee(blocks, 3)
    whole = direct(plain)
    if room.order and room.reflections:
        whole = added(whole, reflection_blocks(early, n_samples, sample_rate_hz, points, room, hearing, options))
    if room.tail:
        response = hearing.tail(room, n_samples)
        whole = added(whole, tail_blocks(late, n_samples, sample_rate_hz, points, room, options, response))
    return whole
