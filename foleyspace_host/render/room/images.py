"""Mirror images of a source in the walls of a box (Allen & Berkley, JASA 65, 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.room.model import RoomModel

__all__ = ["Images", "images_of", "inside"]

_SOURCE_GAP_M = 0.3


@dataclass(frozen=True, slots=True)
class Images:
    """Mirror images of any source in a room: which walls made them, and where they are.

    Parameters
    ----------
    sign : ndarray, float64, shape (n_images, 3)
        -1 along the axes on which the image is mirrored, else 1.
    shift_m : ndarray, float64, shape (n_images, 3)
        The image of a source at p is at sign * p + shift, in the room's coordinates [m].
    hits : ndarray, int64, shape (n_images, 6)
        How often the sound met each wall.
    amplitude : ndarray, float64, shape (n_images, 8)
        What the walls leave of the sound's pressure in each band, spreading not counted.
    """

    sign: NDArray[np.float64]
    shift_m: NDArray[np.float64]
    hits: NDArray[np.int64]
    amplitude: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.sign)

    def take(self, index: NDArray[np.int64]) -> Images:
        """Return some of the images."""
        return Images(self.sign[index], self.shift_m[index], self.hits[index], self.amplitude[index])

    def positions_m(self, source_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the images of sources (..., 3) are, shape (..., n_images, 3) [m]."""
        return self.sign * source_m[..., None, :] + self.shift_m

    def strongest(self, room: RoomModel, source_m: NDArray[np.float64], count: int) -> Images:
        """Return the images with the most energy at the listener, the strongest first.

        Parameters
        ----------
        room : RoomModel
            The room.
        source_m : ndarray, shape (n_places, 3)
            Places over which the energy is averaged, in the room's coordinates [m].
        count : int
            How many.

        Returns
        -------
        Images
        """
        distance = np.linalg.norm(self.positions_m(source_m) - room.listener_m, axis=-1)
        loudness = (self.amplitude[:, 1:6] ** 2).mean(axis=1) * (1.0 / distance**2).mean(axis=0)
        return self.take(
            np.argsort(-np.round(loudness / max(loudness.max(initial=0.0), 1e-30), 12), kind="stable")[:count]
        )


@lru_cache(maxsize=32)
def images_of(room: RoomModel, order: int | None = None, scattering: bool = True) -> Images:
    """Return the images up to an order, the source itself left out.

    Parameters
    ----------
    room : RoomModel
        The room.
    order : int, optional
        Most reflections of one image; the room's own order if left out.
    scattering : bool
        Whether the amplitudes lack what walls scatter.

    Returns
    -------
    Images
    """
    limit = room.order if order is None else order
    # on one axis: mirrored or not, and how many double lengths away; hits of the low and of the high wall
    reach = range(-(limit // 2) - 1, limit // 2 + 2)
    axis = [(p, n, abs(n - p), abs(n)) for p, n in product((0, 1), reach) if abs(n - p) + abs(n) <= limit]
    rows = [(x, y, z) for x, y, z in product(axis, axis, axis) if 1 <= x[2] + x[3] + y[2] + y[3] + z[2] + z[3] <= limit]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3, 4)
    hits = table[:, :, 2:].reshape(-1, 6)
    kept = 1.0 - np.array(room.absorption)
    if scattering:
        kept = kept * (1.0 - np.array(room.scattering))[:, None]
    amplitude = np.prod(np.sqrt(kept)[None] ** hits[:, :, None], axis=1)
    sign = np.asarray(1.0 - 2.0 * table[:, :, 0], dtype=np.float64)
    return Images(sign, 2.0 * table[:, :, 1] * np.array(room.size_m), hits, amplitude)


def inside(room: RoomModel, offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring a source into the room: its height first, then along the horizontal ray from the listener.

    A camera's estimate of where things are knows nothing of walls. A source beyond one is reflected as if it
    stood just in front of it in the same horizontal direction; one below the floor or above the ceiling as if
    it were just above or below. (Its direct sound stays as it is.)

    Parameters
    ----------
    room : RoomModel
        The room.
    offset_m : ndarray, shape (n, 3)
        Source re the listener [m].

    Returns
    -------
    ndarray, shape (n, 3)
        Source re the listener, at least 0.3 m from every wall that the listener is that far from [m].
    """
    size, ears = np.array(room.size_m), np.array(room.listener_m)
    gap = np.minimum(np.minimum(_SOURCE_GAP_M, 0.5 * ears), 0.5 * (size - ears))
    low, high = gap - ears, size - gap - ears
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.where(offset_m > 0.0, offset_m / high, offset_m / low)[:, :2].max(axis=1)
    place = offset_m.copy()
    place[:, :2] /= np.maximum(beyond, 1.0)[:, None]
    place[:, 2] = np.clip(place[:, 2], low[2], high[2])
    return place
