from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable
from foleyspace_host.generate.embedded.engine import EmbeddedEngine
from foleyspace_host.generate.request import GenerateRequest
from tests.stand_ins.foley_models import louder_onnx


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine("cpu", louder_onnx(tmp_path / "louder.onnx"))


def test_a_sound_has_the_length_that_was_asked_for_and_tells_how_it_was_made(engine: EmbeddedEngine) -> None:
    made = engine.generate(GenerateRequest("footsteps on gravel", 1.2345, seed=3))
    assert made.samples.shape == (1, round(1.2345 * 48_000))
    assert made.samples.dtype == np.float32
    assert np.isfinite(made.samples).all()
    assert np.abs(made.samples).max() > 0.01
    assert made.details["classes"] == {"footsteps-soft": 1.0}
    assert made.weights[0].name == "louder.onnx"
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
    assert told == [(1, 8), (2, 8), (3, 8)]


def test_words_that_mean_nothing_or_both_are_refused(engine: EmbeddedEngine) -> None:
    with pytest.raises(InvalidInput, match="nearest"):
        engine.generate(GenerateRequest("qwertzuiop", 1.0))
    with pytest.raises(InvalidInput, match="rain"):
        engine.generate(GenerateRequest("rain", 1.0, negative="heavy rain"))


@pytest.mark.parametrize(
    "facts", [{"kind": "another"}, {"classes": "a,b"}, {"mean_db": "[[1]]"}, {"memory_frames": ""}]
)
def test_other_models_are_refused(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ModelUnavailable, match="no foley model"):
        EmbeddedEngine("cpu", louder_onnx(tmp_path / "other.onnx", **facts))
