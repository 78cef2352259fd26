"""What is rendered: points in space, each of which plays one channel of the clip along its own path.

A plain source is one point. Whatever needs more of them (mirror images in a room, the width of an extended
source, the channels of a stereo clip) makes more points here, and every renderer then treats them alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.render.air import AirAbsorption
from foleyspace_host.render.arc import ArcPath
from foleyspace_host.render.distance import PHYSICAL_REFERENCE_M, RELATIVE_LIMIT_DB
from foleyspace_host.render.extent import Part, parts_of
from foleyspace_host.render.near_field import FAR_M, NearField
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.room.presets import room_of

__all__ = ["Echo", "Path", "Point", "Tone", "direct_points_of", "distance_tones", "points_of"]

_INAUDIBLE_DB = 0.05


class Path(Protocol):
    """Where a point is over time; `SourcePath` is one."""

    def sample(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit directions (n, 3) and distances (n,) [m] at times (n,) [s]."""
        ...

    def cuts_between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times of jumps in [start_s, end_s) [s]."""
        ...

    def distance_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the distance over all times [m]."""
        ...


class Tone(Protocol):
    """A filter on what a point plays, without phase: what walls or air take from the sound on its way."""

    def __call__(
        self, unit: NDArray[np.float64], distance_m: NDArray[np.float64], frequency_hz: NDArray[np.float64], /
    ) -> NDArray[np.float32]:
        """Return gains for directions (n, 3) and distances (n,), shape (1 or 2 ears, 1 or n, n_frequencies)."""
        ...


class Echo(Protocol):
    """How what comes from a path differs from the direct sound of its source."""

    def beyond_direct(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return gains re the direct sound (n,) and detours (n,) [m] at times (n,) of leaving [s].

        The path's own distances hold the detour; without it they are the direct sound's.
        """
        ...

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the detour over all times [m]."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """A point that sounds.

    Parameters
    ----------
    path : Path
        Where it is.
    gain : float
        Linear factor on the clip.
    reference_m : float
        Distance against which the laws ``relative`` and ``doppler`` count: the source's median [m].
    channel : int
        Channel of the clip that it plays.
    tones : tuple of Tone
        Filters on it, multiplied.
    echo : Echo, optional
        What makes it a reflection; a direct sound if not given.
    envelope : GainEnvelope, optional
        Level of the source over time, put on what it plays.
    part : Part, optional
        Part of the spectrum that it plays; all of it if not given.
    """

    path: Path
    gain: float
    reference_m: float
    channel: int = 0
    tones: tuple[Tone, ...] = ()
    echo: Echo | None = None
    envelope: GainEnvelope | None = None
    part: Part | None = None


def points_of(trajectory: Trajectory, options: RenderOptions, duration_s: float) -> list[Point]:
    """Return the points of all selected sources, and their reflections in a room.

    Parameters
    ----------
    trajectory, options, duration_s
        As for `direct_points_of`.

    Returns
    -------
    list of Point
        Direct sounds first.

    Raises
    ------
    InvalidInput
        If no source is selected.
    """
    points = direct_points_of(trajectory, options, duration_s)
    room = room_of(options.room)
    if room is None:
        return points
    from foleyspace_host.render.room.reflections import reflections_of

    return points + reflections_of(points, room, options, duration_s)


def direct_points_of(trajectory: Trajectory, options: RenderOptions, duration_s: float) -> list[Point]:
    """Return the points of all selected sources, without any room.

    Parameters
    ----------
    trajectory : Trajectory
        Sources.
    options : RenderOptions
        Choices of the rendering.
    duration_s : float
        Duration of the clip, over which the median distance is taken [s].

    Returns
    -------
    list of Point

    Raises
    ------
    InvalidInput
        If no source is selected.
    """
    if not trajectory.selected:
        raise InvalidInput("no source is selected", where="trajectory", cure="select at least one")
    points = []
    for source in trajectory.selected:
        path = SourcePath.from_source(source, options.spread)
        reference_m = path.median_distance_m(duration_s)
        tones = distance_tones(path, reference_m, options)
        envelope = GainEnvelope.from_source(source)
        angles_deg = options.channel_angles_deg or (0.0,)
        # the power of the channels together is that of their mono sum
        gain = 10.0 ** (source.gain_db / 20.0) / sqrt(len(angles_deg))
        parts = parts_of(source.extent_deg if options.extent_deg is None else options.extent_deg)
        for channel, angle_deg in enumerate(angles_deg):
            for offset_deg, part in parts:
                beside = path if angle_deg + offset_deg == 0.0 else ArcPath(path, angle_deg + offset_deg)
                points.append(Point(beside, gain, reference_m, channel, tones, envelope=envelope, part=part))
    return points


def distance_tones(path: Path, reference_m: float, options: RenderOptions) -> tuple[Tone, ...]:
    """Return what distance does to the timbre of a path: the air's filter, and the near field.

    Parameters
    ----------
    path : Path
        Where the point is.
    reference_m : float
        Distance at which the law ``relative`` is neutral [m].
    options : RenderOptions
        Laws; with the distance gain ``none`` distance does nothing.

    Returns
    -------
    tuple of Tone
        Only those that are audible on this path.
    """
    if options.distance_gain == "none":
        return ()
    tones: list[Tone] = []
    bounds_m = path.distance_bounds_m()
    if options.air is not None:
        recorded_m = reference_m if options.distance_gain == "relative" else PHYSICAL_REFERENCE_M
        farthest_m = max(abs(bound - recorded_m) for bound in bounds_m)
        if farthest_m * float(options.air.attenuation_db_m(16_000.0)) > _INAUDIBLE_DB:
            tones.append(AirAbsorption(options.air, recorded_m, RELATIVE_LIMIT_DB))
    if bounds_m[0] < FAR_M:
        tones.append(NearField())
    return tuple(tones)
