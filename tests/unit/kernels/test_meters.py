"""Measures of a sound against numpy and scipy, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from foleyspace_host.kernels.meters import interleaved, largest, largest_between, loudness_steps
from foleyspace_host.media.levels import _interpolators
from foleyspace_host.media.loudness import _k_weighting

alike = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
shapes = st.tuples(st.integers(0, 3), st.integers(0, 700))


@given(seed=st.integers(0, 1000), shape=shapes)
@alike
def test_the_largest_magnitude(seed: int, shape: tuple[int, int]) -> None:
    samples = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    assert largest(samples) == np.abs(samples).max(initial=0.0)
    assert largest(samples[:, ::2]) == np.abs(samples[:, ::2]).max(initial=0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -np.nan])
@pytest.mark.parametrize("at", [0, 7, 63, 64, 99])
def test_what_is_no_number_is_larger_than_all(bad: float, at: int) -> None:
    samples = np.full(100, 3e38, dtype=np.float32)
    samples[at] = bad
    assert not np.isfinite(largest(samples))


def test_tiny_numbers_count() -> None:
    assert largest(np.array([0.0, -1e-45, 0.0], dtype=np.float32)) == np.float32(1e-45)
    assert largest(np.array([-0.0], dtype=np.float32)) == 0.0


@given(
    seed=st.integers(0, 1000), n=st.integers(0, 700), n_channels=st.integers(1, 3), factor=st.sampled_from([1, 2, 4])
)
@alike
def test_the_largest_between_samples(seed: int, n: int, n_channels: int, factor: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((n_channels, n)).astype(np.float32)
    phases = _interpolators(factor).astype(np.float32)
    truth = 0.0
    for row in samples.astype(float):
        for taps in phases.astype(float):
            if n >= 32:
                truth = max(truth, np.abs(np.convolve(row, taps[::-1], "valid")).max())
    bound = float(np.abs(phases).sum(axis=1).max(initial=1.0))
    assert largest_between(samples, phases, bound, 0.0) == pytest.approx(truth, rel=1e-5)
    found = largest_between(samples, phases, bound, 0.9 * truth)
    assert max(found, 0.9 * truth) == pytest.approx(truth, rel=1e-5)
    assert largest_between(samples, phases, bound, 1.1 * truth + 1e-9) <= 1.1 * truth + 1e-9


@given(
    seed=st.integers(0, 1000),
    n_channels=st.integers(1, 5),
    blocks=st.lists(st.integers(0, 260), min_size=1, max_size=6),
    step=st.integers(1, 100),
)
@alike
def test_powers_are_those_of_the_filters(seed: int, n_channels: int, blocks: list[int], step: int) -> None:
    rng = np.random.default_rng(seed)
    b0, b1, b2, a1, a2, c1, c2 = filters = _k_weighting(48_000)
    weights = np.round(rng.uniform(0, 1.5, n_channels)) * 1.41
    state, sums, filled = np.zeros((n_channels, 4)), np.zeros(n_channels), np.zeros(1, np.int64)
    sound = rng.standard_normal((n_channels, sum(blocks))).astype(np.float32)
    powers, start = [], 0
    for n in blocks:
        block = np.ascontiguousarray(sound[:, start : start + n])
        powers.append(loudness_steps(block, filters, state, weights, step, sums, filled))
        start += n
    weighted = lfilter([1, -2, 1], [1, c1, c2], lfilter([b0, b1, b2], [1, a1, a2], sound.astype(float)))
    n_steps = sound.shape[1] // step
    truth = (weighted[:, : n_steps * step] ** 2).reshape(n_channels, n_steps, step).mean(axis=2)
    np.testing.assert_allclose(np.concatenate(powers), weights @ truth, rtol=1e-9, atol=1e-12)
    assert filled[0] == sound.shape[1] % step


def test_silence_after_sound_settles_at_zero() -> None:
    state, sums, filled = np.zeros((1, 4)), np.zeros(1), np.zeros(1, np.int64)
    for level in (1.0, *([0.0] * 60)):
        block = np.full((1, 4800), level, dtype=np.float32)
        loudness_steps(block, _k_weighting(48_000), state, np.ones(1), 4800, sums, filled)
    assert not state.any()


@given(seed=st.integers(0, 1000), n=st.integers(0, 300), n_channels=st.integers(1, 9))
@alike
def test_interleaved_is_transposed(seed: int, n: int, n_channels: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((n_channels, n)).astype(np.float32)
    np.testing.assert_array_equal(interleaved(samples), samples.T)
    np.testing.assert_array_equal(interleaved(samples[:, ::2]), samples[:, ::2].T)


def test_wrong_arrays_raise() -> None:
    phases = _interpolators(4).astype(np.float32)
    for call in (
        lambda: largest(np.zeros(4)),
        lambda: largest_between(np.zeros((1, 50)), phases, 2.0, 0.0),
        lambda: largest_between(np.zeros((1, 100), np.float32)[:, ::2], phases, 2.0, 0.0),
        lambda: largest_between(np.zeros((1, 50), np.float32), phases[:, :31].copy(), 2.0, 0.0),
        lambda: interleaved(np.zeros((2, 5))),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    good = {
        "samples": np.zeros((2, 50), np.float32), "coefficients": np.zeros(7), "state": np.zeros((2, 4)),
        "weights": np.ones(2), "step": 10, "sums": np.zeros(2), "filled": np.zeros(1, np.int64),
    }  # fmt: skip
    assert len(loudness_steps(**good)) == 5
    for name, bad in (
        ("samples", np.zeros((2, 50))),
        ("coefficients", np.zeros(6)),
        ("state", np.zeros((1, 4))),
        ("weights", np.ones(3)),
        ("step", 0),
        ("sums", np.zeros(1)),
        ("filled", np.full(1, 10, np.int64)),
        ("filled", np.full(1, -1, np.int64)),
    ):
        with pytest.raises((TypeError, ValueError)):
            loudness_steps(**(good | {name: bad}))
