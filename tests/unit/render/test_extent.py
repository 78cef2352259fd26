"""Width of sources: what reaches the ears of a wide one, by its power and its interaural coherence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from foleyspace_host.errors import InvalidInput, TrajectoryInvalid
from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.arc import ArcPath
from foleyspace_host.render.extent import half_taps, part_filters, parts_of
from foleyspace_host.render.scene import points_of
from foleyspace_host.render.signals import Signals
from foleyspace_host.render.stream import render

RATE = 48_000


def at(azimuth: float, elevation: float = 0.0, extent: float = 0.0) -> Trajectory:
    return Trajectory(2.0, (Source("s", (Key(0.0, azimuth, elevation, 1.4),), extent_deg=extent),))


def pink(n: int, seed: int = 0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE)
    spectrum *= (hz > 50) & (hz < 18_000)
    spectrum[1:] /= np.sqrt(hz[1:])
    sound = np.fft.irfft(spectrum, n)
    return (0.1 * sound / sound.std()).astype(np.float32)


def level_db(ears: np.ndarray) -> float:
    return float(10 * np.log10((ears.astype(float) ** 2).sum()))


def coherence(ears: np.ndarray, centre_hz: float) -> float:
    """Largest interaural cross-correlation within 1 ms, in an octave (ISO 3382-1)."""
    sos = signal.butter(4, (centre_hz / 2**0.5, centre_hz * 2**0.5), "band", fs=RATE, output="sos")
    left, right = signal.sosfiltfilt(sos, ears.astype(float), axis=1)
    lags = np.fft.irfft(np.fft.rfft(left, 2 * len(left)) * np.conj(np.fft.rfft(right, 2 * len(right))))
    near = np.concatenate([lags[:49], lags[-48:]])
    return float(np.abs(near).max() / np.sqrt((left**2).sum() * (right**2).sum()))


@pytest.mark.parametrize("extent", [5.0, 30.0, 60.0, 90.0, 120.0, 180.0])
def test_level_ahead_is_that_of_a_point(extent: float) -> None:
    sound = pink(2 * RATE)
    point, wide = (render(sound, RATE, at(0, extent=e), distance_gain="none") for e in (0.0, extent))
    assert level_db(wide) == pytest.approx(level_db(point), abs=0.5)


@pytest.mark.parametrize("azimuth", [-60.0, 45.0, 90.0, 135.0, 180.0])
@pytest.mark.parametrize("extent", [30.0, 90.0, 180.0])
def test_level_elsewhere_is_that_of_a_point(azimuth: float, extent: float) -> None:
    sound = pink(2 * RATE)
    point, wide = (render(sound, RATE, at(azimuth, extent=e), distance_gain="none") for e in (0.0, extent))
    assert level_db(wide) == pytest.approx(level_db(point), abs=0.5)


def test_level_of_a_moving_one_and_of_side_by_side_channels() -> None:
    sound = pink(2 * RATE)
    keys = (Key(0.0, 100, 0, 1.4), Key(2.0, -40, 40, 1.4))
    point, wide = (
        render(sound, RATE, Trajectory(2.0, (Source("s", keys, extent_deg=e),)), distance_gain="none")
        for e in (0.0, 120.0)
    )
    assert level_db(wide) == pytest.approx(level_db(point), abs=0.5)
    both = np.stack([pink(2 * RATE, 1), pink(2 * RATE, 2)])
    apart = [
        render(both, RATE, at(20, extent=e), distance_gain="none", channel_angles_deg=(60.0, -60.0))
        for e in (0.0, 60.0)
    ]
    assert level_db(apart[1]) == pytest.approx(level_db(apart[0]), abs=0.5)


@pytest.mark.parametrize(("azimuth", "extent"), [(0.0, 30.0), (0.0, 90.0), (0.0, 180.0), (90.0, 90.0), (90.0, 180.0)])
def test_coherence_is_that_of_independent_sounds_over_the_width(azimuth: float, extent: float) -> None:
    sound, count = pink(2 * RATE), 24
    offsets = (np.arange(count) + 0.5) / count * extent - extent / 2
    many = sum(
        render(pink(2 * RATE, 100 + index), RATE, at(azimuth + offset), distance_gain="none").astype(float)
        for index, offset in enumerate(offsets)
    )
    wide = render(sound, RATE, at(azimuth, extent=extent), distance_gain="none")
    # ever fewer bands to an octave come from ever fewer directions: the lowest ones are left out
    for centre_hz, tolerance in ((250, 0.15), (500, 0.3), (1000, 0.3), (2000, 0.45), (4000, 0.35)):
        assert coherence(wide, centre_hz) == pytest.approx(coherence(np.asarray(many), centre_hz), abs=tolerance)


def test_coherence_of_the_ears_falls_with_the_width() -> None:
    sound = pink(3 * RATE)
    for centre_hz, narrow, wide in (
        (250, 0.95, 0.65),
        (500, 0.95, 0.5),
        (1000, 0.9, 0.4),
        (2000, 0.85, 0.5),
        (4000, 0.7, 0.4),
    ):
        found = [
            coherence(render(sound, RATE, at(0, extent=extent), distance_gain="none"), centre_hz)
            for extent in (0.0, 10.0, 30.0, 90.0, 180.0)
        ]
        assert found[0] > 0.98
        assert found[1] > narrow
        assert found[4] < wide
        assert found[0] > found[2]
        assert found[0] > found[3]


def test_the_image_stays_where_the_source_is() -> None:
    sound = pink(3 * RATE)
    for extent in (30.0, 90.0, 180.0):
        left, right = (level_db(ear[None]) for ear in render(sound, RATE, at(0, extent=extent), distance_gain="none"))
        assert left == pytest.approx(right, abs=1.2)
        mirrored = render(sound, RATE, at(-40, extent=extent), distance_gain="none")
        there = render(sound, RATE, at(40, extent=extent), distance_gain="none")
        assert level_db(there[:1]) - level_db(there[1:]) == pytest.approx(
            level_db(mirrored[1:]) - level_db(mirrored[:1]), abs=1.5
        )


@pytest.mark.parametrize("extent", [1.0, 20.0, 90.0, 180.0])
@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_filters_are_short_symmetric_and_add_up(extent: float, rate: int) -> None:
    count = len(parts_of(extent))
    taps = part_filters(count, extent, rate).astype(float)
    half = half_taps(rate)
    assert half <= 0.0181 * rate
    np.testing.assert_allclose(taps, taps[:, ::-1], atol=1e-7)
    hz = np.fft.rfftfreq(1 << 15, 1 / rate)
    spectra = np.abs(np.fft.rfft(taps, 1 << 15, axis=1))
    audible = (hz > 50) & (hz < 0.45 * rate)
    power_db = 10 * np.log10((spectra[:, audible] ** 2).sum(axis=0))
    if extent <= 1.0:  # add up to the clip itself, which is then not coloured
        sum_db = 20 * np.log10(np.abs(np.fft.rfft(taps.sum(axis=0), 1 << 15)))[audible]
        assert np.abs(sum_db[hz[audible] < 8000]).max() < 0.1
    high = hz[audible] > 3000
    if extent >= 90.0 and rate > 16_000:  # powers add there
        assert np.abs(power_db[high]).max() < 1.5
        assert power_db[high].mean() == pytest.approx(0, abs=0.2)
    # no part is left out, and the sides carry the same
    shares = (spectra**2)[:, 1:] @ (1 / hz[1:] * (hz[1:] > 100))
    assert shares.min() > 0.3 * shares.mean()
    assert shares[: count // 2].sum() == pytest.approx(shares[count // 2 + 1 :].sum(), rel=0.25)


def test_a_click_is_not_smeared() -> None:
    click = np.zeros(RATE // 4, np.float32)
    click[RATE // 8] = 1.0
    for extent in (20.0, 90.0, 180.0):
        ears = render(click, RATE, at(0, extent=extent), distance_gain="none").astype(float)
        power = (ears**2).sum(axis=0)
        begin = RATE // 8
        assert not power[: begin - half_taps(RATE) - 64].any() or power[: begin - half_taps(RATE) - 64].max() < 1e-8
        near = power[begin - 96 : begin + 192].sum()  # 2 ms before to 4 ms after
        assert near > 0.55 * power.sum()
        assert power[: begin - RATE // 200].sum() < 0.12 * power.sum()  # what comes more than 5 ms early


def test_points_lie_evenly_on_the_arc() -> None:
    for extent in (1.0, 45.0, 100.0, 180.0):
        for azimuth, elevation in ((0, 0), (130, 50), (-90, -30), (20, 89.9)):
            points = points_of(at(azimuth, elevation, extent), RenderOptions(), 1.0)
            unit = np.array([point.path.sample([0.0])[0][0] for point in points])
            apart = great_circle_deg(unit[1:], unit[:-1])
            np.testing.assert_allclose(apart, extent / len(points), atol=1e-6)
            assert apart.max() <= 22.5
            np.testing.assert_allclose(unit[len(unit) // 2], angles_to_unit(azimuth, elevation), atol=1e-9)
            np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0)
    left = ArcPath(SourcePath.from_source(at(10).sources[0]), 30.0).sample([0.0])[0][0]
    np.testing.assert_allclose(left, angles_to_unit(40, 0), atol=1e-12)
    above = ArcPath(SourcePath.from_source(at(0, 90).sources[0]), 30.0).sample([0.0])[0][0]
    assert great_circle_deg(above, [0, 0, 1]) == pytest.approx(30)


def test_a_point_and_the_option() -> None:
    sound = pink(RATE // 2)
    point = render(sound, RATE, at(30))
    np.testing.assert_array_equal(render(sound, RATE, at(30, extent=50), extent_deg=0.0), point)
    np.testing.assert_array_equal(render(sound, RATE, at(30), extent_deg=50.0), render(sound, RATE, at(30, extent=50)))
    for bad in (-1.0, 181.0, float("nan")):
        with pytest.raises(InvalidInput, match="extent"):
            RenderOptions(extent_deg=bad)
        with pytest.raises(TrajectoryInvalid, match="extent_deg"):
            at(0, extent=bad)


@pytest.mark.parametrize("sizes", [[1, 5000, 20_000], [300] * 100, [40_000]])
def test_blocks_make_no_difference(sizes: list[int]) -> None:
    sound = pink(40_000)
    points = points_of(at(0, extent=90), RenderOptions(), 1.0)

    def taken(blocks: list[np.ndarray], steps: list[int]) -> np.ndarray:
        signals = Signals(blocks, points, RATE)
        return np.concatenate([signals.take(step) for step in steps], axis=1)

    whole = taken([sound], [48_000])
    np.testing.assert_array_equal(taken(np.split(sound, np.cumsum(sizes)), [48_000]), whole)
    np.testing.assert_allclose(taken([sound], [16_000] * 3), whole, atol=1e-6)
    middle = half_taps(RATE)
    taps = part_filters(len(points), 90.0, RATE)
    expected = signal.fftconvolve(np.pad(sound, (0, 8000)), taps[1])[middle : middle + 48_000]
    np.testing.assert_allclose(whole[1], expected, atol=1e-6)


@pytest.mark.parametrize("layout", ["foa", "stereo", "7.1.4"])
def test_other_formats_have_width_too(layout: str) -> None:
    sound = pink(RATE)
    point, wide = (render(sound, RATE, at(0), format=layout, extent_deg=e) for e in (0.0, 90.0))
    assert level_db(wide) == pytest.approx(level_db(point), abs=1.0)
    assert not np.allclose(wide, point, atol=0.01)
