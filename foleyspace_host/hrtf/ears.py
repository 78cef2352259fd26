"""Which of the two receivers is the left ear.

A file says so by ``ReceiverPosition``, and its responses say so too: a source on the left is heard earlier and
louder by the left ear. Files of the first years (CIPIC and LISTEN as distributed, for two) hold the left ear
first and the position of the right one. The head cannot be wrong about this, so where the responses are
clear they decide, else the positions, else the order: left first, as the conventions ask.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["left_receiver"]

_CLEAR = 0.8  # sum of two correlations; measured heads reach 1.8 and more, unrelated responses 0.2
_OPPOSED = -0.1
_ONSET_RE_PEAK = 0.1
_FEWEST_DIRECTIONS = 8


def left_receiver(
    unit: NDArray[np.float64],
    hrirs: NDArray[np.float32],
    delay_samples: NDArray[np.float64],
    receiver_left_m: tuple[float, float],
) -> tuple[int, bool]:
    """Return the index of the left ear's receiver.

    Parameters
    ----------
    unit : ndarray, shape (n_directions, 3)
        Directions in the listener's frame.
    hrirs : ndarray, shape (n_directions, 2, n_taps)
        Responses in the file's order.
    delay_samples : ndarray, shape (n_directions, 2)
        Delays apart from the responses [samples].
    receiver_left_m : tuple of float
        How far left the file says that each receiver is [m].

    Returns
    -------
    left : int
        0 or 1.
    contradicted : bool
        Whether the responses overruled the positions.
    """
    by_position = None
    if abs(receiver_left_m[0] - receiver_left_m[1]) > 1e-6:
        by_position = 0 if receiver_left_m[0] > receiver_left_m[1] else 1
    evidence = _first_is_left(unit, hrirs, delay_samples)
    if abs(evidence) > _CLEAR:
        by_response = 0 if evidence > 0 else 1
        return by_response, by_position is not None and by_position != by_response
    return by_position or 0, False


def _first_is_left(unit: NDArray[np.float64], hrirs: NDArray[np.float32], delay_samples: NDArray[np.float64]) -> float:
    """Evidence that the first receiver is the left ear: -2 (surely not) to 2 (surely); 0 if time and level differ."""
    if len(unit) < _FEWEST_DIRECTIONS:
        return 0.0
    power = np.einsum("den,den->de", hrirs, hrirs).astype(np.float64)
    level = np.log(np.maximum(power, 1e-6 * power.max()))
    size = np.abs(hrirs)
    first = (size >= _ONSET_RE_PEAK * size.max(axis=-1, keepdims=True)).argmax(axis=-1) + delay_samples
    by_level = _correlation(unit[:, 1], level[:, 0] - level[:, 1])
    by_time = _correlation(unit[:, 1], first[:, 1] - first[:, 0])
    if by_level * by_time < _OPPOSED:
        return 0.0
    return by_level + by_time


def _correlation(side: NDArray[np.float64], difference: NDArray[np.float64]) -> float:
    spread = float(np.sqrt((side**2).sum() * (difference**2).sum()))
    return float((side * difference).sum()) / spread if spread > 0.0 else 0.0
