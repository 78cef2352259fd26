from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.generate.embedded.bands import N_BANDS, SAMPLE_RATE_HZ, analysed, centres_hz
from foleyspace_host.generate.embedded.partials import partial_shares, tones

N = SAMPLE_RATE_HZ


def bands_of(*parts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return levels and bands of tones of such frequencies [Hz] and amplitudes."""
    time = np.arange(N) / SAMPLE_RATE_HZ
    return analysed(sum(size * np.cos(2 * np.pi * hz * time + hz) for hz, size in parts).astype(np.float32))  # type: ignore[union-attr]


def test_noise_has_next_to_no_partials() -> None:
    noise = np.random.default_rng(1).standard_normal(4 * N).astype(np.float32)
    shares = partial_shares(analysed(noise)[1])
    assert shares.mean() < 0.01
    assert shares[32:].mean() < 0.003


@settings(max_examples=25, deadline=None)
@given(st.floats(120.0, 18_000.0), st.floats(0.001, 0.9))
def test_a_tone_is_found_where_it_is_and_as_loud_as_it_is(pitch_hz: float, size: float) -> None:
    level_db, bands_db = bands_of((pitch_hz, size))
    found = tones(bands_db, partial_shares(bands_db))
    inside = (found.frame >= 8) & (found.frame < len(level_db) - 8)
    loud = found.amplitude > 0.1
    assert (np.bincount(found.frame[inside & loud]) <= 1).all()
    own = inside & (np.abs(found.frequency_hz - pitch_hz) < 0.05 * pitch_hz)
    assert own.sum() == inside[np.unique(found.frame, return_index=True)[1]].sum()
    np.testing.assert_allclose(found.frequency_hz[own], pitch_hz, atol=1.0 + 0.001 * pitch_hz)
    amplitude = found.amplitude[own] * 10.0 ** (level_db[found.frame[own]] / 20.0)
    np.testing.assert_allclose(20.0 * np.log10(amplitude / size), 0.0, atol=0.3)


def test_two_tones_three_bands_apart_are_two() -> None:
    low_hz, high_hz = (float(np.interp(at, np.arange(N_BANDS), centres_hz())) for at in (60.3, 63.6))
    level_db, bands_db = bands_of((low_hz, 0.1), (high_hz, 0.1))
    found = tones(bands_db, partial_shares(bands_db))
    here = found.frame == len(level_db) // 2
    np.testing.assert_allclose(found.frequency_hz[here], [low_hz, high_hz], rtol=0.01)


@pytest.mark.parametrize("band", [0, 1, N_BANDS - 1])
def test_the_ends_of_the_range_are_no_trouble(band: int) -> None:
    bands_db = np.full((N_BANDS, 20), -50.0, dtype=np.float32)
    bands_db[band] = 10.0
    found = tones(bands_db, np.ones_like(bands_db))
    loudest = found.amplitude == found.amplitude.max()
    assert np.isfinite(found.amplitude).all()
    assert (np.abs(found.place[loudest] - band) < 1.0).all()
