"""Delay lines, panning and the walk over a mesh, against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foleyspace_host.hrtf.mesh import build_mesh
from foleyspace_host.kernels.lines import locate, pan, read_delayed
from foleyspace_host.render.delay import _TABLE

alike = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def value(line: np.ndarray, point: float) -> float:
    """The line between its samples, by the table of taps."""
    index = int(np.floor(point))
    row = (point - index) * 512 + 128
    low = int(row)
    taps = _TABLE[low].astype(float) * (1 - row + low) + _TABLE[low + 1].astype(float) * (row - low)
    return float(taps @ line[index - 15 : index + 17].astype(float))


def by_definition(
    line: np.ndarray, origin: int, first: int, hop: int, delay: np.ndarray, jump: np.ndarray, n_out: int
) -> np.ndarray:
    out = np.zeros(n_out)
    for n in range(n_out):
        interval, part = n // hop, (n % hop) / hop
        here, there, at = delay[interval], delay[interval + 1], first + n - origin
        if jump[interval]:
            fade = 0.5 + 0.5 * np.cos(np.pi * part)
            out[n] = fade * value(line, at - here) + (1 - fade) * value(line, at - there)
        else:
            out[n] = value(line, at - here - part * (there - here))
    return out


@given(
    seed=st.integers(0, 1000),
    hop=st.sampled_from([16, 32, 48, 80, 128, 256]),
    n_intervals=st.integers(1, 4),
    short=st.integers(0, 15),
    slope=st.sampled_from([0.0, 1e-6, 0.0008, -0.003, 0.02, 0.3]),
    jumps=st.booleans(),
)
@alike
def test_delays_are_read_by_definition(
    seed: int, hop: int, n_intervals: int, short: int, slope: float, jumps: bool
) -> None:
    rng = np.random.default_rng(seed)
    n_out = n_intervals * hop - short
    # sound without its highest octave, for which the parabolas of the taps are made
    line = np.convolve(rng.standard_normal(n_intervals * hop + 900), np.hanning(8) / 3.5, "same").astype(np.float32)
    delay = rng.uniform(-60, 60) + slope * hop * np.cumsum(rng.uniform(-1, 1, n_intervals + 1))
    jump = rng.random(n_intervals) < (0.5 if jumps else 0.0)
    out = np.full(n_out, 0.25, dtype=np.float32)
    pairs = np.stack([delay, delay + 1], axis=1)  # a column of a larger array
    read_delayed(line, -400, 0, hop, pairs[:, 0], jump, _TABLE, out)
    truth = by_definition(line, -400, 0, hop, delay, jump, n_out)
    assert np.abs(out - 0.25 - truth).max() < 2e-3 * np.abs(truth).max() + 1e-5


def test_a_reading_may_be_cut_anywhere() -> None:
    rng = np.random.default_rng(0)
    line = rng.standard_normal(2000).astype(np.float32)
    delay = 10 + np.array([0.0, 0.3, 0.9, 40.0, 39.0])
    jump = np.array([False, False, True, False])
    whole = np.zeros(1024, dtype=np.float32)
    read_delayed(line, -500, 0, 256, delay, jump, _TABLE, whole)
    parts = np.zeros(1024, dtype=np.float32)
    for interval in range(4):
        piece = slice(interval, interval + 2)
        read_delayed(
            line, -500, 256 * interval, 256, delay[piece], jump[interval : interval + 1], _TABLE,
            parts[256 * interval : 256 * (interval + 1)],
        )  # fmt: skip
    np.testing.assert_array_equal(whole, parts)
    short = np.zeros(1000, dtype=np.float32)
    read_delayed(line, -500, 0, 256, delay, jump, _TABLE, short)
    np.testing.assert_allclose(short, whole[:1000], atol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.0005, 0.3])
@pytest.mark.parametrize("jumps", [False, True])
@pytest.mark.parametrize("delay", [-1e9, -700.0, -484.5, 485.5, 1e4, 1e300, -1e300, np.nan, np.inf, -np.inf])
def test_a_reading_outside_of_the_line_raises(delay: float, slope: float, jumps: bool) -> None:
    line, out = np.zeros(1000, dtype=np.float32), np.zeros(128, dtype=np.float32)
    with pytest.raises(ValueError, match="reach"):
        read_delayed(line, -500, 0, 128, np.array([delay, delay + slope * 128]), np.array([jumps]), _TABLE, out)


def test_wrong_arrays_for_a_reading_raise() -> None:
    good = {
        "line": np.zeros(1000, np.float32), "origin": -500, "first": 0, "hop": 128, "delay_samples": np.zeros(3),
        "jump": np.zeros(2, np.bool_), "table": _TABLE, "out": np.zeros(256, np.float32),
    }  # fmt: skip
    read_delayed(**good)
    frozen = np.zeros(256, np.float32)
    frozen.flags.writeable = False
    for name, bad in (
        ("line", np.zeros(1000)),
        ("line", np.zeros(2000, np.float32)[::2]),
        ("delay_samples", np.zeros(3, np.float32)),
        ("delay_samples", np.zeros(2)),
        ("jump", np.zeros(2, np.int8)),
        ("table", _TABLE[1:].copy()),
        ("out", np.zeros(257, np.float32)),
        ("out", np.zeros(256)),
        ("out", frozen),
        ("hop", 8),
        ("hop", 130),
    ):
        with pytest.raises((TypeError, ValueError)):
            read_delayed(**(good | {name: bad}))


@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 300),
    hop=st.sampled_from([1, 16, 64]),
    n_channels=st.integers(1, 16),
)
@alike
def test_panning_is_gains_on_straight_lines(seed: int, n: int, hop: int, n_channels: int) -> None:
    rng = np.random.default_rng(seed)
    n_intervals = -(-n // hop)
    gains = (rng.standard_normal((n_intervals + 1, n_channels)) * (rng.random(n_channels) < 0.7)).astype(np.float32)
    jump = rng.random(n_intervals) < 0.3
    heard, out = rng.standard_normal(n).astype(np.float32), np.ones((n_channels, n), np.float32)
    pan(heard, gains, jump, hop, out)
    at = np.arange(n) / hop
    for channel in range(n_channels):
        gain = np.interp(at, np.arange(n_intervals + 1), gains[:, channel].astype(float))
        truth = 1 + np.where(jump[np.arange(n) // hop], 0.0, gain * heard)
        np.testing.assert_allclose(out[channel], truth, atol=1e-5)


def test_wrong_arrays_for_panning_raise() -> None:
    good = {
        "heard": np.zeros(64, np.float32), "gains": np.zeros((5, 2), np.float32), "jump": np.zeros(4, np.bool_),
        "hop": 16, "out": np.zeros((2, 64), np.float32),
    }  # fmt: skip
    pan(**good)
    for name, bad in (
        ("heard", np.zeros(64)),
        ("gains", np.zeros((4, 2), np.float32)),
        ("gains", np.zeros((5, 3), np.float32)),
        ("jump", np.zeros(5, np.bool_)),
        ("out", np.zeros((2, 63), np.float32)),
        ("hop", 0),
    ):
        with pytest.raises((TypeError, ValueError)):
            pan(**(good | {name: bad}))


@pytest.mark.parametrize("seed", range(4))
def test_directions_lie_in_the_triangles_they_are_given(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, wanted = rng.standard_normal((2, 200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    mesh = build_mesh(points)
    triangle, weights = np.empty(200, np.int32), np.empty((200, 3), np.float32)
    last = locate(wanted, 0, mesh.neighbours, mesh.inverse, triangle, weights)
    assert last == triangle[-1]
    corners = mesh.unit[mesh.triangles[triangle]]
    for index in range(200):
        along = np.linalg.solve(corners[index].T, wanted[index])
        assert along.min() > -1e-6
        np.testing.assert_allclose(weights[index], along / along.sum(), atol=1e-6)


@pytest.mark.parametrize("start", [-1, 396, 1 << 40])
def test_a_walk_from_nowhere_raises(start: int) -> None:
    mesh, triangle, weights = small_mesh()
    with pytest.raises(ValueError, match="reach"):
        locate(np.array([[1.0, 0, 0]]), start, mesh.neighbours, mesh.inverse, triangle, weights)


@pytest.mark.parametrize("bad", [-1, 1_000_000])
def test_a_walk_out_of_the_mesh_raises(bad: int) -> None:
    mesh, triangle, weights = small_mesh()
    neighbours = np.full_like(mesh.neighbours, bad)
    behind = -mesh.unit[mesh.triangles[0]].sum(axis=0)  # so that the walk leaves where it begins
    with pytest.raises(ValueError, match="reach"):
        locate(behind[None], 0, neighbours, mesh.inverse, triangle, weights)


def test_a_direction_that_is_no_number_ends() -> None:
    mesh, triangle, weights = small_mesh()
    locate(np.full((1, 3), np.nan), 0, mesh.neighbours, mesh.inverse, triangle, weights)


def test_wrong_arrays_for_a_walk_raise() -> None:
    mesh, triangle, weights = small_mesh()
    with pytest.raises(TypeError):
        locate(np.zeros((1, 3), np.float32), 0, mesh.neighbours, mesh.inverse, triangle, weights)
    with pytest.raises(ValueError, match="shape"):
        locate(np.zeros((2, 3)), 0, mesh.neighbours, mesh.inverse, triangle, weights)
    with pytest.raises(ValueError, match="shape"):
        locate(np.zeros((1, 3)), 0, mesh.neighbours, mesh.inverse[:-1].copy(), triangle, weights)


def small_mesh():
    points = np.random.default_rng(9).standard_normal((200, 3))
    mesh = build_mesh(points / np.linalg.norm(points, axis=1, keepdims=True))
    return mesh, np.empty(1, np.int32), np.empty((1, 3), np.float32)
