from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput
from foleyspace_host.generate.embedded.bands import LOWEST_BAND_DB, N_BANDS
from foleyspace_host.generate.embedded.condition import N_LIKENESS
from foleyspace_host.generate.embedded.sampler import Wanted, flow_times, sample
from tests.stand_ins.foley_models import PORTRAIT, Recall

ONE = np.eye(N_LIKENESS, dtype=np.float32)


def levels(n_frames: int) -> np.ndarray:
    return (-20.0 + 10.0 * np.sin(np.arange(n_frames) / 9.0)).astype(np.float32)


def made(
    model: Recall, n_frames: int = 90, chunk: int = 1000, steps: int = 3, wanted: Wanted | None = None, seed: int = 4
) -> np.ndarray:
    wanted = wanted or Wanted(PORTRAIT, ONE[0], 2.0)
    return sample(model, wanted, levels(n_frames), seed=seed, n_steps=steps, chunk_frames=chunk)  # type: ignore[arg-type]


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 95))
def test_pieces_give_what_the_whole_gives(chunk: int) -> None:
    whole, pieces = made(Recall()), made(Recall(), chunk=chunk)
    assert whole.shape == (N_BANDS, 90)
    np.testing.assert_allclose(pieces, whole, atol=1e-4)


def test_the_flow_follows_the_velocity_from_noise() -> None:
    class Drift(Recall):
        def velocity(self, place: np.ndarray, shown: np.ndarray, condition: np.ndarray, t: float) -> np.ndarray:
            self.calls.append(t)
            return np.full_like(place, 2.0)

    model = Drift()
    found = made(model, steps=5)
    noise = np.random.default_rng(4).standard_normal((90, N_BANDS), dtype=np.float32).T
    np.testing.assert_allclose(
        found, np.clip((noise + 2.0) * 6.0 + PORTRAIT.mean_db(levels(90)), LOWEST_BAND_DB, 40.0), atol=1e-3
    )  # whatever the steps, a constant velocity leads as far
    assert model.calls == flow_times(5)[:-1]


def test_steps_become_shorter() -> None:
    times = flow_times(8)
    assert (times[0], times[-1]) == (0.0, 1.0)
    assert (np.diff(np.diff(times)) < 0).all()


def test_guidance_leads_away_from_what_is_unlike() -> None:
    # the model's velocity has the share of class 1 in it, once
    plain = made(Recall(reach=89), steps=1, wanted=Wanted(PORTRAIT, ONE[0], 1.0))
    like = made(Recall(reach=89), steps=1, wanted=Wanted(PORTRAIT, ONE[1], 3.0))
    away = made(Recall(reach=89), steps=1, wanted=Wanted(PORTRAIT, ONE[0], 3.0, ONE[1]))
    inside = np.all([(one > LOWEST_BAND_DB) & (one < 40.0) for one in (like, away, plain)], axis=0)
    np.testing.assert_allclose((like - plain)[inside], 6.0 * 3.0, atol=1e-3)
    np.testing.assert_allclose((away - plain)[inside], 6.0 * (1.0 - 3.0), atol=1e-3)


def test_it_tells_its_progress_and_may_be_cancelled() -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        sample(
            Recall(), Wanted(PORTRAIT, ONE[0], 1.0), levels(50), seed=0, n_steps=4, chunk_frames=30, on_progress=stop
        )  # type: ignore[arg-type]
    assert told == [(1, 8), (2, 8), (3, 8)]


def test_the_seed_decides_and_longer_sounds_begin_as_short_ones() -> None:
    assert made(Recall(), seed=1).tobytes() == made(Recall(), seed=1).tobytes()
    assert made(Recall(), seed=1).tobytes() != made(Recall(), seed=2).tobytes()
    longer = made(Recall(reach=5), n_frames=120, steps=2)
    np.testing.assert_allclose(longer[:, :60], made(Recall(reach=5), n_frames=90, steps=2)[:, :60], atol=1e-4)


def test_no_steps_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 1"):
        made(Recall(), steps=0)
