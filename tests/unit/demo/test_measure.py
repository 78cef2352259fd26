"""The demo's measurements find delays, levels and errors that were put in."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.demo import measure, scene
from foleyspace_host.geometry.trajectory import Key, Source

RATE_HZ = 48_000


@pytest.mark.parametrize("lag_samples", [-31, -7, 0, 12, 30])
def test_finds_a_delay(lag_samples: int) -> None:
    noise = np.random.default_rng(1).standard_normal(2 * RATE_HZ)
    pair = np.stack([noise, np.roll(noise, lag_samples)]).astype(np.float32)
    cues = measure.cues_over_time(pair, RATE_HZ, np.array([0.5, 1.0, 1.5]))
    assert cues.itd_us == pytest.approx(1e6 * lag_samples / RATE_HZ, abs=2.0)


@pytest.mark.parametrize("level_db", [-9.0, 0.0, 4.5])
def test_finds_a_level_difference(level_db: float) -> None:
    noise = np.random.default_rng(2).standard_normal(2 * RATE_HZ)
    pair = np.stack([noise * 10 ** (level_db / 20), noise]).astype(np.float32)
    cues = measure.cues_over_time(pair, RATE_HZ, np.array([1.0]))
    assert cues.ild_db == pytest.approx(level_db, abs=1e-3)


def test_does_not_measure_silence() -> None:
    pair = np.zeros((2, 2 * RATE_HZ), np.float32)
    pair[:, :RATE_HZ] = np.random.default_rng(3).standard_normal(RATE_HZ)
    cues = measure.cues_over_time(pair, RATE_HZ, np.array([0.5, 1.6]))
    assert np.isfinite(cues.itd_us).tolist() == [True, False]
    assert np.isfinite(cues.ild_db).tolist() == [True, False]


def test_time_is_where_the_energy_is() -> None:
    pair = np.zeros((2, 2 * RATE_HZ), np.float32)
    pair[:, round(1.1 * RATE_HZ)] = 1.0
    assert measure.cues_over_time(pair, RATE_HZ, np.array([1.0])).t_s == pytest.approx(1.1, abs=1e-4)


def test_expectation_is_positive_on_the_left_and_mirrors() -> None:
    azimuth = np.array([25.0, 10.0, 0.0, -10.0, -25.0])
    cues = measure.expected_cues(np.arange(5.0), azimuth, scene.sound()[:RATE_HZ], RATE_HZ)
    for values, tolerance in ((cues.itd_us, 15.0), (cues.ild_db, 0.6)):
        assert (np.diff(values) < 0).all()
        assert values[:2] == pytest.approx(-values[:2:-1], abs=tolerance)
    # Woodworth's formula for a head of 8.75 cm radius: (a / c) (sin θ + θ)
    theta = np.radians(25.0)
    assert cues.itd_us[0] == pytest.approx(1e6 * 0.0875 / 343 * (np.sin(theta) + theta), rel=0.2)


def test_errors_are_those_put_in() -> None:
    truth = scene.truth(np.linspace(0.0, 8.0, 81))
    keys = tuple(
        Key(float(t), float(a) + 1.5, float(e) - 0.5, 1.1 * float(d))
        for t, a, e, d in zip(truth.t_s, truth.azimuth_deg, truth.elevation_deg, truth.distance_m, strict=True)
    )
    errors = measure.trajectory_errors(Source("horse-1", keys), truth)
    assert errors.azimuth_mean_deg == pytest.approx(1.5)
    assert errors.azimuth_max_deg == pytest.approx(1.5)
    assert errors.elevation_mean_deg == pytest.approx(0.5)
    assert errors.distance_mean_percent == pytest.approx(10.0)
