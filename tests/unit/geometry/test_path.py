"""Paths against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg, unit_to_angles
from foleyspace_host.geometry.path import SourcePath, widen_azimuth
from foleyspace_host.geometry.trajectory import Key, Source


def path(*keys: Key, spread: float = 1.0) -> SourcePath:
    return SourcePath.from_source(Source("s", keys), spread)


def test_goes_the_short_way_round_behind_the_head() -> None:
    unit, _ = path(Key(0.0, 170), Key(1.0, -170)).sample([0.25, 0.5])
    azimuth, elevation = unit_to_angles(unit)
    np.testing.assert_allclose(azimuth % 360, [175, 180])
    np.testing.assert_allclose(elevation, 0, atol=1e-9)


def test_unwrapped_turns_mean_the_same_directions() -> None:
    wrapped = path(Key(0.0, 170), Key(1.0, -170)).sample([0.3])[0]
    np.testing.assert_allclose(path(Key(0.0, 530), Key(1.0, 190)).sample([0.3])[0], wrapped)


def test_distance_moves_in_its_logarithm_and_is_clamped() -> None:
    _, distance = path(Key(0.0, 0, 0, 1.0), Key(2.0, 0, 0, 4.0), Key(3.0, 0, 0, 1e6)).sample([1.0, 3.0])
    np.testing.assert_allclose(distance, [2.0, 50.0])
    assert path(Key(0.0, 0, 0, 0.0)).sample([0.0])[1][0] == 0.3


def test_holds_before_the_first_and_after_the_last_key() -> None:
    unit, _ = path(Key(1.0, 30), Key(2.0, 60)).sample([0.0, 9.0])
    np.testing.assert_allclose(unit_to_angles(unit)[0], [30, 60])


def test_a_cut_jumps() -> None:
    one = path(Key(0.0, 30), Key(1.0, -60, cut=True), Key(2.0, -80))
    azimuth = unit_to_angles(one.sample([0.5, 0.999999, 1.0, 1.5])[0])[0]
    np.testing.assert_allclose(azimuth, [30, 30, -60, -70], atol=1e-6)
    np.testing.assert_array_equal(one.cuts_between(0.0, 1.0), [])
    np.testing.assert_array_equal(one.cuts_between(1.0, 2.0), [1.0])


def test_opposite_keys_pass_through_the_horizon() -> None:
    unit, _ = path(Key(0.0, 0), Key(1.0, 180)).sample([0.5])
    azimuth, elevation = unit_to_angles(unit)
    assert abs(azimuth[0]) == pytest.approx(90)
    assert elevation[0] == pytest.approx(0)


@given(
    a=st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    b=st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    part=st.floats(0, 1),
)
def test_speed_is_even_along_the_great_circle(a: tuple[float, float], b: tuple[float, float], part: float) -> None:
    one = path(Key(0.0, *a), Key(1.0, *b))
    start, end = angles_to_unit(*a), angles_to_unit(*b)
    here = one.sample([part])[0][0]
    whole = float(great_circle_deg(start, end))
    assert np.linalg.norm(here) == pytest.approx(1)
    assert float(great_circle_deg(start, here)) == pytest.approx(part * whole, abs=1e-4)
    assert float(great_circle_deg(here, end)) == pytest.approx((1 - part) * whole, abs=1e-4)


@given(azimuth=st.floats(-720, 720), spread=st.floats(0, 10))
def test_spread_never_changes_the_side(azimuth: float, spread: float) -> None:
    wrapped = (azimuth + 180) % 360 - 180
    wide = float(widen_azimuth(azimuth, spread))
    assert -180 <= wide <= 180
    assert wide * wrapped >= 0


def test_median_distance_weights_time_not_keys() -> None:
    keys = [Key(float(t), 0, 0, 1.0) for t in np.linspace(0, 0.5, 100)] + [
        Key(0.6, 0, 0, 8.0),
        Key(10.0, 0, 0, 8.0),
    ]
    assert path(*keys).median_distance_m(10.0) == pytest.approx(8.0)


@pytest.mark.parametrize("spread", [-1.0, float("nan"), 11.0])
def test_bad_spread_is_refused(spread: float) -> None:
    with pytest.raises(InvalidInput):
        path(Key(0.0, 0), spread=spread)
