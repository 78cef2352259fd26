"""What is measured of a sound, and its layout in files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.arrays import F32, F64, I64, N_TAPS, Floats, address
from foleyspace_host.kernels.library import native

__all__ = ["interleaved", "largest", "largest_between", "loudness_steps"]


def largest(samples: Floats) -> float:
    """Return the largest magnitude in a float32 array of any shape; infinite or NaN if one of them is in it."""
    if not samples.size:
        return 0.0
    flat = samples if samples.flags.c_contiguous else np.ascontiguousarray(samples)
    return float(native().fs_largest(address(flat, F32, *flat.shape), flat.size))


def largest_between(samples: Floats, phases: Floats, bound: float, known: float) -> float:
    """Return the largest magnitude between samples.

    Parameters
    ----------
    samples : ndarray, float32, shape (n_channels, n)
        The samples.
    phases : ndarray, float32, shape (n_phases, 32)
        Interpolators.
    bound : float
        The most that one of them makes of samples within 1.
    known : float
        Where nothing larger than this can be, the rest is not looked at.

    Returns
    -------
    float
        0, or a smaller one, if none is above `known`.
    """
    n_channels, n = samples.shape
    return float(
        native().fs_largest_between(
            address(samples, F32, n_channels, n),
            n_channels,
            n,
            address(phases, F32, len(phases), N_TAPS),
            len(phases),
            bound,
            known,
        )
    )


def loudness_steps(
    samples: Floats,
    coefficients: NDArray[np.float64],
    state: NDArray[np.float64],
    weights: NDArray[np.float64],
    step: int,
    sums: NDArray[np.float64],
    filled: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the weighted power of each step that a block completes.

    Parameters
    ----------
    samples : ndarray, float32, shape (n_channels, n)
        The block.
    coefficients : ndarray, float64, shape (7,)
        b0 b1 b2 a1 a2 of the first filter, a1 a2 of the second.
    state : ndarray, float64, shape (n_channels, 4)
        Of the filters, changed.
    weights : ndarray, float64, shape (n_channels,)
        Factors on the power; channels of weight 0 are left out.
    step : int
        Samples of a step.
    sums, filled : ndarray, float64, shape (n_channels,) and int64, shape (1,)
        What the last block left of a step, changed.

    Returns
    -------
    ndarray, float64, shape (n_steps,)

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be.
    """
    n_channels, n = samples.shape
    if step < 1 or not 0 <= filled[0] < step:
        raise ValueError(f"{filled[0]} samples of a step of {step}")
    powers = np.empty(n // step + 1, dtype=np.float64)
    n_steps = native().fs_loudness(
        address(samples, F32, n_channels, n),
        n_channels,
        n,
        address(coefficients, F64, 7),
        address(state, F64, n_channels, 4, out=True),
        address(weights, F64, n_channels),
        step,
        address(sums, F64, n_channels, out=True),
        address(filled, I64, 1, out=True),
        powers.ctypes.data,
    )
    return powers[:n_steps]


def interleaved(samples: Floats) -> Floats:
    """Return channels (n_channels, n) sample by sample: a new array (n, n_channels)."""
    n_channels, n = samples.shape
    out = np.empty((n, n_channels), dtype=np.float32)
    flat = samples if samples.flags.c_contiguous else np.ascontiguousarray(samples)
    native().fs_interleave(address(flat, F32, n_channels, n), n_channels, n, out.ctypes.data)
    return out
