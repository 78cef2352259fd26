"""From pictures to moments: a block whose path is known, and the trajectory that localization would give of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import Cancelled
from foleyspace_host.generate.envelope import SILENCE_DB
from foleyspace_host.generate.events import Course, courses, prompt_of
from foleyspace_host.generate.moments import beats, moments
from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory

SIDE = 0.12
BOUNCES_S = [0.5, 1.5, 2.5, 3.5]


def bouncing(t_s: float) -> tuple[float, float]:
    """Fall to the floor at each of `BOUNCES_S`, free flight between them."""
    since = (t_s - 0.5) % 1.0
    return 0.3 + 0.1 * t_s, 0.85 - 0.6 * 4 * since * (1 - since)


def seen(place: Callable[[float], tuple[float, float] | None], seconds: float, label: str) -> tuple[Trajectory, dict]:
    times = np.arange(0.0, seconds + 0.01, 0.125)  # the keys go to the end of the clip
    there = [(float(t), place(float(t))) for t in times]
    keys = tuple(
        Key(t_s=t, azimuth_deg=0.0, elevation_deg=0.0, distance_m=3.0, confidence=0.9, image_xy=at, origin="detected")
        for t, at in there
        if at is not None
    )
    source = Source(id="it-1", label=label, confidence=0.9, keys=keys)
    n = len(keys)
    sizes = BoxSizes(np.array([key.t_s for key in keys]), np.full(n, SIDE * 180 / 320), np.full(n, SIDE))
    return Trajectory(seconds, (source,), None), {"it-1": sizes}


def course(clip: Path, place: Callable, seconds: float, label: str, prompt: str | None = None) -> Course:
    (found,) = courses(clip, *seen(place, seconds, label), prompt=prompt, seed=1)
    return found


def test_a_bouncing_ball_sounds_where_it_bounces(film: Callable[..., Path]) -> None:
    found = course(film(bouncing), bouncing, 4.0, "sports ball")
    assert found.prompt == "impact, sports ball"
    assert found.seen_events == len(found.envelope.onsets_s) == 4
    assert np.abs(found.envelope.onsets_s - BOUNCES_S).max() <= 0.06


def test_steps_are_where_the_fall_is_stopped(film: Callable[..., Path]) -> None:
    period_s = 0.4

    def walks(t_s: float) -> tuple[float, float]:
        # an inverted pendulum: highest between two steps, stopped at once at each
        return 0.15 + 0.15 * t_s, 0.5 - 0.08 * abs(np.sin(np.pi * (t_s - 0.1) / period_s))

    found = course(film(walks), walks, 4.0, "person")
    steps_s = np.arange(0.1, 4.0, period_s)
    assert found.seen_events >= 8
    distance_s = np.abs(found.envelope.onsets_s[:, None] - steps_s).min(axis=1)
    assert np.median(distance_s) <= 0.04
    assert distance_s.max() <= 0.08
    assert np.abs(np.diff(found.envelope.onsets_s) - period_s).max() <= 0.1


def test_what_rests_is_silent_and_what_lasts_swells(film: Callable[..., Path]) -> None:
    def goes(t_s: float) -> tuple[float, float]:
        return 0.2 + 0.3 * max(t_s - 2.0, 0.0), 0.5

    clip = film(goes)
    steps = course(clip, goes, 4.0, "sports ball")
    assert all(1.8 <= t_s <= 2.3 for t_s in steps.envelope.onsets_s)
    car = course(clip, goes, 4.0, "car")
    assert car.prompt.startswith("engine")
    early, late = car.envelope.at(np.arange(0.3, 1.6, 0.05)), car.envelope.at(np.arange(2.4, 3.6, 0.05))
    assert early.mean() < late.mean() - 6.0
    assert early.min() > SILENCE_DB


def test_a_shot_without_the_thing_is_silent(film: Callable[..., Path]) -> None:
    def first_shot(t_s: float) -> tuple[float, float] | None:
        return (0.3 + 0.1 * t_s, 0.5) if t_s < 2.0 else None

    found = course(film(first_shot, cuts=(2.0,)), first_shot, 4.0, "car")
    assert len(found.shots_s) == 2
    assert found.shots_s[1] == pytest.approx(2.0, abs=0.02)
    assert found.envelope.at([1.0])[0] > -20.0
    assert found.envelope.at([3.0])[0] == SILENCE_DB


def test_the_user_s_words_win(film: Callable[..., Path]) -> None:
    found = course(film(bouncing), bouncing, 4.0, "sports ball", "a steady rain")
    assert found.prompt == "a steady rain"
    assert not found.seen_events


def test_things_without_a_sound_have_no_course(film: Callable[..., Path]) -> None:
    trajectory, sizes = seen(bouncing, 1.0, "potted plant")
    assert courses(film(bouncing, 1.0), trajectory, sizes, prompt=None, seed=1) == ()
    assert prompt_of("potted plant") is None
    assert prompt_of("horse") == "hooves, horse"


def test_it_can_be_stopped(film: Callable[..., Path]) -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        courses(film(bouncing, 1.0), *seen(bouncing, 1.0, "car"), prompt=None, seed=1, on_progress=stop)


def test_rest_has_no_moments() -> None:
    t_s = np.arange(50) / 25
    random = np.random.default_rng(0)
    still = 0.02 * random.random(50)
    onsets_s, _ = moments(t_s, still, 0.05 * random.standard_normal((50, 2)), 0.1)
    assert not len(onsets_s)
    assert not len(beats(t_s, 0.05 * random.standard_normal((50, 2)))[0])
    onsets_s, _ = moments(t_s, np.full(50, np.nan), np.full((50, 2), np.nan), 0.1)
    assert not len(onsets_s)
