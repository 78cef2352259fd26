"""How the foley model is trained, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from foleyspace_host.errors import InvalidInput
from training.foley.model.net import FoleySize

__all__ = ["RECIPES", "FoleyRecipe", "find_recipe"]


@dataclass(frozen=True, slots=True)
class FoleyRecipe:
    """All that a training depends on beside the data.

    Parameters
    ----------
    name : str
        What it is called.
    size : FoleySize
        The network.
    batch_size, n_steps : int
        Examples of a step; steps, over which the learning rate falls to nothing.
    learning_rate, weight_decay : float
        Of AdamW; the highest rate.
    warm_up_steps : int
        Steps over which it rises.
    ema_decay : float
        Share that averaged weights keep at each step.
    clip_norm : float
        Longest gradient.
    n_frames : int
        Frames of an example.
    autocast : bool
        Whether the network computes in bfloat16.
    seed : int
        Of weights, data and noise.
    validate_every, validation_batches : int
        Steps between looks at held-out examples, and how many batches of them.
    """

    name: str
    size: FoleySize = field(default_factory=FoleySize)
    batch_size: int = 64
    n_steps: int = 60_000
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warm_up_steps: int = 500
    ema_decay: float = 0.999
    clip_norm: float = 1.0
    n_frames: int = 256
    autocast: bool = True
    seed: int = 1
    validate_every: int = 1000
    validation_batches: int = 6


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


def find_recipe(name: str) -> FoleyRecipe:
    """Return a recipe by its name.

    Raises
    ------
    InvalidInput
        If there is no such recipe.
    """
    if name not in RECIPES:
        raise InvalidInput(f"{name!r} is unknown", where="recipe", cure=f"use one of: {', '.join(RECIPES)}")
    return RECIPES[name]
