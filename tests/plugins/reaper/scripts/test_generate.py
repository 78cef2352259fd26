"""Generate foley for time selection."""

from __future__ import annotations

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import Source, add_item, add_track

from .conftest import RATE_HZ
from .test_trajectories import write_video


def test_a_sound_is_placed_on_a_track_of_its_own(reaper, bridge, act):
    reaper.active.time_selection = (3.0, 4.5)
    reaper.dialogs.inputs.append(["steps, on gravel; slowly"])
    act("generate")
    reaper.check()
    (asked,) = bridge.items
    assert bridge.requests[0]["kind"] == "generate"
    assert asked["prompt"] == "steps, on gravel; slowly"
    assert (asked["position_s"], asked["length_s"], asked["n_samples"]) == (3.0, 1.5, 1.5 * RATE_HZ)
    assert "trajectory" not in asked
    (track,) = reaper.active.tracks
    (item,) = track.items
    assert (track.name, item.take.name) == ("FoleySpace foley", "steps, on gravel; slowly")
    assert (item.start_s, item.length_s) == (3.0, 1.5)
    assert len(reaper.active.undo) == 1
    assert reaper.dialogs.texts == []


def test_the_track_is_used_again_where_it_is_free(reaper, bridge, act):
    for start in (0.0, 2.0, 2.5):
        reaper.active.time_selection = (start, start + 1.0)
        reaper.dialogs.inputs.append(["steps"])
        act("generate")
    assert [[item.start_s for item in track.items] for track in reaper.active.tracks] == [[0.0, 2.0], [2.5]]


def test_a_video_there_is_used(reaper, bridge, act, tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path)
    add_item(add_track(reaper.active), Source("VIDEO", str(path)), 2.0, 4.0)
    reaper.active.time_selection = (3.0, 5.0)
    reaper.dialogs.inputs.append(["a dog barks"])
    act("generate")
    assert bridge.items[0]["trajectory"]["video"]["start_s"] == 1.0


def test_without_a_time_selection(reaper, bridge, act):
    act("generate")
    assert "Make a time selection first" in reaper.dialogs.texts[0]


def test_words_are_needed(reaper, bridge, act):
    reaper.active.time_selection = (3.0, 4.5)
    reaper.dialogs.inputs += [[" "], None]
    act("generate")
    assert reaper.dialogs.texts == ["Say in a few words what shall be heard."]
    assert bridge.requests == []


def test_what_the_host_cannot_do_is_told(reaper, bridge, act):
    bridge.behave("one_fails")
    reaper.active.time_selection = (3.0, 4.5)
    reaper.dialogs.inputs.append(["steps"])
    act("generate")
    reaper.check()
    assert "the file ends in the middle; copy it again" in reaper.dialogs.texts[0]
    assert reaper.active.tracks == []
