"""The life of jobs, from the queue to their one end: what happens when, without threads or clocks of its own.

::

    accept ──> queued ──begin──> running ──> done
                 │  ^               │  ├───> failed     the job's own error; no progress for too long;
                 │  └─requeue───────┘  │                the worker died once too often
                 │    (worker died,    └───> cancelled
                 │     host ends)
                 ├──> cancelled   told before it began
                 └──> failed      its deadline passed

The record is changed first and what is in memory after it; if the record cannot be written (a full disk), the
end of a job is kept in mind and written as soon as that is possible.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from foleyspace_host.config import Config
from foleyspace_host.errors import FoleySpaceError, OutOfMemory, TimedOut
from foleyspace_host.jobs.engine import Engine
from foleyspace_host.jobs.folders import JobFolders
from foleyspace_host.jobs.model import Event, JobFinished, JobProgressed
from foleyspace_host.jobs.process import Died, End
from foleyspace_host.jobs.reasons import given_up, late, stuck, too_large, worker_died
from foleyspace_host.jobs.record import ENDS, Ending, JobRow
from foleyspace_host.jobs.running import Running
from foleyspace_host.jobs.scheduler import Queue, Waiting
from foleyspace_host.jobs.store import Store
from foleyspace_host.jobs.talk import Advanced, Done, Failed
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import JobState, Progress

__all__ = ["Dispatcher"]

CANCEL_GRACE_S = 2.0
"""A job that has not stopped so long after its cancel is killed [s]."""

PROGRESS_EVERY_S = 0.1
RETRY_RECORD_S = 1.0
MEMORY_EVERY_S = 0.5
MOST_STARTS = 50
"""A job begun so often without an end is given up, whoever ended the host in between."""

_ATTEMPT = 1 << 24  # progress of a later attempt has higher numbers, also after the host was started anew


class Dispatcher:
    """Decides; the caller sees to it that one thread at a time is in here.

    Parameters
    ----------
    store : Store
        The record.
    engine : Engine
        What executes.
    folders : JobFolders
        The files of jobs.
    config : Config
        Limits.
    wall_s, steady_s : callable
        The time since 1970 and that of a clock which never jumps [s].
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        folders: JobFolders,
        config: Config,
        *,
        wall_s: Callable[[], float],
        steady_s: Callable[[], float],
    ) -> None:
        self._store, self._engine, self._folders, self._config = store, engine, folders, config
        self._wall_s, self._steady_s = wall_s, steady_s
        self._queue = Queue()
        self._running: dict[str, Running] = {}
        self._unsettled: dict[str, End] = {}
        self._retry_s = self._memory_s = 0.0
        self._starting = True
        self.events: list[Event] = []
        """What clients are to be told, in order; the caller takes it away."""
        self.trouble: str | None = None
        """Why the record cannot be written at present."""

    @property
    def counts(self) -> tuple[int, int]:
        """How many jobs wait, and how many run."""
        return len(self._queue), len(self._running)

    def progress(self, job_id: str) -> Progress | None:
        """Return how far a running job is."""
        run = self._running.get(job_id)
        return run.progress if run else None

    def recover(self) -> None:
        """Take up what an earlier host left: what ran is queued again, or cancelled if that was promised."""
        for row in self._store.unfinished():
            if row.state == "running":
                self._folders.clear_unfinished(row)
                if row.cancelling:
                    self._end(row, "cancelled", Ending())
                    continue
                if row.attempts >= MOST_STARTS:
                    self._end(row, "failed", Ending(error=given_up(row)))
                    continue
                self._store.requeue(row.job_id, died=False)
            self.enqueue(row)

    def enqueue(self, row: JobRow) -> None:
        """Let an accepted job wait for its turn."""
        self._queue.add(Waiting(-row.priority, row.created_s, row.job_id, row.client_id, row.kind, row.deadline_s))

    def cancel(self, job_id: str) -> None:
        """Cancel a job that has not ended: at once if it waits, soon if it runs."""
        if run := self._running.get(job_id):
            if run.cancel_s is None:
                self._engine.cancel(job_id)  # before the disk is waited for
                run.cancel_s = self._steady_s()
            # asked again if noting failed: the promise must outlive this process
            self._store.note_cancel(job_id)
        elif (row := self._store.get(job_id)) and row.state not in ENDS:
            self._end(row, "cancelled", Ending())
            self._queue.remove(job_id)

    def advanced(self, job_id: str, step: Advanced) -> None:
        """Hear from the engine that a job came further."""
        if run := self._running.get(job_id):
            if (share := run.to_record(step)) is not None:
                with contextlib.suppress(FoleySpaceError):  # what cannot be recorded is told all the same
                    self._store.note_reached(job_id, share)
                    run.recorded = share
            run.advance(step, self._steady_s())

    def ended(self, job_id: str, end: End) -> None:
        """Hear from the engine that an attempt is over."""
        if job_id in self._running:
            self._unsettled[job_id] = end
            self._retry_s = 0.0

    def lay_down(self) -> None:
        """Stop what runs and start nothing more; the next host goes on with it."""
        self._starting = False
        for job_id, run in self._running.items():
            if not run.laid_down:
                run.laid_down = True
                self._engine.cancel(job_id)

    def pause(self) -> None:
        """Start nothing more; what runs goes on."""
        self._starting = False

    def kill_running(self) -> None:
        """Stop what runs, whatever it does."""
        for job_id in self._running:
            self._engine.kill(job_id)

    def step(self) -> float:
        """Do all that is due.

        Returns
        -------
        float
            When this is to be called again even if nothing is heard [s from now].
        """
        self._settle()
        self._expire()
        self._watch()
        self._start()
        self._tell_progress()
        return self._next_s()

    # --- ends --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Write the ends of attempts to the record."""
        if not self._unsettled or self._steady_s() < self._retry_s:
            return
        for job_id, end in list(self._unsettled.items()):
            with self._kept_in_mind():
                try:
                    self._conclude(self._running[job_id], end)
                except FoleySpaceError:
                    raise
                except Exception as error:  # whatever it is, it ends this job and no other
                    self._end(self._running[job_id].row, "failed", Ending(error=failure(error)))
                del self._running[job_id], self._unsettled[job_id]

    def _conclude(self, run: Running, end: End) -> None:
        row = run.row
        if isinstance(end, Done):
            outcome = end.outcome
            self._end(row, "done", Ending(list(outcome.artifacts), outcome.result, None, list(outcome.warnings)))
            return
        self._folders.clear_unfinished(row)
        if run.cancel_s is not None:
            self._end(row, "cancelled", Ending())
        elif run.killed_for and run.killed_for.code == TimedOut.code:
            self._end(row, "failed", Ending(error=run.killed_for))
        elif run.laid_down and (isinstance(end, Died) or end.cancelled):
            self._store.requeue(row.job_id, died=False)
        elif isinstance(end, Failed) and end.error.code != OutOfMemory.code:
            self._end(row, "failed", Ending(error=end.error))
        elif row.deaths + 1 >= self._config.attempts or row.attempts >= MOST_STARTS:
            self._end(row, "failed", Ending(error=run.killed_for or worker_died(row, end)))
        elif again := self._store.requeue(row.job_id, died=True):
            self.enqueue(again)

    def _end(self, row: JobRow, state: JobState, ending: Ending) -> None:
        """End a job and say so, unless it has ended before."""
        ended = self._store.finish(row.job_id, state, ending, self._wall_s())
        if ended:
            self._folders.clear_inputs(row.job_id)
            self.events.append(JobFinished(row.client_id, ended.report()))

    @contextlib.contextmanager
    def _kept_in_mind(self) -> Iterator[None]:
        """Try again later what the record could not take."""
        try:
            yield
            self.trouble = None
        except FoleySpaceError as error:
            self.trouble = str(error)
            self._retry_s = self._steady_s() + RETRY_RECORD_S

    # --- what time brings --------------------------------------------------------------------------------------

    def _expire(self) -> None:
        for job in self._queue.late(self._wall_s()):
            with self._kept_in_mind():
                if row := self._store.get(job.job_id):
                    self._end(row, "failed", Ending(error=late()))
                self._queue.remove(job.job_id)

    def _watch(self) -> None:
        """Kill what does not stop, does not move, or needs too much memory."""
        now_s, limit_s, limit_mb = self._steady_s(), self._config.stage_deadline_s, self._config.memory_limit_mb
        for job_id, run in self._running.items():
            if run.cancel_s is not None and now_s >= run.cancel_s + CANCEL_GRACE_S:
                self._engine.kill(job_id)
            elif now_s >= run.moved_s + limit_s and not run.killed_for:
                run.killed_for = stuck(limit_s, run.progress)
                self._engine.kill(job_id)
        if limit_mb and self._running and now_s >= self._memory_s:
            self._memory_s = now_s + MEMORY_EVERY_S
            for worker in self._engine.workers():
                over = (worker.rss_bytes or 0) > limit_mb << 20
                if over and (large := self._running.get(worker.job_id or "")) and not large.killed_for:
                    large.killed_for = too_large(limit_mb)
                    self._engine.kill(large.row.job_id)

    def _start(self) -> None:
        if not self._starting or self._steady_s() < self._retry_s:
            return
        clients = Counter(run.row.client_id for run in self._running.values())
        while job := self._queue.take(clients, self._engine.can_run):
            row: JobRow | None = None
            with self._kept_in_mind():
                row = self._store.begin(job.job_id, self._wall_s())
            if self.trouble:
                self._queue.add(job)
                return
            if row is None:
                continue  # it was cancelled in this very moment
            self._begin(row)
            clients[row.client_id] += 1

    def _begin(self, row: JobRow) -> None:
        now_s = self._steady_s()
        self._running[row.job_id] = Running(row, now_s, now_s, row.attempts * _ATTEMPT, row.reached)
        try:
            self._engine.start(self._folders.assignment(row, self._config.cache_limit_mb << 20), row.kind)
        except Exception as error:  # whatever it is, it ends this job and no other
            self._unsettled[row.job_id] = Failed(failure(error))

    def _tell_progress(self) -> None:
        now_s = self._steady_s()
        for job_id, run in self._running.items():
            if run.untold and run.progress and now_s >= run.told_s + PROGRESS_EVERY_S:
                run.seq, run.told_s, run.untold = run.seq + 1, now_s, False
                self.events.append(JobProgressed(run.row.client_id, job_id, run.seq, run.progress))

    def _next_s(self) -> float:
        now_s = self._steady_s()
        due = [now_s + 60.0]
        if self._unsettled:
            due.append(self._retry_s)
        for run in self._running.values():
            due.append(run.moved_s + self._config.stage_deadline_s if not run.killed_for else now_s + 60.0)
            if run.cancel_s is not None:
                due.append(max(run.cancel_s + CANCEL_GRACE_S, now_s + 0.1))
            if run.untold:
                due.append(run.told_s + PROGRESS_EVERY_S)
            if self._config.memory_limit_mb:
                due.append(self._memory_s)
        if (deadline_s := self._queue.next_deadline_s()) is not None:
            due.append(now_s + deadline_s - self._wall_s())
        # while the record cannot be written, much is due that cannot be done
        return max(min(due) - now_s, RETRY_RECORD_S if self.trouble else 0.0)
