"""Held-out directions: what is interpolated is held to the raw responses that were measured there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from foleyspace_host.hrtf.head import HeadShadow, sphere_response
from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepare import prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs

N_FFT = 4096
SEEDS = (0, 1, 2)


def as_rendered(hrtf: Hrtf, unit: np.ndarray) -> np.ndarray:
    """Responses at directions, travel times and measured level included, shape (n, 2, N_FFT)."""
    triangle, weight = np.empty(len(unit), np.int32), np.empty((len(unit), 3), np.float32)
    mesh = hrtf.mesh
    locate(np.ascontiguousarray(unit), 0, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight)
    vertex = mesh.triangles[triangle]
    responses = np.einsum("qk,qken->qen", weight, hrtf.responses[vertex]) / 10 ** (hrtf.gain_db / 20)
    delay = np.einsum("qk,qke->qe", weight, hrtf.delay_samples[vertex]) + 100.0
    shift = np.exp(-2j * np.pi * np.fft.rfftfreq(N_FFT) * delay[..., None])
    return np.fft.irfft(np.fft.rfft(responses, N_FFT) * shift)


def itd_us(pair: np.ndarray, rate_hz: int) -> float:
    """Lag of the ears for pink noise below 1.5 kHz, on a 0.7 us grid refined by a parabola."""
    hz = np.fft.rfftfreq(N_FFT, 1 / rate_hz)
    pink = np.divide(1.0, hz, out=np.zeros_like(hz), where=hz > 30)
    sos = signal.butter(4, 1500.0, fs=rate_hz, output="sos")
    left, right = np.fft.rfft(pair, N_FFT)
    low = np.abs(signal.freqz_sos(sos, hz, fs=rate_hz)[1]) ** 2
    fine = 32
    correlation = np.roll(np.fft.irfft(np.conj(left) * right * low * pink, N_FFT * fine), N_FFT * fine // 2)
    reach = rate_hz * fine // 1000
    middle = N_FFT * fine // 2
    window = correlation[middle - reach : middle + reach + 1]
    peak = int(np.clip(window.argmax(), 1, 2 * reach - 1))
    before, top, after = window[peak - 1 : peak + 2]
    return float((peak - reach + 0.5 * (before - after) / (before - 2 * top + after)) / (fine * rate_hz) * 1e6)


def ild_db(pair: np.ndarray, rate_hz: int) -> float:
    hz = np.fft.rfftfreq(N_FFT, 1 / rate_hz)
    band = (hz >= 2000) & (hz <= 16_000)
    energy = (np.abs(np.fft.rfft(pair, N_FFT)[:, band]) ** 2 / hz[band]).sum(axis=1)
    return float(10 * np.log10(energy[0] / energy[1]))


def log_spectral_distance_db(pair: np.ndarray, truth: np.ndarray, rate_hz: int) -> float:
    """Root mean square over 200 Hz to 16 kHz and both ears, the mean difference removed."""
    hz = np.fft.rfftfreq(1024, 1 / rate_hz)
    band = (hz > 200) & (hz < 16_000)
    window = np.fft.irfft(np.abs(np.fft.rfft(signal.get_window("hann", 1024), N_FFT)) ** 2)
    level = []
    for responses in (pair, truth):
        # what Welch's method with windows of 1024 samples expects of white noise
        correlation = np.fft.irfft(np.abs(np.fft.rfft(responses, N_FFT)) ** 2)
        level.append(10 * np.log10(np.fft.rfft(correlation * window).real[:, ::4][:, band]))
    difference = level[0] - level[1]
    return float(np.sqrt(((difference - difference.mean()) ** 2).mean()))


@pytest.mark.parametrize(
    ("kept", "most_itd_us", "most_ild_db", "most_lsd_db"), [(2, 1.2, 0.08, 1.22), (4, 4.5, 0.42, 1.60)]
)
def test_held_out_directions(
    kemar: MeasuredHrirs, kept: int, most_itd_us: float, most_ild_db: float, most_lsd_db: float
) -> None:
    """Of KEMAR every second or fourth direction is kept; the others are what the rest predicts."""
    rate_hz = kemar.sample_rate_hz
    elevation = np.degrees(np.arcsin(kemar.unit[:, 2]))
    errors = []
    for seed in SEEDS:
        keep = np.arange(len(kemar.unit)) % kept == seed % kept
        part = replace(kemar, unit=kemar.unit[keep], hrirs=kemar.hrirs[keep], delay_samples=kemar.delay_samples[keep])
        inside = np.flatnonzero(~keep & (elevation > -39.0) & (elevation < 79.0))
        held_out = np.random.default_rng(seed).choice(inside, 60, replace=False)
        rendered = as_rendered(prepare(part, rate_hz), kemar.unit[held_out])
        for found, truth in zip(rendered, kemar.hrirs[held_out].astype(np.float64), strict=True):
            errors.append(
                (
                    abs(itd_us(found, rate_hz) - itd_us(truth, rate_hz)),
                    abs(ild_db(found, rate_hz) - ild_db(truth, rate_hz)),
                    log_spectral_distance_db(found, truth, rate_hz),
                )
            )
    itd, ild, lsd = np.mean(errors, axis=0)
    print(f"1/{kept} kept: ITD {itd:.2f} us, ILD {ild:.3f} dB, LSD {lsd:.3f} dB")
    assert itd <= most_itd_us
    assert ild <= most_ild_db
    assert lsd <= most_lsd_db


def test_the_measure_sees_what_it_should(kemar: MeasuredHrirs) -> None:
    truth = kemar.hrirs[100].astype(np.float64)
    shift = np.exp(-2j * np.pi * np.fft.rfftfreq(N_FFT, 1 / kemar.sample_rate_hz) * 20e-6)
    later = np.fft.irfft(np.fft.rfft(truth, N_FFT) * np.stack([np.ones_like(shift), shift]))
    assert itd_us(later, 44_100) - itd_us(truth, 44_100) == pytest.approx(20.0, abs=0.05)
    louder = truth * np.array([[10 ** (1 / 20)], [1.0]])
    assert ild_db(louder, 44_100) - ild_db(truth, 44_100) == pytest.approx(1.0, abs=1e-6)
    assert log_spectral_distance_db(louder, truth, 44_100) == pytest.approx(0.5, abs=1e-6)


def test_the_trend_of_a_head_is_half_a_sphere_s() -> None:
    hz = np.array([200.0, 1000.0, 5000.0])
    tilt = np.deg2rad(-5.0)
    ear = np.array([[0.0, np.cos(tilt), np.sin(tilt)]])
    for unit, degrees in ((ear, 0.0), (-ear, 180.0), (np.array([[1.0, 0.0, 0.0]]), 90.0)):
        whole = np.abs(sphere_response(np.array([1.4]), np.array([degrees]), hz, 0.1))[0, 0]
        np.testing.assert_allclose(HeadShadow(unit, hz).gains(np.array([0]))[0, 0] ** 2, whole, rtol=0.02)
    shadow = HeadShadow(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), hz)
    level = 20 * np.log10(shadow.gains(np.array([1]))[0])
    whole = shadow.settled(np.array([1]), np.ones((1, 2, 3), dtype=np.complex64))
    np.testing.assert_allclose(np.abs(whole), shadow.gains(np.array([1])), rtol=1e-6)
    assert (level[0] > level[1]).all()  # louder at the near ear, the more so the higher
    assert (np.diff(level[0] - level[1]) > 0).all()
