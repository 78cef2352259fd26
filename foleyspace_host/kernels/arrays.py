"""Arrays on their way into compiled code: a wrong one raises here, and never gets there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOOL", "F32", "F64", "I32", "I64", "N_TAPS", "Floats", "address", "check"]

F32, F64, I32, I64, BOOL = (np.dtype(kind) for kind in (np.float32, np.float64, np.int32, np.int64, np.bool_))

N_TAPS = 32
"""Taps of the delay line and of the interpolators between samples."""

Floats = NDArray[np.float32]


def address(array: NDArray[np.generic], dtype: np.dtype, *shape: int, out: bool = False) -> int:
    """Return where an array's data begin, once it is what the kernel takes it for.

    Parameters
    ----------
    array : ndarray
        Contiguous.
    dtype : dtype
        What its values must be.
    *shape : int
        What its shape must be.
    out : bool
        Whether the kernel will write to it.

    Returns
    -------
    int
        The address.

    Raises
    ------
    TypeError
        If its values are of another type.
    ValueError
        If it has another shape, is not contiguous, or must not be written.
    """
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        raise TypeError(f"a kernel needs an array of {dtype}, not {getattr(array, 'dtype', type(array))}")
    if array.shape != shape:
        raise ValueError(f"a kernel needs an array of shape {shape}, not {array.shape}")
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned) or (out and not flags.writeable):
        raise ValueError("a kernel needs a contiguous, aligned array, and a writable one for its result")
    address: int = array.__array_interface__["data"][0]  # half the time of array.ctypes
    return address


def check(code: int) -> None:
    """Raise ValueError where a kernel returned that something is wrong: a negative number."""
    if code < 0:
        raise ValueError("a kernel was asked to reach beyond an array, or for a length that it does not know")
