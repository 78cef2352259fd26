from __future__ import annotations

from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.generate.embedded.course import LOWEST_OCTAVES, Course, drawn, packed, unpacked

FALL = Course((np.linspace(-0.2, -1.0, 40, dtype=np.float32),))


def bursts(*spans: tuple[int, int], length: int = 400) -> np.ndarray:
    level_db = np.full(length, -90.0, dtype=np.float32)
    for first, stop in spans:
        level_db[first:stop] = -20.0
    return level_db


def test_every_event_has_a_call_of_its_own() -> None:
    spans = [(20, 55), (100, 150), (200, 238)]
    got = drawn(FALL, bursts(*spans), np.random.default_rng(0))
    assert got.shape == (400,)
    for first, stop in spans:
        event = got[first:stop]
        assert (np.diff(event) < 0.0).all()
        # its middle, and as far as the depth may change
        assert -0.5 * (event[0] + event[-1]) == pytest.approx(0.6, abs=0.03)
        assert 0.8 / 1.25 < event[0] - event[-1] < 0.8 * 1.25


def test_what_is_long_is_many_calls_and_what_is_short_a_part_of_one() -> None:
    long = drawn(FALL, bursts((10, 390)), np.random.default_rng(0))[10:390]
    starts = np.flatnonzero(np.diff(np.sign(np.diff(long))) < 0)
    assert 6 <= len(starts) + 1 <= 12  # 380 steps of calls of 40, a quarter longer or shorter
    short = drawn(FALL, bursts((10, 18)), np.random.default_rng(0))[10:18]
    assert 0.0 < short[0] - short[-1] < 0.35


@given(
    calls=st.lists(st.lists(st.floats(LOWEST_OCTAVES, 0.0), min_size=4, max_size=30), min_size=1, max_size=4),
    level_db=st.lists(st.floats(-120.0, 10.0), max_size=80),
    seed=st.integers(0, 99),
)
def test_it_stays_within_bounds_and_is_the_same_again(
    calls: list[list[float]], level_db: list[float], seed: int
) -> None:
    course = Course(tuple(np.array(call, dtype=np.float32) for call in calls))
    levels_db = np.array(level_db, dtype=np.float32)
    got = drawn(course, levels_db, np.random.default_rng(seed))
    assert got.shape == levels_db.shape
    assert ((got >= LOWEST_OCTAVES) & (got <= 0.0)).all()
    np.testing.assert_array_equal(got, drawn(course, levels_db, np.random.default_rng(seed)))


@given(st.lists(st.lists(st.floats(LOWEST_OCTAVES, 0.0), min_size=1, max_size=30), min_size=1, max_size=5))
def test_letters_keep_a_course_to_a_192nd_of_an_octave(calls: list[list[float]]) -> None:
    kept = unpacked(packed(Course(tuple(np.array(call, dtype=np.float32) for call in calls))))
    assert kept is not None
    assert len(kept.calls) == len(calls)
    for got, call in zip(kept.calls, calls, strict=True):
        np.testing.assert_allclose(got, call, atol=1.0 / 192.0 + 1e-6)


def test_what_stands_still_has_no_letters_and_others_are_refused() -> None:
    assert packed(None) == ""
    assert unpacked("") is None
    with pytest.raises(ValueError):  # noqa: PT011 - whatever base64 says
        unpacked("no letters!")
    with pytest.raises(ValueError, match="no length"):
        unpacked(b64encode(b"\x01\xff\xff\x02").decode())
