from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, hilbert, sosfiltfilt
from scipy.stats import kurtosis

from foleyspace_host.generate.embedded.bands import HOP, N_BANDS, SAMPLE_RATE_HZ, analysed
from foleyspace_host.generate.embedded.waveform import waveform, white_noise

N = 2 * SAMPLE_RATE_HZ


def again(sound: np.ndarray, **given: int) -> np.ndarray:
    """Take a sound apart and put it together."""
    level_db, bands_db = analysed(sound.astype(np.float32))
    return np.concatenate(list(waveform(bands_db, level_db, 3, **given)))[: len(sound)]


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 60), st.integers(1, 80))
def test_pieces_give_what_the_whole_gives(n_frames: int, chunk: int) -> None:
    rng = np.random.default_rng(n_frames)
    bands_db = (6.0 * rng.standard_normal((N_BANDS, n_frames))).astype(np.float32)
    bands_db[20] += 30.0
    levels_db = (-20.0 + 5.0 * rng.standard_normal(n_frames)).astype(np.float32)
    whole = np.concatenate(list(waveform(bands_db, levels_db, 1)))
    pieces = np.concatenate(list(waveform(bands_db, levels_db, 1, chunk_frames=chunk)))
    assert len(whole) == len(pieces) == n_frames * HOP
    np.testing.assert_allclose(pieces, whole, atol=2e-5 * np.abs(whole).max())


def test_white_noise_is_white_and_stays_what_it_is() -> None:
    noise = white_noise(5, -3, 2000)
    assert abs(noise.std() - 1.0) < 0.005
    assert abs(noise.mean()) < 0.005
    spectrum = np.abs(np.fft.rfft(noise[: 1 << 19].reshape(-1, 64), axis=1)) ** 2
    np.testing.assert_allclose(spectrum[:, 1:-1].mean(axis=0) / 64, 1.0, rtol=0.05)
    np.testing.assert_array_equal(white_noise(5, 0, 7), noise[3 * HOP : 10 * HOP])
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.005


def test_noise_comes_back_as_noise() -> None:
    noise = 0.1 * np.random.default_rng(1).standard_normal(N)
    made = again(noise)[4000:-4000]
    assert abs(20 * np.log10(made.std() / 0.1) - 10 * np.log10(20.0 / 24.0)) < 0.3  # nothing above 20 kHz
    assert abs(kurtosis(made)) < 0.15  # neither clicks nor tones


def voice_of(pitch_hz: float, n_parts: int) -> np.ndarray:
    time = np.arange(N) / SAMPLE_RATE_HZ
    parts = [np.cos(2 * np.pi * pitch_hz * part * time + part) / part for part in range(1, n_parts + 1)]
    return np.sum(parts, axis=0) * 0.2


@settings(max_examples=12, deadline=None)
@given(st.floats(150.0, 4000.0), st.integers(1, 4))
def test_partials_come_back_at_their_pitch_and_their_loudness(pitch_hz: float, n_parts: int) -> None:
    sound = voice_of(pitch_hz, n_parts)
    made = again(sound)
    middle = slice(N // 4, 3 * N // 4)
    time = np.arange(N)[middle] / SAMPLE_RATE_HZ
    window = np.hanning(len(time))
    for part in range(1, n_parts + 1):
        # the turn of its phase over time is how far off it is; 3 cents are less than an ear tells
        turning = np.exp(-2j * np.pi * pitch_hz * part * time) * window
        ours, theirs = made[middle] * turning, sound[middle] * turning
        half = len(time) // 2
        off_hz = np.angle(ours[half:].sum() / ours[:half].sum() / (theirs[half:].sum() / theirs[:half].sum())) / (
            2 * np.pi * 0.5
        )
        assert abs(off_hz) < 0.5 + 0.0017 * pitch_hz * part
    assert abs(20 * np.log10(made[middle].std() / sound[middle].std())) < 0.3


@pytest.mark.parametrize("pitch_hz", [437.0, 1000.0, 3300.0, 7700.0])
def test_a_tone_is_as_pure_as_it_was(pitch_hz: float) -> None:
    made = again(voice_of(pitch_hz, 1))[8000:-8000]
    power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    tone = np.abs(np.fft.rfftfreq(len(made), 1 / SAMPLE_RATE_HZ) - pitch_hz) < 6.0
    assert 10 * np.log10(power[tone].sum() / power[~tone].sum()) > 40.0


@pytest.mark.parametrize(("low_hz", "high_hz"), [(500.0, 800.0), (2000.0, 4000.0), (5000.0, 3000.0)])
def test_a_tone_that_glides_glides(low_hz: float, high_hz: float) -> None:
    frequency_hz = np.geomspace(low_hz, high_hz, N)
    phase = 2 * np.pi * np.cumsum(frequency_hz) / SAMPLE_RATE_HZ
    made = again(0.2 * np.cos(phase))
    level = np.abs(hilbert(made))[8000:-8000]
    assert 20 * np.log10(level).std() < 0.5  # and does not flutter
    still = hilbert(made) * np.exp(-1j * phase)
    near = sosfiltfilt(butter(2, 25.0, fs=SAMPLE_RATE_HZ, output="sos"), still)[8000:-8000]
    assert (np.abs(near) ** 2).sum() / (np.abs(still[8000:-8000]) ** 2).sum() > 0.97


def test_a_tone_does_not_flutter() -> None:
    made = again(voice_of(1000.0, 1))[8000:-8000]
    level = 20 * np.log10(np.sqrt(np.convolve(made**2, np.ones(480) / 480, mode="valid")))
    assert level.std() < 0.1


def test_silence_stays_silent_and_loud_is_loud() -> None:
    levels_db = np.full(120, -20.0, dtype=np.float32)
    levels_db[40:80] = -200.0
    sound = np.concatenate(list(waveform(np.zeros((N_BANDS, 120), dtype=np.float32), levels_db, 1)))
    assert np.abs(sound[43 * HOP : 77 * HOP]).max() < 1e-6
    assert abs(20 * np.log10(sound[4 * HOP : 36 * HOP].std()) + 20.0) < 1.0


def test_the_seed_decides() -> None:
    flat = np.zeros((N_BANDS, 9), dtype=np.float32), np.zeros(9, dtype=np.float32)
    assert next(waveform(*flat, 1)).tobytes() == next(waveform(*flat, 1)).tobytes()
    assert next(waveform(*flat, 1)).tobytes() != next(waveform(*flat, 2)).tobytes()
