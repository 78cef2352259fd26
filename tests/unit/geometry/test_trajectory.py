"""Trajectories refuse what cannot be rendered."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from foleyspace_host.errors import InvalidInput, TrajectoryInvalid
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory

KEYS = (Key(0.0, 10.0), Key(1.0, 20.0), Key(2.0, 30.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t_s": 0.0}, "sort the keys"),
        ({"t_s": math.nan}, "t_s is nan"),
        ({"azimuth_deg": math.inf}, "azimuth_deg is inf"),
        ({"elevation_deg": 90.5}, "elevation_deg 90.5 is outside"),
        ({"distance_m": -0.1}, "distance_m -0.1 is outside"),
        ({"confidence": 1.5}, "confidence"),
        ({"image_xy": (0.5, math.nan)}, "image_xy"),
        ({"origin": "guessed"}, "use one of: detected"),
    ],
)
def test_a_bad_key_is_named(change: dict[str, Any], message: str) -> None:
    keys = (KEYS[0], replace(KEYS[1], **change), KEYS[2])
    with pytest.raises(TrajectoryInvalid, match=message) as caught:
        Source("car", keys)
    assert "source 'car', key 1" in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": ""},
        {"keys": ()},
        {"confidence": 2.0},
        {"gain_db": math.inf},
        {"gain_db": 61.0},
        {"keys": (Key(-1.0, 0.0),)},
        {"keys": (KEYS[1], KEYS[0])},
        {"keys": (KEYS[0], KEYS[0])},
    ],
)
def test_bad_sources_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TrajectoryInvalid):
        Source(**{"id": "car", "keys": KEYS, **arguments})


@pytest.mark.parametrize("duration_s", [0.0, -1.0, math.nan, math.inf])
def test_a_duration_is_a_positive_time(duration_s: float) -> None:
    with pytest.raises(TrajectoryInvalid, match="duration_s"):
        Trajectory(duration_s)


def test_ids_are_unique() -> None:
    with pytest.raises(TrajectoryInvalid, match="'car'"):
        Trajectory(2.0, (Source("car", KEYS), Source("car", KEYS)))


def test_selection_is_by_id() -> None:
    trajectory = Trajectory(2.0, (Source("car", KEYS), Source("dog", KEYS), Source("cat", KEYS)))
    chosen = trajectory.select(["dog", "cat"])
    assert [source.id for source in chosen.selected] == ["dog", "cat"]
    assert trajectory.source("car") is trajectory.sources[0]
    assert len(trajectory.selected) == 3  # the original is unchanged
    with pytest.raises(InvalidInput, match="car, dog, cat"):
        trajectory.select(["horse"])
