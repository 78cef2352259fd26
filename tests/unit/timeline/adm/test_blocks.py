from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.timeline.adm.blocks import Block, Course, blocks_of, ticks_hz

HZ = 100_000

keys = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.floats(-180, 180),
        st.floats(-80, 80),
        st.floats(0.3, 50),
        st.booleans(),
        st.floats(-20, 20),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda key: key[0],
)


def source_of(parts: list) -> Source:
    ordered = enumerate(sorted(parts))
    return Source("s", tuple(Key(t / 100, *at, cut=cut and n > 0, gain_db=g) for n, (t, *at, cut, g) in ordered))


def played(blocks: list[Block], t_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where BS.2076 says an object is: straight from block to block, with vectors as renderers do it."""
    units = angles_to_unit([b.azimuth_deg for b in blocks], [b.elevation_deg for b in blocks])
    ends = np.array([(b.start + b.duration) / HZ for b in blocks])
    index = np.minimum(np.searchsorted(ends, t_s, side="right"), len(blocks) - 1)
    unit, distance, gain = np.zeros((len(t_s), 3)), np.zeros(len(t_s)), np.zeros(len(t_s))
    for row, (k, t) in enumerate(zip(index, t_s, strict=True)):
        block = blocks[k]
        length = (block.duration if block.jump is None else block.jump) / HZ
        part = 1.0 if k == 0 or length == 0 else min((t - block.start / HZ) / length, 1.0)
        before = blocks[max(k - 1, 0)]
        unit[row] = (1 - part) * units[max(k - 1, 0)] + part * units[k]
        distance[row] = (1 - part) * before.distance_m + part * block.distance_m
        gain[row] = (1 - part) * before.gain + part * block.gain
    return unit / np.linalg.norm(unit, axis=1, keepdims=True), distance, gain


@settings(max_examples=60)
@given(keys)
def test_blocks_follow_the_path(parts: list) -> None:
    source = source_of(parts)
    blocks = blocks_of(Course(source, RenderOptions(distance_gain="none"), 0.0, 0.0, 4.5), 450_000, HZ)
    assert blocks[0].start == 0
    assert [b.start + b.duration for b in blocks[:-1]] == [b.start for b in blocks[1:]]
    assert blocks[-1].start + blocks[-1].duration == 450_000
    assert all(b.duration > 0 and (b.jump is None or b.jump <= b.duration) for b in blocks)
    times = np.linspace(0.001, 4.499, 500)
    for key in source.keys:  # while it jumps it is nowhere
        times = times[(times < key.t_s - 0.001) | (times > key.t_s + 0.006)] if key.cut else times
    path = SourcePath.from_source(source)
    unit, distance = path.sample(times)
    quick = np.zeros(len(times), bool)  # what changes much within milliseconds is not followed closer
    for angle, first, last in zip(path.angle_rad, path.t_s[:-1], path.t_s[1:], strict=True):
        quick |= (times >= first) & (times <= last) & (np.rad2deg(angle) / (last - first) > 300)
    for one, two in zip(source.keys[:-1], source.keys[1:], strict=True):
        steep = abs(two.gain_db - one.gain_db) + abs(20 * np.log10(two.distance_m / one.distance_m))
        quick |= (times >= one.t_s) & (times <= two.t_s) & (steep / (two.t_s - one.t_s) > 200)
    got_unit, got_distance, got_gain = played(blocks, times)
    assert great_circle_deg(got_unit, unit)[~quick].max(initial=0) < 0.5
    np.testing.assert_allclose(got_distance[~quick], distance[~quick], rtol=0.02)
    envelope = GainEnvelope.from_source(source)
    if envelope is not None:
        np.testing.assert_allclose(got_gain[~quick], envelope.sample(times)[~quick], rtol=0.02)


def test_what_rests_is_one_block() -> None:
    course = Course(Source("s", (Key(0.0, 30.0, 10.0, 2.0),)), RenderOptions(), 0.0, 0.0, 1.0)
    (one,) = blocks_of(course, HZ, HZ)
    assert (one.start, one.duration, one.jump) == (0, HZ, None)
    assert (one.azimuth_deg, one.elevation_deg, one.distance_m) == pytest.approx((30, 10, 2))
    assert one.gain == 1.0


def test_a_jump_takes_five_milliseconds() -> None:
    source = Source("s", (Key(0.0, 30.0), Key(0.5, -30.0, cut=True)))
    first, second, third = blocks_of(Course(source, RenderOptions(), 0.0, 0.0, 1.0), HZ, HZ)[1:]
    assert (first.start + first.duration, first.azimuth_deg) == (HZ // 2, pytest.approx(30))
    assert (second.duration, second.jump, second.azimuth_deg) == (500, 500, pytest.approx(-30))
    assert (third.start, third.azimuth_deg, third.jump) == (HZ // 2 + 500, pytest.approx(-30), None)


def test_level_distance_and_spread_are_those_of_the_rendering() -> None:
    source = Source("s", (Key(0.0, 30.0, 0.0, 4.0),), gain_db=-6.0)
    (one,) = blocks_of(Course(source, RenderOptions(distance_gain="physical", spread=2.0), 0.0, 0.0, 1.0), HZ, HZ)
    assert one.azimuth_deg == pytest.approx(60)
    assert one.gain == pytest.approx(10 ** (-6 / 20) / 4)


def test_the_lead_comes_before_the_path() -> None:
    source = Source("s", (Key(0.0, 0.0), Key(1.0, 30.0)))
    blocks = blocks_of(Course(source, RenderOptions(), 0.5, 0.5, 1.5), 150_000, HZ)
    still = [b for b in blocks if b.start + b.duration <= 50_000]
    assert still
    assert all(b.azimuth_deg == pytest.approx(0, abs=1e-3) for b in still)
    assert blocks[-1].azimuth_deg == pytest.approx(30)


def test_times_are_finer_than_samples() -> None:
    for rate in (8_000, 44_100, 96_000, 192_000, 384_000):
        assert ticks_hz(rate) > rate
