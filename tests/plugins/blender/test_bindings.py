"""Bindings survive saving and reopening, and copies of strips are told apart."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat  # noqa: E402


@pytest.fixture
def steps(studio):
    """A bound strip of two seconds."""
    path = studio.sound(studio.noise(2.0))
    strip = studio.strip(path, frame=10)
    studio.bind(strip, studio.thing("Car", f1=(0, 5, 0)))
    return strip


def copy(studio, strip, name="", frame=None, channel=5):
    """Copy a strip as Blender does: with all that is stored on it."""
    other = studio.strip(studio.folder / "steps.wav", frame=frame or compat.left(strip), channel=channel)
    other.name = name or f"{strip.name}.001"
    for key in ("uuid", "owner", "role", "state", "error", "content_hash", "result_uuid", "result_path", "source_uuid"):
        setattr(other.foleyspace, key, getattr(strip.foleyspace, key))
    if strip.foleyspace.role == "SOURCE":
        target, state = strip.foleyspace.target, strip.foleyspace.state
        other.foleyspace.target, other.foleyspace.state = target, state
    return other


def rendered(studio, strip, channel=2):
    """Give a strip a result."""
    result = studio.strip(studio.folder / "steps.wav", frame=compat.left(strip), channel=channel, name="placed")
    bindings.link_result((studio.scene, strip), (studio.scene, result), "abc", "/somewhere/placed.wav")
    return result


def test_an_object_makes_a_strip_a_source(studio):
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    assert strip.foleyspace.role == "NONE"
    assert not strip.foleyspace.uuid
    strip.foleyspace.target = studio.thing()
    assert strip.foleyspace.role == "SOURCE"
    assert len(strip.foleyspace.uuid) == 32
    assert strip.foleyspace.state == "BOUND"
    strip.foleyspace.target = None
    assert strip.foleyspace.role == "NONE"


def test_another_object_takes_no_bone_along(steps, studio):
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    steps.foleyspace.target, steps.foleyspace.bone = armature, "hand"
    steps.foleyspace.target = studio.thing("Other")
    assert steps.foleyspace.bone == ""


def test_what_was_localized_is_heard_by_the_camera_that_it_was_keyed_for(studio):
    camera, other = studio.camera(), studio.camera("Other")
    item = studio.thing("horse-1")
    item.parent, item["foleyspace_source"] = other, "horse-1"
    strip = studio.strip(studio.sound(studio.noise(1.0)))
    strip.foleyspace.target = item
    assert strip.foleyspace.listener == other
    strip.foleyspace.listener = camera
    strip.foleyspace.target = None
    strip.foleyspace.target = item
    assert strip.foleyspace.listener == camera, "as the editor chose"


def test_results_are_told_from_sources_by_their_colour(steps, studio):
    assert rendered(studio, steps).color_tag == bindings.RESULT_COLOUR != steps.color_tag


def test_survives_save_and_reopen(steps, studio):
    wanted = steps.foleyspace.uuid
    steps.foleyspace.gain_db = -3.5
    result_id = rendered(studio, steps).foleyspace.uuid
    path = studio.save()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert bindings.find(wanted) is None
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene, strip = bindings.find(wanted)
    assert (scene.name, strip.name) == ("Scene", "steps")
    assert strip.foleyspace.target == bpy.data.objects["Car"]
    assert strip.foleyspace.state == "DONE"
    assert strip.foleyspace.content_hash == "abc"
    assert strip.foleyspace.gain_db == pytest.approx(-3.5)
    result = bindings.result_of(strip)
    assert result.foleyspace.uuid == result_id
    assert bindings.source_of(result) == strip


def test_an_object_that_is_deleted_leaves_a_binding_without_one(steps, studio):
    rendered(studio, steps)
    bpy.data.objects.remove(bpy.data.objects["Car"])
    assert steps.foleyspace.target is None
    assert bindings.sources(studio.scene) == [steps]  # so that the list can say that its object is gone


def test_a_copy_gets_an_id_of_its_own(steps, studio):
    before = steps.foleyspace.uuid
    bindings.ensure(studio.scene, steps)
    result = rendered(studio, steps)
    other = copy(studio, steps, frame=100)
    assert bindings.reconcile() > 0
    assert steps.foleyspace.uuid == before
    assert bindings.result_of(steps) == result
    assert other.foleyspace.uuid not in ("", before)
    assert other.foleyspace.target == steps.foleyspace.target
    assert other.foleyspace.state == "BOUND"
    assert other.foleyspace.result_uuid == ""
    assert bindings.reconcile() == 0


def test_the_original_is_the_one_with_the_name_the_id_was_given_to(steps, studio):
    bindings.ensure(studio.scene, steps)
    before = steps.foleyspace.uuid
    first = copy(studio, steps, name="a copy that comes first", frame=300)
    bindings.reconcile()
    assert steps.foleyspace.uuid == before != first.foleyspace.uuid


def test_a_renamed_strip_keeps_its_id(steps, studio):
    bindings.ensure(studio.scene, steps)
    before = steps.foleyspace.uuid
    steps.name = "footsteps"
    bindings.reconcile()
    assert steps.foleyspace.uuid == before
    other = copy(studio, steps, name="steps", frame=200)  # takes the old name
    bindings.reconcile()
    assert steps.foleyspace.uuid == before != other.foleyspace.uuid


def test_a_result_copied_with_its_source_stays_its_result(steps, studio):
    result = rendered(studio, steps)
    other, made = copy(studio, steps, channel=5), copy(studio, result, channel=6)
    bindings.reconcile()
    assert bindings.result_of(steps) == result
    assert bindings.result_of(other) == made
    assert bindings.source_of(made) == other
    assert other.foleyspace.state == "DONE"


def test_a_result_copied_alone_is_an_ordinary_strip(steps, studio):
    result = rendered(studio, steps)
    made = copy(studio, result, channel=6, frame=400)
    bindings.reconcile()
    assert made.foleyspace.role == "NONE"
    assert result.foleyspace.role == "RESULT"


def test_a_deleted_result_is_noticed(steps, studio):
    compat.remove(studio.scene.sequence_editor, rendered(studio, steps))
    bindings.reconcile()
    assert steps.foleyspace.state == "BOUND"
    assert steps.foleyspace.result_uuid == ""


def test_a_result_without_its_source_is_an_ordinary_strip(steps, studio):
    result = rendered(studio, steps)
    compat.remove(studio.scene.sequence_editor, steps)
    bindings.reconcile()
    assert result.foleyspace.role == "NONE"


def test_copied_scenes_have_bindings_of_their_own(steps, studio):
    rendered(studio, steps)
    before = steps.foleyspace.uuid
    copied = bpy.data.scenes["Scene"].copy()
    assert copied.sequence_editor is not None, "a copied scene has the strips too"
    bindings.reconcile()
    ids = [strip.foleyspace.uuid for _, strip in bindings.all_strips()]
    assert len(ids) == 4 == len(set(ids))
    assert bindings.find(before)[0].name == "Scene"
    twin = next(strip for strip in bindings.sources(copied))
    assert bindings.result_of(twin) in list(compat.every(copied.sequence_editor))


def test_saving_puts_bindings_in_order(steps, studio):
    bindings.ensure(studio.scene, steps)
    copy(studio, steps, frame=100)
    studio.save()
    ids = [strip.foleyspace.uuid for _, strip in bindings.all_strips()]
    assert len(set(ids)) == 2


def test_unbinding_leaves_two_ordinary_strips(steps, studio):
    result = rendered(studio, steps)
    bindings.unbind(steps)
    assert steps.foleyspace.role == result.foleyspace.role == "NONE"
    assert steps.foleyspace.target is None
    assert bindings.sources(studio.scene) == []


def test_sources_in_the_frame_range_in_order_of_time(steps, studio):
    late = copy(studio, steps, frame=200)
    early = copy(studio, steps, name="early", frame=1, channel=6)
    studio.scene.frame_start, studio.scene.frame_end = 1, 60
    assert bindings.sources(studio.scene) == [early, steps, late]
    assert bindings.sources(studio.scene, in_range=True) == [early, steps]
    studio.scene.use_preview_range = True
    studio.scene.frame_preview_start, studio.scene.frame_preview_end = 210, 300
    assert bindings.sources(studio.scene, in_range=True) == [late]


def test_the_row_of_the_list_is_the_active_strip(steps, studio):
    other = copy(studio, steps, frame=200)
    scene = studio.scene
    rows = [strip.name for strip in compat.every(scene.sequence_editor)]
    scene.foleyspace.active_row = rows.index(other.name)
    assert scene.sequence_editor.active_strip == other
    assert other.select
    assert not steps.select
    compat.set_active(scene.sequence_editor, steps)
    assert scene.foleyspace.active_row == rows.index(steps.name)


def test_settings_make_what_is_rendered_changed(steps, studio):
    rendered(studio, steps)
    studio.scene.foleyspace.room = "hall"
    assert steps.foleyspace.state == "CHANGED"
    steps.foleyspace.state = "DONE"
    steps.foleyspace.gain_db = 2.0
    assert steps.foleyspace.state == "CHANGED"
