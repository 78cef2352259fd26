from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import RECORDED
from foleyspace_host.generate.embedded.engine import EmbeddedEngine, pictured
from foleyspace_host.generate.embedded.model import open_foley_model
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
    "facts", [{"kind": "another"}, {"classes": "a,b"}, {"reach_frames": ""}, {"portraits": "[]"}, {"portraits": "[1]"}]
)
def test_other_models_are_refused(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ModelUnavailable, match="no foley model"):
        EmbeddedEngine("cpu", steady_onnx(tmp_path / "other.onnx", **facts))


def test_classes_that_a_model_never_learnt_are_refused(tmp_path: Path) -> None:
    one = json.loads(onnx.load(steady_onnx(tmp_path / "all.onnx")).metadata_props[-1].value)
    assert len(one) == len(NAMES)
    few = EmbeddedEngine(
        "cpu", steady_onnx(tmp_path / "few.onnx", portraits=json.dumps([one[0]] + [["", ""]] * (len(one) - 1)))
    )
    assert few.generate(GenerateRequest(NAMES[0], 0.2)).samples.shape == (1, 9600)
    with pytest.raises(InvalidInput, match="never learnt"):
        few.generate(GenerateRequest(NAMES[1], 0.2))


def test_the_portrait_of_several_classes_is_shared(tmp_path: Path) -> None:
    model, _ = open_foley_model(steady_onnx(tmp_path / "steady.onnx"), "cpu")
    portrait, likeness = pictured(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(0))
    assert portrait.loudest_db.shape == (N_BANDS,)
    assert likeness[[NAMES.index("rain"), NAMES.index("wind"), RECORDED]].tolist() == [0.25, 0.75, 1.0]
    again, _ = pictured(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(0))
    other, _ = pictured(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(1))
    assert (portrait.loudest_db == again.loudest_db).all()
    assert (portrait.loudest_db != other.loudest_db).any()
