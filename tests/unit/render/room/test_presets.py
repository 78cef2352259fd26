"""Names, the short notation, and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.errors import InvalidInput
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.room import PRESETS, RoomModel, room_of


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_room_or_dry(name: str) -> None:
    room = room_of(name)
    assert (room is None) == (name == "dry")
    assert room_of(room) is room
    if room is not None:
        assert room.name == name


def test_names_are_read_with_patience() -> None:
    assert room_of(" Living Room ") == room_of("living_room") == room_of("living-room")
    assert room_of(None) is None


def test_parameters_change_a_preset() -> None:
    hall, dull = room_of("hall"), room_of("hall: rt60=1.6/1.2, tail_db=-3, order=1")
    assert hall is not None
    assert dull is not None
    assert dull.rt60_s == (1.6,) + (1.2,) * 7
    assert dull.size_m == hall.size_m
    assert (dull.tail_db, dull.order) == (-3.0, 1)
    assert dull.absorption[0][0] > hall.absorption[0][0]  # the shorter time asks for more


def test_a_preset_of_another_size_moves_the_listener() -> None:
    small = room_of("church:size=20x10x8")
    assert small is not None
    assert small.listener_m[0] < 20


def test_a_shoebox() -> None:
    room = room_of("shoebox:6x4x3,rt60=0.5,listener=1/2/1.2,tail=off,reflections=30,seed=7,absorption=0.2/0.3")
    assert room is not None
    assert room.size_m == (6.0, 4.0, 3.0)
    assert room.listener_m == (1.0, 2.0, 1.2)
    assert room.rt60_s == (0.5,) * 8
    assert room.absorption[5] == (0.2,) + (0.3,) * 7
    assert (room.tail, room.reflections, room.seed) == (False, 30, 7)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cave", "'cave'"),
        ("shoebox:rt60=1", "no size"),
        ("shoebox:6x4x3", "rt60"),
        ("shoebox:6x4,rt60=1", "size"),
        ("shoebox:6x4x3,rt60=soon", "'soon'"),
        ("shoebox:6x4x3,rt60=1,tail=maybe", "on or off"),
        ("shoebox:6x4x3,rt60=1,order=two", "order"),
        ("shoebox:6x4x3,rt60=1,walls=4", "'walls'"),
        ("dry:rt60=1", "dry"),
        ("nothere.json", "no such"),
        ("", "no room"),
    ],
)
def test_nonsense_is_refused_in_one_line(text: str, what: str) -> None:
    with pytest.raises(InvalidInput) as error:
        room_of(text)
    assert what in str(error.value)
    with pytest.raises(InvalidInput):
        RenderOptions(room=text)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "den.json"
    file.write_text(json.dumps({"size_m": [4, 3, 2.5], "absorption": [[0.1], [0.1], 6 * [0.2], [0.1], [0.4], [0.1]]}))
    room = room_of(file)
    assert room is not None
    assert room.name == "den"
    assert room.absorption[2] == (0.2,) * 8
    assert room == room_of(str(file))
    file.write_text(json.dumps({"preset": "hall", "rt60_s": [1.5], "tail": False}))
    changed = room_of(file)
    assert changed is not None
    assert (changed.name, changed.rt60_s[0], changed.tail) == ("hall", 1.5, False)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"size_m": [4, 3, 2.5]},
        {"size_m": [4, 3, 2.5], "rt60_s": 0.5, "colour": "red"},
        {"size_m": [4, 3, 2.5], "rt60_s": 0.5, "order": 1.5},
        {"size_m": [4, 3, 2.5], "rt60_s": 0.5, "tail": 1},
        {"size_m": [4, 3, 2.5], "rt60_s": 0.5, "seed": True},
        {"size_m": [4, 3, 2.5], "rt60_s": 0.5, "name": 3},
        {"size_m": [4, 3, 2.5], "rt60_s": {"a": 1}},
        {"size_m": [4, 3, 2.5], "absorption": [[0.1]] * 5},
        {"size_m": [4, 3, 2.5], "absorption": [[0.1], 2, [0.1], [0.1], [0.1], [0.1]], "rt60_s": None},
        {"preset": "cave"},
    ],
)
def test_bad_files_are_refused(tmp_path: Path, data: Any) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput):
        room_of(file)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text("{")
    with pytest.raises(InvalidInput, match="JSON"):
        room_of(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput):
        room_of(file)


def test_options_keep_the_model() -> None:
    assert isinstance(RenderOptions(room="studio").room, RoomModel)
    assert RenderOptions(room="dry").room is None
    assert RenderOptions().room is None
