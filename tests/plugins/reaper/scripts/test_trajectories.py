"""Where sounds go: what the user drew, a video beside the item, or a dialog."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import AutomationItem, Point, Source, add_effect, add_item, add_track, file_source, section
from fake.curves import evaluate
from fake.jsfx import read_jsfx
from hypothesis import given
from hypothesis import strategies as st

from .conftest import PASS, SCRIPTS
from .lua_modules import load


def position():
    return read_jsfx(SCRIPTS / "effects" / "FoleySpace Position.jsfx")


def columns(keys):
    names = ("t_s", "azimuth_deg", "elevation_deg", "distance_m")
    return [np.array([key[name] for key in keys]) for name in names]


def keys_of(bridge, index=0):
    return bridge.items[index]["trajectory"]["keys"]


def test_automation_of_the_track_counts_in_the_projects_time(reaper, bridge, act, noise):
    track = add_track(reaper.active, "Steps")
    add_effect(track, position(), {0: [(0.0, -90.0), (10.0, 90.0)], 2: [(0.0, 1.0), (10.0, 11.0)]})
    add_item(track, noise(duration_s=2.0), 4.0)
    act("spatialize")
    reaper.check()
    times, azimuths, elevations, distances = columns(keys_of(bridge))
    assert times[0] == 0
    assert times[-1] == pytest.approx(2.0)
    np.testing.assert_allclose(azimuths, -90 + 18 * (4 + times), atol=1e-3)
    np.testing.assert_allclose(distances, 5 + times, atol=1e-3)
    assert set(elevations) == {0.0}
    assert not any(key["cut"] for key in keys_of(bridge))
    assert reaper.dialogs.shown == []


def test_automation_of_the_take_counts_in_the_items_time_at_its_rate(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    add_effect(track, position(), {0: [(0.0, 10.0)]})
    item = add_item(track, noise(duration_s=2.0), 4.0, take={"D_PLAYRATE": 2.0})
    add_effect(item.take, position(), {0: [(0.0, 0.0), (2.0, 720.0)], 1: [(0.0, -30.0), (2.0, 30.0)]})
    act("spatialize")
    reaper.check()
    times, azimuths, elevations, _ = columns(keys_of(bridge))
    assert times[-1] == pytest.approx(1.0)
    np.testing.assert_allclose(azimuths, 720 * times, atol=0.05)  # two turns, unwrapped
    np.testing.assert_allclose(elevations, -30 + 60 * times, atol=0.05)
    assert np.abs(np.diff(azimuths)).max() <= 10 + 1e-6


def test_curves_are_followed(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    points = [(0.0, 0.0, 5, 0.7), (0.5, 60.0, 2), (1.1, -40.0, 3), (1.5, 20.0, 4), (2.0, 0.0)]
    effect = add_effect(track, position(), {0: points, 2: [(0.0, 2.0, 2), (2.0, 20.0)]})
    add_item(track, noise(duration_s=2.0), 0.0)
    act("spatialize")
    times, azimuths, _, distances = columns(keys_of(bridge))
    at = np.linspace(0, 2, 997)
    wanted = [evaluate(effect.envelopes[0], time) for time in at]
    np.testing.assert_allclose(np.interp(at, times, azimuths), wanted, atol=0.15)
    wanted = [evaluate(effect.envelopes[2], time) for time in at]
    np.testing.assert_allclose(np.interp(at, times, distances), wanted, rtol=0.005)


def test_jumps_are_cuts(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    add_effect(track, position(), {0: [(0.0, -80.0, 1), (1.0, 80.0, 1)], 2: [(0.0, 2.0), (2.0, 6.0)]})
    add_item(track, noise(duration_s=2.0), 0.0)
    act("spatialize")
    keys = keys_of(bridge)
    (cut,) = [index for index, key in enumerate(keys) if key["cut"]]
    assert keys[cut]["t_s"] == pytest.approx(1.0)
    assert keys[cut]["azimuth_deg"] == pytest.approx(80)
    assert keys[cut - 1]["azimuth_deg"] == pytest.approx(-80)
    assert keys[cut - 1]["distance_m"] == pytest.approx(4.0, abs=0.01)  # what does not jump goes on until there


def test_automation_items_are_heard_too(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    effect = add_effect(track, position(), {0: [(0.0, 0.0)]})
    effect.envelopes[0].automation_items.append(AutomationItem(0.5, 1.0, [Point(0.0, 0.0), Point(1.0, 90.0)]))
    add_item(track, noise(duration_s=2.0), 0.0)
    act("spatialize")
    times, azimuths, *_ = columns(keys_of(bridge))
    at = np.linspace(0, 2, 501)
    wanted = np.array([evaluate(effect.envelopes[0], time) for time in at])
    steady = np.abs(at - 1.5) > 0.03  # it falls back at the end of the automation item
    np.testing.assert_allclose(np.interp(at, times, azimuths)[steady], wanted[steady], atol=2.0)
    assert len(times) < 60


def test_an_effect_without_automation_stands_still(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    effect = add_effect(track, position())
    effect.values[:] = [100.0, 20.0, 7.0]
    add_item(track, noise(), 0.0)
    act("spatialize")
    (key,) = keys_of(bridge)
    assert key == {"t_s": 0, "azimuth_deg": 100.0, "elevation_deg": 20.0, "distance_m": 7.0, "cut": False}


def test_automation_that_is_switched_off_does_not_count(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    effect = add_effect(track, position(), {0: [(0.0, 90.0)]})
    effect.envelopes[0].active = False
    effect.values[0] = 33.0
    add_item(track, noise(), 0.0)
    act("spatialize")
    assert keys_of(bridge)[0]["azimuth_deg"] == 33.0


def test_an_effect_that_is_switched_off_does_not_count(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    add_effect(track, position()).enabled = False
    add_item(track, noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    assert keys_of(bridge)[0]["azimuth_deg"] == 90


def test_automation_that_counts_from_0_to_1_means_the_same(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    effect = add_effect(track, position(), {0: [(0.0, 0.5 + 45 / 2160), (1.0, 0.5 - 45 / 2160)]})
    effect.envelopes[0].minimum, effect.envelopes[0].maximum = 0.0, 1.0
    add_item(track, noise(), 0.0)
    act("spatialize")
    times, azimuths, *_ = columns(keys_of(bridge))
    np.testing.assert_allclose(azimuths, 45 - 90 * times, atol=1e-3)


def test_a_renamed_effect_on_the_folder_around(reaper, bridge, act, noise):
    folder = add_track(reaper.active, "Dog", I_FOLDERDEPTH=1.0)
    effect = add_effect(folder, position(), {0: [(0.0, 55.0)]})
    effect.name = "where the dog is"
    add_item(add_track(reaper.active, "Paws", I_FOLDERDEPTH=-1.0), noise(), 0.0)
    act("spatialize")
    assert keys_of(bridge)[0]["azimuth_deg"] == pytest.approx(55.0)


def test_a_dialog_is_asked_once_for_all_that_have_nothing_else(reaper, bridge, act, noise):
    track = add_track(reaper.active)
    for index in range(3):
        add_item(track, noise(), 2.0 * index, 0.5 * (index + 1) / 2)
    add_effect(reaper.active.items[1].take, position())
    reaper.dialogs.inputs.append(["170", "190", "10", "10", "1", "4"])
    act("spatialize")
    assert reaper.dialogs.shown[0].title == "Where does the sound of 2 items come from?"
    for index in (0, 2):
        times, azimuths, _, distances = columns(keys_of(bridge, index))
        assert (azimuths[0], azimuths[-1]) == (170, 190)  # behind the head
        assert times[-1] == pytest.approx(reaper.active.items[index].length_s)
        assert (distances[1:] / distances[:-1]).max() < 1.25 + 1e-9


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film äö.mp4"
    write_video(path)
    return path


def write_video(path, duration_s=4.0):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 64, 48
        for _ in range(round(5 * duration_s)):
            for packet in stream.encode(av.VideoFrame(64, 48, "yuv420p")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def test_a_video_beside_the_item(reaper, bridge, act, noise, film):
    picture = add_track(reaper.active, "Picture")
    add_item(picture, Source("VIDEO", str(film)), 10.0, 3.0, selected=False, take={"D_STARTOFFS": 0.5}, B_MUTE=1.0)
    track = add_track(reaper.active, "Steps")
    add_item(track, noise(), 11.0, 1.0)
    add_item(track, noise(), 9.5, 1.0)
    reaper.dialogs.inputs.append(["big dog"])
    act("spatialize")
    reaper.check()
    early, late = (item["trajectory"]["video"] for item in bridge.items)
    assert [item["position_s"] for item in bridge.items] == [9.5, 11.0]
    assert early == {
        "path": str(film),
        "start_s": 0.5,
        "duration_s": 0.5,
        "at_s": 0.5,
        "rate": 1,
        "label": "big dog",
        "hfov_deg": 60,
    }
    assert late == {
        "path": str(film),
        "start_s": 1.5,
        "duration_s": 1.0,
        "at_s": 0,
        "rate": 1,
        "label": "big dog",
        "hfov_deg": 60,
    }
    assert len(reaper.dialogs.shown) == 1


def test_of_two_videos_the_longer_beside_counts_and_its_rate_is_told(reaper, bridge, act, noise, film):
    picture = add_track(reaper.active, "Picture")
    add_item(picture, Source("VIDEO", str(film)), 0.0, 1.25, selected=False)
    add_item(picture, Source("VIDEO", str(film)), 1.25, 2.0, selected=False, take={"D_PLAYRATE": 2.0})
    add_item(add_track(reaper.active), noise(duration_s=2.0), 1.0)
    reaper.dialogs.inputs.append([""])
    act("spatialize")
    video = bridge.items[0]["trajectory"]["video"]
    assert (video["at_s"], video["start_s"], video["rate"]) == (0.25, 0.0, 2.0)
    assert video["duration_s"] == pytest.approx(2 * 1.75)
    assert "label" not in video


def test_a_video_that_cannot_be_matched_is_left_out(reaper, bridge, act, noise, film):
    picture = add_track(reaper.active, "Picture")
    add_item(picture, section(file_source(film), 0.0, 2.0, reverse=True), 0.0, 2.0, selected=False)
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    assert "keys" in bridge.items[0]["trajectory"]


@pytest.fixture(scope="module", params=["5.3", "5.4"])
def lua_trajectory(request):
    lua, _ = load(request.param, "json")
    lua.execute(b"reaper = {}")
    return lua, lua.eval(b'(require("trajectory"))')


ROWS = st.lists(
    st.tuples(st.floats(-1080, 1080), st.floats(-90, 90), st.floats(0.3, 50), st.booleans()), min_size=1, max_size=30
)


def to_lua(lua, rows):
    return lua.table_from(
        [
            lua.table_from({1: a, 2: e, 3: d, b"t": 0.1 * i, b"jump": bool(i and j)})
            for i, (a, e, d, j) in enumerate(rows)
        ]
    )


@given(rows=ROWS)
def test_keys_lie_on_the_lines_that_were_drawn_and_take_no_big_steps(lua_trajectory, rows):
    lua, module = lua_trajectory
    keys = [{k.decode(): v for k, v in key.items()} for key in module[b"keys"](to_lua(lua, rows)).values()]
    times, *values = columns(keys)
    knots = 0.1 * np.arange(len(rows))
    for number, value in enumerate(values):
        drawn = np.array([row[number] for row in rows])
        for time, one, key in zip(times, value, keys, strict=True):
            after = min(int(np.searchsorted(knots, time - 1e-12)), len(rows) - 1)
            if key["cut"] or after == 0:
                assert one == drawn[after]
            else:
                part = (time - knots[after - 1]) / 0.1
                assert one == pytest.approx(drawn[after - 1] + part * (drawn[after] - drawn[after - 1]), abs=1e-6)
    assert sum(key["cut"] for key in keys) == sum(bool(row[3]) for row in rows[1:])
    for before, key in pairwise(keys):
        if not key["cut"]:
            assert abs(key["azimuth_deg"] - before["azimuth_deg"]) <= 10 + 1e-6
            assert abs(key["elevation_deg"] - before["elevation_deg"]) <= 10 + 1e-6


@given(rows=ROWS)
def test_thinning_stays_within_its_tolerances(lua_trajectory, rows):
    lua, module = lua_trajectory
    kept = [dict(row.items()) for row in module.thin(to_lua(lua, rows), lua.table_from([5.0, 5.0, 0.1])).values()]
    times = np.array([row[b"t"] for row in kept])
    assert times[0] == 0
    assert times[-1] == pytest.approx(0.1 * (len(rows) - 1))
    cuts = {round(10 * row[b"t"]) for row in kept if row[b"jump"]}
    assert cuts == {index for index, row in enumerate(rows) if index and row[3]}
    for index, row in enumerate(rows):
        start = max([cut for cut in cuts if cut <= index], default=0)
        stop = min([cut for cut in cuts if cut > index], default=len(rows)) - 1
        part = (times >= 0.1 * start - 1e-9) & (times <= 0.1 * stop + 1e-9)
        for number, tolerance in ((1, 5.0), (2, 5.0), (3, 0.1 * row[2])):
            line = np.interp(0.1 * index, times[part], np.array([one[number] for one in kept])[part])
            assert abs(line - row[number - 1]) <= tolerance + 1e-6
