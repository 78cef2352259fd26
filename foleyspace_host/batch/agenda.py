"""What is left to do in a batch, and what has become of the rest; it knows neither engines nor clocks.

An item is done when its last stage is; a stage may be shared by several items, and is done once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from foleyspace_host.batch.items import Item
from foleyspace_host.batch.ledger import Ledger
from foleyspace_host.batch.plan import Stage
from foleyspace_host.batch.results import ItemResult, ItemState, StageResult
from foleyspace_host.protocol.messages import Error

__all__ = ["Agenda"]


@dataclass(slots=True)
class _Entry:
    item: Item
    state: ItemState = "to do"
    stages: Sequence[Stage] = ()
    error: Error | None = None


@dataclass(slots=True)
class _Work:
    stage: Stage
    first: tuple[int, int]  # item and number of the stage, which is the order of work
    state: ItemState = "to do"
    users: list[_Entry] = field(default_factory=list)
    before: list[str] = field(default_factory=list)  # stages that wait for this one


class Agenda:
    """The items and stages of a run.

    Parameters
    ----------
    items : sequence of Item
        All of them; their stages follow with `plan`.
    ledger : Ledger
        The record, which is kept up to date.
    retry_failed : bool
        Whether what failed in an earlier run is tried again.
    """

    def __init__(self, items: Sequence[Item], ledger: Ledger, *, retry_failed: bool) -> None:
        self._ledger = ledger
        self._retry_failed = retry_failed
        self._entries = {item.item_id: _Entry(item) for item in items}
        self._order = {item.item_id: number for number, item in enumerate(items)}
        self._work: dict[str, _Work] = {}
        self._ready: dict[str, list[tuple[tuple[int, int], str]]] = {}
        self._n_ended: Counter[ItemState] = Counter()

    @property
    def counts(self) -> tuple[int, int, int]:
        """All items, those that are done or known, and those that failed."""
        ended = self._n_ended
        return len(self._entries), ended["done"] + ended["known"], ended["failed"]

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self._n_ended.total() == len(self._entries)

    def n_ready(self) -> int:
        """Return how many stages could be begun."""
        return sum(len(heap) for heap in self._ready.values())

    def plan(self, item: Item, stages: Sequence[Stage], now_s: float) -> None:
        """Take in the stages of an item; what is done already is known by the record."""
        entry = self._entries[item.item_id]
        entry.stages = stages
        self._ledger.note_item(item.item_id, item.name, item.wanted.where, item.out, [stage.key for stage in stages])
        rows = [
            self._ledger.note_stage(stage.key, stage.request.kind, stage.body.decode(), stage.out) for stage in stages
        ]
        if rows[-1].is_there():
            self._end(entry, "known", None, now_s)
            return
        for number, (stage, row) in enumerate(zip(stages, rows, strict=True)):
            if row.state == "failed" and not self._retry_failed:
                self._end(entry, "failed", row.failure, now_s)
                return
            work = self._work.get(stage.key)
            if work is None:
                work = self._work[stage.key] = _Work(stage, (self._order[item.item_id], number))
                if row.is_there():
                    work.state = "known"
                else:
                    self._ledger.requeue([stage.key])
                    self._wait(work)
            work.users.append(entry)
            if work.state == "failed":
                self._end(entry, "failed", self._failure(stage.key), now_s)
                return
        if self._work[stages[-1].key].state == "done":  # by another item of this run
            self._end(entry, "done", None, now_s)

    def refuse(self, item: Item, error: Error, now_s: float) -> None:
        """Take in that an item cannot be planned."""
        self._ledger.note_item(item.item_id, item.name, item.wanted.where, item.out, [])
        self._end(self._entries[item.item_id], "failed", error, now_s)

    def take(self, can_run: Callable[[str], bool]) -> Stage | None:
        """Take out the stage that is to be begun now: that of the first item, of a kind for which there is room."""
        for kind in sorted((kind for kind, heap in self._ready.items() if heap), key=lambda name: self._ready[name][0]):
            if can_run(kind):
                return self._work[heappop(self._ready[kind])[1]].stage
        return None

    def again(self, key: str) -> None:
        """Let a stage that was taken wait for another attempt."""
        self._ledger.requeue([key])
        self._put(self._work[key])

    def done(self, key: str, now_s: float) -> None:
        """Note that a stage is done; the record has it already."""
        work = self._work[key]
        work.state = "done"
        for waiting in work.before:
            self._put(self._work[waiting])
        for entry in work.users:
            if entry.state == "to do" and entry.stages[-1].key == key:
                self._end(entry, "done", None, now_s)

    def failed(self, key: str, error: Error, now_s: float) -> None:
        """Note that a stage failed for good, and with it the items that need it."""
        self._ledger.fail(key, error, now_s)
        work = self._work[key]
        work.state = "failed"
        for entry in work.users:
            if entry.state == "to do":
                self._end(entry, "failed", error, now_s)

    def results(self) -> tuple[ItemResult, ...]:
        """Return what became of every item."""
        return tuple(self._result(entry) for entry in self._entries.values())

    # --- inside ------------------------------------------------------------------------------------------------

    def _wait(self, work: _Work) -> None:
        needed = None if work.stage.needs is None else self._work.get(work.stage.needs)
        if needed is not None and needed.state == "to do":
            needed.before.append(work.stage.key)
        else:
            self._put(work)

    def _put(self, work: _Work) -> None:
        heappush(self._ready.setdefault(work.stage.kind_of_job, []), (work.first, work.stage.key))

    def _end(self, entry: _Entry, state: ItemState, error: Error | None, now_s: float) -> None:
        entry.state, entry.error = state, error
        self._n_ended[state] += 1
        self._ledger.end_item(entry.item.item_id, "failed" if state == "failed" else "done", error, now_s)

    def _failure(self, key: str) -> Error | None:
        row = self._ledger.stage(key)
        return None if row is None else row.failure

    def _result(self, entry: _Entry) -> ItemResult:
        stages, warnings = [], []
        for stage in entry.stages:
            row = self._ledger.stage(stage.key)
            if row is None:
                continue
            work = self._work.get(stage.key)
            state: ItemState = "to do" if work is None else work.state
            if work is None and row.state == "done":
                state = "known"
            elif row.state == "failed" and entry.state == "failed":
                state = "failed"
            took_s = None
            if row.started_s is not None and row.finished_s is not None and row.state == "done":
                took_s = round(max(row.finished_s - row.started_s, 0.0), 3)
            warnings += row.told
            stages.append(StageResult(row.kind, row.key, state, row.out, took_s, row.attempts, row.worker))
        error = entry.error
        return ItemResult(
            name=entry.item.name,
            where=entry.item.wanted.where,
            state=entry.state,
            out=str(entry.item.out),
            code=None if error is None else error.code,
            error=None if error is None else said(error),
            stages=tuple(stages),
            warnings=tuple(dict.fromkeys(warnings)),
        )


def said(error: Error) -> str:
    """Return an error as the one line that users read."""
    line = error.message if error.where is None else f"{error.where}: {error.message}"
    return line if error.cure is None else f"{line}; {error.cure}"
