"""When the sound of a point left it, and where the point was then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S, distance_gain, propagation_s
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point

__all__ = ["Heard", "Travel"]

_EMISSION_STEPS = 6
_ECHO_STEPS = 3  # a reflection's place some microseconds off is still a reflection's
_JUMP = 0.5  # change of delay per sample above which a source jumps rather than moves (half the speed of sound)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of a point at control points.

    Parameters
    ----------
    delay_samples : ndarray, float64, shape (n,)
        Travel times [samples].
    unit : ndarray, float64, shape (n, 3)
        Directions at the time of leaving.
    distance_m : ndarray, float64, shape (n,)
        Distances at that time, a reflection's detour included [m].
    gain : ndarray, float64, shape (n,)
        Linear gains: the point's own, those of distance and of reflection.
    jump : ndarray of bool, shape (n - 1,)
        Intervals over which the point jumps: cross-fade instead of sliding.
    """

    delay_samples: NDArray[np.float64]
    unit: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    gain: NDArray[np.float64]
    jump: NDArray[np.bool_]


class Travel:
    """The way of a point's sound to the listener's place, on the grid of control points.

    Parameters
    ----------
    point : Point
        The point.
    options : RenderOptions
        Law of propagation.
    sample_rate_hz : int
        Sampling rate [Hz].
    hop : int
        Distance of control points [samples].
    at_source : bool
        Whether the clock is the source's: no time passes then between leaving and being heard.
    """

    def __init__(
        self, point: Point, options: RenderOptions, sample_rate_hz: int, hop: int, *, at_source: bool = False
    ) -> None:
        self._point, self._path, self._reference_m = point, point.path, point.reference_m
        self._options, self._law = options, options.propagation
        self._rate_hz, self._hop = sample_rate_hz, hop
        self._echo = point.echo
        self._is_instant = at_source or self.bounds_samples() == (0.0, 0.0)

    @property
    def is_instant(self) -> bool:
        """Whether the sound is heard as it leaves."""
        return self._is_instant

    def bounds_samples(self) -> tuple[float, float]:
        """Return the smallest and the largest delay that can occur [samples]."""
        shortest, longest = propagation_s(np.array(self._path.distance_bounds_m()), self._reference_m, self._law)
        if self._law == "none" and self._echo is not None:
            longest += self._echo.detour_bounds_m()[1] / SPEED_OF_SOUND_M_S
        return float(shortest) * self._rate_hz, float(longest) * self._rate_hz

    def heard(self, first: int, count: int) -> Heard:
        """Return what is heard at control points, which left the point earlier.

        Parameters
        ----------
        first, count : int
            Control points, on the listener's clock.

        Returns
        -------
        Heard
        """
        heard_s = np.arange(first, first + count, dtype=np.float64) * (self._hop / self._rate_hz)
        left_s = heard_s
        if not self._is_instant:
            steps = _ECHO_STEPS if self._law == "none" else _EMISSION_STEPS
            for _ in range(steps):  # t_left + travel(t_left) = t_heard; contracts by v / c
                left_s = heard_s - self._travel_s(left_s, self._path.sample(left_s)[1])
        unit, distance_m = self._path.sample(left_s)
        delay = np.zeros(count) if self._is_instant else self._travel_s(left_s, distance_m) * self._rate_hz
        jump = np.abs(np.diff(delay)) > _JUMP * self._hop
        cuts = self._path.cuts_between(float(left_s.min()), float(left_s.max()) + 1e-9)
        after = np.searchsorted(np.maximum.accumulate(left_s), cuts, side="left")
        jump[after[(after > 0) & (after < len(left_s))] - 1] = True
        return Heard(delay, unit, distance_m, self._gain(left_s, distance_m), jump)

    def _travel_s(self, left_s: NDArray[np.float64], distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        travel_s = propagation_s(distance_m, self._reference_m, self._law)
        if self._law == "none" and self._echo is not None:  # the direct sound is in sync, its echoes come later
            travel_s += self._echo.beyond_direct(left_s)[1] / SPEED_OF_SOUND_M_S
        return travel_s

    def _gain(self, left_s: NDArray[np.float64], distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        law = self._options.distance_gain
        if self._echo is None:
            return self._point.gain * distance_gain(distance_m, self._reference_m, law)
        gain, detour_m = self._echo.beyond_direct(left_s)
        return self._point.gain * gain * distance_gain(distance_m - detour_m, self._reference_m, law)
