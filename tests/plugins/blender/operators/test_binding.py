"""What is done with one binding."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat  # noqa: E402


def test_select_jump_and_unbind(studio, desk, host):
    studio.camera()
    one, other = desk.bound("one", 1, 1), desk.bound("other", 50, 1)
    bpy.ops.foleyspace.spatialize_scene()
    made = bindings.result_of(other)
    assert bpy.ops.foleyspace.select(uuid=other.foleyspace.uuid) == {"FINISHED"}
    assert other.select
    assert made.select
    assert not one.select
    assert studio.scene.sequence_editor.active_strip == other
    assert bpy.ops.foleyspace.jump(uuid=one.foleyspace.uuid) == {"FINISHED"}
    assert studio.scene.frame_current == 1
    assert studio.scene.sequence_editor.active_strip == one
    assert bpy.ops.foleyspace.select_object() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active.name == "one car"
    assert bpy.ops.foleyspace.select_object(target="other car") == {"FINISHED"}
    assert bpy.context.view_layer.objects.active.name == "other car"

    assert bpy.ops.foleyspace.unbind(uuid=other.foleyspace.uuid) == {"FINISHED"}
    assert other.foleyspace.role == "NONE"
    assert not other.mute
    assert [strip.foleyspace.source_uuid for strip in desk.results()] == [one.foleyspace.uuid]
    assert bpy.ops.foleyspace.unbind(keep_result=True) == {"FINISHED"}
    assert one.mute
    assert desk.results() == []
    assert len(list(compat.every(studio.scene.sequence_editor))) == 3


def test_bind_to_the_active_object(studio, desk):
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    desk.select(strip)
    thing = studio.thing("Bird")
    bpy.context.view_layer.objects.active = thing
    assert bpy.ops.foleyspace.bind_object() == {"FINISHED"}
    assert strip.foleyspace.target == thing
    assert strip.foleyspace.role == "SOURCE"
