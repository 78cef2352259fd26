"""A training of the foley model learns, stops and goes on as if it had not stopped, and can be exported and used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.errors import InvalidInput  # noqa: E402
from foleyspace_host.generate.classes import NAMES  # noqa: E402
from foleyspace_host.generate.embedded.bands import N_BANDS, centres_hz  # noqa: E402
from foleyspace_host.generate.embedded.condition import (  # noqa: E402
    LEVEL,
    N_CONDITION,
    N_LIKENESS,
    RECORDED,
)
from foleyspace_host.generate.embedded.engine import EmbeddedEngine  # noqa: E402
from foleyspace_host.generate.embedded.portrait import N_SHOWN  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402
from training.flow.training import train  # noqa: E402
from training.foley.data.bank import Bank, portraits  # noqa: E402
from training.foley.data.batches import Stream  # noqa: E402
from training.foley.export_onnx import export, parity  # noqa: E402
from training.foley.model.flow import batch_loss, sampled  # noqa: E402
from training.foley.model.net import FoleyNet, FoleySize  # noqa: E402
from training.foley.recipes import RECIPES, FoleyRecipe  # noqa: E402
from training.foley.train import FoleyTraining  # noqa: E402

SMALL = FoleyRecipe(
    "small",
    FoleySize(16, (1, 2), 2, 8),
    batch_size=2,
    n_steps=10,
    learning_rate=5e-3,
    warm_up_steps=2,
    ema_decay=0.8,
    n_frames=24,
    autocast=False,
    validate_every=5,
    validation_batches=1,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def tones() -> Bank:
    """Two classes: a low and a high tone with noise."""
    rng = np.random.default_rng(0)
    time = np.arange(48_000) / 48_000
    sounds: list[list[np.ndarray]] = [[] for _ in NAMES]
    for which, pitch in ((0, 400.0), (1, 5000.0)):
        for _ in range(3):
            tone = np.sin(2 * np.pi * pitch * time) + 0.05 * rng.standard_normal(48_000)
            sounds[which].append(tone.astype(np.float32))
    return Bank([[] for _ in NAMES], sounds)


def stream(**given: object) -> Stream:
    return Stream(tones(), n_frames=24, seed=1, **given)  # type: ignore[arg-type]


def test_batches_are_what_their_numbers_say_and_tell_the_truth() -> None:
    batch = stream().batch(3, 4)
    again = stream().batch(3, 4)
    assert torch.equal(batch.bands, again.bands)
    assert not torch.equal(batch.bands, stream().batch(4, 4).bands)
    for bands, seen, condition, heard in zip(batch.bands, batch.shown, batch.condition, batch.heard, strict=True):
        which = int(condition[0, : len(NAMES)].argmax())
        assert float(condition[0, : len(NAMES)].sum()) == 1.0
        assert float(condition[0, RECORDED]) == 0.0
        assert float(condition[:, LEVEL].max()) == pytest.approx(1.0)
        # the tone stands out where its pitch is, a quarter of an octave off at most
        loudest = int((seen[:N_BANDS] * heard).sum(dim=1).argmax())
        assert abs(np.log2(centres_hz()[loudest] / (400.0, 5000.0)[which])) < 0.35
        # and the rest is what its own portrait leaves: loud frames count more there, so only about
        rest = bands[:, heard == 1.0]
        assert abs(float(rest.mean())) < 0.5
        assert 0.4 < float(rest.std()) < 1.6


def test_recordings_are_told_from_what_was_made_and_silence_hardly_counts() -> None:
    bank = tones()
    silent = [np.concatenate([one, np.zeros_like(one)]) for one in bank.invented[0]]
    recorded: list[list[np.ndarray]] = [silent * 2 if n == 0 else [] for n in range(len(NAMES))]
    source = Stream(Bank(recorded, bank.invented), n_frames=180, seed=1)
    batch = source.batch(0, 40)
    first = batch.condition[:, 0, 0] == 1.0
    flags = batch.condition[:, 0, RECORDED]
    assert 0 < float(flags[first].sum()) < int(first.sum())
    assert float(flags[~first].sum()) == 0.0
    quiet = batch.condition[:, :, LEVEL] == 0.0
    assert quiet.any()
    assert (batch.heard[quiet] < 0.1).all()
    assert (batch.heard[~quiet] == 1.0).all()


def test_an_untrained_network_goes_nowhere() -> None:
    net = FoleyNet(SMALL.size)
    seen, told = torch.zeros(2, N_SHOWN, 12), torch.zeros(2, 12, N_CONDITION)
    found = net(torch.randn(2, N_BANDS, 12), seen, told, torch.tensor([0.0, 0.5]))
    torch.testing.assert_close(found, torch.zeros_like(found))


def test_the_network_sees_no_further_than_it_says() -> None:
    torch.manual_seed(0)
    net = FoleyNet(SMALL.size)
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    place = torch.randn(1, N_BANDS, 40)
    other = place.clone()
    other[..., 20] += 1.0
    rest = torch.zeros(1, N_SHOWN, 40), torch.zeros(1, 40, N_CONDITION), torch.tensor([0.5])
    with torch.no_grad():
        moved = (net(place, *rest) - net(other, *rest)).abs().amax(dim=(0, 1)) > 1e-6
    reach = net.size.reach
    assert moved[20 - reach : 21 + reach].all()
    assert not moved[: 20 - reach].any()
    assert not moved[21 + reach :].any()


def test_the_loss_of_the_true_velocity_is_nothing() -> None:
    batch = stream().batch(0, 3)

    class Knowing(torch.nn.Module):
        """Works the velocity out from the end, which it knows."""

        def forward(
            self, place: torch.Tensor, shown: torch.Tensor, condition: torch.Tensor, t: torch.Tensor
        ) -> torch.Tensor:
            part = t.reshape(-1, 1, 1)
            return batch.bands - (place - part * batch.bands) / (1.0 - part)

    class Ignorant(torch.nn.Module):
        def forward(
            self, place: torch.Tensor, shown: torch.Tensor, condition: torch.Tensor, t: torch.Tensor
        ) -> torch.Tensor:
            return torch.zeros_like(place)

    t = torch.tensor([0.0, 0.3, 0.8])
    losses = [
        float(batch_loss(net, batch, t, torch.Generator().manual_seed(0), autocast=False))
        for net in (Knowing(), Ignorant())
    ]
    assert losses[0] < 1e-8
    counted = (batch.bands.square().mean(dim=1) * batch.heard).sum() / batch.heard.sum()
    assert losses[1] == pytest.approx(1.0 + float(counted), rel=0.05)


def test_now_and_then_it_is_not_told() -> None:
    class Asked(torch.nn.Module):
        def forward(
            self, place: torch.Tensor, shown: torch.Tensor, condition: torch.Tensor, t: torch.Tensor
        ) -> torch.Tensor:
            self.told = condition[:, 0, :N_LIKENESS].sum(dim=1)
            assert float(condition[:, :, LEVEL].max()) > 0.9
            return torch.zeros_like(place)

    batch, net = stream().batch(0, 64), Asked()
    batch_loss(net, batch, torch.full((64,), 0.5), torch.Generator().manual_seed(0), autocast=False)
    assert 3 <= int((net.told == 0).sum()) <= 20
    batch_loss(net, batch, torch.full((64,), 0.5), torch.Generator().manual_seed(0), tell_all=True, autocast=False)
    assert (net.told > 0).all()


def test_it_learns_what_follows_what() -> None:
    recipe = replace(SMALL, size=FoleySize(32, (1, 2), 2, 16), n_steps=600, learning_rate=4e-3)
    training = FoleyTraining(recipe, torch.device("cpu"))
    source = stream(vary=False)

    def error() -> float:
        noise = torch.Generator().manual_seed(0)
        with torch.no_grad():
            return float(batch_loss(training.net, source.batch(0, 8), torch.full((8,), 0.5), noise, autocast=False))

    before = error()
    for number in range(1, 601):
        training.advance(source.batch(number, 4))
    assert error() < 0.85 * before
    batch = source.batch(0, 2)
    made = sampled(training.net.eval(), batch.shown, batch.condition, 8, torch.Generator().manual_seed(0))
    assert made.shape == (2, N_BANDS, 24)
    assert torch.isfinite(made).all()
    # frames overlap, so that noise goes on from one to the next; where the flow begins it does not
    along = [float((one[:, :, 1:] * one[:, :, :-1]).mean() / one.square().mean()) for one in (batch.bands, made)]
    assert along[0] > 0.3
    assert along[1] > 0.03


def test_the_portraits_of_a_bank_are_of_its_loudest_parts() -> None:
    found = portraits(tones())
    assert [len(invented) for _, invented in found] == [3, 3] + [0] * (len(NAMES) - 2)
    for which, pitch in ((0, 400.0), (1, 5000.0)):
        peak = int(found[which][1][0].portrait.loudest_db.argmax())
        assert found[which][1][0].course is None
        assert abs(np.log2(centres_hz()[peak] / pitch)) < 0.1
    quiet = 0.001 * np.random.default_rng(0).standard_normal(5 * 48_000).astype(np.float32)
    quiet[-48_000:] = tones().invented[0][0]
    late = portraits(Bank([[quiet], *[[] for _ in NAMES[1:]]], [[] for _ in NAMES]))[0][0][0].portrait
    assert abs(np.log2(centres_hz()[late.loudest_db.argmax()] / 400.0)) < 0.1


def begun(recipe: FoleyRecipe) -> FoleyTraining:
    return FoleyTraining(recipe, torch.device("cpu"))


def test_it_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def quiet(_: str) -> None:
        return

    whole = train(begun(SMALL), stream(), stream(vary=False), tmp_path / "whole", say=quiet)
    part = train(begun(SMALL), stream(), stream(vary=False), tmp_path / "part", minutes=0.0, say=quiet)
    assert part.step <= 10
    rest = train(begun(SMALL), stream(), stream(vary=False), tmp_path / "part", say=quiet)
    assert rest.step == whole.step == 10
    for name, value in whole.average.weights.items():
        torch.testing.assert_close(rest.average.weights[name], value)
    with pytest.raises(InvalidInput, match="another recipe"):
        train(begun(replace(SMALL, seed=9)), stream(), stream(), tmp_path / "part", say=quiet)
    assert {"tiny", "base", "base-cpu"} <= set(RECIPES)


def test_what_is_exported_answers_the_same_and_makes_sound(tmp_path: Path) -> None:
    training = FoleyTraining(SMALL, torch.device("cpu"))
    for number in range(3):
        training.advance(stream().batch(number, 2))
    net = training.averaged()
    for precision, bound in (("fp32", 1e-4), ("fp16", 5e-3)):
        path = export(net, tmp_path / f"{precision}.onnx", tones(), {"licence": "own"}, precision)  # type: ignore[arg-type]
        assert parity(net, path) < bound
    engine = EmbeddedEngine("cpu", tmp_path / "fp16.onnx")
    made = engine.generate(GenerateRequest("footsteps on stone", 0.5, seed=1))
    assert made.samples.shape == (1, 24_000)
    assert np.abs(made.samples).max() > 1e-3


def test_a_card_tells_file_figures_and_authors(tmp_path: Path) -> None:
    from training.foley.card import write_card

    model = export(FoleyNet(SMALL.size), tmp_path / "m.onnx", tones(), {"steps": "7"})
    row = {
        "name": "model, 8 steps",
        "class_accuracy": 0.25,
        "told_apart": [0.25, 0.5],
        "kernel": [0.1, 0.0, 0.2],
        "envelope": 0.98,
        "onset_ms": 3.2,
        "copied_wave": [0.2, 0.4],
        "copied_embedding": [0.7, 0.9],
        "times_real": 12.34,
    }
    (tmp_path / "quality.json").write_text(json.dumps([row, row | {"name": "real", "onset_ms": None}]))
    own = {"package": "some-data", "licence": "CC-BY-3.0", "holders": "Ada"}
    (tmp_path / "credits.json").write_text(json.dumps([own, own, own | {"holders": "Bob"}, own | {"licence": "CC0"}]))
    write_card(tmp_path / "m.md", model, tmp_path / "quality.json", tmp_path / "credits.json", {"hardware": "a core"})
    text = (tmp_path / "m.md").read_text()
    assert hashlib.sha256(model.read_bytes()).hexdigest() in text
    assert "| steps | 7 |" in text
    assert "| hardware | a core |" in text
    assert "25 % | 25 % / 50 % | 0.10 (0.00 to 0.20) | 0.980 | 3 ms |" in text
    assert "| 0.20, at most 0.40 | 0.70, at most 0.90 | 12.3 |" in text
    assert "- some-data, CC-BY-3.0, 3: Ada; Bob" in text
    assert "- some-data, CC0, 1: Ada" in text


def test_the_commands_train_and_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from training.flow.sounds import Sound, pack_sounds
    from training.foley.commands import commands
    from training.foley.data.bank import SOUNDS

    sounds = [
        Sound(f"{NAMES[which]}/made/{n}", 0.3 * sound, "generated", n == 0)
        for which in (0, 1)
        for n, sound in enumerate(tones().invented[which])
    ]
    (tmp_path / "data").mkdir()
    pack_sounds(tmp_path / "data" / SOUNDS, sounds)
    monkeypatch.setitem(RECIPES, "tiny", SMALL)
    run = CliRunner().invoke
    arguments = ["train", str(tmp_path / "data"), "--out", str(tmp_path / "run"), "--recipe", "tiny", "--steps", "4"]
    found = run(commands, [*arguments, "--device", "cpu"])
    assert found.exit_code == 0, found.output
    assert "4 of 4 steps; done" in found.output
    out = tmp_path / "model.onnx"
    told = ["export", str(tmp_path / "run"), str(out), "--data", str(tmp_path / "data"), "--recipe", "tiny"]
    found = run(commands, told)
    assert found.exit_code == 0, found.output
    assert EmbeddedEngine("cpu", out).generate(GenerateRequest("footsteps", 0.3)).samples.shape == (1, 14_400)
    with pytest.raises(InvalidInput, match="no checkpoint"):
        run(commands, [told[0], str(tmp_path / "data"), *told[2:]], catch_exceptions=False)
