"""The renderer against an oracle that shares no code with it: convolution with the raw measured responses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, signal

from foleyspace_host.errors import Cancelled, InvalidInput, NonFinite
from foleyspace_host.geometry.frames import unit_to_angles
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import Hrtf, load_hrtf, prepare
from foleyspace_host.hrtf.sofa import MeasuredHrirs
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.stream import render

RATE = 44_100
PLAIN = RenderOptions(distance_gain="none")


def at(azimuth: float, elevation: float = 0.0, distance: float = 1.4, duration_s: float = 1.0) -> Trajectory:
    return Trajectory(duration_s, (Source("s", (Key(0.0, azimuth, elevation, distance),)),))


def along(*keys: Key, duration_s: float = 1.0) -> Trajectory:
    return Trajectory(duration_s, (Source("s", keys),))


def noise(n: int, seed: int = 0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE)
    spectrum[hz < 50] = 0
    spectrum[1:] /= np.sqrt(hz[1:])
    pink = np.fft.irfft(spectrum, n)
    return (0.1 * pink / pink.std()).astype(np.float32)


def rendered(mono: np.ndarray, trajectory: Trajectory, hrtf: Hrtf, options: RenderOptions = PLAIN) -> np.ndarray:
    return np.concatenate(
        list(render_blocks([mono], len(mono), hrtf.sample_rate_hz, trajectory, hrtf, options)), axis=1
    )


def itd_us(ears: np.ndarray) -> float:
    """Lag of the right ear behind the left below 1.5 kHz: maximum of the cross-correlation, 16x and a parabola."""
    low = signal.sosfilt(signal.butter(4, 1500, fs=RATE, output="sos"), ears.astype(float), axis=1)
    n = 2 * low.shape[1]
    left, right = np.fft.rfft(low, n)
    lags = np.fft.irfft(right * np.conj(left), 16 * n)
    reach = int(1e-3 * RATE * 16)
    window = np.concatenate([lags[-reach:], lags[: reach + 1]])
    peak = int(window.argmax())
    a, b, c = window[peak - 1 : peak + 2]
    return (peak + 0.5 * (a - c) / (a - 2 * b + c) - reach) / (16 * RATE) * 1e6


def ild_db(ears: np.ndarray) -> float:
    band = signal.sosfilt(signal.butter(4, (2000, 16000), "band", fs=RATE, output="sos"), ears.astype(float), axis=1)
    left, right = (band**2).sum(axis=1)
    return float(10 * np.log10(left / right))


def errors_at(indices: np.ndarray, measured: MeasuredHrirs, hrtf: Hrtf) -> np.ndarray:
    mono = noise(RATE // 2)
    rows = []
    for index in indices:
        azimuth, elevation = unit_to_angles(measured.unit[index])
        ears = rendered(mono, at(float(azimuth), float(elevation)), hrtf)
        truth = np.stack([signal.fftconvolve(mono, ear)[: len(mono)] for ear in measured.hrirs[index]])
        steady = slice(1000, len(mono) - 100)
        rows.append(
            (
                abs(itd_us(ears[:, steady]) - itd_us(truth[:, steady])),
                abs(ild_db(ears[:, steady]) - ild_db(truth[:, steady])),
            )
        )
    return np.array(rows)


def test_measured_directions_equal_convolution_with_the_raw_response(kemar: MeasuredHrirs, kemar_44k: Hrtf) -> None:
    indices = np.random.default_rng(0).choice(len(kemar.unit), 24, replace=False)
    errors = errors_at(indices, kemar, kemar_44k)
    assert errors[:, 0].max() <= 1.0
    assert errors[:, 1].max() <= 0.05


def test_waveform_at_a_measured_direction_equals_convolution(kemar: MeasuredHrirs, kemar_44k: Hrtf) -> None:
    mono = noise(8000)
    index = 200
    azimuth, elevation = (float(angle) for angle in unit_to_angles(kemar.unit[index]))
    ears = rendered(mono, at(azimuth, elevation), kemar_44k)
    truth = np.stack([signal.fftconvolve(mono, ear)[: len(mono)] for ear in kemar.hrirs[index]])
    truth *= 10 ** (kemar_44k.gain_db / 20)
    n = 2 * len(mono)
    hz = np.fft.rfftfreq(n, 1 / RATE)
    spectrum = np.fft.rfft(truth, n)
    low_pass = signal.butter(8, 16_000, fs=RATE, output="sos")
    steady = slice(1000, 7000)

    def relative_error(lag: float) -> float:
        moved = np.fft.irfft(spectrum * np.exp(2j * np.pi * hz / RATE * lag))[:, : len(mono)]
        difference = signal.sosfilt(low_pass, (ears - moved)[:, steady], axis=1)
        return float(np.sqrt((difference**2).mean() / (moved[:, steady] ** 2).mean()))

    # one common delay stands between them: the travel time to the head's centre
    rough = int(np.fft.irfft((spectrum * np.conj(np.fft.rfft(ears, n))).sum(axis=0)).argmax())
    best = optimize.minimize_scalar(relative_error, bounds=(rough - 1, rough + 1), options={"xatol": 1e-5})
    assert best.fun < 1e-3


def test_held_out_directions_of_half_the_grid(kemar: MeasuredHrirs) -> None:
    half = replace(kemar, unit=kemar.unit[::2], hrirs=kemar.hrirs[::2], delay_samples=kemar.delay_samples[::2])
    held_out = np.arange(1, len(kemar.unit), 2)
    held_out = held_out[(kemar.unit[held_out, 2] > -0.63) & (kemar.unit[held_out, 2] < 0.98)]
    indices = np.random.default_rng(1).choice(held_out, 40, replace=False)
    errors = errors_at(indices, kemar, prepare(half, RATE))
    assert errors[:, 0].mean() <= 3.0
    assert errors[:, 1].mean() <= 0.3


@pytest.mark.parametrize("azimuth", [10.0, 45.0, 90.0, 135.0, 170.0])
def test_left_is_earlier_and_louder_at_the_left_ear_and_mirrored_on_the_right(azimuth: float, kemar_44k: Hrtf) -> None:
    mono = noise(RATE // 2)
    left, right = (rendered(mono, at(side * azimuth), kemar_44k) for side in (1, -1))
    assert itd_us(left) > 30
    assert ild_db(left) > 0.5
    assert itd_us(right) == pytest.approx(-itd_us(left), abs=45)  # the manikin's ears differ a little
    assert ild_db(right) == pytest.approx(-ild_db(left), abs=2.5)


def test_chunks_do_not_change_the_result(kemar_44k: Hrtf) -> None:
    mono = noise(60_000)
    path = along(Key(0.0, 80, 0, 3.0), Key(0.7, -60, 20, 0.5), Key(0.9, 100, -20, 4.0, cut=True), duration_s=1.4)
    options = RenderOptions("physical", "physical")
    whole = rendered(mono, path, kemar_44k, options)
    rng = np.random.default_rng(0)
    for sizes in (np.full(60_000, 997), rng.integers(1, 5000, 200), np.array([1] * 300 + [59_700])):
        edges = np.unique(np.minimum(np.cumsum(sizes), len(mono)))[:-1]
        blocks = np.split(mono, edges)
        parts = list(render_blocks(blocks, len(mono), RATE, path, kemar_44k, options))
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)


def test_a_part_rendered_later_on_the_path_equals_the_whole(kemar_44k: Hrtf) -> None:
    # the chunked processing must not depend on where its chunks fall: shift sound and path by one hop
    mono = noise(40_000)
    shift = 256
    path = along(Key(0.1, 60), Key(0.8, -60))
    later = along(Key(0.1 + shift / RATE, 60), Key(0.8 + shift / RATE, -60))
    first = rendered(mono, path, kemar_44k)
    second = rendered(np.concatenate([np.zeros(shift, np.float32), mono]), later, kemar_44k)
    np.testing.assert_allclose(second[:, shift:], first, atol=2e-5)


def test_silence_in_gives_silence_out(kemar_44k: Hrtf) -> None:
    path = along(Key(0.0, 0), Key(1.0, 180))
    assert not rendered(np.zeros(RATE, np.float32), path, kemar_44k).any()


def test_moving_tone_has_no_noise_beside_it(kemar_44k: Hrtf) -> None:
    n = 6 * RATE
    tone = (0.25 * np.sin(2 * np.pi * 1000 * np.arange(n) / RATE)).astype(np.float32)
    keys = tuple(Key(float(t), 90 * float(t), 25 * np.sin(2 * np.pi * t / 7.3)) for t in np.arange(0, 6.01, 0.01))
    ears = rendered(tone, along(*keys, duration_s=6.0), kemar_44k)
    levels = []
    for ear in ears[:, RATE // 2 : -RATE // 2]:
        hz, _, spectra = signal.stft(ear, RATE, "blackmanharris", 4096, 3072, boundary=None, padded=False)
        power = np.abs(spectra) ** 2
        inside = np.abs(hz - 1000) < 200
        outside = ~inside & (hz > 30) & (hz < 20_000)
        levels.append(10 * np.log10(power[outside].sum(axis=0) / power[inside].sum(axis=0)))
    levels = np.concatenate(levels)
    assert np.median(levels) <= -80
    assert levels.max() <= -65


@pytest.mark.parametrize("speed_m_s", [-30.0, 30.0])
def test_doppler_shift(speed_m_s: float, kemar_44k: Hrtf) -> None:
    n = RATE
    tone = np.sin(2 * np.pi * 1000 * np.arange(n) / RATE).astype(np.float32)
    start = 40.0 if speed_m_s < 0 else 5.0
    times = np.arange(0, 1.001, 0.01)
    keys = tuple(Key(float(t), 0, 0, start + speed_m_s * float(t)) for t in times)
    ears = rendered(tone, along(*keys), kemar_44k, RenderOptions("none", "physical"))
    phase = np.unwrap(np.angle(signal.hilbert(ears[0].astype(float))))[RATE // 2 : RATE // 2 + 10_000]
    measured_hz = np.polyfit(np.arange(10_000) / RATE, phase, 1)[0] / (2 * np.pi)
    assert measured_hz == pytest.approx(1000 / (1 + speed_m_s / 343.2), rel=2e-4)


def test_physical_propagation_arrives_after_the_distance(kemar_44k: Hrtf) -> None:
    click = np.zeros(RATE, np.float32)
    click[10_000] = 1.0
    near, far = (
        rendered(click, at(0, 0, metres), kemar_44k, RenderOptions("none", "physical")) for metres in (1.0, 18.16)
    )
    lag = signal.correlate(far[0], near[0]).argmax() - (RATE - 1)
    assert lag == pytest.approx(17.16 / 343.2 * RATE, abs=1)


def test_without_propagation_sound_stays_in_sync(kemar_44k: Hrtf) -> None:
    click = np.zeros(RATE, np.float32)
    click[10_000] = 1.0
    for metres in (0.5, 40.0):
        ears = rendered(click, at(0, 0, metres), kemar_44k)
        assert abs(int(np.abs(ears).max(axis=0).argmax()) - 10_000) < 0.0005 * RATE


@pytest.mark.parametrize(
    ("law", "near_m", "far_m", "expected_db"),
    [("physical", 1.0, 4.0, -12.04), ("none", 1.0, 4.0, 0.0), ("relative", 1.0, 40.0, -24.0)],
)
def test_distance_gain(law: str, near_m: float, far_m: float, expected_db: float, kemar_44k: Hrtf) -> None:
    mono = noise(2 * RATE)
    # half the time near, half far; for `relative` the median lies between, and 12 dB bound each side
    path = along(
        Key(0.0, 30, 0, near_m),
        Key(0.95, 30, 0, near_m),
        Key(1.0, 30, 0, 6.32),
        Key(1.05, 30, 0, far_m),
        duration_s=2,
    )
    ears = rendered(mono, path, kemar_44k, RenderOptions(law, air=None))  # type: ignore[arg-type]
    reference = rendered(mono, at(30, duration_s=2), kemar_44k)
    early, late = slice(2000, 40_000), slice(48_000, 86_000)
    level = [10 * np.log10((ears[:, s] ** 2).sum() / (reference[:, s] ** 2).sum()) for s in (early, late)]
    assert level[1] - level[0] == pytest.approx(expected_db, abs=0.05)


def test_a_cut_neither_clicks_nor_bends_the_pitch(kemar_44k: Hrtf) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    path = along(Key(0.0, 70, 0, 2.0), Key(0.5, -70, 0, 20.0, cut=True))
    ears = rendered(tone, path, kemar_44k, RenderOptions("none", "physical"))
    high = signal.sosfilt(signal.butter(6, 4000, "high", fs=RATE, output="sos"), ears.astype(float), axis=1)
    assert np.abs(high[:, 5000:]).max() < 1e-3 * np.abs(ears).max()
    phase = np.unwrap(np.angle(signal.hilbert(ears[0].astype(float))))
    hz = np.diff(phase) * RATE / (2 * np.pi)
    around = np.r_[15_000:21_000, 27_000:40_000]  # away from the cut and its cross-fade
    assert np.abs(hz[around] - 440).max() < 1.0


def test_gain_of_a_source_and_sums_of_sources(kemar_44k: Hrtf) -> None:
    mono = noise(20_000)
    one = Source("a", (Key(0.0, 40),), gain_db=-6.0206)
    two = Source("b", (Key(0.0, -80),))
    mute = Source("c", (Key(0.0, 0),), selected=False)
    alone = [rendered(mono, Trajectory(1.0, (s,)), kemar_44k) for s in (replace(one, gain_db=0.0), two)]
    both = rendered(mono, Trajectory(1.0, (one, two, mute)), kemar_44k)
    np.testing.assert_allclose(both, 0.5 * alone[0] + alone[1], atol=2e-6)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(0, 40_000),
    azimuth=st.floats(-360, 360),
    elevation=st.floats(-90, 90),
    distance=st.floats(0, 100),
    propagation=st.sampled_from(["none", "doppler", "physical"]),
)
def test_length_is_exact_and_samples_finite(
    n: int, azimuth: float, elevation: float, distance: float, propagation: str
) -> None:
    path = along(Key(0.0, azimuth, elevation, distance), Key(0.3, -azimuth, -elevation, 2.0))
    ears = render(noise(40_000)[:n], RATE, path, propagation=propagation)  # type: ignore[arg-type]
    assert ears.shape == (2, n)
    assert ears.dtype == np.float32
    assert np.isfinite(ears).all()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000, 96_000, 192_000])
def test_other_rates_give_the_same_time_difference(rate: int) -> None:
    click = np.zeros(rate // 2, np.float32)
    click[rate // 4] = 1.0
    ears = render(click, rate, at(60))
    n = 1 << 21
    left, right = np.fft.rfft(ears, n)
    hz = np.fft.rfftfreq(n, 1 / rate)
    low = (hz > 300) & (hz < 1200)
    phase = np.unwrap(np.angle(left[low] * np.conj(right[low])))
    # least squares through the origin: interaural phase delay
    delay_us = (phase @ (2 * np.pi * hz[low])) / ((2 * np.pi * hz[low]) @ (2 * np.pi * hz[low])) * 1e6
    assert delay_us == pytest.approx(DELAY_AT_60_DEG_US, abs=12)


DELAY_AT_60_DEG_US = 618.0
"""Interaural phase delay of the KEMAR at 60 degrees, 300-1200 Hz, from its raw responses; see the test below."""


def test_the_expected_delay_is_that_of_the_raw_responses(kemar: MeasuredHrirs) -> None:
    index = int((kemar.unit @ np.array([0.5, np.sqrt(0.75), 0.0])).argmax())
    assert unit_to_angles(kemar.unit[index])[0] == pytest.approx(60.0)
    hz = np.linspace(300, 1200, 200)
    left, right = kemar.hrirs[index] @ np.exp(-2j * np.pi * np.outer(np.arange(512), hz) / RATE)
    phase = np.unwrap(np.angle(left * np.conj(right)))
    assert (phase @ hz) / (2 * np.pi * hz @ hz) * 1e6 == pytest.approx(DELAY_AT_60_DEG_US, abs=5)


def test_bad_input_is_refused() -> None:
    with pytest.raises(NonFinite):
        render(np.array([0.0, np.nan], np.float32), RATE, at(0))
    with pytest.raises(InvalidInput, match="one channel"):
        render(np.zeros((2, 100)), RATE, at(0))
    with pytest.raises(InvalidInput, match="4000"):
        render(np.zeros(100), 4000, at(0))
    with pytest.raises(InvalidInput, match="selected"):
        render(np.zeros(100), RATE, Trajectory(1.0, (Source("s", (Key(0.0, 0.0),), selected=False),)))
    with pytest.raises(InvalidInput, match="distance_gain"):
        render(np.zeros(100), RATE, at(0), distance_gain="loud")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="spread"):
        render(np.zeros(100), RATE, at(0), spread=float("nan"))


def test_progress_and_cancel() -> None:
    seen: list[tuple[int, int]] = []
    render(noise(160_000), RATE, at(0), on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (160_000, 160_000)
    assert len(seen) > 3
    assert seen == sorted(seen)

    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        render(noise(160_000), RATE, at(0), on_progress=stop)


def test_spread_widens_the_image(kemar_44k: Hrtf) -> None:
    mono = noise(RATE // 2)
    wide = rendered(mono, at(20), kemar_44k, RenderOptions("none", spread=2.0))
    np.testing.assert_allclose(wide, rendered(mono, at(40), kemar_44k), atol=1e-6)


def test_default_set_at_the_job_rate_is_used() -> None:
    mono = noise(4000)
    hrtf = load_hrtf(None, 48_000)
    np.testing.assert_array_equal(render(mono, 48_000, at(25), distance_gain="none"), rendered(mono, at(25), hrtf))
