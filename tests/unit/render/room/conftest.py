"""The reflections as they would be without any economy: each image a point of its own, with a full voice.

What the renderer does for all images together is held to this. Mirroring and walls are written down once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from foleyspace_host.render import RenderOptions
from foleyspace_host.render.points import Path, Point
from foleyspace_host.render.room import OCTAVES_HZ, RoomModel
from foleyspace_host.render.room.images import images_of, inside
from foleyspace_host.render.timbre import distance_tones


class Mirrored:
    """Where an image is, and how much later and weaker than the direct sound it is; a `Path` and an `Echo`."""

    def __init__(self, direct: Path, room: RoomModel, sign: np.ndarray, shift_m: np.ndarray) -> None:
        self._direct, self._room, self._sign, self._shift_m = direct, room, sign, shift_m

    def _places(self, t_s: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        ears = np.array(self._room.listener_m)
        unit, direct_m = self._direct.sample(t_s)
        place = inside(self._room, unit * direct_m[:, None])
        image = self._sign * (ears + place) + self._shift_m - ears
        distance_m = np.linalg.norm(image, axis=1)
        return image, distance_m, direct_m, np.minimum(np.linalg.norm(place, axis=1), distance_m)

    def sample(self, t_s: Any) -> tuple[np.ndarray, np.ndarray]:
        image, distance_m, direct_m, near_m = self._places(t_s)
        return image / distance_m[:, None], direct_m + distance_m - near_m

    def beyond_direct(self, t_s: Any) -> tuple[np.ndarray, np.ndarray]:
        _, distance_m, _, near_m = self._places(t_s)
        return near_m / distance_m, distance_m - near_m

    def cuts_between(self, start_s: float, end_s: float) -> np.ndarray:
        return self._direct.cuts_between(start_s, end_s)

    def distance_bounds_m(self) -> tuple[float, float]:
        nearest, farthest = self._direct.distance_bounds_m()
        return nearest, farthest + self.detour_bounds_m()[1]

    def detour_bounds_m(self) -> tuple[float, float]:
        size, ears = np.array(self._room.size_m), np.array(self._room.listener_m)
        corners = np.stack([0 * size, size]) * self._sign + self._shift_m - ears
        return 0.0, float(np.linalg.norm(np.abs(corners).max(axis=0)))


class Walls:
    """What walls leave of a spectrum; a `Tone`."""

    def __init__(self, amplitude: np.ndarray) -> None:
        self._log = np.log(np.maximum(amplitude, 1e-6))

    def __call__(self, _unit: Any, _distance_m: Any, frequency_hz: np.ndarray, /) -> np.ndarray:
        octave = np.log2(np.maximum(frequency_hz, 1.0))
        gains = np.exp(np.interp(octave, np.log2(OCTAVES_HZ), self._log))
        return np.asarray(gains[None, None], dtype=np.float32)


Exact = Callable[[Sequence[Point], RoomModel, RenderOptions, float], list[Point]]


@pytest.fixture(scope="session")
def exact_reflections() -> Exact:
    """Make every image that is rendered a point: of points, room, options and duration."""
    return _exact_reflections


def _exact_reflections(
    points: Sequence[Point], room: RoomModel, options: RenderOptions, duration_s: float
) -> list[Point]:
    ears, found = np.array(room.listener_m), []
    for point in points:
        unit, distance_m = point.path.sample(np.linspace(0.0, duration_s, 64))
        places = ears + inside(room, unit * distance_m[:, None])
        images = images_of(room).strongest(room, places, room.reflections)
        for sign, shift_m, amplitude in zip(images.sign, images.shift_m, images.amplitude, strict=True):
            path = Mirrored(point.path, room, sign, shift_m)
            tones = (*distance_tones(path, point.reference_m, options), Walls(amplitude))
            found.append(replace(point, path=path, tones=tones, echo=path))
    return found
