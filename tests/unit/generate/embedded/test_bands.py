from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.generate.embedded.bands import (
    HOP,
    LOWEST_BAND_DB,
    N_BANDS,
    N_BINS,
    N_FFT,
    SAMPLE_RATE_HZ,
    analysed,
    analysis,
    bins_db,
    centres_hz,
    window,
)


def test_bands_are_evenly_spaced_and_then_as_musical_intervals_are() -> None:
    centres = centres_hz()
    assert len(centres) == N_BANDS
    np.testing.assert_allclose(np.diff(centres[:32]), 31.25)
    np.testing.assert_allclose(centres[33:] / centres[32:-1], 20.0 ** (1 / 96))
    assert centres[-1] == 20_000.0


def test_every_band_hears_something_and_adds_up_to_1() -> None:
    shares = analysis()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    assert (np.diff(shares @ np.arange(N_BINS)) > 0).all()


def test_a_tone_has_the_level_of_its_mean_square_and_stands_in_its_band() -> None:
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for which in (10, 50, 100):
        tone = (0.25 * np.sin(2 * np.pi * centres_hz()[which] * time)).astype(np.float32)
        level_db, bands_db = (one[..., 4:-4] for one in analysed(tone))
        np.testing.assert_allclose(level_db, 20 * np.log10(0.25 / np.sqrt(2)), atol=0.05)
        assert (np.abs(bands_db.argmax(axis=0) - which) <= 1).all()


def test_white_noise_has_nothing_in_every_band_however_loud_it_is() -> None:
    noise = np.random.default_rng(0).standard_normal(20 * SAMPLE_RATE_HZ).astype(np.float32)
    for factor in (1.0, 1e-3):
        bands_db = analysed(factor * noise)[1]
        mean_db = 10 * np.log10(np.mean(10 ** (bands_db / 10), axis=1))
        np.testing.assert_allclose(mean_db, 0.0, atol=0.7)


@settings(max_examples=20)
@given(st.integers(1, 9000), st.integers(0, 9000))
def test_a_click_is_in_the_frames_around_it(n_samples: int, place: int) -> None:
    place %= n_samples
    click = np.zeros(n_samples, dtype=np.float32)
    click[place] = 1.0
    level_db, bands_db = analysed(click)
    assert len(level_db) == -(-n_samples // HOP)
    weight = window().astype(float) ** 2
    for frame, found in enumerate(level_db):
        at = place - frame * HOP + N_FFT // 2
        power = weight[at] / weight.sum() if 0 <= at < N_FFT else 0.0
        np.testing.assert_allclose(found, 10 * np.log10(max(power, 1e-20)), atol=1e-3)
        # its spectrum is white, or there is silence
        np.testing.assert_allclose(bands_db[:, frame], 0.0 if power > 1e-20 else LOWEST_BAND_DB, atol=0.01)


def test_bins_lie_straight_between_their_bands() -> None:
    line = np.repeat(np.arange(float(N_BANDS), dtype=np.float32)[:, None], 3, axis=1)
    found = bins_db(line)
    frequency_hz = np.arange(N_BINS) * SAMPLE_RATE_HZ / N_FFT
    inside = (frequency_hz >= centres_hz()[0]) & (frequency_hz <= 20_000)
    wanted = np.interp(frequency_hz, centres_hz(), np.arange(N_BANDS))
    np.testing.assert_allclose(found[inside, 1], wanted[inside], atol=1e-4)
    assert (found[frequency_hz > 20_700] == -200.0).all()
    assert (found[0] == -200.0).all()
