"""The fake REAPER refuses what REAPER refuses, and what REAPER lets pass to a user's harm."""

from __future__ import annotations

import re

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import FakeReaper, ScriptError, add_item, add_track
from fake.registry import MODELLED
from fake.signatures import table


@pytest.fixture
def steps(reaper, tmp_path):
    path = tmp_path / "steps.wav"
    soundfile.write(path, np.full(4800, 0.5), 48000)
    return add_item(add_track(reaper.active, "Steps"), path, 1.0)


def test_whatever_is_modelled_is_in_the_real_table():
    assert sorted(set(MODELLED) - set(table())) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("reaper.GetActiveTake()", "wrong number of arguments"),
        ("reaper.GetActiveTake(item, 1)", "wrong number of arguments"),
        ("reaper.GetActiveTake(take)", "MediaItem expected"),
        ("reaper.GetActiveTake(nil)", "MediaItem expected"),
        ("reaper.GetTrack(0, 0.5)", "no integer representation"),
        ("reaper.GetTrack(0, '0')", "number expected"),
        ("reaper.SelectAllMediaItems(0, 1)", "boolean expected"),
        ("reaper.MB('a', nil, 0)", "string expected"),
        ("reaper.GetMediaItemInfo_Value(item, 'D_LENGHT')", "no parameter"),
        ("reaper.GetMediaSourceFileName128(1)", "nil value"),
        ("reaper.GetSet_ProjectExtState(0)", "nil value"),
        ("reaper.SetMediaItemInfo_Value(item, 'D_VOL', 0.5)", "outside an undo block"),
        ("reaper.InsertTrackAtIndex(0, false)", "outside an undo block"),
        ("reaper.SetExtState('a', 'b', 'two\\nlines', true)", "line break"),
        ("reaper.GetUserInputs('t', 2, 'a,b', '1,2,3')", "fall into 3 fields"),
        ("reaper.MB('sure?', 't', 4)", "nobody answers"),
        ("reaper.Undo_EndBlock2(0, 'x', -1)", "never begun"),
        ("reaper.PCM_Source_CreateFromFile('a.wav')", "relative path"),
        ("os.execute('ls')", "not allowed"),
        ("io.popen('ls')", "not allowed"),
        ("reaper.new_array(0)", "size"),
        ("reaper.new_array(8)[9] = 1", "out of bounds"),
        ("local x = item.name", "no fields"),
    ],
)
def test_a_wrong_call_is_an_error_at_the_line_it_stands_in(reaper, lua, steps, call, message):
    with pytest.raises(ScriptError, match=message) as error:
        lua(f"local item = reaper.GetMediaItem(0, 0)\nlocal take = reaper.GetActiveTake(item)\n{call}\n")
    assert "snippet.lua:3:" in str(error.value) or "no fields" in str(error.value)


def test_a_caught_fault_still_shows_in_the_check(reaper, lua, steps):
    lua("pcall(function() reaper.SetMediaItemInfo_Value(reaper.GetMediaItem(0, 0), 'D_VOL', 0.5) end)")
    assert steps.values["D_VOL"] == 1.0
    with pytest.raises(AssertionError, match="outside an undo block"):
        reaper.check()


def test_handles_compare_and_serve_as_keys(reaper, lua, steps):
    lua("""
        local item = reaper.GetMediaItem(0, 0)
        local seen = { [item] = true }
        assert(type(item) == "userdata" and item == reaper.GetSelectedMediaItem(0, 0))
        assert(seen[reaper.GetMediaItem(0, 0)])
        assert(reaper.GetMediaItem_Track(item) == reaper.GetTrack(0, 0) and item ~= reaper.GetTrack(0, 0))
        assert(reaper.ValidatePtr2(0, item, "MediaItem*") and not reaper.ValidatePtr2(0, item, "MediaTrack*"))
        assert(reaper.GetMediaItem(0, 1) == nil and math.type(reaper.CountTracks(0)) == "integer")
        assert(math.type(reaper.GetMediaItemInfo_Value(item, "C_LOCK")) == "float")
    """)
    reaper.check()


def test_a_deleted_item_is_gone_for_every_call_but_the_one_that_asks(reaper, lua, steps):
    def delete(script):
        with reaper.as_user():
            steps.track.items.clear()

    lua(
        """
        local item, take = reaper.GetMediaItem(0, 0), reaper.GetActiveTake(reaper.GetMediaItem(0, 0))
        reaper.defer(function()
          assert(not reaper.ValidatePtr2(0, item, "MediaItem*") and not reaper.ValidatePtr(take, "MediaItem_Take*"))
          local ok, why = pcall(reaper.GetMediaItemTake_Source, take)
          reaper.ShowConsoleMsg(tostring(why))
        end)
        """,
        each_tick=delete,
    )
    assert "this one is gone" in reaper.dialogs.console
    assert len(reaper.violations) == 1


def test_pointers_into_a_closed_tab_are_gone_and_new_tracks_go_to_the_tab_in_front(reaper, lua, steps):
    first = reaper.active
    second = reaper.new_project()
    reaper.active = first

    def close(script):
        reaper.close_project(first)

    lua(
        """
        local project = reaper.EnumProjects(-1)
        reaper.defer(function()
          assert(reaper.EnumProjects(0) ~= project and reaper.EnumProjects(1) == nil)
          assert(not reaper.ValidatePtr(project, "ReaProject*"))
          reaper.Undo_BeginBlock2(0) reaper.InsertTrackAtIndex(0, false) reaper.Undo_EndBlock2(0, "new", -1)
        end)
        """,
        each_tick=close,
    )
    assert len(second.tracks) == 1
    assert len(first.tracks) == 1  # its own, as it was
    reaper.check()


def test_a_new_track_goes_to_the_tab_in_front_whatever_the_block_is_of(reaper, lua):
    first, second = reaper.active, reaper.new_project()
    lua("""
        local first = reaper.EnumProjects(0)
        reaper.Undo_BeginBlock2(first)
        local ok, why = pcall(reaper.InsertTrackAtIndex, 0, false)
        assert(not ok and why:find("outside an undo block"))
        reaper.SelectProjectInstance(first) reaper.InsertTrackAtIndex(0, false)
        reaper.Undo_EndBlock2(first, "new", -1)
    """)
    assert (len(first.tracks), len(second.tracks), len(reaper.violations)) == (1, 0, 1)


def test_ticks_must_not_leave_a_block_or_the_screen_open(reaper, lua):
    lua("reaper.Undo_BeginBlock2(0) reaper.PreventUIRefresh(1) reaper.defer(function() end)")
    assert [text for text in reaper.violations if "undo block open" in text]
    assert [text for text in reaper.violations if "PreventUIRefresh at 1" in text]


def test_sources_and_accessors_left_over_are_told(reaper, lua, steps):
    path = steps.take.source.path
    lua(
        f"reaper.PCM_Source_CreateFromFile([[{path}]])"
        "reaper.CreateTakeAudioAccessor(reaper.GetActiveTake(reaper.GetMediaItem(0, 0)))"
    )
    with pytest.raises(AssertionError, match=r"accessor was never destroyed\nthe source .* used nowhere"):
        reaper.check()


def test_a_source_already_in_the_project_is_duplicated(reaper, lua, steps):
    lua("""
        local item = reaper.GetMediaItem(0, 0)
        local source = reaper.GetMediaItemTake_Source(reaper.GetActiveTake(item))
        reaper.Undo_BeginBlock2(0)
        local take = reaper.AddTakeToMediaItem(item)
        assert(reaper.SetMediaItemTake_Source(take, source))
        reaper.Undo_EndBlock2(0, "second take", -1)
        assert(reaper.GetMediaItemTake_Source(take) ~= source)
    """)
    assert steps.takes[1].source.path == steps.takes[0].source.path


def test_text_that_is_no_utf_8_passes_unharmed(reaper, lua):
    lua(r'reaper.SetExtState("a", "b", "caf\xe9 – ü", false) assert(reaper.GetExtState("a", "b") == "caf\xe9 – ü")')


def test_atexit_runs_at_the_end_and_when_the_user_terminates(reaper, lua, tmp_path):
    lua('reaper.atexit(function() reaper.ShowConsoleMsg("bye") end) local n = 0 '
        'local function go() n = n + 1 if n < 3 then reaper.defer(go) end end go()')  # fmt: skip
    assert reaper.dialogs.console == "bye"
    with pytest.raises(ScriptError, match="still runs"):
        lua(
            'reaper.atexit(function() reaper.ShowConsoleMsg("!") end) function go() reaper.defer(go) end go()',
            timeout_s=0.05,
        )
    assert reaper.dialogs.console == "bye!"


def test_waiting_needs_no_waiting(reaper, lua):
    reaper.ext_state["t", "t"] = ("0", False)
    lua(
        "local since, day = reaper.time_precise(), os.time() reaper.defer(function()"
        " assert(reaper.time_precise() - since > 3600 and os.time() - day >= 3600) end)",
        each_tick=lambda script: reaper.advance(3601),
    )


def test_every_script_has_its_own_lua(reaper, lua):
    lua("assert(shared == nil) shared = 1")
    lua("assert(shared == nil)")


def test_an_older_reaper_lacks_what_it_lacks(reaper, lua):
    reaper.missing_functions = {"EnumInstalledFX"}
    lua(
        "assert(not reaper.APIExists('EnumInstalledFX') and reaper.APIExists('GetTrack') and reaper.ImGui_Begin == nil)"
    )
    with pytest.raises(ScriptError, match="nil value"):
        lua("reaper.EnumInstalledFX(0)")


def test_a_call_can_be_made_to_fail_once(reaper, lua):
    reaper.fail("GetTrack", after=1)
    lua("reaper.GetTrack(0, 0) assert(not pcall(reaper.GetTrack, 0, 0)) reaper.GetTrack(0, 0)")
    reaper.check()


def test_the_systems_keep_colours_in_different_orders(tmp_path):
    def native(system):
        application = FakeReaper(tmp_path, operating_system=system)
        return application.call("ColorToNative", (255, 1, 0))[1]

    assert native("Win64") == 255 + 256
    assert native("macOS-arm64") == 255 << 16 | 256


def test_the_table_names_where_it_is_from():
    import json

    from fake.signatures import TABLE

    document = json.loads(TABLE.read_text(encoding="utf-8"))
    assert "7.77" in document["origin"]
    assert all(re.fullmatch(r"[\w.,?]*\([\w.,?]*\)", text) for text in document["functions"].values())


def test_what_a_project_remembers_is_found_without_regard_to_case(reaper, lua):
    lua("""
        assert(reaper.SetProjExtState(0, "Foley", "Key", "a\\nb") > 0)
        local n, value = reaper.GetProjExtState(0, "FOLEY", "key") assert(n > 0 and value == "a\\nb")
        local ok, key = reaper.EnumProjExtState(0, "foley", 0) assert(ok and key == "Key")
        reaper.SetProjExtState(0, "foley", "key", "")
        assert(reaper.GetProjExtState(0, "Foley", "Key") == 0)
    """)
    assert reaper.active.ext_state == {}


def test_the_test_can_interfere_with_every_call(reaper, lua):
    seen = []
    reaper.interfere = seen.append
    lua("reaper.CountTracks(0) reaper.GetTrack(0, 0)")
    assert seen == ["CountTracks", "GetTrack"]
