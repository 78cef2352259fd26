"""The delay line against band-limited truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.render.delay import read_delayed

HOP, N_HOPS, LEAD = 256, 6, 200


def chirps(t: np.ndarray) -> np.ndarray:
    """A sum of sines up to 0.41 of the sampling rate, known at any (fractional) sample."""
    return sum(np.sin(2 * np.pi * f * t + p) for f, p in ((0.01, 0.3), (0.13, 1.0), (0.29, 2.0), (0.41, 0.1)))


def read(delay: np.ndarray, jump: np.ndarray | None = None, n_out: int = HOP * N_HOPS) -> np.ndarray:
    line = chirps(np.arange(-LEAD, HOP * N_HOPS + LEAD).astype(float)).astype(np.float32)
    out = np.zeros(n_out, np.float32)
    jump = np.zeros(N_HOPS, np.bool_) if jump is None else jump
    read_delayed(line, -LEAD, 0, HOP, delay.astype(float), jump, out)
    return out


@pytest.mark.parametrize("delay", [0.0, 0.25, 17.5, -33.999, 100.001])
def test_fixed_delay_is_exact(delay: float) -> None:
    truth = chirps(np.arange(HOP * N_HOPS) - delay)
    assert np.abs(read(np.full(N_HOPS + 1, delay)) - truth).max() < 2e-3


@settings(max_examples=40, deadline=None)
@given(start=st.floats(-60, 60), slope=st.floats(-0.09, 0.09))
def test_sliding_delay_follows_its_line(start: float, slope: float) -> None:
    delay = start + slope * HOP * np.arange(N_HOPS + 1)
    if np.abs(delay).max() > 150:
        return
    n = np.arange(HOP * N_HOPS)
    truth = chirps(n - (start + slope * n))
    assert np.abs(read(delay) - truth).max() < 3e-3


def test_error_is_below_minus_80_db_up_to_three_quarters_of_the_band() -> None:
    line = np.sin(2 * np.pi * 0.36 * np.arange(-LEAD, HOP * N_HOPS + LEAD)).astype(np.float32)
    n = np.arange(HOP * N_HOPS)
    for slope in (0.0, 0.0004, 0.003, 0.02):
        out = np.zeros(HOP * N_HOPS, np.float32)
        delay = 3.3 + slope * HOP * np.arange(N_HOPS + 1)
        read_delayed(line, -LEAD, 0, HOP, delay, np.zeros(N_HOPS, np.bool_), out)
        error = out - np.sin(2 * np.pi * 0.36 * (n - 3.3 - slope * n))
        assert 10 * np.log10((error**2).mean() / 0.5) < -80


def test_a_jump_cross_fades_between_two_fixed_delays() -> None:
    delay = np.array([10.0, 10.0, 10.0, 90.0, 90.0, 90.0, 90.0])
    out = read(delay, np.arange(N_HOPS) == 2)
    n = np.arange(HOP * N_HOPS)
    fade = np.clip((n - 2 * HOP) / HOP, 0, 1)
    fade = 0.5 - 0.5 * np.cos(np.pi * fade)
    truth = (1 - fade) * chirps(n - 10.0) + fade * chirps(n - 90.0)
    assert np.abs(out - truth).max() < 3e-3


@pytest.mark.parametrize("n_out", [0, 1, 31, 255, 1000])
def test_writes_no_further_than_asked(n_out: int) -> None:
    whole = read(np.linspace(5, 9, N_HOPS + 1))
    np.testing.assert_array_equal(read(np.linspace(5, 9, N_HOPS + 1), n_out=n_out), whole[:n_out])


def test_a_constant_stays_constant_while_the_delay_slides() -> None:
    out = np.zeros(HOP * N_HOPS, np.float32)
    line = np.ones(HOP * N_HOPS + 2 * LEAD, np.float32)
    read_delayed(line, -LEAD, 0, HOP, np.linspace(0, 40, N_HOPS + 1), np.zeros(N_HOPS, np.bool_), out)
    assert np.abs(out - 1).max() < 1e-5
