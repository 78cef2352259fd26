from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.generate.embedded.varispeed import STEP, Varispeed

RATE_HZ = 48_000


def tone(frequency_hz: float, n_samples: int) -> np.ndarray:
    return np.sin(2.0 * np.pi * frequency_hz / RATE_HZ * np.arange(n_samples)).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return float(10.0 * np.log10(np.square(samples, dtype=np.float64).mean() + 1e-30))


def played(way: Varispeed, *pieces: np.ndarray) -> np.ndarray:
    return np.concatenate(list(way.play(pieces)))


@pytest.mark.parametrize("octaves", [0.0, -0.3, -1.0, -2.5])
def test_a_tone_is_as_many_octaves_lower(octaves: float) -> None:
    n = 70_000
    way = Varispeed(np.full(n // STEP + 2, octaves), n)
    assert way.n_read == pytest.approx(n * 2.0**octaves, abs=1)
    got = played(way, tone(8000.0, way.n_read + 64))
    assert len(got) == n
    assert level_db((got - tone(8000.0 * 2.0**octaves, n))[64:-64]) < -70.0


def test_a_glide_has_the_phase_that_its_speed_adds_up_to() -> None:
    """An octave down in a second, straight in speed: the phase is a parabola."""
    n = RATE_HZ
    octaves = np.log2(1.0 - 0.5 * np.arange(n // STEP + 1) * STEP / n)
    way = Varispeed(octaves, n)
    at = np.arange(n - n % STEP)
    place = at - 0.25 * at.astype(float) ** 2 / n
    assert np.abs(way.read_at(at) - place).max() < 0.01
    got = played(way, tone(3000.0, way.n_read + 64))
    wanted = np.sin(2.0 * np.pi * 3000.0 / RATE_HZ * place)
    assert level_db((got[: len(at)] - wanted)[64:-64]) < -55.0


@given(
    octaves=st.lists(st.floats(-2.5, 0.0), min_size=1, max_size=40),
    n_samples=st.integers(1, 6000),
    cuts=st.lists(st.integers(0, 6000), max_size=4),
)
def test_any_course_is_as_long_as_was_asked_for_in_any_pieces(
    octaves: list[float], n_samples: int, cuts: list[int]
) -> None:
    way = Varispeed(np.array(octaves), n_samples)
    assert 0 < way.n_read <= n_samples
    sound = np.random.default_rng(0).standard_normal(way.n_read).astype(np.float32)
    whole = played(way, sound)
    assert whole.shape == (n_samples,)
    np.testing.assert_array_equal(played(way, *np.split(sound, sorted(min(cut, len(sound)) for cut in cuts))), whole)
    at = np.arange(0, n_samples, 100)
    assert (np.diff(way.read_at(np.arange(n_samples))) > 0.0).all()
    np.testing.assert_allclose(way.heard_at(way.read_at(at)), at, atol=1e-6)


def test_a_steady_speed_changes_nothing() -> None:
    sound = np.random.default_rng(1).standard_normal(150_000).astype(np.float32)
    way = Varispeed(np.zeros(1), len(sound))
    np.testing.assert_allclose(played(way, sound[:70_001], sound[70_001:]), sound, atol=1e-6)


def test_higher_is_refused() -> None:
    with pytest.raises(ValueError, match="lower"):
        Varispeed(np.array([0.1]), 100)
