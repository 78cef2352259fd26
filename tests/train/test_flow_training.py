"""What all trainings share learns, stops and goes on as if it had not stopped, whatever the network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.errors import InvalidInput  # noqa: E402
from training.flow import checkpoint  # noqa: E402
from training.flow.averages import AveragedWeights, with_weights  # noqa: E402
from training.flow.recipe import FlowRecipe, as_stored, find_recipe  # noqa: E402
from training.flow.schedule import learning_rate  # noqa: E402
from training.flow.training import LOG, Source, Training, train  # noqa: E402


@dataclass(frozen=True, slots=True)
class LineRecipe(FlowRecipe):
    size: tuple[int, int] = (3, 1)


SMALL = LineRecipe(
    "small",
    batch_size=4,
    n_steps=30,
    learning_rate=0.05,
    warm_up_steps=3,
    validation_batches=1,
    ema_decay=0.8,
    validate_every=10,
)


class Points:
    """Points on a plane, and numbers that are not where `broken` says."""

    def __init__(self, broken: int = -1) -> None:
        self.broken = broken

    def batch(self, number: int, size: int) -> torch.Tensor:
        found = torch.randn(size, 3, generator=torch.Generator().manual_seed(number))
        return found * math.nan if number == self.broken else found


class Line(Training[LineRecipe, torch.Tensor]):
    """A plane through points whose third coordinate follows from the others; noise makes each step its own."""

    def network(self) -> torch.nn.Module:
        return torch.nn.Linear(*self.recipe.size)

    def losses(
        self, batch: torch.Tensor, chance: torch.Generator, noise: torch.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        place = batch + 0.1 * torch.randn(batch.shape, generator=noise) * torch.rand(1, generator=chance)
        loss = (self.net(place)[:, 0] - batch @ torch.tensor([1.0, -2.0, 0.5])).square().mean()
        return loss, {"loss": float(loss.detach())}

    def looked(self, net: torch.nn.Module, held_out: Source[torch.Tensor]) -> tuple[Mapping[str, Any], list[str]]:
        return {"bias": float(net(torch.zeros(1, 3)).detach())}, [": seen"]


def line(recipe: LineRecipe = SMALL) -> Line:
    return Line(recipe, torch.device("cpu"))


def trained(run: Path, recipe: LineRecipe = SMALL, said: list[str] | None = None, **options: Any) -> Line:
    say = (lambda _: None) if said is None else said.append
    return train(line(recipe), Points(), Points(), run, say=say, **options)


def test_a_training_that_went_on_is_the_one_that_did_not_stop(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    trained(tmp_path / "pieces", minutes=0.0)
    for _ in range(5):
        piece = line()
        piece.resume(checkpoint.latest(tmp_path / "pieces"))  # type: ignore[arg-type]
        for _ in range(4):
            piece.advance(Points().batch(piece.step, SMALL.batch_size))
        piece.keep(tmp_path / "pieces")
    said: list[str] = []
    rest = trained(tmp_path / "pieces", said=said)
    assert said[0].startswith("goes on after step ")
    for name, value in whole.net.state_dict().items():
        assert torch.equal(rest.net.state_dict()[name], value)
        assert torch.equal(rest.average.weights[name], whole.average.weights[name])
    assert len(list((tmp_path / "pieces").glob("step-*"))) == 1


def test_it_learns_and_writes_down_how(tmp_path: Path) -> None:
    done = trained(tmp_path, replace(SMALL, n_steps=300))
    assert torch.allclose(done.net.weight.detach(), torch.tensor([[1.0, -2.0, 0.5]]), atol=0.1)
    lines = [json.loads(text) for text in (tmp_path / LOG).read_text(encoding="utf-8").splitlines()]
    losses = [row["loss"] for row in lines if "loss" in row]
    assert losses[-1] < 0.1 * losses[0]
    assert [row["step"] for row in lines if "held_out" in row] == list(range(10, 301, 10))


def test_a_step_that_breaks_changes_nothing() -> None:
    training = line()
    training.advance(Points().batch(0, 4))
    before = training.net.weight.detach().clone()
    told = training.advance(Points(1).batch(1, 4))
    assert math.isnan(told["gradient"])
    assert torch.equal(training.net.weight.detach(), before)
    assert training.step == 2


def test_the_rate_rises_and_falls() -> None:
    rates = [learning_rate(SMALL, step) for step in range(31)]
    assert rates[0] == pytest.approx(SMALL.learning_rate / 3)
    assert max(rates) == pytest.approx(SMALL.learning_rate)
    assert rates[3:] == sorted(rates[3:], reverse=True)
    # half way down the cosine stands half way between its ends
    assert learning_rate(replace(SMALL, n_steps=43), 23) == pytest.approx(0.505 * SMALL.learning_rate)
    assert rates[30] == pytest.approx(0.01 * SMALL.learning_rate)


def test_a_rate_may_fall_slowly_and_cool_at_last() -> None:
    slow = replace(SMALL, n_steps=20)
    rates = [learning_rate(slow, step, fall_steps=40, cool_steps=5) for step in range(21)]
    over_all = [learning_rate(replace(SMALL, n_steps=40), step) for step in range(21)]
    assert rates[:16] == over_all[:16]
    assert rates[20] == pytest.approx(0.01 * SMALL.learning_rate)
    assert rates[18] < 0.5 * over_all[18]


def test_averages_follow_slowly_and_go_on() -> None:
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(net.weight)
    average = AveragedWeights(net, 0.9)
    torch.nn.init.ones_(net.weight)
    seen = []
    for _ in range(200):
        average.update(net)
        seen.append(float(average.weights["weight"]))
    assert seen == sorted(seen)
    assert math.isclose(seen[0], 0.9, rel_tol=1e-6)  # 1 - 1/10
    again = AveragedWeights(net, 0.9)
    again.load(average.state())
    assert again.n_steps == 200
    assert float(again.weights["weight"]) == seen[-1]
    asked = with_weights(torch.nn.Linear(1, 1, bias=False), average.weights)
    assert float(asked.weight.detach()) == seen[-1]
    assert not asked.training


def test_damaged_and_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no checkpoint"):
        checkpoint.load_latest(tmp_path)
    folder = checkpoint.save(tmp_path, 3, {"a": torch.zeros(4)})
    assert checkpoint.latest(tmp_path) == folder
    torch.testing.assert_close(checkpoint.load_latest(tmp_path), {"a": torch.zeros(4)})
    with pytest.raises((InvalidInput, KeyError)):
        line().resume(folder)
    piece = folder / "piece-0.bin"
    piece.write_bytes(piece.read_bytes()[:-1] + b"x")
    with pytest.raises(InvalidInput, match="damaged"):
        checkpoint.load(folder)
    trained(tmp_path / "run", replace(SMALL, n_steps=1))
    with pytest.raises(InvalidInput, match="another recipe"):
        trained(tmp_path / "run", replace(SMALL, batch_size=1))


def test_large_checkpoints_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PIECE_BYTES", 1000)
    state = {"weights": torch.arange(1000.0)}
    folder = checkpoint.save(tmp_path, 1, state)
    files = list(folder.iterdir())
    assert 4 < len(files) <= 8
    assert max(file.stat().st_size for file in files) <= 1000
    torch.testing.assert_close(checkpoint.load(folder), state)
    with pytest.raises(InvalidInput, match="too large"):
        checkpoint.save(tmp_path, 2, {"weights": torch.zeros(3000)})


def test_recipes_are_found_by_name_and_stored_as_json() -> None:
    assert find_recipe({"small": SMALL}, "small") is SMALL
    with pytest.raises(InvalidInput, match="use one of: small"):
        find_recipe({"small": SMALL}, "huge")
    stored = as_stored(SMALL)
    assert json.loads(json.dumps(stored)) == stored
    assert stored["size"] == [3, 1]
    assert stored["name"] == "small"
