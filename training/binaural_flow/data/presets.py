"""What a stream of training data holds: how often what is asked of the model, and in which surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from foleyspace_host.errors import InvalidInput

__all__ = ["HOP", "PRESETS", "SAMPLE_RATE_HZ", "Preset", "Task", "find_preset"]

SAMPLE_RATE_HZ = 48_000
HOP = 256
"""Samples of a frame; the model's, and of the renderer's control points."""


class Task(IntEnum):
    """What the model shall learn from an example: the difference between prior and target."""

    FREE = 0
    """Free field, the listener's own dense set: target is the prior, which is to be left alone."""
    ROOM = 1
    """The same set in a room: reflections and tail are to be added."""
    SPARSE = 2
    """Prior from few of the listener's measurements, target from all: ears are to be corrected."""
    SPARSE_ROOM = 3
    """Both."""
    EXTENT = 4
    """Prior is a point, target is as wide as the condition says: the ears are to be decorrelated."""


@dataclass(frozen=True)
class Preset:
    """A recipe for examples.

    Parameters
    ----------
    crop_frames : int
        Frames that carry loss, of 256 samples each.
    lead_frames : int
        Frames of context before them; at least the memory of the rooms.
    tasks : dict of Task to float
        Shares; they add up to 1.
    scenarios : dict of str to float
        Shares of the movements in `scenarios`; they add up to 1.
    distances_m : (float, float)
        Bounds of the distance [m].
    reflections : int
        Images that are rendered in a room; the tail holds the rest.
    sparse_directions : (int, int)
        Bounds of how many measurements a sparse set has.
    unknown_code : float
        Share of examples whose listener is not described (code zero).
    method : {"physical", "paper"}
        How targets are made: by the laws of this project's renderer, or as the paper's were.
    """

    crop_frames: int = 256
    lead_frames: int = 120
    tasks: dict[Task, float] = field(
        default_factory=lambda: {
            Task.FREE: 0.14,
            Task.ROOM: 0.36,
            Task.SPARSE: 0.2,
            Task.SPARSE_ROOM: 0.2,
            Task.EXTENT: 0.1,
        }
    )
    scenarios: dict[str, float] = field(
        default_factory=lambda: {
            "static": 0.25,
            "pass-by": 0.2,
            "orbit": 0.15,
            "approach": 0.08,
            "recede": 0.07,
            "random walk": 0.15,
            "jump": 0.05,
            "paper": 0.05,
        }
    )
    distances_m: tuple[float, float] = (0.3, 10.0)
    reflections: int = 10
    sparse_directions: tuple[int, int] = (50, 50)
    unknown_code: float = 0.2
    method: Literal["physical", "paper"] = "physical"

    @property
    def n_frames(self) -> int:
        """Frames of an example."""
        return self.lead_frames + self.crop_frames

    @property
    def n_samples(self) -> int:
        """Samples of an example."""
        return self.n_frames * HOP


PRESETS: dict[str, Preset] = {
    "physical": Preset(),
    "free": Preset(lead_frames=24, tasks={Task.FREE: 0.3, Task.SPARSE: 0.5, Task.EXTENT: 0.2}),
    "paper": Preset(
        lead_frames=24, tasks={Task.FREE: 1.0}, scenarios={"paper": 1.0}, distances_m=(0.3, 6.0), method="paper"
    ),
}
"""Recipes by name: ``physical`` with everything, ``free`` without rooms, ``paper`` as FoleySpace's training data."""


def find_preset(name: str) -> Preset:
    """Return a preset by its name.

    Parameters
    ----------
    name : str
        One of `PRESETS`.

    Returns
    -------
    Preset

    Raises
    ------
    InvalidInput
        If there is no such preset.
    """
    if name not in PRESETS:
        raise InvalidInput(f"{name!r} is unknown", where="preset", cure=f"use one of: {', '.join(PRESETS)}")
    return PRESETS[name]
