"""What a strip plays, exactly; what cannot be done with it, in a sentence; and where results go."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")


@pytest.fixture
def strip(studio: Any) -> Any:
    """Four seconds of noise from frame 11 on."""
    return studio.strip(studio.sound(studio.noise(4.0)), frame=11)


def part(studio: Any, strip: Any) -> Any:
    from foleyspace import strips

    return strips.part_of(studio.scene, strip, str(studio.folder))


def refusal(studio: Any, strip: Any) -> str:
    from foleyspace.strips import Refused

    with pytest.raises(Refused) as caught:
        part(studio, strip)
    return str(caught.value)


class TestWhatIsPlayed:
    def test_all_of_it(self, studio: Any, strip: Any) -> None:
        found = part(studio, strip)
        assert Path(found.path) == studio.folder / "steps.wav"
        assert (found.start_s, found.duration_s, found.first, found.left, found.right) == (0, 4, 11, 11, 107)
        assert found.span() == {"start": [0, 1], "duration": [4, 1]}

    def test_trimmed(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        compat.set_left(strip, 24)
        compat.set_right(strip, 60)
        found = part(studio, strip)
        assert (found.start_s, found.duration_s) == (Fraction(13, 24), Fraction(36, 24))
        assert (found.left, found.right, found.lead_s) == (24, 60, 0)

    def test_the_frame_rate_is_blenders_own(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        studio.fps(30, 1.001)
        compat.set_left(strip, 24)
        base = studio.scene.render.fps_base
        assert base != 1.001  # it has 32 bit
        assert part(studio, strip).start_s == Fraction(13) * Fraction(base) / 30

    def test_a_sound_that_begins_within_a_frame(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        compat.set_sound_offset(strip, 0.125 / 24)
        found = part(studio, strip)
        assert (found.start_s, found.left) == (0, 11)
        assert float(found.lead_s) == pytest.approx(0.125 / 24, rel=1e-6)
        assert found.first == 11 + found.lead_s * 24
        assert float(found.duration_s) == pytest.approx(4.0 - 0.125 / 24, rel=1e-6)
        compat.set_sound_offset(strip, -1.0)
        found = part(studio, strip)
        assert (found.start_s, found.first, found.duration_s) == (1, 11, 4)

    def test_a_handle_before_the_sound(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        compat.set_left(strip, 5)
        found = part(studio, strip)
        assert (found.start_s, found.first, found.left, found.duration_s) == (0, 11, 11, 4)

    def test_metas_trim_what_is_inside(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        editor = studio.scene.sequence_editor
        meta = compat.top(editor).new_meta(name="meta", channel=5, frame_start=1)
        strip.move_to_meta(meta)
        compat.set_left(meta, 1)
        compat.set_right(meta, 200)
        assert (part(studio, strip).left, part(studio, strip).right) == (11, 107)
        compat.set_left(meta, 20)
        compat.set_right(meta, 50)
        found = part(studio, strip)
        assert (found.left, found.right, found.start_s) == (20, 50, Fraction(9, 24))
        assert "select the sound strips inside" in refusal(studio, meta)

    def test_the_path_is_absolute_when_the_file_has_it_relative(self, studio: Any, strip: Any) -> None:
        studio.save()
        strip.sound.filepath = "//steps.wav"
        assert Path(part(studio, strip).path) == studio.folder / "steps.wav"

    def test_a_sound_that_is_linked_lies_beside_its_library(self, studio: Any) -> None:
        bpy = studio.bpy
        kept = studio.sound(studio.noise(1.0), "lib/bell.wav")
        sound = bpy.data.sounds.load(str(kept))
        sound.filepath = "//bell.wav"
        library = studio.folder / "lib" / "sounds.blend"
        bpy.data.libraries.write(str(library), {sound}, path_remap="NONE")
        bpy.data.sounds.remove(sound)
        with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
            wanted.sounds = ["bell.wav"]
        strip = studio.strip(studio.sound(studio.noise(1.0)))
        strip.sound = wanted.sounds[0]
        assert strip.sound.library is not None
        assert Path(part(studio, strip).path) == kept

    def test_a_packed_sound_is_written_out(self, studio: Any, strip: Any) -> None:
        original = (studio.folder / "steps.wav").read_bytes()
        strip.sound.pack()
        (studio.folder / "steps.wav").unlink()
        found = Path(part(studio, strip).path)
        assert found.parent == studio.folder
        assert found.read_bytes() == original
        assert Path(part(studio, strip).path) == found
        assert [path.suffix for path in studio.folder.glob("steps-*")] == [".wav"]


class TestWhatIsRefused:
    def test_a_missing_file(self, studio: Any, strip: Any) -> None:
        (studio.folder / "steps.wav").unlink()
        assert refusal(studio, strip) == f"Its file is missing: {studio.folder / 'steps.wav'}"

    def test_no_sound_at_all(self, studio: Any, strip: Any) -> None:
        strip.sound = None
        assert "has no sound" in refusal(studio, strip)

    def test_retimed(self, studio: Any, strip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from foleyspace import compat

        assert not compat.is_retimed(strip)
        if studio.bpy.app.version >= (5, 2, 0):
            studio.bpy.context.workspace.sequencer_scene = studio.scene
            strip.retiming_keys.add(timeline_frame=30)
        else:  # to add such a key without a window ends these versions
            monkeypatch.setattr(compat, "is_retimed", lambda _strip: True)
        assert "retimed" in refusal(studio, strip)

    def test_nothing_of_it_is_heard(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        compat.set_left(strip, 1)
        compat.set_right(strip, 9)
        assert "between its handles" in refusal(studio, strip)

    def test_another_kind_of_strip(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat

        shot = compat.top(studio.scene.sequence_editor).new_scene(
            name="shot", scene=studio.bpy.data.scenes.new("Shot"), channel=3, frame_start=1
        )
        assert "not a sound strip" in refusal(studio, shot)

    def test_locked(self, studio: Any, strip: Any) -> None:
        from foleyspace import placing, strips

        scene = studio.scene
        placing.check_changeable(scene, strip, True)
        scene.sequence_editor.channels[strip.channel].lock = True
        with pytest.raises(strips.Refused, match="locked"):
            placing.check_changeable(scene, strip, True)
        placing.check_changeable(scene, strip, False)
        scene.sequence_editor.channels[strip.channel].lock = False
        strip.lock = True
        with pytest.raises(strips.Refused, match="locked"):
            placing.check_changeable(scene, strip, True)

    def test_a_scene_that_is_linked(self, studio: Any, strip: Any) -> None:
        from foleyspace import placing, strips

        bpy = studio.bpy
        library = studio.folder / "edit.blend"
        bpy.data.libraries.write(str(library), {studio.scene})
        with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
            wanted.scenes = ["Scene"]
        linked = wanted.scenes[0]
        with pytest.raises(strips.Refused, match="linked"):
            placing.check_changeable(linked, strip, False)


class TestPlacing:
    def test_channels_that_are_taken_or_locked_are_left_alone(self, studio: Any, strip: Any) -> None:
        from foleyspace import placing, strips

        editor = studio.scene.sequence_editor
        studio.strip(studio.sound(studio.noise(1.0), "b.wav"), frame=40, channel=2)
        editor.channels[3].lock = True
        assert placing.free_channel(editor, 11, 107, 1) == 4
        assert placing.free_channel(editor, 11, 40, 1) == 2
        for channel in range(1, 129):
            editor.channels[channel].lock = channel not in (1, 5)
        assert placing.free_channel(editor, 11, 107, 6) == 5
        editor.channels[5].lock = True
        with pytest.raises(strips.Refused, match="no free channel"):
            placing.free_channel(editor, 11, 107, 6)

    @pytest.mark.parametrize("n_samples", [95_000, 96_000, 96_001, 98_500])
    def test_a_result_has_its_part_s_frames_whatever_its_file_rounds_to(
        self, studio: Any, strip: Any, n_samples: int
    ) -> None:
        from foleyspace import compat, placing

        compat.set_left(strip, 24)
        compat.set_right(strip, 72)
        made_of = studio.sound(np.zeros((n_samples, 2), np.float32), "made.wav")
        found = part(studio, strip)
        made = placing.place_result(studio.scene, strip, str(made_of), found, "made")
        assert (compat.left(made), compat.right(made), compat.content_start(made)) == (24, 72, 24)
        assert (made.channel, made.mute) == (2, False)

    def test_volume_and_fades_go_along(self, studio: Any, strip: Any) -> None:
        from foleyspace import compat, placing

        strip.volume = 0.5
        made_of = str(studio.sound(np.zeros((192_000, 2), np.float32), "made.wav"))
        made = placing.place_result(studio.scene, strip, made_of, part(studio, strip), "made")
        assert made.volume == pytest.approx(0.5 * math.sqrt(0.5))
        assert compat.curve_of(made, "volume") is None
        for frame, volume in ((11, 0.0), (35, 1.0), (107, 0.25)):
            strip.volume = volume
            strip.keyframe_insert("volume", frame=frame)
        again = placing.place_result(studio.scene, strip, made_of, part(studio, strip), "made", old=made)
        ours, theirs = compat.curve_of(again, "volume"), compat.curve_of(strip, "volume")
        for frame in (11, 20, 35, 60, 107):
            assert ours.evaluate(frame) == pytest.approx(theirs.evaluate(frame) * math.sqrt(0.5), abs=1e-5)
        assert len(compat.top(studio.scene.sequence_editor)) == 2
        assert (again.name, again.channel) == ("made", 2)
        compat.remove_curve(strip, "volume")
        plain = placing.place_result(studio.scene, strip, made_of, part(studio, strip), "made", old=again)
        assert compat.curve_of(plain, "volume") is None

    def test_more_than_two_channels_are_placed_but_not_heard(self, studio: Any, strip: Any) -> None:
        from foleyspace import placing

        made_of = studio.sound(np.zeros((192_000, 4), np.float32), "made.wav")
        assert placing.place_result(studio.scene, strip, str(made_of), part(studio, strip), "made").mute

    def test_the_folder(self, studio: Any) -> None:
        from foleyspace import strips

        unsaved = Path(strips.output_folder("//foleyspace/"))
        assert unsaved.is_dir()
        assert studio.folder not in unsaved.parents
        studio.save()
        assert Path(strips.output_folder("//foleyspace/")) == studio.folder / "foleyspace"
        assert Path(strips.output_folder(str(studio.folder / "else"))).is_dir()
        (studio.folder / "file").write_text("")
        with pytest.raises(strips.Refused, match="cannot be made"):
            strips.output_folder("//file/in/a/file")

    @pytest.mark.parametrize(
        ("names", "stem"),
        [
            (("steps.wav", "Car"), "steps-Car"),
            (("a/b:c?.001", "x"), "a_b_c_-x"),
            (("...", ""), "foleyspace"),
            (("Großer Hund", ""), "Großer Hund"),
            (("x" * 200, "y"), "x" * 80),
        ],
    )
    def test_names_of_files(self, blender: Any, names: tuple[str, ...], stem: str) -> None:
        from foleyspace import strips

        assert strips.stem_of(*names) == stem

    def test_what_tells_files_apart(self, studio: Any) -> None:
        from foleyspace import strips

        path = studio.sound(studio.noise(1.0))
        before = strips.identity(str(path))
        moved = studio.folder / "else" / "steps.wav"
        moved.parent.mkdir()
        path.rename(moved)
        assert strips.identity(str(moved)) == before
        studio.sound(studio.noise(1.5), "else/steps.wav")
        assert strips.identity(str(moved)) != before
