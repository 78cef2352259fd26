"""Models of the user's own: kept by copy, never written over, found again by name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from foleyspace_host.errors import InvalidInput, ModelUnavailable, OutputUnwritable
from foleyspace_host.models import keep
from foleyspace_host.models.beside import tokenizer_beside
from foleyspace_host.models.keep import add, remove
from foleyspace_host.models.slots import damage, installed, named_model, user_model


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(b"a model")
    return path


def test_nothing_is_there_at_first_and_nothing_is_made_by_asking(home: Path) -> None:
    assert installed() == ()
    assert user_model("depth") is None
    assert user_model("depth", "none") is None
    assert not home.exists()


def test_a_model_is_copied_with_its_name_digest_and_licence(home: Path, model: Path) -> None:
    added = add("depth", model, licence="Apache-2.0", kind="depth-anything-v2")
    model.unlink()
    assert installed() == (added,)
    assert (added.name, added.slot, added.licence, added.kind) == ("small", "depth", "Apache-2.0", "depth-anything-v2")
    assert added.path.is_relative_to(home)
    assert added.path.read_bytes() == b"a model"
    assert (added.sha256, added.size_bytes) == (hashlib.sha256(b"a model").hexdigest(), 7)
    assert damage(added) is None


def test_weights_and_words_come_along_under_their_names(tmp_path: Path, model: Path) -> None:
    model.with_name("small.onnx_data").write_bytes(b"weights")
    words = [tmp_path / "vocab.json", tmp_path / "merges.txt"]
    for path in words:
        path.write_text("{}")
    added = add("open-vocabulary", model, name="owl", tokenizer=words)
    assert added.path.name == "small.onnx"
    assert added.path.with_name("small.onnx_data").read_bytes() == b"weights"
    assert [path.name for path in added.tokenizer] == ["vocab.json", "merges.txt"]
    assert all(path.parent == added.path.parent for path in added.tokenizer)
    assert added.size_bytes == 7 + 7 + 2 + 2
    assert {path.name for path in added.files} == {"small.onnx", "small.onnx_data", "vocab.json", "merges.txt"}
    assert added.digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in added.files}
    assert added.sha256 == added.digests["small.onnx"]
    assert damage(added) is None
    added.path.with_name("small.onnx_data").write_bytes(b"weighty")
    assert "the sha256 of small.onnx_data is" in str(damage(added))
    assert "unstated" in added.licence


def test_nothing_is_written_over(model: Path) -> None:
    first = add("depth", model)
    model.write_bytes(b"another")
    for slot in ("depth", "open-vocabulary"):
        with pytest.raises(InvalidInput, match=r"small: there is a model of this name already; .*models remove small"):
            add(slot, model)  # type: ignore[arg-type]
    assert installed() == (first,)
    assert first.path.read_bytes() == b"a model"
    assert add("depth", model, name="small-2").path.read_bytes() == b"another"


def test_the_last_one_of_its_slot_is_used_if_none_is_named(model: Path) -> None:
    first, second = add("depth", model, name="b"), add("depth", model, name="a")
    words = add("open-vocabulary", model, name="c")
    assert user_model("depth") == second
    assert user_model("depth", "b") == first
    assert user_model("open-vocabulary") == words
    assert installed() == (words, second, first)
    assert installed("depth") == (second, first)
    with pytest.raises(ModelUnavailable, match=r"c: there is no depth model of this name.*name one of: a, b"):
        user_model("depth", "c")


def test_a_file_can_be_named_without_being_added(model: Path) -> None:
    found = user_model("depth", model)
    assert found is not None
    assert (found.name, found.path, found.kind) == ("small.onnx", model, "")
    assert found.sha256 == hashlib.sha256(b"a model").hexdigest()
    assert found.files == (model,)
    assert installed() == ()
    with pytest.raises(ModelUnavailable, match=r"none\.onnx: there is no depth model of this name and no such file"):
        user_model("depth", model.with_name("none.onnx"))


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up", "none", "ä", "x" * 41])
def test_names_that_cannot_be_folders_are_refused(model: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of a model"):
        add("depth", model, name=name)
    assert installed() == ()


def test_a_missing_file_adds_nothing(tmp_path: Path, model: Path, home: Path) -> None:
    for file, words in ((tmp_path / "no.onnx", []), (model, [tmp_path / "no.json"])):
        with pytest.raises(ModelUnavailable, match=r"no\.(onnx|json): there is no such model file"):
            add("open-vocabulary", file, tokenizer=words)
    assert not home.exists()


def test_a_model_is_removed_with_all_its_files(model: Path, home: Path) -> None:
    add("depth", model)
    assert remove("small").name == "small"
    assert installed() == ()
    assert list((home / "data" / "models").iterdir()) == []
    with pytest.raises(ModelUnavailable, match="small: no model of this name was added"):
        remove("small")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="a folder that cannot be written to is needed")
def test_a_folder_that_cannot_be_written_to_is_told(model: Path, home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(OutputUnwritable):
        add("depth", model)


def test_a_full_disk_leaves_nothing(model: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keep.shutil, "copyfile", full)
    with pytest.raises(OutputUnwritable, match="disk is full"):
        add("depth", model)
    assert installed() == ()
    assert list((home / "data" / "models").iterdir()) == []


def test_damage_is_told_and_a_broken_record_is_no_model(model: Path) -> None:
    added = add("depth", model)
    added.path.write_bytes(b"changed")
    assert "not " + added.sha256 in str(damage(added))
    added.path.unlink()
    assert "cannot be read" in str(damage(added))
    with pytest.raises(ModelUnavailable, match=r"small: the file of this model is gone.*models remove small"):
        user_model("depth")
    (added.path.parent / "model.json").write_text("{")
    assert installed() == ()
    assert user_model("depth") is None


def test_a_file_named_with_words_brings_its_weights_and_its_tokenizer(model: Path) -> None:
    for name in ("small.onnx_data", "small.onnx_data_1", "tokenizer.json"):
        model.with_name(name).write_text(name)
    words, depth = user_model("open-vocabulary", model), user_model("depth", model)
    assert words is not None
    assert depth is not None
    assert words.tokenizer == (model.with_name("tokenizer.json"),)
    assert [set(one.digests) for one in (words, depth)] == [
        {"small.onnx", "small.onnx_data", "small.onnx_data_1", "tokenizer.json"},
        {"small.onnx", "small.onnx_data", "small.onnx_data_1"},
    ]


def test_who_may_name_no_files_names_what_was_added(model: Path) -> None:
    with pytest.raises(
        ModelUnavailable, match=r"here: no depth model 'small' was added; add it: foleyspace models add"
    ):
        named_model("depth", "small", "here")
    add("depth", model)
    assert named_model("depth", "small", "here") == "small"
    assert named_model("depth", "none", "here") == "none"
    for slot, name in (("depth", str(model)), ("depth", "small.onnx"), ("open-vocabulary", "small")):
        with pytest.raises(ModelUnavailable, match="was added"):
            named_model(slot, name, "here")  # type: ignore[arg-type]


def test_files_for_words_are_found_beside_the_model_or_one_folder_above(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    model = tmp_path / "onnx" / "model.onnx"
    assert tokenizer_beside(model) == ()
    (tmp_path / "merges.txt").touch()
    assert tokenizer_beside(model) == ()
    (tmp_path / "vocab.json").touch()
    assert [path.name for path in tokenizer_beside(model)] == ["vocab.json", "merges.txt"]
    (tmp_path / "onnx" / "vocab.txt").touch()
    assert [path.name for path in tokenizer_beside(model)] == ["vocab.txt"]
    (tmp_path / "onnx" / "tokenizer.json").touch()
    assert [path.name for path in tokenizer_beside(model)] == ["tokenizer.json"]
