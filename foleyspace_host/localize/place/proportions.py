"""How tall a thing is of which the picture's edge hides a part: from its width.

A person of whom only the upper body shows is as wide as a whole one. Where the thing is seen whole at other times,
its own shape tells; else the usual width of its class, which for long things depends much on the side that they
are seen from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.place.range import cut_off
from foleyspace_host.localize.see.classes import class_meant

__all__ = ["WIDTHS", "Width", "whole_log_heights"]

Array = NDArray[np.float64]

_OWN_DEVIATION = 0.25  # of the logarithm: things turn, and arms are raised
_SMALLEST = 0.004


class Width(NamedTuple):
    """How wide the box around a whole thing of a class is.

    Parameters
    ----------
    width_m : float
        Geometric middle between its narrowest and its widest side [m].
    deviation : float
        Of its logarithm: a third of the way from the narrowest to the widest.
    basis : str
        Where the numbers come from.
    """

    width_m: float
    deviation: float
    basis: str


# only what is large enough to be cut off while it is the subject
WIDTHS: dict[str, Width] = {
    "person": Width(0.52, 0.25, "shoulder breadth 0.45 m (ISO 7250) and arms; 0.35 m from the side, 0.8 m gesturing"),
    "bicycle": Width(1.0, 0.35, "0.6 m handlebar from the front, 1.75 m from the side"),
    "car": Width(2.9, 0.30, "makers' data: 1.8 m from the front, 4.5 m from the side"),
    "motorcycle": Width(1.3, 0.35, "0.8 m from the front, 2.1 m from the side"),
    "bus": Width(5.5, 0.50, "2.55 m from the front, 12 m from the side"),
    "truck": Width(4.0, 0.45, "2.2 m from the front, 7 m from the side"),
    "cat": Width(0.33, 0.30, "0.2 m from the front, 0.5 m from the side without tail"),
    "dog": Width(0.50, 0.30, "0.3 m from the front, 0.8 m from the side"),
    "horse": Width(1.3, 0.40, "0.7 m from the front, 2.4 m from the side (body length 1.6 m, head and tail)"),
    "sheep": Width(0.75, 0.30, "0.45 m from the front, 1.2 m from the side"),
    "cow": Width(1.3, 0.40, "0.7 m from the front, 2.4 m from the side"),
    "elephant": Width(3.2, 0.35, "1.8 m from the front, 5.5 m from the side"),
    "bear": Width(1.2, 0.30, "0.8 m from the front, 1.8 m from the side"),
    "zebra": Width(1.2, 0.40, "0.6 m from the front, 2.3 m from the side"),
}


def whole_log_heights(boxes: Array, label: str, aspect: float) -> tuple[Array, Array]:
    """Return logarithms of the heights that things have which boxes hold a part of, and their deviations.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        Boxes of one thing in one shot: left, top, right, bottom as fractions of the picture.
    label : str
        What it is.
    aspect : float
        Width of the picture over its height.

    Returns
    -------
    log_height : ndarray, shape (n,)
        Of the whole thing, as a fraction of the picture's height: the box's own where it is whole; where its upper
        or lower end is cut off, what its width tells, but at least its own.
    deviation : ndarray, shape (n,)
        Of the above where it was taken from the width; 0 where the box is whole; infinite where nothing tells.
    """
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST)
    log_width, log_height = np.log(size).T
    left, top, right, bottom = cut_off(boxes).T
    low, wide = top | bottom, ~(left | right)
    deviation = np.zeros(len(boxes))
    deviation[low] = np.inf
    whole = wide & ~low
    usual = WIDTHS.get(class_meant(label).name)
    if whole.any():
        shape = float(np.median(log_height[whole] - log_width[whole]))
        doubt = _OWN_DEVIATION
    elif usual is not None:
        shape = float(np.log(class_meant(label).height_m / usual.width_m * aspect))
        doubt = usual.deviation
    else:
        return log_height, deviation
    told = low & wide
    deviation[told] = doubt
    guess = log_width + shape
    return np.where(told, np.maximum(guess, log_height), log_height), deviation
