"""Mirror images against hand-worked cases, against Eyring, and against pyroomacoustics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.room import OCTAVES_HZ, RoomModel
from foleyspace_host.render.room.images import images_of, inside
from foleyspace_host.render.room.reflections import Reflections

SIZE = (6.0, 4.0, 3.0)
EARS = (2.5, 1.9, 1.5)
WALLS = tuple((base, base + 0.1) for base in (0.1, 0.2, 0.3, 0.4, 0.5, 0.15))


def room(**changes: Any) -> RoomModel:
    given_: dict[str, Any] = {"absorption": WALLS, "listener_m": EARS, "scattering": 0.0, "reflections": 400}
    return RoomModel.of(SIZE, **{**given_, **changes})


def test_first_order_images_are_where_a_mirror_puts_them() -> None:
    source = np.array([4.0, 3.0, 1.0])
    images = images_of(room(order=1))
    found = {
        tuple(np.flatnonzero(hits)): place for hits, place in zip(images.hits, images.positions_m(source), strict=True)
    }
    expected = {0: (-4, 3, 1), 1: (8, 3, 1), 2: (4, -3, 1), 3: (4, 5, 1), 4: (4, 3, -1), 5: (4, 3, 5)}
    assert len(images) == 6
    for wall, place in expected.items():
        np.testing.assert_allclose(found[(wall,)], place)
    for hits, amplitude in zip(images.hits, images.amplitude, strict=True):
        wall = int(np.flatnonzero(hits)[0])
        np.testing.assert_allclose(amplitude[0], np.sqrt(1 - WALLS[wall][0]))
        np.testing.assert_allclose(amplitude[1:], np.sqrt(1 - WALLS[wall][1]))


@pytest.mark.parametrize(("order", "count"), [(0, 0), (1, 6), (2, 24), (3, 62), (4, 128)])
def test_number_of_images_of_each_order(order: int, count: int) -> None:
    # the points of an octahedral lattice: 4 n^2 + 2 of order n
    images = images_of(room(order=order))
    assert len(images) == count
    assert len(np.unique(images.positions_m(np.array([4.1, 2.9, 1.2])).round(9), axis=0)) == count


@pytest.mark.parametrize("order", [1, 3, 5])
def test_images_equal_those_of_pyroomacoustics(order: int) -> None:
    pra = pytest.importorskip("pyroomacoustics")
    source = np.array([4.0, 3.0, 1.0])
    names = ("west", "east", "south", "north", "floor", "ceiling")
    materials = {name: pra.Material(wall[0]) for name, wall in zip(names, WALLS, strict=True)}
    other = pra.ShoeBox(SIZE, fs=48_000, materials=materials, max_order=order)
    other.add_source(source)
    other.add_microphone(EARS)
    other.image_source_model()
    truth = other.sources[0]
    keys = [(*np.round(place, 6), n) for place, n in zip(truth.images.T, truth.orders, strict=True)]
    damping = dict(zip(keys, np.asarray(truth.damping)[0], strict=True))
    images = images_of(room(order=order))
    assert len(images) + 1 == len(damping)  # and the source itself
    for place, hits, amplitude in zip(images.positions_m(source), images.hits, images.amplitude, strict=True):
        assert damping[(*np.round(place, 6), hits.sum())] == pytest.approx(amplitude[0], rel=1e-6)


@pytest.mark.parametrize("law", ["none", "doppler", "physical"])
def test_images_are_late_and_weak_by_their_detour(law: Any) -> None:
    model = room(order=2)
    direct = SourcePath.from_source(Source("s", (Key(0.0, 40, 5, 1.6), Key(1.0, -60, -10, 1.2))))
    point = Point(direct, 0.5, 1.4)
    hop, count = 480, 100
    field = Reflections(point, model, RenderOptions("physical", law, room=model), 48_000, hop, 1.0)
    found = field.arrivals(-3, count)
    shortest, longest = field.bounds_samples()
    assert len(field.images) == 24
    assert (found.delay_samples >= shortest).all()
    assert (found.delay_samples <= longest).all()
    assert not found.jump.any()
    # what is heard at each time left earlier by the way of the image: a root to find, for each image by itself
    heard_s = (np.arange(count) - 3) * (hop / 48_000)

    def at(left_s: float, index: int) -> tuple[np.ndarray, float, float]:
        unit, distance = direct.sample([left_s])
        place = np.array(EARS) + unit[0] * distance[0]
        image = field.images.sign[index] * place + field.images.shift_m[index] - EARS
        length = float(np.linalg.norm(image))
        return image, length, length - float(distance[0])

    for index in range(0, len(field.images), 5):
        for moment in (0, 17, 50, 99):
            left_s = heard_s[moment]
            for _ in range(20):
                image, length, detour = at(left_s, index)
                travel_m = {"none": detour, "doppler": length - 1.4, "physical": length}[law]
                left_s = heard_s[moment] - travel_m / 343.2
            assert found.delay_samples[index, moment] == pytest.approx(travel_m / 343.2 * 48_000, abs=0.02)
            np.testing.assert_allclose(found.unit[index, moment], image / length, atol=1e-4)
            assert found.distance_m[index, moment] == pytest.approx(length, abs=1e-3)
            assert found.gain[index, moment] == pytest.approx(0.5 / length, rel=1e-3)


def test_images_jump_where_their_source_does() -> None:
    path = SourcePath.from_source(Source("s", (Key(0.0, 40, 5, 1.6), Key(0.503, -60, -10, 1.2, cut=True))))
    field = Reflections(Point(path, 1.0, 1.4), room(order=1), RenderOptions("none"), 48_000, 480, 1.0)
    found = field.arrivals(0, 100)
    assert (found.jump.sum(axis=1) == 1).all()
    # nothing moves but at the jump
    assert (np.diff(found.delay_samples, axis=1)[~found.jump] == 0.0).all()
    at_s = found.jump.argmax(axis=1) * 0.01
    late_s = found.delay_samples[:, -1] / 48_000
    assert (np.abs(at_s - 0.503 - late_s) <= 0.02).all()


def test_what_nobody_hears_is_left_out() -> None:
    deaf = room(order=1, absorption=[[1.0], [0.1], [0.1], [0.1], [0.99999999], [0.1]])
    path = SourcePath.from_source(Source("s", (Key(0.0, 40, 5, 1.6),)))
    field = Reflections(Point(path, 1.0, 1.6), deaf, RenderOptions(), 48_000, 480, 1.0)
    assert len(field.images) == 4
    assert not field.images.hits[:, [0, 4]].any()


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(0.0, 60))
def test_sources_beyond_the_walls_come_inside_in_their_horizontal_direction(
    azimuth: float, elevation: float, distance: float
) -> None:
    az, el = np.deg2rad(azimuth), np.deg2rad(elevation)
    offset = distance * np.array([[np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)]])
    place = inside(room(), offset)[0]
    low, high = 0.3 - np.array(EARS), np.array(SIZE) - 0.3 - np.array(EARS)
    assert ((place >= low - 1e-9) & (place <= high + 1e-9)).all()
    assert np.hypot(*place[:2]) <= np.hypot(*offset[0, :2]) + 1e-9
    assert place[0] * offset[0, 1] == pytest.approx(place[1] * offset[0, 0], abs=1e-9)
    if ((offset[0] >= low) & (offset[0] <= high)).all():
        np.testing.assert_allclose(place, offset[0], atol=1e-12)


def test_the_strongest_images_are_kept() -> None:
    model = room(order=3)
    source = np.array([[4.0, 3.0, 1.0]])
    images = images_of(model)
    energy = (images.amplitude[:, 1:6] ** 2).mean(axis=1) / ((images.positions_m(source)[0] - EARS) ** 2).sum(axis=1)
    kept = images.strongest(model, source, 9)
    found = (kept.amplitude[:, 1:6] ** 2).mean(axis=1) / ((kept.positions_m(source)[0] - EARS) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, np.sort(energy)[::-1][:9], rtol=1e-9)


@pytest.mark.parametrize("shares", [1.0, (1, 1, 1, 1, 3, 0.5), (0.2, 0.2, 0.2, 0.2, 9, 0.2)])
def test_absorption_from_a_time_gives_that_time_by_eyring(shares: Any) -> None:
    times = np.array([0.8, 0.7, 0.6, 0.55, 0.5, 0.45, 0.4, 0.3])
    model = RoomModel.of(SIZE, rt60_s=times, shares=shares)
    np.testing.assert_allclose(RoomModel.of(SIZE, absorption=model.absorption).rt60_s, times, rtol=1e-6)


def test_eyring_equals_pyroomacoustics_formula_where_air_takes_nothing() -> None:
    pra = pytest.importorskip("pyroomacoustics")
    other = pra.ShoeBox(SIZE, fs=48_000, materials=pra.Material(0.3), max_order=0)
    other.add_source([1, 1, 1])
    assert RoomModel.of(SIZE, absorption=0.3).rt60_s[0] == pytest.approx(other.rt60_theory("eyring"), rel=0.003)


def test_air_shortens_the_highest_octave() -> None:
    # ISO 9613-1 table 1, 20 degrees and 50 %: 0.105 dB/m at 8 kHz
    times = RoomModel.of((48, 22, 18), absorption=0.05).rt60_s
    walls = 1 / times[0]
    assert 1 / times[6] - walls == pytest.approx(343.2 * 0.105 / 60, rel=0.03)
    assert times[7] < 0.6 * times[6]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"absorption": None}, "rt60"),
        ({"absorption": 1.5}, "absorption"),
        ({"absorption": (0.1,) * 9}, "absorption"),
        ({"rt60_s": 0.0}, "rt60"),
        ({"rt60_s": float("nan")}, "rt60"),
        ({"rt60_s": "long"}, "rt60"),
        ({"listener_m": (9.0, 1.0, 1.0)}, "listener x"),
        ({"listener_m": (1.0, 1.0)}, "listener"),
        ({"order": 7}, "order"),
        ({"reflections": -1}, "reflections"),
        ({"scattering": 2.0}, "scattering"),
        ({"tail_db": 40.0}, "tail_db"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_parameters_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidInput) as error:
        room(**changes)
    assert what in str(error.value)


def test_bad_sizes_are_refused() -> None:
    for size in ((0, 1, 1), (1, 1), (1, 1, float("inf")), "big"):
        with pytest.raises(InvalidInput, match="size"):
            RoomModel.of(size, rt60_s=1.0)  # type: ignore[arg-type]


def test_there_are_as_many_bands_everywhere() -> None:
    model = room()
    assert {len(model.rt60_s), *(len(wall) for wall in model.absorption)} == {len(OCTAVES_HZ)}
