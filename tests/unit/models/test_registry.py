from dataclasses import replace

import pytest

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.models import registry


@pytest.mark.parametrize("entry", registry.ENTRIES, ids=lambda entry: entry.name)
def test_shipped_files_are_what_the_registry_says(entry):
    registry.verify(entry.name)
    assert registry.find(entry.name).stat().st_size == entry.size_bytes
    assert entry.licence
    assert entry.origin


def test_the_detector_says_that_its_licence_is_unstated_upstream():
    assert "upstream licence: unstated" in registry.entry("centernet").licence


def test_the_notice_names_the_shipped_file_by_its_digest():
    entry = registry.entry("centernet")
    notice = (entry.path.parent / "NOTICE.txt").read_text(encoding="utf-8")
    assert entry.sha256 in notice
    assert "MIT License" in notice


def test_a_changed_file_is_noticed(tmp_path, monkeypatch):
    entry = registry.entry("centernet")
    whole = entry.path.read_bytes()
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    monkeypatch.setattr(registry, "ENTRIES", (replace(entry, file=str(copy)),))
    with pytest.raises(ModelUnavailable, match=r"damaged.*install the package again"):
        registry.verify("centernet")


def test_a_missing_file_is_one_clear_line(tmp_path, monkeypatch):
    gone = replace(registry.entry("centernet"), file=str(tmp_path / "gone.onnx"))
    monkeypatch.setattr(registry, "ENTRIES", (gone,))
    with pytest.raises(ModelUnavailable, match=r"gone\.onnx: the centernet model is missing"):
        registry.find("centernet")


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ModelUnavailable, match="centernet, yamnet, binaural-flow, foley, kemar"):
        registry.entry("yolo")


def test_a_users_file_takes_the_place_of_a_shipped_one(tmp_path):
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"x")
    assert registry.find("centernet", mine) == mine
    with pytest.raises(ModelUnavailable, match="no such model file"):
        registry.find("centernet", tmp_path / "none.onnx")
