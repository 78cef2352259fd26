"""The loudness of generated sounds: drawn on their takes, edited there, and asked for again."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import Point, add_effect, add_item, add_track
from fake.jsfx import read_jsfx

from .conftest import SCRIPTS

STEPS = [[0.0, -100.0], [0.5, -100.0], [0.503, -1.2], [0.83, -61.2]]


def loudness():
    return read_jsfx(SCRIPTS / "effects" / "FoleySpace Loudness.jsfx")


def generate(reaper, act, prompt="steps", between=(3.0, 4.5), **options):
    reaper.active.time_selection = between
    reaper.dialogs.inputs.append([prompt])
    act("generate", **options)
    reaper.check()


@pytest.fixture
def made(reaper, bridge, act):
    """An item that was generated, and selected since."""
    bridge.behave("ok", envelope=STEPS)
    generate(reaper, act)
    (item,) = reaper.active.items
    item.values["B_UISEL"] = 1.0
    return item


def drawn(item):
    (effect,) = item.take.fx
    return [[point.time_s, point.value] for point in effect.envelopes[0].points]


def test_it_is_drawn_on_the_take(reaper, bridge, made):
    (effect,) = made.take.fx
    assert effect.name.endswith("FoleySpace Loudness")
    np.testing.assert_allclose(drawn(made), STEPS)
    assert "envelope" not in bridge.items[0]
    assert len(reaper.active.undo) == 1
    assert reaper.dialogs.texts == []


def test_what_was_edited_is_followed_and_nothing_else_changes(reaper, bridge, act, made):
    first = made.take.source.path
    made.take.fx[0].envelopes[0].points = [Point(0.0, -100.0), Point(1.0, -100.0), Point(1.1, -6.0)]
    made.values["D_FADEOUTLEN"] = 0.25
    reaper.dialogs.inputs.append(["steps, slower"])
    reaper.active.time_selection = (0.0, 0.0)
    act("generate")
    reaper.check()
    (asked,) = bridge.items
    assert (asked["position_s"], asked["length_s"], asked["prompt"]) == (3.0, 1.5, "steps, slower")
    np.testing.assert_allclose(asked["envelope"], [[0.0, -100.0], [1.0, -100.0], [1.1, -6.0], [1.5, -6.0]], atol=1e-6)
    assert reaper.active.items == [made]
    assert made.take.source.path != first
    assert (made.start_s, made.length_s, made.values["D_FADEOUTLEN"]) == (3.0, 1.5, 0.25)
    assert made.take.name == "steps, slower"
    np.testing.assert_allclose(drawn(made), [[0.0, -100.0], [1.0, -100.0], [1.1, -6.0]])
    assert len(reaper.active.undo) == 2
    shown = [one for one in reaper.dialogs.shown if one.kind == "inputs"][-1]
    assert "steps" in repr(shown), "its own words are proposed"
    assert "as loud as it is drawn" in repr(shown)


def test_a_trimmed_and_moved_item_is_made_for_where_it_is(reaper, bridge, act, made):
    made.values.update(D_POSITION=7.0, D_LENGTH=1.0)
    made.take.values["D_STARTOFFS"] = 0.5
    reaper.dialogs.inputs.append(["steps"])
    act("generate")
    reaper.check()
    assert (bridge.items[0]["position_s"], bridge.items[0]["length_s"]) == (7.0, 1.0)
    assert made.take.values["D_STARTOFFS"] == 0.0
    assert (made.start_s, made.length_s) == (7.0, 1.0)


def test_a_tail_does_not_grow(reaper, bridge, act):
    reaper.active.ext_state["FoleySpace", "settings"] = '{"tail_s":0.5,"engine":"library"}'
    generate(reaper, act)
    (item,) = reaper.active.items
    assert bridge.requests[0]["settings"]["engine"] == "library"
    for _ in range(2):
        assert item.length_s == pytest.approx(2.0)
        item.values["B_UISEL"] = 1.0
        generate(reaper, act)
        assert bridge.items[0]["length_s"] == pytest.approx(1.5)


def test_one_that_is_played_at_another_rate_is_refused(reaper, bridge, act, made):
    made.take.values["D_PLAYRATE"] = 2.0
    act("generate")
    assert "set its rate to 1" in reaper.dialogs.texts[0]
    assert len(bridge.requests) == 1


def test_one_at_a_time(reaper, bridge, act, made):
    made.values["B_UISEL"] = 0.0
    generate(reaper, act)
    for item in reaper.active.items:
        item.values["B_UISEL"] = 1.0
    act("generate")
    assert "Select one generated item at a time" in reaper.dialogs.texts[0]


def test_what_fails_leaves_the_item_as_it_was(reaper, bridge, act, made):
    source = made.take.source
    bridge.behave("one_fails")
    reaper.dialogs.inputs.append(["steps"])
    act("generate")
    reaper.check()
    assert made.take.source is source
    assert len(reaper.active.undo) == 1


def test_what_is_drawn_on_a_selected_track_is_followed(reaper, bridge, act):
    track = add_track(reaper.active, "Steps", I_SELECTED=1.0)
    add_effect(track, loudness(), {0: [(0.0, -100.0), (4.0, -100.0), (4.1, 0.0), (9.0, 0.0)]})
    generate(reaper, act)
    np.testing.assert_allclose(
        bridge.items[0]["envelope"], [[0.0, -100.0], [1.0, -100.0], [1.1, 0.0], [1.5, 0.0]], atol=1e-6
    )
    track.values["I_SELECTED"] = 0.0
    generate(reaper, act)
    assert "envelope" not in bridge.items[0]


def test_the_effect_alone_says_nothing(reaper, bridge, act):
    add_effect(add_track(reaper.active, I_SELECTED=1.0), loudness())
    generate(reaper, act)
    assert "envelope" not in bridge.items[0]


def test_without_the_effect_the_sound_is_placed_all_the_same(reaper, bridge, act):
    reaper.jsfx_folders.clear()
    bridge.behave("ok", envelope=STEPS)
    generate(reaper, act)
    assert len(reaper.active.items) == 1
    assert "foleyspace reaper install" in reaper.dialogs.console


def test_it_is_no_effect_that_a_result_lacks(reaper, bridge, act, noise):
    item = add_item(add_track(reaper.active), noise(), 0.0)
    add_effect(item.take, loudness())
    reaper.dialogs.inputs.append(["90", "-90", "0", "0", "2", "2"])
    act("spatialize")
    reaper.check()
    assert "take FX" not in reaper.dialogs.console
