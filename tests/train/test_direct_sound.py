"""Direct sounds made on the training device are those of the project's renderer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion.listener import Listener  # noqa: E402
from foleyspace_host.geometry.path import SourcePath  # noqa: E402
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory  # noqa: E402
from foleyspace_host.hrtf.prepare import prepare  # noqa: E402
from foleyspace_host.hrtf.refine import lattice  # noqa: E402
from foleyspace_host.hrtf.sofa import MeasuredHrirs  # noqa: E402
from foleyspace_host.render.binaural import render_blocks  # noqa: E402
from foleyspace_host.render.options import RenderOptions  # noqa: E402
from foleyspace_host.render.told import SourceConditions  # noqa: E402
from training.binaural_flow.data.direct import Voice, render_direct  # noqa: E402
from training.binaural_flow.data.heads import Head  # noqa: E402
from training.binaural_flow.data.listeners import ListenerBank  # noqa: E402
from training.binaural_flow.data.reflected import Surroundings  # noqa: E402
from training.binaural_flow.data.scenarios import SCENARIOS, invent  # noqa: E402
from training.binaural_flow.data.synth import Example, render_examples  # noqa: E402

RATE, FRAMES = 48_000, 96
N = FRAMES * 256
DURATION_S = N / RATE


def ball(radius_m: float = 0.09) -> MeasuredHrirs:
    """A rigid sphere with a dull far ear: no measured head, but delays, levels and shadows like one."""
    unit = lattice(300)
    hrirs = np.zeros((len(unit), 2, 128), dtype=np.float32)
    rng = np.random.default_rng(0)
    colour = np.exp(-np.arange(60) / 6.0) * rng.standard_normal(60)
    for ear, side in enumerate((1.0, -1.0)):
        toward = side * unit[:, 1]
        delay = 20.0 - toward * radius_m / 343.2 * RATE
        for row, (late, near) in enumerate(zip(delay, toward, strict=True)):
            smooth = 0.15 + 0.35 * (1.0 - near)
            pulse = np.exp(-0.5 * ((np.arange(128) - late) / (1.0 + smooth)) ** 2)
            hrirs[row, ear] = np.convolve(pulse * (1.2 + near), np.concatenate([[3.0], 0.3 * colour]))[:128]
    return MeasuredHrirs(unit, hrirs, np.zeros((len(unit), 2)), RATE, "ball")


@pytest.fixture(scope="module")
def bank() -> ListenerBank:
    return ListenerBank([Head("ball 001", ball())], n_sparse=1)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return (0.1 * np.random.default_rng(1).standard_normal(N)).astype(np.float32)


def orbit(rate_deg_s: float, distance_m: float = 2.0) -> Source:
    return Source(
        "o", tuple(Key(float(t), rate_deg_s * t, 5.0, distance_m) for t in np.arange(0.0, DURATION_S + 0.04, 0.04))
    )


def renderer(noise: np.ndarray, source: Source) -> np.ndarray:
    hrtf = prepare(ball(), RATE)
    options = RenderOptions(distance_gain="physical")
    blocks = render_blocks([noise], N, RATE, Trajectory(DURATION_S, (source,)), hrtf, options)
    return np.concatenate(list(blocks), axis=1)


def synthesised(
    noise: np.ndarray, source: Source, bank: ListenerBank, extent_deg: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    own, code = bank.own[0], np.zeros(16, dtype=np.float32)
    example = Example(torch.from_numpy(noise), source, own, own, None, extent_deg, code)
    made = render_examples([example], bank, Surroundings(bank))
    return made.prior[0].numpy(), made.target[0].numpy()


def error_db(wanted: np.ndarray, found: np.ndarray, low_hz: float, high_hz: float) -> float:
    hz = np.fft.rfftfreq(wanted.shape[1], 1 / RATE)
    band = (hz >= low_hz) & (hz < high_hz)
    y, p = (np.fft.rfft(sound)[:, band] for sound in (wanted, found))
    return float(10 * np.log10((np.abs(p - y) ** 2).sum() / (np.abs(y) ** 2).sum()))


@pytest.mark.parametrize(
    ("rate_deg_s", "distance_m", "below_8k_db", "above_db"),
    [
        (0.0, 2.0, -60, -55),
        (30.0, 2.0, -50, -42),
        (90.0, 2.0, -42, -30),
        (0.0, 0.4, -55, -50),
        (90.0, 0.5, -40, -30),
        (20.0, 9.0, -50, -42),
    ],
)
def test_a_direct_sound_is_the_renderers(
    bank: ListenerBank, noise: np.ndarray, rate_deg_s: float, distance_m: float, below_8k_db: float, above_db: float
) -> None:
    source = orbit(rate_deg_s, distance_m)
    wanted, (prior, target) = renderer(noise, source), synthesised(noise, source, bank)
    assert error_db(wanted, prior, 0, 8000) < below_8k_db
    assert error_db(wanted, prior, 8000, 16_000) < above_db
    assert np.array_equal(prior, target)


def test_a_source_may_come_near_for_a_moment(bank: ListenerBank) -> None:
    """Nearer than a metre at two control points, between which the gains of the near field are drawn on lines."""
    unit, distance_m = np.tile([1.0, 0.0, 0.0], (9, 1)), np.full(9, 2.0)
    distance_m[[1, 2]] = 0.9
    own = bank.own[0]
    voice = Voice(torch.ones(8 * 256), own, unit, distance_m, own.locate(unit), 1.0 / distance_m)
    found = render_direct([voice], bank)
    far = replace(voice, distance_m=np.full(9, 2.0))
    assert torch.isfinite(found).all()
    difference = (found - render_direct([far], bank))[0, 0].abs()
    assert float(difference[: 3 * 256].max()) > 0.0
    assert float(difference[6 * 256 :].max()) < 1e-5


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_movement_is_the_renderers(bank: ListenerBank, noise: np.ndarray, name: str) -> None:
    for seed in range(2):
        source = invent(name, np.random.default_rng(seed), DURATION_S)
        prior, _ = synthesised(noise, source, bank)
        # a jump cross-fades for 5 ms by another law
        assert error_db(renderer(noise, source), prior, 0, 8000) < (-30 if any(key.cut for key in source.keys) else -36)


@pytest.mark.parametrize("extent_deg", [30.0, 90.0, 140.0])
def test_width_is_the_renderers(bank: ListenerBank, noise: np.ndarray, extent_deg: float) -> None:
    source = orbit(20.0)
    wanted = renderer(noise, replace(source, extent_deg=extent_deg))
    prior, target = synthesised(noise, source, bank, extent_deg)
    assert error_db(wanted, target, 0, 16_000) < -36
    assert error_db(wanted, prior, 0, 16_000) > -10  # the point is another sound


def test_the_condition_is_what_the_renderer_tells_its_model(bank: ListenerBank, noise: np.ndarray) -> None:
    for name in ("pass-by", "jump"):
        source = invent(name, np.random.default_rng(5), DURATION_S)
        own, code = bank.own[0], np.linspace(-1, 1, 16).astype(np.float32)
        example = Example(torch.from_numpy(noise), source, own, own, None, 40.0, code)
        made = render_examples([example], bank, Surroundings(bank)).condition[0].numpy()
        listener = Listener(tuple(float(number) for number in code), sparse=False)
        told = SourceConditions(
            SourcePath.from_source(source), prepare(ball(), RATE), None, 40.0, listener, {"extent", "sparse"}
        )
        assert made == pytest.approx(told.rows(0, FRAMES), abs=2e-3)
