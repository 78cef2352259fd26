"""Boxes carried on to the next picture, where things were moved by known amounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from foleyspace_host.localize.see.camera_motion import STILL, camera_motion
from foleyspace_host.localize.see.carry import carried
from foleyspace_host.localize.see.detect import Detection
from foleyspace_host.localize.see.look import look

WIDTH, HEIGHT = 192, 108


def texture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.zeros((300, 400))
    for size in (2, 5, 12, 30):
        layer = cv2.GaussianBlur(rng.standard_normal(picture.shape), (0, 0), size)
        picture += layer / layer.std()
    return np.clip(128 + 35 * picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("pan_px", [0, 4, -7])
@pytest.mark.parametrize("step_px", [(0, 0), (3, 1), (-6, 2)])
def test_a_box_goes_where_its_thing_goes(pan_px: int, step_px: tuple[int, int]) -> None:
    scene, thing = texture(0), texture(5)
    left, top, wide, high = 70, 35, 44, 40
    y, x = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    inside = np.hypot(x, y) < 1.0  # the scene shows in the corners of the box
    pictures = []
    for step in range(2):
        picture = scene[100 : 100 + HEIGHT, 100 + pan_px * step : 100 + pan_px * step + WIDTH].copy()
        at_x, at_y = left + step * step_px[0], top + step * step_px[1]
        picture[at_y : at_y + high, at_x : at_x + wide][inside] = thing[:high, :wide][inside]
        pictures.append(picture)
    size = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    box = np.array([left, top, left + wide, top + high]) / size
    warp = camera_motion(*pictures, boxes=[box])
    before = Detection(box, 0.5, {"horse": 0.5})
    (after,) = carried([before], *pictures, warp) or ()
    np.testing.assert_allclose(after.box * size, box * size + [*step_px, *step_px], atol=0.8)
    assert after.earlier is before
    assert (after.score, after.classes) == (0.5, {"horse": 0.5})


def test_what_is_surely_there_and_not_found_again_has_to_be_asked_about() -> None:
    box = np.array([0.3, 0.3, 0.6, 0.7])
    pictures = texture(0)[:HEIGHT, :WIDTH], texture(1)[:HEIGHT, :WIDTH]
    assert carried([Detection(box, 0.5)], *pictures, STILL) is None
    (after,) = carried([Detection(box, 0.1)], *pictures, STILL) or ()
    np.testing.assert_allclose(after.box, box)


RED = (220, 40, 40)


class Counting:
    """Finds what is red, and counts how often it is asked."""

    names = ("car",)

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, image: np.ndarray) -> list[Detection]:
        self.asked += 1
        hit = (np.abs(image.astype(int) - RED) < 60).all(axis=2)
        rows, columns = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
        height, width = image.shape[:2]
        box = np.array([columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height])
        return [Detection(box, 0.6, {"car": 0.6})]


@pytest.mark.parametrize(("speed", "least", "most"), [(0.1, 10, 18), (0.6, 24, 32)], ids=["slow", "fast"])
def test_the_detector_is_asked_about_every_picture_only_where_things_are_fast(
    film: Any, speed: float, least: int, most: int
) -> None:
    def scene(t_s: float) -> list[Any]:
        far = abs((speed * t_s) % 1.2 - 0.6)
        return [(0.2 + far, 0.5, 0.12, 0.3, RED)]

    path: Path = film(scene, 4.0)
    detector = Counting()
    pictures = list(look(path, detector))
    assert len(pictures) == 32
    assert least <= detector.asked <= most
    for picture in pictures:
        x = 0.2 + abs((speed * picture.t_s) % 1.2 - 0.6)
        (found,) = picture.detections
        assert (found.box[0] + found.box[2]) / 2 == pytest.approx(x, abs=0.015)


def test_without_motion_every_picture_is_asked_about(film: Any) -> None:
    detector = Counting()
    list(look(film(lambda t_s: [(0.3 + 0.1 * t_s, 0.5, 0.12, 0.3, RED)], 2.0), detector, with_motion=False))
    assert detector.asked == 16
