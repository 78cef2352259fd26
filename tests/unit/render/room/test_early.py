"""All reflections together, held to one full voice for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import _point_blocks
from foleyspace_host.render.formats import find_format
from foleyspace_host.render.panned import pan_points
from foleyspace_host.render.panning.law import law_of
from foleyspace_host.render.points import Point
from foleyspace_host.render.room import RoomModel, room_of
from foleyspace_host.render.room.early import reflection_blocks
from foleyspace_host.render.room.hearing import Channels, Ears
from foleyspace_host.render.room.line import SoundLine
from foleyspace_host.render.scene import points_of

RATE = 44_100
STILL = (Key(0.0, 30, 10, 2.0),)
# a full turn in three seconds, and 1.2 m/s away from the listener
TURNING = tuple(Key(t, 120 * t, 20 * np.sin(2 * t), 1.5 + 1.2 * t) for t in np.linspace(0, 3, 31))
JUMPING = (Key(0.0, 80, 0, 1.5), Key(1.2, -60, 20, 3.0), Key(1.5, 100, -20, 2.0, cut=True))
CENTRES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)


def noise(n: int = 3 * RATE) -> np.ndarray:
    """White noise to 16 kHz: the two interpolators fade out differently above."""
    low = signal.butter(12, 16_000, fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(low, 0.1 * np.random.default_rng(0).standard_normal(n)), dtype=np.float32)


def whole(blocks: Any) -> np.ndarray:
    return np.concatenate(list(blocks), axis=1).astype(float)


def scene(keys: tuple[Key, ...], **options: Any) -> tuple[list[Point], RenderOptions]:
    choices = RenderOptions(**options)
    return points_of(Trajectory(3.0, (Source("s", keys),)), choices, 3.0), choices


def model_of(name: str) -> RoomModel:
    room = room_of(name)
    assert room is not None
    return room


def octave(sound: np.ndarray, centre_hz: float) -> np.ndarray:
    sos = signal.butter(4, (centre_hz / 2**0.5, centre_hz * 2**0.5), "band", fs=RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(sos, sound, axis=-1))


def power_db(sound: np.ndarray) -> np.ndarray:
    return np.asarray(10 * np.log10((sound**2).sum(axis=-1)))


def iacc(ears: np.ndarray) -> float:
    """Largest interaural cross-correlation within 1 ms (ISO 3382-1)."""
    reach = RATE // 1000
    lags = np.fft.irfft(np.fft.rfft(ears[0], 2 * ears.shape[1]) * np.fft.rfft(ears[1], 2 * ears.shape[1]).conj())
    near = np.concatenate([lags[-reach:], lags[: reach + 1]])
    return float(np.abs(near).max() / np.sqrt((ears**2).sum(axis=1).prod()))


def both_ways(
    mono: np.ndarray, keys: tuple[Key, ...], name: str, hrtf: Hrtf, exact: Any, **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    points, choices = scene(keys, **options)
    room = model_of(name)
    found = whole(reflection_blocks([mono], len(mono), RATE, points, room, Ears(hrtf), choices))
    voices = exact(points, room, choices, len(mono) / RATE)
    return found, whole(_point_blocks([mono], len(mono), voices, hrtf, choices))


@pytest.mark.parametrize("name", ["studio", "living-room", "hall", "church", "street", "forest"])
def test_of_a_still_source_they_are_the_same(name: str, kemar_44k: Hrtf, exact_reflections: Any) -> None:
    found, truth = both_ways(noise(RATE), STILL, name, kemar_44k, exact_reflections)
    error = found - truth
    assert power_db(error).max() < power_db(truth).min() - 50
    for hz in CENTRES_HZ:
        np.testing.assert_allclose(power_db(octave(found, hz)), power_db(octave(truth, hz)), atol=0.05)


@pytest.mark.parametrize(
    ("keys", "name", "laws"),
    [
        (TURNING, "studio", {}),
        (TURNING, "living-room", {}),
        (TURNING, "hall", {}),
        (TURNING, "living-room", {"distance_gain": "physical", "propagation": "physical"}),
        (TURNING, "living-room", {"distance_gain": "none", "propagation": "doppler"}),
        (JUMPING, "living-room", {}),
        (JUMPING, "street", {"propagation": "physical"}),
    ],
)
def test_of_a_moving_source_they_have_the_same_level_and_coherence(
    keys: tuple[Key, ...], name: str, laws: dict[str, Any], kemar_44k: Hrtf, exact_reflections: Any
) -> None:
    found, truth = both_ways(noise(), keys, name, kemar_44k, exact_reflections, **laws)
    for hz in CENTRES_HZ:
        one, other = octave(found, hz), octave(truth, hz)
        np.testing.assert_allclose(power_db(one), power_db(other), atol=0.15)
        assert iacc(one) == pytest.approx(iacc(other), abs=0.02)
        # and not on the whole alone: in stretches of a quarter of a second
        parts = [band.reshape(2, 12, -1) for band in (one, other)]
        short_db = [power_db(part) for part in parts]
        assert np.sqrt(((short_db[0] - short_db[1]) ** 2).mean()) < 0.4


def test_the_early_decay_is_the_same(kemar_44k: Hrtf, exact_reflections: Any) -> None:
    click = np.zeros(RATE, np.float32)
    click[1000] = 1.0
    for name in ("living-room", "hall"):
        found, truth = both_ways(click, STILL, name, kemar_44k, exact_reflections, distance_gain="physical")
        for hz in (500, 1000, 2000, 4000):
            decay = [np.cumsum(octave(ears, hz)[:, ::-1] ** 2, axis=1)[:, ::-1] for ears in (found, truth)]
            level = [10 * np.log10(energy / energy[:, :1] + 1e-12) for energy in decay]
            above = level[1] > -30
            assert np.abs(level[0] - level[1])[above].max() < 0.1


@pytest.mark.parametrize("layout", ["foa", "hoa3", "stereo", "7.1.4"])
def test_in_other_formats_too(layout: Any, exact_reflections: Any) -> None:
    mono, room, output = noise(2 * RATE), model_of("living-room"), find_format(layout)
    law = law_of(output)
    for keys, most_db in ((STILL, -45.0), (TURNING, -20.0)):
        points, choices = scene(keys)
        hearing = Channels(law, output.n_channels, RATE)
        found = whole(reflection_blocks([mono], len(mono), RATE, points, room, hearing, choices))
        voices = exact_reflections(points, room, choices, 2.0)
        truth = whole(pan_points([mono], len(mono), RATE, voices, law, output.n_channels, choices))
        heard = (truth != 0.0).any(axis=1)
        assert not found[~heard].any()
        for hz in CENTRES_HZ:
            one, other = octave(found[heard], hz), octave(truth[heard], hz)
            np.testing.assert_allclose(power_db(one), power_db(other), atol=0.15)
            if hz < 2000:  # above, the way of a fast source between control points is a fraction of a wave
                assert power_db((one - other).ravel()) < power_db(other.ravel()) + most_db


def test_a_steady_tone_that_moves_stays_one(kemar_44k: Hrtf) -> None:
    # around the frames no other frequencies appear: what is heard is what Doppler's shift allows
    tone = (0.5 * np.sin(2 * np.pi * 3000 * np.arange(3 * RATE) / RATE)).astype(np.float32)
    points, choices = scene((Key(0.0, 70, 0, 1.5), Key(3.0, -70, 0, 3.0)))
    found = whole(reflection_blocks([tone], len(tone), RATE, points, model_of("living-room"), Ears(kemar_44k), choices))
    inside = found[:, RATE // 2 : -RATE // 8]
    spectrum = np.abs(np.fft.rfft(inside * np.kaiser(inside.shape[1], 14), axis=1)) ** 2
    hz = np.fft.rfftfreq(inside.shape[1], 1 / RATE)
    apart = np.abs(hz - 3000) > 150
    assert 10 * np.log10(spectrum[:, apart].sum() / spectrum[:, ~apart].sum()) < -60


@pytest.mark.parametrize("slope", [0.0, 1e-4, -0.01, 0.3, -0.6])
def test_readings_between_samples(slope: float) -> None:
    from foleyspace_host.kernels.images import Readings, images_in_channels
    from foleyspace_host.kernels.spectra import Fourier

    hop, n_frames, rng = 256, 8, np.random.default_rng(0)
    for hz, most_db in ((200.0, -78.0), (5000.0, -78.0), (10_000.0, -74.0), (16_000.0, -60.0)):
        turn = 2 * np.pi * hz / RATE
        line = SoundLine(3000, 2000, n_frames * hop)
        samples = np.arange(12_000)
        line.push(np.sin(turn * samples[: line.n_ahead]).astype(np.float32))
        line.push(np.sin(turn * samples[line.n_ahead : line.n_ahead + n_frames * hop]).astype(np.float32))
        delay = np.asarray(400.0 + rng.uniform() + slope * hop * np.arange(n_frames + 2), dtype=np.float64)
        fourier = Fourier.of(1024)
        readings = Readings(
            line=line.terms,
            start=line.column(hop),
            delay_samples=delay[None],
            jump=np.zeros((1, n_frames + 1), np.bool_),
            rises=np.tile(np.arange(hop, dtype=np.float32) / hop, (2, 1)),
            lead=0,
            tone=np.ones((1, 513), np.float32),
            row=np.zeros((1, n_frames), np.int32),
        )
        out = np.zeros((1, (n_frames - 1) * hop + 1024), np.float32)
        images_in_channels(readings, fourier, np.ones((1, n_frames, 1), np.float32), out)
        inner = np.arange(hop, n_frames * hop)  # where the frames add up to one
        point = inner + hop - (delay[0] + slope * inner)
        error = out[0, inner] - np.sin(turn * point)
        assert 20 * np.log10(np.sqrt((error**2).mean() * 2) + 1e-12) < most_db


def test_kernels_refuse_what_does_not_fit() -> None:
    from foleyspace_host.kernels.images import Readings, images_in_channels
    from foleyspace_host.kernels.spectra import Fourier

    line = SoundLine(500, 0, 512)
    good: dict[str, Any] = {
        "line": line.terms,
        "start": 500,
        "delay_samples": np.zeros((1, 4)),
        "jump": np.zeros((1, 3), np.bool_),
        "rises": np.zeros((2, 128), np.float32),
        "lead": 8,
        "tone": np.ones((1, 257), np.float32),
        "row": np.zeros((1, 2), np.int32),
    }
    out = np.zeros((1, 640), np.float32)
    fourier, gains = Fourier.of(512), np.ones((1, 2, 1), np.float32)
    images_in_channels(Readings(**good), fourier, gains, out)
    for wrong in (
        {"start": 0},
        {"start": 2000},
        {"delay_samples": np.full((1, 4), np.nan)},
        {"delay_samples": np.array([[0.0, 1e9, 0.0, 0.0]])},
        {"delay_samples": np.zeros((1, 3))},
        {"row": np.full((1, 2), 1, np.int32)},
        {"row": np.full((1, 2), -1, np.int32)},
        {"lead": 300},
        {"jump": np.zeros((1, 2), np.bool_)},
    ):
        with pytest.raises(ValueError, match="kernel"):
            images_in_channels(Readings(**{**good, **wrong}), fourier, gains, out)
    with pytest.raises(ValueError, match="kernel"):
        images_in_channels(Readings(**good), fourier, gains, out[:, :600].copy())
