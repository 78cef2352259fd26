"""Audio accessors."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Take


@dataclass(eq=False)
class Accessor:
    """A window on what a take plays before its effects.

    Attributes
    ----------
    changes
        The project's change count when the accessor was made or brought up to date.
    """

    take: Take
    changes: int
    destroyed: bool = False
