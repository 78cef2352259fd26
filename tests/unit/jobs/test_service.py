"""The service with real worker processes and a runner that pretends to work, but without sockets."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foleyspace_host.config import Config
from foleyspace_host.errors import Busy, Conflict, JobsUnusable, NotFound
from foleyspace_host.jobs.model import Event, JobFinished, JobProgressed, Submission
from foleyspace_host.jobs.preview import PreviewHead, PreviewReader
from foleyspace_host.jobs.record import ENDS
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.messages import BufferSpec, GenerateJob, JobList, JobReport, JobSubmit, Output

FAKE = Path(__file__).resolve().parents[2] / "service"


class Jobs:
    """A service and what it told."""

    def __init__(self, home: Path, **config: Any) -> None:
        self.places = SimpleNamespace(data=home / "data", cache=home / "cache", state=home / "state")
        self.config = Config(**({"workers": 1, "device": "cpu"} | config))
        self.events: list[Event] = []
        self.threads: set[int] = set()
        self.numbers = iter(range(10**9))
        self.begin()

    def begin(self) -> None:
        self.service = JobService(self.places, self.config, runner="fake_runner", on_event=self.hear)
        self.service.start()

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())

    def submit(self, *, request_id: str = "", output: Path | None = None, **plan: Any) -> str:
        fields = {name: plan.pop(name) for name in ("priority", "deadline_s", "buffers") if name in plan}
        fields["preview"] = bool(plan.get("preview"))
        spool = plan.pop("spool", None)
        body = JobSubmit(job=GenerateJob(prompt=json.dumps(plan), output=Output(stem="take")), **fields)
        name = request_id or f"r{next(self.numbers)}"
        sent = Submission("client", "test", name, json.dumps(plan), body, output_folder=output, spool=spool)
        return self.service.submit(sent).job_id

    def until(self, what: Callable[[], Any], timeout_s: float = 30.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (answer := what()):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return answer

    def end(self, job_id: str) -> JobReport:
        self.until(lambda: self.service.status(job_id).state in ENDS)
        return self.service.status(job_id)

    def until_step(self, job_id: str, step: int = 0) -> None:
        def there() -> bool:
            report = self.service.status(job_id)
            return report.state in ENDS or bool(report.progress and report.progress.done >= step)

        self.until(there)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Jobs]]:
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    made: list[Jobs] = []

    def make(**config: Any) -> Jobs:
        made.append(Jobs(tmp_path, **config))
        return made[-1]

    yield make
    for jobs in made:
        jobs.service.stop(now=True)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("worker", "jobs"))] == []


@pytest.fixture
def jobs(make: Callable[..., Jobs]) -> Jobs:
    return make()


def test_a_job_is_done_told_and_kept(jobs: Jobs) -> None:
    job_id = jobs.submit(stages=30, step_ms=10)
    report = jobs.end(job_id)
    jobs.until(lambda: any(isinstance(event, JobFinished) for event in jobs.events))
    progress = [event for event in jobs.events if isinstance(event, JobProgressed)]
    assert jobs.events[-1] == JobFinished("client", report)
    assert (report.state, report.kind, report.attempts) == ("done", "generate", 1)
    assert Path(report.artifacts[0].path).name == f"take-{job_id[:8]}.bin"
    assert [event.seq for event in progress] == sorted({event.seq for event in progress})
    assert 2 <= len(progress) <= 6  # ten a second
    assert len(jobs.threads) == 1
    assert jobs.service.unacked("client") == [report]
    jobs.service.ack(job_id)
    assert jobs.service.unacked("client") == []


def test_a_worker_stays_warm_until_it_is_spoiled(jobs: Jobs) -> None:
    first, second = (jobs.end(jobs.submit()).result for _ in range(2))
    assert first["pid"] == second["pid"]
    assert (first["jobs"], second["jobs"]) == (1, 2)
    assert jobs.end(jobs.submit(fail=0)).error.code == "media_damaged"
    assert jobs.end(jobs.submit()).result["jobs"] == 4
    assert jobs.end(jobs.submit(bug=0)).error.code == "internal"
    assert jobs.end(jobs.submit()).result["pid"] != first["pid"]
    # what it printed is for those who look into it, not for clients
    (log,) = jobs.places.state.glob("worker-*.log")
    assert "ZeroDivisionError" in log.read_text()


def test_what_libraries_print_is_not_taken_for_an_answer(jobs: Jobs) -> None:
    assert jobs.end(jobs.submit(noisy=True, stages=3)).state == "done"


def test_a_report_that_is_too_long_costs_no_result(jobs: Jobs) -> None:
    report = jobs.end(jobs.submit(long_result=True))
    assert (report.state, report.result, len(report.artifacts)) == ("done", {}, 1)
    assert report.warnings == ["the report was too long to be kept"]


def test_a_host_that_ends_lays_down_what_runs(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "count").mkdir()
    job_id = jobs.submit(stages=60, step_ms=10, count=str(tmp_path / "count"))
    waiting = jobs.submit()
    jobs.until_step(job_id, 5)
    jobs.service.stop(now=True)
    assert not any(isinstance(event, JobFinished) for event in jobs.events)
    results = jobs.places.data / "jobs" / job_id / "results"
    assert list(results.iterdir()) == []
    jobs.begin()
    assert (jobs.end(job_id).state, jobs.end(job_id).attempts) == ("done", 2)
    assert jobs.end(waiting).state == "done"
    done = [len(file.read_bytes()) for file in (tmp_path / "count").iterdir()]
    assert len(done) == 60
    assert sum(done) <= 61


def test_a_host_that_has_time_lets_what_runs_finish(jobs: Jobs) -> None:
    job_id = jobs.submit(stages=20, step_ms=10)
    waiting = jobs.submit()
    jobs.until_step(job_id)
    jobs.service.stop(timeout_s=10.0)
    jobs.begin()
    assert jobs.service.status(job_id).attempts == 1
    assert jobs.end(waiting).state == "done"


def test_nothing_is_accepted_while_ending(jobs: Jobs) -> None:
    job_id = jobs.submit(stages=50, step_ms=10)
    jobs.until_step(job_id)
    ending = threading.Thread(target=jobs.service.stop)
    ending.start()
    time.sleep(0.1)
    with pytest.raises(Busy, match="about to end"):
        jobs.submit()
    assert jobs.service.status(job_id).state == "running"
    ending.join()


def test_a_deaf_job_does_not_keep_the_host_from_ending(jobs: Jobs) -> None:
    job_id = jobs.submit(hang=0)
    jobs.until_step(job_id)
    start_s = time.monotonic()
    jobs.service.stop(now=True)
    assert time.monotonic() - start_s < 5.0


def test_buffers_and_their_folder_belong_to_the_job_while_it_lives(jobs: Jobs, tmp_path: Path) -> None:
    spool = jobs.places.data / "spool" / "1"
    spool.mkdir(parents=True)
    (spool / "00.buf").write_bytes(b"sound")
    spec = BufferSpec(dtype="f32le", n_bytes=5, blake2b="0" * 64)
    job_id = jobs.submit(spool=spool, buffers=[spec])
    assert not spool.exists()
    assert Path(jobs.end(job_id).artifacts[0].path).read_bytes().endswith(b"sound")
    jobs.until(lambda: not (jobs.places.data / "jobs" / job_id / "buffers").exists())


def test_a_request_that_is_sent_again_leaves_its_buffers_to_the_sender(jobs: Jobs) -> None:
    spool = jobs.places.data / "spool" / "1"
    first = jobs.submit(request_id="same")
    spool.mkdir(parents=True)
    assert jobs.submit(request_id="same", spool=spool) == first
    assert spool.is_dir()
    with pytest.raises(Conflict):
        jobs.submit(request_id="same", stages=2)
    assert jobs.service.known("client", "other", "p") is None


def test_one_request_from_many_threads_is_one_job(jobs: Jobs) -> None:
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(jobs.submit(request_id="same") for _ in range(10)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 100
    assert len(set(seen)) == 1
    jobs.end(seen[0])
    assert [path.name for path in (jobs.places.data / "jobs").iterdir()] == seen[:1]


@pytest.mark.parametrize("plan", [{"fail": 1}, {"segv": 1}, {"hang": 1}, {"deaf": True, "step_ms": 20}], ids=str)
def test_a_job_that_is_not_done_leaves_nothing_among_the_user_s_files(
    jobs: Jobs, tmp_path: Path, plan: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "take.wav").write_bytes(b"mine")
    job_id = jobs.submit(output=out, stages=400, **plan)
    jobs.until_step(job_id)
    jobs.service.cancel(job_id)
    assert jobs.end(job_id).state in ("failed", "cancelled")
    assert [path.name for path in out.iterdir()] == ["take.wav"]


def test_a_preview_is_kept_only_if_it_was_asked_for(jobs: Jobs) -> None:
    assert jobs.service.preview(jobs.submit()) is None
    assert jobs.service.preview(jobs.submit(preview=True)) is not None


def test_what_is_rendered_can_be_read_at_once(make: Callable[..., Jobs]) -> None:
    jobs = make()
    job_id = jobs.submit(stages=100, step_ms=10, preview=480)
    reader = PreviewReader(jobs.service.preview(job_id))
    assert jobs.until(lambda: reader.head()) == PreviewHead(48_000, 2, 48_000)
    assert len(jobs.until(lambda: reader.read(0, 100))) == 800
    assert jobs.service.status(job_id).state == "running"
    jobs.end(job_id)
    assert len(reader.read(0, 10**6)) == 48_000 * 8
    jobs.service.ack(job_id)
    assert reader.head() is None


def test_lists_have_pages_and_fit_into_a_message(jobs: Jobs) -> None:
    ids = [jobs.submit(fail=0) for _ in range(8)]
    for job_id in ids:
        jobs.end(job_id)
    page = jobs.service.list("client", JobList(limit=5))
    assert [job.job_id for job in page.jobs] == ids[:2:-1]
    assert page.more
    rest = jobs.service.list(None, JobList(limit=5, before_s=page.jobs[-1].created_s))
    assert [job.job_id for job in rest.jobs] == ids[2::-1]
    assert not rest.more
    assert jobs.service.list("nobody", JobList()).jobs == []
    assert jobs.service.list(None, JobList(states=["done"])).jobs == []


def test_unknown_jobs_are_told(jobs: Jobs) -> None:
    for ask in (jobs.service.status, jobs.service.cancel, jobs.service.ack, jobs.service.preview):
        with pytest.raises(NotFound, match="nothing"):
            ask("nothing")
    with pytest.raises(NotFound):
        jobs.service.ack(jobs.submit(stages=100, step_ms=10))


def test_old_jobs_go_with_their_folders(make: Callable[..., Jobs], tmp_path: Path) -> None:
    jobs = make(retention_days=0.0)
    out = tmp_path / "out"
    out.mkdir()
    job_id, other = jobs.submit(output=out), jobs.submit()
    jobs.end(job_id), jobs.end(other)
    (stray := jobs.places.data / "jobs" / "accepted-but-never-recorded").mkdir()
    jobs.service.stop()
    jobs.begin()
    folder = jobs.places.data / "jobs"
    jobs.until(lambda: not list(folder.iterdir()))
    assert not stray.exists()
    with pytest.raises(NotFound):
        jobs.service.status(job_id)
    assert len(list(out.iterdir())) == 1  # the user's own


def test_health_tells_the_workers(make: Callable[..., Jobs]) -> None:
    jobs = make(workers=2)
    ids = [jobs.submit(stages=1000, step_ms=10) for _ in range(3)]
    for job_id in ids[:2]:
        jobs.until_step(job_id)
    assert jobs.service.counts() == (1, 2)
    workers = jobs.service.workers()
    assert {worker.job_id for worker in workers} == set(ids[:2])
    assert all(worker.state == "busy" and worker.rss_bytes > 1 << 20 for worker in workers)
    assert jobs.service.warnings() == []


def test_workers_share_the_processor_by_what_they_are_told(make: Callable[..., Jobs], monkeypatch: Any) -> None:
    from foleyspace_host.jobs import devices

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(devices, "gpus", lambda: ["3", "5"])
    slots = devices.slots(Config(workers=3))
    assert [slot.device for slot in slots] == ["cuda:0", "cuda:1", "cpu"]
    assert [slot.wanted for slot in slots] == ["auto", "auto", "cpu"]
    assert [slot.environment.get("CUDA_VISIBLE_DEVICES") for slot in slots] == ["3", "5", None]
    assert all(slot.environment["OMP_NUM_THREADS"] == "2" for slot in slots)
    assert all("NUMBA_NUM_THREADS" not in slot.environment for slot in slots)
    assert {slot.device for slot in devices.slots(Config(workers=3, device="cpu"))} == {"cpu"}


def test_a_record_that_cannot_be_used_stops_the_start(make: Callable[..., Jobs], tmp_path: Path) -> None:
    (tmp_path / "data" / "jobs.db").mkdir(parents=True)
    with pytest.raises(JobsUnusable, match=r"jobs\.db"):
        make()
