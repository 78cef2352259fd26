"""The loudness meter against FFmpeg's, the recommendation's table, and the cases of EBU Tech 3341."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.levels import PeakMeter
from foleyspace_host.media.loudness import LoudnessMeter, _k_weighting, channel_weights

RATE = 48_000


def measure(sound: np.ndarray, rate: int = RATE, block: int = 10_007) -> LoudnessMeter:
    meter = LoudnessMeter(len(sound), rate)
    for start in range(0, sound.shape[1], block):
        meter.add(sound[:, start : start + block].astype(np.float32))
    return meter


def ffmpeg(sound: np.ndarray, rate: int, layout: str) -> tuple[float, float, float]:
    """Integrated, largest momentary and largest short-term loudness by FFmpeg's ebur128 [LUFS]."""
    graph = av.filter.Graph()
    shape = f"sample_rate={rate}:sample_fmt=fltp:channel_layout={layout}:time_base=1/{rate}"
    nodes = [graph.add("abuffer", shape), graph.add("ebur128", "metadata=1"), graph.add("abuffersink")]
    nodes[0].link_to(nodes[1])
    nodes[1].link_to(nodes[2])
    graph.configure()
    seen = []

    def drain() -> None:
        while True:
            try:
                frame = nodes[2].pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if not hasattr(frame, "metadata"):
                pytest.skip("this PyAV does not show what filters measure")
            if "lavfi.r128.I" in frame.metadata:
                seen.append([float(frame.metadata[f"lavfi.r128.{name}"]) for name in "IMS"])

    for start in range(0, sound.shape[1], 4800):
        samples = np.ascontiguousarray(sound[:, start : start + 4800], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, start
        nodes[0].push(frame)
        drain()
    nodes[0].push(None)
    drain()
    return seen[-1][0], max(row[1] for row in seen), max(row[2] for row in seen)


def tones(*parts: tuple[float, float], n_channels: int = 2, repeat: int = 1) -> np.ndarray:
    """A 1 kHz sine in parts of (level of its peak [dBFS], duration [s])."""
    level = np.concatenate([np.full(round(RATE * s), 10 ** (db / 20)) for db, s in parts * repeat])
    return np.tile(level * np.sin(2 * np.pi * 1000 * np.arange(len(level)) / RATE), (n_channels, 1))


def test_coefficients_are_those_of_the_recommendation() -> None:
    # ITU-R BS.1770, tables 1 and 2, for 48 kHz
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585]
    np.testing.assert_allclose(_k_weighting(48_000), [*shelf, -1.99004745483398, 0.99007225036621], atol=1e-12)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([(-23, 20)], -23, id="1"),
        pytest.param([(-33, 20)], -33, id="2"),
        pytest.param([(-36, 10), (-23, 60), (-36, 10)], -23, id="3"),
        pytest.param([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23, id="4"),
        pytest.param([(-26, 20), (-20, 20.1), (-26, 20)], -23, id="5"),
    ],
)
def test_integrated_loudness_of_the_ebu_cases(parts: list[tuple[float, float]], expected: float) -> None:
    assert measure(tones(*parts)).integrated_lufs() == pytest.approx(expected, abs=0.1)


def test_surround_channels_of_ebu_case_6() -> None:
    levels = np.array([-28, -28, -24, -30, -30])
    sound = tones((0, 20), n_channels=5) * 10 ** (levels[:, None] / 20)
    assert measure(sound).integrated_lufs() == pytest.approx(-23, abs=0.1)
    # the LFE of 5.1 adds nothing, however loud
    with_lfe = np.insert(sound, 3, sound[0] * 4, axis=0)
    assert measure(with_lfe).integrated_lufs() == measure(sound).integrated_lufs()


def test_short_term_and_momentary_of_ebu_cases_9_and_12() -> None:
    assert measure(tones((-20, 1.34), (-30, 1.66), repeat=5)).max_short_term_lufs() == pytest.approx(-23, abs=0.1)
    assert measure(tones((-20, 0.18), (-30, 0.22), repeat=25)).max_momentary_lufs() == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("amplitude", "divisor", "phase_deg", "expected"),
    [(0.5, 4, 0, -6), (0.5, 4, 45, -6), (0.5, 6, 60, -6), (0.5, 8, 67.5, -6), (1.41, 4, 45, 3)],
)
def test_true_peak_of_ebu_cases_15_to_19(amplitude: float, divisor: int, phase_deg: float, expected: float) -> None:
    n = np.arange(RATE)
    sine = amplitude * np.sin(2 * np.pi * n / divisor + np.deg2rad(phase_deg))
    sine *= np.clip(np.minimum(n, n[::-1]) / 2400, 0, 1)
    meter = PeakMeter(2, RATE)
    meter.add(np.tile(sine, (2, 1)).astype(np.float32))
    assert -0.4 <= meter.true_peak_db - expected <= 0.2


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_agrees_with_ffmpeg(rate: int, layout: str) -> None:
    if rate > 48_000 and layout != "stereo":
        pytest.skip("the rate does not depend on the layout")
    n_channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    rng = np.random.default_rng(rate)
    sound = np.cumsum(rng.standard_normal((n_channels, 12 * rate)), axis=1)
    sound -= np.concatenate([np.zeros((n_channels, 200)), sound[:, :-200]], axis=1)
    sound *= 10 ** (np.interp(np.arange(12 * rate) / rate, [0, 3, 4, 8, 9, 12], [-40, -35, -10, -12, -70, -60]) / 20)
    sound /= 20 * np.sqrt(200) / 6
    expected = ffmpeg(sound, rate, layout)
    meter = measure(sound, rate)
    # FFmpeg sorts the integrated loudness into classes of 0.01 LU
    assert meter.integrated_lufs() == pytest.approx(expected[0], abs=0.02)
    assert meter.max_momentary_lufs() == pytest.approx(expected[1], abs=0.02)
    assert meter.max_short_term_lufs() == pytest.approx(expected[2], abs=0.02)


@settings(max_examples=30)
@given(st.integers(1, 40_000), st.integers(0, 2**32 - 1), st.floats(-60, 20))
def test_blocks_make_no_difference_and_a_gain_is_a_gain(block: int, seed: int, gain_db: float) -> None:
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal((2, 40_000)) * 10 ** rng.uniform(-2, 0, (2, 1))
    whole = measure(sound, block=40_000)
    assert measure(sound, block=block).integrated_lufs() == pytest.approx(whole.integrated_lufs(), abs=1e-9)
    louder = measure(sound * 10 ** (gain_db / 20))
    assert louder.integrated_lufs() == pytest.approx(whole.integrated_lufs(gain_db), abs=1e-4)
    assert louder.max_momentary_lufs() == pytest.approx(whole.max_momentary_lufs(gain_db), abs=1e-4)


def test_silence_and_moments_have_no_loudness() -> None:
    for sound in (np.zeros((2, RATE)), np.ones((2, int(0.39 * RATE))), np.zeros((2, 0)), 1e-5 * tones((0, 2))):
        assert measure(sound).integrated_lufs() is None
    assert measure(np.zeros((2, RATE))).max_momentary_lufs() is None
    assert measure(tones((-20, 2))).max_short_term_lufs() is None
    assert measure(tones((-20, 0.41))).integrated_lufs() is not None


def test_silence_after_sound_costs_no_more_time() -> None:
    meter = measure(tones((0, 1)))
    meter.add(np.zeros((2, 60 * RATE), np.float32))
    assert not meter._state.any()  # has not crept into numbers below the smallest normal ones


def test_weights() -> None:
    assert channel_weights(3) == (1.0, 1.0, 1.0)
    meter = LoudnessMeter(4, RATE, (1.0, 0.0, 0.0, 0.0))
    sound = tones((-23, 2), n_channels=4).astype(np.float32)
    meter.add(sound)
    assert meter.integrated_lufs() == pytest.approx(measure(sound[:1]).integrated_lufs())
    with pytest.raises(InvalidInput, match="3 weights for 4"):
        LoudnessMeter(4, RATE, (1.0, 1.0, 1.0))
