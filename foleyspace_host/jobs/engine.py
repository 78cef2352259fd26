"""Where jobs are executed: an interface, and the engine of this machine with its worker processes.

An engine knows nothing of clients, queues, retries or deadlines; it starts one attempt at a job, stops it when
told, and says how it ended. It ends every attempt that it has started exactly once, whatever happens to the
process.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import Died, End, Slot, WorkerProcess
from foleyspace_host.jobs.talk import Advanced, Done, Failed, store_assignment
from foleyspace_host.protocol.messages import WorkerHealth

__all__ = ["SPOILED", "Engine", "LocalEngine"]

IDLE_S = 600.0
"""A worker that has had no job for so long is ended, to free its memory."""

SPOILED = ("internal", "out_of_memory")
"""Codes of errors after which a process is not used again."""


class Engine(Protocol):
    """Executes jobs; all methods return at once, but `close`."""

    def can_run(self, kind: str) -> bool:
        """Whether a job of this kind could be started now."""

    def start(self, assignment: Assignment, kind: str) -> None:
        """Start an attempt at a job; only where `can_run` is true."""

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop at its next step."""

    def kill(self, job_id: str) -> None:
        """Stop a job whatever it does; it ends with `Died`."""

    def workers(self) -> list[WorkerHealth]:
        """Say what is there to execute jobs."""

    def device(self) -> str:
        """Say what models run on: ``cpu`` or ``cuda``."""

    def fallbacks(self) -> list[str]:
        """Say where models run on the processor though a GPU was wanted, and why."""

    def close(self) -> None:
        """Stop everything and wait for it to have stopped; nothing is reported any more."""


class LocalEngine:
    """Worker processes on this machine, one job at a time in each; each has a thread of the host that listens.

    Parameters
    ----------
    runner : str
        Module that does the work (see `model.Runner`).
    slots : sequence of Slot
        The workers; a process is started when there is a job for it, the first one ahead of time.
    logs : Path
        Folder for what the workers print.
    memory_limit_bytes : int, optional
        Memory that each may use.
    on_progress : callable
        Called with the job's name and how far it is, from a thread for each worker.
    on_end : callable
        Called with the job's name and how the attempt ended, likewise.
    """

    def __init__(
        self,
        runner: str,
        slots: Sequence[Slot],
        logs: Path,
        *,
        memory_limit_bytes: int | None = None,
        on_progress: Callable[[str, Advanced], None],
        on_end: Callable[[str, End], None],
    ) -> None:
        self._places = [
            _Place(runner, slot, logs / f"{slot.name}.log", memory_limit_bytes, on_progress, on_end) for slot in slots
        ]
        self._has_gpu = any(place.slot.device != "cpu" for place in self._places)
        self._places[0].warm_up()

    def can_run(self, kind: str) -> bool:
        """Whether a suitable worker has nothing to do."""
        return self._free(kind) is not None

    def start(self, assignment: Assignment, kind: str) -> None:
        """Give a job to the best of the free workers."""
        place = self._free(kind)
        if place is None:
            raise RuntimeError("no worker is free")
        place.give(replace(assignment, device=place.slot.wanted))

    def cancel(self, job_id: str) -> None:
        """Pass a cancel on."""
        for place in self._places:
            place.cancel(job_id)

    def kill(self, job_id: str) -> None:
        """Kill the process that is at a job."""
        for place in self._places:
            place.kill(job_id)

    def workers(self) -> list[WorkerHealth]:
        """Say which processes there are."""
        return [health for place in self._places if (health := place.health())]

    def device(self) -> str:
        """Say what models run on: ``cuda`` as long as they do on one of the GPUs."""
        on_gpu = any(place.slot.device != "cpu" and not place.fallbacks for place in self._places)
        return "cuda" if on_gpu else "cpu"

    def fallbacks(self) -> list[str]:
        """Say why models run on the processor, of each worker that was to use a GPU."""
        return [f"{place.slot.name}: {line}" for place in self._places for line in place.fallbacks]

    def close(self) -> None:
        """Kill all processes."""
        for place in self._places:
            place.close()
        for place in self._places:
            place.join()

    def _free(self, kind: str) -> _Place | None:
        # models run where the GPU is, if there is one; a render needs none and leaves it free if it can
        free = [place for place in self._places if place.free]
        if self._has_gpu and kind != "render":
            return next((place for place in free if place.slot.device != "cpu"), None)
        return min(free, key=lambda place: (place.slot.device != "cpu", not place.warm), default=None)


class _Place:
    """One worker process after the other, each used for as many jobs as it survives."""

    def __init__(
        self,
        runner: str,
        slot: Slot,
        log: Path,
        memory_limit_bytes: int | None,
        on_progress: Callable[[str, Advanced], None],
        on_end: Callable[[str, End], None],
    ) -> None:
        self.slot = slot
        self.fallbacks: tuple[str, ...] = ()  # as its last job told
        self._new: Callable[[], WorkerProcess] = partial(WorkerProcess, runner, slot, log, memory_limit_bytes)
        self._on_progress, self._on_end = on_progress, on_end
        self._waiting: queue.SimpleQueue[Assignment | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self._job_id: str | None = None
        self._cancelled = self._killed = self._closed = False
        # the thread starts the process and so must outlive it: Linux tells the process of its thread's end
        self._thread = threading.Thread(target=self._serve, name=slot.name, daemon=True)
        self._thread.start()

    @property
    def free(self) -> bool:
        return self._job_id is None and not self._closed

    @property
    def warm(self) -> bool:
        return self._process is not None

    def warm_up(self) -> None:
        self._waiting.put(None)

    def give(self, assignment: Assignment) -> None:
        with self._lock:
            self._job_id, self._cancelled, self._killed = assignment.job_id, False, False
        self._waiting.put(assignment)

    def cancel(self, job_id: str) -> None:
        with self._lock:
            if self._job_id == job_id:
                self._cancelled = True
                if self._process:
                    self._process.cancel(job_id)

    def kill(self, job_id: str) -> None:
        with self._lock:
            if self._job_id == job_id:
                self._killed = True
                if self._process:
                    self._process.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._process:
                self._process.kill()
        self._waiting.put(None)

    def join(self) -> None:
        self._thread.join()

    def health(self) -> WorkerHealth | None:
        with self._lock:
            process, job_id = self._process, self._job_id
        if job_id is None and (process is None or not process.alive()):
            return None
        return WorkerHealth(
            name=self.slot.name,
            device="cpu" if self.fallbacks else self.slot.device,
            state="starting" if process is None else "busy" if job_id else "idle",
            job_id=job_id,
            rss_bytes=_rss_bytes(process.pid) if process else None,
        )

    def _serve(self) -> None:
        while True:
            try:
                assignment = self._waiting.get(timeout=IDLE_S)
            except queue.Empty:
                self._retire()
                continue
            if self._closed:
                break
            if assignment is None:
                with contextlib.suppress(OSError):
                    self._ready()
                continue
            end = self._attempt(assignment)
            if isinstance(end, Done):
                self.fallbacks = end.outcome.fallbacks
            spoiled = isinstance(end, Failed) and end.error.code in SPOILED
            if spoiled or isinstance(end, Died) or self._killed:
                self._retire()
            with self._lock:
                self._job_id = None
                closed = self._closed
            if not closed:
                self._on_end(assignment.job_id, end)
        self._retire()

    def _attempt(self, assignment: Assignment) -> End:
        job_id = assignment.job_id
        try:
            path = store_assignment(assignment)
            process = self._ready()
            with self._lock:
                process.start(path)
                if self._cancelled:  # before there was a process to tell it
                    process.cancel(job_id)
                if self._killed or self._closed:
                    process.kill()
            return process.wait_for_end(lambda message: self._on_progress(job_id, message))
        except OSError as error:
            return Died(f"it could not be started: {error.strerror}")

    def _ready(self) -> WorkerProcess:
        if self._process and not self._process.alive():
            self._retire()
        if self._process is None:
            process = self._new()
            with self._lock:
                self._process = process
        return self._process

    def _retire(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.retire()


def _rss_bytes(pid: int) -> int | None:
    import psutil

    try:
        rss: int = psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return None
    return rss
