"""Camera and residual motion, held to pictures that were moved by known amounts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.localize.see.camera_motion import STILL, camera_motion
from foleyspace_host.localize.see.moving import moving, regions

WIDTH, HEIGHT = 192, 108


def texture(seed: int = 0, width: int = 400, height: int = 300) -> np.ndarray:
    """Blobs of all sizes, as pictures have them."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width))
    for size in (2, 5, 12, 30):
        layer = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), size)
        picture += layer / layer.std()
    return np.clip(128 + 35 * picture, 0, 255).astype(np.uint8)


def seen_through(scene: np.ndarray, shift_px: tuple[float, float], zoom: float, roll_deg: float) -> np.ndarray:
    """What a camera sees whose middle has moved by `shift_px` (its picture the other way)."""
    matrix = cv2.getRotationMatrix2D((scene.shape[1] / 2, scene.shape[0] / 2), roll_deg, zoom)
    matrix[:, 2] += np.array([WIDTH / 2 - scene.shape[1] / 2, HEIGHT / 2 - scene.shape[0] / 2]) - shift_px
    return cv2.warpAffine(scene, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)


@settings(max_examples=25)
@given(
    st.floats(-15, 15),
    st.floats(-8, 8),
    st.floats(0.95, 1.05),
    st.floats(-3, 3),
    st.integers(0, 3),
)
def test_pans_zooms_and_rolls_are_measured(
    shift_x: float, shift_y: float, zoom: float, roll_deg: float, seed: int
) -> None:
    scene = texture(seed)
    earlier = seen_through(scene, (0.0, 0.0), 1.0, 0.0)
    later = seen_through(scene, (shift_x, shift_y), zoom, roll_deg)
    warp = camera_motion(earlier, later)
    assert warp.share > 0.7
    assert warp.zoom == pytest.approx(zoom, abs=0.004)
    turn = np.deg2rad(roll_deg)
    for place in (np.array([0.5, 0.5]), np.array([0.3, 0.4]), np.array([0.7, 0.7])):
        # cv2's rotation is anticlockwise as seen, with y downwards
        offset = (place - 0.5) * (WIDTH, HEIGHT)
        turned = zoom * np.array(
            [np.cos(turn) * offset[0] + np.sin(turn) * offset[1], -np.sin(turn) * offset[0] + np.cos(turn) * offset[1]]
        )
        expected = (turned - (shift_x, shift_y)) / (WIDTH, HEIGHT) + 0.5
        np.testing.assert_allclose(warp.points(place), expected, atol=0.6 / WIDTH + 0.3 / HEIGHT)


def test_a_large_thing_that_moves_is_not_taken_for_the_camera() -> None:
    scene, thing = texture(0), texture(7)
    box = np.array([0.1, 0.1, 0.9, 0.85])
    pictures = []
    for shift in (0, 6):
        picture = seen_through(scene, (0.0, 0.0), 1.0, 0.0)
        picture[11:92, 19:173] = thing[50:131, 60 + shift : 214 + shift]
        pictures.append(picture)
    assert camera_motion(*pictures).pan > 0.02, "most of the picture moves"
    assert camera_motion(*pictures, boxes=[box]).pan < 0.003


def test_where_there_is_nothing_to_go_by_the_camera_rests() -> None:
    grey = np.full((HEIGHT, WIDTH), 128, np.uint8)
    assert camera_motion(grey, grey) is STILL
    assert camera_motion(texture(1)[:HEIGHT, :WIDTH], texture(2)[:HEIGHT, :WIDTH]) is STILL


def test_the_same_pictures_give_the_same_answer() -> None:
    scene = texture(3)
    pair = (seen_through(scene, (0, 0), 1.0, 0.0), seen_through(scene, (7.3, -2.1), 1.01, 0.5))
    np.testing.assert_array_equal(camera_motion(*pair).matrix, camera_motion(*pair).matrix)


@pytest.mark.parametrize("pan_px", [0.0, 6.0])
def test_what_moves_by_itself_is_found_whether_the_camera_moves_or_not(pan_px: float) -> None:
    scene, thing = texture(0), texture(9)
    pictures = []
    for step in range(2):
        picture = seen_through(scene, (pan_px * step, 0.0), 1.0, 0.0)
        left = 60 + 5 * step
        picture[40:70, left : left + 30] = thing[:30, :30]
        pictures.append(picture)
    motion = moving(*pictures, camera_motion(*pictures))
    assert motion.within(np.array([65 / 192, 40 / 108, 95 / 192, 70 / 108])) > 2.5
    assert motion.within(np.array([0.7, 0.1, 0.95, 0.9])) < 0.2
    box, strength = regions(motion)[0]
    assert strength > 2.0
    middle = (box[:2] + box[2:]) / 2 * (WIDTH, HEIGHT)
    np.testing.assert_allclose(middle, [80, 55], atol=8)


def test_grain_is_no_motion() -> None:
    rng = np.random.default_rng(5)
    scene = seen_through(texture(0), (0, 0), 1.0, 0.0).astype(np.float64)
    pair = [np.clip(scene + rng.normal(0, 3.0, scene.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    motion = moving(*pair, camera_motion(*pair))
    assert float(motion.strength.mean()) < 0.3
    assert not regions(motion)


def test_boxes_beyond_the_picture_have_no_motion() -> None:
    still = seen_through(texture(0), (0, 0), 1.0, 0.0)
    motion = moving(still, still, STILL)
    for box in ([-0.5, 0.2, -0.1, 0.4], [1.1, 0.2, 1.4, 0.4], [0.2, -2.0, 0.4, -1.0], [0.5, 0.5, 0.5, 0.5]):
        assert motion.within(np.array(box)) == pytest.approx(0.0, abs=0.2)
