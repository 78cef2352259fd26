"""When, from where and how loud the mirror images of a source are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S, distance_gain, propagation_s
from foleyspace_host.render.room.images import Images, images_of, inside
from foleyspace_host.render.room.model import RoomModel

if TYPE_CHECKING:
    from foleyspace_host.render.options import RenderOptions
    from foleyspace_host.render.points import Point

__all__ = ["Arrivals", "Reflections", "whole_points"]

_PLACES = 64  # on a path, over which the strength of its images is averaged
_INAUDIBLE = 1e-6  # energy re the direct sound: 60 dB less
_EMISSION_STEPS = 4
_JUMP = 0.5  # change of delay per sample above which an image jumps rather than moves (half the speed of sound)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is heard of the images of one source at control points.

    Parameters
    ----------
    delay_samples : ndarray, float64, shape (n_images, n)
        Travel times to the listener's place [samples].
    unit : ndarray, float64, shape (n_images, n, 3)
        Directions.
    distance_m : ndarray, float64, shape (n_images, n)
        The direct sound's distance and the detour together [m].
    gain : ndarray, float64, shape (n_images, n)
        Linear gains, those of the walls left out.
    jump : ndarray of bool, shape (n_images, n - 1)
        Intervals over which an image jumps: cross-fade instead of sliding.
    """

    delay_samples: NDArray[np.float64]
    unit: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    gain: NDArray[np.float64]
    jump: NDArray[np.bool_]


class Reflections:
    """The strongest images of a point, on the listener's clock.

    The path is sampled once for all images, on the control points of the source's clock, and mirrored. What is
    heard at a time left the source earlier, for each image by its own travel time; between control points the
    place is taken on a straight line. A jump of the path counts from the next control point on.

    Parameters
    ----------
    point : Point
        The direct sound.
    room : RoomModel
        The room.
    options : RenderOptions
        Laws of distance and propagation.
    sample_rate_hz : int
        Sampling rate [Hz].
    hop : int
        Distance of control points [samples].
    duration_s : float
        Duration over which the strength of images is averaged; a point keeps its images throughout [s].

    Attributes
    ----------
    point : Point
        The direct sound.
    images : Images
        The images, the strongest first, without those that nobody hears.
    """

    def __init__(
        self, point: Point, room: RoomModel, options: RenderOptions, sample_rate_hz: int, hop: int, duration_s: float
    ) -> None:
        self.point, self._room, self._options = point, room, options
        self._rate_hz, self._step_s = sample_rate_hz, hop / sample_rate_hz
        self._hop = hop
        self._ears = np.array(room.listener_m)
        self.images = self._audible(duration_s)

    def bounds_samples(self) -> tuple[float, float]:
        """Return the smallest and the largest travel time that can occur [samples]."""
        nearest, farthest = self.point.path.distance_bounds_m()
        size = np.array(self._room.size_m)
        corners = self.images.positions_m(np.stack([0.0 * size, size])) - self._ears
        detour_m = float(np.linalg.norm(np.abs(corners).max(axis=(0, 1), initial=0.0)))
        law = self._options.propagation
        shortest, longest = propagation_s(np.array([nearest, farthest]), self.point.reference_m, law)
        return float(shortest) * self._rate_hz, (float(longest) + detour_m / SPEED_OF_SOUND_M_S) * self._rate_hz

    def arrivals(self, first: int, count: int, late_samples: int = 0) -> Arrivals:
        """Return what is heard at the control points first, ..., first + count - 1.

        Parameters
        ----------
        first, count : int
            Control points on the listener's clock; those before the clip may be asked for.
        late_samples : int
            How much later than the control points it is heard: the delay in the responses that follow.

        Returns
        -------
        Arrivals
        """
        shortest, longest = (bound / self._hop for bound in self.bounds_samples())
        start = int(np.floor(first - longest)) - 1
        late = late_samples / self._hop
        stop = int(np.ceil(first + count + late - shortest)) + 2
        times_s = np.arange(start, stop) * self._step_s
        unit, direct_m = self.point.path.sample(times_s)
        place = inside(self._room, unit * direct_m[:, None])
        cuts = np.ceil(self.point.path.cuts_between(float(times_s[0]), float(times_s[-1])) / self._step_s - 1e-6)
        cuts = cuts.astype(np.int64) - start
        steady = np.ones(len(times_s))
        steady[cuts - 1] = 0.0  # holds the place before a cut until it has come

        _, _, travel = self._seen(place, direct_m)
        heard = np.arange(first - start, first - start + count) + late
        left = np.repeat(heard[None] - shortest, len(self.images), axis=0)
        for _ in range(_EMISSION_STEPS):  # t_left + travel(t_left) = t_heard; contracts by v / c
            index = left.astype(np.int64)
            part = (left - index) * steady[index]
            early = np.take_along_axis(travel, index, 1)
            left = heard - (early + part * (np.take_along_axis(travel, index + 1, 1) - early))
        index = left.astype(np.int64)
        part = (left - index) * steady[index]
        direct_m = direct_m[index] + part * (direct_m[index + 1] - direct_m[index])
        place = place[index] + part[..., None] * (place[index + 1] - place[index])
        image_m, distance_m, travel = self._seen(place, direct_m)
        near_m = np.minimum(_length(place), distance_m)
        gain = distance_gain(direct_m, self.point.reference_m, self._options.distance_gain)
        before = np.searchsorted(cuts, left, side="right")
        delay = travel * self._hop
        jump = (np.diff(before, axis=1) != 0) | (np.abs(np.diff(delay, axis=1)) > _JUMP * self._hop)
        return Arrivals(
            delay_samples=delay,
            unit=image_m / distance_m[..., None],
            distance_m=direct_m + (distance_m - near_m),
            gain=self.point.gain * gain * near_m / distance_m,
            jump=jump,
        )

    def _seen(
        self, place: NDArray[np.float64], direct_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Images re the listener, their distances [m] and travel times [control intervals], for each image.

        The places (n, 3) are those of the source re the listener, brought into the room, and may differ between
        the images: (n_images, n, 3).
        """
        sign, shift_m = self.images.sign[:, None], self.images.shift_m[:, None]
        image_m = sign * (self._ears + place) + (shift_m - self._ears)
        distance_m = np.maximum(_length(image_m), 1e-3)
        detour_m = distance_m - np.minimum(_length(place), distance_m)
        law = self._options.propagation
        # without travel time the direct sound is in sync, and its echoes come later all the same
        travel_s = propagation_s(direct_m + detour_m, self.point.reference_m, law)
        if law == "none":
            travel_s = detour_m / SPEED_OF_SOUND_M_S
        return image_m, distance_m, travel_s / self._step_s

    def _audible(self, duration_s: float) -> Images:
        unit, distance_m = self.point.path.sample(np.linspace(0.0, duration_s, _PLACES))
        place = inside(self._room, unit * distance_m[:, None])
        images = images_of(self._room).strongest(self._room, self._ears + place, self._room.reflections)
        apart_m = np.linalg.norm(images.positions_m(self._ears + place) - self._ears, axis=-1)
        nearness = (_length(place)[:, None] / np.maximum(apart_m, 1e-3)).max(axis=0) ** 2
        return images.take(np.flatnonzero(nearness * (images.amplitude**2).max(axis=1) > _INAUDIBLE))


def whole_points(points: Sequence[Point]) -> list[Point]:
    """Return points without the width of their sources, which a room makes wider anyhow.

    Parameters
    ----------
    points : sequence of Point
        Direct sounds.

    Returns
    -------
    list of Point
        One for each channel of each source: the middle part stands for all.
    """
    return [replace(p, part=None) for p in points if p.part is None or p.part.index == p.part.count // 2]


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.einsum("...k,...k->...", vectors, vectors))
