"""A real cluster on this machine: a scheduler and workers of Dask as processes of their own, over TCP.

``cluster`` is shared by all tests that harm nobody; ``make_cluster`` makes one to be harmed. Without `distributed`
whatever needs a cluster skips; what the engines have in common is tested with the local one all the same.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import End
from foleyspace_host.jobs.talk import Advanced
from foleyspace_host.protocol.messages import GenerateJob, JobSubmit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FAKE = "fake_runner"
PATIENT_S = 60.0
LOOPBACK = ("--dashboard-address", "127.0.0.1:0")  # Dask's web pages are open to all networks without
HAS_DASK = importlib.util.find_spec("distributed") is not None

needs_dask = pytest.mark.skipif(not HAS_DASK, reason="Dask is not installed: pip install 'foleyspace-host[cluster]'")


def environment() -> dict[str, str]:
    """What processes need to find the package and the runner that pretends."""
    path = os.pathsep.join(map(str, (ROOT, HERE.parent / "service", HERE.parent / "stand_ins")))
    return os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    options: Sequence[str] = ()
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker without a nanny, so that nobody starts it again."""
        number = len(self.workers)
        log = self.folder / f"worker-{number}.log"
        command = ["worker", self.address, "--nthreads", "1", "--no-nanny", *LOOPBACK]
        command += ["--host", f"{self.address.split(':')[0]}://127.0.0.1"]
        command += ["--local-directory", str(self.folder / f"scratch-{number}"), *self.options, *options]
        self.workers.append(dask(*command, log=log))
        return self.workers[-1]

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            end(process)


def dask(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments], stdout=file, stderr=file, env=environment(), cwd=HERE
        )


def end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], Any], seconds: float = PATIENT_S) -> Any:
    """Return the first answer that is true."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="session")
def make_any_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Cluster]]:
    made: list[Cluster] = []

    def make(n_workers: int = 2, *, scheme: str = "tcp", options: Sequence[str] = ()) -> Cluster:
        if not HAS_DASK:
            pytest.skip("Dask is not installed: pip install 'foleyspace-host[cluster]'")
        folder = tmp_path_factory.mktemp("cluster")
        log = folder / "scheduler.log"
        told = folder / "scheduler.json"
        command = ["--host", f"{scheme}://127.0.0.1", "--port", "0", *LOOPBACK, "--scheduler-file", str(told)]
        scheduler = dask("scheduler", *command, *options, log=log)
        cluster = Cluster("", folder, scheduler, options)
        made.append(cluster)
        wait_for(lambda: told.exists() and told.read_bytes().strip().endswith(b"}"))
        cluster.address = msgspec.json.decode(told.read_bytes())["address"]
        for _ in range(n_workers):
            cluster.add_worker()
        return cluster

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture
def make_cluster(make_any_cluster: Callable[..., Cluster]) -> Iterator[Callable[..., Cluster]]:
    """Make clusters for one test."""
    made: list[Cluster] = []

    def make(*arguments: Any, **options: Any) -> Cluster:
        made.append(make_any_cluster(*arguments, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture(scope="session")
def cluster(make_any_cluster: Callable[..., Cluster]) -> Cluster:
    """Return a cluster of two workers that all tests share."""
    return make_any_cluster(2)


@dataclass
class Heard:
    """What an engine told."""

    ends: queue.SimpleQueue[tuple[str, End]] = field(default_factory=queue.SimpleQueue)
    steps: list[tuple[str, Advanced]] = field(default_factory=list)

    def progress(self, job_id: str, step: Advanced) -> None:
        self.steps.append((job_id, step))

    def end(self, job_id: str, end: End) -> None:
        self.ends.put((job_id, end))

    def next_end(self) -> tuple[str, End]:
        return self.ends.get(timeout=PATIENT_S)

    def begun(self, job_id: str) -> bool:
        return any(name == job_id for name, _ in self.steps)


@pytest.fixture
def assignment(tmp_path: Path) -> Callable[..., Assignment]:
    """Return an assignment for the runner that pretends; fields are those of its plan."""
    count = iter(range(1000))

    def make(job_id: str = "", *, attempt: int = 1, device: str = "auto", **plan: Any) -> Assignment:
        job_id = job_id or f"{next(count):08d}{os.urandom(4).hex()}"
        body = JobSubmit(job=GenerateJob(prompt=msgspec.json.encode(plan).decode(), duration_s=1.0, seed=1))
        folder, results = tmp_path / "jobs" / job_id, tmp_path / "results"
        folder.mkdir(parents=True, exist_ok=True)
        results.mkdir(exist_ok=True)
        return Assignment(
            job_id, attempt, msgspec.msgpack.encode(body), folder, (), results, "r", tmp_path / "kept", 1 << 20, device
        )

    return make
