"""A fractional delay line whose delay slides: interaural delay and Doppler shift without clicks.

Reads between samples with a Kaiser-windowed sinc of 32 taps. Over a run of samples in which the reading
point drifts by less than an eighth of a sample, each tap is a parabola in time through its values at the
start, middle and end of the run, so that whole runs are computed with contiguous vector instructions.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["N_TAPS", "read_delayed"]

N_TAPS = 32
_HALF = N_TAPS // 2
_PHASES = 512
_KAISER_BETA = 9.0
_LONGEST_RUN, _SHORTEST_RUN = 128, 16  # samples; control intervals are multiples of both
_MAX_DRIFT = 0.125  # samples per run: a parabola then follows each tap to -74 dB at 16 kHz, far better below


def _sinc_table() -> NDArray[np.float32]:
    """Taps for fractions -1/4 to 5/4 in steps of 1/512, shape (769, 32); tap k reads sample i - 15 + k."""
    fraction = np.arange(-_PHASES // 4, _PHASES + _PHASES // 4 + 1) / _PHASES
    offset = np.arange(N_TAPS) - (_HALF - 1) - fraction[:, None]
    inside = np.clip(1.0 - (offset / (_HALF + 0.25)) ** 2, 0.0, None)
    taps = np.sinc(offset) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
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
        Samples between control points.
    delay_samples : ndarray, float64, shape (n_intervals + 1,)
        Delay at the control points first, first + hop, ... [samples]; linear between them.
    jump : ndarray of bool, shape (n_intervals,)
        Intervals that cross-fade from the delay before to the delay after instead.
    out : ndarray, float32, shape (at most n_intervals * hop,)
        Added to. All samples within 16 of a reading point must be in `line`.
    """
    _read(line, origin, first, hop, delay_samples, jump, out, _TABLE)


@njit(cache=True, fastmath=True, error_model="numpy")
def _read(line, origin, first, hop, delay, jump, out, table):  # type: ignore[no-untyped-def]
    longest = min(_LONGEST_RUN, hop)
    run_out = np.empty(longest, dtype=np.float32)
    taps = np.empty((3, N_TAPS), dtype=np.float32)
    for interval in range(jump.shape[0]):
        here, there = delay[interval], delay[interval + 1]
        slope = (there - here) / hop
        length = longest
        while length > _SHORTEST_RUN and abs(slope) * length > _MAX_DRIFT:
            length //= 2
        steady = abs(slope) * length <= _MAX_DRIFT
        for start in range(0, hop, length):
            begin = interval * hop + start
            if begin >= out.shape[0]:
                return
            count = min(length, out.shape[0] - begin)
            position = first + begin - origin
            if jump[interval]:
                run_out[:] = np.float32(0.0)
                _run(line, position - here, 0.0, table, taps, run_out, length)
                for n in range(count):
                    out[begin + n] += np.float32(0.5 + 0.5 * np.cos(np.pi * (start + n) / hop)) * run_out[n]
                run_out[:] = np.float32(0.0)
                _run(line, position - there, 0.0, table, taps, run_out, length)
                for n in range(count):
                    out[begin + n] += np.float32(0.5 - 0.5 * np.cos(np.pi * (start + n) / hop)) * run_out[n]
                continue
            point = position - (here + slope * start)
            if steady and count == length:
                _run(line, point, slope, table, taps, out[begin : begin + length], length)
            elif steady:
                run_out[:] = np.float32(0.0)
                _run(line, point, slope, table, taps, run_out, length)
                for n in range(count):
                    out[begin + n] += run_out[n]
            else:
                for n in range(count):
                    out[begin + n] += _one(line, point + n * (1.0 - slope), table)


@njit(cache=True, fastmath=True, error_model="numpy")
def _one(line, point, table):  # type: ignore[no-untyped-def]
    """Value of the line at one point."""
    index = int(np.floor(point))
    row = (point - index) * _PHASES + _PHASES // 4
    low = int(row)
    part = np.float32(row - low)
    early, late = table[low], table[low + 1]
    piece = line[index - (_HALF - 1) : index + _HALF + 1]
    total = np.float32(0.0)
    for k in range(N_TAPS):
        total += (early[k] + part * (late[k] - early[k])) * piece[k]
    return total


@njit(cache=True, fastmath=True, error_model="numpy")
def _run(line, point, slope, table, taps, out, count):  # type: ignore[no-untyped-def]
    """Add the values at point, point + (1 - slope), ... to `out`: `count` of them, for a small slope."""
    half = count // 2
    middle = point - slope * half
    index = int(np.floor(middle))
    for moment in range(3):  # middle, early, late
        at = middle - index
        if moment > 0:
            at += slope * half if moment == 1 else -slope * half
        row = at * _PHASES + _PHASES // 4
        low = int(row)
        part = np.float32(row - low)
        early, late = table[low], table[low + 1]
        for k in range(N_TAPS):
            taps[moment, k] = early[k] + part * (late[k] - early[k])
    start = index - (_HALF - 1)
    if slope == 0.0:
        for k in range(0, N_TAPS, 4):
            t0, t1, t2, t3 = taps[0, k], taps[0, k + 1], taps[0, k + 2], taps[0, k + 3]
            piece = line[start + k : start + k + count + 4]
            for n in range(count):
                out[n] += t0 * piece[n] + t1 * piece[n + 1] + t2 * piece[n + 2] + t3 * piece[n + 3]
        return
    for k in range(N_TAPS):  # the parabola m + l s + b s^2 with s from -1 (early) to 1 (late)
        early_tap, late_tap = taps[1, k], taps[2, k]
        taps[1, k] = np.float32(0.5) * (late_tap - early_tap)
        taps[2, k] = np.float32(0.5) * (late_tap + early_tap) - taps[0, k]
    step = np.float32(1.0) / np.float32(half)
    for k in range(0, N_TAPS, 4):  # four taps at a time: a quarter of the traffic through `out`
        m0, m1, m2, m3 = taps[0, k], taps[0, k + 1], taps[0, k + 2], taps[0, k + 3]
        l0, l1, l2, l3 = taps[1, k], taps[1, k + 1], taps[1, k + 2], taps[1, k + 3]
        b0, b1, b2, b3 = taps[2, k], taps[2, k + 1], taps[2, k + 2], taps[2, k + 3]
        piece = line[start + k : start + k + count + 4]
        for n in range(count):
            s = np.float32(n - half) * step
            out[n] += (
                (m0 + s * (l0 + s * b0)) * piece[n]
                + (m1 + s * (l1 + s * b1)) * piece[n + 1]
                + (m2 + s * (l2 + s * b2)) * piece[n + 2]
                + (m3 + s * (l3 + s * b3)) * piece[n + 3]
            )
