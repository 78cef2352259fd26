"""From what a depth model says of things to metres, by what their boxes say.

A model of metres is taken at its word. One of depths lacks a factor, one of nearness a factor and an offset too;
both are found over the whole clip from all things of known classes (or from all, if there is none), each counting as
much as its box is sure::

    1 / depth = a (nearness - nearness of the farthest) + b

By robust least squares (Student's t weights, as in smoothing). Where all things are about as near, offset and
factor cannot be told apart; then b leans to 0 with a third of what the things' own nearness is, which says that
the background is some way behind them.

In the end box and model are averaged, each with the weight of its deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.follow.kinematics import Wander
from foleyspace_host.localize.place.depth_kinds import Meaning
from foleyspace_host.localize.place.range import Depths, combined

__all__ = ["Told", "with_model"]

Array = NDArray[np.float64]

_MOTION = Wander(speed=np.array([0.3]), memory_s=1.0)  # log depth [1/s], as heights in smoothing
_STUDENT_DEGREES = 4.0
_REWEIGHTINGS = 5
_METRES_DEVIATION = 0.2  # of the logarithm: what the models' authors report on data they had not seen
_LEAST_DEVIATION = 0.15
_NOISE = 0.12  # from picture to picture
_BACKGROUND = 1.0 / 3.0
_FARTHEST_M = 50.0
_SURE = 0.4  # deviation of what boxes of known classes say
_TELLING, _CONTRARY, _ENOUGH = 0.15, -0.5, 8


@dataclass(frozen=True, slots=True)
class Told:
    """What a depth model says of the things.

    Parameters
    ----------
    meaning : {"nearness", "depth", "metres"}
        What its numbers mean.
    far : float
        The number of what is farthest in the clip.
    things : sequence of (ndarray of shape (n,), ndarray of shape (n,))
        For each thing when it was seen [s], and the number.
    """

    meaning: Meaning
    far: float
    things: Sequence[tuple[Array, Array]]


def with_model(
    told: Told, guesses: Sequence[Depths], time_s: Array, shot: NDArray[np.int64]
) -> tuple[list[Depths], str | None]:
    """Join what a depth model says with what boxes say.

    Parameters
    ----------
    told : Told
        What the model says.
    guesses : sequence of Depths
        What the boxes of each thing say, at `time_s`.
    time_s : ndarray, shape (n,)
        Increasing times, among them all those at which the model was asked [s].
    shot : ndarray of int, shape (n,)
        The shot at each.

    Returns
    -------
    list of Depths
        Of each thing, at `time_s`.
    str or None
        Why the model was left out, if it was.
    """
    at = [np.searchsorted(time_s, seen_s) for seen_s, _ in told.things]
    value = np.concatenate([values for _, values in told.things]) if told.things else np.empty(0)
    if not value.size:
        return list(guesses), None
    log_m = np.concatenate([guess.log_m[index] for guess, index in zip(guesses, at, strict=True)])
    deviation = np.concatenate([guess.deviation[index] for guess, index in zip(guesses, at, strict=True)])
    usable = deviation < _SURE
    if not usable.any():  # nothing of a known class: the row in the picture is better than nothing
        usable = np.isfinite(deviation)
    anchored = _anchored(told.meaning, told.far, value[usable], log_m[usable], deviation[usable])
    if anchored is None:
        return list(guesses), (
            "the depth model was left out: it says farther where things look nearer;"
            " if its numbers mean something else, say so with --depth-kind"
        )
    to_log_m, spread = anchored
    joined = []
    for guess, index, (_, values) in zip(guesses, at, told.things, strict=True):
        model = _smoothed(time_s, shot, index, to_log_m(values), spread)
        joined.append(combined(guess, model))
    return joined, None


def _anchored(
    meaning: Meaning, far: float, value: Array, log_m: Array, deviation: Array
) -> tuple[Callable[[Array], Array], float] | None:
    """Return what turns the model's numbers into log metres, and how far that is off; None if they contradict."""
    if _contradicts(value if meaning == "nearness" else -value, log_m, deviation):
        return None
    if meaning == "metres":
        return np.log, _METRES_DEVIATION
    if not value.size:
        return None
    if meaning == "depth":
        factor = _weighted_median(log_m - np.log(value), deviation**-2.0)
        return _with_spread(lambda values: np.log(values) + factor, value, log_m)
    start = far if np.isfinite(far) else 0.0
    fit = _line(value - start, np.exp(-log_m), deviation)
    if fit is None:
        return None
    slope, offset = fit
    return _with_spread(
        lambda values: -np.log(np.maximum(slope * (values - start) + offset, 1.0 / _FARTHEST_M)), value, log_m
    )


def _with_spread(
    to_log_m: Callable[[Array], Array], value: Array, log_m: Array
) -> tuple[Callable[[Array], Array], float]:
    miss = np.abs(to_log_m(value) - log_m)
    return to_log_m, max(_LEAST_DEVIATION, 1.48 * float(np.median(miss)))


def _line(near: Array, inverse: Array, deviation: Array) -> tuple[float, float] | None:
    """Slope and offset of inverse depth over nearness; None if it falls."""
    error = inverse * deviation
    lean = _BACKGROUND * float(np.median(inverse))
    weight = np.ones(len(near))
    slope = offset = 0.0
    for _ in range(_REWEIGHTINGS):
        by = np.sqrt(weight) / error
        rows = np.concatenate([np.stack([near, np.ones(len(near))], axis=1) * by[:, None], [[0.0, 1.0 / lean]]])
        slope, offset = np.linalg.lstsq(rows, np.append(inverse * by, 0.0), rcond=None)[0]
        miss = (slope * near + offset - inverse) / error
        weight = (_STUDENT_DEGREES + 1) / (_STUDENT_DEGREES + miss**2)
    return (float(slope), float(offset)) if slope > 0.0 else None


def _contradicts(near: Array, log_m: Array, deviation: Array) -> bool:
    """Say whether what the boxes are sure of runs against the model."""
    if deviation.max(initial=0.0) >= _SURE or len(near) < _ENOUGH or log_m.std() < _TELLING or near.std() == 0.0:
        return False
    return float(np.corrcoef(near, -log_m)[0, 1]) < _CONTRARY


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2.0)])


def _smoothed(time_s: Array, shot: NDArray[np.int64], index: NDArray[np.int64], log_m: Array, spread: float) -> Depths:
    """Smooth what the model says of a thing in each shot, single wrong values left aside."""
    found = Depths(np.zeros(len(time_s)), np.full(len(time_s), np.inf))
    for number in np.unique(shot[index]):
        span = np.flatnonzero(shot == number)
        own = shot[index] == number
        position, deviation = np.zeros((len(span), 1)), np.full((len(span), 1), np.inf)
        position[index[own] - span[0], 0], deviation[index[own] - span[0], 0] = log_m[own], _NOISE
        path, error = _MOTION.smooth(time_s[span], position, deviation)
        for _ in range(_REWEIGHTINGS):
            miss = np.where(np.isfinite(deviation), (path - position) / deviation, 0.0)
            weight = (_STUDENT_DEGREES + 1) / (_STUDENT_DEGREES + miss**2)
            path, error = _MOTION.smooth(time_s[span], position, deviation / np.sqrt(weight))
        found.log_m[span], found.deviation[span] = path[:, 0], np.hypot(error[:, 0], spread)
    return found
