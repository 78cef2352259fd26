"""Training that may stop and go on at any step; batch number n follows from the seed and n, so data has no state."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.embedded.sampler import LATE
from training.binaural_flow import checkpoint
from training.binaural_flow.model.ema import AveragedWeights
from training.foley.data.batches import Stream
from training.foley.model.flow import FoleyBatch, batch_loss
from training.foley.model.net import FoleyNet
from training.foley.recipes import FoleyRecipe

__all__ = ["LOG", "Training", "learning_rate", "train"]

LOG = "log.jsonl"
"""Where losses are written, one JSON object a line."""

_KEEP_S = 180.0
_LOG_EVERY = 20


def learning_rate(recipe: FoleyRecipe, step: int) -> float:
    """Return the learning rate at a step: up on a line, then down on half a cosine to a hundredth."""
    if step < recipe.warm_up_steps:
        return recipe.learning_rate * (step + 1) / recipe.warm_up_steps
    part = min((step - recipe.warm_up_steps) / max(recipe.n_steps - recipe.warm_up_steps, 1), 1.0)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * part)))


@dataclass(slots=True)
class Training:
    """A network on its way.

    Parameters
    ----------
    recipe : FoleyRecipe
        How it is trained.
    net : nn.Module
        The network.
    average : AveragedWeights
        Its averaged weights.
    optimiser : torch.optim.AdamW
        The optimiser.
    step : int
        Steps done.
    seconds : float
        Time spent so far [s].
    """

    recipe: FoleyRecipe
    net: nn.Module
    average: AveragedWeights
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(cls, recipe: FoleyRecipe, device: torch.device) -> Training:
        """Return an untrained network."""
        torch.manual_seed(recipe.seed)
        net = FoleyNet(recipe.size).to(device)
        optimiser = torch.optim.AdamW(
            net.parameters(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=(0.9, 0.99),
            fused=device.type == "cuda",
        )
        return cls(recipe, net, AveragedWeights(net, recipe.ema_decay), optimiser)

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        InvalidInput
            If it is of another recipe.
        """
        state = checkpoint.load(folder)
        # a training may be made longer or shorter while it goes on
        if {**state["recipe"], "n_steps": 0} != {**_plain(self.recipe), "n_steps": 0}:
            raise InvalidInput(
                "this folder holds a training with another recipe", where=str(folder), cure="choose another --out"
            )
        self.net.load_state_dict(state["net"])
        self.average.load(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def keep(self, run: Path) -> None:
        """Write a checkpoint."""
        state = {
            "recipe": _plain(self.recipe),
            "net": self.net.state_dict(),
            "average": self.average.state(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        checkpoint.save(run, self.step, state)

    def advance(self, batch: FoleyBatch) -> dict[str, float]:
        """Do one step, and return its losses and the length of the gradient."""
        recipe = self.recipe
        # of the step alone, so that a training that went on is the one that did not stop
        mix = recipe.seed * 1_000_003 + self.step
        noise = torch.Generator(batch.bands.device).manual_seed(mix)
        u = torch.rand(len(batch.bands), generator=torch.Generator().manual_seed(mix))
        t = 1.0 - (1.0 - u) ** LATE  # what is fine is decided late
        rate = learning_rate(recipe, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss = batch_loss(self.net, batch, t, noise, autocast=recipe.autocast)
        loss.backward()  # type: ignore[no-untyped-call]
        length = nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip_norm)
        if torch.isfinite(length):
            self.optimiser.step()
            self.average.update(self.net)
        self.step += 1
        return {"loss": float(loss.detach()), "gradient": float(length), "rate": rate}


def train(
    recipe: FoleyRecipe,
    examples: Stream,
    held_out: Stream,
    run: Path,
    *,
    device: torch.device | str = "cpu",
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Training:
    """Train until the recipe's steps are done or the time is up; call it again to go on.

    Parameters
    ----------
    recipe : FoleyRecipe
        How to train.
    examples, held_out : Stream
        Batches to learn from, and of sounds that are not learnt from.
    run : Path
        Folder of checkpoints and log; what is there is gone on with.
    device : torch.device or str
        Where to compute.
    minutes : float, optional
        Most time of this call; the last checkpoint is written before.
    say : callable
        Told of progress, line by line.

    Returns
    -------
    Training
        As far as it is.

    Raises
    ------
    InvalidInput
        If the folder holds the training of another recipe, or a damaged checkpoint.
    """
    run.mkdir(parents=True, exist_ok=True)
    training = Training.begin(recipe, torch.device(device))
    if (found := checkpoint.latest(run)) is not None:
        training.resume(found)
        say(f"goes on after step {training.step}")
    start = kept = before = time.monotonic()
    sums: dict[str, float] = {}
    n_summed = 0
    while training.step < recipe.n_steps:
        if minutes is not None and time.monotonic() - start > 60.0 * minutes:
            break
        numbers = training.advance(examples.batch(training.step, recipe.batch_size))
        n_summed += 1
        sums = {name: sums.get(name, 0.0) + value for name, value in numbers.items()}
        now = time.monotonic()
        training.seconds += now - before
        before = now
        if training.step % _LOG_EVERY == 0 or training.step == recipe.n_steps:
            means = {name: value / n_summed for name, value in sums.items()}
            _log(run, {"step": training.step, "seconds": round(training.seconds, 1), **means})
            say(f"step {training.step}: " + ", ".join(f"{name} {value:.4g}" for name, value in means.items()))
            sums, n_summed = {}, 0
        if training.step % recipe.validate_every == 0 or training.step == recipe.n_steps:
            _look(training, held_out, run, say)
        if now - kept > _KEEP_S:
            training.keep(run)
            kept = time.monotonic()
    training.keep(run)
    return training


@torch.no_grad()
def _look(training: Training, held_out: Stream, run: Path, say: Callable[[str], None]) -> None:
    """Measure the averaged weights on held-out sounds at four flow times, and write it down."""
    recipe = training.recipe
    net = deepcopy(training.net).eval()
    net.load_state_dict(training.average.weights)
    found = {}
    for t in (0.1, 0.35, 0.6, 0.85):
        total = 0.0
        for number in range(recipe.validation_batches):
            batch = held_out.batch(number, recipe.batch_size)
            noise = torch.Generator(batch.bands.device).manual_seed(number)
            times = torch.full((len(batch.bands),), t)
            total += float(batch_loss(net, batch, times, noise, tell_all=True, autocast=recipe.autocast))
        found[f"t={t:g}"] = total / recipe.validation_batches
    _log(run, {"step": training.step, "held_out": found})
    say("  held out: " + ", ".join(f"{name} {value:.4g}" for name, value in found.items()))


def _plain(recipe: FoleyRecipe) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return found


def _log(run: Path, line: Mapping[str, Any]) -> None:
    with (run / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
