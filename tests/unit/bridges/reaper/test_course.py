"""Courses: what is sent unwrapped arrives as the path that was meant, and what was found in the item's time."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.bridges.reaper.course import document_of_found, document_of_keys, found_sources
from foleyspace_host.bridges.reaper.request import Key, Picture
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory_file import loads
from foleyspace_host.protocol.trajectory import check_trajectory

keys = st.lists(
    st.builds(
        Key,
        t_s=st.floats(0.0, 20.0),
        azimuth_deg=st.floats(-1080.0, 1080.0),
        elevation_deg=st.floats(-90.0, 90.0),
        distance_m=st.floats(0.3, 50.0),
        cut=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def placed(document: dict[str, Any]) -> list[dict[str, Any]]:
    [source] = document["sources"]
    result: list[dict[str, Any]] = source["keys"]
    return result


@given(keys)
def test_every_document_is_a_trajectory_with_short_steps(given_keys: list[Key]) -> None:
    document = document_of_keys(given_keys, 20.0)
    check_trajectory(document, "$")
    made = placed(document)
    assert all(-180.0 <= key["azimuth_deg"] < 180.0 for key in made)
    for before, after in pairwise(made):
        if not after["cut"] and after["t_s"] - before["t_s"] > 1e-4:
            step = (after["azimuth_deg"] - before["azimuth_deg"] + 180.0) % 360.0 - 180.0
            assert abs(step) <= 5.0 + 1e-6


def test_from_170_to_190_the_way_leads_behind_the_listener() -> None:
    made = placed(document_of_keys([Key(t_s=0.0, azimuth_deg=170.0), Key(t_s=2.0, azimuth_deg=190.0)], 2.0))
    assert all(abs(key["azimuth_deg"]) >= 170.0 for key in made)
    assert made[-1]["azimuth_deg"] == -170.0


def test_from_170_to_minus_170_the_way_leads_through_the_front() -> None:
    made = placed(document_of_keys([Key(t_s=0.0, azimuth_deg=170.0), Key(t_s=2.0, azimuth_deg=-170.0)], 2.0))
    middle = min(made, key=lambda key: abs(key["t_s"] - 1.0))
    assert middle["azimuth_deg"] == pytest.approx(0.0, abs=3.0)


def test_two_turns_are_two_turns() -> None:
    made = placed(document_of_keys([Key(t_s=0.0, azimuth_deg=-360.0), Key(t_s=8.0, azimuth_deg=360.0)], 8.0))
    quarters = [min(made, key=lambda key: abs(key["t_s"] - t))["azimuth_deg"] % 360.0 for t in range(8)]
    assert quarters == pytest.approx([0.0, 90.0, 180.0, 270.0] * 2, abs=2.6)


def test_the_distance_changes_evenly_in_its_logarithm() -> None:
    start, end = Key(t_s=0.0, azimuth_deg=0.0, distance_m=1.0), Key(t_s=1.0, azimuth_deg=90.0, distance_m=16.0)
    made = placed(document_of_keys([start, end], 1.0))
    middle = next(key for key in made if key["t_s"] == pytest.approx(0.5))
    assert middle["distance_m"] == pytest.approx(4.0)


def test_two_keys_at_one_time_are_a_jump() -> None:
    made = placed(
        document_of_keys(
            [Key(t_s=0.0, azimuth_deg=0.0), Key(t_s=1.0, azimuth_deg=0.0), Key(t_s=1.0, azimuth_deg=90.0)], 2.0
        )
    )
    assert [key["azimuth_deg"] for key in made] == [0.0, 0.0, 90.0]
    assert made[-1]["cut"]
    assert made[-1]["t_s"] == pytest.approx(1.0, abs=1e-5)


FOUND = {
    "schema": "foleyspace.trajectory/1",
    "duration_s": 4.0,
    "sources": [
        {
            "id": "horse-1",
            "label": "horse",
            "confidence": 0.8,
            "selected": True,
            "keys": [
                {"t_s": t, "azimuth_deg": 40.0 - 20.0 * t, "elevation_deg": 1.0, "distance_m": 4.0, "cut": False}
                for t in (0.0, 1.0, 2.0, 3.0, 4.0)
            ],
        },
        {
            "id": "dog-1",
            "label": "dog",
            "confidence": 0.3,
            "selected": False,
            "keys": [
                {"t_s": 0.0, "azimuth_deg": 170.0, "elevation_deg": 0.0, "distance_m": 2.0, "cut": False},
                {"t_s": 4.0, "azimuth_deg": -170.0, "elevation_deg": 0.0, "distance_m": 2.0, "cut": False},
            ],
        },
    ],
}


def test_what_was_found_is_told_in_the_time_of_the_item() -> None:
    # the video runs at double speed, and its part began half a second before the item
    picture = Picture(path="v.mp4", duration_s=4.0, at_s=-0.5, rate=2.0)
    document = document_of_found(FOUND, 0.0, picture, 1.25)
    check_trajectory(document, "$")
    [source] = document["sources"]
    assert source["id"] == "horse-1"
    assert source["keys"][0]["t_s"] == 0.0
    assert source["keys"][0]["azimuth_deg"] == pytest.approx(20.0)  # that of second 1 of the video
    course = {round(key["t_s"], 6): key["azimuth_deg"] for key in source["keys"]}
    assert course[0.5] == pytest.approx(0.0)
    assert course[1.0] == pytest.approx(-20.0)
    assert max(course) >= 1.25


def test_between_two_keys_the_start_is_where_the_source_is_then() -> None:
    picture = Picture(path="v.mp4", duration_s=4.0, at_s=-0.25)
    [source] = document_of_found(FOUND, 0.0, picture, 1.0)["sources"]
    assert source["keys"][0] | {"t_s": 0.0, "azimuth_deg": 35.0} == source["keys"][0]


def test_what_was_found_in_a_longer_part_is_that_of_the_item() -> None:
    # the item shows the video from second 12 on; it was looked at from second 10 on
    picture = Picture(path="v.mp4", start_s=12.0, duration_s=1.0, at_s=0.5)
    [source] = document_of_found(FOUND, 10.0, picture, 1.5)["sources"]
    course = {round(key["t_s"], 6): key["azimuth_deg"] for key in source["keys"]}
    assert course[0.5] == pytest.approx(0.0)
    assert course[0.0] == pytest.approx(10.0)
    assert course[1.5] == pytest.approx(-20.0)


def test_all_that_was_found_is_told_with_unwrapped_azimuths() -> None:
    horse, dog = found_sources(FOUND, 0.0, Picture(path="v.mp4", duration_s=4.0), 4.0)
    assert (horse["label"], horse["score"], horse["selected"]) == ("horse", 0.8, True)
    assert [key["azimuth_deg"] for key in dog["keys"]] == [170.0, 190.0]
    assert not dog["selected"]


def test_the_renderer_goes_the_way_that_was_meant() -> None:
    """Through the renderer's own interpolation: 350 degrees in ten seconds, the long way round, risen by 20."""
    start, end = Key(t_s=0.0, azimuth_deg=-20.0), Key(t_s=10.0, azimuth_deg=330.0, elevation_deg=20.0)
    [source] = loads(json.dumps(document_of_keys([start, end], 10.0))).selected
    times = np.linspace(0.0, 10.0, 101)
    unit, _ = SourcePath.from_source(source).sample(times)
    azimuth = np.unwrap(np.arctan2(unit[:, 1], unit[:, 0]))
    np.testing.assert_allclose(np.degrees(azimuth), -20.0 + 35.0 * times, atol=0.3)
    np.testing.assert_allclose(np.degrees(np.arcsin(unit[:, 2])), 2.0 * times, atol=0.1)
