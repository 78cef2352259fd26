"""The smoother against the closed form of the same model, and its behaviour where nothing is seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.localize.follow.kinematics import Wander

SPEED, MEMORY_S = 0.3, 0.8


def closed_form(time_s, seen, position, deviation):
    """Gaussian process regression with the covariance of the integrated process: an independent truth."""
    age = (time_s - time_s[0]) / MEMORY_S
    s, t = age[:, None], age[None, :]
    both = 2 * np.minimum(s, t) + np.exp(-s) + np.exp(-t) - 1 - np.exp(-np.abs(t - s))
    prior = (SPEED * MEMORY_S) ** 2 * both + 1e6
    mean = position[seen][0]
    data = prior[np.ix_(seen, seen)] + np.diag(deviation[seen] ** 2)
    cross = prior[:, seen]
    path = mean + cross @ np.linalg.solve(data, position[seen] - mean)
    variance = np.diag(prior - cross @ np.linalg.solve(data, cross.T))
    return path, np.sqrt(variance)


@given(st.integers(0, 2**32 - 1), st.integers(2, 25))
def test_smoothing_equals_the_closed_form(seed, count):
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.uniform(0.02, 0.4, count))
    seen = rng.random(count) < 0.6
    seen[rng.integers(count)] = True
    position, noise = rng.normal(0.5, 0.3, count), rng.uniform(0.01, 0.2, count)
    expected, expected_deviation = closed_form(time_s, seen, position, noise)
    deviation = np.where(seen, noise, np.inf)
    path, spread = Wander(np.array([SPEED]), MEMORY_S).smooth(time_s, position[:, None], deviation[:, None])
    # the prior of 1e3 costs both computations some digits
    np.testing.assert_allclose(path[:, 0], expected, atol=1e-5)
    np.testing.assert_allclose(spread[:, 0], expected_deviation, atol=1e-4)


def test_steps_add_up():
    motion = Wander(np.array([0.3, 0.7]), 0.8)
    start = motion.first(np.array([0.2, 0.4]), np.array([0.1, 0.2]))
    once = motion.predict(start, 0.7)
    twice = motion.predict(motion.predict(start, 0.25), 0.45)
    np.testing.assert_allclose(once.mean, twice.mean)
    np.testing.assert_allclose(once.covariance, twice.covariance)


def test_beyond_the_last_sighting_it_comes_to_rest():
    time_s = np.arange(0.0, 20.0, 0.1)
    seen = time_s < 2.0
    line = 0.1 * time_s
    deviation = np.where(seen, 0.005, np.inf)
    path, spread = Wander(np.array([0.3]), 0.8).smooth(time_s, line[:, None], deviation[:, None])
    np.testing.assert_allclose(path[seen, 0], line[seen], atol=0.01)
    # with velocity v and memory T it goes v T further and no more
    assert path[-1, 0] - line[seen][-1] == pytest.approx(0.1 * 0.8, abs=0.015)
    assert (np.diff(spread[~seen, 0]) > 0).all()


def test_a_single_sighting_stays_where_it_was():
    path, _ = Wander(np.array([0.3]), 0.8).smooth(
        np.array([0.0, 1.0, 2.0]), np.array([[0.0], [0.7], [0.0]]), np.array([[np.inf], [0.02], [np.inf]])
    )
    np.testing.assert_allclose(path[:, 0], 0.7, atol=1e-6)
