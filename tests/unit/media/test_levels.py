from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample

from foleyspace_host.media.levels import PeakMeter, gain_for_ceiling


def measure(samples: np.ndarray, rate_hz: int = 48_000, block: int = 1 << 16) -> PeakMeter:
    meter = PeakMeter(samples.shape[0], rate_hz)
    for start in range(0, samples.shape[1], block):
        meter.add(samples[:, start : start + block])
    return meter


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 88_200, 96_000, 176_400])
def test_quarter_rate_sine_at_45_degrees_hides_3_db(rate_hz):
    # its samples are all ±sqrt(1/2) of the amplitude, its peaks lie midway between them
    sine = np.sin(np.pi / 2 * np.arange(4096) + np.pi / 4)[None].astype(np.float32)
    sine *= np.hanning(4096)[None].astype(np.float32)  # no edge, which would ring
    meter = measure(sine, rate_hz)
    assert 20 * np.log10(meter.sample_peak) == pytest.approx(-3.01, abs=0.01)
    assert meter.true_peak_db == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("frequency", [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.42])
def test_sines_within_the_tolerance_of_the_recommendation(frequency):
    rng = np.random.default_rng(1)
    for phase in rng.uniform(0, 2 * np.pi, 8):
        n = np.arange(8192)
        sine = (np.hanning(8192) * np.sin(2 * np.pi * frequency * n + phase))[None].astype(np.float32)
        # four times oversampling can miss at most 20 log10 cos(pi f / 4) between two of its points
        floor_db = 20 * np.log10(np.cos(np.pi * frequency / 4)) - 0.05
        assert floor_db <= measure(sine).true_peak_db <= 0.05


def test_against_exact_band_limited_interpolation():
    rng = np.random.default_rng(5)
    spectrum = np.fft.rfft(rng.standard_normal(4096))
    spectrum[int(0.4 * 4096) :] = 0
    noise = np.fft.irfft(spectrum) * np.hanning(4096)
    exact_db = 20 * np.log10(np.abs(resample(noise, 4 * 4096)).max())
    assert measure(noise[None].astype(np.float32)).true_peak_db == pytest.approx(exact_db, abs=0.03)


def test_silence_and_bad_samples():
    meter = measure(np.zeros((2, 100), np.float32))
    assert meter.true_peak_db == -np.inf
    assert (meter.n_samples, meter.sample_peak, meter.finite) == (100, 0.0, True)
    for bad in (np.nan, np.inf, -np.inf):
        block = np.zeros((2, 10), np.float32)
        block[1, 3] = bad
        meter = measure(block)
        assert not meter.finite
    assert PeakMeter(2, 48_000).true_peak_db == -np.inf


def test_peak_after_the_last_sample_counts():
    # two equal samples at the very end: the curve rises between them and the silence that follows
    samples = np.zeros((1, 64), np.float32)
    samples[0, -2:] = 0.5
    whole = np.pad(samples, ((0, 0), (64, 64)))
    assert measure(samples).true_peak == pytest.approx(measure(whole).true_peak, abs=1e-7)
    assert measure(samples).true_peak > 0.55


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.integers(1, 257), st.sampled_from([1, 2, 3]))
def test_blocks_make_no_difference(seed, n, block, n_channels):
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((n_channels, n)).astype(np.float32)
    assert measure(samples, block=block).true_peak == pytest.approx(measure(samples).true_peak, rel=1e-6)
    assert measure(samples).true_peak >= np.abs(samples).max()


def test_gain_only_turns_down():
    assert gain_for_ceiling(-3.0) == 0
    assert gain_for_ceiling(-1.0) == 0
    assert gain_for_ceiling(2.5) == pytest.approx(-3.5)
    assert gain_for_ceiling(-np.inf) == 0
    assert gain_for_ceiling(0.0, -6.0) == -6.0
