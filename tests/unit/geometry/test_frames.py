"""Directions as angles and as vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg, unit_to_angles, wrap_deg

azimuths = st.floats(-720, 720)
elevations = st.floats(-90, 90)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "vector"),
    [(0, 0, (1, 0, 0)), (90, 0, (0, 1, 0)), (-90, 0, (0, -1, 0)), (180, 0, (-1, 0, 0)), (0, 90, (0, 0, 1))],
)
def test_axes_are_front_left_up(azimuth: float, elevation: float, vector: tuple[float, ...]) -> None:
    assert_allclose(angles_to_unit(azimuth, elevation), vector, atol=1e-15)


@given(azimuths, elevations)
def test_unit_vectors_have_unit_length(azimuth: float, elevation: float) -> None:
    assert np.linalg.norm(angles_to_unit(azimuth, elevation)) == pytest.approx(1.0, abs=1e-12)


@given(azimuths, st.floats(-89.9, 89.9), st.floats(1e-3, 1e3))
def test_angles_survive_the_way_through_vectors(azimuth: float, elevation: float, length: float) -> None:
    back_azimuth, back_elevation = unit_to_angles(length * angles_to_unit(azimuth, elevation))
    assert wrap_deg(back_azimuth - azimuth) == pytest.approx(0.0, abs=1e-6)
    assert back_elevation == pytest.approx(elevation, abs=1e-6)


@given(st.floats(-1e6, 1e6))
def test_wrapped_angles_are_in_range_and_the_same_direction(angle: float) -> None:
    wrapped = float(wrap_deg(angle))
    assert -180.0 <= wrapped < 180.0
    turns = (angle - wrapped) / 360.0
    assert turns == pytest.approx(round(turns), abs=1e-9)


@given(azimuths, elevations, azimuths, elevations)
def test_great_circle_follows_the_spherical_law_of_cosines(a1: float, e1: float, a2: float, e2: float) -> None:
    lat1, lat2, apart = np.radians(e1), np.radians(e2), np.radians(a1 - a2)
    cosine = np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(apart)
    angle = float(great_circle_deg(angles_to_unit(a1, e1), angles_to_unit(a2, e2)))
    assert np.cos(np.radians(angle)) == pytest.approx(cosine, abs=1e-9)
    assert angle == pytest.approx(float(great_circle_deg(angles_to_unit(a2, e2), angles_to_unit(a1, e1))), abs=1e-9)


@given(azimuths, st.floats(1e-7, 1e-3))
def test_great_circle_is_exact_for_small_angles(azimuth: float, apart: float) -> None:
    angle = float(great_circle_deg(angles_to_unit(azimuth, 0.0), angles_to_unit(azimuth + apart, 0.0)))
    assert angle == pytest.approx((azimuth + apart) - azimuth, rel=1e-5, abs=1e-12)


def test_opposite_directions_are_180_degrees_apart() -> None:
    assert great_circle_deg([1, 0, 0], [-2, 0, 0]) == pytest.approx(180.0)
    assert great_circle_deg([0, 0, 1], [0, 0, 3]) == 0.0


def test_many_directions_at_once_keep_their_shape() -> None:
    grid = angles_to_unit(np.zeros((4, 5)), np.linspace(-90, 90, 5))
    assert grid.shape == (4, 5, 3)
    assert unit_to_angles(grid)[0].shape == (4, 5)
