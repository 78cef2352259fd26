"""Where something begins in curves that do not say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.envelope import read_envelope
from foleyspace_host.generate.gestures import default_envelope
from foleyspace_host.generate.onsets import rises


def at(*points: tuple[float, float]) -> list[float]:
    t_s, level_db = np.array(points, dtype=np.float64).T
    return [float(t) for t in t_s[rises(t_s, level_db)]]


@pytest.mark.parametrize("name", NAMES)
def test_of_every_gesture_exactly_the_onsets_are_found(name: str) -> None:
    for seed in range(3):
        curve = default_envelope([name], 6.0, seed)
        assert rises(curve.t_s, curve.level_db).tolist() == curve.onset.tolist()


def test_what_is_drawn_by_hand() -> None:
    assert at((0, 0.0)) == at((0, 0.0), (9, 0.0)) == at((0, 0.0), (0.01, -60.0)) == []
    assert at((0, -100), (0.5, -100), (0.54, 0), (0.9, -60), (1.0, -60), (1.06, -3), (2, -100)) == [0.5, 1.0]
    assert at((0.3, -40), (0.3, 0)) == [0.3], "a jump"
    assert at((0, -12), (0.1, -2.1)) == []
    assert at((0, -12), (0.1, -2.0)) == [0.0]
    assert at((0, -50), (1.0, -5), (2.0, -50)) == [], "a swell"
    assert at((0, -100), (0.3, -61), (0.35, -61), (0.4, -20)) == [0.35], "from where it is heard"
    assert at((0, -30), (1.0, -28), (1.02, -3), (1.05, 0)) == [1.0], "where the steep part of a rise starts"


@given(st.lists(st.tuples(st.floats(0, 0.2), st.floats(-100, 20)), min_size=1, max_size=30))
def test_there_is_one_for_a_rise_at_most_and_never_in_a_fall(steps: list[tuple[float, float]]) -> None:
    t_s, level_db = np.cumsum([step for step, _ in steps]), np.array([level for _, level in steps])
    found = rises(t_s, level_db)
    heard = np.maximum(level_db, -60.0)
    for here in np.flatnonzero(found):
        assert heard[here + 1] > heard[here]
    for first, second in zip(np.flatnonzero(found)[:-1], np.flatnonzero(found)[1:], strict=True):
        assert (np.diff(heard[first : second + 1]) <= 0.0).any()
    assert not rises(t_s, np.sort(level_db)[::-1]).any()


def test_a_file_that_says_itself_where_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("t_s,level_db,onset\n0,-100,0\n0.01,0,0\n1,-50,1\n")
    assert read_envelope(path).onsets_s.tolist() == [1.0]
    path.write_text("t_s,level_db\n0,-100\n0.01,0\n1,-50\n")
    assert read_envelope(path).onsets_s.tolist() == [0.0]
