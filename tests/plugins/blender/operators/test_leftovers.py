"""Files that nothing plays any more: told apart from all that may still be needed, and removed on demand."""

from __future__ import annotations

import gzip
import json
import os
import shutil

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import compat, leftovers  # noqa: E402
from foleyspace.strips import Refused  # noqa: E402

REMOVE = "EXEC_DEFAULT"


@pytest.fixture
def made(studio, desk, pretending):
    """A generated strip of a file that is saved, which is selected."""
    leftovers.restart()
    chosen = studio.scene.foleyspace
    studio.save()
    chosen.prompt, chosen.duration_s, chosen.generate_seed = "steps", 0.5, 880
    assert bpy.ops.foleyspace.generate() == {"FINISHED"}
    (strip,) = compat.every(studio.scene.sequence_editor)
    desk.select(strip)
    return strip


@pytest.fixture
def reopened(studio, made):
    """A file that was generated again, saved and opened; the names of the old sound and of the new one."""
    old = os.path.basename(made.sound.filepath)
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    new = os.path.basename(made.sound.filepath)
    path = studio.save()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return old, new


def names(studio, pattern="*"):
    return {path.name for path in (studio.folder / "foleyspace").glob(pattern)}


def stems(studio):
    return {name.split(".")[0] for name in names(studio) - {leftovers.LIST}}


def the_strip(studio):
    (strip,) = compat.every(studio.scene.sequence_editor)
    return strip


def remove(**how):
    return bpy.ops.foleyspace.remove_unused(REMOVE, **how)


def test_the_old_sound_goes_with_its_curve_once_undo_cannot_bring_it_back(studio, reopened):
    old, new = reopened
    assert {old, new} <= names(studio)
    assert remove() == {"FINISHED"}
    assert stems(studio) == {new[:-4]}, "the curve beside it has gone too"
    assert os.path.isfile(bpy.path.abspath(the_strip(studio).sound.filepath))
    assert remove() == {"CANCELLED"}, "there is no more"
    (entry,) = (studio.folder / "foleyspace" / leftovers.LIST).read_text().splitlines()
    assert new in entry


def test_what_undo_brings_back_stays(studio, made):
    bpy.ops.ed.undo_push(message="before")
    old = made.sound.filepath
    assert bpy.ops.foleyspace.generate_again(REMOVE, True) == {"FINISHED"}
    studio.save()
    assert remove() == {"CANCELLED"}
    bpy.ops.ed.undo()
    strip = the_strip(studio)
    assert strip.sound.filepath == old
    assert os.path.isfile(bpy.path.abspath(old))
    assert studio.listen(first=1, last=12).std() > 0.1, "it is heard"


def test_it_goes_if_that_is_wanted(studio, made):
    old = bpy.path.abspath(made.sound.filepath)
    assert bpy.ops.foleyspace.generate_again() == {"FINISHED"}
    studio.save()
    (studio.folder / "film.blend1").unlink()  # the state before this one
    assert [one.undo for one in leftovers.find()] == [True]
    assert remove(also_undo=True) == {"FINISHED"}
    assert not os.path.exists(old)


def test_what_was_not_saved_yet_is_used_by_the_file_on_the_disk(studio, made):
    old = os.path.basename(made.sound.filepath)
    path = studio.save()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    editor = studio.scene.sequence_editor
    compat.remove(editor, the_strip(studio))
    assert remove(also_undo=True) == {"CANCELLED"}
    assert old in names(studio)


@pytest.mark.parametrize("name", ["film.blend1", "film_v2.blend", "foleyspace/other.blend"])
@pytest.mark.parametrize("compressed", ["", "gzip", "zstd"])
def test_what_other_blend_files_and_backups_name_stays(studio, reopened, name, compressed):
    old, _ = reopened
    for backup in studio.folder.glob("*.blend1"):
        backup.unlink()
    content = b"BLENDER-v405" + b"\0" * (leftovers._AT_ONCE - 30) + f"//foleyspace/{old}\0".encode() + b"\0" * 99
    if compressed == "gzip":
        content = gzip.compress(content)
    elif compressed == "zstd":
        content = pytest.importorskip("zstandard").compress(content)
    (studio.folder / name).write_bytes(content)
    assert remove() == {"CANCELLED"}
    (studio.folder / name).unlink()
    assert remove() == {"FINISHED"}
    assert old not in names(studio)


def test_blender_s_own_files_are_read(studio, reopened):
    """Another version of the film in which the old sound is played, saved as Blender compresses it."""
    old, new = reopened
    strip = the_strip(studio)
    strip.sound = bpy.data.sounds.load(f"//foleyspace/{old}")
    bpy.ops.wm.save_as_mainfile(filepath=str(studio.folder / "v2.blend"), compress=True, copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(studio.folder / "film.blend"))
    assert remove() == {"CANCELLED"}
    (studio.folder / "v2.blend").unlink()
    assert remove() == {"FINISHED"}
    assert names(studio, "*.wav") == {new}


def test_one_that_cannot_be_read_lets_all_stay(studio, reopened):
    old, _ = reopened
    (studio.folder / "damaged.blend").write_bytes(b"\x28\xb5\x2f\xfd damaged")
    with pytest.raises(RuntimeError, match=r"damaged\.blend cannot be read"):
        remove()
    assert old in names(studio)


def test_files_of_others_stay(studio, reopened, desk):
    old, new = reopened
    folder = studio.folder / "foleyspace"
    (folder / "mine.wav").write_bytes(b"mine")
    with (folder / old).open("ab") as file:
        file.write(b"cut by hand")
    shutil.copy(folder / new, folder / "copy.wav")
    assert remove(also_undo=True) == {"CANCELLED"}
    assert {"mine.wav", "copy.wav", old, new} <= names(studio)


def test_a_list_that_names_other_places_or_is_damaged_does_no_harm(studio, reopened):
    old, _ = reopened
    elsewhere = studio.sound(studio.noise(0.1), "elsewhere.wav")
    state = elsewhere.stat()
    path = studio.folder / "foleyspace" / leftovers.LIST
    wrong = [
        json.dumps({"files": [["../elsewhere.wav", state.st_size, state.st_mtime_ns]], "blend": "../film.blend"}),
        json.dumps({"files": [["x.wav"]], "blend": "../film.blend"}),
        '{"files": [], "blend": ""}',
        "null",
        "{",
    ]
    path.write_text("\n".join([*wrong, path.read_text()]))
    assert remove() == {"FINISHED"}
    assert elsewhere.is_file()
    assert old not in names(studio)


def test_what_was_made_for_another_file_stays_while_that_is_there(studio, reopened):
    old, _ = reopened
    for backup in studio.folder.glob("*.blend1"):
        backup.unlink()
    bpy.ops.wm.save_as_mainfile(filepath=str(studio.folder / "film_v2.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(studio.folder / "film_v2.blend"))
    assert remove() == {"CANCELLED"}, "film.blend may be open elsewhere, and not saved"
    (studio.folder / "film.blend").unlink()
    assert remove() == {"FINISHED"}
    assert old not in names(studio)


def test_results_of_spatializing_are_left_over_too(studio, desk, pretending):
    studio.camera()
    source = desk.bound("one", 1, 1)
    studio.save()
    desk.select(source)
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    first = names(studio, "*.wav")
    source.foleyspace.gain_db = -6.0
    assert bpy.ops.foleyspace.spatialize() == {"FINISHED"}
    bpy.ops.wm.open_mainfile(filepath=str(studio.save()))
    assert remove() == {"FINISHED"}
    (left,) = names(studio, "*.wav")
    assert {left}.isdisjoint(first)


def test_a_file_that_was_never_saved_says_so(studio):
    assert not bpy.ops.foleyspace.remove_unused.poll()
    with pytest.raises(Refused, match="Save the file first"):
        leftovers.find()


def test_a_file_or_folder_that_is_gone_says_so(studio, reopened, monkeypatch):
    def refuse(_folder):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(leftovers.os, "listdir", refuse)
        with pytest.raises(RuntimeError, match="cannot be read"):
            remove()
    (studio.folder / "film.blend").unlink()
    with pytest.raises(RuntimeError, match="Save the file first"):
        remove()
    assert reopened[0] in names(studio)


def test_the_question(studio, reopened):
    from foleyspace.operators.leftovers import FOLEYSPACE_OT_remove_unused as operator

    class Written:
        def __init__(self):
            self.texts, self.fields = [], []

        column = lambda self, **_: self  # noqa: E731
        separator = lambda self: None  # noqa: E731
        label = lambda self, text, icon: self.texts.append(text)  # noqa: E731
        prop = lambda self, _data, name: self.fields.append(name)  # noqa: E731

    class Asked:
        def __init__(self, found):
            self._found, self.layout = found, Written()

    found = leftovers.find()
    asked = Asked(found)
    operator.draw(asked, bpy.context)
    assert asked.layout.texts[0].startswith("Remove 1 sound (0.0 MB)")
    assert asked.layout.fields == []
    asked = Asked([*found, leftovers.Leftover(("x",), 2_000_000, True)])
    operator.draw(asked, bpy.context)
    assert "1 sound (2.0 MB) could come back by undo" in asked.layout.texts[2]
    assert asked.layout.fields == ["also_undo"]
