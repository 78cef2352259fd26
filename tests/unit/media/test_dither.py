"""Dither by its statistics: what a quantizer must not do to a sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.media.dither import Quantizer


@pytest.mark.parametrize("n_bits", [16, 24])
def test_error_has_the_power_of_rounding_and_triangular_noise(n_bits: int) -> None:
    sound = np.random.default_rng(3).uniform(-0.9, 0.9, (2, 200_000))
    steps = sound * 2.0 ** (n_bits - 1)
    error = Quantizer(n_bits, 2).quantize(sound) - steps
    assert np.abs(error).max() <= 1.5
    assert error.mean() == pytest.approx(0, abs=0.01)
    # 1/12 from rounding and 2/12 from the sum of two uniform noises
    assert error.var() == pytest.approx(0.25, rel=0.02)
    assert abs(np.corrcoef(error)[0, 1]) < 0.01


@pytest.mark.parametrize("level", [0.3, 0.75, 1.2])
def test_tones_below_a_step_survive_without_harmonics(level: float) -> None:
    n = 1 << 18
    tone = level * np.sin(2 * np.pi * 4099 * np.arange(n) / n) / 2**15
    spectrum = np.abs(np.fft.rfft(Quantizer(16, 1).quantize(tone[None])[0])) / (n / 2)
    assert spectrum[4099] == pytest.approx(level, abs=0.01)
    harmonics = spectrum[4099 * np.arange(2, 10)]
    plain = np.abs(np.fft.rfft(np.rint(tone * 2**15)))[4099 * np.arange(2, 10)] / (n / 2)
    assert harmonics.max() < 0.012  # that of the noise alone
    assert plain.max() > 0.1 or level < 0.5  # what rounding alone does


def test_power_of_the_error_does_not_depend_on_the_sound() -> None:
    for offset in (0.1, 0.25, 0.5):
        error = Quantizer(16, 1).quantize(np.full((1, 100_000), offset / 2**15)) - offset
        assert error.mean() == pytest.approx(0, abs=0.01)
        assert error.var() == pytest.approx(0.25, rel=0.03)


def test_silence_stays_silence_and_extremes_stay_within() -> None:
    assert not Quantizer(16, 2).quantize(np.zeros((2, 1000))).any()
    steps = Quantizer(16, 1).quantize(np.array([[1.0, -1.0, 5.0, -5.0]]))
    assert steps.max() <= 32767
    assert steps.min() >= -32768


@settings(max_examples=30)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=8), st.integers(1, 3))
def test_blocks_make_no_difference(sizes: list[int], n_channels: int) -> None:
    sound = np.random.default_rng(1).uniform(-0.01, 0.01, (n_channels, sum(sizes))).astype(np.float32)
    whole = Quantizer(16, n_channels).quantize(sound, 0.5)
    quantizer = Quantizer(16, n_channels)
    parts = [quantizer.quantize(part, 0.5) for part in np.split(sound, np.cumsum(sizes)[:-1], axis=1)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
