from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.audio import resampled

RATES = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000]


def pieces(samples: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return np.split(samples, sorted(c % (samples.shape[-1] + 1) for c in cuts), axis=-1)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 6000),
    st.sampled_from(RATES),
    st.sampled_from(RATES),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from([1, 2, 5]),
)
def test_length_is_exact_and_blocks_make_no_difference(n, from_hz, to_hz, cuts, n_channels):
    rng = np.random.default_rng(n)
    samples = rng.standard_normal((n_channels, n)).astype(np.float32)
    expected = floor(Fraction(n * to_hz, from_hz) + Fraction(1, 2))
    cut = list(resampled(pieces(samples, cuts), from_hz, to_hz))
    joined = np.concatenate(cut, axis=1) if cut else np.zeros((n_channels, 0))
    assert joined.shape == (n_channels, expected)
    whole = list(resampled([samples], from_hz, to_hz))
    if whole:
        assert np.allclose(joined, np.concatenate(whole, axis=1), atol=2e-6)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000)])
def test_a_tone_stays_in_place_and_level(from_hz, to_hz):
    def tone(rate_hz: int) -> np.ndarray:
        t_s = np.arange(2 * rate_hz) / rate_hz
        return (np.sin(2 * np.pi * 1000.3 * t_s) * np.hanning(len(t_s))).astype(np.float32)

    out = np.concatenate(list(resampled(np.split(tone(from_hz), 7 * [0] + [5000]), from_hz, to_hz)))
    assert out.ndim == 1
    assert np.max(np.abs(out - tone(to_hz))) < 2e-5


def test_same_rate_is_untouched_and_no_blocks_give_none():
    block = np.ones((2, 5), np.float32)
    assert np.array_equal(next(iter(resampled([block], 48_000, 48_000))), block)
    assert list(resampled([], 44_100, 48_000)) == []
    with pytest.raises(InvalidInput):
        resampled([block], 0, 48_000)
