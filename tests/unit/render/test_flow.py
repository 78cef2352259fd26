from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foleyspace_host
from foleyspace_host.diffusion.listener import Listener
from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable, NonFinite
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import Hrtf, load_hrtf
from foleyspace_host.render.flow import render_flow_blocks
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.told import check_room, direct_to_reverberant_db
from tests.stand_ins.flow_models import Echo, share_of_prior_onnx

RATE = 48_000
ROOM = "shoebox:5x4x2.6,rt60=0.4"


@pytest.fixture(scope="module")
def kemar_48k() -> Hrtf:
    return load_hrtf(None, RATE)


def source(name: str = "a", azimuth_deg: float = -50.0, extent_deg: float = 0.0) -> Source:
    keys = (Key(0.0, azimuth_deg, 0.0, 2.0), Key(2.0, azimuth_deg + 80.0, 10.0, 4.0))
    return Source(id=name, label=name, confidence=1.0, selected=True, keys=keys, extent_deg=extent_deg)


def trajectory(*sources: Source) -> Trajectory:
    return Trajectory(3.0, sources or (source(),))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def rendered(
    mono: np.ndarray,
    hrtf: Hrtf,
    path: Trajectory | None = None,
    model: Any = None,
    rate: int = RATE,
    cut: int | None = None,
    on_step: Callable[[], None] | None = None,
    chunk_frames: int = 768,
    **options: Any,
) -> np.ndarray:
    choices = RenderOptions(renderer="diffusion", **options)
    blocks = [mono] if cut is None else [mono[first : first + cut] for first in range(0, len(mono), cut)]
    found = render_flow_blocks(
        blocks,
        len(mono),
        rate,
        path or trajectory(),
        hrtf,
        choices,
        model or Echo(),
        on_step=on_step,
        chunk_frames=chunk_frames,
    )
    return np.concatenate(list(found), axis=1)


def level_db(sound: np.ndarray) -> float:
    return float(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-30))


@pytest.mark.parametrize("quality", ["draft", "fine"])
def test_chunks_give_what_the_whole_gives(kemar_48k: Hrtf, quality: str) -> None:
    mono = noise(70_001)
    whole = rendered(mono, kemar_48k, room=ROOM, quality=quality, chunk_frames=100_000)
    assert whole.shape == (2, 70_001)
    for chunk_frames, cut in ((50, 999), (64, 70_001), (768, 4096)):
        pieces = rendered(mono, kemar_48k, room=ROOM, quality=quality, chunk_frames=chunk_frames, cut=cut)
        assert level_db(pieces - whole) - level_db(whole) < -100.0


def test_the_same_seed_gives_the_same_bytes(kemar_48k: Hrtf) -> None:
    first, again, other = (rendered(noise(30_000), kemar_48k, room=ROOM, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert level_db(first - other) - level_db(first) > -60.0


def test_a_network_that_adds_nothing_leaves_the_free_field(kemar_48k: Hrtf) -> None:
    class Idle(Echo):
        def residual(self, maps: np.ndarray, condition: np.ndarray, t: float) -> np.ndarray:
            return np.zeros((4, *maps.shape[2:]), dtype=np.float32)

    mono = noise(40_123)
    plain = foleyspace_host.render(mono, RATE, trajectory())
    for quality in ("draft", "fine"):
        found = rendered(mono, kemar_48k, model=Idle(), room=ROOM, quality=quality)
        # fine arrives at the prior, draft has never left it
        assert level_db(found - plain) - level_db(plain) < -110.0


def test_the_network_hears_the_prior_the_mono_sound_and_the_condition(kemar_48k: Hrtf) -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    class Listens(Echo):
        def residual(self, maps: np.ndarray, condition: np.ndarray, t: float) -> np.ndarray:
            seen.append((maps[0], condition[0]))
            return np.zeros((4, *maps.shape[2:]), dtype=np.float32)

    still = Source(id="a", label="a", keys=(Key(0.0, 90.0, 0.0, 2.0),), confidence=1.0, selected=True)
    for law in ("physical", "relative"):
        rendered(noise(48_000), kemar_48k, trajectory(still), Listens(), room=ROOM, distance_gain=law, air=None)
    for maps, rows in seen:
        left, right, mono = (np.mean(maps[k : k + 2, 20:400, 60:150] ** 2) for k in (4, 6, 8))
        assert left > right
        assert 0.4 < left / mono < 0.9
        # squares are magnitudes here: the near ear is louder, two metres halve it, and by either law it is the same
        row = rows[100]
        np.testing.assert_allclose(row[:5], [0.0, 1.0, 0.0, 0.0, 0.0], atol=1e-6)
        assert row[5] < -0.5 < 0.5 < row[6]  # units of 0.3 ms
        assert row[7] > 0.2 > row[8]
        np.testing.assert_allclose(row[9:13], 0.0, atol=1e-6)  # ln(0.4 s / 0.4 s)
        assert row[15] == 1.0
    np.testing.assert_allclose(seen[0][0][8:], seen[1][0][8:], atol=1e-3)


@pytest.mark.parametrize(
    ("options", "adds"),
    [
        ({}, False),
        ({"extent_deg": 0.5}, False),
        ({"extent_deg": 40.0}, True),
        ({"room": ROOM}, True),
        ({"listener": Listener((0.0,) * 16, sparse=False)}, False),
        ({"listener": Listener((0.0,) * 16, sparse=True)}, True),
    ],
)
def test_it_adds_nothing_where_nothing_lacks(kemar_48k: Hrtf, options: dict[str, Any], adds: bool) -> None:
    mono = noise(20_000)
    plain = foleyspace_host.render(mono, RATE, trajectory())
    model = Echo()
    found = rendered(mono, kemar_48k, model=model, **options)
    assert (model.n_calls > 0) == adds == (not np.array_equal(found, plain))


def test_without_steps_the_bytes_are_those_of_the_renderer(kemar_48k: Hrtf) -> None:
    mono = noise(20_000)
    for options in ({}, {"room": ROOM}, {"extent_deg": 60.0}):
        plain = foleyspace_host.render(mono, 44_100, trajectory(), **options)  # type: ignore[arg-type]
        # no model is looked for: none of this name is there
        none = foleyspace_host.render(
            mono,
            44_100,
            trajectory(),
            renderer="diffusion",
            quality="dsp",
            flow_model="nowhere.onnx",
            **options,  # type: ignore[arg-type]
        )
        np.testing.assert_array_equal(none, plain)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_other_rates_have_exact_lengths(kemar_48k: Hrtf, rate: int) -> None:
    for n in (1, 777, rate // 3):
        assert rendered(noise(n), kemar_48k, rate=rate, room=ROOM).shape == (2, n)


def test_sources_add_up(kemar_48k: Hrtf) -> None:
    mono = noise(30_000)
    both = rendered(mono, kemar_48k, trajectory(source("a"), source("b", 100.0, 30.0)), quality="fine", room=ROOM)
    parts = [
        rendered(mono, kemar_48k, trajectory(one), quality="fine", room=ROOM)
        for one in (source("a"), source("b", 100.0, 30.0))
    ]
    assert level_db(both - parts[0] - parts[1]) - level_db(both) < -110.0


def test_silence_stays_silent(kemar_48k: Hrtf) -> None:
    mono = np.zeros(60_000, dtype=np.float32)
    assert not rendered(mono, kemar_48k, room=ROOM).any()
    mono[30_000:] = noise(30_000)
    found = rendered(mono, kemar_48k, room=ROOM, quality="fine")
    assert not found[:, :28_000].any()
    assert found[:, 30_000:].any()


def test_it_can_be_cancelled_at_each_step(kemar_48k: Hrtf) -> None:
    model = Echo()

    def cancel() -> None:
        if model.n_calls == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        rendered(noise(100_000), kemar_48k, model=model, room=ROOM, quality="fine", on_step=cancel)
    assert model.n_calls == 2


def test_memory_does_not_grow_with_the_clip(kemar_48k: Hrtf) -> None:
    class Long:
        def __init__(self, n: int) -> None:
            self.n = n

        def __iter__(self) -> Iterator[np.ndarray]:
            rng = np.random.default_rng(0)
            return (rng.standard_normal(9600).astype(np.float32) for _ in range(self.n // 9600))

    def most(n: int) -> int:
        options = RenderOptions(renderer="diffusion", room=ROOM)
        tracemalloc.start()
        for _ in render_flow_blocks(
            Long(n),
            n,
            RATE,
            trajectory(),
            kemar_48k,
            options,
            Echo(),
            chunk_frames=60,  # type: ignore[arg-type]
        ):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    most(96_000)  # what is cached
    short, long = most(96_000), most(384_000)
    assert long < short + 400_000


def test_what_cannot_be_rendered_is_refused(kemar_48k: Hrtf, tmp_path: Path) -> None:
    mono = noise(1000)
    with pytest.raises(InvalidInput, match="knows rooms of"):
        rendered(mono, kemar_48k, room="church")
    options = RenderOptions(renderer="diffusion", room=ROOM)
    with pytest.raises(InvalidInput, match="several times"):
        render_flow_blocks(iter([mono]), 1000, RATE, trajectory(), kemar_48k, options, Echo())  # type: ignore[arg-type]
    with pytest.raises(NonFinite):
        rendered(np.full(1000, np.nan, dtype=np.float32), kemar_48k, room=ROOM)
    with pytest.raises(InvalidInput, match="48000"):
        rendered(mono, load_hrtf(None, 44_100), room=ROOM)
    for wrong in (
        {"format": "foa"},
        {"channel_angles_deg": (30.0, -30.0)},
        {"quality": "best"},
        {"seed": -1},
        {"listener": tmp_path / "gone.json"},
    ):
        with pytest.raises(InvalidInput):
            RenderOptions(renderer="diffusion", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ModelUnavailable):
        foleyspace_host.render(mono, RATE, trajectory(), renderer="diffusion", flow_model=tmp_path / "gone.onnx")


def test_the_level_of_a_room_is_that_of_a_diffuse_field() -> None:
    room = RenderOptions(room="shoebox:6x5x3,rt60=0.5").room
    # Sabine: A = 0.161 V / T, and 16 pi / A is the energy re the direct sound at 1 m
    wanted = -10.0 * np.log10(16.0 * np.pi / (0.161 * 90.0 / 0.5))
    assert abs(direct_to_reverberant_db(room) - wanted) < 0.1  # type: ignore[arg-type]
    model = Echo()
    check_room(room, model)  # type: ignore[arg-type]
    model.rt60_range_s = (0.15, 0.3)
    with pytest.raises(InvalidInput, match="knows rooms of"):
        check_room(room, model)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="adds no rooms"):
        check_room(room, Echo(adds="sparse"))  # type: ignore[arg-type]


def test_what_the_model_does_not_add_the_renderer_does(kemar_48k: Hrtf) -> None:
    mono = noise(20_000)
    wide = foleyspace_host.render(mono, RATE, trajectory(), extent_deg=60.0)
    model = Echo(adds="room")
    found = rendered(mono, kemar_48k, model=model, extent_deg=60.0, listener=Listener((0.0,) * 16, sparse=True))
    np.testing.assert_array_equal(found, wide)
    assert not model.n_calls
    rendered(mono, kemar_48k, model=model, extent_deg=60.0, room=ROOM)
    assert model.n_calls


def test_the_whole_way_with_a_model_in_a_file(tmp_path: Path) -> None:
    model = share_of_prior_onnx(tmp_path / "m.onnx", 0.5)
    mono = noise(24_000)
    plain = foleyspace_host.render(mono, RATE, trajectory())
    done: list[int] = []
    found = foleyspace_host.render(
        mono,
        RATE,
        trajectory(),
        renderer="diffusion",
        flow_model=model,
        room=ROOM,
        on_progress=lambda now, _: done.append(now),
    )
    # one and a half times the root of the magnitude
    np.testing.assert_allclose(found[:, 1000:-2000], 2.25 * plain[:, 1000:-2000], atol=1e-3)
    assert done == sorted(done)
    assert done[-1] == 24_000
