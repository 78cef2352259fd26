from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.generate.embedded.bands import FLOOR_DB, LOWEST_BAND_DB, N_BANDS, analysed, centres_hz
from foleyspace_host.generate.embedded.portrait import (
    N_SHOWN,
    Portrait,
    mixed,
    packed,
    portrait_of,
    shown,
    unpacked,
    varied,
)


def flat(level_db: float, slope: float = 0.0, spread_db: float = 4.0) -> Portrait:
    return Portrait(*(np.full(N_BANDS, one, dtype=np.float32) for one in (level_db, slope, spread_db)))


def test_a_portrait_of_what_follows_a_line_is_that_line() -> None:
    rng = np.random.default_rng(0)
    level_db = rng.uniform(-50.0, 0.0, 20_000).astype(np.float32)
    level_db[0] = 0.0
    lines = np.linspace(-30.0, 10.0, N_BANDS), np.linspace(-0.5, 0.5, N_BANDS), np.linspace(1.0, 8.0, N_BANDS)
    bands_db = (
        lines[0][:, None] + lines[1][:, None] * level_db + lines[2][:, None] * rng.standard_normal((N_BANDS, 20_000))
    )
    found = portrait_of(level_db - 13.0, bands_db.astype(np.float32))
    np.testing.assert_allclose(found.loudest_db, lines[0], atol=0.8)
    np.testing.assert_allclose(found.slope, lines[1], atol=0.05)
    np.testing.assert_allclose(found.spread_db, np.hypot(lines[2], 1.0), atol=0.3)


def test_noise_has_a_portrait_of_noise_whatever_its_levels() -> None:
    noise = np.random.default_rng(0).standard_normal(480_000) * np.geomspace(0.01, 1.0, 480_000)
    found = portrait_of(*analysed(noise.astype(np.float32)))
    assert np.abs(found.slope).max() < 0.1
    # a bin of noise: -2.5 dB in the mean of decibels, 5.6 dB of spread (of an exponential distribution)
    assert found.loudest_db.min() > -3.5
    assert found.loudest_db.max() < 0.7
    assert 4.0 < found.spread_db[:20].mean() < 6.0
    assert found.spread_db[-20:].mean() < 2.5


def test_partials_that_die_sooner_have_a_slope() -> None:
    time = np.arange(96_000) / 48_000
    low = np.exp(-2.0 * time) * np.sin(2 * np.pi * 500.0 * time)
    high = np.exp(-4.0 * time) * np.sin(2 * np.pi * 4000.0 * time)
    found = portrait_of(*analysed((low + high).astype(np.float32)))
    where = [int(np.abs(centres_hz() - pitch).argmin()) for pitch in (500.0, 4000.0)]
    # the high one falls twice as fast, in dB, as the level, which is the low one's at the end
    assert found.slope[where[0]] == pytest.approx(0.0, abs=0.15)
    assert 0.5 < found.slope[where[1]] < 1.1
    assert found.loudest_db[where[0]] > 15.0


def test_silence_around_a_sound_does_not_count() -> None:
    noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    alone = portrait_of(*analysed(noise))
    beside = portrait_of(*analysed(np.concatenate([noise, np.zeros(96_000, dtype=np.float32)])))
    # but for the frames at the edge
    assert np.abs(alone.loudest_db - beside.loudest_db).mean() < 0.5
    assert portrait_of(*analysed(np.zeros(4800, dtype=np.float32))).loudest_db.max() == LOWEST_BAND_DB


def test_means_follow_the_level_down_to_the_floor() -> None:
    found = flat(-10.0, 0.5).mean_db(np.array([0.0, -20.0, FLOOR_DB, -500.0], dtype=np.float32))
    np.testing.assert_allclose(found[7], [-10.0, -20.0, -40.0, -40.0])
    assert (flat(-40.0, 1.0).mean_db(np.array([-30.0], dtype=np.float32)) == LOWEST_BAND_DB).all()


def test_the_network_is_shown_mean_and_spread() -> None:
    one = flat(0.0, spread_db=12.0)
    seen = shown(one, one.mean_db(np.zeros(3, dtype=np.float32)))
    assert seen.shape == (N_SHOWN, 3)
    np.testing.assert_allclose(seen[:N_BANDS], 1.0)
    np.testing.assert_allclose(seen[N_BANDS:], 1.0, rtol=1e-6)


def test_variations_keep_pitches_near_and_levels_alike() -> None:
    peaked = flat(-20.0)
    peaked.loudest_db[80] = 20.0
    places = []
    for seed in range(20):
        other = varied(peaked, np.random.default_rng(seed))
        places.append(int(other.loudest_db.argmax()))
        assert np.abs(np.delete(other.loudest_db, range(places[-1] - 2, places[-1] + 3)) + 20.0).max() <= 1.6
        assert (other.spread_db == 4.0).all()
    assert len(set(places)) > 3
    assert np.abs(np.log2(centres_hz()[places] / centres_hz()[80])).max() < 0.16


def test_several_sounds_add_up_and_one_stays_itself() -> None:
    alone = flat(-10.0, 0.3, 5.0)
    same = mixed([(alone, 1.0)])
    np.testing.assert_allclose(same.loudest_db, -10.0, atol=1e-4)
    np.testing.assert_allclose(same.slope, 0.3, atol=1e-6)
    both = mixed([(flat(0.0, 1.0, 2.0), 0.5), (flat(0.0, 0.0, 8.0), 0.5)])
    np.testing.assert_allclose(both.loudest_db, 0.0, atol=1e-4)
    np.testing.assert_allclose(both.slope, 0.5, atol=1e-6)
    np.testing.assert_allclose(both.spread_db, 5.0, atol=1e-5)
    assert (mixed([(flat(0.0, spread_db=2.0), 0.5), (flat(-40.0, spread_db=8.0), 0.5)]).spread_db < 2.01).all()


@settings(max_examples=30)
@given(st.floats(-50.0, 40.0), st.floats(-1.0, 1.5), st.floats(1.0, 15.5))
def test_bytes_keep_portraits(level_db: float, slope: float, spread_db: float) -> None:
    kept = unpacked(packed([flat(level_db, slope, spread_db), flat(0.0)]))
    assert len(kept) == 2
    np.testing.assert_allclose(kept[0].loudest_db, level_db, atol=0.2501)
    np.testing.assert_allclose(kept[0].slope, slope, atol=1 / 127)
    np.testing.assert_allclose(kept[0].spread_db, spread_db, atol=0.0626)


def test_other_bytes_are_refused() -> None:
    assert unpacked(b"") == []
    with pytest.raises(ValueError, match="reshape"):
        unpacked(b"x" * 385)
