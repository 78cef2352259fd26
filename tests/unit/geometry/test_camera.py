"""Pixels to directions and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.frames import angles_to_unit

cameras = st.builds(Camera, st.integers(16, 8192), st.integers(16, 8192), st.floats(5, 150))
shares = st.floats(-0.5, 1.5)


@given(cameras, shares, shares)
def test_directions_and_pixels_are_inverse(camera: Camera, x: float, y: float) -> None:
    u, v = x * camera.width, y * camera.height
    back_u, back_v = camera.pixels(*camera.directions(u, v))
    longer = max(camera.width, camera.height)
    assert_allclose([back_u, back_v], [u, v], atol=1e-6 * longer)


@given(cameras, shares, shares)
def test_directions_agree_with_a_ray_through_the_picture_plane(camera: Camera, x: float, y: float) -> None:
    # independent: the ray (f, left, up) in the listener's frame, normalised
    focal = max(camera.width, camera.height) / 2 / math.tan(math.radians(camera.hfov_deg) / 2)
    ray = np.array([focal, (0.5 - x) * camera.width, (0.5 - y) * camera.height])
    azimuth, elevation = camera.directions(x * camera.width, y * camera.height)
    assert_allclose(angles_to_unit(azimuth, elevation), ray / np.linalg.norm(ray), atol=1e-9)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (800, 800)])
def test_the_longer_side_spans_the_field_of_view(width: int, height: int) -> None:
    camera = Camera(width, height, 60.0)
    if width >= height:
        left, right = camera.directions([0, width], [height / 2] * 2)[0]
    else:
        left, right = camera.directions([width / 2] * 2, [0, height])[1]
    assert (left, right) == (pytest.approx(30.0), pytest.approx(-30.0))


def test_left_and_up_are_positive_and_the_middle_is_ahead() -> None:
    camera = Camera(640, 360)
    azimuth, elevation = camera.directions([320, 10, 630], [180, 10, 350])
    assert (azimuth[0], elevation[0]) == (0.0, 0.0)
    assert azimuth[1] > 0 > azimuth[2]
    assert elevation[1] > 0 > elevation[2]


@pytest.mark.parametrize("azimuth", [90.0, 135.0, -100.0, 180.0])
def test_directions_behind_the_camera_have_no_pixel(azimuth: float) -> None:
    u, _ = Camera(640, 360).pixels(azimuth, 0.0)
    assert math.isnan(float(u))


@given(cameras, shares, shares, st.floats(0.5, 20))
def test_range_is_the_length_of_the_ray_to_that_depth(camera: Camera, x: float, y: float, depth: float) -> None:
    azimuth, elevation = camera.directions(x * camera.width, y * camera.height)
    ahead = float(angles_to_unit(azimuth, elevation)[0])
    expected = min(max(depth / ahead, 0.3), 50.0)
    assert float(camera.range_m(depth, x * camera.width, y * camera.height)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("depth", "expected"), [(0.01, 0.3), (1e4, 50.0), (2.0, 2.0)])
def test_range_is_clamped(depth: float, expected: float) -> None:
    assert float(Camera(640, 360).range_m(depth, 320, 180)) == expected


@pytest.mark.parametrize(
    "arguments", [(0, 10, 60.0), (10, -1, 60.0), (10, 10, 0.0), (10, 10, 180.0), (10, 10, math.nan)]
)
def test_impossible_cameras_are_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(InvalidInput, match="camera"):
        Camera(*arguments)
