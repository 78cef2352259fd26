"""The foley model's part of its training: network, loss, and how it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from foleyspace_host.generate.embedded.sampler import LATE
from training.flow.training import Source, Training
from training.foley.model.flow import FoleyBatch, batch_loss
from training.foley.model.net import FoleyNet
from training.foley.recipes import FoleyRecipe

__all__ = ["FoleyTraining"]

_LOOKED_AT = (0.1, 0.35, 0.6, 0.85)


class FoleyTraining(Training[FoleyRecipe, FoleyBatch]):
    """A foley network on its way."""

    def network(self) -> FoleyNet:
        """Return an untrained network."""
        return FoleyNet(self.recipe.size)

    def losses(
        self, batch: FoleyBatch, chance: torch.Generator, noise: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch at random flow times."""
        t = 1.0 - (1.0 - torch.rand(len(batch.bands), generator=chance)) ** LATE  # what is fine is decided late
        loss = batch_loss(self.net, batch, t, noise, autocast=self.recipe.autocast)
        return loss, {"loss": float(loss.detach())}

    @torch.no_grad()
    def looked(self, net: nn.Module, held_out: Source[FoleyBatch]) -> tuple[Mapping[str, Any], list[str]]:
        """Measure a network on held-out sounds at four flow times."""
        recipe = self.recipe
        found = {}
        for t in _LOOKED_AT:
            total = 0.0
            for number in range(recipe.validation_batches):
                batch = held_out.batch(number, recipe.batch_size)
                noise = torch.Generator(self.device).manual_seed(number)
                times = torch.full((len(batch.bands),), t)
                total += float(batch_loss(net, batch, times, noise, tell_all=True, autocast=recipe.autocast))
            found[f"t={t:g}"] = total / recipe.validation_batches
        return found, [": " + ", ".join(f"{name} {value:.4g}" for name, value in found.items())]
