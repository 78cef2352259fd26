"""What a training depends on beside the data, in which all trainings of flow models are alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from foleyspace_host.errors import InvalidInput

__all__ = ["FlowRecipe", "as_stored", "check_stored", "find_recipe"]

RecipeT = TypeVar("RecipeT")


@dataclass(frozen=True, slots=True)
class FlowRecipe:
    """What the steps of a training depend on; each model adds its network and its data.

    Parameters
    ----------
    name : str
        What it is called.
    batch_size : int
        Examples of a step.
    n_steps : int
        Steps.
    learning_rate : float
        Highest learning rate.
    warm_up_steps : int
        Steps over which it rises.
    validation_batches : int
        Batches of held-out examples at each look at them.
    weight_decay : float
        Of AdamW.
    ema_decay : float
        Share that averaged weights keep at each step.
    clip_norm : float
        Longest gradient.
    autocast : bool
        Whether the network computes in bfloat16.
    seed : int
        Of weights, data and noise.
    validate_every : int
        Steps between looks at held-out examples.
    """

    name: str
    _: KW_ONLY
    batch_size: int
    n_steps: int
    learning_rate: float
    warm_up_steps: int
    validation_batches: int
    weight_decay: float = 1e-2
    ema_decay: float = 0.999
    clip_norm: float = 1.0
    autocast: bool = True
    seed: int = 1
    validate_every: int = 1000


def find_recipe(recipes: Mapping[str, RecipeT], name: str) -> RecipeT:
    """Return a recipe by its name.

    Parameters
    ----------
    recipes : mapping of str to recipe
        Recipes by name.
    name : str
        One of them.

    Returns
    -------
    recipe

    Raises
    ------
    InvalidInput
        If there is no such recipe.
    """
    if name not in recipes:
        raise InvalidInput(f"{name!r} is unknown", where="recipe", cure=f"use one of: {', '.join(recipes)}")
    return recipes[name]


def as_stored(recipe: Any) -> dict[str, Any]:
    """Return a recipe as checkpoints hold it: names, numbers and lists alone."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return found


def check_stored(recipe: Any, stored: Mapping[str, Any], folder: Path) -> None:
    """Check that a checkpoint is of a recipe; a training may be made longer or shorter while it goes on.

    Parameters
    ----------
    recipe : dataclass
        The recipe.
    stored : mapping
        What `as_stored` gave for the checkpoint.
    folder : Path
        The checkpoint, for the message.

    Raises
    ------
    InvalidInput
        If it is of another recipe.
    """
    if {**stored, "n_steps": 0} != {**as_stored(recipe), "n_steps": 0}:
        raise InvalidInput(
            "this folder holds a training with another recipe", where=str(folder), cure="choose another --out"
        )
