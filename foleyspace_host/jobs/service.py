"""The jobs, as the rest of the host sees them: accepted, watched, cancelled, kept; one thread makes them go on."""

from __future__ import annotations

import builtins
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from foleyspace_host.config import Config
from foleyspace_host.errors import Busy, FoleySpaceError, NotFound
from foleyspace_host.jobs.devices import slots
from foleyspace_host.jobs.dispatcher import Dispatcher
from foleyspace_host.jobs.engine import Engine, LocalEngine
from foleyspace_host.jobs.folders import JobFolders, Places
from foleyspace_host.jobs.model import Event, JobFinished, Submission
from foleyspace_host.jobs.record import ENDS, JobRow
from foleyspace_host.jobs.store import Store
from foleyspace_host.protocol.messages import (
    JobCancelOk,
    JobList,
    JobListOk,
    JobReport,
    JobSubmitOk,
    WorkerHealth,
)

__all__ = ["JobService"]

MOST_QUEUED = 10_000
"""More jobs are not accepted."""

_PURGE_EVERY_S = 3600.0
_LIST_BYTES = 192 << 10  # a list must fit into a message's body
_LOG = logging.getLogger(__name__)


class JobService:
    """Accepts jobs and sees each to its one end. Every method may be called from any thread.

    Parameters
    ----------
    folders : Places
        The folders of the profile.
    config : Config
        Number of workers, limits, retention.
    runner : str
        Module that does the work (see `model.Runner`).
    on_event : callable
        Told of progress and of ends, in order, always from the same thread; it should be quick.
    """

    def __init__(
        self,
        folders: Places,
        config: Config,
        *,
        runner: str = "foleyspace_host.jobs.run",
        on_event: Callable[[Event], None],
    ) -> None:
        self._places, self._config, self._runner, self._on_event = folders, config, runner, on_event
        self._folders = JobFolders(folders)
        self._lock = threading.Lock()  # who holds it may wait for the disk, so who must not wait leaves mail
        self._mail = threading.Condition()
        self._heard: builtins.list[Callable[[], None]] = []
        self._closing = False
        self._over = False
        self._purge_s = 0.0
        self._thread = threading.Thread(target=self._go_on, name="jobs", daemon=True)

    def start(self) -> None:
        """Open the record, take up what an earlier host left, and begin.

        Raises
        ------
        JobsUnusable
            If the record cannot be opened, is damaged, or is of a later version.
        DiskFull
            If there is no space for it.
        """
        self._store = Store(self._places.data / "jobs.db")
        try:
            self._engine: Engine = LocalEngine(
                self._runner,
                slots(self._config),
                self._places.state,
                memory_limit_bytes=self._config.memory_limit_mb and self._config.memory_limit_mb << 20,
                on_progress=lambda job_id, step: self._hear(lambda: self._dispatcher.advanced(job_id, step)),
                on_end=lambda job_id, end: self._hear(lambda: self._dispatcher.ended(job_id, end)),
            )
            self._dispatcher = Dispatcher(
                self._store, self._engine, self._folders, self._config, wall_s=time.time, steady_s=time.monotonic
            )
            self._dispatcher.recover()
        except BaseException:
            self._store.close()
            raise
        self._folders.remove_all_but(self._store.job_ids())
        self._thread.start()

    def stop(self, *, now: bool = False, timeout_s: float = 10.0) -> None:
        """End: what runs may finish until the time is up, and is then laid down for the next start.

        Parameters
        ----------
        now : bool
            Lay it down at once.
        timeout_s : float
            How long running jobs may go on [s].
        """
        if self._over or not self._thread.is_alive():
            return
        self._closing = True
        self._hear(lambda: self._dispatcher.pause())
        self._wait_idle(0.0 if now else timeout_s)
        self._hear(lambda: self._dispatcher.lay_down())
        self._wait_idle(1.0)
        self._hear(lambda: self._dispatcher.kill_running())
        self._wait_idle(2.0)
        with self._mail:
            self._over = True
            self._mail.notify()
        self._thread.join()
        self._engine.close()
        self._store.close()

    # --- what clients ask --------------------------------------------------------------------------------------

    def submit(self, submission: Submission) -> JobSubmitOk:
        """Accept a job: when this returns, it is on the disk and will not be lost.

        Its buffers become the job's own. The same request again gives the same job, and takes no buffers.

        Raises
        ------
        Conflict
            If a request of this name asked for something else before.
        Busy
            If the host is about to end, or too many jobs wait.
        DiskFull, OutputUnwritable, JobsUnusable
            If it cannot be recorded; nothing of it stays.
        """
        known = self.known(submission.client_id, submission.request_id, submission.payload_hash)
        if known:
            return known
        self._check_open()
        job_id = uuid.uuid4().hex
        accepted_id = ""
        if submission.spool:
            self._folders.take_buffers(job_id, submission.spool)
        try:
            row = self._store.accept(submission, job_id, time.time())
            accepted_id = row.job_id
        finally:
            if submission.spool and accepted_id != job_id:
                self._folders.give_back(job_id, submission.spool)
        if accepted_id != job_id:  # another thread was faster with the same request
            return JobSubmitOk(job_id=accepted_id, state=row.state)
        self._hear(lambda: self._dispatcher.enqueue(row))
        return JobSubmitOk(job_id=job_id, state="queued")

    def known(self, client_id: str, request_id: str, payload_hash: str) -> JobSubmitOk | None:
        """Return the answer to a request that was accepted before, if it was; raises Conflict as `submit`."""
        row = self._store.known(client_id, request_id, payload_hash)
        return JobSubmitOk(job_id=row.job_id, state=row.state) if row else None

    def cancel(self, job_id: str) -> JobCancelOk:
        """Cancel a job: at once if it waits, within a second or so if it runs, not if it has ended.

        Raises
        ------
        NotFound
            If there is no such job.
        """
        with self._lock:
            before = self._row(job_id)
            if before.state in ENDS:
                return JobCancelOk(job_id=job_id, state=before.state, already_finished=True)
            self._dispatcher.cancel(job_id)
        self._hear(lambda: None)
        return JobCancelOk(job_id=job_id, state=self._row(job_id).state)

    def status(self, job_id: str) -> JobReport:
        """Return what is known of a job.

        Raises
        ------
        NotFound
            If there is no such job.
        """
        row = self._row(job_id)
        return row.report(None if row.state in ENDS else self._dispatcher.progress(job_id))

    def list(self, client_id: str | None, wanted: JobList) -> JobListOk:
        """Return jobs, newest first: of one client or, with None, of all."""
        rows = self._store.page(client_id, wanted.states, wanted.before_s, wanted.limit + 1)
        reports: builtins.list[JobReport] = []
        n_bytes = 0
        for row in rows[: wanted.limit]:
            report = row.report(self._dispatcher.progress(row.job_id), with_result=False)
            n_bytes += len(msgspec.msgpack.encode(report))
            if reports and n_bytes > _LIST_BYTES:
                break
            reports.append(report)
        return JobListOk(jobs=reports, more=len(reports) < len(rows))

    def ack(self, job_id: str) -> None:
        """Note that the client knows how a job ended; raises NotFound if it has not, or there is no such job."""
        if self._store.ack(job_id) is None:
            raise NotFound("no job of this name has ended", where=job_id, cure="ask for its status")
        self._folders.clear_preview(job_id)

    def unacked(self, client_id: str) -> builtins.list[JobReport]:
        """Return the ends that a client has not acknowledged, oldest first."""
        return [row.report() for row in self._store.unacked(client_id)]

    def bind(self, client_id: str, with_client: bool) -> None:
        """Note whether a client's jobs are to end when it is gone; also for the next host."""
        with contextlib.suppress(FoleySpaceError):  # of a disk that is full more is told elsewhere
            self._store.bind(client_id, with_client)

    def bound_clients(self) -> set[str]:
        """Return the clients without whom their jobs are to end."""
        return self._store.bound_clients()

    def preview(self, job_id: str) -> Path | None:
        """Return the file of what a job renders (see `preview.PreviewReader`), or None if it was not asked for.

        Raises
        ------
        NotFound
            If there is no such job.
        """
        return self._folders.preview(self._row(job_id))

    # --- health ------------------------------------------------------------------------------------------------

    def counts(self) -> tuple[int, int]:
        """Return how many jobs wait and how many run."""
        return self._dispatcher.counts

    def workers(self) -> builtins.list[WorkerHealth]:
        """Return the worker processes."""
        return self._engine.workers()

    def device(self) -> str:
        """Return what models run on: ``cpu`` or ``cuda``."""
        return self._engine.device()

    def warnings(self) -> builtins.list[str]:
        """Return what is not as it should be, one line each."""
        trouble = self._dispatcher.trouble
        told = [f"ends of jobs cannot be recorded for the moment: {trouble}"] if trouble else []
        return told + self._engine.fallbacks()

    # --- inside ------------------------------------------------------------------------------------------------

    def _row(self, job_id: str) -> JobRow:
        row = self._store.get(job_id)
        if row is None:
            raise NotFound("there is no such job", where=job_id, cure='see "foleyspace jobs" for those on record')
        return row

    def _check_open(self) -> None:
        if self._closing:
            raise Busy("the host is about to end", cure="send the job again to the next one")
        if self._dispatcher.counts[0] >= MOST_QUEUED:
            raise Busy(f"{MOST_QUEUED} jobs are waiting already", cure="send the job again when some have ended")

    def _hear(self, what: Callable[[], None]) -> None:
        """Let the thread of the jobs do something, soon; waits for nothing."""
        with self._mail:
            self._heard.append(what)
            self._mail.notify()

    def _wait_idle(self, timeout_s: float) -> None:
        """Wait until all that was heard is done and nothing runs; at most for a time."""
        until_s = time.monotonic() + timeout_s
        while (self._heard or self._dispatcher.counts[1]) and time.monotonic() < until_s:
            time.sleep(0.01)

    def _go_on(self) -> None:
        """Make the jobs go on until the end: the body of the thread."""
        wait_s = 0.0
        while True:
            with self._mail:
                if not self._heard and not self._over and wait_s > 0.0:
                    self._mail.wait(wait_s)
                heard, self._heard = self._heard, []
                if self._over and not heard:
                    return
            with self._lock:
                for what in heard:
                    what()
                try:
                    wait_s = self._dispatcher.step()
                except Exception as error:  # a bug must not stop everyone's jobs
                    _LOG.error("jobs.bug", extra={"fields": {"bug": repr(error), "code": "internal"}})
                    wait_s = 1.0
                events, self._dispatcher.events = self._dispatcher.events, []
            for event in events:
                self._tell(event)
            self._purge()

    def _tell(self, event: Event) -> None:
        if isinstance(event, JobFinished):
            report = event.report
            fields = {"job_id": report.job_id, "kind": report.kind, "state": report.state, "attempts": report.attempts}
            if report.error:
                fields["code"] = report.error.code
            _LOG.info("job.finished", extra={"fields": fields})
        self._on_event(event)

    def _purge(self) -> None:
        """Forget what is older than it is kept."""
        if time.monotonic() < self._purge_s:
            return
        self._purge_s = time.monotonic() + _PURGE_EVERY_S
        with contextlib.suppress(FoleySpaceError):
            old = self._store.finished_before(time.time() - self._config.retention_days * 86_400.0)
            # the rows first: folders without one are removed at the next start, should this be cut short
            self._store.forget(row.job_id for row in old)
            for row in old:
                self._folders.remove(row.job_id)
