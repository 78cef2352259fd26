"""The binaural model's part of its training: network, losses, learning rate, and how it is looked at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.binaural_flow.data.batches import Batch
from training.binaural_flow.model.flow import batch_loss, flow_time
from training.binaural_flow.model.net import FlowNet
from training.binaural_flow.recipes import Recipe
from training.binaural_flow.validate import validated
from training.flow.training import Source, Training

__all__ = ["BinauralTraining", "learning_rate"]


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


class BinauralTraining(Training[Recipe, Batch]):
    """A binaural network on its way."""

    def network(self) -> FlowNet:
        """Return an untrained network."""
        return FlowNet(self.recipe.size)

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        return learning_rate(self.recipe, self.step)

    def losses(self, batch: Batch, chance: torch.Generator, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch at random flow times, and its parts."""
        t = flow_time(len(batch.mono), chance)
        losses = batch_loss(self.net, batch, t, noise, autocast=self.recipe.autocast)
        return losses.total, losses.numbers()

    def clipped(self) -> Iterable[nn.Parameter]:
        """Leave out single numbers, whose gradients are far longer than all others and would have these clipped."""
        return [weight for weight in self.net.parameters() if weight.numel() > 1]

    def looked(self, net: nn.Module, held_out: Source[Batch]) -> tuple[Mapping[str, Any], list[str]]:
        """Measure a network on held-out heads and sounds, by task; see `validated`."""
        recipe = self.recipe
        batches = (held_out.batch(n, recipe.batch_size) for n in range(recipe.validation_batches))
        found = validated(net, batches)
        lines = [
            f", {task}: " + ", ".join(f"{name} {value:.4g}" for name, value in row.items())
            for task, row in found.items()
        ]
        return found, lines
