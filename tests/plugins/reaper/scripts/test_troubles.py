"""What goes wrong is told in a sentence, and leaves nothing half-done behind."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import Script, Source, add_effect, add_item, add_track
from fake.model import Fx

from .conftest import PASS, entry


def snapshot(project):
    """Describe all that an edit could change."""

    def of_take(take):
        return take.name, take.source and take.source.path, sorted(take.values.items())

    def of_item(item):
        return item.guid, sorted(item.values.items()), dict(item.extra), [of_take(take) for take in item.takes]

    return [
        (track.name, sorted(track.values.items()), dict(track.extra), [of_item(item) for item in track.items])
        for track in project.tracks
    ]


@pytest.fixture
def outputs(reaper):
    """What lies in the folder of results."""
    return lambda: sorted(p.name for p in (reaper.resource.parent / "REAPER Media" / "FoleySpace").glob("*"))


@pytest.fixture
def steps(reaper, noise):
    item = add_item(add_track(reaper.active, "Steps"), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    return item


FAILURES = {  # how many good calls come before
    "AddMediaItemToTrack": 2,
    "AddTakeToMediaItem": 0,
    "SetMediaItemTake_Source": 2,
    "SetMediaItemInfo_Value": 15,
    "InsertTrackAtIndex": 1,
    "SetMediaTrackInfo_Value": 3,
    "GetSetMediaTrackInfo_String": 5,
    "GetSetMediaItemTakeInfo_String": 4,  # three of them while items are read
    "PCM_Source_CreateFromFile": 2,
    "PCM_Source_BuildPeaks": 1,
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_while_placing_takes_all_back(reaper, bridge, act, noise, steps, outputs, leftovers, name):
    add_item(steps.track, noise("other.wav"), 2.0)
    add_item(add_track(reaper.active, "Second"), noise("third.wav"), 0.0)
    before = snapshot(reaper.active)
    reaper.fail(name, FAILURES[name])
    act("spatialize")
    assert not reaper.failing
    reaper.check()
    assert snapshot(reaper.active) == before
    assert len(reaper.dialogs.texts) == 1
    assert "could not be placed, and the project is as it was" in reaper.dialogs.texts[0]
    assert "asked for by the test" in reaper.dialogs.texts[0]
    assert outputs() == []
    assert leftovers() == []


def test_an_error_while_exchanging_takes_all_back(reaper, bridge, act, steps, outputs):
    act("spatialize")
    before = snapshot(reaper.active)
    reaper.dialogs.inputs.append(PASS)
    reaper.fail("SetMediaItemTake_Source", 0)
    act("spatialize")
    reaper.check()
    assert snapshot(reaper.active) == before
    assert "could not be placed" in reaper.dialogs.texts[0]
    assert outputs() == ["result 0.wav"]


def test_an_item_that_is_deleted_while_it_is_rendered(reaper, bridge, act, noise, steps, outputs, leftovers):
    other = add_item(steps.track, noise("other.wav"), 2.0)
    bridge.behave("slow")

    def user(script):
        if bridge.requests and steps in steps.track.items:
            with reaper.as_user():
                steps.track.items.remove(steps)
            bridge.go()

    act("spatialize", each_tick=user)
    reaper.check()
    (placed,) = reaper.active.tracks[1].items
    assert placed.start_s == other.start_s
    assert "«steps.wav»: it was deleted while it was rendered; its result is not used" in reaper.dialogs.console
    assert len(outputs()) == 1
    assert leftovers() == []


def test_an_item_that_is_moved_while_it_is_rendered(reaper, bridge, act, steps):
    bridge.behave("slow")

    def user(script):
        if bridge.requests and steps.start_s == 0:
            steps.values["D_POSITION"] = 7.0
            bridge.go()

    act("spatialize", each_tick=user)
    reaper.check()
    assert reaper.active.tracks[1].items[0].start_s == 7.0
    assert "it was moved while it was rendered" in reaper.dialogs.console


def test_a_project_that_is_closed_while_it_is_rendered(reaper, bridge, act, steps, outputs, leftovers):
    project = reaper.active
    other = reaper.new_project()
    reaper.active = project
    bridge.behave("slow")

    def user(script):
        if bridge.requests and project in reaper.projects:
            reaper.close_project(project)
            bridge.go()

    act("spatialize", each_tick=user)
    reaper.check()
    assert other.tracks == []
    assert "the project was closed while it was rendered" in reaper.dialogs.texts[0]
    assert outputs() == []
    assert leftovers() == []


def test_results_go_into_the_tab_that_was_in_front_at_the_start(reaper, bridge, act, steps):
    project = reaper.active
    bridge.behave("slow")

    def user(script):
        if bridge.requests and len(reaper.projects) == 1:
            reaper.new_project()
            bridge.go()

    act("spatialize", each_tick=user)
    reaper.check()
    assert [track.name for track in project.tracks] == ["Steps", "Steps - FoleySpace"]
    assert reaper.active is not project
    assert reaper.active.tracks == []


@pytest.mark.parametrize("how", ["action", "button", "escape"])
def test_cancel(reaper, bridge, act, lua_version, steps, outputs, leftovers, how):
    bridge.behave("slow")
    before = snapshot(reaper.active)

    def user(script):
        if not bridge.requests or len(script.ticks) % 5:
            return
        if how == "action":
            if not reaper.ext_state.get(("FoleySpace", "cancel")):
                Script(reaper, entry("cancel"), lua_version).start()
        elif reaper.drawing.is_open and how == "escape":
            reaper.drawing.keys.append(27)
        elif reaper.drawing.is_open and reaper.drawing.texts:
            x, y, *_ = reaper.drawing.find("Cancel")
            reaper.drawing.mouse = (int(x) + 2, int(y) + 2, 1 - reaper.drawing.mouse[2])
        else:
            reaper.advance(1)

    act("spatialize", each_tick=user)
    reaper.check()
    assert snapshot(reaper.active) == before
    assert reaper.dialogs.texts == []
    assert outputs() == []
    assert leftovers() == []
    assert not reaper.drawing.is_open


def test_cancel_with_nothing_to_cancel(reaper, bridge, act):
    act("cancel")
    assert reaper.dialogs.texts == ["No action of FoleySpace is running."]


def test_the_next_action_is_not_cancelled_with_the_last(reaper, bridge, act, steps):
    reaper.ext_state["FoleySpace", "cancel"] = ("1", False)
    act("spatialize")
    assert len(reaper.active.tracks) == 2


def test_a_script_that_is_ended_from_outside_takes_the_job_along(reaper, bridge, lua_version, steps, leftovers):
    bridge.behave("slow")
    script = Script(reaper, entry("spatialize"), lua_version).start()
    while not bridge.requests:
        script.tick()
    script.stop()
    reaper.check()
    assert leftovers() == []
    assert ("FoleySpace", "running") not in reaper.ext_state


def test_two_at_once_are_one_too_many(reaper, bridge, act, lua_version, steps):
    bridge.behave("slow")
    script = Script(reaper, entry("spatialize"), lua_version).start()
    act("rerender")
    assert "«FoleySpace: Spatialize selected items» is still running" in reaper.dialogs.texts[0]
    script.stop()


def test_after_a_crash_of_reaper_nothing_is_taken_for_running(reaper, bridge, act, steps):
    reaper.ext_state["FoleySpace", "running"] = ("FoleySpace: Spatialize selected items", False)
    reaper.ext_state["FoleySpace", "alive_at"] = ("1.0", False)
    act("spatialize")
    assert len(reaper.active.tracks) == 2


@pytest.mark.parametrize(
    ("mode", "seconds", "sentence"),
    [
        ("silent", 31, "Nothing was heard of the program"),
        ("dies", 11, "it said nothing for 10 seconds. Its last words: MemoryError: no memory"),
        ("odd", 0, "do not fit together"),
        ("error", 0, "no host runs; start one"),
    ],
)
def test_a_bridge_that_fails(reaper, bridge, act, steps, outputs, leftovers, mode, seconds, sentence):
    bridge.behave(mode)
    before = snapshot(reaper.active)
    started = [False]

    def time_passes(script):
        if bridge.requests and all(process.poll() is not None for process in reaper.processes.running):
            if seconds and started[0]:
                for _ in range(seconds * 2):  # no jump: REAPER was there all the time
                    reaper.advance(0.5)
                    script.tick()
            started[0] = True

    act("spatialize", each_tick=time_passes)
    reaper.check()
    assert sentence in reaper.dialogs.texts[0]
    assert snapshot(reaper.active) == before
    assert outputs() == []
    assert leftovers() == []


def test_a_machine_that_slept_is_no_silent_bridge(reaper, bridge, act, steps):
    bridge.behave("slow")
    slept = [False]

    def night(script):
        if bridge.requests and not slept[0]:
            slept[0] = True
            reaper.advance(8 * 3600)
        elif slept[0] and len(script.ticks) % 20 == 0:
            bridge.go()

    act("spatialize", each_tick=night)
    reaper.check()
    assert reaper.dialogs.texts == []
    assert len(reaper.active.tracks) == 2


def test_one_of_two_fails(reaper, bridge, act, noise, steps):
    add_item(steps.track, noise("good.wav"), 2.0)
    bridge.behave("one_fails")
    act("spatialize")
    reaper.check()
    assert [item.take.name for item in reaper.active.tracks[1].items] == ["good.wav (FoleySpace)"]
    assert "«steps.wav»: the file ends in the middle; copy it again" in reaper.dialogs.texts[0]
    assert "1 item of 2 placed" in reaper.dialogs.texts[0]


def test_what_the_host_warns_of_is_told_once(reaper, bridge, act, noise, steps):
    add_item(steps.track, noise("good.wav"), 2.0)
    bridge.behave("ok", warnings=["the sound passes 0 dB"])
    act("spatialize")
    assert reaper.dialogs.texts == []
    assert "«steps.wav», «good.wav»: the sound passes 0 dB" in reaper.dialogs.console


def test_a_mailbox_that_is_deleted(reaper, bridge, act, steps):
    bridge.behave("slow")

    def user(script):
        if bridge.requests and bridge.folder.exists():
            for folder in (reaper.resource / "Data" / "FoleySpace" / "jobs").glob("*"):
                shutil.rmtree(folder, ignore_errors=True)

    act("spatialize", each_tick=user)
    reaper.check()
    assert "The folder of the job was deleted" in reaper.dialogs.texts[0]


def test_no_bridge(reaper, bridge, act, steps):
    bridge.program.unlink()
    act("spatialize")
    assert "is gone. In a terminal: pip install" in reaper.dialogs.texts[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "does not know yet where FoleySpace is installed"),
        ("return {", "is damaged"),
        ("os.exit()", "is damaged"),
    ],
)
def test_no_place_of_the_bridge(reaper, bridge, act, steps, text, sentence):
    path = reaper.resource / "Data" / "FoleySpace" / "foleyspace_paths.lua"
    path.unlink() if text is None else path.write_text(text)
    act("spatialize")
    assert sentence in reaper.dialogs.texts[0]


def test_a_bridge_that_cannot_be_started(reaper, bridge, act, steps):
    reaper.processes.refuse = True

    def time_passes(script):
        if reaper.processes.commands:
            reaper.advance(2)

    act("spatialize", each_tick=time_passes)
    assert "REAPER could not start the program" in reaper.dialogs.texts[0]


def refused(reaper, noise, kind):
    track = add_track(reaper.active, "Odd")
    path = noise()
    if kind == "midi":
        return add_item(track, Source("MIDI", length_quarter_notes=4.0), 0.0, 1.0)
    if kind == "offline":
        return add_item(track, Source("_OFFLINE_WAVE", str(path)), 0.0, 1.0)
    if kind == "missing":
        item = add_item(track, path, 0.0, 1.0)
        path.unlink()
        return item
    if kind == "empty":
        return add_item(track, None, 0.0, 1.0)
    if kind == "picture":
        return add_item(
            track, Source("VIDEO", str(noise("photo.png.wav").rename(path.with_name("photo.png")))), 0.0, 1.0
        )
    if kind == "no take":
        item = add_item(track, path, 0.0, 1.0)
        item.takes.clear()
        return item
    return add_item(track, path, 0.0, 1e-7)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("midi", "it is MIDI"),
        ("offline", "its media is offline"),
        ("missing", "its file is missing"),
        ("empty", "it is empty"),
        ("picture", "it is a picture"),
        ("no take", "it has no take"),
        ("short", "it is shorter than a sample"),
    ],
)
def test_what_cannot_be_rendered_is_refused_with_a_sentence_and_the_rest_is_done(
    reaper, bridge, act, noise, kind, sentence
):
    add_item(add_track(reaper.active, "Steps"), noise("good.wav"), 0.0)
    refused(reaper, noise, kind)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert sentence in reaper.dialogs.texts[0]
    assert len(bridge.items) == 1
    assert len(reaper.active.tracks) == 3


def test_nothing_but_what_is_refused(reaper, bridge, act, noise):
    refused(reaper, noise, "midi")
    act("spatialize")
    assert "Nothing can be rendered." in reaper.dialogs.texts[0]
    assert bridge.requests == []


def test_take_effects_are_not_in_the_result_and_that_is_told(reaper, bridge, act, steps):
    add_effect(steps.take, Fx("VST: ReaEQ (Cockos)", "reaeq", [], []))
    steps.take.values["D_PAN"] = 0.3
    act("spatialize")
    assert "its take FX are not in the result: VST: ReaEQ (Cockos)" in reaper.dialogs.console
    assert "its take pan is not used" in reaper.dialogs.console


def test_settings_that_do_not_go_together_are_told_before_any_work(reaper, bridge, act, steps):
    reaper.active.ext_state["FoleySpace", "settings"] = '{"renderer":"diffusion","format":"foa"}'
    act("spatialize")
    assert "diffusion renderer makes binaural sound only" in reaper.dialogs.texts[0]
    assert bridge.requests == []


def test_a_folder_that_cannot_be_written(reaper, bridge, act, steps):
    (reaper.resource.parent / "REAPER Media").write_text("a file, no folder")
    act("spatialize")
    assert "Nothing can be written to" in reaper.dialogs.texts[0]
    assert bridge.requests == []


def test_without_a_window_all_works_as_well(reaper, bridge, act, steps):
    reaper.drawing.available = False
    bridge.behave("slow")

    def slowly(script):
        if bridge.requests and not (bridge.folder / "go").exists():
            reaper.advance(1.0)
            bridge.go()

    act("spatialize", each_tick=slowly)
    reaper.check()
    assert len(reaper.active.tracks) == 2


def test_a_window_that_is_closed_leaves_the_job_running(reaper, bridge, act, steps):
    bridge.behave("slow")
    closed = [False]

    def user(script):
        if bridge.requests and not reaper.drawing.frames:
            reaper.advance(0.1)
        elif len(reaper.drawing.frames) > 3 and not closed[0]:
            closed[0] = True
            reaper.drawing.keys.append(-1)
            bridge.go()

    act("spatialize", each_tick=user)
    assert closed[0]
    assert len(reaper.active.tracks) == 2


def test_what_other_days_have_left_is_swept(reaper, bridge, act, steps, leftovers):
    jobs = reaper.resource / "Data" / "FoleySpace" / "jobs"
    (jobs / "20200101-000000-abcdef01" / "results").mkdir(parents=True)
    (jobs / "20200101-000000-abcdef01" / "results" / "x.wav").write_bytes(b"x")
    (jobs / "mine").mkdir()
    act("spatialize")
    assert leftovers() == ["mine"]
