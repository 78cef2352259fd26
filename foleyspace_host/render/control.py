"""Where a point is at the control points, as the filter and the delay lines need it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render.distance import distance_gain, propagation_s
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point

__all__ = ["FilterControl", "PointControl"]

_EMISSION_STEPS = 6
_JUMP = 0.5  # change of delay per sample above which a source jumps rather than moves (half the speed of sound)


@dataclass(frozen=True, slots=True)
class FilterControl:
    """What the frame filter needs at each frame.

    Parameters
    ----------
    vertex : ndarray, int32, shape (n_frames, 3)
        Vertices of the mesh whose responses are blended.
    weight : ndarray, float32, shape (n_frames, 3)
        Their weights, distance gain included.
    """

    vertex: NDArray[np.int32]
    weight: NDArray[np.float32]


class PointControl:
    """Control values of one point on the grid of control points, ``hop`` samples apart.

    Parameters
    ----------
    point : Point
        The point.
    hrtf : Hrtf
        Set of responses.
    options : RenderOptions
        Laws of distance and propagation.
    hop : int
        Distance of control points [samples].
    """

    def __init__(self, point: Point, hrtf: Hrtf, options: RenderOptions, hop: int) -> None:
        self._point = point
        self._hrtf = hrtf
        self._options = options
        self._hop = hop
        self._triangle = {"filter": 0, "delay": 0}  # where each walk over the mesh left off

    def delay_bounds_samples(self) -> tuple[float, float]:
        """Smallest and largest delay that can occur [samples]."""
        ear = self._hrtf.delay_samples - self._hrtf.pre_roll_samples
        reach = np.array(self._point.path.distance_bounds_m())
        travel = self._travel_s(reach) * self._hrtf.sample_rate_hz
        return float(ear.min() + travel[0]), float(ear.max() + travel[1])

    def filters(self, first: int, count: int) -> FilterControl:
        """Vertices and weights at the control points first ... first + count - 1, on the source's clock."""
        unit, distance_m = self._point.path.sample(self._times_s(first, count))
        vertex, weight = self._locate(unit, "filter")
        gain = self._point.gain * distance_gain(distance_m, self._point.reference_m, self._options.distance_gain)
        return FilterControl(vertex, weight * gain.astype(np.float32)[:, None])

    def delays(self, first: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Delays of both ears on the listener's clock.

        Parameters
        ----------
        first, count : int
            Control points.

        Returns
        -------
        delay_samples : ndarray, float64, shape (count, 2)
            How far back in the filtered sound each ear listens [samples].
        jump : ndarray of bool, shape (count - 1,)
            Intervals over which the source jumps: cross-fade instead of sliding the delay.
        """
        heard_s = self._times_s(first, count)
        emitted_s = heard_s
        if self._options.propagation != "none":
            for _ in range(_EMISSION_STEPS):  # t_emitted + travel(t_emitted) = t_heard; contracts by v / c
                emitted_s = heard_s - self._travel_s(self._point.path.sample(emitted_s)[1])
        unit, distance_m = self._point.path.sample(emitted_s)
        vertex, weight = self._locate(unit, "delay")
        ear = (weight[..., None] * self._hrtf.delay_samples[vertex]).sum(axis=1) - self._hrtf.pre_roll_samples
        delay = ear + self._travel_s(distance_m)[:, None] * self._hrtf.sample_rate_hz
        jump = np.abs(np.diff(delay, axis=0)).max(axis=1) > _JUMP * self._hop
        cuts = self._point.path.cuts_between(float(emitted_s.min()), float(emitted_s.max()) + 1e-9)
        after = np.searchsorted(np.maximum.accumulate(emitted_s), cuts, side="left")
        jump[after[(after > 0) & (after < len(emitted_s))] - 1] = True
        return delay, jump

    def _times_s(self, first: int, count: int) -> NDArray[np.float64]:
        return np.arange(first, first + count, dtype=np.float64) * (self._hop / self._hrtf.sample_rate_hz)

    def _travel_s(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        return propagation_s(distance_m, self._point.reference_m, self._options.propagation)

    def _locate(self, unit: NDArray[np.float64], walk: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        mesh = self._hrtf.mesh
        triangle = np.empty(len(unit), dtype=np.int32)
        weight = np.empty((len(unit), 3), dtype=np.float32)
        self._triangle[walk] = locate(
            np.ascontiguousarray(unit),
            self._triangle[walk],
            mesh.triangles,
            mesh.neighbours,
            mesh.inverse,
            triangle,
            weight,
        )
        return mesh.triangles[triangle], weight
