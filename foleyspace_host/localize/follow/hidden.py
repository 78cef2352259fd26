"""Sightings of a part: something stands before the thing, or the picture's edge cuts it off.

What is partly hidden looks narrower or lower than it does at other times; what comes nearer or goes away keeps its
shape. The middle of the part is not the middle of the thing: that lies where a box of the usual size can lie around
what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Extent", "extent", "nowhere_hidden", "whole"]

Array = NDArray[np.float64]

_OTHER_SHAPE = 0.35  # of the logarithm of width over height: gaits and gestures change it less
_SAME_SHAPE = 0.2  # what is surely whole differs less
_MUCH_SMALLER = 0.7  # of the logarithm of either side: what goes away shrinks less in a second
_SAME_SHAPE_S = 6.0  # a thing keeps its shape for so long, unless it turns
_SAME_SIZE_S = 2.0
_LEAST_WHOLE = 3
_SMALLEST = 0.004


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the middles of partly hidden things can be.

    Parameters
    ----------
    hidden : ndarray of bool, shape (n,)
        Sightings of a part only, or that may be so.
    shrunk : ndarray of bool, shape (n,)
        Those of a part so small that neither side tells the size of the whole.
    low, high : ndarray, shape (n, 2)
        Least and greatest x and y of the middle of the whole; the middle of the box where it is whole.
    """

    hidden: NDArray[np.bool_]
    shrunk: NDArray[np.bool_]
    low: Array
    high: Array


def whole(time_s: Array, boxes: Array, score: Array, other_shape: float = _SAME_SHAPE) -> NDArray[np.bool_]:
    """Say which boxes have the usual shape of their thing, and about its size.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        When it was seen [s].
    boxes : ndarray, shape (n, 4)
        Left, top, right, bottom as fractions of the picture.
    score : ndarray, shape (n,)
        The detector's scores; what is whole is recognised best.
    other_shape : float
        Least difference of the logarithm of width over height that is another shape.

    Returns
    -------
    ndarray of bool, shape (n,)
        All of them where too few agree.
    """
    log_size = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST))
    shape = log_size[:, 0] - log_size[:, 1]
    kept = np.abs(shape - _usual(time_s, shape, score, _SAME_SHAPE_S)) < other_shape
    for column in log_size.T:
        kept &= column > _usual(time_s, column, score, _SAME_SIZE_S) - _MUCH_SMALLER
    return kept if kept.sum() >= _LEAST_WHOLE else np.ones(len(boxes), dtype=np.bool_)


def extent(time_s: Array, boxes: Array, score: Array, edges: NDArray[np.bool_]) -> Extent:
    """Find the sightings of a part, and where the whole can be then.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        When it was seen [s], increasing.
    boxes : ndarray, shape (n, 4)
        Left, top, right, bottom as fractions of the picture.
    score : ndarray, shape (n,)
        The detector's scores.
    edges : ndarray of bool, shape (n, 4)
        Which edges of the picture cut a box off, see `cut_off`.

    Returns
    -------
    Extent
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    complete = whole(time_s, boxes, score) & ~edges.any(axis=1)
    if not complete.any():
        return nowhere_hidden(boxes)
    log_size = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST))
    kept = time_s[complete], score[complete]
    steady = [_usual(kept[0], column[complete], kept[1], _SAME_SIZE_S) for column in log_size.T]
    usual = np.exp(np.stack([np.interp(time_s, kept[0], column) for column in steady], axis=1))
    low, high = np.minimum(boxes[:, 2:] - usual / 2, centre), np.maximum(boxes[:, :2] + usual / 2, centre)
    # an edge of the box that is not the picture's is the thing's own, if the other one is
    low, high = np.where(edges[:, 2:], high, low), np.where(edges[:, :2], low, high)
    both = edges[:, :2] & edges[:, 2:]
    low, high = np.where(both, centre, low), np.where(both, centre, high)
    narrower: NDArray[np.bool_] = np.asarray((high - low > _SMALLEST).any(axis=1) | edges.any(axis=1), dtype=np.bool_)
    return Extent(narrower, ~whole(time_s, boxes, score, _OTHER_SHAPE), low, high)


def nowhere_hidden(boxes: Array) -> Extent:
    """Return what stands for sightings of which each is whole, shape (n, 4)."""
    none = np.zeros(len(boxes), dtype=np.bool_)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return Extent(none, none, centre, centre)


def _usual(time_s: Array, values: Array, weights: Array, over_s: float) -> Array:
    """Return the weighted median around each time; times ascend."""
    low = np.searchsorted(time_s, time_s - over_s / 2)
    high = np.searchsorted(time_s, time_s + over_s / 2, side="right")
    middle = np.empty(len(values))
    for k, (first, stop) in enumerate(zip(low, high, strict=True)):  # a table of all pairs would not fit for an hour
        order = first + np.argsort(values[first:stop])
        total = np.cumsum(weights[order])
        middle[k] = values[order[np.searchsorted(total, total[-1] / 2.0)]]
    return middle
