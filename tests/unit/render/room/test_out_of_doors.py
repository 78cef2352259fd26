"""A street is no diffuse field. Its reverberation is held to rays that its walls reflect and scatter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.air import Air
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.room import OCTAVES_HZ, RoomModel, room_of
from foleyspace_host.render.room.diffuse import diffuse_field
from foleyspace_host.render.room.images import images_of

RATE = 44_100
AZIMUTH_DEG = 25.0
STEPS_PER_S = 1000
N_RAYS = 60_000


def street() -> RoomModel:
    room = room_of("street")
    assert room is not None
    return room


@lru_cache(maxsize=16)
def traced(room: RoomModel, distance_m: float, band: int) -> np.ndarray:
    """Energy at the ears in each millisecond after the sound left, re the direct sound at 1 m; without that.

    Rays from the source lose at each wall what it absorbs, and go on as mirrored or, as often as it scatters, by
    Lambert's law. At each wall the scattered share is also sent to the ears (diffuse rain: Heinz 1993). What was only
    mirrored is counted over mirror images.
    """
    rng = np.random.default_rng(band)
    size, ears, speed = np.array(room.size_m), np.array(room.listener_m), 343.2
    absorption, scattering = np.array(room.absorption)[:, band], np.array(room.scattering)
    air = float(Air().attenuation_db_m([OCTAVES_HZ[band]])[0]) * np.log(10) / 10
    azimuth = np.deg2rad(AZIMUTH_DEG)
    source = ears + distance_m * np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    histogram = np.zeros(3 * STEPS_PER_S)

    def count(way_m: np.ndarray, energy: np.ndarray) -> None:
        step = (way_m / speed * STEPS_PER_S).astype(int)
        known = step < len(histogram)
        np.add.at(histogram, step[known], energy[known])

    images = images_of(room, 12)
    apart = np.linalg.norm(images.positions_m(source) - ears, axis=1)
    count(apart, images.amplitude[:, band] ** 2 / apart**2 * np.exp(-air * apart))

    height, turn = rng.uniform(-1, 1, N_RAYS), rng.uniform(0, 2 * np.pi, N_RAYS)
    ring = np.sqrt(1 - height**2)
    towards = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    place, way, energy = np.tile(source, (N_RAYS, 1)), np.zeros(N_RAYS), np.full(N_RAYS, 4 * np.pi / N_RAYS)
    while len(energy):
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(towards > 0, size - place, -place) / towards
        axis = np.nan_to_num(steps, nan=np.inf).argmin(axis=1)
        rows = np.arange(len(axis))
        step = steps[rows, axis]
        place, way = place + towards * step[:, None], way + step
        far = towards[rows, axis] > 0
        wall = 2 * axis + far
        energy = energy * np.exp(-air * step) * (1 - absorption[wall])
        inward = np.where(far, -1.0, 1.0)
        to_ears = ears - place
        apart = np.maximum(np.linalg.norm(to_ears, axis=1), 0.5)
        cosine = np.maximum(to_ears[rows, axis] * inward, 0.0) / apart
        count(way + apart, energy * scattering[wall] * cosine / np.pi / apart**2 * np.exp(-air * apart))
        scattered = rng.random(len(energy)) < scattering[wall]
        share, turn = rng.random(len(energy)), rng.uniform(0, 2 * np.pi, len(energy))
        lambert = np.empty_like(towards)
        lambert[rows, axis] = np.sqrt(1 - share) * inward
        lambert[rows, (axis + 1) % 3] = np.sqrt(share) * np.cos(turn)
        lambert[rows, (axis + 2) % 3] = np.sqrt(share) * np.sin(turn)
        mirrored = towards.copy()
        mirrored[rows, axis] *= -1
        towards = np.where(scattered[:, None], lambert, mirrored)
        going = (energy > 1e-8 / N_RAYS) & (way < len(histogram) / STEPS_PER_S * speed)
        place, towards, energy, way = place[going], towards[going], energy[going], way[going]
    return histogram


def t30_s(energy: np.ndarray, steps_per_s: float) -> float:
    """ISO 3382: least squares on the backward-integrated decay from -5 to -35 dB."""
    decay = np.cumsum(energy[::-1])[::-1]
    level = 10 * np.log10(decay / decay[0] + 1e-20)
    first, last = int((level < -5).argmax()), int((level < -35).argmax())
    return float(-60 / (np.polyfit(np.arange(first, last), level[first:last], 1)[0] * steps_per_s))


@lru_cache(maxsize=16)
def rendered(distance_m: float, hrtf: Hrtf, seed: int = 0) -> np.ndarray:
    """Responses of both ears from when the sound leaves, without the direct sound."""
    click = np.zeros(3 * RATE, np.float32)
    click[0] = 1.0
    path = Trajectory(3.0, (Source("s", (Key(0.0, AZIMUTH_DEG, 0, distance_m),)),))
    both = [
        np.concatenate(list(render_blocks([click], len(click), RATE, path, hrtf, options)), axis=1).astype(float)
        for options in (RenderOptions("physical", "physical", room=room) for room in (f"street:seed={seed}", None))
    ]
    return np.asarray(both[0] - both[1])


def octave(response: np.ndarray, centre_hz: float) -> np.ndarray:
    n = 1 << int(np.ceil(np.log2(2 * response.shape[-1])))
    apart = np.abs(np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 1) / centre_hz))
    weights = np.cos(0.5 * np.pi * np.clip((apart - 0.42) / 0.16, 0, 1)) ** 2
    return np.fft.irfft(np.fft.rfft(response, n) * weights, n)[..., : response.shape[-1]]


def iso_distance_m(room: RoomModel) -> float:
    """Least distance at which ISO 3382-1 has reverberation measured: 2 sqrt(V / (c T))."""
    return float(2 * np.sqrt(room.volume_m3 / (343.2 * room.mid_rt60_s)))


@pytest.mark.parametrize("band", [1, 2, 3, 4, 5])
def test_the_street_s_times_are_those_of_rays(band: int, kemar_44k: Hrtf) -> None:
    room = street()
    far = iso_distance_m(room)
    assert t30_s(traced(room, far, band), STEPS_PER_S) == pytest.approx(room.rt60_s[band], rel=0.06)
    for distance in (3.0, 6.0, far):  # near the source the strong early reflections make it shorter, in both
        ears = np.concatenate([octave(rendered(distance, kemar_44k, seed), OCTAVES_HZ[band]) for seed in range(3)])
        found = np.mean([t30_s(ear**2, RATE) for ear in ears])
        assert found == pytest.approx(t30_s(traced(room, distance, band), STEPS_PER_S), rel=0.1)


def test_the_street_s_level_is_that_of_rays(kemar_44k: Hrtf) -> None:
    field = diffuse_field(kemar_44k)
    pulse = np.zeros(1 << 15)
    pulse[1 << 14] = 1.0
    for distance in (6.0, iso_distance_m(street())):
        for hz in (500.0, 1000.0, 2000.0):
            energy = (octave(rendered(distance, kemar_44k), hz) ** 2).mean(axis=0)
            inside = (field.frequency_hz > hz / 2**0.5) & (field.frequency_hz < hz * 2**0.5)
            head = (0.5 * (field.left + field.right))[inside].mean() * (octave(pulse, hz) ** 2).sum()
            truth = traced(street(), distance, OCTAVES_HZ.index(hz))
            for begin, end in ((0.1, 0.2), (0.2, 0.4), (0.4, 0.8)):
                found = energy[int(begin * RATE) : int(end * RATE)].sum() / head
                expected = truth[int(begin * STEPS_PER_S) : int(end * STEPS_PER_S)].sum()
                assert 10 * np.log10(found / expected) == pytest.approx(0.0, abs=2.0)


@pytest.mark.parametrize("name", ["street", "forest"])
def test_times_are_as_set_where_they_are_measured(name: str, kemar_44k: Hrtf) -> None:
    room = room_of(name)
    assert room is not None
    click = np.zeros(3 * RATE, np.float32)
    click[0] = 1.0
    path = Trajectory(3.0, (Source("s", (Key(0.0, AZIMUTH_DEG, 0, iso_distance_m(room)),)),))
    options = RenderOptions("physical", air=None, room=room)
    ears = np.concatenate(list(render_blocks([click], len(click), RATE, path, kemar_44k, options)), axis=1)
    for hz, time_s in zip(OCTAVES_HZ[1:6], room.rt60_s[1:6], strict=True):
        found = np.mean([t30_s(ear**2, RATE) for ear in octave(ears.astype(float), hz)])
        assert found == pytest.approx(time_s, rel=0.1)
