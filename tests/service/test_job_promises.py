"""The promises about jobs, J1 to J12, each kept by the real host over real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

ENDS = ("done", "failed", "cancelled")
LONG = pytest.param(True, marks=pytest.mark.long, id="long")


def state_of(peer: Any, job_id: str) -> str:
    return peer.ask("job.status", {"job_id": job_id}).state


def until_end(peer: Any, job_id: str, timeout_s: float = 60.0) -> Any:
    """Wait for a job's end by asking, which needs no connection that lasts."""
    deadline = time.monotonic() + timeout_s
    while True:
        report = peer.ask("job.status", {"job_id": job_id})
        if report.state in ENDS:
            return report
        assert time.monotonic() < deadline, report
        time.sleep(0.02)


def workers_of(host: Any) -> list[psutil.Process]:
    return [child for child in psutil.Process(host.pid).children() if "foleyspace_host.jobs.worker" in child.cmdline()]


def counted(folder: Path) -> Counter[int]:
    return Counter({int(file.name): file.stat().st_size for file in folder.iterdir()})


@pytest.mark.parametrize("long", [False, LONG])
def test_J1_J2_an_accepted_job_is_never_lost_and_resumes(
    make_host: Callable[..., Any], tmp_path: Path, record_property: Any, long: bool
) -> None:
    stages = 600 if long else 60
    count, roots = tmp_path / "count", tmp_path / "out"
    count.mkdir(), roots.mkdir()
    noise = np.random.default_rng(7)
    plan = {"name": "render", "stages": stages, "step_ms": 20}
    jobs: dict[str, str] = {}  # what was acknowledged: the job of each request
    sent: list[str] = []
    client_id = uuid.uuid4().hex
    host = make_host().set(workers=1)
    for round_ in range(5):
        host.start()
        peer = host.peer(client_id=client_id)
        if not sent:
            jobs["first"] = peer.submit_fake(request_id="first", count=str(count), **plan)
        # what was sent and not answered is sent again, and is the same job if it was accepted
        for request_id in sent:
            job_id = peer.submit_fake(request_id=request_id)
            assert jobs.setdefault(request_id, job_id) == job_id
        time.sleep(float(noise.uniform(0.0, stages * 0.02 / 6)))
        # this time the host is killed while it accepts
        sent.append(f"short-{round_}")
        body = fake_body()
        peer.send(peer.work, "job.submit", body, request_id=sent[-1])
        time.sleep(float(noise.uniform(0.0, 0.003)))
        host.kill()
        peer.close()
    host.start()
    peer = host.peer(client_id=client_id)
    for request_id in sent:
        job_id = peer.submit_fake(request_id=request_id)
        assert jobs.setdefault(request_id, job_id) == job_id
    reports = {request_id: until_end(peer, job_id) for request_id, job_id in jobs.items()}
    assert {report.state for report in reports.values()} == {"done"}
    listed = peer.ask("job.list", {"limit": 200}).jobs
    assert {job.job_id for job in listed} == set(jobs.values())
    # J2: what was finished before a kill was not done again, but for the step it fell into
    done = counted(count)
    assert set(done) == set(range(stages))
    assert sum(done.values()) - stages <= 5
    record_property("hosts_killed", 5)
    record_property("jobs_lost", 0)
    record_property("steps_done_again", sum(done.values()) - stages)
    # the same as of a run that nothing interrupted
    other = make_host(home=tmp_path / "calm").start()
    calm = other.peer()
    whole = until_end(calm, calm.submit_fake(**plan))
    (artifact,), (expected,) = reports["first"].artifacts, whole.artifacts
    assert artifact.sha256 == expected.sha256 == hashlib.sha256(Path(artifact.path).read_bytes()).hexdigest()
    assert reports["first"].attempts >= 3


def fake_body(**plan: Any) -> Any:
    from foleyspace_host.protocol.messages import GenerateJob, JobSubmit

    return JobSubmit(job=GenerateJob(prompt=json.dumps(plan)))


def test_J1_progress_does_not_fall_when_the_host_is_killed(make_host: Callable[..., Any]) -> None:
    host, told = make_host().set(workers=1), list[float]()
    client_id, job_id = uuid.uuid4().hex, ""
    for _ in range(3):
        host.start()
        peer = host.peer(client_id=client_id)
        # other names for what is kept: every attempt begins anew
        job_id = job_id or peer.submit_fake(stages=200, step_ms=10, forget=True)
        seen, far = 0.0, max(told, default=0.0) + 0.1
        while seen < far:
            seen = peer.event("job.progress", job_id=job_id).progress.fraction
            told.append(seen)
        host.kill()
    assert told == sorted(told)
    assert told[0] < 0.2


@pytest.mark.parametrize(
    "plan", [{"stages": 10_000, "step_ms": 5}, {"hang": 0}, {"hold": 0}], ids=["works", "hangs", "holds"]
)
def test_J1_a_killed_host_leaves_no_worker_behind(
    host: Any, eventually: Callable[..., Any], plan: dict[str, Any]
) -> None:
    if "hold" in plan and sys.platform != "linux":
        pytest.skip("only Linux ends a process that nothing in it can end")
    job_id = (peer := host.peer()).submit_fake(**plan)
    peer.event("job.progress", job_id=job_id)
    workers = workers_of(host)
    assert workers
    host.kill()
    eventually(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers), 3.0)


def test_J3_the_same_request_is_one_job(make_host: Callable[..., Any], refused: type[Exception]) -> None:
    host = make_host().start()
    client_id = uuid.uuid4().hex
    seen: list[str] = []

    def send(peer: Any) -> None:
        seen.extend(peer.submit_fake(request_id="same", stages=3) for _ in range(10))

    peers = [host.peer(client_id=client_id) for _ in range(10)]
    threads = [threading.Thread(target=send, args=(peer,)) for peer in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    host.stop()
    host.start()
    peer = host.peer(client_id=client_id)
    send(peer)
    assert len(seen) == 110
    assert len(set(seen)) == 1
    with pytest.raises(refused, match="conflict"):
        peer.submit_fake(request_id="same", stages=4)
    # another client may use the name
    other = host.peer().submit_fake(request_id="same", stages=4)
    assert other not in seen
    for job_id in (seen[0], other):
        until_end(peer, job_id)
    with sqlite3.connect(host.data / "jobs.db") as record:
        assert record.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
    record.close()
    assert len(list((host.data / "jobs").iterdir())) == 2


@pytest.mark.parametrize("long", [False, LONG])
def test_J4_every_job_ends_once(make_host: Callable[..., Any], long: bool) -> None:
    number = 1000 if long else 150
    host = make_host().set(workers=2, attempts=2).start()
    noise = np.random.default_rng(11)
    peers = [host.peer() for _ in range(4)]
    owner: dict[str, Any] = {}
    for _ in range(number):
        peer = peers[noise.integers(4)]
        plan = {"stages": int(noise.integers(1, 6)), "step_ms": int(noise.integers(0, 8))}
        wrong = noise.choice(["", "", "", "", "crash_at", "fail"])
        owner[peer.submit_fake(**plan, **({wrong: 0} if wrong else {}))] = peer
        if noise.random() < 0.4:
            job_id = list(owner)[noise.integers(len(owner))]
            owner[job_id].ask("job.cancel", {"job_id": job_id})
        if noise.random() < 0.03:
            for worker in workers_of(host):
                worker.kill()
    reports = {job_id: until_end(peer, job_id, 120.0) for job_id, peer in owner.items()}
    for peer in peers:
        while True:
            try:
                peer.events.append(peer.receive(peer.work, 0.2))
            except TimeoutError:
                break
    told = Counter(
        message.body.job_id for peer in peers for message in peer.events if message.header.type == "job.finished"
    )
    assert told == Counter(dict.fromkeys(owner, 1))
    for peer in peers:
        for message in peer.events:
            if message.header.type == "job.finished":
                assert message.body.state == reports[message.body.job_id].state
                assert owner[message.body.job_id] is peer
    assert {report.state for report in reports.values()} == set(ENDS)
    assert host.process.poll() is None


def test_J5_a_cancel_is_heard_at_once_and_stops_within_a_second(
    host: Any, tmp_path: Path, eventually: Callable[..., Any], record_property: Any, in_time: Any
) -> None:
    peer = host.peer(tmp_path)
    noise = np.random.default_rng(3)
    heard, stopped = [], []
    for _ in range(5):
        job_id = peer.submit_fake(stages=1000, step_ms=10)
        peer.event("job.progress", job_id=job_id)
        time.sleep(float(noise.uniform(0.0, 0.1)))
        (worker,) = workers_of(host)
        start = time.monotonic()
        assert peer.ask("job.cancel", {"job_id": job_id}).state == "running"
        heard.append(time.monotonic() - start)
        report = peer.finished(job_id)
        stopped.append(time.monotonic() - start)
        assert (report.state, report.artifacts, report.error) == ("cancelled", [], None)
        assert not list((host.data / "jobs" / job_id / "results").iterdir())
        assert worker.is_running()  # it did as it was told, and stays warm
    record_property("heard_ms", round(1000 * max(heard), 1))
    record_property("stopped_ms", round(1000 * max(stopped), 1))
    in_time(float(np.median(heard)), 0.1)
    in_time(max(stopped), 1.0)


@pytest.mark.parametrize("plan", [{"stages": 1000, "step_ms": 10, "deaf": True}, {"hold": 0}])
def test_J5_what_ignores_a_cancel_is_killed_within_three_seconds(
    host: Any, plan: dict[str, Any], record_property: Any, in_time: Any
) -> None:
    peer = host.peer()
    job_id = peer.submit_fake(**plan)
    peer.event("job.progress", job_id=job_id)
    (worker,) = workers_of(host)
    start = time.monotonic()
    peer.ask("job.cancel", {"job_id": job_id})
    assert peer.finished(job_id).state == "cancelled"
    record_property("killed_s", round(time.monotonic() - start, 2))
    in_time(time.monotonic() - start, 3.0)
    assert not worker.is_running() or worker.status() == "zombie"
    assert not list((host.data / "jobs" / job_id / "results").iterdir())
    assert peer.finished(peer.submit_fake()).state == "done"


def test_J6_cancel_before_the_start_and_after_the_end(make_host: Callable[..., Any], refused: type[Exception]) -> None:
    peer = make_host().set(workers=1).start().peer()
    running = peer.submit_fake(stages=1000, step_ms=10)
    waiting = peer.submit_fake()
    for _ in range(2):
        answer = peer.ask("job.cancel", {"job_id": waiting})
        assert answer.state == "cancelled"
    assert answer.already_finished
    assert peer.finished(waiting).attempts == 0
    peer.ask("job.cancel", {"job_id": running})
    peer.finished(running)
    done = peer.submit_fake()
    peer.finished(done)
    for _ in range(2):
        answer = peer.ask("job.cancel", {"job_id": done})
        assert (answer.state, answer.already_finished) == ("done", True)
    with pytest.raises(refused, match="not_found"):
        peer.ask("job.cancel", {"job_id": "nothing"})


def test_J7_a_client_s_death_does_not_end_its_job(host: Any) -> None:
    peer = host.peer()
    job_id = peer.submit_fake(stages=40, step_ms=10)
    peer.event("job.progress", job_id=job_id)
    peer.close()
    again = host.peer(client_id=peer.client_id)
    report = again.finished(job_id)
    assert (report.state, report.attempts) == ("done", 1)
    # until it is acknowledged, everyone who comes as this client is told
    third = host.peer(client_id=peer.client_id)
    assert third.finished(job_id) == report
    third.ask("job.ack", {"job_id": job_id})
    with pytest.raises(TimeoutError):
        host.peer(client_id=peer.client_id).finished(job_id, 0.3)


@pytest.mark.long  # for clients are given time to come back
def test_J7_unless_the_client_wants_it_and_the_host_was_killed_too(make_host: Callable[..., Any]) -> None:
    host = make_host().set(workers=2).start()
    stays, goes = (host.peer(cancel_on_disconnect=True) for _ in range(2))
    plan = {"stages": 100_000, "step_ms": 10}
    kept, dropped = stays.submit_fake(**plan), goes.submit_fake(**plan)
    host.kill()
    host.start()
    back, other = host.peer(client_id=stays.client_id, cancel_on_disconnect=True), host.peer()
    assert until_end(other, dropped, 30.0).state == "cancelled"
    assert state_of(back, kept) == "running"
    back.ask("job.cancel", {"job_id": kept})


def test_J7_unless_the_client_wants_it(host: Any, eventually: Callable[..., Any]) -> None:
    peer = host.peer(cancel_on_disconnect=True)
    other = host.peer()
    job_id = peer.submit_fake(stages=100_000, step_ms=10)
    peer.event("job.progress", job_id=job_id)
    peer.close()
    assert until_end(other, job_id, 20.0).state == "cancelled"


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ({"segv": 0}, "worker_died"),
        ({"crash_at": 0}, "worker_died"),
        ({"oom": 0}, "out_of_memory"),
        ({"grow": 0}, "out_of_memory"),
    ],
)
def test_J8_a_poisoned_job_ends_alone(make_host: Callable[..., Any], plan: dict[str, Any], code: str) -> None:
    host = make_host().set(workers=2, memory_limit_mb=256).start()
    pid, peer = host.pid, host.peer()
    good = peer.submit_fake(stages=50, step_ms=10)
    bad = peer.submit_fake(**plan)
    report = peer.finished(bad)
    assert (report.state, report.error.code, report.attempts) == ("failed", code, 2)
    assert peer.finished(good).attempts == 1
    assert peer.finished(peer.submit_fake()).state == "done"
    assert psutil.Process(pid).is_running()
    assert host.process.poll() is None


def test_J8_a_worker_that_dies_once_costs_nothing_but_time(
    host: Any, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    peer = host.peer()
    report = peer.finished(peer.submit_fake(crash_at=0, once=str(tmp_path / "once")))
    assert (report.state, report.attempts) == ("done", 2)
    # nor does one that dies while it has nothing to do
    for worker in workers_of(host):
        worker.send_signal(signal.SIGTERM)
    eventually(lambda: not peer.ask("health").workers)
    assert peer.finished(peer.submit_fake()).attempts == 1


@pytest.mark.parametrize("plan", [{"hang": 2, "stages": 5}, {"hold": 0}], ids=["hangs", "holds"])
def test_J9_a_hung_worker_is_found(make_host: Callable[..., Any], plan: dict[str, Any]) -> None:
    host = make_host().set(workers=1, stage_deadline_s=1.0).start()
    peer = host.peer()
    slow = peer.submit_fake(stages=150, step_ms=10)
    hung = peer.submit_fake(**plan)
    assert peer.finished(slow).state == "done"  # it takes longer, but it moves
    report = peer.finished(hung)
    assert (report.state, report.error.code, report.attempts) == ("failed", "timeout", 1)
    assert "fake" in report.error.message
    assert peer.finished(peer.submit_fake()).state == "done"


def test_J10_many_jobs_of_one_do_not_delay_another(make_host: Callable[..., Any], record_property: Any) -> None:
    host = make_host().set(workers=1).start()
    busy, other = host.peer(name="busy"), host.peer(name="other")
    for _ in range(500):
        busy.submit_fake(step_ms=20, priority=10)
    job_id = other.submit_fake(step_ms=20, priority=-10)
    mine = other.finished(job_id)
    jobs = busy.ask("job.list", {"states": ["running", "done"], "limit": 200}).jobs
    between = [job for job in jobs if mine.created_s <= (job.started_s or 0.0) <= mine.started_s]
    record_property("of_500_jobs_went_before", len(between))
    assert len(between) <= 2
    queued = busy.ask("job.list", {"states": ["queued"], "limit": 200})
    assert queued.more


def test_J11_a_job_is_not_started_after_its_deadline(make_host: Callable[..., Any]) -> None:
    peer = make_host().set(workers=1).start().peer()
    blocking = peer.submit_fake(stages=150, step_ms=10)
    late = peer.submit_fake(deadline_s=0.3)
    unhurried = peer.submit_fake(deadline_s=60.0)
    report = peer.finished(late)
    assert (report.state, report.error.code, report.attempts, report.started_s) == (
        "failed", "deadline_exceeded", 0, None,
    )  # fmt: skip
    assert state_of(peer, blocking) == "running"
    assert peer.finished(unhurried).state == "done"


def fails_to_start(host: Any) -> str:
    out, err = host.launch().communicate(timeout=20)
    assert host.process.returncode != 0
    assert "Traceback" not in out + err
    assert "jobs.db" in out + err
    return str(out + err)


@pytest.fixture
def record(make_host: Callable[..., Any]) -> tuple[Any, Path]:
    """A host that has ended well, and its record."""
    host = make_host().start()
    peer = host.peer()
    for _ in range(30):
        peer.finished(peer.submit_fake())
    peer.close()
    host.stop()
    return host, host.data / "jobs.db"


@pytest.mark.parametrize("seed", [1])
def test_J12_a_damaged_record_is_told_and_moved_aside(record: tuple[Any, Path], seed: int) -> None:
    host, path = record
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(seed)
    at = int(noise.integers(0, len(data) - 4096))
    data[at : at + 4096] = noise.bytes(4096)
    path.write_bytes(data)
    said = fails_to_start(host)
    assert "damaged" in said
    assert "doctor" in said
    assert path.read_bytes() == data
    command = [sys.executable, "-m", "foleyspace_host", "doctor", "--profile", "default", "--repair"]
    subprocess.run(command, env=host.environment, capture_output=True, timeout=60, check=False)
    assert not path.exists()
    assert bytes(data) in [file.read_bytes() for file in path.parent.glob("jobs.db.*")]
    host.start()
    peer = host.peer()
    assert peer.finished(peer.submit_fake()).state == "done"


def test_J12_a_later_record_is_left_alone(record: tuple[Any, Path]) -> None:
    host, path = record
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    before = path.read_bytes()
    assert "later version" in fails_to_start(host)
    assert path.read_bytes() == before


def test_J12_a_place_that_cannot_be_written_is_told(make_host: Callable[..., Any]) -> None:
    host = make_host()
    (host.data / "jobs.db").mkdir(parents=True)
    assert "cannot be used" in fails_to_start(host)
    if os.geteuid():
        (host.data / "jobs.db").rmdir()
        host.data.chmod(0o500)
        try:
            assert "make the folder writable" in fails_to_start(host)
        finally:
            host.data.chmod(0o700)
