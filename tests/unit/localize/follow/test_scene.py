"""Paths through pictures of a camera that pans and zooms by known amounts."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.scene import SceneView, moved
from foleyspace_host.localize.follow.smooth import smooth
from foleyspace_host.localize.follow.track import Sighting, Track, Tracker
from foleyspace_host.localize.see.camera_motion import Warp
from foleyspace_host.localize.see.detect import Detection

TIMES = np.arange(0.0, 6.0, 0.125)
NO_CUTS = [False] * len(TIMES)


def panning(step_x: float, zoom: float = 1.0) -> list[Warp]:
    """A camera under which the resting scene moves by `step_x` and grows by `zoom` from picture to picture."""
    matrix = np.array([[zoom, 0.0, 0.5 - 0.5 * zoom + step_x], [0.0, zoom, 0.5 - 0.5 * zoom]])
    return [Warp(matrix, 1.0)] * len(TIMES)


def seen(time_s: np.ndarray, x: np.ndarray, size: float = 0.1) -> Chain:
    half = size / 2
    sightings = [
        Sighting(float(t), np.array([at - half, 0.5 - half, at + half, 0.5 + half]), 0.6)
        for t, at in zip(time_s, x, strict=True)
    ]
    return Chain((Track(0, sightings, {"car": 10.0}),))


def test_there_and_back_is_the_same_place() -> None:
    view = SceneView(TIMES, panning(0.02, 1.01), NO_CUTS)
    to_scene = view.at(TIMES)
    x, y = np.linspace(0, 1, len(TIMES)), np.linspace(1, 0, len(TIMES))
    back = moved(np.linalg.inv(to_scene), *moved(to_scene, x, y))
    np.testing.assert_allclose(back, [x, y], atol=1e-9)
    # a point that rests in the scene: in picture k it lies where k steps of the camera have brought it
    place = np.array([0.4, 0.6])
    for k in range(10):
        in_scene = moved(to_scene[k : k + 1], place[:1], place[1:])
        np.testing.assert_allclose(np.ravel(in_scene), [0.4, 0.6], atol=1e-9)
        place = panning(0.02, 1.01)[0].points(place)


def test_each_shot_has_its_own_scene() -> None:
    cuts = [index == 20 for index in range(len(TIMES))]
    to_scene = SceneView(TIMES, panning(0.02), cuts).at(TIMES)
    np.testing.assert_array_equal(to_scene[20], np.eye(3))
    assert to_scene[19][0, 2] == pytest.approx(-19 * 0.02)


def test_a_parked_car_goes_out_of_the_picture_as_the_camera_turns() -> None:
    x = 0.3 + 0.02 * np.arange(len(TIMES))
    visible = x < 0.95
    shot = np.zeros(len(TIMES), dtype=np.int64)
    path = smooth(seen(TIMES[visible], x[visible]), TIMES, shot, SceneView(TIMES, panning(0.02), NO_CUTS))
    np.testing.assert_allclose(path.x, x, atol=0.02)
    assert path.origin[-1] == "offscreen"
    assert path.confidence[-1] < 0.2
    still = smooth(seen(TIMES[visible], x[visible]), TIMES, shot)
    assert abs(still.x[-1] - x[-1]) > 0.05, "without the camera it is only guessed"


def test_a_gap_in_a_pan_is_filled_along_the_pan() -> None:
    rng = np.random.default_rng(1)
    steps = rng.normal(0.0, 0.03, len(TIMES))
    warps = [Warp(np.array([[1.0, 0.0, step], [0.0, 1.0, 0.0]]), 1.0) for step in steps]
    x = 0.5 + np.cumsum(np.concatenate([[0.0], steps[1:]]))
    gap = (TIMES > 2.0) & (TIMES < 3.5)
    shot = np.zeros(len(TIMES), dtype=np.int64)
    path = smooth(seen(TIMES[~gap], x[~gap]), TIMES, shot, SceneView(TIMES, warps, NO_CUTS))
    assert np.abs(path.x - x).max() < 0.03
    assert np.abs(smooth(seen(TIMES[~gap], x[~gap]), TIMES, shot).x - x)[gap].max() > 0.04


def test_what_the_camera_follows_stays_in_the_middle() -> None:
    """The background races by; the thing rests in the picture, though in the scene it moves."""
    rng = np.random.default_rng(2)
    warps = [Warp(np.array([[1.0, 0.0, s], [0.0, 1.0, 0.0]]), 0.6) for s in rng.normal(0.0, 0.05, len(TIMES))]
    shot = np.zeros(len(TIMES), dtype=np.int64)
    seen_until = TIMES < 4.0
    x = np.full(seen_until.sum(), 0.5)
    path = smooth(seen(TIMES[seen_until], x), TIMES, shot, SceneView(TIMES, warps, NO_CUTS))
    np.testing.assert_allclose(path.x, 0.5, atol=0.03)


def test_a_zoom_is_no_approach_in_tracking() -> None:
    """Two resting things under a quick pan keep their names because the camera's motion is known."""
    warps = panning(0.12)
    tracker = Tracker()
    for k, t_s in enumerate(TIMES[:6]):
        boxes = [0.1 + 0.12 * k, 0.22 + 0.12 * k]
        found = [Detection(np.array([x - 0.03, 0.4, x + 0.03, 0.6]), 0.5, {"person": 0.5}) for x in boxes if x < 1.0]
        tracker.add(float(t_s), found, warps[k])
    tracks = tracker.finish()
    assert len(tracks) == 2
    for track, first in zip(sorted(tracks, key=lambda t: t.sightings[0].box[0]), (0.1, 0.22), strict=True):
        middles = [(s.box[0] + s.box[2]) / 2 for s in track.sightings]
        np.testing.assert_allclose(middles, first + 0.12 * np.arange(len(middles)), atol=1e-9)
