"""What runs on a worker of a cluster: it hands each job to a process of our own, the same that the local engine uses.

So a job that crashes or hangs costs the worker nothing, a cancel can be enforced, and models stay loaded from one
job to the next. The worker's Python stays free to answer the scheduler meanwhile.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from distributed import WorkerPlugin, get_worker

from foleyspace_host import __version__
from foleyspace_host.jobs.dispatcher import CANCEL_GRACE_S
from foleyspace_host.jobs.engine import SPOILED
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import Died, End, Slot, WorkerProcess
from foleyspace_host.jobs.talk import Advanced, Failed, decode_assignment, encode_line, store_assignment

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["BLIND", "PLUGIN", "JobProcesses", "Told", "attempt", "identify", "stop"]

PLUGIN = "foleyspace"
IDLE_S = 60.0
"""A process that has had no job for so long is ended, to free its memory."""

SEEING_S = 5.0
"""How long a worker looks for a folder that was made for its job [s]."""

BLIND = "blind"
"""Code of the end of a job whose folder the worker does not see: it joined later, and lacks the storage."""

_TELL_EVERY_S = 1.0  # all of it goes through the scheduler


class Told(msgspec.Struct, frozen=True):
    """What a worker tells of a job: that it is at it, and how far."""

    job_id: str
    worker: str
    step: Advanced | None = None


class JobProcesses(WorkerPlugin):  # type: ignore[misc]
    """The processes of one worker, as many as it runs jobs at once."""

    idempotent = True  # a second client finds the processes of the first

    def setup(self, worker: Worker) -> None:
        """Begin, on the worker."""
        self._worker = worker
        self._lock = threading.Lock()
        self._idle: list[tuple[str, float, WorkerProcess]] = []
        self._busy: dict[str, tuple[str, WorkerProcess | None]] = {}  # job and process, by task
        self._unwanted: set[str] = set()  # tasks that were given up before they came to their job
        self._stopped: dict[str, bool] = {}  # tasks to cancel, and whether by force
        self._started = 0
        self._closed = threading.Event()
        threading.Thread(target=self._retire_idle, name="foleyspace-idle", daemon=True).start()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - distributed gives it
        """End all processes."""
        self._closed.set()
        with self._lock:
            processes = [process for _, _, process in self._idle]
            processes += [process for _, process in self._busy.values() if process is not None]
            self._idle.clear()
        for process in processes:
            process.kill()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Stop a job that nobody wants any more: its client cancelled it, or is gone."""
        task = str(key)
        if finish == "forgotten":
            self._unwanted.discard(task)
        if start not in ("executing", "long-running") or finish != "released":
            return
        with self._lock:
            if task not in self._busy:  # it is about to begin
                self._unwanted.add(task)
                return
        self.stop(task, by_force=False)
        timer = threading.Timer(CANCEL_GRACE_S, self.stop, (task,), {"by_force": True})
        timer.daemon = True
        timer.start()

    def stop(self, task: str, *, by_force: bool) -> None:
        """Cancel a job that runs here, or kill its process; nothing if it does not."""
        with self._lock:
            if task not in self._busy:
                return
            self._stopped[task] = by_force or self._stopped.get(task, False)
            job_id, process = self._busy[task]
            if process is not None:
                process.kill() if by_force else process.cancel(job_id)

    def attempt(self, task: str, runner: str, memory_limit_bytes: int | None, topic: str, text: bytes) -> End:
        """Do a job and say how it ended."""
        assignment = decode_assignment(text)
        with self._lock:
            if task in self._unwanted:
                return Died("it was stopped")
            self._busy[task] = (assignment.job_id, None)
        try:
            return self._attempt(task, assignment, runner, memory_limit_bytes, topic)
        except OSError as error:
            return Died(f"it could not be started: {error.strerror}")
        finally:
            with self._lock:
                self._busy.pop(task, None)
                self._stopped.pop(task, None)

    def _attempt(
        self, task: str, assignment: Assignment, runner: str, memory_limit_bytes: int | None, topic: str
    ) -> End:
        job_id, address = assignment.job_id, str(self._worker.address)
        said_s, said = 0.0, ""

        def tell(step: Advanced | None) -> None:
            nonlocal said_s, said
            now_s = time.monotonic()
            if step is None or step.stage != said or now_s - said_s >= _TELL_EVERY_S:
                said_s, said = now_s, step.stage if step else ""
                self._worker.log_event(topic, msgspec.to_builtins(Told(job_id, address, step)))

        tell(None)
        until_s = time.monotonic() + SEEING_S
        while not assignment.folder.is_dir():  # network file systems tell of new folders a little later
            if time.monotonic() >= until_s:
                return Died(f"the worker {address} does not see the folder {assignment.folder}", BLIND)
            time.sleep(0.1)
        path = store_assignment(assignment)
        group = f"{runner} {memory_limit_bytes}"
        process = self._take(group, runner, memory_limit_bytes)
        with self._lock:
            self._busy[task] = (job_id, process)
            process.start(path)
            if task in self._stopped:
                process.kill() if self._stopped[task] else process.cancel(job_id)
        end: End = Died("it was stopped")
        try:
            end = process.wait_for_end(tell)
        finally:
            with self._lock:
                killed = self._stopped.get(task, False)
                self._busy[task] = (job_id, None)
            spoiled = isinstance(end, Died) or killed or (isinstance(end, Failed) and end.error.code in SPOILED)
            if spoiled or self._closed.is_set():
                process.retire()
            else:
                with self._lock:
                    self._idle.append((group, time.monotonic(), process))
        return end

    def _take(self, group: str, runner: str, memory_limit_bytes: int | None) -> WorkerProcess:
        """Return an idle process that is alive, or a new one."""
        while True:
            with self._lock:
                found = next((one for one in self._idle if one[0] == group), None)
                if found is None:
                    break
                self._idle.remove(found)
            if found[2].alive():
                return found[2]
            found[2].retire()
        self._started += 1
        slot = Slot(f"foleyspace-{self._started}")
        return WorkerProcess(runner, slot, Path(self._worker.local_directory) / f"{slot.name}.log", memory_limit_bytes)

    def _retire_idle(self) -> None:
        while not self._closed.wait(IDLE_S / 4):
            now_s = time.monotonic()
            with self._lock:
                old = [one for one in self._idle if now_s - one[1] > IDLE_S]
                self._idle = [one for one in self._idle if one not in old]
            for _, _, process in old:
                process.retire()


def attempt(runner: str, memory_limit_bytes: int | None, topic: str, text: bytes) -> tuple[str, ...] | bytes:
    """Do a job; this is what the scheduler sends to workers.

    Parameters
    ----------
    runner : str
        Module that does the work (see `jobs.model.Runner`).
    memory_limit_bytes : int or None
        Memory that it may use.
    topic : str
        Where its progress is told.
    text : bytes
        The assignment, see `jobs.talk.encode_assignment`: paths and settings, never samples.

    Returns
    -------
    bytes or tuple of str
        The end as a line, or reason and code if its process died.
    """
    worker = get_worker()
    task = str(worker.get_current_task())
    end = worker.plugins[PLUGIN].attempt(task, runner, memory_limit_bytes, topic, text)
    return (end.reason, end.code) if isinstance(end, Died) else encode_line(end)


def stop(task: str, by_force: bool, dask_worker: Worker) -> None:
    """Cancel or kill a job; run on the worker that is at it."""
    if plugin := dask_worker.plugins.get(PLUGIN):
        plugin.stop(task, by_force=by_force)


def identify() -> str:
    """Return the version of this program; run on a worker."""
    return __version__
