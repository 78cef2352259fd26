"""Clips of several channels, and levels over time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput, TrajectoryInvalid
from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps, loads
from foleyspace_host.render.channels import channel_angles_deg
from foleyspace_host.render.stream import render

RATE = 48_000


def along(*keys: Key, **settings: float) -> Trajectory:
    return Trajectory(1.0, (Source("s", keys, **settings),))


def noise(n_channels: int, n: int = 20_000) -> np.ndarray:
    return (0.1 * np.random.default_rng(n_channels).standard_normal((n_channels, n))).astype(np.float32)


def test_channels_are_points_at_their_angles() -> None:
    sound = noise(2)
    path = along(Key(0.0, 20.0, 0.0, 2.0), Key(0.4, -20.0, 0.0, 3.0))
    ears = render(sound, RATE, path, channel_angles_deg=channel_angles_deg(2))
    sides = [
        render(sound[k], RATE, along(Key(0.0, 20 + a, 0, 2.0), Key(0.4, -20 + a, 0, 3.0)))
        for k, a in ((0, 30.0), (1, -30.0))
    ]
    np.testing.assert_allclose(ears, sum(sides) / np.sqrt(2), atol=1e-5)


def test_power_is_that_of_the_mono_sum() -> None:
    # independent channels: their sum to mono, with its power kept, is as loud as they are side by side
    sound = noise(2, 60_000)
    mono = sound.mean(axis=0) * np.sqrt((sound**2).mean() / (sound.mean(axis=0) ** 2).mean())
    spread = render(sound, RATE, along(Key(0.0, 0.0)), channel_angles_deg=(10.0, -10.0))
    summed = render(mono, RATE, along(Key(0.0, 0.0)))
    assert 10 * np.log10((spread**2).sum() / (summed**2).sum()) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4, 5, 6, 7, 8, 12])
def test_layouts_are_symmetric(n_channels: int) -> None:
    angles = channel_angles_deg(n_channels)
    assert len(angles) == n_channels
    assert sorted(angles) == pytest.approx(sorted(-angle for angle in angles))
    if n_channels > 1:
        assert angles[0] == 30.0
        wide = channel_angles_deg(n_channels, 60.0)
        assert wide[0] == 60.0
        assert max(wide) <= 180.0


def test_wrong_shapes_are_refused() -> None:
    path = along(Key(0.0, 0.0))
    with pytest.raises(InvalidInput, match="one channel"):
        render(noise(2), RATE, path)
    for sound, angles in ((noise(2), (0.0,)), (noise(2)[0], (30.0, -30.0)), (noise(3), (30.0, -30.0))):
        with pytest.raises(InvalidInput, match="channel angles"):
            render(sound, RATE, path, channel_angles_deg=angles)
    for bad in ((), (200.0,), (float("nan"),)):
        with pytest.raises(InvalidInput, match="channel angles"):
            render(noise(1), RATE, path, channel_angles_deg=bad)
    with pytest.raises(InvalidInput, match="channel angle"):
        channel_angles_deg(2, -5.0)


def test_levels_run_evenly_in_decibels() -> None:
    sound = noise(1, 2 * RATE)[0]
    plain = render(sound, RATE, along(Key(0.0, 30.0)))
    keys = (Key(0.5, 30.0, gain_db=-40.0), Key(1.5, 30.0, gain_db=10.0))
    ears = render(sound, RATE, along(*keys))
    for t_s, expected_db in ((0.25, -40.0), (0.75, -27.5), (1.0, -15.0), (1.25, -2.5), (1.75, 10.0)):
        part = slice(int(t_s * RATE) - 480, int(t_s * RATE) + 480)
        found_db = 10 * np.log10((ears[:, part] ** 2).sum() / (plain[:, part] ** 2).sum())
        assert found_db == pytest.approx(expected_db, abs=0.3)


def test_a_cut_in_level_neither_clicks_nor_creeps() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)).astype(np.float32)
    keys = (Key(0.0, 0.0), Key(0.5, 0.0, gain_db=-60.0, cut=True))
    ears = render(tone, RATE, along(*keys)).astype(float)
    plain = render(tone, RATE, along(Key(0.0, 0.0))).astype(float)
    before, after = slice(2000, 23_500), slice(24_800, 47_000)
    np.testing.assert_allclose(ears[:, before], plain[:, before], atol=1e-5)
    np.testing.assert_allclose(ears[:, after], 1e-3 * plain[:, after], atol=1e-5)
    # a hard cut at the crest of the wave would bend by its height
    assert np.abs(np.diff(ears, 2, axis=1)[:, 1000:]).max() < 0.02 * np.abs(plain).max()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(-120, 60), st.booleans()), min_size=1, max_size=6),
    st.lists(st.floats(-1, 8), min_size=1, max_size=20),
)
def test_envelope_against_its_definition(steps: list[tuple[float, float, bool]], times: list[float]) -> None:
    t_s = np.cumsum([step for step, _, _ in steps])
    keys = tuple(Key(float(t), 0.0, gain_db=gain, cut=cut) for t, (_, gain, cut) in zip(t_s, steps, strict=True))
    envelope = GainEnvelope.from_source(Source("s", keys))
    if envelope is None:
        assert not any(key.gain_db for key in keys)
        return
    for t, factor in zip(times, envelope.sample(times), strict=True):
        later = [key for key in keys if key.t_s > t]
        earlier = [key for key in keys if key.t_s <= t]
        if not earlier:
            expected = later[0].gain_db
        elif not later or later[0].cut:
            expected = earlier[-1].gain_db
        else:
            a, b = earlier[-1], later[0]
            expected = a.gain_db + (b.gain_db - a.gain_db) * (t - a.t_s) / (b.t_s - a.t_s)
        assert 20 * np.log10(factor) == pytest.approx(expected, abs=1e-6)


def test_files_keep_levels_and_width() -> None:
    path = along(Key(0.0, 1.0, gain_db=-3.25), Key(1.0, 2.0), Key(2.0, 3.0, gain_db=6.0, cut=True), extent_deg=35.5)
    assert loads(dumps(path)) == path
    assert "gain_db" not in dumps(along(Key(0.0, 1.0))).split('"keys"')[1]
    assert "extent_deg" not in dumps(along(Key(0.0, 1.0)))
    with pytest.raises(TrajectoryInvalid, match="gain_db"):
        along(Key(0.0, 0.0, gain_db=100.0))
    with pytest.raises(TrajectoryInvalid, match=r"keys\[0\].*gain_db"):
        loads(dumps(path).replace("-3.25", "-300"))
