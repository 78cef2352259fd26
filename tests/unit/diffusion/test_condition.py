from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.diffusion.condition import (
    N_CONDITION,
    N_LISTENER,
    NAMES,
    SLICES,
    condition_rows,
    radial_velocity_m_s,
    room_numbers,
    source_numbers,
)
from foleyspace_host.diffusion.listener import Listener
from foleyspace_host.errors import InvalidInput


def source(n: int = 3) -> np.ndarray:
    return source_numbers(
        np.tile([0.0, 1.0, 0.0], (n, 1)), np.full(n, 2.0), np.zeros(n), np.zeros((n, 2)), np.ones((n, 2))
    )


def test_parts_follow_each_other_and_fill_the_row() -> None:
    ends = [part.stop for part in SLICES.values()]
    assert [part.start for part in SLICES.values()] == [0, *ends[:-1]]
    assert ends[-1] == N_CONDITION == len(NAMES) == len(set(NAMES)) == 34
    assert NAMES[SLICES["room"]][-1] == "in_room"


def test_numbers_are_those_of_the_definitions() -> None:
    row = source_numbers([[0, 1, 0]], [2.0 * np.e], [17.16], [[-0.3e-3, 0.3e-3]], [[np.e, 1.0 / np.e]])[0]
    np.testing.assert_allclose(row, [0, 1, 0, 1, 1, -1, 1, 1, -1], atol=1e-6)
    room = room_numbers([0.4, 0.4, 0.4 * np.e, 0.4 * np.e, 0.2, 0.6, 0.8, 0.8], 60.0 * np.e**2, -5.0)
    np.testing.assert_allclose(room, [0, 1, 0, np.log(2), 1, -0.5, 1], atol=1e-6)
    assert not room_numbers().any()


def test_rows_hold_what_they_were_given() -> None:
    code = np.arange(N_LISTENER) / 10.0
    rows = condition_rows(source(), room_numbers([0.4] * 8, 60.0, 0.0), 45.0, code, sparse=True)
    assert rows.shape == (3, N_CONDITION)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[:, SLICES["listener"]], np.tile(code, (3, 1)), atol=1e-6)
    np.testing.assert_array_equal(rows[:, SLICES["sparse"]], 1.0)
    np.testing.assert_array_equal(rows[:, SLICES["extent"]], 0.5)
    plain = condition_rows(source())
    assert not plain[:, SLICES["room"].start :].any()
    assert np.abs(condition_rows(source(), None, 0.0, np.full(16, 50.0))).max() == 8.0


def test_wrong_parts_are_refused() -> None:
    for wrong in (
        lambda: condition_rows(source()[:, :5]),
        lambda: condition_rows(source(), np.zeros(6)),
        lambda: condition_rows(source(), None, np.nan),
        lambda: room_numbers([0.5] * 7, 10.0),
        lambda: room_numbers([0.5] * 8, 0.0),
        lambda: Listener((0.0,) * 15),
        lambda: Listener((float("nan"),) * 16),
    ):
        with pytest.raises(InvalidInput):
            wrong()


def test_a_jump_has_no_velocity() -> None:
    unit = np.tile([1.0, 0.0, 0.0], (4, 1))
    unit[3] = [-1.0, 0.0, 0.0]
    speed = radial_velocity_m_s(unit, np.array([2.0, 2.1, 9.0, 9.0]), 10.0)
    np.testing.assert_allclose(speed, [1.0, 69.0, 0.0], atol=1e-9)
