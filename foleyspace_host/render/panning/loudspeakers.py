"""Loudspeaker layouts, and amplitude panning among triangles of them (VBAP)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.frames import angles_to_unit

__all__ = ["LAYOUTS", "Layout", "Loudspeaker", "LoudspeakerLaw", "triangulate"]


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """A loudspeaker, or a virtual one.

    Parameters
    ----------
    azimuth_deg, elevation_deg : float
        Where it stands [deg].
    feeds : tuple of str
        For a virtual one: the loudspeakers that play its sound, with equal power.
    """

    azimuth_deg: float
    elevation_deg: float
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Loudspeakers around the listener.

    Parameters
    ----------
    channels : dict of str to (Loudspeaker or None)
        The channels in order; None for one that carries no directed sound (LFE).
    virtual : tuple of Loudspeaker
        Directions without a loudspeaker that close the hull around the listener.
    """

    channels: dict[str, Loudspeaker | None]
    virtual: tuple[Loudspeaker, ...]


_FRONT = {
    "L": Loudspeaker(30.0, 0.0),
    "R": Loudspeaker(-30.0, 0.0),
    "C": Loudspeaker(0.0, 0.0),
    "LFE": None,
}
_RING_5 = ("L", "R", "C", "Ls", "Rs")
_RING_7 = ("L", "R", "C", "Lrs", "Rrs", "Ls", "Rs")
_TOP_4 = ("Ltf", "Rtf", "Ltr", "Rtr")

# Nominal angles of Recommendation ITU-R BS.2051: systems B (0+5+0) and J (4+7+0)
LAYOUTS = {
    "5.1": Layout(
        {**_FRONT, "Ls": Loudspeaker(110.0, 0.0), "Rs": Loudspeaker(-110.0, 0.0)},
        (Loudspeaker(0.0, 90.0, _RING_5), Loudspeaker(0.0, -90.0, _RING_5)),
    ),
    "7.1.4": Layout(
        {
            **_FRONT,
            "Lrs": Loudspeaker(135.0, 0.0),
            "Rrs": Loudspeaker(-135.0, 0.0),
            "Ls": Loudspeaker(90.0, 0.0),
            "Rs": Loudspeaker(-90.0, 0.0),
            "Ltf": Loudspeaker(45.0, 30.0),
            "Rtf": Loudspeaker(-45.0, 30.0),
            "Ltr": Loudspeaker(135.0, 30.0),
            "Rtr": Loudspeaker(-135.0, 30.0),
        },
        (
            Loudspeaker(0.0, 90.0, _TOP_4),
            Loudspeaker(0.0, -90.0, _RING_7),
            # between the rear four, whose rectangle has no left-right symmetric pair of triangles
            Loudspeaker(180.0, 0.0, ("Lrs", "Rrs")),
        ),
    ),
}
"""Layouts by the name of their format."""


class LoudspeakerLaw:
    """Vector base amplitude panning (Pulkki, JAES 45, 1997) over the triangles of the layout's hull.

    The three loudspeakers around the source get the gains whose weighted directions add up to the source's;
    what falls to a virtual one is shared by the loudspeakers that it feeds (as ITU-R BS.2127 does); then all
    gains are scaled to power 1. A source at a loudspeaker sounds from that one alone.

    Parameters
    ----------
    layout : Layout
        Loudspeakers.
    """

    def __init__(self, layout: Layout) -> None:
        names = list(layout.channels)
        placed = {name: speaker for name, speaker in layout.channels.items() if speaker is not None}
        speakers = [*placed.values(), *layout.virtual]
        unit = angles_to_unit([s.azimuth_deg for s in speakers], [s.elevation_deg for s in speakers])
        self._triangles = triangulate(unit)
        self._inverse = np.linalg.inv(unit[self._triangles])  # the rows of a triangle's base are its loudspeakers
        self._to_channels = np.zeros((len(speakers), len(names)))
        for row, name in enumerate(placed):
            self._to_channels[row, names.index(name)] = 1.0
        for row, speaker in enumerate(layout.virtual, len(placed)):
            for name in speaker.feeds:
                self._to_channels[row, names.index(name)] = 1.0 / np.sqrt(len(speaker.feeds))

    def gains(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return linear gains (n, n_channels) for directions (n, 3); see `PanLaw`."""
        candidates = np.einsum("ni,tij->ntj", np.asarray(unit, dtype=np.float64), self._inverse)
        best = candidates.min(axis=2).argmax(axis=1)
        rows = np.arange(len(best))
        corner = np.maximum(candidates[rows, best], 0.0)  # rounding at the edges
        corner[corner < 1e-12] = 0.0
        gains = np.zeros((len(best), len(self._to_channels)))
        gains[rows[:, None], self._triangles[best]] = corner
        gains = gains @ self._to_channels
        powered: NDArray[np.float64] = gains / np.linalg.norm(gains, axis=1, keepdims=True)
        return powered


def triangulate(unit: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the triangles of the convex hull of directions.

    Every triple is tried: layouts are small.

    Parameters
    ----------
    unit : ndarray, shape (n, 3)
        Directions that surround the origin, no four of a face in one plane.

    Returns
    -------
    ndarray, int64, shape (2 n - 4, 3)
        Triples that have all other directions on one side.

    Raises
    ------
    ValueError
        If the directions do not surround the origin, or a face has more than three corners.
    """
    triangles = []
    for triple in combinations(range(len(unit)), 3):
        a, b, c = unit[list(triple)]
        normal = np.cross(b - a, c - a)
        if a @ normal < 0.0:
            normal = -normal  # away from the origin
        height = np.delete(unit, triple, axis=0) @ normal - a @ normal
        if (height < 1e-9).all():
            if (height > -1e-9).any():
                raise ValueError(f"the face of {triple} has more than three corners")
            triangles.append(triple)
    if len(triangles) != 2 * len(unit) - 4:  # Euler's formula for a closed hull
        raise ValueError("the directions do not surround the listener")
    return np.array(triangles)
