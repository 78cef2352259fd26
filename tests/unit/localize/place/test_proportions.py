"""Things of which the picture's edge hides a part, against the truth that the pinhole camera gives."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.smooth import smooth
from foleyspace_host.localize.follow.track import Sighting, Track
from foleyspace_host.localize.place.proportions import WIDTHS, whole_log_heights
from foleyspace_host.localize.place.range import guessed
from foleyspace_host.localize.see.classes import class_named

CAMERA = Camera(1280, 720)
ASPECT = 1280 / 720


def box_of(depth_m, height_m, width_m, *, top_m, x=0.5):
    """The visible part of an upright thing whose top is so far above the camera's axis."""
    scale = CAMERA.focal_px / depth_m
    top, bottom = 0.5 - top_m * scale / 720, 0.5 + (height_m - top_m) * scale / 720
    half = width_m * scale / 1280 / 2
    return np.clip(np.array([x - half, top, x + half, bottom]), 0.0, 1.0)


def told(boxes, label="person"):
    times = np.arange(len(boxes)) * 0.125
    track = Track(0)
    track.sightings = [Sighting(t_s, box, 0.6) for t_s, box in zip(times, boxes, strict=True)]
    track.votes[label] = 1.0
    path = smooth(Chain((track,)), times, np.zeros(len(times), dtype=np.int64), None, ASPECT)
    return path, guessed(CAMERA, path.y, path.height, label, path.height_deviation)


@pytest.mark.parametrize("depth_m", [0.8, 1.2, 1.8])
def test_a_person_of_whom_only_the_upper_body_shows_is_near(depth_m):
    boxes = [box_of(depth_m, 1.65, 0.52, top_m=0.1)] * 16
    assert boxes[0][3] == 1.0
    visible = boxes[0][3] - boxes[0][1]
    assert visible < 0.85 * CAMERA.focal_px * 1.65 / depth_m / 720  # much is hidden
    _, found = told(boxes)
    assert np.exp(found.log_m) == pytest.approx(depth_m, rel=0.03)
    # and one that stands wholly in the picture is told by its height, which is surer
    _, whole = told([box_of(4.0, 1.65, 0.9, top_m=0.8)] * 16)
    assert np.exp(whole.log_m) == pytest.approx(4.0, rel=0.03)
    assert whole.deviation.max() < found.deviation.min()


def test_who_comes_near_is_followed_past_where_the_edge_begins_to_hide_the_feet():
    depth_m = np.linspace(5.0, 1.0, 48)
    boxes = [box_of(d, 1.65, 0.7, top_m=0.15) for d in depth_m]  # broader than most: its own shape tells
    hidden = np.array([box[3] for box in boxes]) >= 1.0
    assert 15 < hidden.sum() < 44
    _, found = told(boxes)
    assert np.exp(found.log_m)[hidden] == pytest.approx(depth_m[hidden], rel=0.12)
    assert np.exp(found.log_m)[~hidden] == pytest.approx(depth_m[~hidden], rel=0.12)


def test_the_visible_part_is_the_least_that_there_is():
    narrow = np.array([[0.49, 0.1, 0.51, 1.0]])  # what shows is taller than its width can tell
    log_height, deviation = whole_log_heights(narrow, "person", ASPECT)
    assert np.exp(log_height) == pytest.approx([0.9])
    assert np.isfinite(deviation).all()


@pytest.mark.parametrize(
    ("box", "label", "doubt"),
    [
        ([0.3, 0.2, 0.5, 0.8], "person", 0.0),
        ([0.3, 0.2, 0.5, 1.0], "person", WIDTHS["person"].deviation),
        ([0.3, 0.0, 0.5, 0.6], "car", WIDTHS["car"].deviation),
        ([0.3, 0.2, 0.5, 1.0], "steam train", np.inf),  # trains are of any length
        ([0.3, 0.2, 0.5, 1.0], "kettle", np.inf),
        ([0.0, 0.2, 0.5, 1.0], "person", np.inf),  # its width is cut off too
    ],
)
def test_what_tells_the_height_of_a_box(box, label, doubt):
    log_height, deviation = whole_log_heights(np.array([box]), label, ASPECT)
    assert deviation[0] == doubt
    if doubt in (0.0, np.inf):
        assert np.exp(log_height[0]) == pytest.approx(box[3] - box[1])
    else:
        width_m = WIDTHS[label].width_m
        wide = (box[2] - box[0]) * 1280 * class_named(label).height_m / width_m / 720
        assert np.exp(log_height[0]) == pytest.approx(max(wide, box[3] - box[1]))


@pytest.mark.parametrize("name", WIDTHS)
def test_widths_are_of_real_things_and_say_where_they_come_from(name):
    width = WIDTHS[name]
    assert class_named(name).name == name
    low, high = width.width_m * np.exp(-2 * width.deviation), width.width_m * np.exp(2 * width.deviation)
    assert 0.15 < low < high < 20.0
    assert len(width.basis) > 10


def test_single_wrong_boxes_do_not_jump():
    rng = np.random.default_rng(1)
    boxes = [box_of(4.0, 1.65, 0.5, top_m=0.8, x=0.5 + rng.normal(0, 0.002)) for _ in range(40)]
    boxes[17] = boxes[17] * np.array([1.0, 1.0, 1.0, 0.6])  # the legs are missed once
    _, found = told(boxes)
    assert np.abs(np.diff(found.log_m)).max() < 0.02
    assert np.exp(found.log_m) == pytest.approx(4.0, rel=0.06)
