"""The engine of a cluster: the same interface as the local one, with Dask's scheduler in between.

The scheduler is only told of as many jobs as there are places for, so that the queue stays where the record is. It
may lose everything at any time; what is on record is then done again under the same paths.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from foleyspace_host.cluster.worker import BLIND, PLUGIN, JobProcesses, Told, attempt, stop
from foleyspace_host.errors import Cancelled, HostError
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import Died, End
from foleyspace_host.jobs.talk import Advanced, Done, Failed, decode_from_worker, encode_assignment
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import WorkerHealth

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskEngine"]

_LOOK_EVERY_S = 2.0
_AHEAD = 1.25  # jobs for each place, so that a worker need not wait for the next one
_CLOSING_S = 6.0
_GONE_S = 10.0
_DESERTED_S = 300.0


@dataclass(slots=True)
class _Job:
    future: Future
    worker: str | None = None
    stopped: bool | None = None  # None: no, False: cancelled, True: killed


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    n_jobs: int
    n_gpus: float
    rss_bytes: int | None


class DaskEngine:
    """Workers of a cluster, each of which hands jobs to a process of ours.

    Parameters
    ----------
    client : distributed.Client
        As `connect` gives it; closed by `close`.
    runner : str
        Module that does the work (see `jobs.model.Runner`); must be importable on the workers.
    memory_limit_bytes : int, optional
        Memory that a job may use.
    on_progress : callable
        Called with the job's name and how far it is, from a thread of Dask's; first with the stage ``start``.
    on_end : callable
        Called with the job's name and how the attempt ended, likewise.
    """

    def __init__(
        self,
        client: Client,
        runner: str,
        *,
        memory_limit_bytes: int | None = None,
        on_progress: Callable[[str, Advanced], None],
        on_end: Callable[[str, End], None],
    ) -> None:
        self._client, self._runner, self._memory = client, runner, memory_limit_bytes
        self._on_progress, self._on_end = on_progress, on_end
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._places: list[_Place] = []
        self._blind: set[str] = set()  # workers that do not see the storage
        self._looked_s = 0.0
        self._well_s = time.monotonic()
        self._address = str(client.scheduler.address)
        self._fallbacks: dict[str, tuple[str, ...]] = {}
        self._closed = False
        self._commands = ThreadPoolExecutor(4, "cluster-commands")
        self._topic = f"{PLUGIN}-{client.id}"
        client.register_plugin(JobProcesses(), name=PLUGIN)
        client.subscribe_topic(self._topic, self._hear)
        self._look()

    def can_run(self, kind: str) -> bool:
        """Whether the scheduler should be given another job of this kind now.

        Raises
        ------
        HostError
            If the scheduler is gone, or has had no workers for long.
        """
        self._look()
        self._check()
        places = sum(place.n_jobs for place in self._places if place.n_gpus or not self._wants_gpu(kind))
        with self._lock:
            return not self._closed and len(self._jobs) < max(places * _AHEAD, 0)

    def start(self, assignment: Assignment, kind: str) -> None:
        """Hand a job to the scheduler; on a GPU if there are any and it needs models."""
        with self._lock:
            if self._closed or assignment.job_id in self._jobs:
                raise RuntimeError("the job cannot be started")
            future = self._client.submit(
                attempt,
                self._runner,
                self._memory,
                self._topic,
                encode_assignment(assignment),
                key=f"{assignment.job_id}-{assignment.attempt}",
                pure=False,
                retries=0,
                resources={"GPU": 1} if self._wants_gpu(kind) else None,
                workers=[place.name for place in self._places] if self._blind else None,
            )
            self._jobs[assignment.job_id] = _Job(future)
        future.add_done_callback(lambda done: self._ended(assignment.job_id, done))

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop, wherever it is."""
        self._stop(job_id, by_force=False)

    def kill(self, job_id: str) -> None:
        """Kill the process that is at a job."""
        self._stop(job_id, by_force=True)

    def workers(self) -> list[WorkerHealth]:
        """Say which workers there are."""
        self._look()
        with self._lock:
            at = {job.worker: job_id for job_id, job in self._jobs.items()}
        return [
            WorkerHealth(
                name=place.name,
                device="cuda" if place.n_gpus else "cpu",
                state="busy" if place.name in at else "idle",
                job_id=at.get(place.name),
                rss_bytes=place.rss_bytes,
            )
            for place in self._places
        ]

    def device(self) -> str:
        """Say what models run on: ``cuda`` if a worker has the resource GPU."""
        return "cuda" if any(place.n_gpus for place in self._places) else "cpu"

    def fallbacks(self) -> list[str]:
        """Say why models ran on the processor where a GPU was to be used."""
        return [f"{worker}: {line}" for worker, lines in self._fallbacks.items() for line in lines]

    def close(self) -> None:
        """Stop all jobs of this engine, and leave the cluster; its workers stay."""
        with self._lock:
            self._closed = True
            job_ids = list(self._jobs)
        for job_id in job_ids:
            self._stop(job_id, by_force=True)
        until_s = time.monotonic() + _CLOSING_S
        while self._jobs and time.monotonic() < until_s and self._client.status == "running":
            time.sleep(0.02)
        self._commands.shutdown(wait=True)
        self._client.close(timeout=_CLOSING_S)

    # --- what comes from the cluster ---------------------------------------------------------------------------

    def _hear(self, event: tuple[float, Any]) -> None:
        told = msgspec.convert({name: event[1].get(name) for name in ("job_id", "worker", "step")}, Told)
        with self._lock:
            job = self._jobs.get(told.job_id)
            if job is None:
                return
            moved, job.worker = job.worker != told.worker, told.worker
            stopped = job.stopped
        if moved and stopped is not None:  # it began before it heard, or again after its worker died
            self._command(job.future, told.worker, stopped)
        self._on_progress(told.job_id, told.step or Advanced("start", 0, 1, 0.0, told.worker))

    def _ended(self, job_id: str, future: Future) -> None:
        end = self._end_of(job_id, future)
        with self._lock:
            job = self._jobs.pop(job_id, None)
            closed = self._closed
        if job is None:
            return
        if isinstance(end, Died) and end.code == BLIND and job.worker is not None:
            self._blind.add(job.worker)  # it gets no more work
            self._looked_s = 0.0
            end = Died(end.reason)
        if isinstance(end, Done) and end.outcome.fallbacks:
            self._fallbacks[job.worker or "worker"] = end.outcome.fallbacks
        if not closed:
            self._on_end(job_id, end)

    def _end_of(self, job_id: str, future: Future) -> End:
        with self._lock:
            job = self._jobs.get(job_id)
        killed = job is not None and job.stopped is True
        if future.status == "cancelled":
            if job is not None and job.stopped is False:
                return Failed(failure(Cancelled("the job was cancelled")), cancelled=True)
            return Died("it was stopped" if killed else "the scheduler of the cluster is gone")
        try:
            said = future.result()
        except Exception as error:  # whatever Dask or the way to it raises
            return Died(_reason(error))
        if isinstance(said, tuple):
            return Died(*said)
        end = decode_from_worker(said)
        return Died("it was stopped") if isinstance(end, Advanced) else end

    # --- what goes to the cluster ------------------------------------------------------------------------------

    def _stop(self, job_id: str, *, by_force: bool) -> None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return
            job.stopped = by_force or bool(job.stopped)
            worker, future = job.worker, job.future
        if worker is None:
            future.cancel()  # it waits; a worker that has just begun is told by the scheduler
        else:
            self._command(future, worker, by_force)

    def _command(self, future: Future, worker: str, by_force: bool) -> None:
        def command() -> None:
            # a worker that is gone needs no command
            with contextlib.suppress(Exception):
                self._client.run(stop, future.key, by_force, workers=[worker], on_error="ignore")

        with contextlib.suppress(RuntimeError):  # closed
            self._commands.submit(command)

    def _wants_gpu(self, kind: str) -> bool:
        return kind != "render" and any(place.n_gpus for place in self._places)

    def _look(self) -> None:
        """See which workers there are, now and then."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        with contextlib.suppress(Exception):  # the next look may succeed
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._places = [
                _Place(
                    address,
                    int(about.get("nthreads", 1)),
                    float(about.get("resources", {}).get("GPU", 0)),
                    about.get("metrics", {}).get("memory"),
                )
                for address, about in workers.items()
                if address not in self._blind
            ]

    def _check(self) -> None:
        """Give up where nothing can come any more."""
        now_s = time.monotonic()
        connected = self._client.status == "running"
        if connected and self._places:
            self._well_s = now_s
        elif connected and self._blind:
            cure = "mount the same storage under the same path on every machine"
            raise HostError("no worker of the cluster sees the folders", where=self._address, cure=cure)
        elif not connected and now_s > self._well_s + _GONE_S:
            cure = "start it, and run this again: it goes on where it was"
            raise HostError("the scheduler of the cluster is gone", where=self._address, cure=cure)
        elif now_s > self._well_s + _DESERTED_S:
            cure = "start some, and run this again: it goes on where it was"
            raise HostError(
                f"the cluster has had no workers for {_DESERTED_S / 60:.0f} min", where=self._address, cure=cure
            )


def _reason(error: Exception) -> str:
    if type(error).__name__ == "KilledWorker":
        return f"its workers died, {getattr(error, 'allowed_failures', 0) + 1} of them"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
