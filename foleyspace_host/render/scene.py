"""From a trajectory to the points that sound: sources, their channels and width."""

from __future__ import annotations

from math import sqrt

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.render.arc import ArcPath
from foleyspace_host.render.extent import parts_of
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.timbre import distance_tones

__all__ = ["points_of"]


def points_of(trajectory: Trajectory, options: RenderOptions, duration_s: float) -> list[Point]:
    """Return the points of all selected sources; what a room adds is no matter of points.

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
