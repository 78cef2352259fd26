from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

from foley_metrics import (
    Heard,
    Listener,
    classes_heard,
    envelope_correlation,
    hear,
    kernel_distance,
    kernel_interval,
    nearest,
    onset_errors_s,
)

from foleyspace_host.generate.impose import measured_db
from foleyspace_host.localize.hear.tag import class_names

RNG = np.random.default_rng(0)


def told(**scores: float) -> Heard:
    values = np.zeros(521, dtype=np.float32)
    for name, value in scores.items():
        values[class_names().index(name)] = value
    return Heard(values, np.ones(1024, dtype=np.float32))


def test_the_class_is_that_of_the_highest_name() -> None:
    assert classes_heard(told(Rain=0.4, Bell=0.3)) == {"rain"}
    assert classes_heard(told(Rain=0.2, Bell=0.3)) == {"bell"}


def test_names_of_several_classes_are_right_for_each_and_those_above_all_for_none() -> None:
    assert classes_heard(told(Ding=0.4, Rain=0.3)) == {"metal", "bell"}
    assert classes_heard(told(Vehicle=0.9, Water=0.8, Animal=0.8, Engine=0.8, Train=0.3)) == {"train"}


def test_the_kernel_distance_of_points_that_are_known() -> None:
    # k(x, y) = (x y + 1)^3 in one dimension: within {0, 0} it is 1, within {1, 1} it is 8, between them 1
    assert kernel_distance(np.zeros((2, 1)), np.ones((2, 1))) == pytest.approx(1.0 + 8.0 - 2.0)


def test_sets_of_one_distribution_are_near_and_others_far() -> None:
    same = [kernel_interval(RNG.standard_normal((200, 8)), RNG.standard_normal((200, 8)), 60) for _ in range(2)]
    for _, low, high in same:
        assert low < 0.0 < high
    mean, low, _ = kernel_interval(RNG.standard_normal((200, 8)), 1.0 + RNG.standard_normal((200, 8)), 60)
    assert mean > low > 0.5


def test_a_sound_follows_its_own_level_and_not_another_s() -> None:
    gain = 10.0 ** (np.sin(np.arange(96_000) / 4000.0) - 1.0)
    sound = (gain * RNG.standard_normal(96_000)).astype(np.float32)
    wanted = 20.0 * np.log10(gain[::256])
    assert envelope_correlation(sound, wanted) > 0.99
    assert envelope_correlation(sound, -wanted) < -0.9
    assert envelope_correlation(sound, np.zeros_like(wanted)) == 0.0
    assert envelope_correlation(sound, measured_db(sound)) == pytest.approx(1.0)


def test_onsets_are_found_where_they_are() -> None:
    sound = 1e-4 * RNG.standard_normal(96_000).astype(np.float32)
    true_s = [0.3, 0.81, 1.5]
    for when in true_s:
        at = round(when * 48_000)
        sound[at : at + 4800] += (RNG.standard_normal(4800) * np.exp(-np.arange(4800) / 900)).astype(np.float32)
    assert np.abs(onset_errors_s(sound, true_s)).max() <= 0.006
    late = onset_errors_s(sound, [when - 0.05 for when in true_s])
    np.testing.assert_allclose(late, 0.05, atol=0.006)


def test_a_copy_is_found_wherever_it_is_and_noise_is_none() -> None:
    source, other = (RNG.standard_normal(30_000).astype(np.float32) for _ in range(2))
    heard = told(Rain=1.0)
    wave, likeness = nearest(0.3 * source[5000:20_000], heard, [(other, heard), (source, heard)])
    assert wave == pytest.approx(1.0, abs=1e-4)
    assert likeness == pytest.approx(1.0)
    wave, _ = nearest(source, heard, [(other, heard)])
    assert wave < 0.1


def test_silence_can_be_heard() -> None:
    heard = hear(np.zeros(2400, dtype=np.float32))
    assert heard.scores.shape == (521,)
    assert heard.embedding.shape == (1024,)
    assert class_names()[int(heard.scores.argmax())] == "Silence"


def test_a_listener_tells_classes_apart_that_differ_and_no_others() -> None:
    rng = np.random.default_rng(1)
    kinds = rng.uniform(0.0, 1.0, (5, 64))
    learnt, heard = (np.repeat(kinds, 40, axis=0) + 0.1 * rng.uniform(0.0, 1.0, (200, 64)) for _ in range(2))
    which = np.repeat([2, 3, 5, 7, 11], 40)
    listener = Listener(learnt, which.tolist())
    assert (listener.ranked(heard)[:, 0] == which).mean() > 0.99
    assert (np.sort(listener.ranked(heard), axis=1) == [2, 3, 5, 7, 11]).all()
    assert listener.ranked(3.0 * heard)[:, 0].tolist() == listener.ranked(heard)[:, 0].tolist(), "loudness is no matter"
    alike = rng.uniform(0.0, 1.0, (200, 64))
    guessing = Listener(alike, which.tolist()).ranked(rng.uniform(0.0, 1.0, (200, 64)))[:, 0]
    assert (guessing == which).mean() < 0.35  # a fifth, by chance


def test_a_listener_hears_rare_classes_too() -> None:
    rng = np.random.default_rng(2)
    rare, common = rng.uniform(0.0, 1.0, (2, 64))
    learnt = np.concatenate([np.tile(common, (95, 1)), np.tile(rare, (5, 1))]) + 0.4 * rng.uniform(0.0, 1.0, (100, 64))
    listener = Listener(learnt, [0] * 95 + [1] * 5)
    heard = rare + 0.4 * rng.uniform(0.0, 1.0, (50, 64))
    assert (listener.ranked(heard)[:, 0] == 1).mean() > 0.95
