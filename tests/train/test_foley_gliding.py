"""Sounds whose pitch moves along known courses are parted rightly, and what stands still is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.varispeed import STEP
from training.foley.data.bank import Bank, portraits
from training.foley.data.gliding import parted

RATE_HZ = 48_000
N_SAMPLES = 2 * RATE_HZ
T_S = np.arange(N_SAMPLES) / RATE_HZ


def voice(octaves: np.ndarray, pitch_hz: float, partials: tuple[float, ...], noise: float = 0.01) -> np.ndarray:
    phase = 2.0 * np.pi * pitch_hz * np.cumsum(2.0**octaves) / RATE_HZ
    sound = sum(np.sin(ratio * phase) / number for number, ratio in enumerate(partials, 1))
    made = 0.2 * sound + noise * np.random.default_rng(0).standard_normal(len(octaves))
    return np.asarray(made, dtype=np.float32)


COURSES = {
    "siren": 0.5 * np.sin(2.0 * np.pi * 0.8 * T_S),
    "fall": -0.7 * T_S,
    "trill": 0.1 * np.sin(2.0 * np.pi * 15.0 * T_S),
}


@pytest.mark.parametrize("partials", [(1.0,), (1.0, 2.0, 3.0), (1.0, 2.76, 5.4)], ids=["pure", "harmonic", "bell"])
@pytest.mark.parametrize("name", COURSES)
def test_a_known_course_is_found_and_taken_out(name: str, partials: tuple[float, ...]) -> None:
    octaves = COURSES[name]
    found = parted(voice(octaves, 1800.0, partials))
    assert found is not None
    (call,) = found.course.calls
    wanted = octaves[::STEP][: len(call)]
    error = (call - call.mean()) - (wanted - wanted.mean())
    inner = slice(8, -8)
    assert np.abs(error[inner]).max() < 0.06
    assert error[inner].std() < 0.02
    assert call.max() <= 0.0
    # held at its highest: one pitch from the beginning to the end
    power = np.abs(np.fft.rfft(found.steady * np.hanning(len(found.steady)))) ** 2
    hz = np.fft.rfftfreq(len(found.steady), 1 / RATE_HZ)
    top_hz = 1800.0 * 2.0 ** octaves.max()
    near = np.abs(np.log2(np.maximum(hz, 1.0) / top_hz)) < 0.08
    around = np.abs(np.log2(np.maximum(hz, 1.0) / top_hz)) < 0.4
    assert power[near].sum() > 0.9 * power[around].sum()


def test_calls_are_parted_by_silence() -> None:
    octaves = np.tile(np.linspace(0.3, -0.3, RATE_HZ // 4), 8)
    gate = np.repeat([1.0, 0.0] * 4, RATE_HZ // 4)
    found = parted((voice(octaves, 3000.0, (1.0,), 0.0) * gate).astype(np.float32))
    assert found is not None
    assert len(found.course.calls) == 4
    for call in found.course.calls:
        assert call[2] - call[-3] == pytest.approx(0.6, abs=0.1)


def test_what_stands_still_or_hisses_is_left_alone() -> None:
    noise = np.random.default_rng(1).standard_normal(N_SAMPLES).astype(np.float32)
    assert parted(noise) is None
    assert parted(np.cumsum(noise).astype(np.float32)) is None
    assert parted(np.zeros(N_SAMPLES, dtype=np.float32)) is None
    assert parted(np.zeros(10, dtype=np.float32)) is None
    still = np.zeros(N_SAMPLES)
    assert parted(voice(still, 440.0, (1.0, 2.0, 3.0))) is None
    assert parted((voice(still, 900.0, (1.0, 2.76, 5.4)) * np.exp(-3.0 * T_S)).astype(np.float32)) is None
    beats = voice(still, 800.0, (1.0, 1.02, 2.0)) * (T_S % 0.5 < 0.3)
    assert parted(beats.astype(np.float32)) is None


def test_a_bank_tells_what_glides() -> None:
    sounds: list[list[np.ndarray]] = [[] for _ in NAMES]
    sounds[0] = [voice(COURSES["siren"], 1500.0, (1.0, 2.0)), voice(0.0 * T_S, 1500.0, (1.0, 2.0))]
    (recorded, invented), *rest = portraits(Bank(sounds, [[] for _ in NAMES]))
    assert [one.course is None for one in recorded] == [False, True]
    assert invented == []
    assert rest == [([], [])] * (len(NAMES) - 1)
    # the pitch is held, so both are as sharp
    spread = [float(np.sort(one.portrait.loudest_db)[-1] - np.median(one.portrait.loudest_db)) for one in recorded]
    assert spread[0] > spread[1] - 6.0
