"""A fractional delay line whose delay slides: interaural delay and Doppler shift without clicks.

Reads between samples with a Kaiser-windowed sinc of 32 taps. Over a run of samples in which the reading
point drifts by less than an eighth of a sample, each tap is a parabola in time through its values at the
start, middle and end of the run, so that whole runs are computed with contiguous vector instructions. The inner
loops are in ``kernels/c/delay.c``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels import lines
from foleyspace_host.kernels.arrays import N_TAPS

__all__ = ["N_TAPS", "read_delayed"]

_HALF = N_TAPS // 2
_PHASES = 512
_KAISER_BETA = 9.0


def _sinc_table() -> NDArray[np.float32]:
    """Taps for fractions -1/4 to 5/4 in steps of 1/512, shape (769, 32); tap k reads sample i - 15 + k."""
    fraction = np.arange(-_PHASES // 4, _PHASES + _PHASES // 4 + 1) / _PHASES
    # all offsets are multiples of 1/512: each distance is computed once
    distance = np.arange(_PHASES * (_HALF + 1) + 1) / _PHASES
    inside = np.clip(1.0 - (distance / (_HALF + 0.25)) ** 2, 0.0, None)
    values = np.sinc(distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    offset = np.arange(N_TAPS) - (_HALF - 1) - fraction[:, None]
    taps = values[np.abs(_PHASES * offset).astype(np.intp)]
    # unit gain at zero frequency for every fraction, or a sliding delay would modulate a constant
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


_TABLE = _sinc_table()


def read_delayed(
    line: NDArray[np.float32],
    origin: int,
    first: int,
    hop: int,
    delay_samples: NDArray[np.float64],
    jump: NDArray[np.bool_],
    out: NDArray[np.float32],
) -> None:
    """Add a delayed reading of a line to an output.

    Parameters
    ----------
    line : ndarray, float32, shape (n,)
        Stored sound, contiguous.
    origin : int
        Sample number of ``line[0]``.
    first : int
        Sample number of ``out[0]``.
    hop : int
        Samples between control points, a multiple of 16.
    delay_samples : ndarray, float64, shape (n_intervals + 1,)
        Delay at the control points first, first + hop, ... [samples]; linear between them.
    jump : ndarray of bool, shape (n_intervals,)
        Intervals that cross-fade from the delay before to the delay after instead.
    out : ndarray, float32, shape (at most n_intervals * hop,)
        Added to. All samples within 16 of a reading point must be in `line`.
    """
    lines.read_delayed(line, origin, first, hop, delay_samples, jump, _TABLE, out)
