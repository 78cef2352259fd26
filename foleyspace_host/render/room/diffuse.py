"""How a head hears sound that comes from everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.prepare import Hrtf

__all__ = ["DiffuseField", "diffuse_field"]

_N_FFT_AT_48K = 1024


@dataclass(frozen=True, slots=True)
class DiffuseField:
    """Power and coherence at the ears of a set in a diffuse field of unit power.

    Parameters
    ----------
    sample_rate_hz : int
        Sampling rate [Hz].
    left, right : ndarray, float64, shape (n_bins,)
        Power at each ear; near 1 for a scaled set.
    cross : ndarray, complex128, shape (n_bins,)
        Cross spectrum, left times the conjugate of right.
    """

    sample_rate_hz: int
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    cross: NDArray[np.complex128]

    @property
    def frequency_hz(self) -> NDArray[np.float64]:
        """Frequencies of the bins [Hz]."""
        return np.linspace(0.0, self.sample_rate_hz / 2.0, len(self.left))

    @property
    def coherence(self) -> NDArray[np.complex128]:
        """Complex coherence between the ears, shape (n_bins,); like a sinc at low frequencies."""
        return self.cross / np.sqrt(np.maximum(self.left * self.right, 1e-30))

    def mixing_responses(self) -> NDArray[np.float64]:
        """Return filters that turn two independent noises into the two ears of the field.

        Returns
        -------
        ndarray, float64, shape (2 ears, 2 noises, n_taps)
            The Hermitian square root of the matrix of powers, which treats both noises alike, in time; its
            middle is at n_taps // 2.
        """
        determinant = np.sqrt(np.maximum(self.left * self.right - np.abs(self.cross) ** 2, 0.0))
        scale = 1.0 / np.sqrt(np.maximum(self.left + self.right + 2.0 * determinant, 1e-30))
        root = np.empty((2, 2, len(self.left)), dtype=np.complex128)
        root[0, 0], root[1, 1] = self.left + determinant, self.right + determinant
        root[0, 1], root[1, 0] = self.cross, self.cross.conj()
        n_fft = 2 * (len(self.left) - 1)
        responses = np.roll(np.fft.irfft(root * scale, n_fft), n_fft // 2, axis=-1)
        return responses * np.hanning(n_fft + 1)[:-1]


def diffuse_field(hrtf: Hrtf, block: int = 512) -> DiffuseField:
    """Average a set's responses over all directions.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses; each direction counts by its solid angle.
    block : int
        Directions transformed together, which bounds the memory.

    Returns
    -------
    DiffuseField
    """
    from scipy import fft

    n_fft = 1 << max(int(np.ceil(np.log2(hrtf.n_taps))), round(np.log2(_N_FFT_AT_48K * hrtf.sample_rate_hz / 48_000)))
    turn = -2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft
    weights = hrtf.mesh.vertex_areas()
    weights = weights / weights.sum()
    left, right = np.zeros(n_fft // 2 + 1), np.zeros(n_fft // 2 + 1)
    cross = np.zeros(n_fft // 2 + 1, dtype=np.complex128)
    for start in range(0, len(weights), block):
        part = slice(start, start + block)
        spectra = fft.rfft(hrtf.responses[part], n_fft)
        weight = weights[part]
        left += weight @ np.abs(spectra[:, 0]) ** 2
        right += weight @ np.abs(spectra[:, 1]) ** 2
        later = (hrtf.delay_samples[part, 0] - hrtf.delay_samples[part, 1])[:, None]
        cross += weight @ (spectra[:, 0] * spectra[:, 1].conj() * np.exp(turn * later))
    return DiffuseField(hrtf.sample_rate_hz, left, right, cross)
