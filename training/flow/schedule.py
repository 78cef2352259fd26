"""The learning rate over a training."""

from __future__ import annotations

import math

from training.flow.recipe import FlowRecipe

__all__ = ["learning_rate"]


def learning_rate(recipe: FlowRecipe, step: int, *, fall_steps: int | None = None, cool_steps: int = 0) -> float:
    """Return the learning rate at a step: up on a line, then down on half a cosine to a hundredth.

    Parameters
    ----------
    recipe : FlowRecipe
        Highest rate and numbers of steps.
    step : int
        Steps done.
    fall_steps : int, optional
        Steps that the half cosine ends after; those of the recipe if not given.
    cool_steps : int
        Last steps of the recipe, over which the rate falls to a hundredth on a line, where it has not yet.

    Returns
    -------
    float
    """
    if step < recipe.warm_up_steps:
        return recipe.learning_rate * (step + 1) / recipe.warm_up_steps
    fall_steps = fall_steps or recipe.n_steps
    part = min((step - recipe.warm_up_steps) / max(fall_steps - recipe.warm_up_steps, 1), 1.0)
    left = min((recipe.n_steps - step) / max(cool_steps, 1), 1.0)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * part)) * left)
