"""Undo of the fake REAPER brings everything back and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import ScriptError, add_envelope, add_item, add_track
from fake.state import difference

EDITS = """
reaper.Undo_BeginBlock2(0)
local track, item = reaper.GetTrack(0, 0), reaper.GetMediaItem(0, 0)
reaper.SetMediaItemInfo_Value(item, "D_VOL", 0.25)
reaper.SetMediaTrackInfo_Value(track, "I_FOLDERDEPTH", 1)
reaper.InsertTrackAtIndex(1, false)
local child = reaper.GetTrack(0, 1)
reaper.SetMediaTrackInfo_Value(child, "I_FOLDERDEPTH", -1)
local new = reaper.AddMediaItemToTrack(child)
reaper.AddTakeToMediaItem(new)
reaper.GetSetMediaItemInfo_String(item, "P_EXT:mark", "x", true)
reaper.DeleteEnvelopePointRange(reaper.GetTrackEnvelopeByName(track, "Volume"), 0, 100)
reaper.Undo_EndBlock2(0, "the step", %s)
"""


@pytest.fixture
def project(reaper, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.ones(480), 48000)
    track = add_track(reaper.active, "Steps")
    add_item(track, tmp_path / "a.wav", 1.0)
    add_envelope(track, "Volume", [(0.0, 1.0), (2.0, 0.5)])
    return reaper.active


def test_undo_restores_all_and_redo_all_again(reaper, project, lua):
    before = project.copied_content()
    lua(EDITS % -1)
    after = project.copied_content()
    assert difference(before, after)
    assert project.tracks[1].parent is project.tracks[0]
    lua("assert(reaper.Undo_CanUndo2(0) == 'the step' and reaper.Undo_DoUndo2(0) ~= 0)")
    assert difference(before, project.content) == ""
    lua("assert(reaper.Undo_CanUndo2(0) == nil and reaper.Undo_DoRedo2(0) ~= 0)")
    assert difference(after, project.content) == ""
    reaper.check()


def test_undo_keeps_tracks_and_drops_item_pointers(reaper, project, lua):
    lua("""
        local track, item = reaper.GetTrack(0, 0), reaper.GetMediaItem(0, 0)
        reaper.Undo_BeginBlock2(0) reaper.SetMediaItemInfo_Value(item, "B_MUTE", 1) reaper.Undo_EndBlock2(0, "mute", -1)
        reaper.Undo_DoUndo2(0)
        assert(reaper.ValidatePtr2(0, track, "MediaTrack*") and not reaper.ValidatePtr2(0, item, "MediaItem*"))
        assert(reaper.GetMediaItem_Track(reaper.GetMediaItem(0, 0)) == track)
    """)


def test_flags_that_leave_out_an_edit_are_told(reaper, project, lua):
    with pytest.raises(ScriptError, match="leave out what was edited: envelopes, items"):
        lua(EDITS % 1)


def test_a_block_without_an_undo_point_must_leave_no_trace(reaper, project, lua):
    lua("""
        reaper.Undo_BeginBlock2(0)
        local item = reaper.GetMediaItem(0, 0)
        reaper.SetMediaItemInfo_Value(item, "D_VOL", 0.5) reaper.SetMediaItemInfo_Value(item, "D_VOL", 1)
        reaper.Undo_EndBlock2(0, "nothing after all", 0)
    """)
    assert project.undo == []
    with pytest.raises(ScriptError, match=r"no undo point holds what was changed: .tracks: 1 and 2"):
        lua(EDITS % 0)


def test_deleting_a_folder_or_its_last_child_keeps_the_folders_around(reaper, lua):
    for name, depth in (("outer", 1), ("inner", 1), ("a", 0), ("b", -2), ("outside", 0)):
        add_track(reaper.active, name, I_FOLDERDEPTH=depth)
    lua("reaper.Undo_BeginBlock2(0) reaper.DeleteTrack(reaper.GetTrack(0, 3)) reaper.Undo_EndBlock2(0, 'b', -1)")
    parents = {track.name: track.parent.name if track.parent else "" for track in reaper.active.tracks}
    assert parents == {"outer": "", "inner": "outer", "a": "inner", "outside": ""}
    lua("reaper.Undo_BeginBlock2(0) reaper.DeleteTrack(reaper.GetTrack(0, 1)) reaper.Undo_EndBlock2(0, 'inner', -1)")
    parents = {track.name: track.parent.name if track.parent else "" for track in reaper.active.tracks}
    assert parents == {"outer": "", "a": "outer", "outside": ""}
    assert [track.values["I_FOLDERDEPTH"] for track in reaper.active.tracks] == [1, -1, 0]


def test_a_source_that_undo_and_redo_brought_back_is_in_use(reaper, project, lua):
    path = project.items[0].take.source.path
    lua(f"""
        reaper.Undo_BeginBlock2(0)
        local take = reaper.AddTakeToMediaItem(reaper.AddMediaItemToTrack(reaper.GetTrack(0, 0)))
        reaper.SetMediaItemTake_Source(take, reaper.PCM_Source_CreateFromFile([[{path}]]))
        reaper.Undo_EndBlock2(0, "add", -1)
    """)
    for step in ("Undo_DoUndo2", "Undo_DoRedo2"):
        reaper.check()
        lua(f"reaper.{step}(0)")
    assert len(project.items) == 2
    reaper.check()
    reaper.close_project(project)
    reaper.check()


def test_with_an_item_goes_its_source(reaper, project, lua):
    lua("""
        local item = reaper.GetMediaItem(0, 0)
        local source = reaper.GetMediaItemTake_Source(reaper.GetActiveTake(item))
        reaper.Undo_BeginBlock2(0) reaper.DeleteTrackMediaItem(reaper.GetTrack(0, 0), item)
        reaper.Undo_EndBlock2(0, "delete", -1)
        assert(not pcall(reaper.PCM_Source_Destroy, source))
        reaper.Undo_DoUndo2(0)
        assert(reaper.GetMediaItemTake_Source(reaper.GetActiveTake(reaper.GetMediaItem(0, 0))) ~= source)
    """)
