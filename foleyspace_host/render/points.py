"""What is rendered: points in space, each of which plays one channel of the clip along its own path.

A plain source is one point. Whatever needs more of them (mirror images in a room, the width of an extended
source, the channels of a stereo clip) makes more points here, and every renderer then treats them alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.render.options import RenderOptions

__all__ = ["Path", "Point", "points_of"]


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
    """

    path: Path
    gain: float
    reference_m: float
    channel: int = 0


def points_of(trajectory: Trajectory, options: RenderOptions, duration_s: float) -> list[Point]:
    """Return the points of all selected sources.

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
        points.append(Point(path, 10.0 ** (source.gain_db / 20.0), path.median_distance_m(duration_s)))
    return points
