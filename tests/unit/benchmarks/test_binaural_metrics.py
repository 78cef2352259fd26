"""The metrics of binaural quality find what was put in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
RATE_HZ = 48_000


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


metrics = load("binaural_metrics")


def noise(seed: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, RATE_HZ))


@pytest.mark.parametrize("name", list(metrics.METRICS))
def test_a_perfect_rendering_has_no_error(name: str) -> None:
    sound = noise(1)
    assert metrics.measured(sound, sound, RATE_HZ)[name] == pytest.approx(0.0, abs=1e-9)


@given(level=st.floats(0.001, 100.0), gain=st.floats(0.1, 10.0))
@settings(max_examples=10)
def test_level_is_common(level: float, gain: float) -> None:
    sound, other = noise(2), noise(3)
    found = metrics.measured(level * sound, level * gain * other, RATE_HZ)
    assert found == pytest.approx(metrics.measured(sound, gain * other, RATE_HZ), rel=1e-6, abs=1e-9)


def test_wave_of_silence_is_the_power_of_the_reference() -> None:
    sound = noise(4)
    assert metrics.measured(sound, 0.0 * sound, RATE_HZ)["wave L2 x1e3"] == pytest.approx(1000 * 0.05**2)


def test_wave_counts_the_difference() -> None:
    sound, other = noise(5), noise(6)
    assert metrics.wave_l2(sound, sound + 0.1 * other) == pytest.approx(10.0 * np.mean(other**2))


def test_amplitude_is_proportional_to_a_change_of_level_and_blind_to_sign() -> None:
    sound = noise(7)
    half, tenth = (metrics.amplitude_l2(sound, gain * sound) for gain in (0.5, 0.9))
    assert half == pytest.approx(5.0 * tenth)
    assert metrics.amplitude_l2(sound, -sound) == pytest.approx(0.0, abs=1e-9)
    # a tone of amplitude 1 in the middle of a bin is half the sum of the window there
    tone = np.tile(np.sin(2 * np.pi * 1500.0 * np.arange(RATE_HZ) / RATE_HZ), (2, 1))
    spectrum = np.abs(metrics._spectra(tone, RATE_HZ))[:, 64, 10:-10]
    assert spectrum == pytest.approx(0.5 * 960.0, rel=1e-3)


def test_phase_of_an_inverted_sound_is_pi_and_of_another_sound_half_of_it() -> None:
    sound = noise(8)
    assert metrics.phase_l2(sound, -sound) == pytest.approx(np.pi)
    assert metrics.phase_l2(sound, noise(9)) == pytest.approx(np.pi / 2, abs=0.02)


def test_phase_of_a_delayed_tone() -> None:
    time = np.arange(RATE_HZ) / RATE_HZ
    swell = np.hanning(RATE_HZ)
    tone, later = (np.tile(swell * np.sin(2 * np.pi * 1500.0 * (time - delay)), (2, 1)) for delay in (0.0, 1e-4))
    assert metrics.phase_l2(tone, later) == pytest.approx(2 * np.pi * 1500.0 * 1e-4, rel=0.02)


@pytest.mark.parametrize("gain", [0.5, 0.9, 2.0])
def test_mrstft_of_a_change_of_level(gain: float) -> None:
    sound = noise(10)
    assert metrics.mrstft(sound, gain * sound) == pytest.approx(abs(gain - 1) + abs(np.log(gain)), rel=1e-3)


@pytest.mark.parametrize("lag_samples", [-30, -3, 0, 8, 25])
def test_finds_interaural_time(lag_samples: int) -> None:
    mono = noise(11, 1)[0]
    pair = np.stack([mono, np.roll(mono, lag_samples)])
    itd, _ = metrics.itd_us(pair, RATE_HZ)
    assert np.median(itd) == pytest.approx(1e6 * lag_samples / RATE_HZ, abs=3.0)
    centred = np.stack([mono, mono])
    assert metrics.itd_error_us(centred, pair, RATE_HZ) == pytest.approx(1e6 * abs(lag_samples) / RATE_HZ, abs=5.0)


@given(level_db=st.floats(-20.0, 20.0))
@settings(max_examples=10)
def test_finds_level_differences(level_db: float) -> None:
    sound = noise(12)
    louder = sound * [[10 ** (level_db / 20)], [1.0]]
    assert metrics.ild_error_db(sound, louder, RATE_HZ) == pytest.approx(abs(level_db), abs=1e-6)


def test_level_differences_in_a_band_count_by_the_bands() -> None:
    sound = noise(13)
    spectrum = np.fft.rfft(sound)
    spectrum[0, 10_000:] *= 2.0  # the left ear above 10 kHz
    found, _ = metrics.ild_db(np.fft.irfft(spectrum), RATE_HZ)
    wanted, _ = metrics.ild_db(sound, RATE_HZ)
    assert np.mean((found - wanted)[:26]) == pytest.approx(0.0, abs=0.05)  # below 8 kHz
    assert np.mean((found - wanted)[30:]) == pytest.approx(6.02, abs=0.05)  # above 12 kHz


def test_finds_interaural_phase() -> None:
    time = np.arange(RATE_HZ) / RATE_HZ
    tone, later = (np.sin(2 * np.pi * 600.0 * (time - delay)) for delay in (0.0, 2e-4))
    found = metrics.ipd_error_rad(np.stack([tone, tone]), np.stack([tone, later]), RATE_HZ)
    assert found == pytest.approx(2 * np.pi * 600.0 * 2e-4, rel=0.02)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
def test_finds_coherence(share: float) -> None:
    common, left, right = noise(14, 3)
    pair = np.stack([share * common + (1 - share**2) ** 0.5 * own for own in (left, right)])
    pair[1] = np.roll(pair[1], 20)  # within a millisecond
    found, _ = metrics.iacc(pair, RATE_HZ)
    # 85 ms of an octave around 4 kHz hold 240 independent values: chance alone reaches 0.15
    assert np.mean(found[3]) == pytest.approx(max(share**2, 0.13), abs=0.03)


def test_coherence_error_is_the_difference() -> None:
    common, left, right = noise(15, 3)
    mono = np.stack([common, common])
    apart = np.stack([left, right])
    found, energy = metrics.iacc(apart, RATE_HZ)
    assert energy.min() > 0.0
    assert metrics.iacc_error(mono, apart, RATE_HZ) == pytest.approx(1.0 - found.mean(), abs=1e-6)
