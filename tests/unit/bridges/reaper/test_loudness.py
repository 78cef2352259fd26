"""Loudness between REAPER's envelopes and the host's."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from foleyspace_host.bridges.reaper.loudness import points_of, write_points
from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.envelope import read_envelope, rows_of
from foleyspace_host.generate.gestures import default_envelope


def test_a_gesture_comes_back_as_it_was(tmp_path: Path) -> None:
    before = default_envelope(["hooves"], 3.0, 1)
    path = tmp_path / "e.csv"
    path.write_text("".join(rows_of(before)))
    points = points_of(path)
    assert all(second[0] - first[0] >= 0.99e-4 for first, second in pairwise(points))
    after = read_envelope(write_points([(t_s, level_db) for t_s, level_db in points], tmp_path / "again.csv"))
    assert after.onsets_s == pytest.approx(before.onsets_s, abs=1e-3)
    assert after.level_db == pytest.approx(before.level_db, abs=0.01)
    assert after.t_s == pytest.approx(before.t_s, abs=1e-3)


def test_a_jump_is_a_steep_line(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("t_s,level_db\n0,-inf\n1,-100\n1,0\n")
    assert points_of(path) == [[0.0, -100.0], [1.0, -100.0], [pytest.approx(1.0001), 0.0]]


def test_what_is_no_envelope_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("hello\n")
    with pytest.raises(InvalidInput):
        points_of(path)
