"""Sample positions: end points are rounded, durations never."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.timebase import Span, sample_at, span_samples

FRAME_RATES = {
    "23.976": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
    "25": Fraction(25),
}


@pytest.mark.parametrize("rate", FRAME_RATES.values(), ids=FRAME_RATES)
@pytest.mark.parametrize("sample_rate_hz", [44100, 48000, 96000])
def test_spans_of_frames_adjoin(rate: Fraction, sample_rate_hz: int) -> None:
    edges = [frame / rate for frame in range(2003)]
    spans = [span_samples(start, end, sample_rate_hz) for start, end in pairwise(edges)]
    assert sum(spans) == sample_at(edges[-1], sample_rate_hz)
    assert max(spans) - min(spans) <= 1
    starts = [sum(spans[:index]) for index in range(0, 2002, 91)]
    assert starts == [sample_at(edges[index], sample_rate_hz) for index in range(0, 2002, 91)]


def test_known_length_of_ntsc_video() -> None:
    # 1001 frames at 30000/1001 are 1603201.6 samples at 48 kHz
    assert sample_at(1001 / FRAME_RATES["29.97"], 48000) == 1603202


@given(st.lists(st.fractions(0, 10_000), min_size=2, max_size=20), st.integers(8000, 192_000))
def test_any_cuts_adjoin_and_none_is_off_by_more_than_half_a_sample(times: list[Fraction], rate: int) -> None:
    edges = sorted(times)
    assert sum(span_samples(a, b, rate) for a, b in pairwise(edges)) == span_samples(edges[0], edges[-1], rate)
    assert all(abs(sample_at(time, rate) - time * rate) <= Fraction(1, 2) for time in edges)


@given(st.integers(0, 10**7), st.integers(1, 192_000))
def test_halves_round_up_and_samples_stay_where_they_are(sample: int, rate: int) -> None:
    assert sample_at(Fraction(sample, rate), rate) == sample
    assert sample_at(Fraction(2 * sample + 1, 2 * rate), rate) == sample + 1


@given(
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.sampled_from([Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(25)]),
    st.integers(8_000, 192_000),
)
def test_spans_that_adjoin_in_frames_adjoin_in_samples(first: int, n_frames: int, fps: Fraction, rate_hz: int) -> None:
    span, following = Span(first / fps, n_frames / fps), Span((first + n_frames) / fps, 1 / fps)
    start, stop = span.samples(rate_hz)
    assert stop == following.samples(rate_hz)[0]
    # in integers: the nearest sample, halves up
    assert start == (2 * first * fps.denominator * rate_hz + fps.numerator) // (2 * fps.numerator)


@pytest.mark.parametrize(("start", "duration"), [(-1, 1), (0, 0), (0, -1), (10**8, 1), (0, 10**8), (10**400, 1)])
def test_spans_that_cannot_be_are_refused(start: int, duration: int) -> None:
    with pytest.raises(InvalidInput, match="span"):
        Span(Fraction(start), Fraction(duration))
