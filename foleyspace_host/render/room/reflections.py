"""Reflections as points: each mirror image of a point sounds like another point, later and duller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.render.room.images import Images, images_of, inside
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.statistics import at_octaves
from foleyspace_host.render.room.tail import tail_gain

if TYPE_CHECKING:
    from foleyspace_host.render.options import RenderOptions
    from foleyspace_host.render.points import Path, Point

__all__ = ["ImagePath", "TailEcho", "WallTone", "reflections_of", "tail_points_of"]

_Places = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

_PLACES = 64  # on a path, over which the strength of its images is averaged


class ImagePath:
    """Where one mirror image of a path is; a `Path` and an `Echo`.

    Parameters
    ----------
    direct : Path
        Path of the source.
    room : RoomModel
        The room.
    sign, shift_m : ndarray, shape (3,)
        The image; see `Images`.
    """

    def __init__(self, direct: Path, room: RoomModel, sign: NDArray[np.float64], shift_m: NDArray[np.float64]) -> None:
        self._direct, self._room, self._sign = direct, room, sign
        ears = np.array(room.listener_m)
        self._last: tuple[ArrayLike, _Places] | None = None
        # with both re the listener: sign * (ears + offset) + shift - ears
        self._shift_m = sign * ears + shift_m - ears

    def sample(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit directions (n, 3) of the image, and the direct sound's distance and the detour together [m]."""
        image_m, distance_m, direct_m, near_m = self._places(t_s)
        return image_m / distance_m[:, None], direct_m + (distance_m - near_m)

    def beyond_direct(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return gains re the direct sound and detours [m]; see `Echo`."""
        _, distance_m, _, near_m = self._places(t_s)
        return near_m / distance_m, distance_m - near_m

    def cuts_between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times of jumps in [start_s, end_s) [s]: those of the source."""
        return self._direct.cuts_between(start_s, end_s)

    def distance_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the distance over all times, the detour included [m]."""
        nearest, farthest = self._direct.distance_bounds_m()
        cell = self._corners_m()
        apart_m = np.maximum(np.maximum(cell.min(axis=0), -cell.max(axis=0)), 0.0)  # of its mirrored room from the ears
        return max(nearest, float(np.linalg.norm(apart_m))), farthest + self.detour_bounds_m()[1]

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the detour, wherever in the room the source may be [m]."""
        return 0.0, float(np.linalg.norm(np.abs(self._corners_m()).max(axis=0)))

    def _corners_m(self) -> NDArray[np.float64]:
        """Two opposite corners of the mirrored room re the listener [m]."""
        ears, size = np.array(self._room.listener_m), np.array(self._room.size_m)
        corners: NDArray[np.float64] = np.stack([-ears, size - ears]) * self._sign + self._shift_m
        return corners

    def _places(self, t_s: ArrayLike) -> _Places:
        """Image re the listener, its distance, the source's, and that of the source brought into the room."""
        if self._last is not None and self._last[0] is t_s:  # place and echo are asked for one after the other
            return self._last[1]
        unit, direct_m = self._direct.sample(t_s)
        place = inside(self._room, unit * direct_m[:, None])
        image_m = self._sign * place + self._shift_m
        distance_m = np.maximum(_length(image_m), 1e-3)
        places = image_m, distance_m, direct_m, np.minimum(_length(place), distance_m)
        self._last = t_s, places
        return places


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
        near_m = _length(inside(self._room, unit * direct_m[:, None]))
        return tail_gain(self._room, near_m), np.zeros_like(near_m)

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return (0, 0)."""
        return 0.0, 0.0


class WallTone:
    """What walls leave of a sound's spectrum; a `Tone`.

    Parameters
    ----------
    amplitude : ndarray, shape (8,)
        Gains at the octaves.
    """

    def __init__(self, amplitude: NDArray[np.float64]) -> None:
        self._log = np.log(np.maximum(amplitude, 1e-6))
        self._known: tuple[NDArray[np.float64], NDArray[np.float32]] | None = None

    def __call__(
        self, _unit: NDArray[np.float64], _distance_m: NDArray[np.float64], frequency_hz: NDArray[np.float64], /
    ) -> NDArray[np.float32]:
        """Return gains, shape (1, 1, n_frequencies), smooth over the octaves."""
        if self._known is None or self._known[0] is not frequency_hz:
            gains = np.exp(at_octaves(self._log, frequency_hz)).astype(np.float32)
            self._known = frequency_hz, gains[None, None]
        return self._known[1]


def reflections_of(points: Sequence[Point], room: RoomModel, options: RenderOptions, duration_s: float) -> list[Point]:
    """Return the reflections of points: for each point its strongest images.

    Parameters
    ----------
    points : sequence of Point
        Direct sounds.
    room : RoomModel
        The room.
    options : RenderOptions
        Laws of distance.
    duration_s : float
        Duration over which the strength of images is averaged; a point keeps its images throughout [s].

    Returns
    -------
    list of Point
    """
    from foleyspace_host.render.timbre import distance_tones

    found = []
    for point in _whole(points):
        images = _strongest(point.path, room, duration_s)
        for sign, shift_m, amplitude in zip(images.sign, images.shift_m, images.amplitude, strict=True):
            path = ImagePath(point.path, room, sign, shift_m)
            tones = (*distance_tones(path, point.reference_m, options), WallTone(amplitude))
            found.append(replace(point, path=path, tones=tones, echo=path))
    return found


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
    return [replace(point, tones=(), echo=TailEcho(point.path, room)) for point in _whole(points)]


def _whole(points: Sequence[Point]) -> list[Point]:
    """Points of sources without their width, which a room makes wider anyhow: the middle part stands for all."""
    return [replace(p, part=None) for p in points if p.part is None or p.part.index == p.part.count // 2]


def _strongest(path: Path, room: RoomModel, duration_s: float) -> Images:
    unit, distance_m = path.sample(np.linspace(0.0, duration_s, _PLACES))
    places = np.array(room.listener_m) + inside(room, unit * distance_m[:, None])
    return images_of(room).strongest(room, places, room.reflections)


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
