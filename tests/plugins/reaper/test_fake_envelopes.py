"""Envelopes and effects of the fake REAPER."""

from __future__ import annotations

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import AutomationItem, Envelope, Point, ScriptError, add_effect, add_envelope, add_track
from fake.curves import evaluate, from_fader, to_fader
from fake.jsfx import read_jsfx
from hypothesis import given
from hypothesis import strategies as st

EFFECT = """desc:Spot
slider2:gain_db=-6<-60,12,0.1>Gain (dB)
slider1:5<0,10,1{a,b}>-Hidden
@init
slider9:1<0,1>Not a slider
"""


@pytest.fixture
def spot(reaper):
    folder = reaper.resource / "Effects" / "mine"
    folder.mkdir(parents=True)
    (folder / "Spot.jsfx").write_text(EFFECT, encoding="utf-8")
    return folder / "Spot.jsfx"


def envelope(*points, **values):
    made = Envelope("Any", None, -10.0, 10.0, 0.5, **values)
    made.points = [Point(*point) for point in points]
    return made


@pytest.mark.parametrize(
    ("shape", "quarter", "half"),
    [(0, 0.25, 0.5), (1, 0.0, 0.0), (2, 0.15625, 0.5), (3, 0.578125, 0.875), (4, 0.015625, 0.125), (5, None, 0.5)],
)
def test_shapes(shape, quarter, half):
    one = envelope((1.0, 0.0, shape), (3.0, 4.0))
    if quarter is not None:
        assert evaluate(one, 1.5) == pytest.approx(4.0 * quarter)
    assert evaluate(one, 2.0) == pytest.approx(4.0 * half)
    assert (evaluate(one, 0.0), evaluate(one, 3.0), evaluate(one, 9.0)) == (0.0, 4.0, 4.0)


@given(
    st.floats(-1, 1),
    st.lists(st.tuples(st.floats(0, 10), st.floats(-10, 10)), min_size=2, max_size=6),
    st.floats(0, 10),
)
def test_a_bezier_stays_between_the_points_around_it_and_the_range(tension, points, at):
    one = envelope(*[(time, value, 5, tension) for time, value in sorted(points)])
    assert -10.0 <= evaluate(one, at) <= 10.0
    assert evaluate(one, 10.0) == one.points[-1].value


def test_tension_pulls_a_bezier_early_or_late():
    bent = [evaluate(envelope((0.0, 0.0, 5, tension), (1.0, 1.0)), 0.5) for tension in (-0.8, 0.0, 0.8)]
    assert bent[0] > bent[1] == pytest.approx(0.5)
    assert bent[2] < 0.5


def test_of_two_points_at_one_time_the_later_counts_from_there_on():
    one = envelope((0.0, 1.0), (1.0, 1.0), (1.0, 3.0), (2.0, 3.0))
    assert (evaluate(one, 0.999999), evaluate(one, 1.0)) == (pytest.approx(1.0), 3.0)


def test_an_automation_item_lies_over_the_points():
    one = envelope((0.0, 1.0), (4.0, 1.0))
    one.automation_items.append(AutomationItem(1.0, 1.0, [Point(0.0, 5.0), Point(1.0, 7.0)]))
    assert (evaluate(one, 0.5), evaluate(one, 1.5), evaluate(one, 2.0)) == (1.0, 6.0, 1.0)


def test_an_envelope_without_points_lies_at_its_centre():
    assert evaluate(envelope(), 1.0) == 0.5


@given(st.floats(0, 2))
def test_the_fader_scale_goes_there_and_back(gain):
    assert from_fader(to_fader(gain)) == pytest.approx(gain, abs=1e-9)
    assert to_fader(1.0) == pytest.approx(716.21785, abs=1e-4)


def test_points_written_unsorted_must_be_sorted_before_they_are_read(reaper, lua):
    add_envelope(add_track(reaper.active, "T"), "Volume", [])
    text = """
        local env = reaper.GetTrackEnvelopeByName(reaper.GetTrack(0, 0), "Volume")
        reaper.Undo_BeginBlock2(0)
        reaper.InsertEnvelopePoint(env, 2, 0.5, 0, 0, false, true)
        reaper.InsertEnvelopePoint(env, 1, 1.0, 0, 0, false, true)
        %s
        reaper.Undo_EndBlock2(0, "draw", -1)
        local _, value = reaper.Envelope_Evaluate(env, 1.5, 48000, 1)
        assert(value == 0.75 and reaper.CountEnvelopePoints(env) == 2 and reaper.GetEnvelopePointByTime(env, 1.5) == 0)
        local ok, time, at, shape, tension, selected = reaper.GetEnvelopePoint(env, 0)
        assert(ok and time == 1 and at == 1 and shape == 0 and tension == 0 and selected == false)
        """
    lua(text % "reaper.Envelope_SortPoints(env)")
    with pytest.raises(ScriptError, match="before Envelope_SortPoints"):
        lua(text % "")


def test_a_value_out_of_range_is_told(reaper, lua):
    add_envelope(add_track(reaper.active, "T"), "Volume", [])
    with pytest.raises(ScriptError, match="outside"):
        lua("""
            local env = reaper.GetTrackEnvelopeByName(reaper.GetTrack(0, 0), "Volume")
            reaper.Undo_BeginBlock2(0)
            reaper.InsertEnvelopePoint(env, 2, 2.5, 0, 0, false, false)
        """)


def test_jsfx_parameters_stand_in_the_order_of_their_numbers(spot):
    effect = read_jsfx(spot)
    assert effect.name == "JS: Spot"
    assert [(one.name, one.minimum, one.maximum) for one in effect.parameters] == [
        ("Hidden", 0.0, 10.0),
        ("Gain (dB)", -60.0, 12.0),
    ]
    assert effect.values == [5.0, -6.0]


def test_an_effect_is_added_by_name_and_its_parameters_have_envelopes(reaper, lua, spot):
    add_track(reaper.active, "T")
    lua("""
        local track = reaper.GetTrack(0, 0)
        assert(reaper.TrackFX_AddByName(track, "JS: Nowhere", false, -1) == -1)
        assert(reaper.TrackFX_AddByName(track, "JS: Spot", false, 0) == -1)
        reaper.Undo_BeginBlock2(0)
        local fx = reaper.TrackFX_AddByName(track, "JS: Spot", false, -1)
        assert(fx == 0 and reaper.TrackFX_AddByName(track, "JS: Spot", false, 1) == 0)
        assert(reaper.TrackFX_SetParam(track, fx, 1, 3.0))
        local value, low, high = reaper.TrackFX_GetParam(track, fx, 1)
        assert(value == 3 and low == -60 and high == 12 and reaper.TrackFX_GetParamNormalized(track, fx, 1) == 0.875)
        assert(reaper.GetFXEnvelope(track, fx, 1, false) == nil)
        local env = reaper.GetFXEnvelope(track, fx, 1, true)
        local _, chunk = reaper.GetEnvelopeStateChunk(env, "", false)
        assert(chunk:match("^<PARMENV 1%S* %-60 12 ") and chunk:find("\\nACT 1"), chunk)
        assert(reaper.CountEnvelopePoints(env) == 1)
        reaper.Undo_EndBlock2(0, "fx", 2 | 32)
        assert(reaper.TrackFX_GetCount(track) == 1 and select(2, reaper.TrackFX_GetFXName(track, 0)) == "JS: Spot")
        reaper.Undo_DoUndo2(0)
        assert(reaper.TrackFX_GetCount(track) == 0)
    """)
    reaper.check()


def test_a_renamed_effect_still_says_what_it_is(reaper, lua, spot):
    add_effect(add_track(reaper.active, "T"), read_jsfx(spot)).renamed = "my spot"
    lua("""
        local track = reaper.GetTrack(0, 0)
        assert(select(2, reaper.TrackFX_GetFXName(track, 0)) == "my spot")
        assert(select(2, reaper.TrackFX_GetNamedConfigParm(track, 0, "original_name")) == "JS: Spot")
        assert(not reaper.TrackFX_GetNamedConfigParm(track, 0, "nonsense"))
    """)


def test_envelopes_of_effects_come_behind_the_tracks_own(reaper, lua, spot):
    track = add_track(reaper.active, "T")
    add_effect(track, read_jsfx(spot), {1: [(0.0, -60.0), (1.0, 12.0)]})
    add_envelope(track, "Volume", [(0.0, 1.0)])
    lua("""
        local track = reaper.GetTrack(0, 0)
        assert(reaper.CountTrackEnvelopes(track) == 2)
        local env = reaper.GetTrackEnvelope(track, 1)
        local owner, fx, parameter = reaper.Envelope_GetParentTrack(env)
        assert(owner == track and fx == 0 and parameter == 1 and env == reaper.GetFXEnvelope(track, 0, 1, false))
        assert(select(2, reaper.Envelope_Evaluate(env, 0.5, 48000, 1)) == -24)
    """)


def test_the_shipped_effect_can_be_added(reaper, lua):
    add_track(reaper.active, "T")
    lua("""
        reaper.Undo_BeginBlock2(0)
        local fx = reaper.TrackFX_AddByName(reaper.GetTrack(0, 0), "JS: FoleySpace Position", false, -1)
        reaper.Undo_EndBlock2(0, "fx", -1)
        local _, low, high = reaper.TrackFX_GetParam(reaper.GetTrack(0, 0), fx, 0)
        assert(low == -1080 and high == 1080 and reaper.TrackFX_GetNumParams(reaper.GetTrack(0, 0), fx) == 3)
    """)
