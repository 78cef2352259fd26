"""What a batch tells: `dataclasses.asdict` of these is what ``--json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BatchProgress", "BatchResult", "ItemResult", "ItemState", "StageResult"]

ItemState = Literal["done", "known", "failed", "to do"]
"""``known`` was done by an earlier run; ``to do`` is told by a dry run, or of what was not come to."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of an item.

    Parameters
    ----------
    kind : str
        See `work.Kind`.
    key : str
        Its name on record.
    state : {"done", "known", "failed", "to do"}
        What became of it.
    out : str
        The file that it makes.
    took_s : float or None
        How long it took from its begin on a worker to its end [s].
    attempts : int
        How often it was begun.
    worker : str or None
        Who did it, on a cluster.
    """

    kind: str
    key: str
    state: ItemState
    out: str
    took_s: float | None
    attempts: int
    worker: str | None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item.

    Parameters
    ----------
    name, where : str
        What it is, and who asked for it.
    state : {"done", "known", "failed", "to do"}
        What became of it.
    out : str
        Its result.
    code, error : str or None
        Why it failed.
    stages : tuple of StageResult
        Its stages, in order; none if its inputs could not be read.
    warnings : tuple of str
        What the user should know, one line each.
    """

    name: str
    where: str
    state: ItemState
    out: str
    code: str | None
    error: str | None
    stages: tuple[StageResult, ...]
    warnings: tuple[str, ...]

    @property
    def took_s(self) -> float | None:
        """How long its stages took in this run [s]."""
        times = [stage.took_s for stage in self.stages if stage.took_s is not None and stage.state == "done"]
        return sum(times) if times else None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A batch that came to its end.

    Parameters
    ----------
    folder : str
        Where the results are.
    record : str
        The record, an SQLite file.
    items : tuple of ItemResult
        All items, in the order in which they were asked for.
    interrupted : int
        Stages that an earlier run was at when it ended.
    stages_done : int
        Stages that this run did.
    total_s : float
        How long it took [s].
    warnings : tuple of str
        What the user should know of the whole.
    """

    folder: str
    record: str
    items: tuple[ItemResult, ...]
    interrupted: int
    stages_done: int
    total_s: float
    warnings: tuple[str, ...] = ()

    def count(self, state: ItemState) -> int:
        """Return how many items are in a state."""
        return sum(item.state == state for item in self.items)


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is.

    Parameters
    ----------
    total, done, failed : int
        Items: all, done by this run or known, and failed.
    share : float
        Items that are done, with parts of those at work.
    running : int
        Stages at work.
    """

    total: int
    done: int
    failed: int
    share: float
    running: int
