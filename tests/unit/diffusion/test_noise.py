from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.diffusion.noise import MAX_SEED, checked_seed, frame_noise
from foleyspace_host.errors import InvalidInput


@settings(max_examples=30)
@given(st.integers(0, MAX_SEED), st.integers(-5, 10**9), st.integers(1, 6), st.integers(1, 6))
def test_frames_have_their_noise_however_they_are_asked_for(seed: int, first: int, count: int, more: int) -> None:
    whole = frame_noise(seed, first, count + more)
    np.testing.assert_array_equal(whole[..., :count], frame_noise(seed, first, count))
    np.testing.assert_array_equal(whole[..., count:], frame_noise(seed, first + count, more))


def test_it_is_complex_gaussian_noise_of_power_one() -> None:
    noise = frame_noise(3, 0, 300).astype(np.float64)
    assert np.isfinite(noise).all()
    power = noise[0::2] ** 2 + noise[1::2] ** 2
    assert abs(power.mean() - 1.0) < 0.005
    assert abs((power**2).mean() - 2.0) < 0.03  # of an exponential distribution
    np.testing.assert_allclose(np.corrcoef(noise.reshape(4, -1)), np.eye(4), atol=0.01)
    assert abs(np.corrcoef(noise[0, :, :-1].ravel(), noise[0, :, 1:].ravel())[0, 1]) < 0.01


def test_seeds_differ_and_are_checked() -> None:
    assert not np.array_equal(frame_noise(0, 0, 1), frame_noise(1, 0, 1))
    assert checked_seed(MAX_SEED) == MAX_SEED
    for seed in (-1, MAX_SEED + 1):
        with pytest.raises(InvalidInput):
            checked_seed(seed)
