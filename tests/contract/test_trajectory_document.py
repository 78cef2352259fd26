"""The trajectory's schema, the host's structs and the file's reader take and refuse the same documents."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from foleyspace_host.errors import ProtocolError, TrajectoryInvalid
from foleyspace_host.geometry import camera, trajectory, trajectory_file
from foleyspace_host.protocol.trajectory import SCHEMA, Camera, Key, Source, Trajectory, check_trajectory

FILE = Path(__file__).resolve().parents[2] / "schemas" / "v1" / "trajectory.schema.json"
VALIDATOR = Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))

FULL: dict[str, Any] = {
    "schema": SCHEMA,
    "duration_s": 8.0,
    "camera": {"hfov_deg": 60.0, "width": 854, "height": 480},
    "sources": [
        {
            "id": "car-1",
            "label": "car",
            "confidence": 0.83,
            "selected": True,
            "gain_db": -3.0,
            "extent_deg": 10.0,
            "keys": [
                {"t_s": 0.0, "azimuth_deg": 18.2, "elevation_deg": -3.1, "distance_m": 9.4, "confidence": 0.9}
                | {"image_xy": [0.31, 0.55], "origin": "detected", "cut": False, "gain_db": 1.5},
                {"t_s": 1, "azimuth_deg": 20, "elevation_deg": 0, "distance_m": 9},
            ],
        },
        {"id": "dog", "keys": [{"t_s": 0, "azimuth_deg": 0, "elevation_deg": 0, "distance_m": 1}]},
    ],
}


def reader_takes(document: Any) -> bool:
    try:
        trajectory_file.loads(json.dumps(document))
    except TrajectoryInvalid:
        return False
    return True


def host_takes(document: Any) -> bool:
    try:
        check_trajectory(document, "$")
    except ProtocolError:
        return False
    return True


def in_order(document: Any) -> bool:
    """The two rules that a schema cannot say, of a document that is valid by its schema."""
    ids = [source["id"] for source in document["sources"]]
    times = [[key["t_s"] for key in source["keys"]] for source in document["sources"]]
    return len(set(ids)) == len(ids) and all(sorted(set(one)) == one for one in times)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in parts for place in places(part, (*path, name)))]


LOW_AND_HIGH = [0.0, -0.0, 1, 1.0001, -1e-9, 1e-300, 60.0, 60.5, -120.0, -120.5, 90, 90.5, 179, 180, 180.5, 1e6, 1.1e6]
VALUES = st.one_of(
    st.sampled_from(
        [*LOW_AND_HIGH, 1e7, 1.1e7, None, True, False, "", "x", "edited", SCHEMA, [], {}, [0.5, 0.5], [1], [1, 2, 3]]
    ),
    st.integers(-300, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_three_agree(data: st.DataObject) -> None:
    document = copy.deepcopy(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(places(document)[1:]))
        holder = document
        for step in path:
            holder = holder[step]
        action = data.draw(st.sampled_from(["set", "set", "delete", "add", "repeat"]))
        if action == "set":
            holder[last] = data.draw(VALUES)
        elif action == "delete":
            del holder[last]
        elif action == "add" and isinstance(holder, dict):
            holder[data.draw(st.sampled_from(["hfov_deg", "colour", "id", "cut", "extent_deg", "camera"]))] = 1
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        if len(places(document)) == 1:
            break
    valid = VALIDATOR.is_valid(document)
    if any(
        isinstance(document.get("camera"), dict) and isinstance(document["camera"].get(side), float)
        for side in ("width", "height")
    ):
        valid = False  # a schema takes 640.0 for a whole number; reader and host do not
    assert reader_takes(document) == host_takes(document) == (valid and in_order(document)), json.dumps(document)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (
            lambda d: d["sources"].extend({"id": str(n), "keys": d["sources"][1]["keys"]} for n in range(255)),
            "$.sources",
        ),
        (lambda d: d["sources"][0]["keys"][1].update(t_s=0), "$.sources[0].keys[1].t_s"),
        (lambda d: d["sources"][1].update(id="car-1"), "$.sources[1].id"),
        (lambda d: d["sources"][0]["keys"][0].update(distance_m=1e300), "$.sources[0].keys[0].distance_m"),
        (lambda d: d["sources"][0].update(keys=[]), "$.sources[0].keys"),
        (lambda d: d.update(schema="foleyspace.trajectory/2"), "$.schema"),
    ],
)
def test_the_host_names_the_place(change: Any, place: str) -> None:
    document = copy.deepcopy(FULL)
    assert host_takes(document)
    assert reader_takes(document)
    change(document)
    assert not reader_takes(document)
    with pytest.raises(ProtocolError) as caught:
        check_trajectory(document, "$")
    assert caught.value.where == place


@pytest.mark.parametrize(
    ("struct", "part", "real"),
    [
        (Trajectory, "trajectory", trajectory.Trajectory),
        (Source, "source", trajectory.Source),
        (Key, "key", trajectory.Key),
        (Camera, "camera", camera.Camera),
    ],
)
def test_fields_and_defaults_are_the_reader_s(struct: Any, part: str, real: Any) -> None:
    assert set(struct.__struct_fields__) == set(trajectory_file._FIELDS[part])
    needed = {
        "trajectory": ["schema", "duration_s", "sources"],
        "source": ["id", "keys"],
        "camera": ["width", "height"],
    }
    least = {name: FULL.get(name) for name in needed.get(part, [])}
    if part == "trajectory":
        assert Trajectory(**least).camera is real(8.0).camera
    elif part == "camera":
        assert Camera(width=2, height=1).hfov_deg == real(2, 1).hfov_deg
    else:
        key = {"t_s": 0.0, "azimuth_deg": 0.0, "elevation_deg": 0.0, "distance_m": 1.0}
        made = struct(**key) if part == "key" else struct(id="a", keys=[Key(**key)])
        same = real(**key) if part == "key" else real("a", (trajectory.Key(**key),))
        for name in struct.__struct_fields__:
            if name != "keys":
                assert getattr(made, name) == getattr(same, name), name


def test_what_the_program_writes_passes_the_schema() -> None:
    again = json.loads(trajectory_file.dumps(trajectory_file.loads(json.dumps(FULL))))
    VALIDATOR.validate(again)
    check_trajectory(again, "$")
