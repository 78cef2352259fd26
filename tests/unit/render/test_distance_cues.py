"""Air and near field against published values and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.frames import angles_to_unit
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.head import HEAD_RADIUS_M, sphere_response
from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render import Air, RenderOptions
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.near_field import NearField, extra_path_m

RATE = 44_100


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected_db_km"),
    [  # ISO 9613-2:1996, table 2, octave bands 63 Hz to 8 kHz
        (10, 70, [0.1, 0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117]),
        (20, 70, [0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6]),
        (30, 70, [0.1, 0.3, 1.0, 3.1, 7.4, 12.7, 23.1, 59.3]),
        (15, 20, [0.3, 0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202]),
        (15, 50, [0.1, 0.5, 1.2, 2.2, 4.2, 10.8, 36.2, 129]),
        (15, 80, [0.1, 0.3, 1.1, 2.4, 4.1, 8.3, 23.7, 82.8]),
    ],
)
def test_attenuation_is_that_of_the_standard(temperature: float, humidity: float, expected_db_km: list[float]) -> None:
    octaves = 1000.0 * 10.0 ** (0.3 * np.arange(-4, 4))  # exact mid-band frequencies
    attenuation = Air(temperature, humidity).attenuation_db_m(octaves) * 1000
    np.testing.assert_allclose(attenuation, expected_db_km, rtol=0.01, atol=0.06)


@pytest.mark.parametrize(("temperature", "humidity"), [(-40, 50), (20, 5), (float("nan"), 50), (20, 101)])
def test_impossible_air_is_refused(temperature: float, humidity: float) -> None:
    with pytest.raises(InvalidInput, match="air"):
        Air(temperature, humidity)


def at(azimuth: float, distance: float) -> Trajectory:
    return Trajectory(1.0, (Source("s", (Key(0.0, azimuth, 0.0, distance),)),))


def level_db(ears: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    band = signal.butter(4, (low_hz, high_hz), "band", fs=RATE, output="sos")
    return 10 * np.log10((signal.sosfilt(band, ears.astype(float), axis=1)[:, 4000:] ** 2).mean(axis=1))


def rendered(trajectory: Trajectory, hrtf: Hrtf, options: RenderOptions) -> np.ndarray:
    mono = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    return np.concatenate(list(render_blocks([mono], RATE, RATE, trajectory, hrtf, options)), axis=1)


def test_far_sources_lose_highs_as_the_standard_says(kemar_44k: Hrtf) -> None:
    physical = RenderOptions("physical")
    far = rendered(at(30, 50.0), kemar_44k, physical)
    far_dry = rendered(at(30, 50.0), kemar_44k, replace(physical, air=None))
    loss = level_db(far_dry, 7900, 8100) - level_db(far, 7900, 8100)
    np.testing.assert_allclose(loss, 49.0 * Air().attenuation_db_m(8000.0), rtol=0.02)
    assert np.abs(level_db(far_dry, 200, 400) - level_db(far, 200, 400)).max() < 0.2


def test_recorded_clips_keep_their_timbre_at_the_median_distance(kemar_44k: Hrtf) -> None:
    with_air = rendered(at(30, 20.0), kemar_44k, RenderOptions("relative"))
    np.testing.assert_array_equal(with_air, rendered(at(30, 20.0), kemar_44k, RenderOptions("relative", air=None)))


def test_sphere_response_tends_to_the_static_solution() -> None:
    # at low frequency the series sums in closed form (generating function of the Legendre polynomials)
    angle = np.array([20.0, 60.0, 90.0, 140.0])
    cosine = np.cos(np.radians(angle))
    for distance in (0.2, 0.35, 1.0):
        x = HEAD_RADIUS_M / distance
        root = np.sqrt(1 - 2 * x * cosine + x * x)
        static = 2 / root - np.log((x - cosine + root) / (1 - cosine)) / x
        measured = np.abs(sphere_response(np.array([distance]), angle, np.array([2.0])))[0, :, 0]
        np.testing.assert_allclose(measured, static, rtol=2e-3)


def test_sphere_response_of_a_far_source() -> None:
    # Duda & Martens 1998: towards the source the pressure doubles at high frequency; bright spot behind
    response = np.abs(sphere_response(np.array([100 * HEAD_RADIUS_M]), np.array([0.0, 150.0, 180.0]), np.array([12e3])))
    front, shadow, behind = 20 * np.log10(response[0, :, 0])
    assert front == pytest.approx(6.0, abs=0.3)
    assert shadow < -6
    assert behind > shadow + 6


def test_near_field_deepens_the_level_difference_at_low_frequency(kemar_44k: Hrtf) -> None:
    options = RenderOptions("physical", air=None)
    ild = {}
    for distance in (1.0, 0.5, 0.3):
        left, right = level_db(rendered(at(90, distance), kemar_44k, options), 300, 700)
        ild[distance] = left - right
    # the rigid sphere at 500 Hz, ear facing the source and ear facing away
    near, far = (
        20 * np.log10(np.abs(sphere_response(np.array([d]), np.array([0.0, 180.0]), np.array([500.0]))[0, :, 0]))
        for d in (0.3, 1.0)
    )
    assert ild[0.3] - ild[1.0] == pytest.approx((near[0] - near[1]) - (far[0] - far[1]), abs=0.7)
    assert ild[1.0] < ild[0.5] < ild[0.3]


def test_near_field_is_neutral_in_the_median_plane_and_at_a_metre() -> None:
    hz = np.linspace(0, 20_000, 300)
    ahead = NearField()(angles_to_unit([0.0], [0.0]), np.array([0.3]), hz)
    np.testing.assert_allclose(ahead[0], ahead[1])
    np.testing.assert_allclose(NearField()(angles_to_unit([70.0], [0.0]), np.array([1.0]), hz), 1.0)
    blend = NearField()(angles_to_unit([70.0, 70.0], [0.0, 0.0]), np.array([0.9999, 1.5]), hz)
    np.testing.assert_allclose(blend, 1.0, atol=2e-3)


@pytest.mark.parametrize("distance", [0.3, 0.5, 0.8])
def test_near_sources_have_longer_interaural_paths(distance: float) -> None:
    # straight line to the ear that faces the source: r - a at any distance, so nothing changes there
    assert extra_path_m(np.array(distance), np.array(0.0)) == pytest.approx(0.0, abs=1e-12)
    # to the far ear the tangent leaves the head earlier: longer than pi/2 a beyond the centre's path
    far_ear = extra_path_m(np.array(distance), np.array(np.pi))
    tangent = np.arccos(HEAD_RADIUS_M / np.array([distance, 1.0]))
    length = np.sqrt(np.array([distance, 1.0]) ** 2 - HEAD_RADIUS_M**2) + HEAD_RADIUS_M * (np.pi - tangent)
    assert far_ear == pytest.approx(float(np.diff(length - np.array([distance, 1.0]))[0] * -1))
    assert 0 < far_ear < 0.02
