"""A run of a batch: plans ahead, keeps an engine busy, and writes to the record what becomes of it."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from foleyspace_host.batch.agenda import Agenda
from foleyspace_host.batch.ahead import Ahead
from foleyspace_host.batch.items import Item
from foleyspace_host.batch.ledger import RECORD, Ledger, record_folder
from foleyspace_host.batch.plan import Stage, stages_of
from foleyspace_host.batch.results import BatchProgress, BatchResult
from foleyspace_host.batch.settings import BatchSettings
from foleyspace_host.config import Config
from foleyspace_host.errors import FoleySpaceError, OutOfMemory, TimedOut, WorkerDied
from foleyspace_host.jobs.dispatcher import CANCEL_GRACE_S
from foleyspace_host.jobs.engine import Engine
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import Died, End
from foleyspace_host.jobs.talk import Advanced, Done, Failed
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import Error

__all__ = ["BatchRun", "MakeEngine"]

MakeEngine = Callable[[Callable[[str, Advanced], None], Callable[[str, End], None]], Engine]
"""Makes an engine that tells of progress and of ends by these two."""

_TICK_S = 0.25
_TELL_EVERY_S = 0.1
_ENOUGH_READY = 256
_MOST_AT_ONCE = 500
_STOPPING_S = 8.0


@dataclass(slots=True)
class _Running:
    stage: Stage
    attempt: int
    moved_s: float | None = None  # steady clock; None until a worker is at it
    step: tuple[str, int] = ("", -1)
    share: float = 0.0
    killed_for: Error | None = None


class BatchRun:
    """One run.

    Parameters
    ----------
    items : sequence of Item
        What is to be done.
    settings : BatchSettings
        How.
    ledger : Ledger
        The record.
    folder : Path
        Folder of the results.
    config : Config
        Attempts, deadline of a stage, size of the cache.
    device : str
        Where models compute: ``auto``, ``cpu`` or ``cuda``.
    cache_folder : Path
        Where localized pictures of timelines are kept; seen by all workers.
    retry_failed : bool
        Whether what failed in an earlier run is tried again.
    on_progress : callable, optional
        Called with a `BatchProgress` at most ten times a second.
    """

    def __init__(
        self,
        items: Sequence[Item],
        settings: BatchSettings,
        ledger: Ledger,
        folder: Path,
        config: Config,
        *,
        device: str,
        cache_folder: Path,
        retry_failed: bool = False,
        on_progress: Callable[[BatchProgress], None] | None = None,
    ) -> None:
        self._items, self._settings, self._ledger, self._folder = items, settings, ledger, folder
        self._config, self._device, self._cache_folder = config, device, cache_folder
        self._on_progress = on_progress
        self._agenda = Agenda(items, ledger, retry_failed=retry_failed)
        self._events: queue.SimpleQueue[tuple[str, Advanced | End]] = queue.SimpleQueue()
        self._running: dict[str, _Running] = {}
        self._deaths: dict[str, int] = {}
        self._told_s = 0.0
        self._n_done = 0
        self._stopping = False

    def plan(self) -> BatchResult:
        """Only tell what is to be done."""
        start_s = time.monotonic()
        with closing(Ahead(self._items, self._stages)) as ahead:
            while not ahead.over:
                ahead.wait(_TICK_S)
                self._take_in(ahead)
                self._tell()
        return self._result(0, start_s, ())

    def run(self, make_engine: MakeEngine) -> BatchResult:
        """Do what is to be done.

        Parameters
        ----------
        make_engine : callable
            Makes the engine; it is closed in the end.

        Returns
        -------
        BatchResult

        Raises
        ------
        FoleySpaceError
            If the record cannot be written or the cluster is gone; what is done is on record. That an item fails
            raises nothing.
        BaseException
            Whatever `on_progress` or a signal raises: what runs is stopped then, and is done again by the next run.
        """
        start_s = time.monotonic()
        interrupted = self._ledger.interrupted()
        engine = make_engine(
            lambda job_id, step: self._events.put((job_id, step)), lambda job_id, end: self._events.put((job_id, end))
        )
        try:
            with closing(Ahead(self._items, self._stages)) as ahead:
                while not ahead.over or not self._agenda.over:
                    self._plan_ahead(ahead)
                    self._start(engine)
                    self._hear()
                    self._watch(engine)
                    self._tell()
            warnings = tuple(engine.fallbacks())
        except BaseException:
            self._stop(engine)
            raise
        finally:
            engine.close()
            self._ledger.interrupted()
            shutil.rmtree(record_folder(self._folder) / "work", ignore_errors=True)
        self._tell(last=True)
        return self._result(interrupted, start_s, warnings)

    # --- planning ----------------------------------------------------------------------------------------------

    def _stages(self, item: Item) -> tuple[Stage, ...]:
        return stages_of(item, self._settings, self._ledger, self._folder)

    def _plan_ahead(self, ahead: Ahead) -> None:
        if self._agenda.n_ready() >= _ENOUGH_READY:
            return
        if not self._running and not self._agenda.n_ready():  # nothing else to wait for
            ahead.wait(_TICK_S)
        self._take_in(ahead)

    def _take_in(self, ahead: Ahead) -> None:
        with self._ledger.at_once():
            for item, future in ahead.take():
                try:
                    self._agenda.plan(item, future.result(), time.time())
                except FoleySpaceError as error:
                    self._agenda.refuse(item, failure(error), time.time())

    # --- work --------------------------------------------------------------------------------------------------

    def _start(self, engine: Engine) -> None:
        if not self._agenda.n_ready():
            return
        with self._ledger.at_once():
            for _ in range(_MOST_AT_ONCE):
                stage = self._agenda.take(engine.can_run)
                if stage is None:
                    return
                attempt = self._ledger.begin(stage.key, time.time())
                self._running[stage.key] = _Running(stage, attempt)
                engine.start(self._assignment(stage, attempt), stage.kind_of_job)

    def _assignment(self, stage: Stage, attempt: int) -> Assignment:
        folder = record_folder(self._folder) / "work" / stage.key
        folder.mkdir(parents=True, exist_ok=True)
        return Assignment(
            job_id=stage.key,
            attempt=attempt,
            body=stage.body,
            folder=folder,
            inputs=stage.inputs,
            output_folder=stage.out.parent,
            stem=stage.out.stem,
            cache_folder=self._cache_folder,
            cache_limit_bytes=self._config.cache_limit_mb << 20,
            device=self._device,
        )

    def _hear(self) -> None:
        """Wait for news, and write all that there is to the record at once."""
        if not self._running:
            return
        try:
            news = [self._events.get(timeout=_TICK_S)]
        except queue.Empty:
            return
        while len(news) < _MOST_AT_ONCE and not self._events.empty():
            news.append(self._events.get())
        with self._ledger.at_once():
            for key, new in news:
                if isinstance(new, Advanced):
                    self._advanced(key, new)
                else:
                    self._ended(key, new)

    def _advanced(self, key: str, step: Advanced) -> None:
        if (run := self._running.get(key)) is None:
            return
        if run.moved_s is None and step.worker is not None:  # until now it waited for one
            self._ledger.began(key, step.worker, time.time())
        if run.moved_s is None or (step.stage, step.done) != run.step:
            run.step, run.moved_s = (step.stage, step.done), time.monotonic()
        run.share = step.fraction

    def _ended(self, key: str, end: End) -> None:
        run = self._running.pop(key, None)
        if run is None:
            return
        now_s = time.time()
        shutil.rmtree(record_folder(self._folder) / "work" / key, ignore_errors=True)
        if isinstance(end, Done):
            (artifact,) = end.outcome.artifacts
            said = end.outcome.result
            mtime_ns, result = int(said.get("mtime_ns", 0)), said.get("result", {})
            self._ledger.finish(key, artifact.n_bytes, mtime_ns, result, end.outcome.warnings, now_s)
            self._agenda.done(key, now_s)
            self._n_done += 1
        elif self._stopping:
            return  # it is done again by the next run
        elif run.killed_for is not None:
            self._agenda.failed(key, run.killed_for, now_s)
        elif isinstance(end, Failed) and end.error.code != OutOfMemory.code and not end.cancelled:
            self._agenda.failed(key, end.error, now_s)
        else:
            self._deaths[key] = self._deaths.get(key, 0) + 1
            if self._deaths[key] < self._config.attempts:
                self._agenda.again(key)
            else:
                self._agenda.failed(key, _gave_up(end, self._deaths[key]), now_s)

    def _watch(self, engine: Engine) -> None:
        """Kill what does not move."""
        limit_s, now_s = self._config.stage_deadline_s, time.monotonic()
        for key, run in self._running.items():
            if run.moved_s is not None and now_s > run.moved_s + limit_s and run.killed_for is None:
                problem = f"there was no progress for {limit_s:g} s at the stage {run.step[0]}"
                cure = "try again, or raise stage_deadline_s in the configuration"
                run.killed_for = failure(TimedOut(problem, cure=cure))
                engine.kill(key)

    def _stop(self, engine: Engine) -> None:
        """Ask everything to stop at its next step, then make it; nobody writes any more after this."""
        self._stopping = True
        for key in self._running:
            engine.cancel(key)
        start_s = time.monotonic()
        killed = False
        while self._running and time.monotonic() < start_s + _STOPPING_S:
            self._hear()
            if not killed and time.monotonic() > start_s + CANCEL_GRACE_S:
                killed = True
                for key in self._running:
                    engine.kill(key)

    # --- telling -----------------------------------------------------------------------------------------------

    def _tell(self, *, last: bool = False) -> None:
        now_s = time.monotonic()
        if self._on_progress is None or (now_s < self._told_s + _TELL_EVERY_S and not last):
            return
        self._told_s = now_s
        total, done, failed = self._agenda.counts
        parts = sum(run.share / 2 for run in self._running.values())
        self._on_progress(BatchProgress(total, done, failed, min(done + failed + parts, total), len(self._running)))

    def _result(self, interrupted: int, start_s: float, warnings: tuple[str, ...]) -> BatchResult:
        return BatchResult(
            folder=str(self._folder),
            record=str(record_folder(self._folder) / RECORD),
            items=self._agenda.results(),
            interrupted=interrupted,
            stages_done=self._n_done,
            total_s=round(time.monotonic() - start_s, 3),
            warnings=warnings,
        )


def _gave_up(end: End, n_deaths: int) -> Error:
    if isinstance(end, Failed):
        return end.error
    reason = end.reason if isinstance(end, Died) else "it ended"
    if isinstance(end, Died) and end.code == OutOfMemory.code:
        return failure(OutOfMemory("there was not enough memory", cure="use fewer workers, or smaller clips"))
    problem = f"the process that worked on it ended {n_deaths} times ({reason})"
    return failure(WorkerDied(problem, cure="see the worker's log, then run again with --retry-failed"))
