"""What an editor asked for, and how it goes with each strip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Item", "Order"]


@dataclass
class Item:
    """One strip of a task.

    Attributes
    ----------
    uuid : str
        Of the strip; empty for a sound that is generated without one.
    name : str
        Of the strip, for people.
    state : str
        "waiting", "running", "skipped" (unchanged), "done", "failed" or "cancelled".
    error : str
        Why it failed, in one sentence.
    result : str
        UUID of the strip that was placed.
    path : str
        File that was made.
    warnings : list of str
        What there was to remark.
    """

    uuid: str
    name: str = ""
    state: str = "waiting"
    error: str = ""
    result: str = ""
    path: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """The parameters of a task; `task.Task` tells what they are."""

    kind: str
    scene_name: str
    settings: dict[str, Any]
    folder: str = "//foleyspace/"
    distance_scale: float = 1.0
    only_changed: bool = False
    mute_source: bool = True
    prompt: str = ""
    duration_s: float | None = None
    seed: int | None = None
    engine: str | None = None
    follow_curve: bool = True


BUDGET_S = 0.02
"""How long the user interface may be kept waiting [s]."""
