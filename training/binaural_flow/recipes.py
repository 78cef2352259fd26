"""How the binaural model is trained, by name."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Protocol

from training.binaural_flow.data.presets import Preset, find_preset
from training.binaural_flow.model.net import NetSize
from training.flow.recipe import FlowRecipe

__all__ = ["RECIPES", "DataChoice", "Recipe", "preset_of"]


@dataclass(frozen=True, slots=True)
class Recipe(FlowRecipe):
    """All that a training depends on beside the data; what is not said here, as for `FlowRecipe`.

    Parameters
    ----------
    size : NetSize
        The network.
    fall_steps : int or None
        Steps over which the learning rate falls to nothing, instead of all.
    cool_steps : int
        Last steps, over which it falls to nothing faster, where it has not yet.
    preset : str
        What the stream of data holds, see `training.binaural_flow.data.presets`.
    lead_frames, crop_frames : int or None
        Frames without and with loss, instead of the preset's. Examples begin in silence, so that even their first
        frames are true; a long lead only makes reverberation that is well under way more frequent.
    without : tuple of str
        Tasks of the preset that are left out: in free field with a set of one's own the network is silent by its
        construction.
    """

    size: NetSize = field(default_factory=NetSize)
    _: KW_ONLY
    batch_size: int = 16
    n_steps: int = 12_000
    learning_rate: float = 4e-4
    warm_up_steps: int = 300
    validation_batches: int = 8
    fall_steps: int | None = None
    cool_steps: int = 0
    preset: str = "physical"
    lead_frames: int | None = None
    crop_frames: int | None = None
    without: tuple[str, ...] = ("FREE",)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # for tests, and to see within minutes that everything works
        Recipe(
            "tiny",
            NetSize(8, (16, 24, 32), (1, 1, 3, 1, 1), 2, 32),
            batch_size=2,
            n_steps=200,
            learning_rate=2e-3,
            warm_up_steps=20,
            ema_decay=0.98,
            lead_frames=16,
            crop_frames=128,
            autocast=False,
            validate_every=100,
            validation_batches=2,
        ),
        # one GPU, half an hour
        Recipe("base", NetSize(8, (64, 128, 192), (2, 2, 3, 2, 2), 2, 96)),
        # what an hour of one processor core gives: rooms alone, where most is to be won
        Recipe(
            "base-cpu",
            NetSize(8, (40, 64, 96), (1, 2, 3, 1, 1), 2, 64),
            batch_size=2,
            without=("FREE", "SPARSE", "SPARSE_ROOM", "EXTENT"),
            n_steps=1500,
            fall_steps=2600,
            cool_steps=300,
            learning_rate=1.5e-3,
            warm_up_steps=50,
            ema_decay=0.995,
            lead_frames=16,
            crop_frames=264,
            validate_every=250,
            validation_batches=6,
        ),
    )
}
"""Recipes by name."""


class DataChoice(Protocol):
    """What of a recipe concerns the data; as for `Recipe`."""

    @property
    def preset(self) -> str:
        """Name of the preset."""
        ...

    @property
    def lead_frames(self) -> int | None:
        """Frames without loss."""
        ...

    @property
    def crop_frames(self) -> int | None:
        """Frames with loss."""
        ...

    @property
    def without(self) -> tuple[str, ...]:
        """Tasks left out."""
        ...

    @property
    def seed(self) -> int:
        """Of the stream."""
        ...


def preset_of(recipe: DataChoice) -> Preset:
    """Return what the stream of data for a recipe holds.

    Parameters
    ----------
    recipe : Recipe or PaperRecipe
        The recipe.

    Returns
    -------
    Preset
    """
    preset = find_preset(recipe.preset)
    tasks = {task: share for task, share in preset.tasks.items() if task.name not in recipe.without}
    total = sum(tasks.values())
    return replace(
        preset,
        tasks={task: share / total for task, share in tasks.items()},
        lead_frames=preset.lead_frames if recipe.lead_frames is None else recipe.lead_frames,
        crop_frames=preset.crop_frames if recipe.crop_frames is None else recipe.crop_frames,
    )
