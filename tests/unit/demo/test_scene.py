"""The demo's clip is what its truth says it is."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from foleyspace_host.demo import scene


def test_horse_is_where_the_truth_says() -> None:
    """The figure's box, found by its darkness alone, agrees with the pinhole's view of the true point."""
    first = next(iter(scene.frames())).astype(int)
    dark = first.sum(axis=-1) < 150
    columns = np.nonzero(dark.sum(axis=0) > 3)[0]
    rows = np.nonzero(dark[:, columns[0] : columns[-1]].sum(axis=1) > 3)[0]
    start = scene.truth(np.array([0.0]))
    azimuth, elevation = scene.CAMERA.directions((columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2)
    assert azimuth == pytest.approx(start.azimuth_deg[0], abs=0.7)
    assert elevation == pytest.approx(start.elevation_deg[0], abs=0.7)
    height_m = (rows[-1] - rows[0]) * start.position_m[0, 0] / scene.CAMERA.focal_px
    assert height_m == pytest.approx(scene.HORSE_HEIGHT_M, rel=0.06)


def test_path_stays_in_the_picture() -> None:
    path = scene.truth(np.linspace(0.0, scene.DURATION_S, 200))
    u, _ = scene.CAMERA.pixels(path.azimuth_deg, path.elevation_deg)
    half_width = scene.CAMERA.focal_px / path.position_m[:, 0] * scene.HORSE_HEIGHT_M * 371 / 304 / 2
    assert (u - half_width > 0).all()
    assert (u + half_width < scene.CAMERA.width).all()


def test_path_goes_from_left_to_right_at_a_horses_pace() -> None:
    path = scene.truth(np.linspace(0.0, scene.DURATION_S, 801))
    assert (np.diff(path.azimuth_deg) <= 0).all()
    assert path.azimuth_deg[0] > 20
    assert path.azimuth_deg[-1] < -20
    speed = np.linalg.norm(np.diff(path.position_m, axis=0), axis=1) / (scene.DURATION_S / 800)
    assert speed.min() > 1.0
    assert speed.max() < 2.0


def test_frames_move_smoothly() -> None:
    frames = [frame.astype(int) for frame in islice(scene.frames(), 3)]
    assert frames[0].shape == (480, 854, 3)
    changes = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    assert all(0.05 < change < 5.0 for change in changes)


def test_sound_is_as_long_as_the_clip_and_always_the_same() -> None:
    sound = scene.sound()
    assert sound.shape == (scene.DURATION_S * scene.SAMPLE_RATE_HZ,)
    assert np.abs(sound).max() == pytest.approx(0.5)
    assert np.array_equal(sound, scene.sound())
