"""The trajectory file: exact round trips, and errors that name the place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import TrajectoryInvalid
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import SCHEMA, dumps, loads, loads_csv, read_trajectory
from foleyspace_host.geometry.trajectory_text import as_written, seconds_as_written


def _grid(low: float, high: float, digits: int) -> st.SearchStrategy[float]:
    """Numbers that the file holds exactly."""
    scale = 10**digits
    return st.integers(math.ceil(low * scale), math.floor(high * scale)).map(lambda n: n / scale)


def _trajectories(exact: bool) -> st.SearchStrategy[Trajectory]:
    def number(low: float, high: float, digits: int) -> st.SearchStrategy[float]:
        return _grid(low, high, digits) if exact else st.floats(low, high)

    times = st.lists(number(0, 1000, 6), min_size=1, max_size=6, unique=True).map(sorted)
    points = st.none() | st.tuples(number(-1, 2, 5), number(-1, 2, 5))
    origins = st.sampled_from(["detected", "interpolated", "offscreen", "edited"])
    key_rest = st.tuples(
        number(-720, 720, 4),
        number(-90, 90, 4),
        number(0, 100, 4),
        number(0, 1, 5),
        points,
        origins,
        st.booleans(),
    )

    @st.composite
    def keys(draw: Callable[..., Any]) -> tuple[Key, ...]:
        return tuple(Key(t_s, *draw(key_rest)) for t_s in draw(times))

    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    source = st.tuples(text.filter(bool), keys(), text, number(0, 1, 5), st.booleans(), number(-120, 60, 3)).map(
        lambda fields: Source(*fields)
    )
    sources = st.lists(source, max_size=3, unique_by=lambda s: s.id).map(tuple)
    camera = st.none() | st.builds(Camera, st.integers(1, 8192), st.integers(1, 8192), st.floats(1, 179))
    return st.builds(Trajectory, number(1e-3, 1e4, 6), sources, camera)


@given(_trajectories(exact=True))
def test_numbers_on_the_grid_survive_exactly(trajectory: Trajectory) -> None:
    assert loads(dumps(trajectory)) == trajectory


@given(_trajectories(exact=False))
def test_any_trajectory_survives_to_the_rounding_and_the_text_is_stable(trajectory: Trajectory) -> None:
    text = dumps(trajectory)
    back = loads(text)
    assert dumps(back) == text
    assert [source.id for source in back.sources] == [source.id for source in trajectory.sources]
    for source, again in zip(trajectory.sources, back.sources, strict=True):
        for key, key_again in zip(source.keys, again.keys, strict=True):
            assert abs(key.t_s - key_again.t_s) <= 0.51e-6
            assert abs(key.azimuth_deg - key_again.azimuth_deg) <= 0.51e-4
            assert abs(key.distance_m - key_again.distance_m) <= 0.51e-4
            assert (key.origin, key.cut) == (key_again.origin, key_again.cut)


@given(_trajectories(exact=False))
def test_what_is_written_is_known_before_it_is_read(trajectory: Trajectory) -> None:
    back = loads(dumps(trajectory))
    assert tuple(as_written(source) for source in trajectory.sources) == back.sources
    assert seconds_as_written(trajectory.duration_s) == back.duration_s


def test_keys_closer_than_the_rounding_stay_apart() -> None:
    trajectory = Trajectory(1.0, (Source("a", (Key(0.1, 0.0), Key(0.1 + 1e-9, 1.0))),))
    assert loads(dumps(trajectory)) == trajectory


def test_the_documented_example_is_read() -> None:
    text = (
        '{"schema":"foleyspace.trajectory/1","duration_s":8.0,"camera":{"hfov_deg":60.0,"width":854,"height":480},'
        '"sources":[{"id":"car-1","label":"car","confidence":0.83,"selected":true,"gain_db":0.0,"keys":['
        '{"t_s":0.0,"azimuth_deg":18.2,"elevation_deg":-3.1,"distance_m":9.4,"confidence":0.9,'
        '"image_xy":[0.31,0.55],"origin":"detected","cut":false}]}]}'
    )
    key = Key(0.0, 18.2, -3.1, 9.4, 0.9, (0.31, 0.55), "detected", False)
    assert loads(text) == Trajectory(8.0, (Source("car-1", (key,), "car", 0.83),), Camera(854, 480, 60.0))


def test_the_text_is_short_and_one_key_a_line() -> None:
    text = dumps(Trajectory(1 / 3, (Source("a", (Key(1 / 3, 10 / 3, -0.00001), Key(2 / 3, 1.0))),)))
    assert '"t_s": 0.333333, "azimuth_deg": 3.3333, "elevation_deg": 0.0,' in text
    assert len([line for line in text.splitlines() if '"t_s"' in line]) == 2


def _document() -> dict[str, Any]:
    keys = [{"t_s": t_s, "azimuth_deg": 1.0, "elevation_deg": 0.0, "distance_m": 2.0} for t_s in (0.0, 0.5, 1.0)]
    camera = {"hfov_deg": 60.0, "width": 640, "height": 360}
    return {"schema": SCHEMA, "duration_s": 1.0, "camera": camera, "sources": [{"id": "car", "keys": keys}]}


def _key(document: dict[str, Any], index: int = 1) -> dict[str, Any]:
    key: dict[str, Any] = document["sources"][0]["keys"][index]
    return key


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no schema": (lambda d: d.pop("schema"), r"T.json, schema: is missing"),
    "other schema": (lambda d: d.update(schema="foleyspace.trajectory/2"), r"T.json, schema: is .*/2.*give"),
    "no duration": (lambda d: d.pop("duration_s"), r"duration_s: is missing"),
    "zero duration": (lambda d: d.update(duration_s=0), r"duration_s 0.0 is not a positive"),
    "duration as text": (lambda d: d.update(duration_s="8"), r"duration_s: is a string, not a number"),
    "no sources": (lambda d: d.pop("sources"), r"sources: is missing"),
    "sources as object": (lambda d: d.update(sources={}), r"sources: is an object, not an array"),
    "source as number": (lambda d: d.update(sources=[3]), r"sources\[0\]: is a number, not an object"),
    "unknown field": (
        lambda d: d.update(colour="red"),
        r"colour: is not a field.*use only schema, duration_s",
    ),
    "no id": (lambda d: d["sources"][0].pop("id"), r"sources\[0\]\.id: is missing"),
    "empty id": (lambda d: d["sources"][0].update(id=""), r"sources\[0\]: a source needs an id"),
    "surrogate id": (lambda d: d["sources"][0].update(id="\ud800"), r"sources\[0\]\.id: .*Unicode"),
    "two of an id": (lambda d: d["sources"].append(d["sources"][0]), r"T.json: two sources are called 'car'"),
    "no keys": (lambda d: d["sources"][0].update(keys=[]), r"sources\[0\]: no keys"),
    "selected as number": (lambda d: d["sources"][0].update(selected=1), r"\.selected: .*true or false"),
    "loud": (lambda d: d["sources"][0].update(gain_db=100), r"sources\[0\]: gain_db 100.0 is outside"),
    "no azimuth": (lambda d: _key(d).pop("azimuth_deg"), r"sources\[0\]\.keys\[1\]\.azimuth_deg: is missing"),
    "azimuth as boolean": (
        lambda d: _key(d).update(azimuth_deg=True),
        r"keys\[1\]\.azimuth_deg: is a boolean",
    ),
    "azimuth as null": (lambda d: _key(d).update(azimuth_deg=None), r"keys\[1\]\.azimuth_deg: is null"),
    "azimuth NaN": (
        lambda d: _key(d).update(azimuth_deg=math.nan),
        r"keys\[1\]\.azimuth_deg: is nan.*finite",
    ),
    "time infinite": (lambda d: _key(d).update(t_s=math.inf), r"keys\[1\]\.t_s: is inf"),
    "time beyond floats": (lambda d: _key(d).update(t_s=10**400), r"keys\[1\]\.t_s: is inf"),
    "elevation 91": (lambda d: _key(d).update(elevation_deg=91), r"keys\[1\]: elevation_deg 91 is outside"),
    "distance negative": (lambda d: _key(d).update(distance_m=-1), r"keys\[1\]: distance_m -1 is outside"),
    "unsorted": (lambda d: _key(d).update(t_s=2.0), r"keys\[2\]: t_s 1 does not come after 2; sort"),
    "duplicate time": (lambda d: _key(d).update(t_s=0.0), r"keys\[1\]: t_s 0 does not come after 0; sort"),
    "origin": (
        lambda d: _key(d).update(origin="dreamt"),
        r"keys\[1\]: origin 'dreamt' is unknown; use one of",
    ),
    "typing error": (lambda d: _key(d).update(confidance=1), r"keys\[1\]\.confidance: is not a field"),
    "point of three": (lambda d: _key(d).update(image_xy=[0, 0, 0]), r"keys\[1\]\.image_xy: holds 3 numbers"),
    "point of text": (lambda d: _key(d).update(image_xy=[0, "a"]), r"keys\[1\]\.image_xy\[1\]: is a string"),
    "camera of no width": (lambda d: d["camera"].update(width=0), r"T.json, camera: a picture of 0 x 360"),
    "camera as text": (lambda d: d.update(camera="wide"), r"T.json, camera: is a string, not an object"),
    "half a pixel": (lambda d: d["camera"].update(width=640.5), r"camera\.width: is a number, not a whole"),
    "camera too wide": (
        lambda d: d["camera"].update(hfov_deg=200),
        r"camera: a field of view of 200.*give 1 to",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_its_place(name: str) -> None:
    damage, message = DAMAGE[name]
    document = _document()
    loads(json.dumps(document))  # sound before the damage
    damage(document)
    with pytest.raises(TrajectoryInvalid, match=message) as caught:
        loads(json.dumps(document), "T.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"T.json, line 1 column 1: is not JSON"),
        ('{\n "schema": }', r"line 2 column 12"),
        ("[1, 2]", r"T.json: is an array, not an object"),
        ('{"schema": 1, "schema": 2}', r"'schema' stands twice"),
        ("[" * 100_000, r"T.json: is not a trajectory"),
        ("9" * 5000, r"T.json: is not a trajectory"),
    ],
)
def test_text_that_is_no_trajectory(text: str, message: str) -> None:
    with pytest.raises(TrajectoryInvalid, match=message):
        loads(text, "T.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["schema", "sources", "keys", "id", "camera", "t_s"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_but_never_crashes(document: Any) -> None:
    with pytest.raises(TrajectoryInvalid):
        loads(json.dumps(document))


def test_csv_is_one_source_named_after_its_file() -> None:
    text = "distance_m, t_s,azimuth_deg,elevation_deg\r\n2,0,10,0\r\n\r\n4,1.5,-10,5\r\n"
    trajectory = loads_csv(text, "/some/where/car.csv")
    assert trajectory == Trajectory(1.5, (Source("car", (Key(0, 10, 0, 2), Key(1.5, -10, 5, 4))),))
    assert loads_csv("t_s,azimuth_deg,elevation_deg,distance_m\n0,1,2,3\n").duration_s == 1.0


HEADER = "t_s,azimuth_deg,elevation_deg,distance_m\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"has no keys; give a header line t_s,azimuth_deg"),
        (HEADER, r"has no keys"),
        ("time,azimuth\n0,1\n", r"line 1: the columns are .*begin with the header"),
        ("0,1,2,3\n", r"line 1: the columns are"),
        (HEADER + "0,1,2,3\n1;2;3;4\n", r"c.csv, line 3: holds 1 values, not 4; separate"),
        (HEADER + "0,1,2,3,4\n", r"line 2: holds 5 values"),
        (HEADER + "0,1,2,x\n", r"line 2: distance_m is 'x', not a number"),
        (HEADER + "0,1,2,\n", r"line 2: distance_m is '', not a number"),
        (HEADER + "0,nan,2,1\n", r"line 2: azimuth_deg is nan"),
        (HEADER + "0,1,inf,1\n", r"line 2: elevation_deg is inf"),
        (HEADER + "0,1,2,3\n\n0,1,2,3\n", r"line 4: t_s 0 does not come after 0; sort"),
        (HEADER + "1,1,2,3\n0.5,1,2,3\n", r"line 3: t_s 0.5 does not come after 1; sort"),
        (HEADER + '0,1,2,"3\n', r"line 2: is not CSV"),
    ],
)
def test_bad_csv_is_named_by_line(text: str, message: str) -> None:
    with pytest.raises(TrajectoryInvalid, match=message):
        loads_csv(text, "c.csv")


def test_files_are_told_by_suffix_and_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    csv_file, json_file = tmp_path / "a.CSV", tmp_path / "a.trajectory.json"
    csv_file.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"0,1,2,3\n")
    json_file.write_bytes(b"\xef\xbb\xbf" + json.dumps(_document()).encode())
    assert read_trajectory(csv_file).sources[0].id == "a"
    assert read_trajectory(json_file).sources[0].id == "car"


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    binary = tmp_path / "T.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.json", tmp_path, binary):
        with pytest.raises(TrajectoryInvalid) as caught:
            read_trajectory(path)
        assert caught.value.where == str(path)
        assert caught.value.cure
