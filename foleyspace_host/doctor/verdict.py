"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Check", "Level", "Verdict"]

Level = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the doctor's report.

    Parameters
    ----------
    name : str
        What was looked at, in one or two words.
    level : {"green", "yellow", "red"}
        All right; works, but could be better; does not work.
    text : str
        What was found.
    cure : str, optional
        What the user can do.
    repair : callable, optional
        Does it, and returns what it did in a few words.
    """

    name: str
    level: Level
    text: str
    cure: str | None = None
    repair: Callable[[], str] | None = None


Check = Callable[[str], Iterable[Verdict]]
"""Called with the profile's name."""
