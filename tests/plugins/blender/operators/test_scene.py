"""All bound strips of a scene, of which only those are rendered that changed."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")


def test_the_scene_renders_only_what_changed(studio, desk, host):
    studio.camera()
    one, other = desk.bound("one", 1, 1), desk.bound("other", 30, 3)
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    files = {strip.name: strip.foleyspace.result_path for strip in (one, other)}
    assert all(Path(path).is_file() for path in files.values())
    made = {strip.name: strip.foleyspace.result_uuid for strip in (one, other)}

    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert {strip.name: strip.foleyspace.result_uuid for strip in (one, other)} == made, "nothing was done again"

    item = other.foleyspace.target
    item.location.y = 2.0
    item.keyframe_insert("location", frame=40)
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert one.foleyspace.result_path == files["one"]
    assert other.foleyspace.result_path != files["other"]
    assert len(desk.results()) == 2

    studio.scene.foleyspace.spread = 1.5
    assert one.foleyspace.state == "CHANGED"
    studio.scene.foleyspace.spread = 1.0
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert one.foleyspace.state == "DONE"
    assert one.foleyspace.result_path == files["one"], "it sounds as it did"

    assert bpy.ops.foleyspace.spatialize_scene(everything=True) == {"FINISHED"}
    assert one.foleyspace.result_path != files["one"]
    assert len(desk.results()) == 2


def test_the_frame_range_alone(studio, desk, host):
    studio.camera()
    early, late = desk.bound("early", 1, 1), desk.bound("late", 200, 1)
    studio.scene.foleyspace.use_range = True
    studio.scene.frame_start, studio.scene.frame_end = 1, 100
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert early.foleyspace.state == "DONE"
    assert late.foleyspace.state == "BOUND"
    studio.scene.frame_start, studio.scene.frame_end = 400, 500
    with pytest.raises(RuntimeError, match="No bound strip lies in the frame range"):
        bpy.ops.foleyspace.spatialize_scene()


def test_one_strip_that_fails_does_not_hold_up_the_others(studio, desk, host):
    studio.camera()
    good, bad = desk.bound("good", 1, 1), desk.bound("bad", 60, 1)
    (studio.folder / "bad.wav").unlink()
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert good.foleyspace.state == "DONE"
    assert bad.foleyspace.state == "FAILED"
    assert bad.foleyspace.error
    studio.sound(studio.noise(1.0, seed=3), "bad.wav")
    assert bpy.ops.foleyspace.spatialize_scene() == {"FINISHED"}
    assert bad.foleyspace.state == "DONE"
    assert bad.foleyspace.error == ""
