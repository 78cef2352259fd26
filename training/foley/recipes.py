"""How the foley model is trained, by name."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from training.flow.recipe import FlowRecipe
from training.foley.model.net import FoleySize

__all__ = ["RECIPES", "FoleyRecipe"]


@dataclass(frozen=True, slots=True)
class FoleyRecipe(FlowRecipe):
    """All that a training depends on beside the data; what is not said here, as for `FlowRecipe`.

    Parameters
    ----------
    size : FoleySize
        The network.
    n_frames : int
        Frames of an example.
    """

    size: FoleySize = field(default_factory=FoleySize)
    _: KW_ONLY
    batch_size: int = 64
    n_steps: int = 60_000
    learning_rate: float = 1e-3
    warm_up_steps: int = 500
    validation_batches: int = 6
    n_frames: int = 256


RECIPES: dict[str, FoleyRecipe] = {
    recipe.name: recipe
    for recipe in (
        # for tests, and to see within minutes that everything works
        FoleyRecipe(
            "tiny",
            FoleySize(48, (1, 2, 4), 2, 24),
            batch_size=4,
            n_steps=200,
            learning_rate=3e-3,
            warm_up_steps=10,
            ema_decay=0.98,
            n_frames=96,
            autocast=False,
            validate_every=100,
            validation_batches=2,
        ),
        # one GPU, half an hour
        FoleyRecipe("base"),
        # what an hour and a half of one processor core gives
        FoleyRecipe(
            "base-cpu",
            FoleySize(192, (1, 2, 4, 8, 16, 1, 2, 4, 8), 2, 96),
            batch_size=16,
            n_steps=6000,
            learning_rate=1.5e-3,
            warm_up_steps=200,
            n_frames=224,
            validate_every=500,
            validation_batches=4,
        ),
    )
}
"""Recipes by name."""
