from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.diffusion.chunks import Stretch
from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.noise import frame_noise
from foleyspace_host.diffusion.reach import FALL, Reach
from foleyspace_host.diffusion.sampler import SIGMA, Sampler, flow_times
from foleyspace_host.errors import InvalidInput
from tests.stand_ins.flow_models import Echo

N = 90


def stretch(n: int = N, seed: int = 0) -> Stretch:
    rng = np.random.default_rng(seed)
    maps = rng.standard_normal((6, 512, n)).astype(np.float32)
    condition = rng.standard_normal((n, N_CONDITION)).astype(np.float32)
    nyquist = (rng.standard_normal((2, n)) + 1j * rng.standard_normal((2, n))).astype(np.complex64)
    return Stretch.of(maps[:4], maps[4:], condition, nyquist)


def run(model: Echo, cuts: list[int], n_steps: int, whole: Stretch, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    sampler = Sampler(model, n_steps, seed, first=-1)  # type: ignore[arg-type]
    edges = sorted({0, whole.n_frames, *cuts})
    found = [
        ended
        for first, stop in pairwise(edges)
        for ended in sampler.push(whole.cut(first, stop), last=stop == whole.n_frames)
        if ended is not None
    ]
    return np.concatenate([one.maps for one in found], axis=2), np.concatenate([one.nyquist for one in found], axis=1)


@settings(max_examples=15)
@given(st.lists(st.integers(1, N - 1), max_size=12), st.sampled_from([1, 2, 4]))
def test_pieces_give_what_the_whole_gives(cuts: list[int], n_steps: int) -> None:
    maps, nyquist = run(Echo(), [], n_steps, stretch())
    pieces, high = run(Echo(), cuts, n_steps, stretch())
    np.testing.assert_allclose(pieces, maps, atol=1e-5)
    np.testing.assert_array_equal(high, nyquist)
    np.testing.assert_array_equal(nyquist, stretch().nyquist)


def test_one_step_ends_at_the_prior_and_what_the_network_adds_to_it() -> None:
    given = stretch()
    maps, _ = run(Echo(), [], 1, given)
    reach = Reach().push(given.prior, given.mono)
    place = given.prior + SIGMA * reach * frame_noise(5, -1, N)
    added = 0.1 * np.tanh(place / reach) + 0.1 * given.condition[:, :1].T
    added[..., 20:] += 0.3 * np.tile(given.mono / reach, (2, 1, 1))[..., :-20]
    added[..., :-2] += 0.2 * (given.prior / reach)[..., 2:]
    np.testing.assert_allclose(maps, given.prior + reach * added, atol=1e-5)


def test_a_network_that_knows_the_end_leads_there_in_any_number_of_steps() -> None:
    class Knows(Echo):
        def residual(self, maps: np.ndarray, condition: np.ndarray, t: float) -> np.ndarray:
            return (0.5 * maps[0, 4:8]).astype(np.float32)  # both over their reach

    for n_steps in (1, 3, 4):
        maps, _ = run(Knows(), [17], n_steps, stretch())
        np.testing.assert_allclose(maps, 1.5 * stretch().prior, atol=1e-5)


def test_what_is_added_falls_with_the_reach_and_nothing_is_added_where_none_is() -> None:
    given = stretch(340)
    for maps in (given.prior, given.mono):
        maps[..., :10] = 0.0
        maps[..., 30:] = 0.0
    given.condition[:] = 1.0
    maps, _ = run(Echo(memory=20), [40], 4, given)
    assert not maps[..., :10].any()
    assert maps[..., 30:200].any(axis=(0, 1)).all()
    level = np.sqrt((maps[..., 60:130] ** 2).mean(axis=(0, 1)))
    slope = np.polyfit(np.arange(70), np.log(level), 1)[0]
    assert abs(slope / -FALL - 1.0) < 0.05  # the longest reverberation's
    assert not maps[..., 320:].any()


def test_the_seed_decides() -> None:
    first, again, other = (run(Echo(), [33], 4, stretch(), seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_every_step_can_be_the_last() -> None:
    model = Echo()
    steps = Sampler(model, 4, 0).push(stretch())  # type: ignore[arg-type]
    for done in range(1, 4):
        assert next(steps) is None
        assert model.n_calls == done


def test_times_are_even() -> None:
    assert flow_times(4) == [(0.0, 0.25), (0.25, 0.25), (0.5, 0.25), (0.75, 0.25)]
    with pytest.raises(InvalidInput):
        flow_times(0)
