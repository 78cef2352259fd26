"""Where a point is at the control points, as the filter and the delay lines need it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S
from foleyspace_host.render.near_field import FAR_M, ear_angles_rad, extra_path_m
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.travel import Travel

__all__ = ["FilterControl", "PointControl"]

_BATCH = 1024  # control points that are computed at a time: long arrays cost little more than short ones
_JUMP = 0.5  # change of delay per sample above which a source jumps rather than moves (half the speed of sound)
_NEAR_FIELD_DELAY_S = 0.2e-3  # more than the near field ever adds


@dataclass(frozen=True, slots=True)
class FilterControl:
    """What the frame filter needs at each frame.

    Parameters
    ----------
    vertex : ndarray, int32, shape (n_frames, 3)
        Vertices of the mesh whose responses are blended.
    weight : ndarray, float32, shape (n_frames, 3)
        Their weights, distance gain included.
    tone : ndarray, float32, shape (1 or 2 ears, 1 or n_frames, n_bins), or None
        Gains of every frequency; None for a flat one.
    """

    vertex: NDArray[np.int32]
    weight: NDArray[np.float32]
    tone: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Control values of `_BATCH` intervals: one more point than intervals."""

    unit: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    vertex: NDArray[np.int32]
    weight: NDArray[np.float32]
    delay_samples: NDArray[np.float64]
    jump: NDArray[np.bool_]


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
    frequency_hz : ndarray, shape (n_bins,)
        Frequencies of the filter's bins [Hz].
    """

    def __init__(
        self, point: Point, hrtf: Hrtf, options: RenderOptions, hop: int, frequency_hz: NDArray[np.float64]
    ) -> None:
        self._point = point
        self._hrtf = hrtf
        self._options = options
        self._hop = hop
        self._frequency_hz = frequency_hz
        self._near = options.distance_gain != "none" and point.path.distance_bounds_m()[0] < FAR_M
        # the filter lives on the source's clock, the ears on the listener's
        self._heard = Travel(point, options, hrtf.sample_rate_hz, hop)
        self._emitted = self._heard
        if not self._heard.is_instant:
            self._emitted = Travel(point, options, hrtf.sample_rate_hz, hop, at_source=True)
        self._batches: dict[tuple[int, int], _Batch] = {}
        self._triangle = 0  # where the walk over the mesh left off

    def delay_bounds_samples(self) -> tuple[float, float]:
        """Return the smallest and the largest delay that can occur [samples]."""
        ear = self._hrtf.delay_samples - self._hrtf.pre_roll_samples
        shortest, longest = self._heard.bounds_samples()
        near = _NEAR_FIELD_DELAY_S * self._hrtf.sample_rate_hz if self._near else 0.0
        return float(ear.min()) + shortest - near, float(ear.max()) + longest + near

    def filters(self, first: int, count: int) -> FilterControl:
        """Return what the filter needs at the frames first ... first + count - 1, on the source's clock."""
        parts = [(batch, span) for batch, span in self._spans(self._emitted, first, count)]
        vertex = np.concatenate([batch.vertex[span] for batch, span in parts])
        weight = np.concatenate([batch.weight[span] for batch, span in parts])
        if not self._point.tones:
            return FilterControl(vertex, weight)
        unit = np.concatenate([batch.unit[span] for batch, span in parts])
        distance_m = np.concatenate([batch.distance_m[span] for batch, span in parts])
        tone = np.ones((1, 1, 1), dtype=np.float32)
        for part in self._point.tones:
            tone = tone * part(unit, distance_m, self._frequency_hz)
        return FilterControl(vertex, weight, tone)

    def jumps(self, first: int, count: int) -> NDArray[np.bool_]:
        """Tell in which of the intervals that begin at control points first, ... the source jumps, on its own clock."""
        flags = np.zeros(count, dtype=np.bool_)
        before = max(-first, 0)  # intervals that end before the clip begins
        spans = self._spans(self._emitted, first + before, count - before)
        flags[before:] = np.concatenate([batch.jump[span] for batch, span in spans])
        return flags

    def delays(self, first: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the delays of both ears on the listener's clock.

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
        parts = [(batch, span) for batch, span in self._spans(self._heard, first, count)]
        delay = np.concatenate([batch.delay_samples[span] for batch, span in parts])
        return delay, np.concatenate([batch.jump[span] for batch, span in parts])[: count - 1]

    def _spans(self, clock: Travel, first: int, count: int) -> list[tuple[_Batch, slice]]:
        """Return the batches that hold a stretch of control points, and the part of each."""
        spans = []
        for number in range(first // _BATCH, (first + count - 1) // _BATCH + 1):
            start = max(first - number * _BATCH, 0)
            spans.append((self._batch(clock, number), slice(start, min(first + count - number * _BATCH, _BATCH))))
        return spans

    def _batch(self, clock: Travel, number: int) -> _Batch:
        key = id(clock), number
        if key not in self._batches:
            while len(self._batches) > 4:  # the two that either clock may be between, and one to spare
                del self._batches[next(iter(self._batches))]
            self._batches[key] = self._computed(clock, number * _BATCH)
        return self._batches[key]

    def _computed(self, clock: Travel, first: int) -> _Batch:
        heard = clock.heard(first, _BATCH + 1)
        unit, distance_m = heard.unit, heard.distance_m
        mesh = self._hrtf.mesh
        triangle = np.empty(len(unit), dtype=np.int32)
        weight = np.empty((len(unit), 3), dtype=np.float32)
        self._triangle = locate(
            np.ascontiguousarray(unit),
            self._triangle,
            mesh.triangles,
            mesh.neighbours,
            mesh.inverse,
            triangle,
            weight,
        )
        vertex = mesh.triangles[triangle]
        delay = np.einsum("nk,nke->ne", weight, self._hrtf.delay_samples[vertex])
        delay += heard.delay_samples[:, None] - self._hrtf.pre_roll_samples
        if self._near:
            extra_m = extra_path_m(np.minimum(distance_m, FAR_M), ear_angles_rad(unit))
            delay += extra_m.T * (self._hrtf.sample_rate_hz / SPEED_OF_SOUND_M_S)
        jump = heard.jump | (np.abs(np.diff(delay, axis=0)).max(axis=1) > _JUMP * self._hop)
        return _Batch(unit, distance_m, vertex, weight * heard.gain.astype(np.float32)[:, None], delay, jump)
