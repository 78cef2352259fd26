"""Delay lines, panning, and the walk over a mesh of directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.arrays import BOOL, F32, F64, I32, N_TAPS, Floats, address, check
from foleyspace_host.kernels.library import native

__all__ = ["N_ROWS", "locate", "pan", "read_delayed"]

N_ROWS = 769
"""Rows of the delay line's table of taps: fractions -1/4 to 5/4 in steps of 1/512."""


def read_delayed(
    line: Floats,
    origin: int,
    first: int,
    hop: int,
    delay_samples: NDArray[np.float64],
    jump: NDArray[np.bool_],
    table: Floats,
    out: Floats,
) -> None:
    """Add a delayed reading of a line to an output; see `foleyspace_host.render.delay`.

    Parameters
    ----------
    line : ndarray, float32, shape (n,)
        Stored sound.
    origin, first : int
        Sample numbers of ``line[0]`` and ``out[0]``.
    hop : int
        Samples between control points, a multiple of 16.
    delay_samples : ndarray, float64, shape (n_intervals + 1,)
        Delays; may be a column of a larger array.
    jump : ndarray of bool, shape (n_intervals,)
        Intervals that cross-fade.
    table : ndarray, float32, shape (769, 32)
        Taps.
    out : ndarray, float32, shape (at most n_intervals * hop,)
        Added to.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be, or a reading point lies outside of the line.
    """
    n_intervals = len(jump)
    if not isinstance(delay_samples, np.ndarray) or delay_samples.dtype != F64 or not delay_samples.flags.aligned:
        raise TypeError("delays are an array of float64")
    if delay_samples.shape != (n_intervals + 1,) or delay_samples.strides[0] % 8 or len(out) > n_intervals * hop:
        raise ValueError(f"{delay_samples.shape} delays and {n_intervals} intervals for {len(out)} samples")
    code = native().fs_read_delayed(
        address(line, F32, len(line)),
        len(line),
        origin,
        first,
        hop,
        int(delay_samples.ctypes.data),
        delay_samples.strides[0] // 8,
        address(jump, BOOL, n_intervals),
        n_intervals,
        address(table, F32, N_ROWS, N_TAPS),
        address(out, F32, len(out), out=True),
        len(out),
    )
    check(code)


def pan(heard: Floats, gains: Floats, jump: NDArray[np.bool_], hop: int, out: Floats) -> None:
    """Add one sound to all channels, with gains on straight lines; leaves out the intervals that jump.

    Parameters
    ----------
    heard : ndarray, float32, shape (n,)
        The sound.
    gains : ndarray, float32, shape (n_intervals + 1, n_channels)
        Gains at the control points, `hop` samples apart.
    jump : ndarray of bool, shape (n_intervals,)
        What to leave out.
    hop : int
        Samples of an interval.
    out : ndarray, float32, shape (n_channels, n)
        Added to.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be.
    """
    n, n_intervals, n_channels = len(heard), len(jump), gains.shape[-1]
    if hop < 1:
        raise ValueError(f"{hop} is no distance of control points")
    native().fs_pan(
        address(heard, F32, n),
        n,
        address(gains, F32, n_intervals + 1, n_channels),
        address(jump, BOOL, n_intervals),
        n_intervals,
        n_channels,
        hop,
        address(out, F32, n_channels, n, out=True),
    )


def locate(
    direction: NDArray[np.float64],
    start: int,
    neighbours: NDArray[np.int32],
    inverse: NDArray[np.float64],
    triangle: NDArray[np.int32],
    weights: Floats,
) -> int:
    """Find the triangles and weights of directions; see `foleyspace_host.hrtf.mesh.locate`.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be, or an index leads out of the mesh.
    """
    n, n_triangles = len(direction), len(neighbours)
    last = native().fs_locate(
        address(direction, F64, n, 3),
        n,
        start,
        address(neighbours, I32, n_triangles, 3),
        address(inverse, F64, n_triangles, 3, 3),
        n_triangles,
        address(triangle, I32, n, out=True),
        address(weights, F32, n, 3, out=True),
    )
    check(last)
    return int(last)
