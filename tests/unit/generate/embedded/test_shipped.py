"""The model that ships: what it makes sounds like the class in ways that an ear would notice, and is no copy."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import analysed, centres_hz
from foleyspace_host.generate.embedded.engine import EmbeddedEngine
from foleyspace_host.generate.embedded.partials import partial_shares
from foleyspace_host.generate.envelope import frame_levels_db
from foleyspace_host.generate.impose import measured_db
from foleyspace_host.generate.request import GenerateRequest
from foleyspace_host.models.registry import entry


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    return EmbeddedEngine("cpu")


def made(engine: EmbeddedEngine, prompt: str, seed: int = 1, **given: object) -> np.ndarray:
    return engine.generate(GenerateRequest(prompt, 3.0, seed=seed, quality="draft", **given)).samples[0]  # type: ignore[arg-type]


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((np.fft.rfftfreq(len(sound), 1 / 48_000) * power).sum() / power.sum())


def flatness_db(sound: np.ndarray) -> float:
    """Geometric over arithmetic mean of the power between 100 Hz and 8 kHz: 0 for white noise, low for tones."""
    level_db, bands_db = analysed(sound)
    heard = bands_db[:, level_db > level_db.max() - 30.0][(centres_hz() > 100.0) & (centres_hz() < 8000.0)]
    return float((heard.mean(axis=0) - 10.0 * np.log10((10.0 ** (heard / 10.0)).mean(axis=0))).mean())


def test_it_is_small_and_free(engine: EmbeddedEngine) -> None:
    assert entry("foley").size_bytes < 12_000_000
    assert "Apache-2.0" in entry("foley").licence
    made = engine.generate(GenerateRequest("rain", 0.5))
    assert [(one.name, one.sha256) for one in made.weights] == [("foley", entry("foley").sha256)]


@pytest.mark.parametrize("name", NAMES)
def test_every_class_gives_a_sound_that_follows_its_curve(engine: EmbeddedEngine, name: str) -> None:
    request = GenerateRequest(name, 3.0, seed=2, quality="draft")
    sound = engine.generate(request).samples[0]
    assert np.isfinite(sound).all()
    wanted, got = frame_levels_db(request.shaped(), -(-len(sound) // 256)), measured_db(sound)
    counts = wanted > wanted.max() - 40.0
    assert np.corrcoef(wanted[counts], got[counts])[0, 1] > 0.9 or wanted[counts].std() < 1.0
    assert np.median(np.abs(wanted - got)[counts]) < 1.5


def test_what_rings_has_partials_and_what_hisses_has_none(engine: EmbeddedEngine) -> None:
    ringing = np.mean([flatness_db(made(engine, "church bell", seed)) for seed in range(4)])
    hissing = np.mean([flatness_db(made(engine, "rain", seed)) for seed in range(4)])
    assert hissing > -8.0
    assert ringing < hissing - 6.0
    partial = [partial_shares(analysed(made(engine, prompt))[1]).mean() for prompt in ("church bell", "rain")]
    assert partial[0] > 10.0 * partial[1]


def test_birds_sing_and_every_call_has_a_course_of_its_own(engine: EmbeddedEngine) -> None:
    """Most seeds draw songs (some draw crows): clear tones, whose pitch moves within calls and from one to the next."""
    moved = []
    for seed in range(8):
        sound = made(engine, "birds", seed)
        framed = np.lib.stride_tricks.sliding_window_view(sound, 1024)[::256] * np.hanning(1024)
        power = np.abs(np.fft.rfft(framed, axis=1))[:, 22:] ** 2  # above 1 kHz
        loud = power.sum(axis=1) > 0.03 * power.sum(axis=1).max()
        sharp = power[loud].max(axis=1) / power[loud].sum(axis=1)
        pitch = np.log2(22 + power[loud].argmax(axis=1))[sharp > 0.2]
        if len(pitch) > 0.5 * loud.sum():
            moved.append(float(np.percentile(pitch, 90) - np.percentile(pitch, 10)))
    assert len(moved) >= 4
    assert np.median(moved) > 0.3  # octaves


def test_thunder_is_dark_and_breaking_glass_is_bright(engine: EmbeddedEngine) -> None:
    dark, bright = (
        np.median([centroid_hz(made(engine, prompt, seed)) for seed in range(5)]) for prompt in ("thunder", "glass")
    )
    assert dark < 1500.0
    assert bright > 3.0 * dark


def test_seeds_differ_and_what_is_unwanted_changes_the_sound(engine: EmbeddedEngine) -> None:
    one, other = made(engine, "wind", 1), made(engine, "wind", 2)
    across = np.fft.irfft(np.fft.rfft(one, 2 * len(one)) * np.conj(np.fft.rfft(other, 2 * len(one))))
    assert np.abs(across).max() / np.sqrt((one**2).sum() * (other**2).sum()) < 0.3
    assert made(engine, "wind", 1, negative="whistle").tobytes() != one.tobytes()
