"""The curve of loudness: its file, what is refused of it, and how it is sampled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import FoleySpaceError, InvalidInput, MediaMissing
from foleyspace_host.generate.envelope import (
    MAX_DB,
    NOMINAL_DB,
    SILENCE_DB,
    Envelope,
    frame_levels_db,
    read_envelope,
    rows_of,
)
from foleyspace_host.generate.impose import measured_db

POINTS = st.lists(
    st.tuples(st.floats(0.0, 900.0), st.floats(SILENCE_DB, MAX_DB), st.booleans()), min_size=1, max_size=30
)


@given(POINTS)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, points: list) -> None:
    curve = Envelope.of(sorted(points))
    path = tmp_path_factory.mktemp("envelope") / "e.csv"
    path.write_text("".join(rows_of(curve)))
    again = read_envelope(path)
    assert np.allclose(again.t_s, curve.t_s, atol=1e-6)
    assert np.allclose(again.level_db, curve.level_db, atol=0.005)
    assert (again.onset == curve.onset).all()


def test_a_file_of_people(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("\ufeffT_S, level_dB\r\n0, -inf\r\n\r\n1.5, 0\r\n1.5, -12\r\n")
    curve = read_envelope(path)
    assert curve.t_s.tolist() == [0.0, 1.5, 1.5]
    assert curve.level_db.tolist() == [SILENCE_DB, 0.0, -12.0]
    assert curve.at([0.75, 9.0]).tolist() == [-50.0, -12.0]
    assert not len(curve.onsets_s)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line"),
        ("time,level\n0,0\n", "time,level"),
        ("t_s,level_db\n", "no points"),
        ("t_s,level_db\n0,nan\n", "level_db in line 2 is 'nan'"),
        ("t_s,level_db\n0,0\nnan,0\n", "t_s in line 3"),
        ("t_s,level_db\n0,0\n1,x\n", "level_db in line 3 is 'x'"),
        ("t_s,level_db\n0,inf\n", "level_db in line 2"),
        ("t_s,level_db\n1,0\n0.5,0\n", "line 3 is at 0.5 s"),
        ("t_s,level_db\n-1,0\n", "line 2 is at -1 s"),
        ("t_s,level_db\n0,21\n", "level_db in line 2 is 21"),
        ("t_s,level_db\n0,0,1\n", "line 2 has 3 values"),
        ("t_s,level_db,onset\n0,0,2\n", "onset in line 2 is 2"),
    ],
)
def test_what_is_no_envelope_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "e.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_envelope(path)
    line = str(caught.value)
    assert said in line
    assert line.startswith(str(path))
    assert "\n" not in line


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        read_envelope(tmp_path / "none.csv")
    (tmp_path / "e.csv").write_bytes(b"t_s,level_db\n\xff\xfe\x00")
    with pytest.raises(FoleySpaceError, match="no CSV"):
        read_envelope(tmp_path / "e.csv")


@pytest.mark.parametrize(
    "points", [[], [(0.0, float("nan"), False)], [(1.0, 0.0, False), (0.5, 0.0, False)], [(-0.1, 0.0, False)]]
)
def test_a_curve_is_checked_when_it_is_made(points: list) -> None:
    with pytest.raises(InvalidInput):
        Envelope.of(points)


def test_parts_fit_together() -> None:
    curve = Envelope.of([(0.0, -40.0, False), (1.0, 0.0, True), (3.0, -20.0, False)])
    first, second = curve.part(0.0, 1.0), curve.part(1.0, 3.0)
    assert first.at([0.5, 1.0]).tolist() == [-20.0, 0.0]
    assert second.at([0.0, 1.0, 2.0]).tolist() == [0.0, -10.0, -20.0]
    assert not len(first.onsets_s)
    assert second.onsets_s.tolist() == [0.0]


def test_a_part_that_ends_at_a_jump_does_not_hear_it() -> None:
    curve = Envelope.of([(0.0, -100.0, False), (1.0, -100.0, False), (1.0, 0.0, True), (2.0, 0.0, False)])
    assert curve.part(0.0, 1.0).is_silent
    assert curve.part(1.0, 2.0).level_db.min() == 0.0


def test_levels_of_frames_are_those_of_a_sound_with_this_loudness() -> None:
    curve = Envelope.of([(0.0, -50.0, False), (0.4, 0.0, True), (0.42, 6.0, False), (1.0, -30.0, False)])
    t_s = np.arange(48_000) / 48_000
    # a square wave of period 2 has its amplitude as its level at every moment
    sound = (10.0 ** ((curve.at(t_s) + NOMINAL_DB) / 20.0) * np.where(np.arange(48_000) % 2, 1.0, -1.0)).astype("f4")
    measured = measured_db(sound)
    assert np.abs(frame_levels_db(curve, len(measured)) - measured)[3:-3].max() < 0.2
