"""Trajectories: where each source is over time, as keys in the listener's frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal, get_args

from foleyspace_host.errors import InvalidInput, TrajectoryInvalid
from foleyspace_host.geometry.camera import Camera

__all__ = [
    "GAIN_RANGE_DB",
    "MAX_EXTENT_DEG",
    "MAX_KEYS",
    "MAX_SOURCES",
    "Key",
    "Origin",
    "Source",
    "Trajectory",
    "check_key",
]

Origin = Literal["detected", "interpolated", "offscreen", "edited"]

GAIN_RANGE_DB = (-120.0, 60.0)
MAX_EXTENT_DEG = 180.0
MAX_SOURCES = 256
MAX_KEYS = 10_000_000

_MAX_TIME_S, _MAX_AZIMUTH_DEG, _MAX_DISTANCE_M = 1e7, 1e6, 1e6
_ORIGINS = frozenset(get_args(Origin))


@dataclass(frozen=True, slots=True)
class Key:
    """One position of a source.

    Parameters
    ----------
    t_s : float
        Time from the start of presentation, not negative [s].
    azimuth_deg : float
        Azimuth, left positive [deg]; any turn is allowed, paths take the short way round.
    elevation_deg : float
        Elevation, -90 to 90 [deg].
    distance_m : float
        Distance, not negative [m]; rendering clamps it to its own range.
    confidence : float
        0 to 1.
    image_xy : (float, float), optional
        The point in the picture, as fractions of display width and height from the top left.
    origin : {"detected", "interpolated", "offscreen", "edited"}
        How the key came about.
    cut : bool
        True if the source jumps here from the key before: nothing is interpolated across it.
    gain_db : float
        Level here relative to the source's own, -120 to 60 [dB]; in between it changes evenly in decibels.
    """

    t_s: float
    azimuth_deg: float
    elevation_deg: float = 0.0
    distance_m: float = 1.0
    confidence: float = 1.0
    image_xy: tuple[float, float] | None = None
    origin: Origin = "edited"
    cut: bool = False
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """A sounding thing and its keys in order of time.

    Parameters
    ----------
    id : str
        Unique within the trajectory.
    keys : tuple of Key
        At least one, strictly increasing in time.
    label : str
        What it is, for people.
    confidence : float
        0 to 1, of the whole source.
    selected : bool
        Only selected sources sound.
    gain_db : float
        Level relative to the clip [dB].
    extent_deg : float
        Width as heard by the listener, 0 (a point) to 180 [deg].

    Raises
    ------
    TrajectoryInvalid
        If the keys are empty, unsorted, not finite or out of range; the message names the key.
    """

    id: str
    keys: tuple[Key, ...]
    label: str = ""
    confidence: float = 1.0
    selected: bool = True
    gain_db: float = 0.0
    extent_deg: float = 0.0

    def __post_init__(self) -> None:
        where = f"source {self.id!r}"
        if not self.id:
            raise TrajectoryInvalid("a source needs an id", where="trajectory", cure="name it, for example 'car-1'")
        if not self.keys:
            raise TrajectoryInvalid("no keys", where=where, cure="give at least one position")
        if len(self.keys) > MAX_KEYS:
            raise TrajectoryInvalid(
                f"{len(self.keys)} keys are more than {MAX_KEYS}", where=where, cure="thin them out"
            )
        if not GAIN_RANGE_DB[0] <= self.gain_db <= GAIN_RANGE_DB[1]:
            raise TrajectoryInvalid(f"gain_db {self.gain_db} is outside -120 to 60 dB", where=where)
        if not 0.0 <= self.confidence <= 1.0:
            raise TrajectoryInvalid(f"confidence {self.confidence} is outside 0 to 1", where=where)
        if not 0.0 <= self.extent_deg <= MAX_EXTENT_DEG:
            raise TrajectoryInvalid(f"extent_deg {self.extent_deg} is outside 0 to 180 degrees", where=where)
        before = -1.0
        for index, key in enumerate(self.keys):
            if not _is_sound(key, before):
                check_key(key, before, f"{where}, key {index}")
            before = key.t_s


@dataclass(frozen=True, slots=True)
class Trajectory:
    """All sources of a clip.

    Parameters
    ----------
    duration_s : float
        Duration of the clip [s], positive.
    sources : tuple of Source
        Sources with unique ids; may be empty.
    camera : Camera, optional
        The camera through which they were seen.

    Raises
    ------
    TrajectoryInvalid
        If the duration is not positive and finite, or ids repeat.
    """

    duration_s: float
    sources: tuple[Source, ...] = field(default=())
    camera: Camera | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.duration_s) and self.duration_s > 0.0):
            raise TrajectoryInvalid(f"duration_s {self.duration_s} is not a positive time", where="trajectory")
        if len(self.sources) > MAX_SOURCES:
            raise TrajectoryInvalid(f"{len(self.sources)} sources are more than {MAX_SOURCES}", where="trajectory")
        seen: set[str] = set()
        for source in self.sources:
            if source.id in seen:
                raise TrajectoryInvalid(f"two sources are called {source.id!r}", where="trajectory", cure="rename one")
            seen.add(source.id)

    @property
    def selected(self) -> tuple[Source, ...]:
        """The sources that sound."""
        return tuple(source for source in self.sources if source.selected)

    def source(self, source_id: str) -> Source:
        """Return the source with this id.

        Parameters
        ----------
        source_id : str
            Id to look for.

        Returns
        -------
        Source

        Raises
        ------
        InvalidInput
            If there is none; the message lists those there are.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        names = ", ".join(source.id for source in self.sources) or "none"
        raise InvalidInput(f"no source is called {source_id!r}", where="trajectory", cure=f"choose one of: {names}")

    def select(self, source_ids: Iterable[str]) -> Trajectory:
        """Return a copy in which only the named sources sound.

        Parameters
        ----------
        source_ids : iterable of str
            Ids of the sources to select.

        Returns
        -------
        Trajectory

        Raises
        ------
        InvalidInput
            If a name is unknown.
        """
        wanted = {self.source(source_id).id for source_id in source_ids}
        return replace(self, sources=tuple(replace(s, selected=s.id in wanted) for s in self.sources))


def _is_sound(key: Key, before_s: float) -> bool:
    """Tell whether `check_key` would pass, at a fraction of its cost; NaN fails every comparison."""
    return (
        before_s < key.t_s <= _MAX_TIME_S
        and key.t_s >= 0.0
        and -_MAX_AZIMUTH_DEG <= key.azimuth_deg <= _MAX_AZIMUTH_DEG
        and -90.0 <= key.elevation_deg <= 90.0
        and 0.0 <= key.distance_m <= _MAX_DISTANCE_M
        and 0.0 <= key.confidence <= 1.0
        and GAIN_RANGE_DB[0] <= key.gain_db <= GAIN_RANGE_DB[1]
        and key.image_xy is None
        and key.origin in _ORIGINS
    )


def check_key(key: Key, before_s: float, where: str) -> None:
    """Refuse a key that is out of range or not later than the one before.

    Parameters
    ----------
    key : Key
        The key to check.
    before_s : float
        Time of the key before; -1 for the first [s].
    where : str
        What the message calls the key.

    Raises
    ------
    TrajectoryInvalid
        If a number is not finite or out of range, the time does not increase, or the origin is unknown.
    """
    numbers = {
        "t_s": (key.t_s, 0.0, _MAX_TIME_S),
        "azimuth_deg": (key.azimuth_deg, -_MAX_AZIMUTH_DEG, _MAX_AZIMUTH_DEG),
        "elevation_deg": (key.elevation_deg, -90.0, 90.0),
        "distance_m": (key.distance_m, 0.0, _MAX_DISTANCE_M),
        "confidence": (key.confidence, 0.0, 1.0),
        "gain_db": (key.gain_db, *GAIN_RANGE_DB),
    }
    for name, (value, low, high) in numbers.items():
        if not isfinite(value):
            raise TrajectoryInvalid(f"{name} is {value}", where=where, cure="every number must be finite")
        if not low <= value <= high:
            raise TrajectoryInvalid(f"{name} {value:g} is outside {low:g} to {high:g}", where=where)
    if key.t_s <= before_s:
        raise TrajectoryInvalid(
            f"t_s {key.t_s:g} does not come after {before_s:g}",
            where=where,
            cure="sort the keys by time, one per time",
        )
    if key.image_xy is not None and not all(isfinite(value) for value in key.image_xy):
        raise TrajectoryInvalid(f"image_xy is {key.image_xy}", where=where, cure="every number must be finite")
    if key.origin not in get_args(Origin):
        raise TrajectoryInvalid(
            f"origin {key.origin!r} is unknown",
            where=where,
            cure=f"use one of: {', '.join(get_args(Origin))}",
        )
