"""``foleyspace models add``, ``list``, ``remove`` and ``verify`` with models of the user's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tiny_models import depth_onnx, tokenizer_json, vocabulary_onnx

from foleyspace_host.cli import main
from foleyspace_host.models.registry import ENTRIES


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(capsys: Any, *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_a_depth_model_is_added_listed_verified_and_removed(capsys: Any, tmp_path: Path) -> None:
    path = depth_onnx(tmp_path / "da2.onnx")
    code, out, err = run(capsys, "models", "add", "depth", path, "--licence", "Apache-2.0")
    assert (code, err) == (0, "")
    assert out.startswith("da2  depth, 0.0 MB, depth-anything-v2, added by you\n  licence  Apache-2.0\n")
    told = json.loads(run(capsys, "models", "list", "--json")[1])
    assert [model["name"] for model in told["models"]] == [entry.name for entry in ENTRIES]
    (added,) = told["added"]
    assert (added["name"], added["kind"], added["licence"]) == ("da2", "depth-anything-v2", "Apache-2.0")
    assert out in run(capsys, "models", "list")[1]
    assert run(capsys, "models", "verify", "da2")[:2] == (0, "da2  whole\n")
    Path(added["path"]).write_bytes(b"x")
    code, out, err = run(capsys, "models", "verify")
    assert code == 1
    assert out.endswith("kemar  whole\nda2  damaged\n")
    assert "models remove da2" in err
    assert run(capsys, "models", "remove", "da2")[:2] == (0, "da2  removed\n")
    assert json.loads(run(capsys, "models", "list", "--json")[1])["added"] == []


def test_words_beside_the_model_are_added_with_it_and_the_licence_is_read(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    path = vocabulary_onnx(tmp_path / "onnx" / "model.onnx", logits=np.zeros((3, 256)), dino=True)
    stated = onnx.load(path)
    stated.metadata_props.add(key="License", value="Apache-2.0 (stated)")
    path.write_bytes(stated.SerializeToString())
    tokenizer_json(tmp_path / "tokenizer.json", dino=True)
    code, out, _ = run(capsys, "models", "add", "open-vocabulary", path, "--name", "dino", "--json")
    assert code == 0
    added = json.loads(out)["added"]
    assert (added["kind"], added["licence"]) == ("groundingdino", "Apache-2.0 (stated)")
    (words,) = added["tokenizer"]
    assert Path(words).parent == Path(added["path"]).parent


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["depth", "notes.txt"], "not a model that ONNX Runtime can run"),
        (["depth", "gone.onnx"], "no such model file"),
        (["depth", "words.onnx"], "not a depth model of a kind that is recognised"),
        (["depth", "depth.onnx", "--kind", "midas"], "use one of: depth-anything-v2"),
        (["depth", "depth.onnx", "--tokenizer", "tokenizer.json"], "--tokenizer: is for open-vocabulary models"),
        (["depth", "depth.onnx", "--name", "centernet"], "a model that ships has this name"),
        (["open-vocabulary", "depth.onnx"], "neither an OWLv2 nor a Grounding DINO"),
        (["open-vocabulary", "words.onnx", "--kind", "owl"], "--kind: is for depth models"),
        (["open-vocabulary", "words.onnx"], "the files that turn words into numbers are missing"),
    ],
)
def test_what_cannot_be_used_is_not_added(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    depth_onnx(Path("depth.onnx"))
    vocabulary_onnx(Path("words.onnx"), logits=np.zeros((3, 1)), dino=False)
    Path("notes.txt").write_text("notes")
    code, out, err = run(capsys, "models", "add", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
    assert not home.exists()


def test_an_unknown_name_is_not_removed(capsys: Any) -> None:
    code, out, err = run(capsys, "models", "remove", "da2")
    assert (code, out) == (1, "")
    assert "no model of this name was added" in err
