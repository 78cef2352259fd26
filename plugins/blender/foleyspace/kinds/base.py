"""What is common to all kinds of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import bindings, strips, wanted
from ..client import Job, Result
from ..strips import Part, Refused

__all__ = ["Kind", "Slices", "Work", "strip_of"]

Slices = Iterator[str]
"""Steps of work, each short; what they yield is why nothing can be done at the moment, empty if it can."""


@dataclass(eq=False)
class Work:
    """What is known of one strip while it is worked on.

    Parameters
    ----------
    item : wanted.Item
        What is shown of it.
    part : Part, optional
        What it plays.
    job : Job, optional
        The host's.
    result : Result, optional
        What the host made.
    tries : int
        How often it was handed to the host.
    """

    item: wanted.Item
    part: Part | None = None
    job: Job | None = None
    result: Result | None = None
    tries: int = 0

    @property
    def open(self) -> bool:
        """Whether there is still something to be done for it."""
        return self.item.state in ("waiting", "running")


class Kind:
    """How one kind of task is done; made with the order."""

    doing = ""
    """What the host does, for people: "Rendering"."""

    def __init__(self, order: wanted.Order) -> None:
        self.order = order
        self.budget_s = wanted.BUDGET_S
        self.documents: dict[str, dict[str, Any]] = {}

    def collect(self, item: wanted.Item) -> Work:
        """Look at a strip; raise Refused if it cannot be done."""
        raise NotImplementedError

    def prepare(self, _works: list[Any]) -> Slices:
        """Find out what the host has to know."""
        yield ""

    def share(self) -> float:
        """Return how much of `prepare` is done, 0 to 1."""
        return 1.0

    def request(self, work: Any) -> dict[str, Any] | None:
        """Return the fields of the job; None if there is nothing to be made."""
        raise NotImplementedError

    def take(self, work: Any, result: Result) -> None:
        """Take what the host made; raise Refused if it cannot be used."""
        work.item.path = result.path

    def place(self, work: Any) -> None:
        """Put it into the file; raise Refused if that cannot be done."""

    def close(self) -> None:
        """Remove what was needed meanwhile."""

    @property
    def folder(self) -> str:
        """Absolute path of the folder for results, which exists."""
        return strips.output_folder(self.order.folder)


def strip_of(uuid: str) -> tuple[Any, Any]:
    """Return scene and strip; raise Refused if it was removed."""
    found = bindings.find(uuid)
    if found is None:
        raise Refused("The strip was removed meanwhile")
    return found
