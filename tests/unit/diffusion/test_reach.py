from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.diffusion.reach import FALL, FLOOR, LONGEST_RT60_S, Reach, log_map, loudest


def sounds(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    maps = rng.standard_normal((6, 9, n)) * rng.random((1, 9, n)) ** 8
    return maps[:4].astype(np.float32), maps[4:].astype(np.float32)


def test_it_follows_at_once_and_falls_as_told() -> None:
    prior, mono = sounds()
    size = loudest(prior, mono)
    level = Reach().push(prior, mono)
    before = np.full(9, FLOOR)
    for frame in range(60):
        before = np.maximum(np.maximum(before * np.exp(-FALL), size[:, frame]), FLOOR)
        np.testing.assert_allclose(level[:, frame], before, rtol=1e-5)


@given(st.integers(1, 59))
def test_pieces_give_what_the_whole_gives(cut: int) -> None:
    prior, mono = sounds()
    pieces = Reach()
    found = [pieces.push(prior[..., :cut], mono[..., :cut]), pieces.push(prior[..., cut:], mono[..., cut:])]
    np.testing.assert_allclose(np.concatenate(found, axis=1), Reach().push(prior, mono), rtol=1e-5)


def test_the_loudest_is_that_of_all_channels_and_neighbours() -> None:
    prior, mono = np.zeros((4, 9, 1), np.float32), np.zeros((2, 9, 1), np.float32)
    prior[2:, 3], mono[:, 7] = [[3.0], [4.0]], [[0.0], [2.0]]
    np.testing.assert_allclose(loudest(prior, mono)[:, 0], [0, 0, 5, 5, 5, 0, 2, 2, 2])


def test_the_fall_is_that_of_the_longest_reverberation() -> None:
    frames = LONGEST_RT60_S * SAMPLE_RATE_HZ / HOP
    assert abs(40.0 * np.log10(np.exp(FALL * frames)) - 60.0) < 1e-9  # magnitudes are squares
    assert abs(log_map(np.float32([np.exp(-1.5)]))[0]) < 1e-6
