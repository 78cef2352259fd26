from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate import fingerprint as module
from foleyspace_host.generate.fingerprint import fingerprint
from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.setup import library_path, write_setup


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))


def test_engines_differ_and_stay_the_same() -> None:
    names = ("foley", "library", "stable-audio", "mmaudio")
    first = [fingerprint(name) for name in names]
    assert len(set(first)) == 4
    assert [fingerprint(name) for name in names] == first
    with pytest.raises(InvalidInput, match="orchestra"):
        fingerprint("orchestra")


def test_it_changes_with_the_recordings(tmp_path: Path) -> None:
    empty = fingerprint("library")
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "rain.wav", np.full(48_000, 0.1), 48_000)
    with open_index(library_path()) as index:
        add_folder(index, tmp_path / "sounds")
    assert fingerprint("library") != empty


def test_it_changes_with_the_setup_but_not_with_its_terms(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    write_setup("stable-audio", weights=str(tmp_path))
    first = fingerprint("stable-audio")
    write_setup("stable-audio", accepted="terms", accepted_on="2026-01-01")
    assert fingerprint("stable-audio") == first
    (tmp_path / "model_index.json").write_text('{"other": 1}')
    assert fingerprint("stable-audio") != first


def test_it_changes_with_a_shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name, sha256 = "foley", "0" * 64

    monkeypatch.setattr(module, "ENTRIES", (Entry(),))
    first = fingerprint("foley")
    monkeypatch.setattr(module, "ENTRIES", ())
    assert fingerprint("foley") != first
