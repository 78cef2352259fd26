from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.diffusion.condition import N_CONDITION, N_LISTENER
from foleyspace_host.diffusion.listener import SCHEMA, Listener, listener_of, read_listener
from foleyspace_host.diffusion.model import open_flow_model
from foleyspace_host.errors import InvalidInput, ModelUnavailable
from tests.stand_ins.flow_models import share_of_prior_onnx


def test_a_model_is_asked_and_tells_of_itself(tmp_path: Path) -> None:
    model = open_flow_model(share_of_prior_onnx(tmp_path / "m.onnx"))
    assert (model.memory, model.look_ahead, model.rt60_range_s) == (4, 1, (0.15, 0.6))
    maps = np.random.default_rng(0).standard_normal((1, 11, 512, 7)).astype(np.float32)
    found = model.residual(maps, np.zeros((1, 7, N_CONDITION), dtype=np.float32), 0.5)
    np.testing.assert_allclose(found, 0.25 * maps[0, 4:8], rtol=1e-6)


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "something else"},
        {"kind": ""},
        {"memory_frames": "many"},
        {"memory_frames": "0"},
        {"rt60_range_s": "1"},
    ],
)
def test_other_models_are_refused(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ModelUnavailable, match="no binaural flow model"):
        open_flow_model(share_of_prior_onnx(tmp_path / "m.onnx", **facts))


def test_answers_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = open_flow_model(share_of_prior_onnx(tmp_path / "m.onnx", float("nan")))
    with pytest.raises(ModelUnavailable, match="not finite"):
        model.residual(np.ones((1, 11, 512, 2), np.float32), np.zeros((1, 2, N_CONDITION), np.float32), 0.0)


def test_a_listener_survives_its_file(tmp_path: Path) -> None:
    listener = Listener(tuple(float(k) / 7 for k in range(N_LISTENER)), sparse=False, name="Ada")
    (tmp_path / "ada.json").write_text(listener.to_json(), encoding="utf-8")
    assert read_listener(tmp_path / "ada.json") == listener == listener_of(str(tmp_path / "ada.json"))
    assert listener_of(None) is None
    assert listener_of(listener) is listener


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"schema": "other", "code": [0] * 16}),
        json.dumps({"schema": SCHEMA, "code": [0] * 15}),
        json.dumps({"schema": SCHEMA, "code": ["x"] * 16}),
        json.dumps({"schema": SCHEMA, "code": [float("nan")] * 16}),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "code.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="code"):
        read_listener(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_listener(tmp_path / "gone.json")
