"""Selected strips sound from where their objects are."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat, running  # noqa: E402


def test_spatialize_the_selected_strips(studio, desk, host):
    studio.camera()
    one, other = desk.bound("one", 1, 1), desk.bound("other", 30, 3)
    plain = studio.strip(studio.sound(studio.noise(1.0), "plain.wav"), frame=60)
    desk.select(one, other)
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    assert len(desk.results()) == 2
    assert one.mute
    assert other.mute
    assert not plain.mute
    for strip in (one, other):
        made = bindings.result_of(strip)
        assert (compat.left(made), compat.right(made)) == (compat.left(strip), compat.right(strip))
        assert strip.foleyspace.state == "DONE"


def test_strips_without_an_object_take_that_of_the_active_one(studio, desk, host):
    studio.camera()
    active = desk.bound("active", 1, 1)
    free = studio.strip(studio.sound(studio.noise(1.0, seed=5), "free.wav"), frame=40, channel=3)
    desk.select(active, free)
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    assert free.foleyspace.target == active.foleyspace.target
    assert len(desk.results()) == 2


def test_an_object_by_name_for_scripts(studio, desk, host):
    studio.camera()
    studio.thing("Dog", f1=(3, 3, 0))
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    desk.select(strip)
    assert bpy.ops.foleyspace.spatialize(target="Dog") == {"FINISHED"}
    assert strip.foleyspace.target.name == "Dog"
    assert bindings.result_of(strip)
    with pytest.raises(RuntimeError, match="no object called Cat"):
        bpy.ops.foleyspace.spatialize(target="Cat")


def test_a_selected_result_means_its_source(studio, desk, host):
    studio.camera()
    strip = desk.bound("one", 1, 1)
    desk.select(strip)
    bpy.ops.foleyspace.spatialize()
    desk.select(desk.results()[0])
    strip.foleyspace.target.location.z = 3.0
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    assert len(desk.results()) == 1


@pytest.mark.parametrize(("selected", "why"), [(False, "Select one or more sound strips"), (True, "Choose the object")])
def test_what_is_missing_is_said(studio, desk, selected, why):
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    desk.select(*([strip] if selected else []))
    with pytest.raises(RuntimeError, match=why):
        bpy.ops.foleyspace.spatialize()
    assert running.current() is None


def test_nothing_without_strips(studio):
    assert not bpy.ops.foleyspace.spatialize.poll()
    assert not bpy.ops.foleyspace.spatialize_scene.poll()


def test_one_step_of_undo(studio, desk, host):
    studio.camera()
    desk.bound("one", 1, 1)
    bpy.ops.ed.undo_push(message="before")
    desk.select(bindings.sources(studio.scene)[0])
    bpy.ops.foleyspace.spatialize()
    bpy.ops.ed.undo_push(message="Spatialize")  # which the window does for an operator with UNDO
    assert len(desk.results()) == 1
    bpy.ops.ed.undo()
    assert desk.results() == []
    source = bindings.sources(studio.scene)[0]
    assert not source.mute
    assert source.foleyspace.state == "BOUND"
    assert source.foleyspace.target.name == "one car"


def test_operators_are_steps_of_undo_and_nothing_to_redo():
    from foleyspace.operators import CLASSES

    for each in CLASSES:
        if hasattr(each, "begin"):
            assert each.bl_options == {"UNDO"}
