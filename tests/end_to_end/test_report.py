"""``--report`` and ``--keys`` from the command line: what is refused, and that nothing is left then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.geometry.trajectory_file import read_trajectory


@pytest.fixture
def clip(write_clip: Any, noise: Any, tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", seconds=1.0, sound=noise(1, 1.0))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_page_beside_the_trajectory(clip: Path, tmp_path: Path, here: Any) -> None:
    done = here("localize", clip, "-o", tmp_path / "t.json", "--report", tmp_path / "r.html", "--json")
    assert done.code == 0
    assert done.json["report"] == str(tmp_path / "r.html")
    assert "report" in done.json["times_s"]
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert names(tmp_path) == ["clip.mp4", "r.html", "t.json"]


def test_edited_keys_are_in_the_new_trajectory(clip: Path, tmp_path: Path, here: Any) -> None:
    own = {"t_s": 0.5, "azimuth_deg": 77.0, "elevation_deg": 5.0, "distance_m": 3.0, "origin": "edited"}
    edited = {"schema": "foleyspace.trajectory/1", "duration_s": 1.0, "sources": [{"id": "mine", "keys": [own]}]}
    (tmp_path / "edited.json").write_text(json.dumps(edited), encoding="utf-8")
    assert here("localize", clip, "-o", tmp_path / "t.json", "--keys", tmp_path / "edited.json").code == 0
    found = read_trajectory(tmp_path / "t.json")
    assert [(key.t_s, key.azimuth_deg) for key in found.source("mine").keys] == [(0.5, 77.0)]
    assert [source.id for source in found.selected] == ["mine"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "clip.mp4"], "would replace the input"),
        (["--report", "t.json"], "would replace another output"),
        (["--report", "r.html", "--report-embed", "-1"], "0 to 1000"),
        (["--report", "none/r.html"], "there is no folder"),
        (["--keys", "none.json"], "cannot be read"),
        (["--keys", "t.json"], "would replace the input"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    clip: Path, tmp_path: Path, here: Any, words: list[str], message: str
) -> None:
    done = here("localize", "clip.mp4", "-o", "t.json", *words)
    assert done.code == 1
    assert message in done.err
    assert names(tmp_path) == ["clip.mp4"]
