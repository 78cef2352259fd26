"""``foleyspace models add``, ``list``, ``remove`` and ``check`` with models of the user's."""

from __future__ import annotations

import hashlib
import json
import re
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
    assert out.startswith(
        f"da2  depth, {path.stat().st_size} B, depth-anything-v2, added by you,"
        " used unless another is named\n"
        "  licence  Apache-2.0\n"
    )
    assert run(capsys, "models") == run(capsys, "models", "list")
    assert run(capsys, "models", "--json") == run(capsys, "models", "list", "--json")
    told = json.loads(run(capsys, "models", "list", "--json")[1])
    assert [model["name"] for model in told["models"]] == [entry.name for entry in ENTRIES]
    (added,) = told["added"]
    assert (added["name"], added["kind"], added["licence"]) == ("da2", "depth-anything-v2", "Apache-2.0")
    assert out in run(capsys, "models", "list")[1]
    code, out, _ = run(capsys, "models", "check", "da2")
    assert code == 0
    assert re.fullmatch(r"da2  whole, answers in \d+\.\d\d s on the cpu\n", out)
    Path(added["path"]).write_bytes(b"x")
    code, out, err = run(capsys, "models", "check")
    assert code == 1
    assert out.endswith("kemar  whole\nda2  cannot be used\n")
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
    assert (added["kind"], added["licence"]) == ("grounding-dino", "Apache-2.0 (stated)")
    (words,) = added["tokenizer"]
    assert Path(words).parent == Path(added["path"]).parent


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["depth", "notes.txt"], "not a model that ONNX Runtime can run"),
        (["depth", "gone.onnx"], "no such model file"),
        (
            ["depth", "words.onnx"],
            "not a depth model: it takes pixel_values [batch, 3, height, width], input_ids [batch, length],"
            " attention_mask [batch, length] and gives logits [1, 3, 1], pred_boxes [1, 3, 4];"
            " give a whole model in one ONNX file that takes pictures alone, [1, 3, height, width]",
        ),
        (
            ["depth", "open.onnx"],
            "it is open which kind of depth model this is: it takes x [1, 3, 280, 280] and gives y [1, 1, 280, 280];"
            " say which it is with --depth-kind: depth-anything-v2, ",
        ),
        (
            ["depth", "depth.onnx", "--depth-kind", "video-depth-anything"],
            "no video-depth-anything model: it takes pixel_values [batch, 3, height, width] and gives predicted_depth",
        ),
        (["depth", "depth.onnx", "--depth-kind", "midas"], "use one of: depth-anything-v2"),
        (["depth", "depth.onnx", "--tokenizer", "tokenizer.json"], "--tokenizer: is for open-vocabulary models"),
        (["depth", "depth.onnx", "--name", "centernet"], "a model that ships has this name"),
        (
            ["open-vocabulary", "depth.onnx"],
            "neither an OWLv2 nor a Grounding DINO model: it takes pixel_values [batch, 3, height, width] and gives"
            " predicted_depth [batch, height, width]; give a whole model that takes pixel_values, input_ids",
        ),
        (["open-vocabulary", "words.onnx", "--depth-kind", "owl"], "--depth-kind: is for depth models"),
        (
            ["open-vocabulary", "words.onnx", "--tokenizer", "dino.json"],
            "dino.json: these files turn words into BERT's word pieces, and the model takes CLIP's byte pairs",
        ),
        (["open-vocabulary", "words.onnx"], "the files that turn words into numbers are missing"),
    ],
)
def test_what_cannot_be_used_is_not_added(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    depth_onnx(Path("depth.onnx"))
    depth_onnx(Path("open.onnx"), image=("x", [1, 3, 280, 280]), depth=("y", [1, 1, 280, 280]))
    vocabulary_onnx(Path("words.onnx"), logits=np.zeros((3, 1)), dino=False)
    tokenizer_json(Path("dino.json"), dino=True)
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


def test_a_file_that_every_hub_calls_model_is_called_by_its_kind(capsys: Any, tmp_path: Path) -> None:
    one = depth_onnx(tmp_path / "model_fp16.onnx")
    two = vocabulary_onnx(tmp_path / "model.onnx", logits=np.zeros((3, 1)), dino=False)
    words = tokenizer_json(tmp_path / "words.json", dino=False)
    assert run(capsys, "models", "add", "depth", one)[1].startswith("depth-anything-v2  depth, ")
    out = run(capsys, "models", "add", "open-vocabulary", two, "--tokenizer", words)[1]
    assert out.startswith("owlv2  open-vocabulary, ")
    assert "\n  words.json " in out
    names = [model["name"] for model in json.loads(run(capsys, "models", "list", "--json")[1])["added"]]
    assert names == ["owlv2", "depth-anything-v2"]
    told = json.loads(run(capsys, "models", "check", *names, "--json")[1])["models"]
    assert [(one["name"], one["whole"], one["device"]) for one in told] == [(name, True, "cpu") for name in names]
    # the second of a slot is used from then on
    run(capsys, "models", "add", "depth", one, "--name", "again")
    listed = run(capsys, "models", "list")[1]
    assert re.findall(r"(\S+)  depth, .*, used unless another is named", listed) == ["again"]


def test_a_model_that_does_not_answer_with_a_map_of_depth_is_told(capsys: Any, tmp_path: Path) -> None:
    path = depth_onnx(tmp_path / "row.onnx", depth=("predicted_depth", ["batch", "height", "width"]), flat=True)
    assert run(capsys, "models", "add", "depth", path)[0] == 0  # its inputs and outputs say nothing against it
    code, out, err = run(capsys, "models", "check", "row")
    assert (code, out) == (1, "row  cannot be used\n")
    assert "no map of depth" in err


def test_doctor_knows_added_models(capsys: Any, tmp_path: Path) -> None:
    from foleyspace_host.doctor.installation import check_models
    from foleyspace_host.models.slots import installed

    path = depth_onnx(tmp_path / "da2.onnx")
    run(capsys, "models", "add", "depth", path)
    run(capsys, "models", "add", "depth", path, "--name", "other")
    assert [verdict.level for verdict in check_models("default")] == ["green", "green"]
    assert list(check_models("default"))[1].text == "added by you: other (depth), da2 (depth)"
    installed()[0].path.write_bytes(b"x")
    red, green = list(check_models("default"))[1:]
    assert (red.level, green.text) == ("red", "added by you: da2 (depth)")
    assert "other, which you added, is damaged" in red.text
    assert "models remove other" in str(red.cure)


def test_a_model_whose_weights_lie_beside_it_works_as_long_as_they_do(capsys: Any, tmp_path: Path) -> None:
    path = depth_onnx(tmp_path / "da3.onnx")
    model = onnx.load(path)
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == "weights")
    onnx.external_data_helper.set_external_data(weights, "da3.onnx_data")
    onnx.save(model, path)
    beside = tmp_path / "da3.onnx_data"
    code, out, _ = run(capsys, "models", "add", "depth", path)
    assert code == 0
    assert f"\n  da3.onnx_data {hashlib.sha256(beside.read_bytes()).hexdigest()}\n" in out
    added = Path(json.loads(run(capsys, "models", "list", "--json")[1])["added"][0]["path"])
    beside.unlink()
    assert run(capsys, "models", "check", "da3")[0] == 0
    code, out, err = run(capsys, "models", "add", "depth", path, "--name", "alone")
    assert (code, out) == (1, "")
    assert "weights beside it" in err
    with added.with_name("da3.onnx_data").open("ab") as file:
        file.write(b"x")
    assert "the sha256 of da3.onnx_data is" in run(capsys, "models", "check", "da3")[2]
    added.with_name("da3.onnx_data").unlink()
    assert "da3.onnx_data cannot be read" in run(capsys, "models", "check", "da3")[2]
