"""How a head hears sound that comes from everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.align import linear_phase
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import lattice

__all__ = ["DiffuseField", "diffuse_field"]

_N_FFT_AT_48K = 1024
_DIRECTIONS = 2000  # that stand for all: the coherence changes by less than 0.01
_BLOCK = 128


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


@lru_cache(maxsize=2)
def diffuse_field(hrtf: Hrtf) -> DiffuseField:
    """Average a set's responses over all directions.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses; each direction counts by its solid angle. Of more than 2,000 directions the nearest
        ones to 2,000 evenly spread ones stand for all.

    Returns
    -------
    DiffuseField
    """
    from scipy import fft

    n_fft = 1 << max(int(np.ceil(np.log2(hrtf.n_taps))), round(np.log2(_N_FFT_AT_48K * hrtf.sample_rate_hz / 48_000)))
    chosen, weights = _directions(hrtf)
    n_bins = n_fft // 2 + 1
    left, right = np.zeros(n_bins), np.zeros(n_bins)
    cross = np.zeros(n_bins, dtype=np.complex128)
    for start in range(0, len(chosen), _BLOCK):
        part = chosen[start : start + _BLOCK]
        weight = weights[start : start + _BLOCK].astype(np.float32)
        spectra = fft.rfft(hrtf.responses[part], n_fft)
        one, other = spectra[:, 0], spectra[:, 1]
        # no `@`: it divides long sums among threads, and rounds them differently for each number of threads
        left += np.einsum("n,nf->f", weight, np.square(one.real) + np.square(one.imag))
        right += np.einsum("n,nf->f", weight, np.square(other.real) + np.square(other.imag))
        earlier = hrtf.delay_samples[part, 1] - hrtf.delay_samples[part, 0]
        one *= linear_phase(earlier, n_bins, n_fft)
        cross += np.einsum("n,nf->f", weight, one * other.conj())
    return DiffuseField(hrtf.sample_rate_hz, left, right, cross)


def _directions(hrtf: Hrtf) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Directions that stand for all, and their shares of the sphere."""
    if len(hrtf.responses) <= _DIRECTIONS:
        areas = hrtf.mesh.vertex_areas()
        return np.arange(len(areas)), areas / areas.sum()
    from scipy.spatial import cKDTree

    nearest = cKDTree(hrtf.mesh.unit).query(lattice(_DIRECTIONS))[1]
    chosen, counts = np.unique(nearest, return_counts=True)
    return chosen, counts / _DIRECTIONS
