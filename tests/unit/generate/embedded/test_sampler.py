from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.diffusion.features import HOP
from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.sampler import Wanted, sample
from tests.stand_ins.foley_models import Recall

ONE = np.eye(len(NAMES), dtype=np.float32)


def made(
    model: Recall, n_frames: int = 90, chunk: int = 1000, steps: int = 3, wanted: Wanted | None = None
) -> np.ndarray:
    levels = (-20.0 + 10.0 * np.sin(np.arange(n_frames) / 9.0)).astype(np.float32)
    pieces = sample(model, wanted or Wanted(ONE[0], 2.0), levels, seed=4, n_steps=steps, chunk_frames=chunk)  # type: ignore[arg-type]
    return np.concatenate([piece for piece in pieces if piece is not None])


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 95))
def test_pieces_give_what_the_whole_gives(chunk: int) -> None:
    whole, pieces = made(Recall()), made(Recall(), chunk=chunk)
    assert len(pieces) == 90 * HOP
    np.testing.assert_allclose(pieces, whole, atol=1e-5 * np.abs(whole).max())


def test_each_step_is_asked_once_and_may_be_cancelled_before_the_next() -> None:
    model = Recall()
    levels = np.full(40, -20.0, dtype=np.float32)
    stream = sample(model, Wanted(ONE[2], 1.0), levels, seed=0, n_steps=4)  # type: ignore[arg-type]
    assert next(stream) is None
    assert model.calls == [0.0]
    assert next(stream) is None
    assert model.calls == [0.0, 0.25]


def test_silence_stays_silent_and_loud_is_loud() -> None:
    levels = np.full(120, -20.0, dtype=np.float32)
    levels[40:80] = -150.0
    pieces = sample(Recall(), Wanted(ONE[0], 2.0), levels, seed=1, n_steps=2)  # type: ignore[arg-type]
    sound = np.concatenate([piece for piece in pieces if piece is not None])
    inside = sound[46 * HOP : 74 * HOP]
    assert np.abs(inside).max() < 1e-6
    assert np.sqrt(np.mean(sound[4 * HOP : 36 * HOP] ** 2)) > 1e-3


def test_the_seed_decides() -> None:
    levels = np.full(30, -20.0, dtype=np.float32)

    def of(seed: int) -> bytes:
        pieces = sample(Recall(), Wanted(ONE[0], 2.0), levels, seed=seed, n_steps=1)  # type: ignore[arg-type]
        return np.concatenate([piece for piece in pieces if piece is not None]).tobytes()

    assert of(1) == of(1)
    assert of(1) != of(2)


def test_what_is_unwanted_costs_a_second_look_and_is_left_behind() -> None:
    class Told(Recall):
        def end(self, maps: np.ndarray, condition: np.ndarray, t: float) -> np.ndarray:
            self.calls.append(t)
            return np.full(maps[0, :2].shape, condition[0, 0, 1], dtype=np.float32)

    plain, kept_off = Told(), Told()
    without = made(plain, steps=1)
    away = made(kept_off, steps=1, wanted=Wanted(ONE[0], 2.0, ONE[1]))
    assert len(kept_off.calls) == 2 * len(plain.calls)
    assert np.abs(without).max() < 1e-9
    assert np.abs(away).max() > 1e-3


def test_no_steps_and_wrong_seeds_are_refused() -> None:
    levels = np.full(3, -20.0, dtype=np.float32)
    for seed, steps in ((-1, 1), (0, 0)):
        with pytest.raises(InvalidInput):
            next(sample(Recall(), Wanted(ONE[0], 2.0), levels, seed=seed, n_steps=steps))  # type: ignore[arg-type]
