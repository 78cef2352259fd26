"""What localization goes by; each can be left out, to see what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cues"]


@dataclass(frozen=True, slots=True)
class Cues:
    """The cues in use.

    Parameters
    ----------
    tracker : bool
        Follow things over time; without it each picture's surest box counts by itself.
    motion : bool
        The camera's motion, and what moves by itself.
    audio : bool
        What is heard, and when.
    range : bool
        Distance by the heights of boxes; without it everything is at the same distance.
    """

    tracker: bool = True
    motion: bool = True
    audio: bool = True
    range: bool = True
