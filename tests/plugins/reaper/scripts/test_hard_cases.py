"""What goes wrong in a user's day: nothing may be left by halves, nothing put in the wrong place, all told."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import ApiError, Script, add_item, add_track, file_source, section
from fake.registry import MODELLED
from fake.state import difference

from .conftest import PASS, entry


@pytest.fixture
def scene(reaper, noise):
    """Two tracks, one of them in a folder, with three items to render, and one that is none of our business."""
    folder = add_track(reaper.active, "Folder", I_FOLDERDEPTH=1.0)
    steps = add_track(reaper.active, "Steps", I_FOLDERDEPTH=-1.0)
    door = add_track(reaper.active, "Door")
    path = noise(duration_s=0.3)
    add_item(folder, path, 5.0, selected=False)
    add_item(steps, path, 1.0)
    add_item(steps, path, 2.0, take={"D_PLAYRATE": 2.0, "B_PPITCH": 0.0})
    add_item(door, section(file_source(path), 0.1, 0.1, reverse=True), 3.0)
    return reaper.active


def results(project):
    return [item for track in project.tracks if track.name.endswith("FoleySpace") for item in track.items]


def media(reaper):
    folder = reaper.resource.parent / "REAPER Media" / "FoleySpace"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# -- every single call of a placement failing --------------------------------------------------------------------------


class Saboteur:
    """Lets one call inside the undo block fail: the one of this number, once."""

    def __init__(self, number):
        self.number = number
        self.inside = False
        self.seen = []

    def __call__(self, name):
        if name == "Undo_EndBlock2":
            self.inside = False
        if self.inside and name != "PreventUIRefresh":  # it cannot fail, and must be undone in any case
            self.seen.append(name)
            if len(self.seen) - 1 == self.number:
                raise ApiError(f"{name} failed (asked for by the test)")
        if name == "Undo_BeginBlock2":
            self.inside = True


def spoiled(reaper, act, action, number):
    """Run an action whose placement fails at one call; check that all is as before and told."""
    before = reaper.active.copied_content()
    reaper.interfere = Saboteur(number)
    act(action)
    seen, reaper.interfere = reaper.interfere.seen, None
    reaper.check()
    if number >= len(seen):
        return seen, False
    assert difference(before, reaper.active.content) == "", f"after {seen[number]} failed"
    assert any("the project is as it was" in text for text in reaper.dialogs.texts), reaper.dialogs.texts
    assert reaper.active.undo == []
    assert media(reaper) == []
    return seen, True


@pytest.mark.parametrize("lua_version", ["5.4"], indirect=True)
def test_wherever_a_placement_fails_all_is_as_before(reaper, bridge, act, scene, tmp_path, leftovers):
    reaper.dialogs.inputs.append(PASS)
    reaper.interfere = Saboteur(-1)
    act("spatialize")
    calls = reaper.interfere.seen
    reaper.interfere = None
    assert len(results(scene)) == 3
    MODELLED["Undo_DoUndo2"](reaper, scene)
    scene.redo.clear()
    reaper.sources.clear()
    shutil.rmtree(reaper.resource.parent / "REAPER Media")
    # the first of every kind, and every nineteenth
    first = {name: number for number, name in reversed(list(enumerate(calls)))}
    for number in sorted({*first.values(), *range(0, len(calls), 19)}):
        reaper.dialogs.inputs.append(PASS)
        reaper.dialogs.shown.clear()
        _, failed = spoiled(reaper, act, "spatialize", number)
        assert failed
        assert leftovers() == []


@pytest.mark.parametrize("lua_version", ["5.4"], indirect=True)
def test_wherever_an_exchange_fails_the_old_result_plays_on(reaper, bridge, act, scene):
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    scene.undo.clear()
    before = {item.guid: item.take.source.path for item in results(scene)}
    for number in (0, 5, 10, 15, 20, 25, 30, 40):
        for item in scene.items:
            item.values["D_VOL"] = 0.5 + 0.001 * number
        state = scene.copied_content()
        reaper.dialogs.shown.clear()
        reaper.interfere = Saboteur(number)
        act("rerender")
        reaper.check()
        if len(reaper.interfere.seen) <= number:
            break
        assert difference(state, scene.content) == ""
        assert {item.guid: item.take.source.path for item in results(scene)} == before
        assert sorted(media(reaper)) == sorted(path.rpartition("/")[2] for path in before.values())
    reaper.interfere = None
    scene.items[1].values["D_VOL"] = 0.125
    act("rerender")
    reaper.check()
    assert {item.guid: item.take.source.path for item in results(scene)} != before


def test_a_failed_localization_leaves_no_track(reaper, bridge, act, tmp_path, video):
    keys = [
        {"t_s": 0.1 * i, "azimuth_deg": 10.0 * i, "elevation_deg": 0.0, "distance_m": 2.0, "cut": False}
        for i in range(5)
    ]
    bridge.behave("ok", sources=[{"id": "a", "label": "car", "score": 0.9, "selected": True, "keys": keys}])
    add_item(add_track(reaper.active, "Video"), video, 1.0, 0.5)
    for name in ("TrackFX_AddByName", "GetFXEnvelope", "InsertEnvelopePoint", "Envelope_SortPoints"):
        before = reaper.active.copied_content()
        reaper.fail(name, after=0)
        reaper.dialogs.inputs.append([""])
        act("localize")
        assert difference(before, reaper.active.content) == "", name
        reaper.check()
    assert len(reaper.dialogs.texts) == 4
    reaper.dialogs.inputs.append([""])
    act("localize")
    reaper.check()
    assert len(reaper.active.tracks) == 2


@pytest.fixture
def video(tmp_path):
    """A second of grey pictures without sound."""
    av = pytest.importorskip("av")
    path = tmp_path / "scene.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


# -- the user goes on working ------------------------------------------------------------------------------------------


class AtTick:
    """Does something at one tick of a script: at its first, second, ..."""

    def __init__(self, number, act):
        self.number, self.act, self.count, self.done = number, act, 0, False

    def __call__(self, script):
        if self.count == self.number:
            self.act()
            self.done = True
        self.count += 1


def delete(reaper, item):
    with reaper.as_user(), contextlib.suppress(ValueError):
        item.track.items.remove(item)


@pytest.mark.parametrize("moment", [0, 1, 2, 4, 8])
def test_an_item_deleted_at_any_moment_costs_only_itself(reaper, bridge, act, scene, moment, leftovers):
    victim = scene.items[2]
    reaper.dialogs.inputs.append(PASS)
    hand = AtTick(moment, lambda: delete(reaper, victim))
    act("spatialize", each_tick=hand)
    if not hand.done:
        pytest.skip("it was done before")
    reaper.check()
    assert {item.start_s for item in results(scene)} - {2.0} == {1.0, 3.0}
    if not any(item.start_s == 2.0 for item in results(scene)):
        assert "deleted" in " ".join(reaper.dialogs.texts) + reaper.dialogs.console
    assert leftovers() == []


@pytest.mark.parametrize("moment", [0, 1, 2, 4, 8])
def test_the_tab_closed_at_any_moment_costs_nothing_else(reaper, bridge, act, scene, moment, leftovers):
    before = scene.copied_content()
    other = reaper.new_project()
    reaper.active = scene
    reaper.dialogs.inputs.append(PASS)
    hand = AtTick(moment, lambda: reaper.close_project(scene))
    act("spatialize", each_tick=hand)
    if not hand.done:
        pytest.skip("it was done before")
    reaper.check()
    assert other.tracks == []
    if not results(scene):
        assert difference(before, scene.content) == ""
        assert "closed" in reaper.dialogs.texts[-1]
        assert media(reaper) == []
    assert leftovers() == []


def test_an_item_moved_trimmed_and_put_on_another_track_meanwhile(reaper, bridge, act, scene):
    item = scene.items[1]
    door = scene.tracks[2]
    bridge.behave("slow")

    def move(script):
        if bridge.requests and item.start_s == 1.0:
            with reaper.as_user():
                item.track.items.remove(item)
                item.track = door
                door.items.append(item)
                item.values["D_POSITION"] = 9.0
            bridge.go()

    reaper.dialogs.inputs.append(PASS)
    act("spatialize", each_tick=move)
    reaper.check()
    placed = {result.start_s: result.track.name for result in results(scene)}
    assert placed == {9.0: "Door - FoleySpace", 2.0: "Steps - FoleySpace", 3.0: "Door - FoleySpace"}
    assert "moved" in reaper.dialogs.console


def test_the_track_deleted_meanwhile(reaper, bridge, act, scene, leftovers):
    bridge.behave("slow")
    door = scene.tracks[2]

    def remove(script):
        if bridge.requests and door in scene.tracks:
            with reaper.as_user():
                scene.tracks.remove(door)
            bridge.go()

    reaper.dialogs.inputs.append(PASS)
    act("spatialize", each_tick=remove)
    reaper.check()
    assert sorted(item.start_s for item in results(scene)) == [1.0, 2.0]
    assert "deleted" in " ".join(reaper.dialogs.texts) + reaper.dialogs.console
    # what could not be placed is no rubbish in the user's media folder
    assert len(media(reaper)) == 2
    assert leftovers() == []


def test_undo_by_the_user_meanwhile(reaper, bridge, act, lua, scene):
    """Undo makes items anew: pointers go stale, GUIDs stay."""
    lua("reaper.Undo_BeginBlock2(0) reaper.SetMediaItemInfo_Value(reaper.GetMediaItem(0, 1), 'D_VOL', 0.5)"
        " reaper.Undo_EndBlock2(0, 'by hand', -1)")  # fmt: skip
    bridge.behave("slow")

    def undo(script):
        if bridge.requests and scene.undo and scene.undo[-1].label == "by hand":
            MODELLED["Undo_DoUndo2"](reaper, scene)
            bridge.go()

    reaper.dialogs.inputs.append(PASS)
    act("spatialize", each_tick=undo)
    reaper.check()
    assert sorted(item.start_s for item in results(scene)) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("moment", range(0, 12, 2))
def test_terminated_by_the_user_at_any_moment(reaper, bridge, lua_version, scene, moment, leftovers):
    before = scene.copied_content()
    bridge.behave("slow")
    reaper.dialogs.inputs.append(PASS)
    script = Script(reaper, entry("spatialize"), lua_version).start()
    for _ in range(moment):
        script.tick()
    script.stop()
    assert not script.running
    assert script.error is None
    reaper.check()
    assert difference(before, scene.content) == ""
    assert leftovers() == []
    assert reaper.ext_state.get(("FoleySpace", "running")) is None


# -- size --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lua_version", ["5.4"], indirect=True)
def test_two_hundred_items_of_every_kind_on_forty_tracks(reaper, bridge, act, noise):
    path = noise(duration_s=0.2)
    kinds = (
        {},
        {"take": {"D_PLAYRATE": 0.5, "B_PPITCH": 0.0}},
        {"take": {"D_STARTOFFS": 0.05}, "D_FADEINLEN": 0.01},
        {"length_s": 0.5, "B_LOOPSRC": 1.0},
        {"D_VOL": 0.5},
    )
    for number in range(40):
        track = add_track(reaper.active, f"Track {number}")
        for index, kind in enumerate(kinds):
            add_item(track, path, 1.0 * index + 0.001 * number, **kind)
    before = reaper.active.copied_content()
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    placed = results(reaper.active)
    assert len(placed) == 200, (reaper.dialogs.texts, reaper.dialogs.console)
    assert len({item.take.source.path for item in placed}) == 200
    sources = {item.guid: item for track in before.tracks for item in track.items}
    for item in reaper.active.items:
        if item.guid in sources:
            assert item.values["B_MUTE"] == 1
    assert Counter(round(item.start_s) for item in placed) == dict.fromkeys(range(5), 40)
    assert len(reaper.active.undo) == 1
    assert len(reaper.processes.commands) == 1


def test_a_long_item_is_read_in_pieces_that_leave_reaper_alive(reaper, bridge, act, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, (48000 * 8, 6)), 48000, subtype="FLOAT")
    add_item(add_track(reaper.active, "Bed"), section(file_source(path)), 0.0)
    reaper.dialogs.inputs.append(PASS)
    script = act("spatialize")
    reaper.check()
    assert len(script.ticks) > 20
    samples = reaper.calls.count("GetAudioAccessorSamples")
    assert samples * 8192 >= 48000 * 8


# -- what is seen ------------------------------------------------------------------------------------------------------


def test_the_window_shows_what_goes_on_within_its_borders(reaper, bridge, act, scene):
    bridge.behave("slow")
    scene.items[1].take.name = "A very long name of an item that a sound designer has given " * 4

    def later(script):
        reaper.advance(0.1)
        if len(reaper.drawing.frames) > 12:
            bridge.go()

    reaper.dialogs.inputs.append(PASS)
    act("spatialize", each_tick=later)
    reaper.check()
    assert "Cancel" in [call[-1] for frame in reaper.drawing.frames for call in frame if call[0] == "drawstr"]
    assert reaper.drawing.outside() == []
    assert not reaper.drawing.is_open
