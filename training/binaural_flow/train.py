"""Training that may stop and go on at any step: weights, averages, optimiser and noise all come from the checkpoint.

The data needs no checkpoint: batch number n follows from the seed and n.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from foleyspace_host.errors import InvalidInput
from training.binaural_flow import checkpoint
from training.binaural_flow.data.batches import Batch
from training.binaural_flow.model.ema import AveragedWeights
from training.binaural_flow.model.flow import batch_loss, flow_time
from training.binaural_flow.model.net import FlowNet
from training.binaural_flow.recipes import Recipe
from training.binaural_flow.validate import validated

__all__ = ["LOG", "Source", "Training", "learning_rate", "train"]

LOG = "log.jsonl"
"""Where losses and looks at held-out examples are written, one JSON object a line."""

_KEEP_S = 180.0  # between checkpoints
_LOG_EVERY = 20


class Source(Protocol):
    """Where batches come from."""

    def batch(self, number: int, size: int) -> Batch:
        """Return batch number 0, 1, ...; always the same."""
        ...


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate at a step: up on a line, down on half a cosine, and at last to a hundredth on a line.

    Parameters
    ----------
    recipe : Recipe
        Highest rate and numbers of steps.
    step : int
        Steps done.

    Returns
    -------
    float
    """
    if step < recipe.warm_up_steps:
        return recipe.learning_rate * (step + 1) / recipe.warm_up_steps
    fall_steps = recipe.fall_steps or recipe.n_steps
    part = min((step - recipe.warm_up_steps) / max(fall_steps - recipe.warm_up_steps, 1), 1.0)
    left = min((recipe.n_steps - step) / max(recipe.cool_steps, 1), 1.0)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * part)) * left)


@dataclass(slots=True)
class Training:
    """A network on its way.

    Parameters
    ----------
    recipe : Recipe
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

    recipe: Recipe
    net: nn.Module
    average: AveragedWeights
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(cls, recipe: Recipe, device: torch.device) -> Training:
        """Return an untrained network."""
        torch.manual_seed(recipe.seed)
        net = FlowNet(recipe.size).to(device)
        fused = device.type == "cuda"
        optimiser = torch.optim.AdamW(
            net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.99), fused=fused
        )
        return cls(recipe, net, AveragedWeights(net, recipe.ema_decay), optimiser)

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Parameters
        ----------
        folder : Path
            Of `checkpoint.save`.

        Raises
        ------
        InvalidInput
            If it is of another recipe.
        """
        state = checkpoint.load(folder)
        told = _plain(self.recipe)
        # a training may be made longer or shorter while it goes on
        if {**state["recipe"], "n_steps": 0} != {**told, "n_steps": 0}:
            raise InvalidInput(
                "this folder holds a training with another recipe", where=str(folder), cure="choose another --out"
            )
        self.net.load_state_dict(state["net"])
        self.average.load(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def keep(self, run: Path) -> None:
        """Write a checkpoint."""
        checkpoint.save(
            run,
            self.step,
            {
                "recipe": _plain(self.recipe),
                "net": self.net.state_dict(),
                "average": self.average.state(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
            },
        )

    def advance(self, batch: Batch) -> dict[str, float]:
        """Do one step.

        Parameters
        ----------
        batch : Batch
            Its examples.

        Returns
        -------
        dict of str to float
            Losses, and the length of the gradient.
        """
        recipe = self.recipe
        # of the step alone, so that a training that went on is the one that did not stop
        mix = recipe.seed * 1_000_003 + self.step
        noise = torch.Generator(batch.mono.device).manual_seed(mix)
        t = flow_time(len(batch.mono), torch.Generator().manual_seed(mix))
        rate = learning_rate(recipe, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        losses = batch_loss(self.net, batch, t, noise, autocast=recipe.autocast)
        losses.total.backward()  # type: ignore[no-untyped-call]
        # single numbers, whose gradients are far longer than all others, would have these clipped for them
        clipped = [weight for weight in self.net.parameters() if weight.numel() > 1]
        length = nn.utils.clip_grad_norm_(clipped, recipe.clip_norm)
        if torch.isfinite(length):
            self.optimiser.step()
            self.average.update(self.net)
        self.step += 1
        return losses.numbers() | {"gradient": float(length), "rate": rate}


def train(
    recipe: Recipe,
    examples: Source,
    held_out: Source,
    run: Path,
    *,
    device: torch.device | str = "cpu",
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Training:
    """Train until the recipe's steps are done or the time is up; call it again to go on.

    Parameters
    ----------
    recipe : Recipe
        How to train.
    examples, held_out : Source
        Batches to learn from, and of heads and sounds that are not learnt from.
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
    place = torch.device(device)
    run.mkdir(parents=True, exist_ok=True)
    training = Training.begin(recipe, place)
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
        for name, value in numbers.items():
            sums[name] = sums.get(name, 0.0) + value
        now = time.monotonic()
        training.seconds += now - before
        before = now
        if training.step % _LOG_EVERY == 0 or training.step == recipe.n_steps:
            means = {name: value / n_summed for name, value in sums.items()}
            _log(run, {"step": training.step, "seconds": round(training.seconds, 1), **means})
            say(f"step {training.step}: " + ", ".join(f"{name} {value:.4g}" for name, value in means.items()))
            sums, n_summed = {}, 0
        if training.step % recipe.validate_every == 0 or training.step == recipe.n_steps:
            look(training, held_out, run, say)
        if now - kept > _KEEP_S:
            training.keep(run)
            kept = time.monotonic()
    training.keep(run)
    return training


def look(training: Training, held_out: Source, run: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Measure the averaged weights on held-out examples, and write it down.

    Parameters
    ----------
    training : Training
        The network.
    held_out : Source
        Held-out examples.
    run : Path
        Folder of the log.
    say : callable
        Told of the result.

    Returns
    -------
    mapping
        See `validated`.
    """
    recipe = training.recipe
    place = next(training.net.parameters()).device
    net = FlowNet(recipe.size).to(place)
    net.load_state_dict(training.average.weights)
    found = validated(net, (held_out.batch(n, recipe.batch_size) for n in range(recipe.validation_batches)))
    _log(run, {"step": training.step, "held_out": found})
    for task, row in found.items():
        say(f"  held out, {task}: " + ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
    return found


def _plain(recipe: Recipe) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return found


def _log(run: Path, line: Mapping[str, Any]) -> None:
    with (run / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
