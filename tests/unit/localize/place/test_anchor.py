"""What a depth model says, brought to metres by what boxes say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.localize.place.anchor import Told, with_model
from foleyspace_host.localize.place.range import Depths

TIME_S = np.arange(40) * 0.125
ONE_SHOT = np.zeros(40, dtype=np.int64)
SEEN = np.arange(0, 40, 2)


def things(*depths_m, deviation=0.15):
    return [Depths(np.log(depth_m), np.full(40, deviation)) for depth_m in depths_m]


def said(function, *depths_m):
    return [(TIME_S[SEEN], function(depth_m[SEEN])) for depth_m in depths_m]


NEAR, FAR = np.linspace(2.0, 3.0, 40), np.linspace(9.0, 7.0, 40)


@given(st.floats(1e-3, 1e3), st.floats(0.0, 0.2), st.floats(0.0, 5.0))
def test_nearness_of_any_factor_and_offset_is_brought_to_metres(factor, background, offset):
    # the nearness of the farthest, which is `background` [1/m] from what is infinitely far
    told = Told("nearness", offset + factor * background, said(lambda depth: factor / depth + offset, NEAR, FAR))
    found, warning = with_model(told, things(NEAR, FAR), TIME_S, ONE_SHOT)
    assert warning is None
    assert np.exp(found[0].log_m) == pytest.approx(NEAR, rel=0.08)
    assert np.exp(found[1].log_m) == pytest.approx(FAR, rel=0.12)


def test_a_model_of_nearness_places_what_has_no_class():
    truth = np.full(40, 4.5)
    guesses = [*things(NEAR, FAR), Depths(np.log(np.full(40, 12.0)), np.full(40, 0.55))]
    told = Told("nearness", 0.0, said(lambda depth: 7.0 / depth, NEAR, FAR, truth))
    found, _ = with_model(told, guesses, TIME_S, ONE_SHOT)
    # 12 m is what its place in the picture said, without much weight
    assert np.exp(found[2].log_m) == pytest.approx(4.5, rel=0.2)
    assert found[2].deviation.max() < 0.3


def test_a_few_wrong_anchors_do_not_pull():
    guesses = things(NEAR, FAR)
    guesses[1].log_m[6:10] += 1.5
    told = Told("nearness", 0.0, said(lambda depth: 5.0 / depth, NEAR, FAR))
    found, _ = with_model(told, guesses, TIME_S, ONE_SHOT)
    assert np.exp(found[0].log_m) == pytest.approx(NEAR, rel=0.05)


@given(st.floats(1e-3, 1e3))
def test_depth_of_any_factor_is_brought_to_metres(factor):
    told = Told("depth", float("nan"), said(lambda depth: factor * depth, NEAR, FAR))
    found, _ = with_model(told, things(NEAR, FAR), TIME_S, ONE_SHOT)
    assert np.exp(found[0].log_m) == pytest.approx(NEAR, rel=0.05)
    assert np.exp(found[1].log_m) == pytest.approx(FAR, rel=0.05)


def test_metres_are_taken_at_their_word_and_averaged_as_both_are_sure():
    told = Told("metres", float("nan"), said(lambda depth: 1.5 * depth, NEAR))
    found, _ = with_model(told, things(NEAR, deviation=0.2), TIME_S, ONE_SHOT)
    ratio = np.exp(found[0].log_m) / NEAR
    assert ratio == pytest.approx(1.5**0.5, rel=0.05)  # both have a deviation of 0.2
    unsure, _ = with_model(told, things(NEAR, deviation=10.0), TIME_S, ONE_SHOT)
    assert np.exp(unsure[0].log_m) / NEAR == pytest.approx(1.5, rel=0.05)


@pytest.mark.parametrize("meaning", ["nearness", "depth", "metres"])
def test_a_model_that_means_the_opposite_is_left_out_and_that_is_said(meaning):
    turned = (lambda depth: depth) if meaning == "nearness" else (lambda depth: 1.0 / depth)
    guesses = things(NEAR, FAR)
    found, warning = with_model(Told(meaning, 0.0, said(turned, NEAR, FAR)), guesses, TIME_S, ONE_SHOT)
    assert found == guesses
    assert "--depth-kind" in warning


def test_jitter_of_the_model_is_smoothed():
    rng = np.random.default_rng(2)
    told = Told("metres", 0.0, [(TIME_S, NEAR * np.exp(rng.normal(0.0, 0.12, 40)))])
    found, _ = with_model(told, things(NEAR, deviation=10.0), TIME_S, ONE_SHOT)
    assert np.abs(np.diff(found[0].log_m)).max() < 0.06
    assert np.exp(found[0].log_m) == pytest.approx(NEAR, rel=0.15)


def test_nothing_is_smoothed_across_a_cut():
    shot = np.repeat([0, 1], 20)
    depth_m = np.where(shot == 0, 2.0, 10.0)
    told = Told("metres", 0.0, [(TIME_S, depth_m)])
    found, _ = with_model(told, things(depth_m, deviation=10.0), TIME_S, shot)
    assert np.exp(found[0].log_m) == pytest.approx(depth_m, rel=1e-3)


def test_where_the_model_says_nothing_the_boxes_do():
    shot = np.repeat([0, 1], 20)
    told = Told("metres", 0.0, [(TIME_S[:20], np.full(20, 3.0)), (np.empty(0), np.empty(0))])
    guesses = things(np.full(40, 6.0), FAR)
    found, _ = with_model(told, guesses, TIME_S, shot)
    assert np.exp(found[0].log_m[20:]) == pytest.approx(6.0)
    assert np.exp(found[0].log_m[:20]).max() < 5.0
    assert np.exp(found[1].log_m) == pytest.approx(FAR)
    nothing, warning = with_model(Told("nearness", 0.0, []), [], TIME_S, shot)
    assert (nothing, warning) == ([], None)
