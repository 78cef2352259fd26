"""Cuts are found to the picture; flashes, fast pans and pictures that are there twice are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from foleyspace_host.localize.see.shots import in_shots
from foleyspace_host.media.video import Frame

WIDTH, HEIGHT, RATE_HZ = 320, 180, 24
EVERY = 3  # of them is sampled

Show = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Between:
    """Stands for a picture that is passed over."""

    t_s: float
    picture: np.ndarray

    def image(self, max_side_px: int | None = None) -> np.ndarray:
        scale = min((max_side_px or WIDTH) / WIDTH, 1.0)
        return cv2.resize(self.picture, (round(WIDTH * scale), round(HEIGHT * scale)), interpolation=cv2.INTER_AREA)


def sampled(show: Show, count: int = 48) -> Iterator[Frame]:
    passed: list[Any] = []
    for index in range(count):
        if index % EVERY:
            passed.append(Between(index / RATE_HZ, show(index)))
        else:
            yield Frame(index / RATE_HZ, show(index), tuple(passed))
            passed = []


def scene(seed: int) -> np.ndarray:
    """Return a picture 4 wide with things of all sizes in it."""
    rng = np.random.default_rng(seed)
    image = np.zeros((HEIGHT, 4 * WIDTH, 3), np.float32)
    for size in (2, 5, 15):
        noise = cv2.GaussianBlur(rng.standard_normal(image.shape).astype(np.float32), (0, 0), size)
        image += 30.0 * noise / noise.std()
    return np.clip(image + rng.uniform(70, 180, 3), 0, 255).astype(np.uint8)


def seen(image: np.ndarray, left: float = 0.0) -> np.ndarray:
    start = round(left)
    return np.ascontiguousarray(image[:, start : start + WIDTH])


def cuts(show: Show, count: int = 48) -> list[int]:
    return [round(frame.t_s * RATE_HZ) for frame, begins in in_shots(sampled(show, count)) if begins]


@pytest.mark.parametrize("at", [18, 19, 20, 21, 44])
def test_a_cut_is_found_at_its_first_picture(at: int) -> None:
    first, second = scene(1), scene(2)
    assert cuts(lambda index: seen(first if index < at else second, 2 * index)) == [at]


def test_a_cut_within_the_same_scenery_is_found() -> None:
    image = scene(3)
    assert cuts(lambda index: seen(image, 0 if index < 22 else 500)) == [22]


def test_every_picture_is_yielded_once_and_the_first_of_a_shot_too() -> None:
    first, second = scene(1), scene(2)
    frames = [frame for frame, _ in in_shots(sampled(lambda index: seen(first if index < 20 else second)))]
    assert [round(frame.t_s * RATE_HZ) for frame in frames] == sorted([*range(0, 48, EVERY), 20])
    inserted = next(frame for frame in frames if round(frame.t_s * RATE_HZ) == 20)
    assert inserted.image.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("strength", [0.6, 0.85, 1.0], ids=["bright", "very bright", "white"])
@pytest.mark.parametrize("length", [1, 3, 6])
def test_a_flash_is_no_cut(strength: float, length: int) -> None:
    image = scene(4)

    def show(index: int) -> np.ndarray:
        share = strength if 19 <= index < 19 + length else 0.0
        return (seen(image, index) * (1.0 - share) + 255.0 * share).astype(np.uint8)

    assert cuts(show) == []


def test_a_fast_pan_is_no_cut() -> None:
    image = scene(5)
    assert cuts(lambda index: seen(image, 18 * index)) == []


def test_pictures_that_are_there_twice_are_no_cuts() -> None:
    image = scene(6)
    assert cuts(lambda index: seen(image, 12 * (index // 2))) == []


def test_a_thing_that_passes_close_by_is_no_cut() -> None:
    image, thing = scene(7), scene(8)

    def show(index: int) -> np.ndarray:
        picture = seen(image)
        right = int(np.clip((index - 10) * 24, 0, WIDTH))
        left = int(np.clip((index - 30) * 24, 0, WIDTH))
        picture[:, left:right] = thing[:, left:right]
        return picture

    assert cuts(show) == []


def test_cuts_that_follow_each_other_quickly_are_all_found() -> None:
    images = [scene(seed) for seed in (1, 2, 3)]
    assert cuts(lambda index: seen(images[0 if index < 18 else 1 if index < 25 else 2])) == [18, 25]


def test_colours_tell_where_there_is_nothing_to_find_again() -> None:
    grey, green = np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.full((HEIGHT, WIDTH, 3), (30, 90, 30), np.uint8)
    assert cuts(lambda index: grey if index < 17 else green) == [17]
    assert cuts(lambda index: green if 17 <= index < 21 else grey) == [], "and it is back: a flash"
