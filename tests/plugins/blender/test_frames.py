"""Axes: cameras and heads, against directions that are known without any matrix."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
from foleyspace import frames
from mathutils import Euler, Matrix, Vector

ANGLE = st.floats(-math.pi, math.pi)
SCALE = st.floats(0.1, 10.0)
PLACE = st.floats(-20.0, 20.0)


@pytest.mark.parametrize(
    ("axes", "point", "azimuth", "elevation"),
    [
        (frames.CAMERA, (0, 0, -2), 0, 0),
        (frames.CAMERA, (2, 0, 0), -90, 0),
        (frames.CAMERA, (-2, 0, 0), 90, 0),
        (frames.CAMERA, (0, 2, 0), 0, 90),
        (frames.CAMERA, (-1, 0, 1), 135, 0),
        (frames.HEAD, (0, -2, 0), 0, 0),
        (frames.HEAD, (2, 0, 0), 90, 0),
        (frames.HEAD, (0, 0, -2), 0, -90),
        (frames.HEAD, (-1, 1, 0), -135, 0),
    ],
)
def test_directions_of_the_axes(axes, point, azimuth, elevation) -> None:
    found = frames.angles(*frames.seen_from(Vector(point), Matrix(), axes))
    assert found[:2] == pytest.approx((azimuth, elevation), abs=1e-4)
    assert found[2] == pytest.approx(math.dist(point, (0, 0, 0)))


@given(
    st.tuples(ANGLE, ANGLE, ANGLE),
    st.tuples(PLACE, PLACE, PLACE),
    st.tuples(SCALE, SCALE, SCALE),
    st.tuples(ANGLE, st.floats(-1.4, 1.4), st.floats(0.5, 50.0)),
    st.booleans(),
)
def test_a_point_laid_out_in_polar_coordinates_is_found_there(turn, place, scale, polar, is_camera) -> None:
    """The point is built from the listener's own axes, front, left and up, as Blender documents them."""
    azimuth, elevation, distance = polar
    rotation = Euler(turn).to_matrix()
    right, up, back = (Vector(column) for column in rotation.transposed())
    front, left, above = (-back, -right, up) if is_camera else (-up, right, back)
    level = front * math.cos(azimuth) + left * math.sin(azimuth)
    point = Vector(place) + (level * math.cos(elevation) + above * math.sin(elevation)) * distance
    world = Matrix.Translation(place) @ rotation.to_4x4() @ Matrix.Diagonal((*scale, 1.0))
    x, y, z = frames.seen_from(point, world, frames.CAMERA if is_camera else frames.HEAD)
    wanted = (
        distance * math.cos(elevation) * math.cos(azimuth),
        distance * math.cos(elevation) * math.sin(azimuth),
        distance * math.sin(elevation),
    )
    assert (x, y, z) == pytest.approx(wanted, abs=2e-4)


def test_a_mirrored_camera_hears_mirrored() -> None:
    x, y, z = frames.seen_from(Vector((1, 0, -2)), Matrix.Diagonal((-3, 1, 1, 1)), frames.CAMERA)
    assert (x, y, z) == pytest.approx((2, 1, 0))
