"""Spatialize selected items: what the user sees and hears afterwards."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import add_envelope, add_item, add_take, add_track, file_source, heard_take, render_timeline, section

from .conftest import PASS, RATE_HZ


def test_a_result_is_heard_where_the_item_was(reaper, bridge, act, noise, leftovers):
    path = noise()
    item = add_item(add_track(reaper.active, "Steps"), path, 1.25, 0.5, take={"D_STARTOFFS": 0.25})
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    track, child = reaper.active.tracks
    assert child.name == "Steps - FoleySpace"
    assert child.parent is track
    assert item.values["B_MUTE"] == 1
    assert [point.label for point in reaper.active.undo] == ["FoleySpace: Spatialize 1 item"]
    heard = render_timeline(reaper.active, 1.0, 1.0)
    wanted = soundfile.read(path)[0][12000:36000]
    np.testing.assert_allclose(heard[0, 12000:36000], wanted, atol=1e-6)
    np.testing.assert_allclose(heard[1, 12000:36000], 0.5 * wanted, atol=1e-6)
    assert not heard[:, :12000].any()
    assert not heard[:, 36000:].any()
    assert leftovers() == []
    assert reaper.dialogs.texts == []
    assert bridge.items[0]["n_samples"] == RATE_HZ // 2


@pytest.mark.parametrize(
    ("take", "length_s"),
    [({"D_PLAYRATE": 0.5, "B_PPITCH": 0.0}, 1.0), ({"D_PLAYRATE": 2.0, "B_PPITCH": 0.0, "D_STARTOFFS": 0.2}, 0.3)],
)
def test_what_reaper_changes_is_taken_from_reaper(reaper, bridge, act, noise, take, length_s):
    item = add_item(add_track(reaper.active), noise(), 0.5, length_s, take=take)
    reaper.dialogs.inputs.append(PASS)
    wanted = heard_take(item.take, 0, round(length_s * RATE_HZ), RATE_HZ)[0]
    act("spatialize")
    reaper.check()
    assert bridge.items[0]["sound"] == {"wav": "item_0001.wav"}
    heard = render_timeline(reaper.active, 0.5, length_s)[0]
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(heard, wanted, atol=1e-6)


def test_a_reversed_section_is_taken_from_reaper(reaper, bridge, act, noise):
    path = noise(n_channels=2)
    source = section(file_source(path), 0.25, 0.5, reverse=True)
    add_item(add_track(reaper.active), source, 2.0, 0.5)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    wanted = soundfile.read(path)[0][12000:36000, 0][::-1]
    np.testing.assert_allclose(render_timeline(reaper.active, 2.0, 0.5)[0], wanted, atol=1e-6)


def test_a_looped_item_is_taken_from_reaper_and_one_that_just_ends_is_not(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    add_item(track, noise(duration_s=0.5), 0.0, 1.2, B_LOOPSRC=1.0)
    add_item(track, noise(duration_s=0.5), 2.0, 1.2, B_LOOPSRC=0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    looped, ended = bridge.items
    assert looped["sound"] == {"wav": "item_0001.wav"}
    assert ended["sound"]["duration_s"] == pytest.approx(0.5)
    heard = render_timeline(reaper.active, 0.0, 3.2)[0]
    np.testing.assert_allclose(heard[24000:48000], heard[:24000], atol=1e-6)
    assert not heard[96000 + 24000 :].any()


@pytest.mark.parametrize("rate_hz", [44100, 96000])
def test_other_rates_and_the_projects_grid(reaper, bridge, act, noise, rate_hz):
    add_item(add_track(reaper.active), noise(rate_hz=rate_hz), 1.00001, 0.333333)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    item = bridge.items[0]
    assert bridge.requests[0]["project_rate_hz"] == RATE_HZ
    assert item["n_samples"] == round((1.00001 + 0.333333) * RATE_HZ) - round(1.00001 * RATE_HZ)
    assert reaper.active.tracks[1].items[0].length_s == pytest.approx(item["n_samples"] / RATE_HZ)


def test_without_a_rate_of_its_own_the_project_has_the_devices(reaper, bridge, act, noise):
    reaper.active.values["PROJECT_SRATE_USE"] = 0.0
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    assert bridge.requests[0]["project_rate_hz"] in (44100, 48000)


def test_gain_fades_and_envelopes_go_along(reaper, bridge, act, noise):
    values = {
        "D_VOL": 0.5,
        "D_FADEINLEN": 0.1,
        "C_FADEINSHAPE": 2.0,
        "D_FADEOUTLEN": 0.2,
        "D_FADEOUTLEN_AUTO": 0.3,
        "D_FADEOUTDIR": -0.5,
    }
    item = add_item(add_track(reaper.active), noise(), 0.0, take={"D_VOL": -0.5}, **values)
    add_envelope(item.take, "Volume", [(0.0, 1.0), (0.5, 0.25, 1), (0.75, 0.5)])
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    asked = bridge.items[0]
    assert asked["gain"] == -0.25
    assert asked["fade_in"] == {"length_s": 0.1, "shape": 2, "curve": 0}
    assert asked["fade_out"] == {"length_s": 0.3, "shape": 0, "curve": -0.5}
    times, gains = zip(*asked["volume_envelope"], strict=True)
    assert np.interp([0.0, 0.25, 0.5, 0.7, 0.8, 1.0], times, gains) == pytest.approx([1, 0.625, 0.25, 0.25, 0.5, 0.5])
    placed = reaper.active.tracks[1].items[0]
    assert placed.values["D_FADEINLEN"] == placed.values["D_FADEOUTLEN"] == 0
    assert placed.values["D_VOL"] == placed.take.values["D_VOL"] == 1


def test_a_volume_envelope_on_the_fader_scale_at_double_speed(reaper, bridge, act, noise):
    item = add_item(add_track(reaper.active), noise(), 0.0, 0.5, take={"D_PLAYRATE": 2.0})
    envelope = add_envelope(item.take, "Volume", [(0.0, 716.0), (1.0, 300.0)], fader_scaling=True)
    add_envelope(item.take, "Mute", [(0.0, 1.0, 1), (0.8, 0.0, 1)])
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    times, gains = zip(*bridge.items[0]["volume_envelope"], strict=True)
    assert max(times) == pytest.approx(0.5)
    for part in (0.1, 0.33, 0.7):
        wanted = envelope_gain(716.0 + part * (300.0 - 716.0))
        assert np.interp(0.5 * part, times, gains) == pytest.approx(wanted, rel=1e-3), envelope
    assert np.interp([0.41, 0.5], times, gains) == pytest.approx([0.0, 0.0])


def envelope_gain(value):
    from fake.curves import from_fader

    return from_fader(value)


def test_two_takes_the_active_one_counts(reaper, bridge, act, noise):
    item = add_item(add_track(reaper.active), noise("first.wav"), 0.0)
    add_take(item, file_source(noise("second.wav")), "second take")
    item.active = 1
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert bridge.items[0]["sound"]["path"].endswith("second.wav")
    assert reaper.active.tracks[1].items[0].take.name == "second take (FoleySpace)"


@pytest.mark.parametrize(("mode", "plain"), [(0, True), (1, True), (3, True), (5, False), (67, False)])
def test_six_channels_and_channel_modes(reaper, bridge, act, noise, mode, plain):
    path = noise(n_channels=6)
    add_item(add_track(reaper.active), path, 0.0, take={"I_CHANMODE": float(mode)})
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    sound = bridge.items[0]["sound"]
    if plain:
        assert sound["channel_mode"] == mode
        return
    assert sound == {"wav": "item_0001.wav"}
    wanted = soundfile.read(path)[0][:, {5: 2, 67: 0}[mode]]
    np.testing.assert_allclose(render_timeline(reaper.active, 0.0, 1.0)[0], wanted, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["Schritte auf Kies äöü.wav", 'it\'s "loud" `here`.wav', "日本語/足音.wav", "a; rm -rf $HOME, & b.wav"]
)
def test_names_that_trip_others(reaper, bridge, act, noise, name):
    track = add_track(reaper.active, name)
    add_item(track, noise(name), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert bridge.items[0]["sound"]["path"].endswith(name)
    assert reaper.active.tracks[1].name == f"{name} - FoleySpace"
    assert len(reaper.processes.commands) == 1
    assert len(reaper.processes.commands[0]) == 2


def test_two_hundred_items_are_one_step(reaper, bridge, act, noise):
    path = noise(duration_s=0.05)
    for number in range(4):
        track = add_track(reaper.active, f"Track {number}")
        for index in range(50):
            add_item(track, path, 0.1 * index)
    reaper.dialogs.inputs.append(PASS)
    script = act("spatialize")
    reaper.check()
    assert len(reaper.active.undo) == 1
    assert [len(track.items) for track in reaper.active.tracks] == [50] * 8
    assert max(tick.own_s for tick in script.ticks) < 0.1  # on a busy machine; benchmarks/reaper_ticks.py measures it
    assert len(bridge.requests) == 1


def test_each_source_track_has_one_child_in_the_right_place(reaper, bridge, act, noise):
    path = noise(duration_s=0.1)
    outer = add_track(reaper.active, "Outer", I_FOLDERDEPTH=1.0)
    last = add_track(reaper.active, "Last of two folders", I_FOLDERDEPTH=-1.0)
    plain = add_track(reaper.active, "Plain")
    for track in (outer, last, plain):
        add_item(track, path, 0.0)
        add_item(track, path, 1.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert [track.name for track in reaper.active.tracks] == [
        "Outer",
        "Outer - FoleySpace",
        "Last of two folders",
        "Last of two folders - FoleySpace",
        "Plain",
        "Plain - FoleySpace",
    ]
    parents = {track.name: track.parent and track.parent.name for track in reaper.active.tracks}
    assert parents == {
        "Outer": None,
        "Outer - FoleySpace": "Outer",
        "Last of two folders": "Outer",
        "Last of two folders - FoleySpace": "Last of two folders",
        "Plain": None,
        "Plain - FoleySpace": "Plain",
    }


def test_done_again_the_result_is_exchanged_and_what_was_changed_by_hand_stays(reaper, bridge, act, noise):
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs += [PASS, ["0"] * 4 + ["3", "3"]]
    act("spatialize")
    first = reaper.active.tracks[1].items[0]
    with reaper.as_user():
        first.values["D_VOL"] = 0.5
        first.values["D_FADEINLEN"] = 0.01
    before = first.take.source.path
    act("spatialize")
    reaper.check()
    assert len(reaper.active.tracks) == 2
    (again,) = reaper.active.tracks[1].items
    assert again is first
    assert again.take.source.path != before
    assert (again.values["D_VOL"], again.values["D_FADEINLEN"]) == (0.5, 0.01)


def test_results_among_the_selected_items_are_left_alone(reaper, bridge, act, noise):
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs += [PASS, PASS]
    act("spatialize")
    reaper.active.tracks[1].items[0].values["B_UISEL"] = 1.0
    act("spatialize")
    reaper.check()
    assert len(bridge.items) == 1
    assert "result of FoleySpace itself" in reaper.dialogs.texts[0]


def test_undo_brings_all_back(reaper, bridge, act, noise, lua):
    item = add_item(add_track(reaper.active, "Steps"), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    lua("reaper.Undo_DoUndo2(0)")
    (track,) = reaper.active.tracks
    assert track.values["I_FOLDERDEPTH"] == 0
    assert track.items[0].guid == item.guid
    assert track.items[0].values["B_MUTE"] == 0
    assert track.items[0].extra == {}


def test_more_channels_than_two(reaper, bridge, act, noise):
    settings = {"format": "hoa3", "mute_source": False, "tail_s": 0.5}
    reaper.active.ext_state["FoleySpace", "settings"] = json.dumps(settings)
    item = add_item(add_track(reaper.active, "Steps"), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    child = reaper.active.tracks[1]
    assert child.values["I_NCHAN"] == 16
    assert child.items[0].length_s == pytest.approx(1.5)
    assert item.values["B_MUTE"] == 0
    assert bridge.requests[0]["settings"]["format"] == "hoa3"
    assert "track «Steps»: it has 2 channels of 16" in reaper.dialogs.console


def test_pan_and_width_on_the_way_out_are_told(reaper, bridge, act, noise):
    folder = add_track(reaper.active, "Music", I_FOLDERDEPTH=1.0, D_PAN=-0.5)
    track = add_track(reaper.active, "Steps", I_FOLDERDEPTH=-1.0, I_PANMODE=5.0, D_WIDTH=0.4)
    add_item(track, noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert folder.name in reaper.dialogs.console
    assert "«Music»: it is panned" in reaper.dialogs.console
    assert "«Steps»: its width is not 100 %" in reaper.dialogs.console
    assert reaper.dialogs.texts == []


def test_an_unsaved_project_has_a_place_for_results(reaper, bridge, act, noise):
    assert reaper.active.path is None
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    assert (reaper.resource.parent / "REAPER Media" / "FoleySpace" / "result 0.wav").is_file()


def test_the_answer_to_no_question_is_nothing(reaper, bridge, act, noise, leftovers):
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs.append(None)
    act("spatialize")
    reaper.check()
    assert reaper.active.undo == []
    assert reaper.dialogs.texts == []
    assert bridge.requests == []
    assert leftovers() == []


def test_numbers_as_people_type_them(reaper, bridge, act, noise):
    add_item(add_track(reaper.active), noise(), 0.0)
    wrong = ["ninety", "0", "0", "0", "2", "2"]
    reaper.dialogs.inputs += [wrong, ["0", "0", "0", "0", "500", "2"], ["+12,5", " 12,5", "0", "0", "1.5", "1,5"]]
    act("spatialize")
    reaper.check()
    assert '"ninety" is not a number' in reaper.dialogs.texts[0]
    assert "give 0.3 to 50" in reaper.dialogs.texts[1]
    (key,) = bridge.items[0]["trajectory"]["keys"]
    assert (key["azimuth_deg"], key["distance_m"]) == (12.5, 1.5)
    again = reaper.dialogs.shown[-1]
    assert again.detail[0] == "0"  # what was typed before is there to be corrected


def test_nothing_selected(reaper, bridge, act):
    act("spatialize")
    assert reaper.dialogs.texts == ["Select the items that shall be placed in space first."]
