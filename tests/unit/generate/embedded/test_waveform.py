from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kurtosis

from foleyspace_host.generate.embedded.bands import HOP, N_BANDS, SAMPLE_RATE_HZ, analysed
from foleyspace_host.generate.embedded.waveform import partial_shares, waveform, white_noise

N = 2 * SAMPLE_RATE_HZ


def again(sound: np.ndarray, **given: int) -> np.ndarray:
    """Take a sound apart and put it together."""
    level_db, bands_db = analysed(sound.astype(np.float32))
    return np.concatenate(list(waveform(bands_db, level_db, 3, **given)))[: len(sound)]


def voice(pitch_hz: float) -> np.ndarray:
    time = np.arange(N) / SAMPLE_RATE_HZ
    return sum(np.cos(2 * np.pi * pitch_hz * part * time + part) / part for part in range(1, 9)) * 0.2  # type: ignore[return-value]


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
    assert partial_shares(analysed(noise.astype(np.float32))[1]).mean() < 0.001


def test_partials_come_back_as_partials_at_their_pitch() -> None:
    for pitch_hz in (330.0, 1200.0):
        made = again(voice(pitch_hz))[8000:-8000]
        size = np.abs(np.fft.rfft(made * np.hanning(len(made)), 1 << 18))
        frequency_hz = np.fft.rfftfreq(1 << 18, 1 / SAMPLE_RATE_HZ)
        for part in (1, 2, 3):
            near = np.abs(frequency_hz - part * pitch_hz) < 0.3 * pitch_hz
            peak_hz = frequency_hz[near][size[near].argmax()]
            assert abs(peak_hz - part * pitch_hz) < 8.0  # a quarter of a band
        around = (frequency_hz > 0.5 * pitch_hz) & (frequency_hz < 1.5 * pitch_hz)
        tone = around & (np.abs(frequency_hz - frequency_hz[around][size[around].argmax()]) < 6.0)
        assert 10 * np.log10((size[tone] ** 2).sum() / (size[around & ~tone] ** 2).sum()) > 8.0


def test_a_tone_does_not_flutter() -> None:
    time = np.arange(N) / SAMPLE_RATE_HZ
    made = again(0.3 * np.sin(2 * np.pi * 1000.0 * time))[8000:-8000]
    level = 20 * np.log10(np.sqrt(np.convolve(made**2, np.ones(480) / 480, mode="valid")))
    assert level.std() < 0.5
    assert abs(level.mean() - 20 * np.log10(0.3 / np.sqrt(2))) < 2.0  # bands are wider than the bins of a tone


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
