"""The curve of a generated sound: drawn with it, edited, and followed when it is made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat, loudness  # noqa: E402

FIRST = 25
FPS = 24


@pytest.fixture
def made(studio, desk, pretending):
    """A generated strip, which is selected."""
    chosen, scene = studio.scene.foleyspace, studio.scene
    studio.save()
    chosen.prompt, chosen.duration_s, chosen.generate_seed = "steps", 1.5, 880
    scene.frame_set(FIRST)
    assert bpy.ops.foleyspace.generate() == {"FINISHED"}
    (strip,) = compat.every(scene.sequence_editor)
    desk.select(strip)
    return strip


def keys(strip):
    return compat.curve_of(strip, loudness.NAME).keyframe_points


def asked(studio) -> np.ndarray:
    """Give the curve that the host was last asked for; it hands back what it was given."""
    newest = max((studio.folder / "foleyspace").glob("*.envelope.csv"), key=lambda path: path.stat().st_mtime_ns)
    lines = newest.read_text().splitlines()
    assert lines[0] == "t_s,level_db"
    return np.array([list(map(float, line.split(","))) for line in lines[1:]])


def test_it_is_drawn_on_the_strip(made):
    drawn = keys(made)
    assert [key.co.x for key in drawn] == pytest.approx(
        [FIRST, FIRST + 12, FIRST + 12.072, FIRST + 19.92, FIRST + 19.94], abs=1e-3
    )
    assert [key.co.y for key in drawn] == pytest.approx([-100, -100, -1.2, -61.2, -100], abs=1e-4)
    assert [key.type for key in drawn] == ["KEYFRAME", "EXTREME", "KEYFRAME", "KEYFRAME", "KEYFRAME"]
    assert {key.interpolation for key in drawn} == {"LINEAR"}
    path = compat.curve_of(made, loudness.NAME).data_path
    assert path.endswith(f'["{made.name}"].foleyspace_level_db'), "as Blender finds the curves of a strip that is moved"
    bpy.context.scene.frame_set(FIRST + 12)
    assert made.foleyspace_level_db == pytest.approx(-100.0)


def test_another_engine_is_taken_where_it_is_chosen(studio, made):
    studio.scene.foleyspace.engine_name = "foley"
    made.foleyspace.made_by = ""
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    assert made.foleyspace.made_by == "Foley, licence: free for all"


def test_what_was_edited_is_followed_and_the_strip_stays(studio, made):
    name, place = made.name, (compat.left(made), compat.right(made), made.channel)
    before = made.sound.filepath
    made.volume = 0.5
    curve = compat.curve_of(made, loudness.NAME)
    while len(curve.keyframe_points) > 1:
        curve.keyframe_points.remove(curve.keyframe_points[-1])
    for frame, level_db in ((FIRST + 6, -100.0), (FIRST + 7, -3.0), (FIRST + 36, -40.0)):
        curve.keyframe_points.insert(frame, level_db).interpolation = "LINEAR"
    studio.scene.foleyspace.prompt, studio.scene.foleyspace.generate_seed = "something else", 500
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    (strip,) = compat.every(studio.scene.sequence_editor)
    expected = [[0, -100], [6 / FPS, -100], [7 / FPS, -3], [1.5, -40]]
    np.testing.assert_allclose(asked(studio), expected, atol=1e-3)
    assert (strip.name, (compat.left(strip), compat.right(strip), strip.channel)) == (name, place)
    assert strip.volume == 0.5
    assert strip.sound.filepath != before
    assert strip.foleyspace.prompt == "steps"
    assert [key.co.y for key in keys(strip)] == pytest.approx([-100, -100, -3, -40])
    assert len(bpy.data.sounds) == 1
    heard = studio.listen(first=FIRST, last=FIRST + 35)[0][:48_000]
    assert np.argmax(np.abs(np.fft.rfft(heard * np.hanning(48_000)))) == pytest.approx(500, abs=2), "it is the new one"


def test_curves_and_steps_are_followed_too(studio, made):
    curve = compat.curve_of(made, loudness.NAME)
    while len(curve.keyframe_points) > 1:
        curve.keyframe_points.remove(curve.keyframe_points[-1])
    curve.keyframe_points[0].interpolation = "CONSTANT"
    curve.keyframe_points.insert(FIRST + 12, -20.0).interpolation = "BEZIER"
    curve.keyframe_points.insert(FIRST + 24, 0.0).interpolation = "LINEAR"
    curve.update()
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    table = asked(studio)
    t_s = np.linspace(0.0, 1.5, 400)
    true = np.array([curve.evaluate(FIRST + t * FPS) for t in t_s])
    near_step = np.abs(t_s - 0.5) < 2e-3
    got = np.interp(t_s, table[:, 0], table[:, 1])
    np.testing.assert_allclose(got[~near_step], true[~near_step], atol=0.1)


def test_a_moved_and_trimmed_strip_keeps_its_times(studio, made):
    curve = compat.curve_of(made, loudness.NAME)
    compat.set_left(made, FIRST + 6)
    start = "content_start" if hasattr(made, "content_start") else "frame_start"
    setattr(made, start, getattr(made, start) + 10)
    late = FIRST + 10 - curve.keyframe_points[0].co.x  # some versions move the curve with the strip here too
    for key in curve.keyframe_points:
        key.co.x += late
    curve.update()
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    np.testing.assert_allclose(asked(studio)[:3], [[0, -100], [0.5, -100], [0.503, -1.2]], atol=1e-3)
    assert compat.left(made) == FIRST + 16


def test_a_new_curve_on_wish(studio, made):
    compat.curve_of(made, loudness.NAME).keyframe_points[0].co.y = 0.0
    studio.scene.foleyspace.follow_curve = False
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    (strip,) = compat.every(studio.scene.sequence_editor)
    assert keys(strip)[0].co.y == pytest.approx(-100.0)


def test_without_a_curve_it_is_drawn_anew(studio, made):
    compat.remove_curve(made, loudness.NAME)
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    assert len(keys(made)) == 5


def test_a_bound_one_is_spatialized_too(studio, made):
    studio.camera()
    studio.bind(made, studio.thing("Walker", f1=(-6, 1, 0)))
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    assert bindings.result_of(made) is not None
    assert made.foleyspace.state == "DONE"


def test_undo_takes_it_back_in_one_step(studio, made):
    bpy.ops.ed.undo_push(message="before")
    before = made.sound.filepath
    assert bpy.ops.foleyspace.generate_again("EXEC_DEFAULT", True) == {"FINISHED"}
    assert next(iter(compat.every(studio.scene.sequence_editor))).sound.filepath != before
    bpy.ops.ed.undo()
    (strip,) = compat.every(studio.scene.sequence_editor)
    assert strip.sound.filepath == before
    assert len(keys(strip)) == 5


def test_it_is_for_generated_strips_that_can_be_changed(studio, desk, made):
    made.lock = True
    with pytest.raises(RuntimeError, match="locked"):
        bpy.ops.foleyspace.generate_again()
    made.lock = False
    other = studio.strip(studio.sound(studio.noise(1.0)), channel=5)
    desk.select(other)
    assert not bpy.ops.foleyspace.generate_again.poll()


def test_a_film_s_sound_is_made_for_the_film_again(studio, desk, pretending):
    studio.save()
    movie, _ = desk.film(frame=5)
    compat.set_left(movie, 9)
    desk.select(movie)
    studio.scene.foleyspace.prompt = "hooves"
    assert bpy.ops.foleyspace.generate() == {"FINISHED"}
    made = next(strip for strip in compat.every(studio.scene.sequence_editor) if strip.foleyspace.made_for)
    assert keys(made)[0].co.x == pytest.approx(9.0, abs=0.01)
    desk.select(made)
    place = compat.left(made), compat.right(made)
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    assert (compat.left(made), compat.right(made)) == place
    assert Path(bpy.path.abspath(made.sound.filepath)).is_file()
