from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS, centres_hz
from foleyspace_host.generate.embedded.course import Course
from foleyspace_host.generate.embedded.course import packed as packed_course
from foleyspace_host.generate.embedded.engine import EmbeddedEngine
from foleyspace_host.generate.embedded.portrait import Portrait, packed
from foleyspace_host.generate.envelope import Envelope
from foleyspace_host.generate.request import GenerateRequest
from foleyspace_host.media.tape import Tape
from tests.stand_ins.foley_models import steady_onnx


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine("cpu", steady_onnx(tmp_path / "steady.onnx"))


def test_a_sound_has_the_length_that_was_asked_for_and_tells_how_it_was_made(engine: EmbeddedEngine) -> None:
    made = engine.generate(GenerateRequest("footsteps on gravel", 1.2345, seed=3))
    assert made.samples.shape == (1, round(1.2345 * 48_000))
    assert made.samples.dtype == np.float32
    assert np.isfinite(made.samples).all()
    assert np.abs(made.samples).max() > 0.01
    assert made.details["classes"] == {"footsteps-soft": 1.0}
    assert made.weights[0].name == "steady.onnx"
    assert len(made.weights[0].sha256) == 64
    again = engine.generate(GenerateRequest("footsteps on gravel", 1.2345, seed=3))
    other = engine.generate(GenerateRequest("footsteps on gravel", 1.2345, seed=4))
    assert made.samples.tobytes() == again.samples.tobytes()
    assert made.samples.tobytes() != other.samples.tobytes()


def test_a_loop_has_no_seam(engine: EmbeddedEngine) -> None:
    sound = engine.generate(GenerateRequest("rain", 2.0, seed=1, loop=True)).samples[0]
    twice = np.concatenate([sound, sound])
    step = np.abs(np.diff(twice))
    usual = np.percentile(step, 99.9)
    assert step[len(sound) - 1] < 2.0 * usual
    around = twice[len(sound) - 2400 : len(sound) + 2400]
    assert abs(20 * np.log10(np.std(around) / np.std(sound))) < 3.0


def test_it_can_be_cancelled_between_steps(engine: EmbeddedEngine) -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        engine.generate(GenerateRequest("wind", 3.0), on_progress=stop)
    assert told == [(1, 10), (2, 10), (3, 10)]


def test_it_tells_its_progress_to_the_end_and_can_be_cancelled_at_any_time(engine: EmbeddedEngine) -> None:
    told: list[tuple[int, int]] = []
    engine.generate(
        GenerateRequest("wind", 12.0, quality="draft"), on_progress=lambda done, total: told.append((done, total))
    )
    assert {total for _, total in told} == {2 * (4 + 2)}  # 12 s are two pieces
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    for last in range(0, len(told), 4):
        left = iter(range(last))

        def stop(_done: int, _total: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Cancelled("stop")

        with pytest.raises(Cancelled):
            engine.generate(GenerateRequest("wind", 12.0, quality="draft"), on_progress=stop)


def test_a_long_sound_is_the_same_from_the_disk(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    request = GenerateRequest("rain", 13.0, 3, loop=True, quality="draft")
    held = engine.generate(request).samples
    monkeypatch.setitem(Tape.__init__.__kwdefaults__, "held_samples", 0)
    assert engine.generate(request).samples.tobytes() == held.tobytes()


def test_words_that_mean_nothing_or_both_are_refused(engine: EmbeddedEngine) -> None:
    with pytest.raises(InvalidInput, match="nearest"):
        engine.generate(GenerateRequest("qwertzuiop", 1.0))
    with pytest.raises(InvalidInput, match="rain"):
        engine.generate(GenerateRequest("rain", 1.0, negative="heavy rain"))


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "another"},
        {"classes": "a,b"},
        {"reach_frames": ""},
        {"portraits": "[]"},
        {"portraits": "[1]"},
        {"courses": ""},
        {"courses": "[]"},
        {"courses": json.dumps([[["%"], []]] * len(NAMES))},
    ],
)
def test_other_models_are_refused(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ModelUnavailable, match="no foley model"):
        EmbeddedEngine("cpu", steady_onnx(tmp_path / "other.onnx", **facts))


def test_classes_that_a_model_never_learnt_are_refused(tmp_path: Path) -> None:
    about = {prop.key: prop.value for prop in onnx.load(steady_onnx(tmp_path / "all.onnx")).metadata_props}
    one = json.loads(about["portraits"])
    assert len(one) == len(NAMES)
    portraits = json.dumps([one[0]] + [["", ""]] * (len(one) - 1))
    courses = json.dumps([[[""], []]] + [[[], []]] * (len(one) - 1))
    few = EmbeddedEngine("cpu", steady_onnx(tmp_path / "few.onnx", portraits=portraits, courses=courses))
    assert few.generate(GenerateRequest(NAMES[0], 0.2)).samples.shape == (1, 9600)
    with pytest.raises(InvalidInput, match="never learnt"):
        few.generate(GenerateRequest(NAMES[1], 0.2))


BAND = 90  # of the one partial of what glides
FALL = Course((np.linspace(0.0, -1.0, 60, dtype=np.float32),))


@pytest.fixture
def gliding(tmp_path: Path) -> EmbeddedEngine:
    """Return an engine whose birds are one partial that falls by an octave, and whose other classes stand still."""
    loudest_db = (20.0 - 12.0 * np.minimum(np.abs(np.arange(N_BANDS) - BAND), 5)).astype(np.float32)
    flat = np.zeros(N_BANDS, dtype=np.float32)
    tone = b64encode(packed([Portrait(loudest_db, flat, flat + 1.0)])).decode()
    about = {prop.key: prop.value for prop in onnx.load(steady_onnx(tmp_path / "all.onnx")).metadata_props}
    portraits, courses = json.loads(about["portraits"]), json.loads(about["courses"])
    portraits[NAMES.index("birds")] = [tone, ""]
    courses[NAMES.index("birds")] = [[packed_course(FALL)], []]
    path = steady_onnx(tmp_path / "gliding.onnx", portraits=json.dumps(portraits), courses=json.dumps(courses))
    return EmbeddedEngine("cpu", path)


def pitches_hz(sound: np.ndarray, at_s: list[float]) -> np.ndarray:
    """Return where the spectrum around each time is highest."""
    found = []
    for t_s in at_s:
        part = sound[round(t_s * 48_000) - 512 :][:1024] * np.hanning(1024)
        power = np.abs(np.fft.rfft(part, 16_384))
        found.append(power.argmax() * 48_000 / 16_384)
    return np.array(found)


def test_what_glides_falls_at_every_event_of_the_curve(gliding: EmbeddedEngine) -> None:
    points = [(t + dt, db, dt == 0.0) for t in (0.2, 1.0) for dt, db in ((0.0, 0.0), (0.32, 0.0), (0.33, -90.0))]
    envelope = Envelope.of([(0.0, -90.0, False), (0.199, -90.0, False), *points[:3], (0.99, -90.0, False), *points[3:]])
    sound = gliding.generate(GenerateRequest("birds", 2.0, seed=2, envelope=envelope)).samples[0]
    assert sound.shape == (96_000,)
    for start_s in (0.2, 1.0):
        hz = pitches_hz(sound, [start_s + 0.03, start_s + 0.1, start_s + 0.17, start_s + 0.24, start_s + 0.3])
        assert (np.diff(hz) < 0.0).all()
        # an octave in the whole event, by no more than its depth may differ; the portrait is moved a little
        assert 0.8 / 1.25 < np.log2(hz[0] / hz[-1]) / (0.27 / 0.32) < 1.25
        assert abs(np.log2(hz[0] / centres_hz()[BAND])) < 0.35


def test_what_glides_and_what_stands_still_are_made_apart_and_added_up(gliding: EmbeddedEngine) -> None:
    told: list[tuple[int, int]] = []
    request = GenerateRequest("birds, rain", 3.0, seed=4, quality="draft")
    gliding.generate(request, on_progress=lambda *now: told.append(now))
    assert {total for _, total in told} == {2 * (4 + 2) + 1}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    top_hz = centres_hz()[BAND]

    def standing_out_db(sound: np.ndarray, middle: int) -> float:
        """How far the highest of the spectrum is above what is usual around it."""
        power = np.abs(np.fft.rfft(sound[middle - 1024 : middle + 1024] * np.hanning(2048))) ** 2
        part = power[round(0.4 * top_hz / 48_000 * 2048) : round(1.2 * top_hz / 48_000 * 2048)]
        return float(10.0 * np.log10(part.max() / np.median(part)))

    more = []
    for seed in range(6):
        birds, rain, both = (
            gliding.generate(GenerateRequest(prompt, 3.0, seed=seed, quality="draft")).samples[0]
            for prompt in ("birds", "rain", "birds, rain")
        )
        sung = int(np.convolve(birds**2, np.ones(1024), "same")[1024:-1024].argmax()) + 1024
        more.append(standing_out_db(both, sung) - standing_out_db(rain, sung))
        low = [np.abs(np.fft.rfft(sound))[600:2000].std() for sound in (both, rain)]  # 200 to 700 Hz
        assert 0.3 < low[0] / low[1] < 1.2
    assert np.mean(more) > 5.0


def test_a_long_glide_is_the_same_from_the_disk(gliding: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    request = GenerateRequest("birds, rain", 13.0, 3, loop=True, quality="draft")
    held = gliding.generate(request).samples
    monkeypatch.setitem(Tape.__init__.__kwdefaults__, "held_samples", 0)
    assert gliding.generate(request).samples.tobytes() == held.tobytes()
