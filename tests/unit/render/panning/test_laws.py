"""The pan laws against other sources of truth: SciPy's harmonics, quadrature, geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import factorial, sph_harm_y

from foleyspace_host.geometry.frames import angles_to_unit
from foleyspace_host.render.formats import FORMAT_NAMES, find_format
from foleyspace_host.render.panning.ambisonic import AmbisonicLaw
from foleyspace_host.render.panning.law import PanLaw, law_of, stereo_weights
from foleyspace_host.render.panning.loudspeakers import LAYOUTS, Layout, Loudspeaker, LoudspeakerLaw, triangulate
from foleyspace_host.render.panning.stereo import StereoLaw

PANNED = [name for name in FORMAT_NAMES if name != "binaural"]
MIRROR = np.array([1.0, -1.0, 1.0])

directions = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(lambda a: angles_to_unit([a[0]], [a[1]]))


def everywhere(n: int = 20_000) -> np.ndarray:
    """A Fibonacci sphere: directions of equal area."""
    z = 1 - (2 * np.arange(n) + 1) / n
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(n)
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def test_every_format_is_described_once() -> None:
    assert [find_format(name).n_channels for name in FORMAT_NAMES] == [2, 4, 9, 16, 2, 6, 12]
    for name in PANNED:
        law = law_of(find_format(name))
        assert law.gains(np.eye(3)).shape == (3, find_format(name).n_channels)


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_speaker_masks_have_a_bit_for_each_channel_and_layouts_the_same_channels(name: str) -> None:
    form = find_format(name)
    assert form.speaker_mask is not None
    assert form.speaker_mask.bit_count() == form.n_channels
    assert tuple(LAYOUTS[name].channels) == form.channels


# --- Ambisonics


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ambisonic_gains_are_scipy_s_harmonics(order: int) -> None:
    unit = everywhere(500)
    azimuth, colatitude = np.arctan2(unit[:, 1], unit[:, 0]), np.arccos(unit[:, 2])
    gains = AmbisonicLaw(order).gains(unit)
    for n in range(order + 1):
        for m in range(-n, n + 1):
            complex_one = sph_harm_y(n, abs(m), colatitude, azimuth) * (-1) ** m  # SciPy's has Condon-Shortley's
            real = complex_one.real if m >= 0 else complex_one.imag
            orthonormal = real * (np.sqrt(2) if m else 1.0)
            sn3d = orthonormal * np.sqrt(4 * np.pi / (2 * n + 1))
            np.testing.assert_allclose(gains[:, n * (n + 1) + m], sn3d, atol=1e-12)


def test_ambisonic_gains_are_orthogonal_with_norm_one_over_two_n_plus_one() -> None:
    # Gauss-Legendre in z, equal steps in azimuth: exact for the products up to degree 6
    z, weight = np.polynomial.legendre.leggauss(8)
    azimuth = np.arange(16) * 2 * np.pi / 16
    flat = np.sqrt(1 - z**2)
    unit = np.stack(
        [np.outer(flat, np.cos(azimuth)), np.outer(flat, np.sin(azimuth)), np.outer(z, np.ones(16))], axis=-1
    ).reshape(-1, 3)
    weights = np.repeat(weight, 16) / 32  # mean over the sphere
    gains = AmbisonicLaw(3).gains(unit)
    norms = np.repeat([1 / 1, 1 / 3, 1 / 5, 1 / 7], [1, 3, 5, 7])
    np.testing.assert_allclose(gains.T @ (weights[:, None] * gains), np.diag(norms), atol=1e-13)


def test_sn3d_by_hand() -> None:
    front, left, up = np.eye(3)
    first = AmbisonicLaw(1).gains(np.stack([front, left, up]))
    np.testing.assert_array_equal(first, [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0]])  # W Y Z X
    assert factorial(2) == 2  # N(1,1)^2 = 2 (1-1)! / (1+1)! = 1
    third = AmbisonicLaw(3).gains(np.stack([front, left, up]))
    np.testing.assert_allclose(third[0, [6, 8, 13, 15]], [-0.5, np.sqrt(3) / 2, -np.sqrt(3 / 8), np.sqrt(5 / 8)])
    np.testing.assert_allclose(third[2, [6, 12]], [1, 1])


def test_no_ambisonic_channel_is_louder_than_the_sound() -> None:
    assert np.abs(AmbisonicLaw(3).gains(everywhere())).max() <= 1 + 1e-12


@pytest.mark.parametrize("order", [0, 4])
def test_other_orders_are_refused(order: int) -> None:
    with pytest.raises(ValueError, match="order"):
        AmbisonicLaw(order)


# --- stereo


def test_stereo_follows_the_sine_law_between_the_loudspeakers() -> None:
    azimuth = np.linspace(-30, 30, 61)
    left, right = StereoLaw().gains(angles_to_unit(azimuth, np.zeros(61))).T
    np.testing.assert_allclose((left - right) / (left + right), np.sin(np.radians(azimuth)) / 0.5, atol=1e-12)
    np.testing.assert_allclose(left**2 + right**2, 1.0)
    np.testing.assert_allclose([left[60], right[60], left[0], right[0]], [1, 0, 0, 1], atol=1e-12)
    assert left[30] == pytest.approx(np.sqrt(0.5))


@given(directions)
def test_stereo_folds_what_is_beyond_behind_and_above(unit: np.ndarray) -> None:
    left, right = StereoLaw().gains(unit)[0]
    assert min(left, right) >= 0
    assert left**2 + right**2 == pytest.approx(1)
    assert 0 <= 20 * np.log10(left + right) <= 3.011
    np.testing.assert_allclose(StereoLaw().gains(unit * [-1, 1, 1]), [[left, right]])
    np.testing.assert_allclose(StereoLaw().gains(unit * [1, 1, -1]), [[left, right]])
    if unit[0, 1] >= 0.5:
        assert right == 0


# --- loudspeakers


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_a_source_at_a_loudspeaker_sounds_from_it_alone(name: str) -> None:
    layout = LAYOUTS[name]
    law = LoudspeakerLaw(layout)
    for index, speaker in enumerate(layout.channels.values()):
        if speaker is not None:
            gains = law.gains(angles_to_unit([speaker.azimuth_deg], [speaker.elevation_deg]))[0]
            np.testing.assert_allclose(gains, np.eye(len(layout.channels))[index], atol=1e-9)


# by hand from Recommendation ITU-R BS.2051 and the order of the bits in dwChannelMask
@pytest.mark.parametrize(
    ("name", "azimuth", "elevation", "channel"),
    [
        *(("5.1", az, 0, ch) for az, ch in [(30, 0), (-30, 1), (0, 2), (110, 4), (-110, 5)]),
        *(("7.1.4", az, 0, ch) for az, ch in [(30, 0), (-30, 1), (0, 2), (135, 4), (-135, 5), (90, 6), (-90, 7)]),
        *(("7.1.4", az, 30, ch) for az, ch in [(45, 8), (-45, 9), (135, 10), (-135, 11)]),
    ],
)
def test_the_order_of_the_channels(name: str, azimuth: float, elevation: float, channel: int) -> None:
    gains = law_of(find_format(name)).gains(angles_to_unit([azimuth], [elevation]))[0]
    assert gains[channel] == pytest.approx(1)
    assert int(gains.argmax()) == channel


def vectors(name: str, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Velocity and energy vectors (Gerzon 1992) of a layout's gains, and the gains."""
    speakers = [s or Loudspeaker(0, 0) for s in LAYOUTS[name].channels.values()]
    places = angles_to_unit([s.azimuth_deg for s in speakers], [s.elevation_deg for s in speakers])
    gains = law_of(find_format(name)).gains(unit)
    return gains @ places / gains.sum(1, keepdims=True), gains**2 @ places, gains


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))


@pytest.mark.parametrize(
    ("name", "elevation", "energy_bound_deg"),
    [("5.1", 0, 18.5), ("7.1.4", 0, 13.5), ("7.1.4", 15, 8.0), ("7.1.4", 30, 14.5)],
)
def test_velocity_and_energy_vectors_point_at_sources_among_loudspeakers(
    name: str, elevation: float, energy_bound_deg: float
) -> None:
    # VBAP makes the velocity vector point at the source; the virtual rear loudspeaker of 7.1.4, which the two
    # beside it play, does not change that
    unit = angles_to_unit(np.linspace(-180, 180, 721), np.full(721, elevation))
    velocity, energy, _ = vectors(name, unit)
    assert degrees_between(velocity, unit).max() < 1e-4
    assert degrees_between(energy, unit).max() < energy_bound_deg


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_the_energy_vector_points_to_the_side_of_the_source_everywhere(name: str) -> None:
    unit = everywhere(4000)
    _, energy, gains = vectors(name, unit)
    np.testing.assert_allclose((gains**2).sum(axis=1), 1)
    assert gains.min() >= 0
    assert not gains[:, 3].any()  # the LFE
    # left and right are never confused; loudspeakers in one plane cannot tell up from down
    sides = np.abs(unit[:, 1]) > 1e-6
    assert (energy[sides, 1] * unit[sides, 1] > -1e-12).all()


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_above_and_below_no_direction_is_preferred(name: str) -> None:
    top, bottom = vectors(name, np.array([[0, 0, 1.0], [0, 0, -1.0]]))[2]
    expected = np.zeros(find_format(name).n_channels)
    ring = [0, 1, 2, 4, 5] if name == "5.1" else [0, 1, 2, 4, 5, 6, 7]
    expected[ring] = 1 / np.sqrt(len(ring))
    np.testing.assert_allclose(bottom, expected)
    if name == "7.1.4":
        expected = np.zeros(12)
        expected[8:] = 0.5
    np.testing.assert_allclose(top, expected)


@pytest.mark.parametrize("name", PANNED)
def test_gains_are_continuous(name: str) -> None:
    law = law_of(find_format(name))
    rng = np.random.default_rng(3)
    for _ in range(20):  # great circles in any plane
        a, b = np.linalg.qr(rng.standard_normal((3, 2)))[0].T
        turn = np.linspace(0, 2 * np.pi, 20_001)[:, None]
        gains = law.gains(np.cos(turn) * a + np.sin(turn) * b)
        assert np.abs(np.diff(gains, axis=0)).max() < 0.01  # steps of 0.018 degrees


def mirrored(name: str) -> list[int]:
    channels = find_format(name).channels
    if name == "stereo":
        return [1, 0]
    swap: dict[str, str] = {}
    for channel in channels:
        other = channel.replace("L", "R", 1) if channel.startswith("L") else channel.replace("R", "L", 1)
        swap[channel] = other if channel != "LFE" and other in channels else channel
    return [channels.index(swap[channel]) for channel in channels]


@given(directions)
@pytest.mark.parametrize("name", ["stereo", "5.1", "7.1.4"])
def test_mirrored_sources_sound_from_mirrored_loudspeakers(name: str, unit: np.ndarray) -> None:
    law: PanLaw = law_of(find_format(name))
    np.testing.assert_allclose(law.gains(unit * MIRROR)[0], law.gains(unit)[0, mirrored(name)], atol=1e-6)


@given(directions)
def test_a_mirrored_source_negates_the_sine_harmonics(unit: np.ndarray) -> None:
    law = AmbisonicLaw(3)
    signs = np.array([-1.0 if m < 0 else 1.0 for n in range(4) for m in range(-n, n + 1)])
    np.testing.assert_allclose(law.gains(unit * MIRROR), law.gains(unit) * signs, atol=1e-12)


def test_triangles_close_the_hull() -> None:
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    triangles = triangulate(octahedron)
    assert len(triangles) == 8
    assert {tuple(sorted(t % 3)) for t in triangles} == {(0, 1, 2)}


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_triangles_are_the_convex_hull_of_scipy(name: str) -> None:
    from scipy.spatial import ConvexHull

    layout = LAYOUTS[name]
    speakers = [*(s for s in layout.channels.values() if s is not None), *layout.virtual]
    unit = angles_to_unit([s.azimuth_deg for s in speakers], [s.elevation_deg for s in speakers])
    assert {frozenset(t) for t in triangulate(unit).tolist()} == {
        frozenset(t) for t in ConvexHull(unit).simplices.tolist()
    }


def test_loudspeakers_that_do_not_surround_are_refused() -> None:
    with pytest.raises(ValueError, match="surround"):
        triangulate(np.concatenate([np.eye(3), [[0.6, 0.6, np.sqrt(0.28)]]]))
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    with pytest.raises(ValueError, match="more than three corners"):
        triangulate(cube)
    with pytest.raises(ValueError, match="surround"):
        LoudspeakerLaw(Layout({"L": Loudspeaker(30, 0), "R": Loudspeaker(-30, 0), "C": Loudspeaker(0, 30)}, ()))


def test_a_stereo_sound_goes_to_left_and_right() -> None:
    for name in ("binaural", "stereo"):
        np.testing.assert_array_equal(stereo_weights(find_format(name)), np.eye(2))
    for name in ("5.1", "7.1.4"):
        weights = stereo_weights(find_format(name))
        np.testing.assert_allclose(weights[:2], np.eye(2), atol=1e-7)
        assert not weights[2:].any()
    half, side = 0.5, np.sqrt(0.75)
    np.testing.assert_allclose(
        stereo_weights(find_format("foa")), [[1, 1], [half, -half], [0, 0], [side, side]], atol=1e-7
    )
