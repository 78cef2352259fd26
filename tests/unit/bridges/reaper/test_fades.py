"""Fades: end points, direction, symmetry, and known points of the Bezier curves they are drawn by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.bridges.reaper.fades import SHAPES, fade_in_gain, fade_out_gain

X = np.linspace(0.0, 1.0, 1001)
shapes = st.integers(0, SHAPES - 1)
curves = st.floats(-1.0, 1.0)


@given(shapes, curves)
def test_a_fade_goes_from_silence_to_full_level_and_never_back(shape: int, curve: float) -> None:
    gain = fade_in_gain(X, shape, curve)
    assert gain[0] == 0.0
    assert gain[-1] == 1.0
    assert (np.diff(gain) >= -1e-12).all()


@given(shapes, curves)
def test_a_fade_out_is_the_mirror_of_the_fade_in_with_the_opposite_curvature(shape: int, curve: float) -> None:
    np.testing.assert_allclose(fade_out_gain(X, shape, curve)[::-1], fade_in_gain(X, shape, -curve), atol=1e-12)


@given(shapes, curves, curves)
def test_more_curvature_is_later(shape: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert (fade_in_gain(X, shape, low) - fade_in_gain(X, shape, high) >= -1e-6).all()


@pytest.mark.parametrize("shape", [0, 2, 3, 4])
def test_without_curvature_these_are_straight(shape: int) -> None:
    np.testing.assert_allclose(fade_in_gain(X, shape, 0.0), X, atol=1e-7)


@pytest.mark.parametrize(
    ("shape", "curve", "at", "gain"),
    [
        # the middle of a cubic Bezier curve is (p0 + 3 p1 + 3 p2 + p3) / 8, by hand from its control points
        (1, 0.0, (3 * 0.25 + 3 * 0.625 + 1) / 8, (3 * 0.5 + 3 * 1.0 + 1) / 8),
        (2, 1.0, (3 * 0.375 + 3 * 0.75 + 1) / 8, (3 * 0.0 + 3 * 0.5 + 1) / 8),
        (3, -1.0, (3 * 0.25 + 3 * 0.5 + 1) / 8, (3 * 1.0 + 3 * 1.0 + 1) / 8),
        (4, 1.0, (3 * 0.5 + 3 * 0.75 + 1) / 8, 1 / 8),
        (5, 0.0, 0.5, 0.5),
        (6, 0.0, 0.5, 0.5),
        # half way between two curves the control points are the means of theirs
        (1, 0.5, (3 * 0.375 + 3 * 0.6875 + 1) / 8, (3 * 0.25 + 3 * 0.5 + 1) / 8),
    ],
)
def test_known_points(shape: int, curve: float, at: float, gain: float) -> None:
    assert fade_in_gain(np.array([at]), shape, curve)[0] == pytest.approx(gain, abs=1e-6)


def test_a_shape_that_nobody_knows_is_straight() -> None:
    np.testing.assert_allclose(fade_in_gain(X, 99, 0.7), X, atol=1e-7)


def test_the_steep_ones_are_steeper() -> None:
    assert fade_in_gain(np.array([0.25]), 3, -1.0)[0] > fade_in_gain(np.array([0.25]), 1, 0.0)[0]
    assert fade_in_gain(np.array([0.25]), 6, 0.0)[0] < fade_in_gain(np.array([0.25]), 5, 0.0)[0]
