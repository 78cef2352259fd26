"""Short-time spectra as the network sees them: square-root Hann windows, compressed magnitudes, absolute frames.

Frame k is centred at sample k * HOP of the sound, whatever block it comes from. White noise of rms 1 has power 1
in every bin; magnitudes are compressed to their square root and phases kept, so that quiet reverberation counts
beside loud attacks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HOP",
    "N_BINS",
    "N_FFT",
    "N_MAPS",
    "SAMPLE_RATE_HZ",
    "SCALE",
    "compressed",
    "expanded",
    "overlapped",
    "spectra",
    "window",
]

SAMPLE_RATE_HZ = 48_000
"""Rate at which the models work [Hz]."""

N_FFT = 1024
"""Length of a frame [samples]."""

HOP = 256
"""Distance of frames [samples]."""

N_BINS = 512
"""Bins that are modelled: all but the highest."""

N_MAPS = 11
"""Input maps: where the flow is (4), the prior (4), the mono sound (2), how far they reach (1)."""

SCALE = (2.0 / N_FFT) ** 0.5
"""Factor on spectra: the squares of the window add up to half its length."""

_TINY = 1e-12


def window() -> NDArray[np.float32]:
    """Return the square root of a periodic Hann window, float32, shape (N_FFT,); four overlap to a power of 2."""
    return np.sin(np.pi * np.arange(N_FFT) / N_FFT).astype(np.float32)


def spectra(sound: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Return the spectra of a stretch of sound.

    Parameters
    ----------
    sound : ndarray, float32, shape (n_channels, N_FFT + (n_frames - 1) * HOP)
        From N_FFT / 2 samples before the centre of the first frame on.

    Returns
    -------
    ndarray, complex64, shape (n_channels, N_BINS + 1, n_frames)
    """
    frames = np.lib.stride_tricks.sliding_window_view(sound, N_FFT, axis=1)[:, ::HOP] * window()
    found = np.fft.rfft(frames, axis=2).astype(np.complex64, copy=False)
    return np.ascontiguousarray(found.transpose(0, 2, 1)) * np.float32(SCALE)


def compressed(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Compress spectra into maps of real and imaginary parts.

    Parameters
    ----------
    spectrum : ndarray, complex64, shape (n_channels, N_BINS + 1, n_frames)

    Returns
    -------
    ndarray, float32, shape (2 n_channels, N_BINS, n_frames)
        Real and imaginary part of each channel in turn; magnitudes are square roots.
    """
    part = spectrum[:, :N_BINS]
    root = (part.real**2 + part.imag**2 + np.float32(_TINY)) ** np.float32(-0.25)
    maps = np.empty((2 * len(part), *part.shape[1:]), dtype=np.float32)
    np.multiply(part.real, root, out=maps[0::2])
    np.multiply(part.imag, root, out=maps[1::2])
    return maps


def expanded(maps: NDArray[np.float32], nyquist: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Undo `compressed`.

    Parameters
    ----------
    maps : ndarray, float32, shape (2 n_channels, N_BINS, n_frames)
        As from `compressed`.
    nyquist : ndarray, complex64, shape (n_channels, n_frames)
        The highest bin, which is not modelled.

    Returns
    -------
    ndarray, complex64, shape (n_channels, N_BINS + 1, n_frames)
    """
    real, imag = maps[0::2], maps[1::2]
    size = np.sqrt(real**2 + imag**2 + np.float32(_TINY))
    spectrum = np.empty((len(real), N_BINS + 1, maps.shape[2]), dtype=np.complex64)
    spectrum[:, :N_BINS].real, spectrum[:, :N_BINS].imag = real * size, imag * size
    spectrum[:, N_BINS] = nyquist
    return spectrum


def overlapped(spectrum: NDArray[np.complex64], past: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn spectra back into sound, frame after frame.

    Parameters
    ----------
    spectrum : ndarray, complex64, shape (n_channels, N_BINS + 1, n_frames)
    past : ndarray, float32, shape (n_channels, N_FFT - HOP)
        What earlier frames add; changed to what later calls need.

    Returns
    -------
    ndarray, float32, shape (n_channels, n_frames * HOP)
        From N_FFT / 2 samples before the centre of the first frame on.
    """
    n_channels, _, n_frames = spectrum.shape
    frames = np.fft.irfft(spectrum.transpose(0, 2, 1) / np.float32(SCALE), N_FFT, axis=2).astype(np.float32)
    frames *= np.float32(0.5) * window()
    out = np.zeros((n_channels, n_frames * HOP + N_FFT - HOP), dtype=np.float32)
    out[:, : N_FFT - HOP] = past
    for part in range(N_FFT // HOP):  # each quarter of all frames at once
        shifted = out[:, part * HOP : part * HOP + n_frames * HOP].reshape(n_channels, n_frames, HOP)
        shifted += frames[:, :, part * HOP : (part + 1) * HOP]
    past[:] = out[:, n_frames * HOP :]
    return out[:, : n_frames * HOP]
