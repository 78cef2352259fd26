"""Re-render changed: those items, and no others."""

from __future__ import annotations

import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import add_effect, add_item, add_track
from fake.jsfx import read_jsfx

from .conftest import PASS, SCRIPTS


@pytest.fixture
def three(reaper, bridge, act, noise):
    """Three items that were spatialized, on two tracks."""
    first = add_track(reaper.active, "First")
    items = [add_item(first, noise("one.wav"), 0.0), add_item(first, noise("two.wav"), 2.0)]
    items.append(add_item(add_track(reaper.active, "Second"), noise("three.wav"), 0.0))
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    return items


def change(three, what, noise):
    item = three[1]
    if what == "volume":
        item.values["D_VOL"] = 0.5
    elif what == "fade":
        item.values["D_FADEINLEN"] = 0.1
    elif what == "trimmed":
        item.values["D_LENGTH"] = 0.5
    elif what == "slipped":
        item.take.values["D_STARTOFFS"] = 0.1
    elif what == "rate":
        item.take.values["D_PLAYRATE"] = 1.5
    elif what == "pitch":
        item.take.values["D_PITCH"] = 3.0
    elif what == "stretch":
        item.take.stretch_markers[:] = [(0.0, 0.0), (0.5, 0.4)]
    elif what == "file":
        soundfile.write(item.take.source.path, [0.1] * 96000, 48000, subtype="FLOAT")
    elif what == "drawn":
        add_effect(item.take, read_jsfx(SCRIPTS / "effects" / "FoleySpace Position.jsfx"), {0: [(0.0, 12.0)]})
    elif what == "result deleted":
        result = item.track.project.tracks[1].items[1]
        result.track.items.remove(result)


CHANGES = ["volume", "fade", "trimmed", "slipped", "rate", "pitch", "stretch", "file", "drawn", "result deleted"]


@pytest.mark.parametrize("what", CHANGES)
def test_one_of_three_has_changed(reaper, bridge, act, noise, three, what):
    with reaper.as_user():
        change(three, what, noise)
    asked = len(reaper.dialogs.shown)
    act("rerender")
    reaper.check()
    assert [item["id"] for item in bridge.items] == [three[1].guid]
    assert len(bridge.requests) == 2
    assert len(reaper.dialogs.shown) == asked  # how it goes was answered before
    assert [len(track.items) for track in reaper.active.tracks] == [2, 2, 1, 1]
    assert reaper.active.undo[-1].label == "FoleySpace: Re-render 1 item"
    act("rerender")
    assert len(bridge.requests) == 2
    assert reaper.dialogs.texts == ["All 3 results are up to date."]


def test_nothing_has_changed(reaper, bridge, act, three):
    three[0].values["B_UISEL"] = 0.0
    three[1].values["B_MUTE"] = 0.0
    three[2].track.values["D_VOL"] = 0.5
    act("rerender")
    reaper.check()
    assert reaper.dialogs.texts == ["All 3 results are up to date."]
    assert len(bridge.requests) == 1
    assert len(reaper.active.undo) == 1


def test_other_settings_change_all(reaper, bridge, act, three):
    reaper.active.ext_state["FoleySpace", "settings"] = '{"room":"church"}'
    act("rerender")
    assert len(bridge.items) == 3
    assert bridge.requests[-1]["settings"]["room"] == "church"


def test_settings_that_change_no_sound_change_nothing(reaper, bridge, act, three):
    reaper.active.ext_state["FoleySpace", "settings"] = '{"mute_source":false,"seed":7,"profile":"other"}'
    act("rerender")
    assert len(bridge.requests) == 1


def test_an_item_that_was_only_moved_takes_its_result_along(reaper, bridge, act, three):
    with reaper.as_user():
        three[0].values["D_POSITION"] = 5.0
    act("rerender")
    reaper.check()
    assert len(bridge.requests) == 1
    assert sorted(item.start_s for item in reaper.active.tracks[1].items) == [2.0, 5.0]
    assert reaper.active.undo[-1].label == "FoleySpace: Re-render 1 item"
    act("rerender")
    assert reaper.dialogs.texts == ["All 3 results are up to date."]


def test_a_result_that_was_put_elsewhere_stays_there(reaper, bridge, act, three):
    result = reaper.active.tracks[1].items[0]
    with reaper.as_user():
        result.values["D_POSITION"] = 0.75
        three[0].values["D_VOL"] = 0.5
    act("rerender")
    reaper.check()
    assert result.start_s == 0.75
    assert "its result was moved or trimmed by hand; only its sound is new" in reaper.dialogs.console
    with reaper.as_user():
        three[0].values["D_POSITION"] = 9.0
    act("rerender")
    assert result.start_s == 0.75


def test_a_copy_is_an_item_of_its_own(reaper, bridge, act, three, noise):
    copy = add_item(three[0].track, noise("one.wav"), 8.0)
    copy.extra.update(three[0].extra)
    act("rerender")
    assert len(bridge.requests) == 1


def test_with_nothing_rendered_before(reaper, bridge, act, noise):
    add_item(add_track(reaper.active), noise(), 0.0)
    act("rerender")
    assert "No item of this project was rendered" in reaper.dialogs.texts[0]
