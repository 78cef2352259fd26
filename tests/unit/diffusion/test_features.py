from __future__ import annotations

import numpy as np
from scipy.signal import stft

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, compressed, expanded, overlapped, spectra


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, n)).astype(np.float32)


def test_white_noise_has_power_one() -> None:
    found = spectra(noise(N_FFT + 2000 * HOP))
    assert abs(np.mean(np.abs(found[:, 1:-1]) ** 2) - 1.0) < 0.02


def test_spectra_are_scipys() -> None:
    sound = noise(N_FFT + 20 * HOP)
    window = np.sqrt(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(N_FFT) / N_FFT))
    _, _, wanted = stft(sound, window=window, nperseg=N_FFT, noverlap=N_FFT - HOP, boundary=None, padded=False)
    wanted *= window.sum() * np.sqrt(2.0 / N_FFT)
    np.testing.assert_allclose(spectra(sound), wanted, atol=2e-5)


def test_what_is_compressed_comes_back() -> None:
    found = spectra(noise(N_FFT + 8 * HOP)) * np.float32(3.0)
    maps = compressed(found)
    size = np.sqrt(maps[0::2] ** 2 + maps[1::2] ** 2)
    np.testing.assert_allclose(size**2, np.abs(found[:, :N_BINS]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(expanded(maps, found[:, N_BINS]), found, rtol=1e-4, atol=1e-5)
    assert not compressed(np.zeros_like(found)).any()


def test_sound_comes_back_from_pieces_of_any_length() -> None:
    n_frames = 40
    sound = noise(N_FFT + (n_frames - 1) * HOP)
    found = spectra(sound)
    past = np.zeros((2, N_FFT - HOP), dtype=np.float32)
    pieces = [overlapped(found[..., first:stop], past) for first, stop in ((0, 1), (1, 9), (9, 40))]
    back = np.concatenate(pieces, axis=1)
    inside = slice(N_FFT - HOP, n_frames * HOP)
    np.testing.assert_allclose(back[:, inside], sound[:, inside], atol=2e-6)
