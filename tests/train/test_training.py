"""A training learns, stops and goes on as if it had not stopped, and what it made can be exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion.chunks import Stretch  # noqa: E402
from foleyspace_host.diffusion.condition import N_CONDITION, SLICES  # noqa: E402
from foleyspace_host.diffusion.features import HOP  # noqa: E402
from foleyspace_host.diffusion.model import open_flow_model  # noqa: E402
from foleyspace_host.diffusion.sampler import Sampler, flow_times  # noqa: E402
from training.binaural_flow.data.batches import Batch  # noqa: E402
from training.binaural_flow.export_onnx import export, parity  # noqa: E402
from training.binaural_flow.model.flow import flow_time, prepared, sampled  # noqa: E402
from training.binaural_flow.model.net import FlowNet, NetSize  # noqa: E402
from training.binaural_flow.model.spectra import reach, shown  # noqa: E402
from training.binaural_flow.recipes import RECIPES, Recipe, preset_of  # noqa: E402
from training.binaural_flow.train import BinauralTraining  # noqa: E402
from training.flow import checkpoint  # noqa: E402
from training.flow.stored_weights import PRECISIONS  # noqa: E402
from training.flow.training import LOG, train  # noqa: E402

SMALL = Recipe(
    "small",
    NetSize(16, (8, 8, 8), (1, 1, 1, 1, 1), 2, 8),
    batch_size=2,
    n_steps=12,
    learning_rate=5e-3,
    warm_up_steps=2,
    ema_decay=0.8,
    autocast=False,
    validate_every=6,
    validation_batches=1,
)
N_FRAMES = 28


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Echoes:
    """Noise whose target is the prior, and most of it again, turned about, a frame later."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def batch(self, number: int, size: int) -> Batch:
        generator = torch.Generator().manual_seed(1000 * self.seed + number)
        mono = torch.randn(size, N_FRAMES * HOP, generator=generator)
        prior = torch.stack([mono, 0.5 * mono], dim=1)
        target = prior - 0.8 * prior.roll(HOP, dims=2)
        condition = torch.zeros(size, N_FRAMES, N_CONDITION)
        condition[..., SLICES["room"].stop - 1] = 1.0
        return Batch(mono, prior, target, condition, torch.ones(size, dtype=torch.int64), 4)


def trained(run: Path, recipe: Recipe = SMALL, **options: Any) -> BinauralTraining:
    return train(BinauralTraining(recipe, torch.device("cpu")), Echoes(), Echoes(1), run, say=lambda _: None, **options)


def same(one: BinauralTraining, other: BinauralTraining) -> bool:
    pairs = zip(one.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    averages = (bool((one.average.weights[name] == value).all()) for name, value in other.average.weights.items())
    return all(bool((a == b).all()) for a, b in pairs) and all(averages)


def test_a_training_that_went_on_is_the_one_that_did_not_stop(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    trained(tmp_path / "pieces", replace(SMALL, n_steps=12), minutes=0.0)
    for _ in range(3):
        piece = BinauralTraining(SMALL, torch.device("cpu"))
        piece.resume(checkpoint.latest(tmp_path / "pieces"))  # type: ignore[arg-type]
        for _ in range(4):
            piece.advance(Echoes().batch(piece.step, 2))
        piece.keep(tmp_path / "pieces")
    assert piece.step == whole.step == 12
    assert same(piece, whole)
    assert len(list((tmp_path / "pieces").glob("step-*"))) == 1


def test_it_learns(tmp_path: Path) -> None:
    trained(tmp_path, replace(SMALL, n_steps=150, validate_every=150))
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text(encoding="utf-8").splitlines()]
    losses = [line["total"] for line in lines if "total" in line]
    assert losses[-1] < 0.8 * losses[0]
    (found,) = [line["held_out"]["room"] for line in lines if "held_out" in line]
    assert found["wave_draft"] < 0.8 * found["wave_prior"]


def test_its_rate_falls_and_cools_as_the_recipe_says() -> None:
    slow = BinauralTraining(replace(SMALL, n_steps=20, fall_steps=40, cool_steps=5), torch.device("cpu"))
    over_all = BinauralTraining(replace(SMALL, n_steps=40), torch.device("cpu"))
    slow.step = over_all.step = 12
    assert slow.rate() == over_all.rate()
    slow.step = over_all.step = 18
    assert slow.rate() < 0.5 * over_all.rate()


def test_times_are_those_that_are_asked_for_later() -> None:
    t = flow_time(4000, torch.Generator().manual_seed(0))
    assert 0.45 < float((t == 0.0).float().mean()) < 0.55
    assert 0.75 < float(t.max()) <= 0.8


def test_recipes_are_whole() -> None:
    for recipe in RECIPES.values():
        assert recipe.size.memory >= 113  # frames: the longest room
        assert "FREE" not in {task.name for task in preset_of(recipe).tasks}
        assert sum(preset_of(recipe).tasks.values()) == pytest.approx(1.0)
        state = BinauralTraining(recipe, torch.device("cpu"))
        n_weights = sum(weight.numel() for weight in state.net.parameters())
        assert 4 * 4 * n_weights < 7 * checkpoint.PIECE_BYTES


@pytest.fixture(scope="module")
def net() -> FlowNet:
    torch.manual_seed(0)
    made = FlowNet(NetSize(8, (12, 16, 24), (1, 1, 3, 1, 1), 2, 16))
    torch.nn.init.normal_(made.leave.weight, std=0.05)
    return made.eval()


@pytest.mark.parametrize(("precision", "bound"), list(zip(PRECISIONS, (1e-5, 2e-3, 3e-2), strict=True)))
def test_exported_models_answer_as_torch_does(net: FlowNet, tmp_path: Path, precision: Any, bound: float) -> None:
    path = export(net, tmp_path / "m.onnx", {"recipe": "none", "licence": "Apache-2.0"}, precision)
    assert parity(net, path) < bound
    model = open_flow_model(path)
    assert (model.memory, model.look_ahead) == (net.size.memory, net.size.look_ahead)
    assert model.rt60_range_s == (0.15, 0.6)


def test_smaller_precisions_make_smaller_files(net: FlowNet, tmp_path: Path) -> None:
    sizes = [export(net, tmp_path / f"{name}.onnx", {}, name).stat().st_size for name in PRECISIONS]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("n_steps", [1, 4])
def test_the_package_s_sampler_takes_the_way_that_training_takes(net: FlowNet, tmp_path: Path, n_steps: int) -> None:
    model = open_flow_model(export(net, tmp_path / "m.onnx", {}))
    batch = Echoes(4).batch(0, 1)
    made = prepared(batch)
    stretch = Stretch.of(
        made.prior[0].numpy(),
        made.mono[0].numpy(),
        batch.condition[0].numpy(),
        np.ascontiguousarray(made.nyquist[0, :, 0].numpy()),
    )
    (ended,) = [one for one in Sampler(model, n_steps, 9).push(stretch, last=True) if one is not None]
    # the same noise, and the silence that the package puts before the first frame
    from foleyspace_host.diffusion.noise import frame_noise
    from foleyspace_host.diffusion.sampler import SIGMA

    past = net.size.memory
    level = reach(made.prior, made.mono)
    prior, mono, told = (torch.nn.functional.pad(one, (past, 0)) for one in (made.prior, made.mono, made.prior[:, :1]))
    held = torch.nn.functional.pad(level, (past, 0), value=1e-3)
    rows = torch.nn.functional.pad(batch.condition, (0, 0, past, 0))
    x = made.prior + SIGMA * level * torch.from_numpy(frame_noise(9, 0, N_FRAMES))[None]
    assert told.shape[-1] == past + N_FRAMES
    with torch.no_grad():
        for t, step in flow_times(n_steps):
            place = torch.nn.functional.pad(x, (past, 0))
            found = net(shown(place, prior, mono, held), rows, torch.tensor([t]))[..., past:]
            x = x + step / (1.0 - t) * (made.prior + level * found - x)
    np.testing.assert_allclose(ended.maps[..., : N_FRAMES - 8], x[0, ..., : N_FRAMES - 8].numpy(), atol=2e-4)
    sound = sampled(net, batch, n_steps, torch.Generator().manual_seed(0))
    assert sound.shape == batch.prior.shape
