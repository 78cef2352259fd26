"""Localize video item: what is found becomes automation."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import Source, add_item, add_track
from fake.curves import evaluate

from .test_trajectories import write_video


@pytest.fixture
def film(reaper, tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path)
    return add_item(add_track(reaper.active, "Picture"), Source("VIDEO", str(path)), 10.0, 4.0)


def source(label, azimuths, *, score=0.5, selected=False, cut_at=None, step_s=0.5):
    keys = [
        {"t_s": step_s * i, "azimuth_deg": a, "elevation_deg": 5.0, "distance_m": 2.0 + i, "cut": i == cut_at}
        for i, a in enumerate(azimuths)
    ]
    return {"id": f"{label}-1", "label": label, "score": score, "selected": selected, "keys": keys}


def test_each_source_gets_a_track_with_automation(reaper, bridge, act, film):
    bridge.behave("ok", sources=[source("cat", [0, 10]), source("dog", [-40, 40, 30, 30], score=0.4, selected=True)])
    reaper.dialogs.inputs.append(["dog"])
    act("localize")
    reaper.check()
    assert bridge.requests[0]["kind"] == "localize"
    (asked,) = bridge.items
    assert asked["trajectory"]["video"] == {
        "path": film.take.source.path,
        "start_s": 0,
        "duration_s": 4,
        "at_s": 0,
        "rate": 1,
        "label": "dog",
        "hfov_deg": 60,
    }
    assert [track.name for track in reaper.active.tracks] == ["Picture", "FoleySpace: dog", "FoleySpace: cat"]
    (effect,) = reaper.active.tracks[1].fx
    assert effect.name == "JS: FoleySpace Position"
    azimuth, elevation, distance = (effect.envelopes[index] for index in range(3))
    assert [evaluate(azimuth, 10 + t) for t in (0, 0.25, 0.5, 1.0, 1.5)] == pytest.approx([-40, 0, 40, 30, 30])
    assert evaluate(elevation, 11.0) == pytest.approx(5)
    assert evaluate(distance, 10.75) == pytest.approx(3.5)
    assert [point.label for point in reaper.active.undo] == ["FoleySpace: Localize film.mp4"]
    assert reaper.dialogs.texts == []


def test_what_goes_round_the_head_is_unwrapped_and_what_jumps_jumps(reaper, bridge, act, film):
    bridge.behave("ok", sources=[source("bee", [150, 170, -170, -150, 60, 80], cut_at=4)])
    reaper.dialogs.inputs.append([""])
    act("localize")
    reaper.check()
    envelope = reaper.active.tracks[1].fx[0].envelopes[0]
    at = np.array([0, 0.5, 1.0, 1.5, 1.9, 2.0, 2.5])
    wanted = np.array([150, 170, 190, 210, 210, 60, 80])
    found = np.array([evaluate(envelope, 10 + t + 1e-9) for t in at])
    np.testing.assert_allclose((found - wanted + 180) % 360 - 180, 0, atol=1e-6)
    assert found[:5] == pytest.approx(wanted[:5])


def test_much_is_thinned_to_what_can_be_edited(reaper, bridge, act, film):
    times = np.arange(0, 4, 0.04)
    sway = 40 * np.sin(times)
    bridge.behave("ok", sources=[source("bird", sway.tolist(), step_s=0.04)])
    reaper.dialogs.inputs.append([""])
    act("localize")
    envelope = reaper.active.tracks[1].fx[0].envelopes[0]
    assert len(envelope.points) < 25
    assert len(reaper.active.tracks[1].fx[0].envelopes[1].points) == 2
    found = [evaluate(envelope, 10 + time) for time in times]
    np.testing.assert_allclose(found, sway, atol=0.51)


def test_then_sounds_on_that_track_go_along(reaper, bridge, act, film, noise):
    bridge.behave("ok", sources=[source("dog", [-40, 40])])
    reaper.dialogs.inputs.append(["dog"])
    act("localize")
    film.values["B_UISEL"] = 0.0
    add_item(reaper.active.tracks[1], noise(duration_s=0.5), 10.0)
    act("spatialize")
    reaper.check()
    keys = bridge.items[0]["trajectory"]["keys"]
    assert (keys[0]["azimuth_deg"], keys[-1]["azimuth_deg"]) == pytest.approx((-40, 40))


def test_many_sources_are_kept_to_the_surest(reaper, bridge, act, film):
    bridge.behave("ok", sources=[source("car", [i], score=i / 20) for i in range(12)])
    reaper.dialogs.inputs.append([""])
    act("localize")
    names = [track.name for track in reaper.active.tracks[1:]]
    assert names == ["FoleySpace: car"] + [f"FoleySpace: car {number}" for number in range(2, 9)]
    assert evaluate(reaper.active.tracks[1].fx[0].envelopes[0], 10.0) == 11
    assert "12 things were found in it" in reaper.dialogs.console


def test_without_the_effect_nothing_is_changed(reaper, bridge, act, film):
    reaper.jsfx_folders.clear()
    bridge.behave("ok", sources=[source("dog", [-40, 40])])
    reaper.dialogs.inputs.append(["dog"])
    act("localize")
    reaper.check()
    assert [track.name for track in reaper.active.tracks] == ["Picture"]
    assert "is not installed: run «foleyspace reaper install»" in reaper.dialogs.texts[0]


def test_nothing_found(reaper, bridge, act, film):
    reaper.dialogs.inputs.append(["unicorn"])
    act("localize")
    assert "nothing was found in the picture" in reaper.dialogs.texts[0]
    assert reaper.active.undo == []


def test_the_only_video_needs_no_selection_and_without_one_it_says_so(reaper, bridge, act, film):
    film.values["B_UISEL"] = 0.0
    bridge.behave("ok", sources=[source("dog", [-40, 40])])
    reaper.dialogs.inputs.append(["dog"])
    act("localize")
    assert len(reaper.active.tracks) == 2
    reaper.active.tracks[0].items.clear()
    act("localize")
    assert reaper.dialogs.texts == ["Select a video item first."]


def test_a_video_that_is_played_faster(reaper, bridge, act, film):
    film.take.values["D_PLAYRATE"] = 2.0
    reaper.dialogs.inputs.append([""])
    act("localize")
    video = bridge.items[0]["trajectory"]["video"]
    assert (video["rate"], video["duration_s"]) == (2, pytest.approx(4.0))


def test_a_video_with_stretch_markers_is_refused(reaper, bridge, act, film):
    film.take.stretch_markers[:] = [(0.0, 0.0), (1.0, 2.0)]
    act("localize")
    assert "has stretch markers" in reaper.dialogs.texts[0]
    assert bridge.requests == []
