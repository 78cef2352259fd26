"""Where objects are, frame by frame: cameras, markers, scene strips, bones, listeners, and everything put back."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")


def followed(studio: Any, target: Any, first: int = 1, last: int = 49, **fields: Any) -> Any:
    """Return a track after all its frames were read in many slices."""
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track, name_of

    fields.setdefault("fps", Fraction(24))
    track = Track("Scene", name_of(target), Fraction(first), Fraction(last), **fields)
    sampler = Sampler([track])
    while not sampler.finished:
        sampler.step(0.0)
    assert sampler.done == sampler.total == track.n_samples
    return track


def azimuths(track: Any) -> list[float]:
    return [key[1] for key in track.keys]


def test_from_left_to_right(studio: Any) -> None:
    studio.camera()
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    track = followed(studio, car)
    assert len(track.keys) == 49
    for number, (time_s, azimuth, elevation, distance, cut) in enumerate(track.keys):
        x = -4.0 + 8.0 * number / 48
        assert time_s == pytest.approx(number / 24, abs=1e-6)
        assert azimuth == pytest.approx(math.degrees(math.atan2(-x, 4.0)), abs=1e-3)
        assert (elevation, cut) == (pytest.approx(0.0, abs=1e-3), False)
        assert distance == pytest.approx(math.hypot(x, 4.0), abs=1e-3)


def test_frames_and_camera_are_put_back_after_every_slice(studio: Any) -> None:
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track, name_of

    studio.camera("A")
    other, chosen = studio.camera("B"), studio.camera("C")
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    scene = studio.scene
    scene.timeline_markers.new("cut", frame=20).camera = other
    scene.frame_set(33, subframe=0.25)
    scene.camera = chosen  # against the marker
    sampler = Sampler([Track("Scene", name_of(car), Fraction(1), Fraction(49), Fraction(24))])
    slices = 0
    while not sampler.finished:
        sampler.step(0.0)
        slices += 1
        assert (scene.frame_current, scene.frame_subframe, scene.camera) == (33, 0.25, chosen)
    assert slices == 49


def test_a_slice_is_about_as_long_as_it_may_be(studio: Any) -> None:
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track, name_of

    studio.camera()
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    now = [0.0]

    def clock() -> float:
        now[0] += 0.001  # each look at the clock takes a millisecond
        return now[0]

    sampler = Sampler([Track("Scene", name_of(car), Fraction(1), Fraction(1001), Fraction(24))], clock)
    sampler.step(0.02)
    assert 15 <= sampler.done <= 20
    assert sampler.longest_s == pytest.approx(0.02, abs=0.003)


def test_nothing_is_read_during_playback_or_render(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace import compat
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track, name_of

    studio.camera()
    car = studio.thing("Car", f1=(0.0, 4.0, 0.0))
    sampler = Sampler([Track("Scene", name_of(car), Fraction(1), Fraction(9), Fraction(24))])
    monkeypatch.setattr(compat, "pause_reason", lambda: "Paused during playback")
    assert sampler.step(1.0) == (0, 9)
    assert sampler.paused == "Paused during playback"
    monkeypatch.undo()
    assert sampler.step(1.0) == (9, 9)
    assert sampler.paused == ""


def test_pause_reason_sees_a_window_that_plays() -> None:
    from types import SimpleNamespace

    from foleyspace import compat

    def context(playing: bool) -> Any:
        window = SimpleNamespace(screen=SimpleNamespace(is_animation_playing=playing))
        return SimpleNamespace(window_manager=SimpleNamespace(windows=[window]))

    assert compat.pause_reason(context(True)) == "Paused during playback"
    assert compat.pause_reason(context(False)) == ""


def test_a_camera_marker_is_a_cut_and_the_shot_before_goes_on_until_it(studio: Any) -> None:
    studio.camera("Ahead")
    studio.camera("Left", yaw_deg=90.0)
    scene = studio.scene
    scene.timeline_markers.new("a", frame=1).camera = studio.bpy.data.objects["Ahead"]
    scene.timeline_markers.new("b", frame=25).camera = studio.bpy.data.objects["Left"]
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    track = followed(studio, car)
    cuts = [key for key in track.keys if key[4]]
    assert [key[0] for key in cuts] == [pytest.approx(1.0)]
    at = track.keys.index(cuts[0])
    assert cuts[0][1] == pytest.approx(-90.0, abs=1e-3)  # straight ahead of the one is to the right of the other
    before = track.keys[at - 1]
    assert before[0] == pytest.approx(1.0, abs=2e-6)
    assert before[0] < cuts[0][0]
    assert before[1] == pytest.approx(0.0, abs=1e-3)  # where it is then for the camera before
    assert len(track.keys) == 50
    assert all(later[0] > earlier[0] for earlier, later in zip(track.keys, track.keys[1:], strict=False))


def test_a_jump_that_is_animated_is_a_cut_but_steps_are_not(studio: Any) -> None:
    from foleyspace import compat

    studio.camera()
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f20=(-3.0, 4.0, 0.0), f30=(4.0, 4.0, 0.0), f49=(3.0, 4.0, 0.0))
    for curve in compat.fcurves_of(car):
        curve.keyframe_points[1].interpolation = "CONSTANT"
    assert [key[0] for key in followed(studio, car).keys if key[4]] == [pytest.approx(29 / 24)]

    stepped = studio.thing("Puppet", **{f"f{2 * n + 1}": (n - 12.0, 4.0, 0.0) for n in range(25)})
    for curve in compat.fcurves_of(stepped):
        for point in curve.keyframe_points:
            point.interpolation = "CONSTANT"
    assert not [key for key in followed(studio, stepped).keys if key[4]]


def test_what_stands_still_needs_two_keys(studio: Any) -> None:
    studio.camera()
    track = followed(studio, studio.thing("Bell", f1=(0.0, 4.0, 1.0)), last=1001)
    assert [key[0] for key in track.keys] == [0.0, pytest.approx(1000 / 24)]
    other = followed(studio, studio.thing("Bell 2", f1=(0.0, 4.0, 1.1)), last=1001)
    assert track.digest != other.digest
    assert track.digest == followed(studio, studio.bpy.data.objects["Bell"], last=1001).digest


def test_units_and_distance_scale(studio: Any) -> None:
    studio.camera()
    bell = studio.thing("Bell", f1=(0.0, 4.0, 0.0))
    studio.scene.unit_settings.scale_length = 0.01
    assert followed(studio, bell).keys[0][3] == pytest.approx(0.04)
    assert followed(studio, bell, distance_scale=50.0).keys[0][3] == pytest.approx(2.0)


def test_an_object_may_listen_and_looks_along_its_minus_y(studio: Any) -> None:
    from foleyspace.tracks import name_of

    studio.camera()
    head = studio.thing("Head", f1=(0.0, 0.0, 0.0))
    bell = studio.thing("Bell", f1=(2.0, 0.0, 0.0))
    assert azimuths(followed(studio, bell, listener=name_of(head)))[0] == pytest.approx(90.0)
    head.rotation_euler[2] = math.radians(90.0)  # now it looks along +X
    assert azimuths(followed(studio, bell, listener=name_of(head)))[0] == pytest.approx(0.0, abs=1e-3)


def test_a_bone(studio: Any) -> None:
    bpy = studio.bpy
    studio.camera()
    armature = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", armature)
    rig.location = (1.0, 4.0, 0.0)
    studio.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.edit_bones.new("Mouth")
    bone.head, bone.tail = (-1.0, 0.0, 3.0), (-1.0, -1.0, 3.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["Mouth"].location = (0.0, 0.0, 0.0)
    track = followed(studio, rig, bone="Mouth")
    assert track.keys[0][1:4] == pytest.approx((0.0, math.degrees(math.atan2(3, 4)), 5.0), abs=1e-3)
    assert followed(studio, rig, bone="Tail").error == "Rig has no bone Tail; choose another"


def test_hidden_is_followed_disabled_is_refused(studio: Any) -> None:
    studio.camera()
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    car.hide_set(True)
    assert azimuths(followed(studio, car))[-1] == pytest.approx(-45.0, abs=1e-3)
    car.hide_set(False)
    car.hide_viewport = True
    assert "disabled in viewports" in followed(studio, car).error


def test_without_camera_or_in_no_scene(studio: Any) -> None:
    bell = studio.thing("Bell", f1=(0.0, 4.0, 0.0))
    assert "has no camera" in followed(studio, bell).error
    studio.camera()
    stray = studio.bpy.data.objects.new("Stray", None)
    assert "neither in the scene" in followed(studio, stray).error


def test_removed_meanwhile(studio: Any) -> None:
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track, name_of

    studio.camera()
    car = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0))
    track = Track("Scene", name_of(car), Fraction(1), Fraction(49), Fraction(24))
    sampler = Sampler([track])
    sampler.step(0.0)
    studio.bpy.data.objects.remove(car)
    while not sampler.finished:
        sampler.step(0.0)
    assert track.error == "Car was removed or renamed meanwhile; try again"


class TestSceneStrips:
    """The sequencer edits shots that are scenes of their own."""

    @pytest.fixture
    def shot(self, studio: Any) -> Any:
        """A scene of its own, 101 to 200, in which the car drives from left to right."""
        bpy = studio.bpy
        shot = bpy.data.scenes.new("Shot")
        shot.frame_start, shot.frame_end, shot.render.fps = 101, 200, 24
        for name, yaw_deg in (("Front", 0.0), ("Side", 90.0)):
            camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
            camera.rotation_euler = (math.pi / 2, 0.0, math.radians(yaw_deg))
            shot.collection.objects.link(camera)
        shot.camera = bpy.data.objects["Front"]
        studio.car = studio.thing("Car", shot, f101=(-4.0, 4.0, 0.0), f200=(4.0, 4.0, 0.0))
        return shot

    def strip(self, studio: Any, shot: Any, name: str, frame: int, channel: int = 1) -> Any:
        from foleyspace import compat

        editor = studio.scene.sequence_editor_create()
        return compat.top(editor).new_scene(name=name, scene=shot, channel=channel, frame_start=frame)

    def expected(self, shot_frame: float) -> float:
        return math.degrees(math.atan2(-(-4.0 + 8.0 * (shot_frame - 101) / 99), 4.0))

    def test_frames_are_those_of_the_shot(self, studio: Any, shot: Any) -> None:
        self.strip(studio, shot, "one", 11)
        track = followed(studio, studio.car, 21, 31)
        assert azimuths(track) == pytest.approx([self.expected(111 + n) for n in range(11)], abs=1e-2)
        assert (shot.frame_current, studio.scene.frame_current) == (1, 1)

    def test_trimmed_and_offset_and_topmost(self, studio: Any, shot: Any) -> None:
        from foleyspace import compat

        lower = self.strip(studio, shot, "lower", 1)
        upper = self.strip(studio, shot, "upper", 1, channel=2)
        compat.set_left(upper, 41)
        compat.set_trim_start(upper, 10)
        lower.mute = False
        track = followed(studio, studio.car, 31, 51)
        start = 101 - int(compat.content_start(upper)) + 10
        wanted = [self.expected(f + 100) for f in range(31, 41)]
        assert azimuths(track)[:10] == pytest.approx(wanted, abs=1e-2)
        later = [key for key in track.keys if key[0] >= 10 / 24 - 1e-7]
        assert later[0][4] == (start != 100)  # from 5.2 on, what is cut off moves the start of the content along
        assert [key[1] for key in later] == pytest.approx([self.expected(f + start) for f in range(41, 52)], abs=1e-2)

    def test_the_strips_own_camera_and_cuts(self, studio: Any, shot: Any) -> None:
        from foleyspace import compat

        first, second = self.strip(studio, shot, "first", 1), self.strip(studio, shot, "second", 1, channel=2)
        compat.set_left(second, 25)
        second.scene_camera = studio.bpy.data.objects["Side"]
        compat.set_right(first, 25)
        track = followed(studio, studio.car, 1, 49)
        cuts = [number for number, key in enumerate(track.keys) if key[4]]
        assert [track.keys[number][0] for number in cuts] == [pytest.approx(1.0)]
        here, before = track.keys[cuts[0]], track.keys[cuts[0] - 1]
        assert here[1] == pytest.approx(self.expected(125) - 90.0, abs=1e-2)
        assert before[1] == pytest.approx(self.expected(125), abs=1e-2)

    def test_a_gap_is_a_cut(self, studio: Any, shot: Any) -> None:
        from foleyspace import compat

        first = self.strip(studio, shot, "first", 1)
        compat.set_right(first, 11)
        self.strip(studio, shot, "second", 21, channel=2)
        track = followed(studio, studio.car, 1, 31)
        assert [key[0] for key in track.keys if key[4]] == [pytest.approx(20 / 24)]
        assert not [key for key in track.keys if 9.5 / 24 < key[0] < 19.5 / 24]

    def test_a_shot_is_held_beyond_its_ends(self, studio: Any, shot: Any) -> None:
        from foleyspace import compat

        strip = self.strip(studio, shot, "one", 11)
        compat.set_left(strip, 5)
        compat.set_right(strip, 121)
        assert azimuths(followed(studio, studio.car, 5, 12))[:2] == pytest.approx([self.expected(101)] * 2, abs=1e-2)
        assert azimuths(followed(studio, studio.car, 115, 120))[0] == pytest.approx(self.expected(200), abs=1e-2)

    def test_a_shot_that_plays_backwards_is_refused(self, studio: Any, shot: Any) -> None:
        self.strip(studio, shot, "one", 1).use_reverse_frames = True
        assert "reversed" in followed(studio, studio.car, 1, 9).error

    def test_a_shot_that_is_split_in_two_without_a_jump_is_no_cut(self, studio: Any, shot: Any) -> None:
        from foleyspace import compat

        first, second = self.strip(studio, shot, "first", 1), self.strip(studio, shot, "second", 1, channel=2)
        compat.set_right(first, 25)
        compat.set_left(second, 25)
        assert not [key for key in followed(studio, studio.car, 1, 49).keys if key[4]]
