"""The work of a stage: to the very path that was asked for, and not with inputs that have changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from foleyspace_host.batch.work import Request, run
from foleyspace_host.errors import Cancelled, Conflict
from foleyspace_host.jobs.model import Assignment, InputFile


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    """Return a rendering of a second of sound."""
    sound, walk, out = tmp_path / "dry.wav", tmp_path / "walk.csv", tmp_path / "new" / "folder" / "wet.wav"
    soundfile.write(sound, np.full(48_000, 0.1, np.float32), 48_000, subtype="FLOAT")
    walk.write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,0,2\n")
    request = Request(
        kind="render",
        inputs={"audio": str(sound), "keys": str(walk)},
        out=str(out),
        settings={"air": {"temperature_c": 10.0, "humidity_percent": 40.0}, "spread": 1.5},
    )
    files = []
    for name, path in (("audio", sound), ("keys", walk)):
        found = os.stat(path)
        files.append(InputFile(name, str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
    return Assignment(
        *("k", 1, msgspec.json.encode(request), tmp_path, tuple(files), out.parent, "wet"),
        *(tmp_path / "cache", 1 << 20, "cpu"),
    )


def quiet(*_: Any) -> None:
    pass


def test_the_result_is_where_it_was_asked_for_however_often(assignment: Assignment, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "wet.wav"
    outcome = run(assignment, quiet)
    (artifact,) = outcome.artifacts
    assert (artifact.path, artifact.n_bytes) == (str(out), out.stat().st_size)
    assert outcome.result["mtime_ns"] == out.stat().st_mtime_ns
    assert outcome.result["result"]["settings"]["spread"] == 1.5
    assert outcome.result["result"]["settings"]["air"]["temperature_c"] == 10.0
    before = out.read_bytes()
    (out.parent / ".wet.0123456789ab.part.wav").write_bytes(b"of an attempt that was killed")
    (out.parent / ".wet.txt").write_bytes(b"of somebody else")
    assert run(assignment, quiet).artifacts == outcome.artifacts
    assert out.read_bytes() == before
    assert sorted(path.name for path in out.parent.iterdir()) == [".wet.txt", "wet.wav"]


def test_an_input_that_was_changed_since(assignment: Assignment, tmp_path: Path) -> None:
    (tmp_path / "walk.csv").write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,0,0,2\n1,0,0,2\n")
    with pytest.raises(Conflict, match="changed or removed") as caught:
        run(assignment, quiet)
    assert caught.value.where == str(tmp_path / "walk.csv")
    assert not (tmp_path / "new").exists()


def test_an_input_that_changes_meanwhile(assignment: Assignment, tmp_path: Path) -> None:
    def change(*_: Any) -> None:
        (tmp_path / "dry.wav").touch()

    with pytest.raises(Conflict):
        run(assignment, change)


def test_a_cancel_leaves_nothing(assignment: Assignment, tmp_path: Path) -> None:
    def stop(stage: str, *_: Any) -> None:
        if stage == "render":
            raise Cancelled("by the user")

    with pytest.raises(Cancelled):
        run(assignment, stop)
    assert list((tmp_path / "new" / "folder").iterdir()) == []
