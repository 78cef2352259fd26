from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, SAMPLE_RATE_HZ, spectra
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import (
    FLOOR_DB,
    N_BANDS,
    N_CONDITION,
    band_shares,
    begin,
    levels_db,
    rows,
)


def test_every_bin_belongs_to_bands_that_follow_each_other() -> None:
    shares = band_shares()
    assert shares.shape == (N_BANDS, N_BINS)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-6)
    centres = shares.argmax(axis=1)
    assert (np.diff(centres) >= 0).all()
    # equally wide on the ERB scale: wider and wider in hertz
    assert centres[-1] - centres[-2] > 10 * max(1, centres[3] - centres[2])


def test_the_level_of_a_tone_is_that_of_its_mean_square() -> None:
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = (0.25 * np.sin(2 * np.pi * 1000.0 * time)).astype(np.float32)
    inside = levels_db(tone)[4:-4]
    np.testing.assert_allclose(inside, 20 * np.log10(0.25 / np.sqrt(2)), atol=0.05)


@settings(max_examples=20)
@given(st.integers(1, 5000), st.integers(0, 5000))
def test_a_click_is_in_the_frames_around_it(n_samples: int, place: int) -> None:
    place %= n_samples
    click = np.zeros(n_samples, dtype=np.float32)
    click[place] = 1.0
    level = levels_db(click)
    assert len(level) == -(-n_samples // HOP)
    weight = np.sin(np.pi * np.arange(N_FFT) / N_FFT) ** 2
    for frame, found in enumerate(level):
        at = place - frame * HOP + N_FFT // 2
        power = weight[at] / weight.sum() if 0 <= at < N_FFT else 0.0
        np.testing.assert_allclose(found, 10 * np.log10(max(power, 1e-20)), atol=1e-3)


def test_noise_of_the_mean_spectrum_has_the_level_it_begins_at() -> None:
    # white noise: 0 dB in every band, so the flow begins at the level of its frames
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    level = levels_db(noise)[4:-4]
    start = begin(np.zeros(N_BANDS, dtype=np.float32), level)
    framed = noise[4 * HOP - N_FFT // 2 :]
    size = np.abs(spectra(framed[None, : N_FFT + (len(level) - 1) * HOP])[0, 8:-8])
    # compressed: the square root of a magnitude, its fourth power is a power
    np.testing.assert_allclose(np.mean(start**4), np.mean(size**2), rtol=0.03)


def test_rows_tell_class_level_and_guidance() -> None:
    shares = np.zeros(len(NAMES), dtype=np.float32)
    shares[3] = 1.0
    told = rows(shares, np.array([0.0, FLOOR_DB / 2, -500.0], dtype=np.float32), 2.5)
    assert told.shape == (3, N_CONDITION)
    np.testing.assert_array_equal(told[:, : len(NAMES)], np.tile(shares, (3, 1)))
    np.testing.assert_allclose(told[:, -2], [0.0, -0.5, -1.0])
    np.testing.assert_allclose(told[:, -1], 0.5)
