"""The parameters of a room, and what diffuse-field theory says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S
from foleyspace_host.render.room.statistics import OCTAVES_HZ, absorption_for, eyring_rt60_s, wall_areas_m2

__all__ = ["WALLS", "RoomModel"]

WALLS = ("back", "front", "right", "left", "floor", "ceiling")
"""Order of the walls, seen by the listener, who looks to the front."""

MAX_ORDER, MAX_REFLECTIONS = 6, 400
SIZE_RANGE_M = (0.5, 500.0)
RT60_RANGE_S = (0.02, 20.0)
_WALL_GAP_M = 0.1  # least distance of the listener from a wall
_EAR_HEIGHT_M = 1.5

Bands = tuple[float, ...]
Absorption = float | Sequence[float] | Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class RoomModel:
    """A box-shaped room with a listener in it, who looks along its length.

    Coordinates are metres from the corner behind, right of and below the listener: x along the length to the
    front, y along the width to the left, z up; the listener's own axes are parallel to them.

    Parameters
    ----------
    name : str
        What people call it.
    size_m : tuple of 3 floats
        Length, width and height, 0.5 to 500 [m].
    rt60_s : tuple of 8 floats
        Reverberation time in each band of `OCTAVES_HZ`, 0.02 to 20 [s].
    absorption : tuple of 6 tuples of 8 floats
        Share of the energy that each wall takes (order of `WALLS`) in each band, 0 to 1.
    scattering : tuple of 6 floats
        Share of what each wall reflects that leaves in other directions than the mirror's and so belongs to
        the tail, 0 to 1.
    listener_m : tuple of 3 floats
        Ears, at least 0.1 m from every wall.
    order : int
        Most reflections of one image source, 0 to 6.
    reflections : int
        Image sources that are rendered: the strongest, 0 to 400.
    tail : bool
        Whether there is late reverberation.
    tail_db : float
        Its level re that of a diffuse field with this volume and these times, -60 to 12 [dB]. Out of doors
        most sound leaves for the sky, and the level is lower.
    seed : int
        Of the noise that the tail is made of, not negative.

    Raises
    ------
    InvalidInput
        If a value is out of range.
    """

    name: str
    size_m: tuple[float, float, float]
    rt60_s: Bands
    absorption: tuple[Bands, ...]
    scattering: Bands
    listener_m: tuple[float, float, float]
    order: int = 2
    reflections: int = 12
    tail: bool = True
    tail_db: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check("size", self.size_m, 3, *SIZE_RANGE_M)
        _check("rt60", self.rt60_s, len(OCTAVES_HZ), *RT60_RANGE_S)
        if len(self.absorption) != len(WALLS):
            raise InvalidInput(f"has {len(self.absorption)} walls", where="room absorption", cure="give 6")
        for wall in self.absorption:
            _check("absorption", wall, len(OCTAVES_HZ), 0.0, 1.0)
        _check("scattering", self.scattering, len(WALLS), 0.0, 1.0)
        for axis, (place, size) in enumerate(zip(self.listener_m, self.size_m, strict=True)):
            gap = min(_WALL_GAP_M, 0.4 * size)
            _check(f"listener {'xyz'[axis]}", (place,), 1, gap, size - gap)
        _check("order", (self.order,), 1, 0, MAX_ORDER)
        _check("reflections", (self.reflections,), 1, 0, MAX_REFLECTIONS)
        _check("tail_db", (self.tail_db,), 1, -60.0, 12.0)
        _check("seed", (self.seed,), 1, 0, 2**63 - 1)

    @classmethod
    def of(
        cls,
        size_m: ArrayLike,
        *,
        name: str = "shoebox",
        rt60_s: ArrayLike | None = None,
        absorption: Absorption | None = None,
        shares: ArrayLike = 1.0,
        scattering: ArrayLike = 0.1,
        listener_m: ArrayLike | None = None,
        order: int = 2,
        reflections: int = 12,
        tail: bool = True,
        tail_db: float = 0.0,
        seed: int = 0,
    ) -> RoomModel:
        """Build a room from either its reverberation time or its walls.

        Parameters
        ----------
        size_m : array_like, shape (3,)
            Length, width, height [m].
        name : str
            What people call it.
        rt60_s : array_like, shape () or (at most 8,), optional
            Reverberation times; the last holds for all higher bands. Those of Eyring's formula for the given
            absorption if left out.
        absorption : float, sequence of at most 8, or 6 such sequences, optional
            Energy absorption of all walls, or of each; the last number holds for all higher bands. Those that
            give the reverberation time by Eyring's formula if left out.
        shares : array_like, shape () or (6,)
            How much each wall absorbs against the others, where absorption follows from the time.
        scattering : array_like, shape () or (6,)
            Of all walls, or of each.
        listener_m : array_like, shape (3,), optional
            Ears; a little off the middle of the room (where every echo would meet its mirror image), 1.5 m
            high, if left out.
        order, reflections, tail, tail_db, seed
            As for `RoomModel`.

        Returns
        -------
        RoomModel

        Raises
        ------
        InvalidInput
            If neither time nor absorption is given, or a value is out of range.
        """
        size = _numbers("size", size_m, (3,))
        if not ((size >= SIZE_RANGE_M[0]) & (size <= SIZE_RANGE_M[1])).all():
            _check("size", tuple(size), 3, *SIZE_RANGE_M)
        if rt60_s is None and absorption is None:
            raise InvalidInput("neither rt60 nor absorption is given", where="room", cure="for example rt60=0.5")
        walls = None if absorption is None else _walls(absorption)
        if rt60_s is not None:
            times = _bands("rt60", rt60_s)
            _check("rt60", tuple(times), len(OCTAVES_HZ), *RT60_RANGE_S)
        if walls is None:
            walls = absorption_for(times, size, _numbers("shares", shares, (6,)))
        elif rt60_s is None:
            _check("absorption", tuple(walls.ravel()), walls.size, 0.0, 1.0)
            times = np.clip(eyring_rt60_s(walls, size), *RT60_RANGE_S)
        if listener_m is None:
            listener_m = size * (0.42, 0.47, 0.0) + (0.0, 0.0, min(_EAR_HEIGHT_M, 0.55 * size[2]))
        return cls(
            name=name,
            size_m=_triple(size),
            rt60_s=_tuple(times),
            absorption=tuple(_tuple(wall) for wall in walls),
            scattering=_tuple(_numbers("scattering", scattering, (6,))),
            listener_m=_triple(_numbers("listener", listener_m, (3,))),
            order=order,
            reflections=reflections,
            tail=tail,
            tail_db=tail_db,
            seed=seed,
        )

    @property
    def volume_m3(self) -> float:
        """Volume [m^3]."""
        return float(np.prod(self.size_m))

    @property
    def mid_rt60_s(self) -> float:
        """Mean of the times at 500 Hz and 1 kHz [s]."""
        return 0.5 * (self.rt60_s[2] + self.rt60_s[3])

    @property
    def mean_free_path_m(self) -> float:
        """Mean way between two reflections, 4 V / S [m]."""
        return float(4.0 * self.volume_m3 / wall_areas_m2(np.array(self.size_m)).sum())

    def diffuse_energy_per_s(self, emitted_ago_s: ArrayLike) -> NDArray[np.float64]:
        """Energy of the reverberation over time by diffuse-field theory.

        Parameters
        ----------
        emitted_ago_s : array_like, shape (n,)
            Time since a pulse left the source [s].

        Returns
        -------
        ndarray, float64, shape (8, n)
            Energy per second in each band, re the direct sound's at 1 m: 4 pi c / V exp(-6 ln 10 t / T), whose
            integral is 16 pi / A for Sabine's T.
        """
        times = np.asarray(emitted_ago_s, dtype=np.float64)
        decay = np.exp(-6.0 * np.log(10.0) * times / np.array(self.rt60_s)[:, None])
        return 4.0 * np.pi * SPEED_OF_SOUND_M_S / self.volume_m3 * decay


def _numbers(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
        return np.broadcast_to(array, shape).copy() if array.ndim == 0 else array.reshape(shape)
    except (TypeError, ValueError):
        raise InvalidInput(f"is not {shape[0]} numbers", where=f"room {name}") from None


def _bands(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """One number for each band, the last repeated."""
    count = len(OCTAVES_HZ)
    try:
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        array = np.empty((0, 0))
    if not (array.ndim == 1 and 1 <= len(array) <= count):
        raise InvalidInput(
            f"is not 1 to {count} numbers",
            where=f"room {name}",
            cure=f"give one, or one for each octave from {OCTAVES_HZ[0]:g} Hz on",
        )
    return np.concatenate([array, np.repeat(array[-1:], count - len(array))])


def _walls(values: Absorption) -> NDArray[np.float64]:
    """Bands of each wall, from those of all walls or from six lists."""
    if isinstance(values, Sequence) and len(values) == len(WALLS) and isinstance(values[0], Sequence):
        return np.stack([_bands("absorption", wall) for wall in values])
    return np.tile(_bands("absorption", values), (len(WALLS), 1))


def _check(name: str, values: tuple[float, ...], count: int, low: float, high: float) -> None:
    if len(values) != count:
        raise InvalidInput(f"has {len(values)} numbers", where=f"room {name}", cure=f"give {count}")
    for value in values:
        if not (isfinite(value) and low <= value <= high):
            raise InvalidInput(f"{value:g} is outside {low:g} to {high:g}", where=f"room {name}")


def _tuple(values: NDArray[np.float64]) -> Bands:
    return tuple(float(value) for value in values)


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = _tuple(values)
    return x, y, z
