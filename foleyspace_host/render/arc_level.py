"""Keeps a wide source as loud at the ears as a point in its middle.

The parts of a wide source come from directions that are louder or softer at the ears than its middle: half a decibel
to one for wide ones. Widening is a matter of width, so the difference is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.render.arc import ArcPath, turned_left
from foleyspace_host.render.extent import Part
from foleyspace_host.render.points import Path, Point

__all__ = ["ArcLevel", "levelled"]

_BAND_HZ = (100.0, 16_000.0)
_BLOCK = 256


class ArcLevel:
    """Gain of the parts of a wide source at the ears of a set; an `Echo` without a detour.

    Parameters
    ----------
    middle : Path
        Where the middle of the source is.
    hrtf : Hrtf
        Set of responses.
    offsets_deg : tuple of float
        Angles of all parts to the left of the middle [deg].
    """

    def __init__(self, middle: Path, hrtf: Hrtf, offsets_deg: tuple[float, ...]) -> None:
        self._middle, self._hrtf = middle, hrtf
        self._gain = _gains(hrtf, offsets_deg)

    def beyond_direct(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return gains, and no detours [m]; see `Echo`."""
        gain = _interpolated(self._hrtf, self._gain, self._middle.sample(t_s)[0])
        return gain, np.zeros_like(gain)

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return (0, 0)."""
        return 0.0, 0.0


def levelled(points: Sequence[Point], hrtf: Hrtf) -> list[Point]:
    """Return points of which those that are parts of wide sources have the level of a point in the middle.

    Parameters
    ----------
    points : sequence of Point
        Direct sounds.
    hrtf : Hrtf
        Set of responses.

    Returns
    -------
    list of Point
    """
    return [point if point.part is None else replace(point, echo=_level(point, point.part, hrtf)) for point in points]


def _level(point: Point, part: Part, hrtf: Hrtf) -> ArcLevel:
    offsets = tuple(((part.count - 1) / 2 - index) * part.extent_deg / part.count for index in range(part.count))
    path, angle_deg = point.path, -offsets[part.index]
    middle = path
    if isinstance(path, ArcPath):
        middle, angle_deg = path.middle, path.angle_deg + angle_deg
    return ArcLevel(middle if abs(angle_deg) < 1e-9 else ArcPath(middle, angle_deg), hrtf, offsets)


@lru_cache(maxsize=8)
def _gains(hrtf: Hrtf, offsets_deg: tuple[float, ...]) -> NDArray[np.float64]:
    """Gain of an arc around each direction of the mesh: the root of the middle's power over the mean of the parts'."""
    power, unit = _powers(hrtf), hrtf.mesh.unit
    arc = np.mean([_interpolated(hrtf, power, turned_left(unit, angle)) for angle in offsets_deg], axis=0)
    return np.asarray(np.sqrt(power / arc))


@lru_cache(maxsize=2)
def _powers(hrtf: Hrtf) -> NDArray[np.float64]:
    """Power at both ears of each direction of the mesh, alike in all octaves from 100 Hz to 16 kHz."""
    from scipy import fft

    hz = np.fft.rfftfreq(2 * hrtf.n_taps, 1.0 / hrtf.sample_rate_hz)
    inside = (hz >= _BAND_HZ[0]) & (hz <= min(_BAND_HZ[1], 0.45 * hrtf.sample_rate_hz))
    weights = np.divide(inside, hz, out=np.zeros_like(hz), where=hz > 0.0)
    power = np.empty(len(hrtf.responses))
    for start in range(0, len(power), _BLOCK):
        spectra = fft.rfft(hrtf.responses[start : start + _BLOCK], 2 * hrtf.n_taps)
        # no `@`: its rounding depends on the number of threads
        power[start : start + _BLOCK] = np.einsum("nf,f->n", (np.abs(spectra) ** 2).sum(axis=1), weights)
    return power


def _interpolated(hrtf: Hrtf, values: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the mesh's vertices at directions (n, 3)."""
    triangle, weight = np.empty(len(unit), dtype=np.int32), np.empty((len(unit), 3), dtype=np.float32)
    mesh = hrtf.mesh
    locate(np.ascontiguousarray(unit), 0, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight)
    return np.einsum("nk,nk->n", weight, values[mesh.triangles[triangle]])
