"""The life of jobs as a state machine (J4): whatever happens and in whatever order, each ends exactly once.

Clients submit, send again, cancel and acknowledge; workers go on, end, die or hear nothing; the disk is full for
a while; time passes; the host is killed and started again. What must be true is checked after each step.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from foleyspace_host.config import Config
from foleyspace_host.errors import Cancelled, DiskFull, MediaDamaged, NonFinite, OutOfMemory
from foleyspace_host.jobs.dispatcher import CANCEL_GRACE_S, MOST_STARTS, Dispatcher
from foleyspace_host.jobs.folders import JobFolders
from foleyspace_host.jobs.model import Assignment, JobFinished, JobProgressed, Outcome, Submission
from foleyspace_host.jobs.process import Died, End
from foleyspace_host.jobs.record import ENDS, Ending
from foleyspace_host.jobs.store import Store
from foleyspace_host.jobs.talk import Advanced, Done, Failed
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import GenerateJob, JobSubmit, Progress, WorkerHealth

WORKERS = 2


class FakeEngine:
    """Workers that do what the test says."""

    def __init__(self) -> None:
        self.running: dict[str, Assignment] = {}
        self.cancelled: set[str] = set()
        self.killed: set[str] = set()
        self.rss_bytes = 0

    def can_run(self, kind: str) -> bool:
        return len(self.running) < WORKERS

    def start(self, assignment: Assignment, kind: str) -> None:
        assert self.can_run(kind)
        assert assignment.job_id not in self.running
        self.running[assignment.job_id] = assignment

    def cancel(self, job_id: str) -> None:
        self.cancelled.add(job_id)

    def kill(self, job_id: str) -> None:
        self.killed.add(job_id)

    def workers(self) -> list[WorkerHealth]:
        return [
            WorkerHealth(name="w", device="cpu", state="busy", job_id=job_id, rss_bytes=self.rss_bytes)
            for job_id in self.running
        ]

    def close(self) -> None:
        self.running.clear()


class FlakyStore(Store):
    """A record on a disk that is full now and then."""

    full = False

    def _change(self, **options: bool):
        if self.full:
            raise DiskFull("the disk is full", where=str(self.path))
        return super()._change(**options)


class Host:
    """All parts of the jobs but processes, threads and clocks."""

    def __init__(self, home: Path, clock: SimpleNamespace, **config: object) -> None:
        self.clock = clock
        places = SimpleNamespace(data=home / "data", cache=home / "cache", state=home / "state")
        self.folders = JobFolders(places)
        self.store = FlakyStore(places.data / "jobs.db")
        self.engine = FakeEngine()
        self.config = Config(workers=WORKERS, **config)
        self.dispatcher = Dispatcher(
            self.store, self.engine, self.folders, self.config, wall_s=lambda: clock.s, steady_s=lambda: clock.s
        )
        self.dispatcher.recover()

    def submit(self, job_id: str, client: str = "c", request: str | None = None, **fields: object) -> str:
        body = JobSubmit(job=GenerateJob(), **fields)
        row = self.store.accept(Submission(client, "test", request or job_id, "p", body), job_id, self.clock.s)
        if row.job_id == job_id:
            self.dispatcher.enqueue(row)
        return row.job_id

    def end(self, job_id: str, end: End) -> None:
        self.engine.running.pop(job_id)
        self.dispatcher.ended(job_id, end)

    def step(self) -> list[object]:
        wait_s = self.dispatcher.step()
        assert 0.0 <= wait_s <= 60.0
        events, self.dispatcher.events = self.dispatcher.events, []
        return events

    def state(self, job_id: str) -> str:
        return self.store.get(job_id).state


DONE = Done(Outcome((), {"ok": True}))
STOPPED = Failed(failure(Cancelled("the job was cancelled")), cancelled=True)
ENDINGS = [DONE, STOPPED, Died("SIGSEGV"), Died("no memory", "out_of_memory"), Failed(failure(NonFinite("NaN")))]


class LifeOfJobs(RuleBasedStateMachine):
    jobs = Bundle("jobs")

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.clock = SimpleNamespace(s=1e9)
        self.host = Host(self.home, self.clock, stage_deadline_s=30.0)
        self.number = 0
        self.ends: dict[str, str] = {}
        self.told: Counter[str] = Counter()
        self.promised: set[str] = set()
        self.cancel_s: dict[str, float] = {}
        self.fractions: dict[str, float] = {}
        self.seqs: dict[str, int] = {}
        self.was_full = False

    def teardown(self) -> None:
        if hasattr(self, "host"):
            self.bring_to_an_end()
            self.host.store.close()
            shutil.rmtree(self.home)

    # --- what happens

    @rule(target=jobs, client=st.sampled_from("ab"), priority=st.integers(-1, 1), late=st.booleans())
    def submit(self, client: str, priority: int, late: bool):
        self.number += 1
        name = f"{self.number:08d}job"
        try:
            self.host.submit(name, client, priority=priority, deadline_s=5.0 if late else None)
        except DiskFull:
            assert self.host.store.get(name) is None
            return multiple()
        self.step()
        return name

    @rule(job=jobs)
    def send_again(self, job: str) -> None:
        client = self.host.store.get(job).client_id
        if not self.host.store.full:
            assert self.host.submit("another", client, request=job) == job

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        before = self.host.state(job)
        try:
            self.host.dispatcher.cancel(job)
        except DiskFull:
            return
        if before == "running":
            self.promised.add(job)
            self.cancel_s.setdefault(job, self.clock.s)
        elif before == "queued":
            assert self.host.state(job) == "cancelled"
        self.step()

    @rule(data=st.data(), end=st.sampled_from(ENDINGS))
    def attempt_ends(self, data, end: End) -> None:
        running = sorted(self.host.engine.running)
        if not running:
            return
        job = data.draw(st.sampled_from(running))
        if end is STOPPED and job not in self.host.engine.cancelled:
            end = DONE
        self.host.end(job, end)
        self.step()

    @rule(data=st.data(), done=st.integers(0, 10))
    def progress(self, data, done: int) -> None:
        running = sorted(self.host.engine.running)
        if running:
            job = data.draw(st.sampled_from(running))
            self.host.dispatcher.advanced(job, Advanced("work", done, 10, done / 10))
            self.step()

    @rule(seconds=st.sampled_from([0.05, 0.2, 2.5, 6.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.s += seconds
        self.step()
        self.bury_the_killed()

    @rule()
    def disk_is_full_or_not(self) -> None:
        self.host.store.full = not self.host.store.full
        self.was_full = True

    @rule(kind=st.sampled_from(["killed", "now", "drained"]))
    def host_ends_and_starts(self, kind: str) -> None:
        if kind != "killed":
            self.host.dispatcher.lay_down() if kind == "now" else self.host.dispatcher.pause()
            for job in sorted(self.host.engine.running):
                self.host.end(job, DONE if kind == "drained" else STOPPED)
            self.step()
        self.host.store.close()
        self.host = Host(self.home, self.clock, stage_deadline_s=30.0)
        # a promise to cancel outlives the host that gave it
        assert all(self.host.state(job) in ENDS for job in self.promised)
        if self.was_full:  # what could not be recorded is not known any more
            self.fractions.clear()
        self.was_full = False
        self.step()

    @rule(job=consumes(jobs))
    def acknowledge(self, job: str) -> None:
        if not self.host.store.full:
            assert bool(self.host.store.ack(job)) == (self.host.state(job) in ENDS)

    # --- what is done about it

    def step(self) -> None:
        for event in self.host.step():
            if isinstance(event, JobFinished):
                job = event.report.job_id
                self.told[job] += 1
                assert self.told[job] == 1
                assert event.report.state in ENDS
            elif isinstance(event, JobProgressed):
                job = event.job_id
                assert job not in self.ends, "progress after the end"
                assert event.seq > self.seqs.get(job, 0)
                assert event.progress.fraction >= self.fractions.get(job, 0.0)
                self.seqs[job], self.fractions[job] = event.seq, event.progress.fraction
        self.check()

    def bury_the_killed(self) -> None:
        for job in sorted(self.host.engine.killed & set(self.host.engine.running)):
            self.host.end(job, Died("it was stopped"))
        self.host.engine.killed.clear()
        self.step()

    def check(self) -> None:
        for row in self.host.store.page(None, [], None, 1000):
            if row.state in ENDS:
                assert self.ends.setdefault(row.job_id, row.state) == row.state
                assert row.finished_s is not None
            else:
                assert row.job_id not in self.ends, "it came back"
                assert self.told[row.job_id] == 0
            assert row.deaths <= self.host.config.attempts
        for job in self.told:
            assert job in self.ends
        assert len(self.host.engine.running) <= min(self.host.dispatcher.counts[1], WORKERS)

    @invariant()
    def what_is_to_stop_is_killed_in_time(self) -> None:
        if hasattr(self, "host"):
            for job in self.host.engine.running:
                waited_s = self.clock.s - self.cancel_s.get(job, self.clock.s)
                assert waited_s < CANCEL_GRACE_S or job in self.host.engine.killed

    def bring_to_an_end(self) -> None:
        self.host.store.full = False
        for _ in range(4 * self.number + 4):
            self.clock.s += 1.5
            self.step()
            for job in sorted(self.host.engine.running):
                self.host.end(job, STOPPED if job in self.host.engine.cancelled else DONE)
        self.step()
        assert self.host.dispatcher.counts == (0, 0)
        assert self.host.store.unfinished() == []
        assert self.host.dispatcher.trouble is None


LifeOfJobs.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestJ4LifeOfJobs = LifeOfJobs.TestCase


# --- single stories ------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(s=1e9)


@pytest.fixture
def host(tmp_path: Path, clock: SimpleNamespace):
    host = Host(tmp_path, clock, stage_deadline_s=30.0, memory_limit_mb=100)
    yield host
    host.store.close()


def ended(host: Host, job: str = "job1") -> tuple[str, str | None]:
    report = host.store.get(job).report()
    return report.state, report.error and report.error.code


def test_a_worker_that_dies_is_given_the_job_once_more(host: Host) -> None:
    host.submit("job1")
    for attempt in (1, 2):
        host.step()
        assert host.engine.running["job1"].attempt == attempt
        host.end("job1", Died("SIGSEGV"))
    (event,) = host.step()
    assert ended(host) == ("failed", "worker_died")
    assert "SIGSEGV" in event.report.error.message
    assert event.report.attempts == 2


@pytest.mark.parametrize(
    "end", [Died("x", "out_of_memory"), Failed(failure(OutOfMemory("x"))), Failed(failure(MemoryError()))]
)
def test_memory_that_runs_out_twice_is_told_as_such(host: Host, end: End) -> None:
    host.submit("job1")
    for _ in range(2):
        host.step()
        host.end("job1", end)
    host.step()
    assert ended(host) == ("failed", "out_of_memory")


def test_an_error_of_the_job_itself_is_final(host: Host) -> None:
    host.submit("job1")
    host.step()
    host.end("job1", Failed(failure(MediaDamaged("cut off", where="a.wav"))))
    host.step()
    assert ended(host) == ("failed", "media_damaged")


def test_a_job_that_grows_too_large_is_killed(host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.step()
    for _ in range(2):
        host.engine.rss_bytes = 101 << 20
        clock.s += 1.0
        host.step()
        assert "job1" in host.engine.killed
        host.engine.rss_bytes = 0
        host.end("job1", Died("it was stopped"))
        host.engine.killed.clear()
        host.step()
    assert ended(host) == ("failed", "out_of_memory")
    assert "100 MiB" in host.store.get("job1").report().error.message


def test_a_job_that_does_not_move_is_killed_once_and_told_where(host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.step()
    host.dispatcher.advanced("job1", Advanced("render", 3, 9, 0.3))
    clock.s += 29.0
    # saying the same again is not moving
    host.dispatcher.advanced("job1", Advanced("render", 3, 9, 0.3))
    host.step()
    assert not host.engine.killed
    clock.s += 1.0
    host.step()
    host.end("job1", Died("it was stopped"))
    host.step()
    assert ended(host) == ("failed", "timeout")
    assert "render" in host.store.get("job1").report().error.message


def test_progress_is_thinned_out_but_the_newest_gets_through(host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.step()
    told = []
    for number in range(100):
        host.dispatcher.advanced("job1", Advanced("render", number, 100, number / 100))
        told += host.step()
        clock.s += 0.01
    clock.s += 0.1
    told += host.step()
    assert 9 <= len(told) <= 12
    assert (told[-1].progress.done, told[-1].progress.fraction) == (99, 0.99)
    assert host.step() == []


def test_after_a_crash_a_cancelled_job_is_not_begun_again(tmp_path: Path, host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.step()
    host.dispatcher.cancel("job1")
    after = Host(tmp_path, clock)
    (event,) = after.step()
    assert event.report.state == "cancelled"
    assert not after.engine.running
    after.store.close()


def test_a_job_that_ends_every_host_is_given_up(tmp_path: Path, clock: SimpleNamespace) -> None:
    host = Host(tmp_path, clock)
    host.submit("job1")
    for _ in range(MOST_STARTS):
        assert "job1" not in host.engine.running
        host.step()
        assert "job1" in host.engine.running
        host.store.close()
        host = Host(tmp_path, clock)
    assert ended(host) == ("failed", "worker_died")
    assert host.store.get("job1").attempts == MOST_STARTS
    host.store.close()


def test_a_result_is_not_lost_while_the_disk_is_full(host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.submit("job2")
    host.submit("job3")
    host.step()
    host.store.full = True
    host.end("job1", DONE)
    assert host.step() == []
    assert "disk is full" in host.dispatcher.trouble
    assert host.dispatcher.counts == (1, 2)
    host.store.full = False
    clock.s += 1.1
    host.step()
    assert (ended(host), host.dispatcher.trouble) == (("done", None), None)
    assert "job3" in host.engine.running


def test_an_engine_that_cannot_start_ends_this_job_alone(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.submit("job1")
    with monkeypatch.context() as patch:
        patch.setattr(host.engine, "start", lambda *_: 1 / 0)
        host.step()
    host.submit("job2")
    host.step()
    assert ended(host) == ("failed", "internal")
    assert list(host.engine.running) == ["job2"]


def test_an_end_that_cannot_be_put_down_is_a_failure(host: Host) -> None:
    host.submit("job1")
    host.step()
    host.end("job1", Done(Outcome((), {"no": object()})))
    host.step()
    assert ended(host) == ("failed", "internal")


def test_finishing_twice_changes_nothing(host: Host) -> None:
    host.submit("job1")
    host.step()
    host.store.finish("job1", "cancelled", Ending(), 1.0)
    host.end("job1", DONE)
    assert host.step() == []
    assert ended(host)[0] == "cancelled"


def test_the_share_that_is_done_never_falls(host: Host, clock: SimpleNamespace) -> None:
    host.submit("job1")
    host.step()
    shares = []
    for share in (0.1, 0.5, 0.2, 0.6):
        host.dispatcher.advanced("job1", Advanced("render", int(10 * share), 10, share))
        clock.s += 1.0
        shares += [event.progress.fraction for event in host.step()]
    assert shares == [0.1, 0.5, 0.5, 0.6]


@pytest.mark.parametrize("how", ["worker died", "host was killed"])
def test_the_share_that_is_done_does_not_fall_in_another_attempt(
    tmp_path: Path, clock: SimpleNamespace, how: str
) -> None:
    host = Host(tmp_path, clock)
    host.submit("job1")
    host.step()

    def told(share: float) -> Progress:
        host.dispatcher.advanced("job1", Advanced("render", int(1000 * share), 1000, share))
        clock.s += 1.0
        return host.step()[-1].progress

    assert told(0.1234).fraction == 0.1234
    before = told(0.4567)
    assert before.eta_s == pytest.approx((1 - 0.4567) / 0.4567, rel=0.01)
    if how == "worker died":
        host.end("job1", Died("SIGSEGV"))
    else:
        host.store.close()
        host = Host(tmp_path, clock)
    host.step()
    assert host.engine.running["job1"].attempt == 2
    shares = [told(share).fraction for share in (0.0, 0.2, 0.45)]
    assert shares == [shares[0]] * 3
    assert 0.4567 <= shares[0] < 0.4767, "no more than a hundredth is made up"
    after = told(0.9)
    assert after.fraction == 0.9
    assert after.eta_s == pytest.approx(3.0 * 0.1 / (0.9 - shares[0]), rel=0.01)
    host.store.close()


def test_progress_is_recorded_by_hundredths(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.submit("job1")
    host.step()
    noted = []
    monkeypatch.setattr(host.store, "note_reached", lambda _job, share: noted.append(share))
    for number in range(10_001):
        host.dispatcher.advanced("job1", Advanced("render", number, 10_000, number / 10_000))
    assert len(noted) <= 100
    assert noted == sorted(set(noted))
    assert noted[-1] == 1.0
