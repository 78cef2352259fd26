"""A training of the foley model learns, stops and goes on as if it had not stopped, and can be exported and used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion.features import HOP  # noqa: E402
from foleyspace_host.errors import InvalidInput  # noqa: E402
from foleyspace_host.generate.classes import NAMES  # noqa: E402
from foleyspace_host.generate.embedded.condition import FLOOR_DB, N_BANDS, begin, levels_db, rows  # noqa: E402
from foleyspace_host.generate.embedded.engine import EmbeddedEngine  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402
from training.binaural_flow.model.net import NetSize  # noqa: E402
from training.foley.data.bank import Bank, mean_spectra_db  # noqa: E402
from training.foley.data.batches import Stream  # noqa: E402
from training.foley.export_onnx import averaged_net, export, parity  # noqa: E402
from training.foley.model.flow import batch_loss, sampled, told  # noqa: E402
from training.foley.model.net import FoleyNet, scales  # noqa: E402
from training.foley.recipes import RECIPES, FoleyRecipe, find_recipe  # noqa: E402
from training.foley.train import Training, train  # noqa: E402

SMALL = FoleyRecipe(
    "small",
    NetSize(16, (8, 8, 8), (1, 1, 1, 1, 1), 2, 8),
    batch_size=2,
    n_steps=10,
    learning_rate=5e-3,
    warm_up_steps=2,
    guided_after=0.5,
    ema_decay=0.8,
    lead_frames=4,
    crop_frames=24,
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
    return Bank([[] for _ in NAMES], sounds, mean_spectra_db(sounds))


def stream(**given: object) -> Stream:
    return Stream(tones(), lead_frames=4, crop_frames=24, seed=1, **given)  # type: ignore[arg-type]


def test_batches_are_what_their_numbers_say_and_tell_the_truth() -> None:
    batch = stream().batch(3, 4)
    again = stream().batch(3, 4)
    assert torch.equal(batch.sound, again.sound)
    assert not torch.equal(batch.sound, stream().batch(4, 4).sound)
    for sound, level, condition in zip(batch.sound, batch.level, batch.condition, strict=True):
        which = int(condition[0, : len(NAMES)].argmax())
        decibels = np.maximum(levels_db(sound.numpy()), FLOOR_DB)
        assert decibels.max() == pytest.approx(0.0, abs=0.01)
        np.testing.assert_allclose(level, begin(tones().mean_db[which], decibels), rtol=2e-3)
        shares = np.eye(len(NAMES), dtype=np.float32)[which]
        np.testing.assert_allclose(condition, rows(shares, decibels, 1.0), atol=1e-5)


def test_the_network_is_scaled_so_that_noise_and_sound_of_power_1_stay_so() -> None:
    t = torch.tensor([0.0, 0.3, 1.0])
    shown, past, asked = (one.flatten() for one in scales(t))
    size = (t**2 + (1 - t) ** 2).sqrt()
    torch.testing.assert_close(shown * size, torch.ones(3))
    torch.testing.assert_close(past, torch.tensor([0.0, 0.3 / 0.58, 1.0]))
    # what is left after the best linear guess of the end from the way
    torch.testing.assert_close(asked, (1.0 - past * t).clamp_min(0.0).sqrt(), atol=1e-4, rtol=1e-4)


def test_an_untrained_network_ends_at_the_best_guess() -> None:
    net = FoleyNet(SMALL.size)
    maps = torch.randn(2, 3, 512, 12)
    t = torch.tensor([0.0, 0.5])
    found = net(maps, torch.zeros(2, 12, len(NAMES) + 2), t)
    torch.testing.assert_close(found[0], torch.zeros_like(found[0]))
    torch.testing.assert_close(found[1], maps[1, :2])


def test_it_learns_and_tells_classes_apart() -> None:
    recipe = replace(SMALL, n_steps=80, guided_after=1.0, learning_rate=1e-2)
    training = Training.begin(recipe, torch.device("cpu"))
    source = stream(vary=False)

    def error() -> float:
        noise = torch.Generator().manual_seed(0)
        with torch.no_grad():
            found = batch_loss(
                training.net, source.batch(0, 8), torch.full((8,), 0.5), noise, teacher=None, autocast=False
            )
        return float(found.end_point)

    before = error()
    for number in range(1, 81):
        training.advance(source.batch(number, 2))
    assert error() < 0.96 * before
    level = torch.ones(1, 512, 24) * 0.3
    condition = torch.from_numpy(rows(np.eye(len(NAMES), dtype=np.float32)[0], np.zeros(24, np.float32), 1.0))[None]
    made = sampled(training.net, level, condition, 2, torch.Generator().manual_seed(0))
    assert made.shape == (1, 24 * HOP)
    assert torch.isfinite(made).all()


def test_guidance_moves_what_is_learnt_away_from_no_class() -> None:
    class Fixed(torch.nn.Module):
        """Answers 1 with a class, 0 without."""

        def forward(self, maps: torch.Tensor, condition: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            with_class = condition[:, :, : len(NAMES)].sum(dim=2).amax(dim=1).reshape(-1, 1, 1, 1)
            return with_class.expand(-1, 2, 512, maps.shape[-1])

    class Asked(torch.nn.Module):
        def forward(self, maps: torch.Tensor, condition: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            self.strength = 1.0 + 3.0 * condition[:, 0, -1]
            self.named = condition[:, 0, : len(NAMES)].sum(dim=1)
            return maps[:, :2]

    batch = stream().batch(0, 16)
    t, asked = torch.full((16,), 0.9), Asked()
    generator = torch.Generator().manual_seed(3)
    guided = batch_loss(asked, batch, t, generator, teacher=Fixed(), autocast=False)
    assert float(asked.strength.max()) > 2.0
    assert (asked.strength[asked.named == 0] == 1.0).all()
    plain = batch_loss(asked, batch, t, torch.Generator().manual_seed(3), teacher=None, autocast=False)
    assert (asked.strength == 1.0).all()
    assert float(guided.total) > float(plain.total)


def test_rows_of_guidance_and_of_no_class() -> None:
    given = torch.ones(2, 5, len(NAMES) + 2)
    made = told(given, torch.tensor([1.0, 4.0]), classless=torch.tensor([True, False]))
    assert float(made[0, :, : len(NAMES)].abs().sum()) == 0.0
    assert float(made[1, :, : len(NAMES)].mean()) == 1.0
    torch.testing.assert_close(made[:, 0, -1], torch.tensor([0.0, 1.0]))


def test_it_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def quiet(_: str) -> None:
        return

    whole = train(SMALL, stream(), stream(vary=False), tmp_path / "whole", say=quiet)
    part = train(replace(SMALL, n_steps=10), stream(), stream(vary=False), tmp_path / "part", minutes=0.0, say=quiet)
    assert part.step <= 10
    rest = train(SMALL, stream(), stream(vary=False), tmp_path / "part", say=quiet)
    assert rest.step == whole.step == 10
    for name, value in whole.average.weights.items():
        torch.testing.assert_close(rest.average.weights[name], value)
    with pytest.raises(InvalidInput, match="another recipe"):
        train(replace(SMALL, seed=9), stream(), stream(), tmp_path / "part", say=quiet)
    with pytest.raises(InvalidInput, match="base-cpu"):
        find_recipe("huge")
    assert {"tiny", "base", "base-cpu"} <= set(RECIPES)


def test_what_is_exported_answers_the_same_and_makes_sound(tmp_path: Path) -> None:
    training = Training.begin(SMALL, torch.device("cpu"))
    for number in range(3):
        training.advance(stream().batch(number, 2))
    net = averaged_net(SMALL, training.average.weights)
    for precision, bound in (("fp32", 1e-4), ("fp16", 5e-3)):
        path = export(net, tmp_path / f"{precision}.onnx", tones().mean_db, {"licence": "own"}, precision)  # type: ignore[arg-type]
        assert parity(net, path) < bound
    engine = EmbeddedEngine("cpu", tmp_path / "fp16.onnx")
    made = engine.generate(GenerateRequest("footsteps on stone", 0.5, seed=1))
    assert made.samples.shape == (1, 24_000)
    assert np.abs(made.samples).max() > 1e-3
    assert tones().mean_db.shape == (len(NAMES), N_BANDS)


def test_the_commands_train_and_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from training.binaural_flow.data.material import Sound
    from training.binaural_flow.data.pack import pack_sounds
    from training.foley.commands import _commands
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
    found = run(_commands, [*arguments, "--device", "cpu"])
    assert found.exit_code == 0, found.output
    assert "4 of 4 steps; done" in found.output
    out = tmp_path / "model.onnx"
    told = ["export", str(tmp_path / "run"), str(out), "--data", str(tmp_path / "data"), "--recipe", "tiny"]
    found = run(_commands, told)
    assert found.exit_code == 0, found.output
    assert EmbeddedEngine("cpu", out).generate(GenerateRequest("footsteps", 0.3)).samples.shape == (1, 14_400)
    with pytest.raises(InvalidInput, match="no checkpoint"):
        run(_commands, [told[0], str(tmp_path / "data"), *told[2:]], catch_exceptions=False)
