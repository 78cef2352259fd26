"""Where something begins in a curve of loudness that does not say so itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rises"]

_LEAST_DB = 10.0  # a rise by so much ...
_WITHIN_S = 0.1  # ... in so little time is a beginning; what is slower swells
_HEARD_DB = -60.0  # what is below is not heard: how steep it is there does not matter


def rises(t_s: NDArray[np.float64], level_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return at which points of a curve something begins: where it starts to rise by 10 dB and more within 0.1 s.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times of the points, not falling [s].
    level_db : ndarray, shape (n,)
        Levels at the points; the curve is straight between them [dB].

    Returns
    -------
    ndarray of bool, shape (n,)
        One point of every rise at most.
    """
    found = np.zeros(len(t_s), dtype=np.bool_)
    heard = np.maximum(level_db, _HEARD_DB)
    from_point = np.flatnonzero(np.diff(heard) > 0.0)
    if not len(from_point):
        return found
    is_first = np.diff(from_point, prepend=from_point[0] - 2) > 1
    rise = np.cumsum(is_first) - 1  # which rise the part of the curve behind a point belongs to
    tops = from_point[np.append(np.flatnonzero(is_first)[1:] - 1, len(from_point) - 1)] + 1
    top = tops[rise]
    until_s = t_s[from_point] + _WITHIN_S
    reached = np.where(until_s >= t_s[top], heard[top], np.interp(until_s, t_s, heard))
    steep = np.flatnonzero(reached - heard[from_point] >= _LEAST_DB)
    _, first = np.unique(rise[steep], return_index=True)
    found[from_point[steep[first]]] = True
    return found
