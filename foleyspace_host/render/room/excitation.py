"""What a source gives to the reverberation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.render.room.images import inside
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.reflections import whole_points
from foleyspace_host.render.room.tail import tail_gain

if TYPE_CHECKING:
    from foleyspace_host.render.points import Path, Point

__all__ = ["TailEcho", "tail_points_of"]


class TailEcho:
    """What the tail takes from a path: its level re the direct sound. An `Echo` without a detour.

    Parameters
    ----------
    direct : Path
        Path of the source.
    room : RoomModel
        The room.
    """

    def __init__(self, direct: Path, room: RoomModel) -> None:
        self._direct, self._room = direct, room

    def beyond_direct(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return gains re the direct sound, and no detours [m]; see `Echo`."""
        unit, direct_m = self._direct.sample(t_s)
        near_m = np.linalg.norm(inside(self._room, unit * direct_m[:, None]), axis=1)
        return tail_gain(self._room, near_m), np.zeros_like(near_m)

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return (0, 0)."""
        return 0.0, 0.0


def tail_points_of(points: Sequence[Point], room: RoomModel) -> list[Point]:
    """Return what feeds the tail: every direct sound, at the level that the field has for it.

    Parameters
    ----------
    points : sequence of Point
        Direct sounds.
    room : RoomModel
        The room.

    Returns
    -------
    list of Point
    """
    return [replace(point, tones=(), echo=TailEcho(point.path, room)) for point in whole_points(points)]
