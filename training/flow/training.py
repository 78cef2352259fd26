"""Training that may stop and go on at any step: weights, averages, optimiser and noise all come from the checkpoint.

The data needs no checkpoint: batch number n follows from the seed and n. What a model is, and what its losses are, its
own `Training` says.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from training.flow import checkpoint
from training.flow.averages import AveragedWeights, with_weights
from training.flow.recipe import FlowRecipe, as_stored, check_stored
from training.flow.schedule import learning_rate

__all__ = ["LOG", "Source", "Training", "train"]

LOG = "log.jsonl"
"""Where losses and looks at held-out examples are written, one JSON object a line."""

_KEEP_S = 180.0  # between checkpoints
_LOG_EVERY = 20

BatchT = TypeVar("BatchT")
BatchT_co = TypeVar("BatchT_co", covariant=True)
RecipeT = TypeVar("RecipeT", bound=FlowRecipe)


class Source(Protocol[BatchT_co]):
    """Where batches come from."""

    def batch(self, number: int, size: int) -> BatchT_co:
        """Return batch number 0, 1, ...; always the same."""
        ...


class Training(ABC, Generic[RecipeT, BatchT]):
    """A network on its way.

    Parameters
    ----------
    recipe : FlowRecipe
        How it is trained.
    device : torch.device
        Where to compute.

    Attributes
    ----------
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

    def __init__(self, recipe: RecipeT, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device = recipe, device
        self.net = self.network().to(device)
        self.average = AveragedWeights(self.net, recipe.ema_decay)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=(0.9, 0.99),
            fused=device.type == "cuda",
        )
        self.step, self.seconds = 0, 0.0

    @abstractmethod
    def network(self) -> nn.Module:
        """Return the network of the recipe, with weights of chance."""

    @abstractmethod
    def losses(self, batch: BatchT, chance: torch.Generator, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return what is minimised, and the numbers to tell; flow times are of `chance`, on the CPU."""

    @abstractmethod
    def looked(self, net: nn.Module, held_out: Source[BatchT]) -> tuple[Mapping[str, Any], list[str]]:
        """Measure a network on held-out examples: what is written down, and the lines to tell."""

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        return learning_rate(self.recipe, self.step)

    def clipped(self) -> Iterable[nn.Parameter]:
        """Return the weights whose gradients together are clipped."""
        return self.net.parameters()

    def averaged(self) -> nn.Module:
        """Return a network with the averaged weights."""
        return with_weights(self.network().to(self.device), self.average.weights)

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
        check_stored(self.recipe, state["recipe"], folder)
        self.net.load_state_dict(state["net"])
        self.average.load(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def keep(self, run: Path) -> None:
        """Write a checkpoint."""
        state = {
            "recipe": as_stored(self.recipe),
            "net": self.net.state_dict(),
            "average": self.average.state(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        checkpoint.save(run, self.step, state)

    def advance(self, batch: BatchT) -> dict[str, float]:
        """Do one step.

        Parameters
        ----------
        batch : object
            Its examples.

        Returns
        -------
        dict of str to float
            Losses, the length of the gradient, and the learning rate.
        """
        # of the step alone, so that a training that went on is the one that did not stop
        mix = self.recipe.seed * 1_000_003 + self.step
        rate = self.rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss, told = self.losses(
            batch, torch.Generator().manual_seed(mix), torch.Generator(self.device).manual_seed(mix)
        )
        loss.backward()  # type: ignore[no-untyped-call]
        length = nn.utils.clip_grad_norm_(self.clipped(), self.recipe.clip_norm)
        if torch.isfinite(length):
            self.optimiser.step()
            self.average.update(self.net)
        self.step += 1
        return told | {"gradient": float(length), "rate": rate}


TrainingT = TypeVar("TrainingT", bound=Training[Any, Any])


def train(
    training: TrainingT,
    examples: Source[Any],
    held_out: Source[Any],
    run: Path,
    *,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> TrainingT:
    """Train until the recipe's steps are done or the time is up; call it again to go on.

    Parameters
    ----------
    training : Training
        What is trained, at its beginning.
    examples, held_out : Source
        Batches to learn from, and of what is not learnt from.
    run : Path
        Folder of checkpoints and log; what is there is gone on with.
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
    recipe: FlowRecipe = training.recipe
    run.mkdir(parents=True, exist_ok=True)
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
            measured, lines = training.looked(training.averaged(), held_out)
            _log(run, {"step": training.step, "held_out": measured})
            for line in lines:
                say(f"  held out{line}")
        if now - kept > _KEEP_S:
            training.keep(run)
            kept = time.monotonic()
    training.keep(run)
    return training


def _log(run: Path, line: Mapping[str, Any]) -> None:
    with (run / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
