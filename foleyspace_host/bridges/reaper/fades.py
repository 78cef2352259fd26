"""The fades of REAPER's items as gains.

REAPER gives a fade a shape and a curvature. Its makers published cubic Bezier curves by which both are
drawn (in the source of the SWS extension, ``Breeder/BR_Util.cpp``, "courtesy of Cockos"); these are used here.
SWS notes that what is heard may differ a little from what is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPES", "fade_in_gain", "fade_out_gain"]

SHAPES = 8
"""How many shapes are known: linear, fast start, fast end, both of them steep, slow start and end, the same steep, and
one that has no name."""

_Curve = tuple[float, float, float, float]  # the inner two of four points: x, y, x, y; the outer are (0, 0), (1, 1)

_LINEAR = (0.5, 0.5, 0.5, 0.5)
_FAST = (0.25, 0.5, 0.625, 1.0)
_SLOW = (0.375, 0.0, 0.75, 0.5)
_FASTER = (0.25, 1.0, 0.5, 1.0)
_FASTEST = (0.0, 1.0, 0.125, 1.0)
_SLOWER = (0.5, 0.0, 0.75, 0.0)
_BOTH = (0.375, 0.0, 0.625, 1.0)
_UNNAMED = (0.25, 0.375, 0.625, 1.0)
_BOTH_STEEP = (0.875, 0.0, 0.125, 1.0)

# for each shape the curves at the curvatures -1, 0 and 1; in between they are mixed
_CURVES: tuple[tuple[_Curve, _Curve, _Curve], ...] = (
    (_FASTER, _LINEAR, _SLOWER),
    (_FASTEST, _FAST, _SLOWER),
    (_FAST, _LINEAR, _SLOW),
    (_FASTER, _LINEAR, _SLOWER),
    (_FASTER, _LINEAR, _SLOWER),
    ((0.25, 0.25, 0.25, 1.0), _BOTH, (0.75, 0.0, 0.75, 0.75)),
    ((0.375, 0.25, 0.0, 1.0), _BOTH_STEEP, (1.0, 0.0, 0.625, 0.75)),
    (_FASTEST, _UNNAMED, _SLOWER),
)

_STEPS = np.linspace(0.0, 1.0, 4097)


def fade_in_gain(position: NDArray[np.float64], shape: int, curve: float) -> NDArray[np.float64]:
    """Return the gain of a fade-in.

    Parameters
    ----------
    position : ndarray
        Where in the fade: 0 at its start, 1 at its end; what lies beyond is as at the end that is nearer.
    shape : int
        REAPER's number of the shape; one that is not known is linear, as in SWS.
    curve : float
        Curvature, -1 to 1; below 0 it rises sooner, above 0 later.

    Returns
    -------
    ndarray
        Gain, 0 to 1, never falling.
    """
    if not 0 <= shape < SHAPES:
        shape, curve = 0, 0.0
    middle = np.array(_CURVES[shape][1])
    end = np.array(_CURVES[shape][2 if curve > 0.0 else 0])
    x1, y1, x2, y2 = middle + abs(curve) * (end - middle)
    before, after = 3.0 * (1.0 - _STEPS) ** 2 * _STEPS, 3.0 * (1.0 - _STEPS) * _STEPS**2
    last = _STEPS**3
    gain = np.interp(position, before * x1 + after * x2 + last, before * y1 + after * y2 + last)
    return np.asarray(gain, np.float64)


def fade_out_gain(position: NDArray[np.float64], shape: int, curve: float) -> NDArray[np.float64]:
    """Return the gain of a fade-out: a fade-in of the opposite curvature, run backwards.

    Parameters
    ----------
    position : ndarray
        Where in the fade: 0 at its start, 1 at its end.
    shape, curve : int, float
        As for `fade_in_gain`.

    Returns
    -------
    ndarray
        Gain, 1 to 0, never rising.
    """
    return fade_in_gain(1.0 - position, shape, -curve)
