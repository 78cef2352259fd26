"""Trajectories as animated Empties: where they are, for the camera, and what they sound like again."""

from __future__ import annotations

import math

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import compat, empties, frames  # noqa: E402

FPS = 24.0


def key(t_s, azimuth_deg, elevation_deg=0.0, distance_m=4.0, **more):
    return {"t_s": t_s, "azimuth_deg": azimuth_deg, "elevation_deg": elevation_deg, "distance_m": distance_m, **more}


def document(*sources):
    return {
        "schema": "foleyspace.trajectory/1",
        "duration_s": 8.0,
        "sources": [
            {"id": name, "label": name, "confidence": 0.5, "selected": True, "keys": list(keys)}
            for name, keys in sources
        ],
    }


def planned(found, first=1, last=192, fps=FPS, units_per_m=1.0, budget_s=1.0):
    plan = empties.Plan(found, first, last, fps, units_per_m)
    while plan.step(budget_s):
        pass
    return plan.sources


def heard(studio, camera, item, frame):
    """Return azimuth, elevation and distance of an object for the camera at a frame, through the whole of Blender."""
    scene = studio.scene
    whole = math.floor(frame)
    scene.frame_set(whole, subframe=frame - whole)
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    place = item.evaluated_get(graph).matrix_world.translation
    return frames.angles(*frames.seen_from(place, camera.evaluated_get(graph).matrix_world, frames.CAMERA))


def great_circle_deg(one, two):
    (a, b, _), (c, d, _) = one, two
    a, b, c, d = map(math.radians, (a, b, c, d))
    cosine = math.sin(b) * math.sin(d) + math.cos(b) * math.cos(d) * math.cos(a - c)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


@pytest.mark.parametrize(("yaw_deg", "scale"), [(0.0, 1.0), (70.0, 1.0), (-120.0, 3.0)])
def test_an_empty_is_heard_where_the_trajectory_says(studio, yaw_deg, scale):
    camera = studio.camera(location=(3, -2, 1.6), yaw_deg=yaw_deg)
    camera.scale = (scale, scale, scale)
    bpy.context.view_layer.update()
    found = document(("car-1", [key(0.0, 30.0, 5.0, 10.0), key(4.0, -20.0, -3.0, 2.5), key(8.0, -80.0, 0.0, 6.0)]))
    made = empties.make(studio.scene, camera, "movie", planned(found, first=11, last=202))
    item = made["car-1"]
    assert item.parent == camera
    for t_s, azimuth, elevation, distance in ((0.0, 30, 5, 10), (4.0, -20, -3, 2.5)):
        was = heard(studio, camera, item, 11 + t_s * FPS)
        assert was[:2] == pytest.approx((azimuth, elevation), abs=empties.TOLERANCE_DEG)
        assert was[2] == pytest.approx(distance, rel=empties.TOLERANCE_RATIO - 1.0)


def test_between_keys_it_stays_within_the_tolerance_and_has_few_keys(studio):
    camera = studio.camera()
    start, end = (60.0, 0.0, 8.0), (-60.0, 0.0, 1.0)
    found = document(("car", [key(0.0, *start), key(8.0, *end)]))
    source = planned(found)[0]
    item = empties.make(studio.scene, camera, "movie", [source])["car"]
    assert 5 < len(source.frames) < 60  # of 192
    for frame in range(1, 193):
        share = (frame - 1) / (8.0 * FPS)
        truth = (60.0 - 120.0 * share, 0.0, 8.0 * (1.0 / 8.0) ** share)  # horizontal great circle, log distance
        was = heard(studio, camera, item, frame)
        assert great_circle_deg(was, truth) < empties.TOLERANCE_DEG + 0.01
        assert 1.0 / 1.0501 < was[2] / truth[2] < 1.0501


def test_a_still_source_has_two_keys(studio):
    source = planned(document(("tap", [key(n * 0.12, 10.0, 2.0, 3.0) for n in range(65)])))[0]
    assert source.frames == [1, 192]


def test_cuts_jump(studio):
    camera = studio.camera()
    found = document(("dog", [key(0.0, 40.0), key(2.0, 20.0), key(2.5, -30.0, cut=True), key(8.0, -30.0)]))
    item = empties.make(studio.scene, camera, "movie", planned(found))["dog"]
    cut = 1 + 2.5 * FPS
    assert heard(studio, camera, item, cut - 1)[0] == pytest.approx(20.0, abs=0.6)
    assert heard(studio, camera, item, cut - 0.1)[0] == pytest.approx(20.0, abs=0.6), "held until the cut"
    assert heard(studio, camera, item, cut)[0] == pytest.approx(-30.0, abs=0.6)
    assert empties.jumps(item) == {cut}


def test_a_cut_between_frames_is_at_the_next_frame(studio):
    found = document(("dog", [key(0.0, 40.0), key(1.01, -30.0, cut=True)]))
    source = planned(found, last=48)[0]
    assert [frame for frame, hold in zip(source.frames, source.holds, strict=True) if hold] == [25]
    assert 26 in source.frames


def test_every_frame_may_be_a_cut(studio):
    keys = [key(n / FPS, 40.0 * (-1) ** n, cut=n > 0) for n in range(10)]
    source = planned(document(("strobe", keys)), last=10)[0]
    assert source.frames == list(range(1, 11))
    assert source.holds == [True] * 9 + [False]


def test_metres_become_units(studio):
    camera = studio.camera()
    item = empties.make(studio.scene, camera, "m", planned(document(("a", [key(0, 0, 0, 5)])), units_per_m=100.0))["a"]
    assert heard(studio, camera, item, 1)[2] == pytest.approx(500.0, rel=1e-5)


def test_work_comes_in_slices(studio):
    keys = [key(n * 0.1, 50.0 * math.sin(n / 7.0), 5.0 * math.cos(n / 3.0), 3.0 + n % 5) for n in range(3000)]
    plan = empties.Plan(document(("long", keys), ("other", keys)), 1, 7200, FPS)
    slices = 1
    while plan.step(0.001):
        slices += 1
    assert slices > 5
    assert len(plan.sources) == 2
    assert plan.sources[0].frames == sorted(set(plan.sources[0].frames))
    assert (plan.sources[0].frames[0], plan.sources[0].frames[-1]) == (1, 7200)


def test_slices_do_not_change_what_is_found(studio):
    keys = [key(n * 0.12, 0.3 * n, 0.0, 3.0) for n in range(600)]
    at_once = planned(document(("a", keys)), last=1700)
    sliced = planned(document(("a", keys)), last=1700, budget_s=0.0001)
    assert at_once == sliced


def test_again_keys_the_same_empties_anew(studio):
    camera = studio.camera()
    first = empties.make(studio.scene, camera, "m", planned(document(("a", [key(0, 10)]), ("b", [key(0, 20)]))))
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    studio.bind(strip, first["a"])
    second = empties.make(studio.scene, camera, "m", planned(document(("a", [key(0, -50)]))))
    assert second["a"] == strip.foleyspace.target, "bindings stay"
    assert heard(studio, camera, second["a"], 1)[0] == pytest.approx(-50.0, abs=0.01)
    assert "b" not in bpy.data.objects, "what is not there any more is gone"
    other = empties.make(studio.scene, camera, "another movie", planned(document(("a", [key(0, 0)]))))
    assert other["a"] != second["a"]
    assert len(empties.found_in(studio.scene, "m")) == 1


def test_what_a_strip_is_bound_to_is_never_removed(studio):
    camera = studio.camera()
    made = empties.make(studio.scene, camera, "m", planned(document(("a", [key(0, 10)]))))
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    studio.bind(strip, made["a"])
    empties.make(studio.scene, camera, "m", planned(document(("b", [key(0, 10)]))))
    assert strip.foleyspace.target is not None
    assert "a" in bpy.data.objects


def test_interpolation_is_straight_and_editable(studio):
    camera = studio.camera()
    item = empties.make(studio.scene, camera, "m", planned(document(("a", [key(0, 10), key(8, -10)]))))["a"]
    curves = [curve for curve in compat.fcurves_of(item) if curve.data_path == "location"]
    assert len(curves) == 3
    assert {point.interpolation for curve in curves for point in curve.keyframe_points} == {"LINEAR"}
    curves[0].keyframe_points[0].co.y += 1.0  # as an editor does
    curves[0].update()
    assert heard(studio, camera, item, 1)[0] != pytest.approx(10.0, abs=1.0)
