"""When something happens to a thing that is seen: sudden turns of its path, sudden motion of its parts, its steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["beats", "filled", "moments"]

_SMOOTH_PICTURES = 3
_AROUND_S = 0.2
_TIMES_USUAL = 2.5  # of the median around it: what falls gets faster all the time, and hits once
_WORTH = 0.25  # of the most sudden moment of the shot
_TURN = 1.0  # heights of the box per second: less is what boxes and coding do to a thing at rest
_RISE = 0.15  # of the logarithm of the energy, from picture to picture
_PERIOD_S = (0.16, 0.9)
_PERIODIC = 0.22  # of the autocorrelation
_BOBS = 0.05  # heights of the box per second

Array = NDArray[np.float64]


def moments(t_s: Array, energy: Array, shift: Array, apart_s: float) -> tuple[Array, Array]:
    """Find when something happens to a thing that is seen.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times of the pictures [s].
    energy : ndarray, shape (n,)
        How much it moves, see `Stir`; NaN where unknown.
    shift : ndarray, shape (n, 2)
        How fast it goes, see `Stir`; NaN where unknown.
    apart_s : float
        Least time between two moments [s].

    Returns
    -------
    onsets_s : ndarray, shape (k,)
        When it is stopped or turned round, or begins to move [s].
    strength : ndarray, shape (k,)
        How suddenly, above 0.
    """
    none = np.zeros(0)
    if len(t_s) < 6:
        return none, none
    known = filled(t_s, np.log1p(energy))
    smooth = np.convolve(np.pad(known, _SMOOTH_PICTURES // 2, mode="edge"), np.ones(3) / 3.0, "valid")
    rise = np.maximum(np.gradient(smooth), 0.0)
    speed = np.stack([filled(t_s, shift[:, axis]) for axis in (0, 1)], axis=1)
    # from before a picture to after it: shift k is that since picture k - 1
    turn = np.zeros(len(t_s))
    turn[:-1] = np.hypot(*(speed[1:] - speed[:-1]).T)
    sudden = _outstanding(t_s, turn, _TURN)
    if not sudden.any():  # as a whole it goes evenly: then its parts tell
        sudden = _outstanding(t_s, rise, _RISE)
    picked: list[int] = []
    for index in np.argsort(-sudden, kind="stable"):
        if sudden[index] < _WORTH:
            break
        if all(abs(t_s[index] - t_s[other]) >= apart_s for other in picked):
            picked.append(int(index))
    picked.sort()
    return t_s[picked], sudden[picked]


def beats(t_s: Array, shift: Array) -> tuple[Array, Array]:
    """Find the steps of what goes up and down evenly while it moves on: walkers, runners, horses.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times of the pictures [s].
    shift : ndarray, shape (n, 2)
        How fast it goes, see `Stir`; NaN where unknown.

    Returns
    -------
    onsets_s : ndarray, shape (k,)
        When its fall is stopped, once in each period; none where there is no period [s].
    strength : ndarray, shape (k,)
        How suddenly, re the most sudden one.
    """
    none = np.zeros(0)
    step_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 1.0
    shortest, longest = round(_PERIOD_S[0] / step_s), round(_PERIOD_S[1] / step_s)
    if shortest < 3 or len(t_s) < 3 * longest:
        return none, none
    falls = filled(t_s, shift[:, 1])
    n = round(1.0 / step_s) | 1
    falls = falls - np.convolve(np.pad(falls, n // 2, mode="reflect"), np.ones(n) / n, "valid")[: len(falls)]
    power = float(falls @ falls)
    if power < len(falls) * _BOBS**2:
        return none, none
    like = np.array([float(falls[lag:] @ falls[: len(falls) - lag]) for lag in range(longest + 2)]) / power
    peaks = [lag for lag in range(shortest, longest + 1) if like[lag] >= max(like[lag - 1], like[lag + 1])]
    period = next((lag for lag in peaks if like[lag] >= max(_PERIODIC, 0.5 * max(like[one] for one in peaks))), None)
    if period is None:
        return none, none
    stops = -np.gradient(falls)
    usual = float(np.percentile(stops, 95))
    picked: list[int] = []
    for index in np.argsort(-stops, kind="stable"):
        if stops[index] < 0.25 * usual:
            break
        if all(abs(int(index) - other) >= 0.65 * period for other in picked):
            picked.append(int(index))
    picked.sort()
    return t_s[picked], stops[picked] / stops.max()


def _outstanding(t_s: Array, values: Array, least: float) -> Array:
    """Return how far values stand out from those around them, as shares of the one that does most."""
    step_s = max(float(np.median(np.diff(t_s))), 1e-3)
    n = min(max(round(_AROUND_S / step_s), 1), len(values) - 1)
    padded = np.pad(values, n, mode="reflect")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * n + 1), axis=1)
    out: Array = np.maximum(values - _TIMES_USUAL * usual - least, 0.0)
    most = float(out.max())
    return out / most if most > 0.5 * least else np.zeros_like(out)


def filled(t_s: Array, values: Array) -> Array:
    """Return values, shape (n,), with those that are NaN taken from their neighbours in time."""
    known = np.isfinite(values)
    return np.interp(t_s, t_s[known], values[known]) if known.any() else np.zeros_like(values)
