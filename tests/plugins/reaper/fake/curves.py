"""Values of envelopes and fades between their points.

The shapes are those that the SWS extension names for REAPER's envelopes (``Breeder/BR_EnvelopeUtil.cpp``): square, x³,
1 - (1 - x)³, x²(3 - 2x), and a cubic Bezier through cardinal control points; fades are the Bezier curves of
``BR_Util.cpp``.
"""

from __future__ import annotations

import bisect

import numpy as np

from .errors import Violation
from .model import Envelope, Point

LINEAR, SQUARE, SLOW_START_END, FAST_START, FAST_END, BEZIER = range(6)

UNITY_ON_FADER = 716.21785031261
"""Where 0 dB lies on REAPER's fader scale of 0 to 1000."""
TOP_GAIN = 2.0
_POWER = float(np.log(1.0 / TOP_GAIN) / np.log(UNITY_ON_FADER / 1000.0))


def to_fader(gain: float) -> float:
    """Put a gain on the fader scale. Ends and 0 dB lie where REAPER has them; between them this is a stand-in."""
    return 1000.0 * (max(gain, 0.0) / TOP_GAIN) ** (1.0 / _POWER)


def from_fader(value: float) -> float:
    """Invert `to_fader`."""
    return TOP_GAIN * (max(value, 0.0) / 1000.0) ** _POWER


def evaluate(envelope: Envelope, time_s: float) -> float:
    """Give an envelope's value in its own scale, automation items included.

    Raises
    ------
    Violation
        Points were inserted unsorted and never sorted.
    """
    if not envelope.sorted:
        raise Violation(f"the envelope {envelope.name!r} is read before Envelope_SortPoints")
    for item in reversed(envelope.automation_items):
        if item.position_s <= time_s < item.position_s + item.length_s and item.points:
            return _between(item.points, time_s - item.position_s, envelope)
    if not envelope.points:
        return envelope.centre
    return _between(envelope.points, time_s, envelope)


def _between(points: list[Point], time_s: float, envelope: Envelope) -> float:
    after = bisect.bisect_right([point.time_s for point in points], time_s)
    if after == 0:
        return points[0].value
    if after == len(points):
        return points[-1].value
    left, right = points[after - 1], points[after]
    x = (time_s - left.time_s) / (right.time_s - left.time_s)
    if left.shape == SQUARE:
        return left.value
    if left.shape == BEZIER:
        return _bezier(points, after, time_s, envelope)
    share = {LINEAR: x, SLOW_START_END: x * x * (3 - 2 * x), FAST_START: 1 - (1 - x) ** 3, FAST_END: x**3}[left.shape]
    return left.value + (right.value - left.value) * share


def _bezier(points: list[Point], after: int, time_s: float, envelope: Envelope) -> float:
    left, right = points[after - 1], points[after]
    before = points[after - 2] if after >= 2 else left
    behind = points[after + 1] if after + 1 < len(points) else right
    t1, t2, v1, v2 = left.time_s, right.time_s, left.value, right.value
    reach = 0.25 * (t2 - t1)
    x1, y1 = t1 + reach, v1 + reach * _slope(before, left, right)
    x2, y2 = t2 - reach, v2 - reach * _slope(left, right, behind)
    pull = left.tension
    x1 += pull * ((t2 - x1) if pull > 0 else (x1 - t1))
    x2 += pull * ((t2 - x2) if pull > 0 else (x2 - t1))
    y1 -= pull * ((y1 - v1) if pull > 0 else (v2 - y1))
    y2 -= pull * ((y2 - v1) if pull > 0 else (v2 - y2))
    x1, x2 = np.clip([x1, x2], t1, t2)
    low, high = (0.0, to_fader(envelope.maximum)) if envelope.fader_scaling else (envelope.minimum, envelope.maximum)
    y1, y2 = np.clip([y1, y2], low, high)
    return float(cubic(np.array([time_s]), (t1, x1, x2, t2), (v1, y1, y2, v2))[0])


def _slope(one: Point, two: Point, three: Point) -> float:
    if two.time_s == three.time_s:
        one, three = one, two
    elif one.time_s == two.time_s:
        one = two
    width = three.time_s - one.time_s
    return (three.value - one.value) / width if width else 0.0


def cubic(at: np.ndarray, xs: tuple[float, ...], ys: tuple[float, ...]) -> np.ndarray:
    """Evaluate a cubic Bezier curve, which runs forward in x, at given x."""
    low, high = np.zeros_like(at), np.ones_like(at)
    for _ in range(48):
        middle = (low + high) / 2
        left = _bernstein(middle, xs) < at
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return _bernstein((low + high) / 2, ys)


def _bernstein(t: np.ndarray, c: tuple[float, ...]) -> np.ndarray:
    s = 1 - t
    return s**3 * c[0] + 3 * s * s * t * c[1] + 3 * s * t * t * c[2] + t**3 * c[3]


# inner control points (x, y, x, y) of the fades: at rest, bent early (curvature -1), bent late (curvature 1)
_REST = {
    1: (0.25, 0.5, 0.625, 1.0),
    5: (0.375, 0.0, 0.625, 1.0),
    6: (0.875, 0.0, 0.125, 1.0),
    7: (0.25, 0.375, 0.625, 1.0),
}
_EARLY = {
    1: (0.0, 1.0, 0.125, 1.0),
    2: (0.25, 0.5, 0.625, 1.0),
    5: (0.25, 0.25, 0.25, 1.0),
    6: (0.375, 0.25, 0.0, 1.0),
    7: (0.0, 1.0, 0.125, 1.0),
}
_LATE = {2: (0.375, 0.0, 0.75, 0.5), 5: (0.75, 0.0, 0.75, 0.75), 6: (1.0, 0.0, 0.625, 0.75)}


def fade_gain(progress: np.ndarray, shape: int, curve: float, *, out: bool) -> np.ndarray:
    """Give the gain along a fade.

    Parameters
    ----------
    progress
        0 at the fade's start, 1 at its end.
    """
    if out:
        return fade_gain(1.0 - progress, shape, -curve, out=False)
    rest = np.array(_REST.get(shape, (0.5, 0.5, 0.5, 0.5)))
    bent = np.array(_EARLY.get(shape, (0.25, 1.0, 0.5, 1.0)) if curve < 0 else _LATE.get(shape, (0.5, 0.0, 0.75, 0.0)))
    x1, y1, x2, y2 = rest + abs(curve) * (bent - rest)
    return cubic(np.clip(progress, 0.0, 1.0), (0.0, x1, x2, 1.0), (0.0, y1, y2, 1.0))
