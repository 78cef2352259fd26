"""The binaural model's part of its training: network, losses, learning rate, and how it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.binaural_flow.data.batches import Batch
from training.binaural_flow.model.flow import batch_loss, flow_time
from training.binaural_flow.model.net import FlowNet
from training.binaural_flow.recipes import Recipe
from training.binaural_flow.validate import validated
from training.flow.schedule import learning_rate
from training.flow.training import Source, Training

__all__ = ["BinauralTraining"]


class BinauralTraining(Training[Recipe, Batch]):
    """A binaural network on its way."""

    def network(self) -> FlowNet:
        """Return an untrained network."""
        return FlowNet(self.recipe.size)

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        recipe = self.recipe
        return learning_rate(recipe, self.step, fall_steps=recipe.fall_steps, cool_steps=recipe.cool_steps)

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
