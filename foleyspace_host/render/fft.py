"""Real Fourier transforms of many frames at once, by OpenCV.

OpenCV hands them to Intel's IPP where it can, which is several times as fast as SciPy's pocketfft at the powers
of two used here. Spectra are *packed*: as many floats as samples, in
the order re 0, re 1, im 1, re 2, im 2, ..., re n/2.
"""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["fast_length", "multiply_blended", "multiply_tone", "packed_irfft", "packed_rfft"]

Floats = NDArray[np.float32]


def fast_length(n_samples: int) -> int:
    """Return the transform length to use for at least `n_samples`: a power of two."""
    return 1 << max(n_samples - 1, 1).bit_length()


def packed_rfft(frames: Floats, out: Floats | None = None) -> Floats:
    """Transform rows.

    Parameters
    ----------
    frames : ndarray, float32, shape (n_rows, n), contiguous
        Samples; n is even.
    out : ndarray, float32, shape (n_rows, n), optional
        Where to put the result.

    Returns
    -------
    ndarray, float32, shape (n_rows, n)
        Packed spectra.
    """
    result: Floats = cv2.dft(frames, out, cv2.DFT_ROWS)
    return result


def packed_irfft(spectra: Floats, out: Floats | None = None) -> Floats:
    """Transform packed rows back, shape (n_rows, n); the inverse of `packed_rfft`."""
    result: Floats = cv2.dft(spectra, out, cv2.DFT_ROWS | cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE)
    return result


@njit(cache=True, fastmath=True, error_model="numpy")
def multiply_blended(spectra, responses, vertex, weight, out):  # type: ignore[no-untyped-def]
    """Multiply each frame by a blend of three responses, for both ears.

    Parameters
    ----------
    spectra : ndarray, float32, shape (n_frames, n)
        Packed spectra of the sound.
    responses : ndarray, float32, shape (n_vertices, 2, n)
        Packed spectra of the responses.
    vertex : ndarray, int32, shape (n_frames, 3)
        Responses to blend.
    weight : ndarray, float32, shape (n_frames, 3)
        Their weights.
    out : ndarray, float32, shape (2, n_frames, n)
        Filled with packed spectra.
    """
    last = spectra.shape[1] - 1
    for frame in range(spectra.shape[0]):
        wa, wb, wc = weight[frame, 0], weight[frame, 1], weight[frame, 2]
        sound = spectra[frame]
        pairs = sound[1:last].view(np.complex64)
        for ear in range(2):
            a = responses[vertex[frame, 0], ear]
            b = responses[vertex[frame, 1], ear]
            c = responses[vertex[frame, 2], ear]
            result = out[ear, frame]
            result[0] = sound[0] * (wa * a[0] + wb * b[0] + wc * c[0])
            result[last] = sound[last] * (wa * a[last] + wb * b[last] + wc * c[last])
            pa, pb, pc = a[1:last].view(np.complex64), b[1:last].view(np.complex64), c[1:last].view(np.complex64)
            target = result[1:last].view(np.complex64)
            for k in range(len(pairs)):
                target[k] = pairs[k] * (wa * pa[k] + wb * pb[k] + wc * pc[k])


@njit(cache=True)
def multiply_tone(spectra, tone):  # type: ignore[no-untyped-def]
    """Multiply packed spectra by real gains, in place.

    Parameters
    ----------
    spectra : ndarray, float32, shape (2, n_frames, n)
        Packed spectra.
    tone : ndarray, float32, shape (1 or 2, 1 or n_frames, n // 2 + 1)
        Gains.
    """
    for ear in range(spectra.shape[0]):
        for frame in range(spectra.shape[1]):
            gains = tone[ear % tone.shape[0], frame % tone.shape[1]]
            row = spectra[ear, frame]
            row[0] *= gains[0]
            for k in range(1, len(gains) - 1):
                row[2 * k - 1] *= gains[k]
                row[2 * k] *= gains[k]
            row[len(row) - 1] *= gains[len(gains) - 1]
