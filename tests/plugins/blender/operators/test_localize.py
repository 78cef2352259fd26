"""Movie strips are looked through, and what is found is animated, corrected and heard."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import compat  # noqa: E402


def test_localize_then_correct_then_spatialize(studio, desk, pretending):
    camera = studio.camera(location=(1, 2, 3), yaw_deg=40.0)
    movie, sound = desk.film(frame=11)
    desk.select(movie)
    assert bpy.ops.foleyspace.localize() == {"FINISHED"}
    horse, tree = bpy.data.objects["horse-1"], bpy.data.objects["tree-1"]
    assert horse.parent == tree.parent == camera
    assert sound.foleyspace.target == horse
    assert sound.foleyspace.listener == camera
    assert sound.foleyspace.extent_deg == 12.0

    sound.foleyspace.extent_deg = 0.0
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}, "the movie's sound is meant"
    heard = studio.listen(first=11, last=58)
    quarter = heard.shape[1] // 4
    assert desk.ild_db(heard[:, :quarter]) > 3.0, "from the left"
    assert desk.ild_db(heard[:, -quarter:]) < -3.0, "to the right"

    for curve in compat.fcurves_of(horse):  # the editor corrects: it stays on the right
        if curve.array_index == 0:
            for point in curve.keyframe_points:
                point.co.y = abs(point.co.y) + 2.0
            curve.update()
    desk.select(sound)
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    heard = studio.listen(first=11, last=58)
    assert desk.ild_db(heard[:, :quarter]) < -3.0
    assert desk.ild_db(heard[:, -quarter:]) < -3.0


def test_localize_without_a_camera_makes_one_that_sees_as_the_film_does(studio, desk, pretending):
    movie, _ = desk.film()
    studio.scene.foleyspace.hfov_deg = 75.0
    studio.scene.foleyspace.label = "dog"
    desk.select(movie)
    assert bpy.ops.foleyspace.localize() == {"FINISHED"}
    camera = studio.scene.camera
    assert np.degrees(camera.data.angle) == pytest.approx(75.0, abs=1e-3)
    assert bpy.data.objects["dog-1"].parent == camera


def test_localize_leaves_bound_sounds_alone(studio, desk, pretending):
    studio.camera()
    movie, sound = desk.film()
    thing = studio.thing("Car")
    studio.bind(sound, thing)
    desk.select(movie)
    bpy.ops.foleyspace.localize()
    assert sound.foleyspace.target == thing
    studio.scene.foleyspace.bind_localized = False
    sound.foleyspace.target = None
    bpy.ops.foleyspace.localize()
    assert sound.foleyspace.target is None


def test_localize_needs_a_movie(studio, desk):
    desk.select(studio.strip(studio.sound(studio.noise(1.0))))
    with pytest.raises(RuntimeError, match="Select one or more movie strips"):
        bpy.ops.foleyspace.localize()


@pytest.mark.timeout(600)  # the host looks through a video, on a machine that may be busy
def test_a_real_video(studio, desk, host):
    """The demo's horse goes from left to right, and is heard so."""
    path = studio.folder / "horse.mp4"
    program = Path(os.environ["FOLEYSPACE_COMMAND"])
    python = next((found for found in program.parent.glob("python*") if found.stem == "python"), None)
    if python is None:
        pytest.skip("the host's Python is not beside its program")
    code = "from pathlib import Path; from foleyspace_host.demo.scene import write_clip; write_clip(Path('horse.mp4'))"
    subprocess.run([python, "-c", code], check=True, cwd=studio.folder)
    studio.fps(25)
    studio.camera(yaw_deg=25.0)
    movie, sound = desk.film(path)
    desk.select(movie)
    assert bpy.ops.foleyspace.localize() == {"FINISHED"}
    assert sound.foleyspace.target.name.startswith("horse")
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    heard = studio.listen(first=1, last=192)
    quarter = heard.shape[1] // 4
    assert desk.ild_db(heard[:, :quarter]) > 1.0
    assert desk.ild_db(heard[:, -quarter:]) < -1.0
