"""How the foley model is trained, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from foleyspace_host.errors import InvalidInput
from training.binaural_flow.model.net import NetSize

__all__ = ["RECIPES", "FoleyRecipe", "find_recipe"]


@dataclass(frozen=True, slots=True)
class FoleyRecipe:
    """All that a training depends on beside the data.

    Parameters
    ----------
    name : str
        What it is called.
    size : NetSize
        The network.
    batch_size, n_steps : int
        Examples of a step; steps, over which the learning rate falls to nothing.
    learning_rate, weight_decay : float
        Of AdamW; the highest rate.
    warm_up_steps : int
        Steps over which it rises.
    guided_after : float
        Share of the steps after which guidance is learnt too.
    ema_decay : float
        Share that averaged weights keep at each step.
    clip_norm : float
        Longest gradient.
    lead_frames, crop_frames : int
        Frames without and with loss.
    autocast : bool
        Whether the network computes in bfloat16.
    seed : int
        Of weights, data and noise.
    validate_every, validation_batches : int
        Steps between looks at held-out examples, and how many batches of them.
    """

    name: str
    size: NetSize = field(default_factory=NetSize)
    batch_size: int = 24
    n_steps: int = 40_000
    learning_rate: float = 6e-4
    weight_decay: float = 1e-2
    warm_up_steps: int = 500
    guided_after: float = 0.5
    ema_decay: float = 0.999
    clip_norm: float = 1.0
    lead_frames: int = 32
    crop_frames: int = 288
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
            NetSize(16, (16, 24, 32), (1, 1, 2, 1, 1), 2, 24),
            batch_size=2,
            n_steps=120,
            learning_rate=3e-3,
            warm_up_steps=10,
            ema_decay=0.98,
            lead_frames=8,
            crop_frames=64,
            autocast=False,
            validate_every=60,
            validation_batches=2,
        ),
        # one GPU, half an hour
        FoleyRecipe("base", NetSize(8, (48, 96, 144), (1, 2, 3, 2, 1), 2, 96)),
        # what an hour of one processor core gives
        FoleyRecipe(
            "base-cpu",
            NetSize(8, (40, 64, 96), (1, 2, 3, 1, 1), 2, 64),
            batch_size=4,
            n_steps=2600,
            learning_rate=2e-3,
            warm_up_steps=60,
            guided_after=0.6,
            ema_decay=0.995,
            lead_frames=16,
            crop_frames=176,
            validate_every=400,
            validation_batches=6,
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
