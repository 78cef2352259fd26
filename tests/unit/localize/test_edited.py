"""Edited keys lead what is found anew: exactly where they are, smoothly around them, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.localize.edited import REACH_S, corrected, merge_edited

CAMERA = Camera(640, 480, 60.0)
STEP_S = 0.125


def found(
    azimuth_deg: float = 10.0,
    *,
    cut_s: float | None = None,
    name: str = "car-1",
    label: str = "car",
    speed: float = 1.5,
) -> Source:
    keys = tuple(
        Key(
            float(t_s), azimuth_deg - speed * float(t_s), -2.0, 8.0, confidence=0.5, origin="detected", cut=t_s == cut_s
        )
        for t_s in np.arange(0.0, 10.0 + STEP_S, STEP_S)
    )
    return Source(name, keys, label, confidence=0.5)


def edit(t_s: float, azimuth_deg: float, elevation_deg: float = 0.0, distance_m: float = 4.0) -> Key:
    return Key(t_s, azimuth_deg, elevation_deg, distance_m, origin="edited")


edits = st.lists(
    st.builds(
        edit,
        st.integers(0, 9_999).map(lambda ms: ms / 1000),
        st.floats(-60, 60),
        st.floats(-40, 40),
        st.floats(0.5, 40),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda key: key.t_s,
).map(lambda keys: tuple(sorted(keys, key=lambda key: key.t_s)))


@given(edits)
def test_edited_keys_are_kept_exactly_and_in_order(keys: tuple[Key, ...]) -> None:
    result = corrected(found(), keys, CAMERA)
    assert [key for key in result.keys if key.origin == "edited"] == list(keys)
    assert all(early.t_s < late.t_s for early, late in pairwise(result.keys))


@given(edits)
def test_beyond_the_reach_nothing_changes(keys: tuple[Key, ...]) -> None:
    before = {key.t_s: key for key in found().keys}
    for key in corrected(found(), keys, CAMERA).keys:
        if key.origin != "edited" and all(abs(key.t_s - own.t_s) >= REACH_S for own in keys):
            assert key == before[key.t_s]


@given(edits)
def test_no_correction_is_larger_than_the_edits_that_cause_it(keys: tuple[Key, ...]) -> None:
    before = {key.t_s: key for key in found().keys}
    most = max(abs(own.azimuth_deg - (10.0 - 1.5 * own.t_s)) for own in keys)
    for key in corrected(found(), keys, CAMERA).keys:
        if key.origin != "edited":
            assert abs(key.azimuth_deg - before[key.t_s].azimuth_deg) <= most + 1e-6


@given(edits)
def test_a_second_run_over_the_result_changes_nothing(keys: tuple[Key, ...]) -> None:
    once = corrected(found(), keys, CAMERA)
    twice = corrected(once, keys, CAMERA)
    for first, second in zip(once.keys, twice.keys, strict=True):
        assert second.azimuth_deg == pytest.approx(first.azimuth_deg, abs=1e-9)
        assert second.distance_m == pytest.approx(first.distance_m, rel=1e-9)


@given(edits)
def test_the_mirrored_clip_gives_the_mirrored_result(keys: tuple[Key, ...]) -> None:
    def mirror(all_keys: tuple[Key, ...]) -> tuple[Key, ...]:
        return tuple(replace(key, azimuth_deg=-key.azimuth_deg, image_xy=None) for key in all_keys)

    one = corrected(replace(found(), keys=mirror(found().keys)), mirror(keys))
    other = mirror(corrected(found(), keys).keys)
    assert [key.azimuth_deg for key in one.keys] == pytest.approx([key.azimuth_deg for key in other], abs=1e-9)


def test_an_edit_that_says_what_was_found_moves_nothing() -> None:
    result = corrected(found(), (edit(3.0, 10.0 - 4.5, -2.0, 8.0),), CAMERA)
    for key, before in zip(result.keys, found().keys, strict=True):
        assert key.azimuth_deg == pytest.approx(before.azimuth_deg, abs=1e-6)
        assert key.distance_m == pytest.approx(before.distance_m, rel=1e-6)


def test_near_edits_turn_into_each_other_and_a_common_error_is_taken_away_between_them() -> None:
    wrong_by = 7.0
    keys = tuple(edit(t_s, 10.0 - 1.5 * t_s + wrong_by, -2.0, 8.0) for t_s in (3.0, 4.5))
    for key in corrected(found(), keys, CAMERA).keys:
        if 3.0 <= key.t_s <= 4.5:
            assert key.azimuth_deg == pytest.approx(10.0 - 1.5 * key.t_s + wrong_by, abs=1e-3)


def test_the_correction_has_no_step() -> None:
    result = corrected(found(), (edit(5.0, 40.0),), CAMERA)
    moves = np.abs(np.diff([key.azimuth_deg for key in result.keys]))
    # the steepest slope of the fade is 1.5 / reach
    assert moves.max() < 1.1 * (1.5 * 37.5 / REACH_S + 1.5) * STEP_S


def test_no_correction_passes_a_cut() -> None:
    result = corrected(found(cut_s=5.0), (edit(5.5, 40.0),), CAMERA)
    for key, before in zip(result.keys, found(cut_s=5.0).keys, strict=True):
        if before.t_s < 5.0:
            assert key == before
    assert result.keys[40].cut
    assert result.keys[40].azimuth_deg > found().keys[40].azimuth_deg + 1.0


def test_moved_keys_move_in_the_picture_too() -> None:
    for key in corrected(found(), (edit(5.0, 30.0),), CAMERA).keys:
        if key.image_xy is not None:
            azimuth, elevation = CAMERA.directions(key.image_xy[0] * 640, key.image_xy[1] * 480)
            assert float(azimuth) == pytest.approx(key.azimuth_deg, abs=1e-6)
            assert float(elevation) == pytest.approx(key.elevation_deg, abs=1e-6)


def test_the_short_way_round_behind_the_listener() -> None:
    behind = replace(found(), keys=(Key(0.0, 175.0, origin="detected"), Key(1.0, 175.0, origin="detected")))
    result = corrected(behind, (edit(0.0, -175.0),))
    assert all(abs(key.azimuth_deg) >= 174.9 for key in result.keys)


def test_the_thing_is_known_again_under_another_name() -> None:
    again = Trajectory(10.0, (found(30.0, name="dog-1", label="dog"), found(10.4, name="car-2")), CAMERA)
    own = replace(found(name="car-1"), label="my car", gain_db=-3.0, selected=False)
    own = replace(own, keys=(*own.keys[:40], edit(own.keys[40].t_s, 20.0), *own.keys[41:]))
    merged = merge_edited(again, Trajectory(10.0, (own,), CAMERA))
    assert [source.id for source in merged.sources] == ["car-1", "dog-1"]
    mine = merged.sources[0]
    assert (mine.label, mine.gain_db, mine.selected) == ("my car", -3.0, False)
    assert mine.keys[40].azimuth_deg == 20.0
    assert mine.keys[0].azimuth_deg == pytest.approx(10.4)  # where nothing was edited the new search counts
    assert not merged.sources[1].selected


def test_two_things_are_not_mistaken_for_each_other() -> None:
    again = Trajectory(10.0, (found(-10.0, name="car-1", speed=-1.5), found(10.0, name="car-2")), CAMERA)
    before = Trajectory(10.0, (found(10.2, name="car-1"), found(-10.2, name="car-2", speed=-1.5)), CAMERA)
    merged = merge_edited(again, before)
    assert merged.source("car-1").keys[0].azimuth_deg == pytest.approx(10.0)
    assert merged.source("car-2").keys[0].azimuth_deg == pytest.approx(-10.0)


def test_what_was_added_by_hand_stays_and_what_was_only_seen_before_goes() -> None:
    added = Source("added-1", (edit(2.0, -50.0),), "bell")
    gone = replace(found(-25.0, name="cat-1", label="cat"), selected=False)
    again = Trajectory(10.0, (found(),), CAMERA)
    merged = merge_edited(again, Trajectory(10.0, (added, gone), CAMERA))
    assert [source.id for source in merged.sources] == ["added-1", "car-1"]
    assert merged.sources[0] == added
    assert [source.selected for source in merged.sources] == [True, False]


def test_ids_stay_unique() -> None:
    own = Source("car-1", (edit(2.0, -50.0),), "bell")
    merged = merge_edited(Trajectory(10.0, (found(),), CAMERA), Trajectory(10.0, (own,), CAMERA))
    assert [source.id for source in merged.sources] == ["car-1", "car-1.2"]


def test_another_field_of_view_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--hfov 80"):
        merge_edited(Trajectory(10.0, (found(),), CAMERA), Trajectory(10.0, (found(),), Camera(640, 480, 80.0)))


def test_a_reach_must_be_positive() -> None:
    with pytest.raises(InvalidInput, match="reach"):
        corrected(found(), (edit(1.0, 0.0),), CAMERA, reach_s=0.0)


def test_when_nothing_was_seen_before_and_something_now_that_is_followed() -> None:
    keys = tuple(Key(t_s, 0.0, origin="interpolated") for t_s in (0.0, 10.0))
    merged = merge_edited(
        Trajectory(10.0, (found(),), CAMERA), Trajectory(10.0, (Source("centre", keys, "centre"),), CAMERA)
    )
    assert merged.sources == (found(),)


def test_when_nothing_is_seen_now_the_edited_keys_remain() -> None:
    centre = Source("centre", tuple(Key(t_s, 0.0, origin="interpolated") for t_s in (0.0, 10.0)), "centre")
    own = Source("centre", (*centre.keys[:1], edit(5.0, 30.0)), "centre")
    assert merge_edited(Trajectory(10.0, (centre,), CAMERA), Trajectory(10.0, (own,), CAMERA)).sources == (own,)
