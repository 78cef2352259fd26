"""A run with an engine that does what the test says: order, retries, deadlines, stopping, and taking up again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foleyspace_host.batch.items import items_of
from foleyspace_host.batch.ledger import Ledger
from foleyspace_host.batch.listing import Wanted
from foleyspace_host.batch.results import BatchProgress, BatchResult
from foleyspace_host.batch.run import BatchRun
from foleyspace_host.batch.settings import BatchSettings
from foleyspace_host.batch.work import Request
from foleyspace_host.config import Config
from foleyspace_host.errors import Cancelled, HostError, MediaDamaged, OutOfMemory
from foleyspace_host.jobs.model import Assignment, Outcome
from foleyspace_host.jobs.process import Died, End
from foleyspace_host.jobs.talk import Advanced, Done, Failed
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import Artifact, WorkerHealth

N_WORKERS = 3


class FakeEngine:
    """Ends each attempt as `act` says; None lets it hang until it is cancelled or killed."""

    def __init__(self, act: Callable[[Request, Assignment], End | None]) -> None:
        self._act = act
        self.order: list[tuple[str, str]] = []
        self.running: set[str] = set()
        self.deaf: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.most = 0
        self.closed = False

    def connect(self, on_progress: Callable[[str, Advanced], None], on_end: Callable[[str, End], None]) -> FakeEngine:
        self._on_progress, self._on_end = on_progress, on_end
        return self

    def can_run(self, kind: str) -> bool:
        return len(self.running) < N_WORKERS

    def start(self, assignment: Assignment, kind: str) -> None:
        request = msgspec.json.decode(assignment.body, type=Request)
        self.order.append((request.kind, Path(request.inputs.get("video", "")).name))
        self.running.add(assignment.job_id)
        self.most = max(self.most, len(self.running))
        self._on_progress(assignment.job_id, Advanced("work", 0, 2, 0.0))
        end = self._act(request, assignment)
        if end is not None:
            threading.Timer(0.001, self._end, (assignment.job_id, end)).start()

    def _end(self, job_id: str, end: End) -> None:
        if job_id in self.running:
            self.running.discard(job_id)
            self._on_end(job_id, end)

    def cancel(self, job_id: str) -> None:
        self.asked.append(("cancel", job_id))
        if job_id not in self.deaf:
            self._end(job_id, Failed(failure(Cancelled("stopped")), cancelled=True))

    def kill(self, job_id: str) -> None:
        self.asked.append(("kill", job_id))
        self._end(job_id, Died("it was stopped"))

    def workers(self) -> list[WorkerHealth]:
        return []

    def device(self) -> str:
        return "cpu"

    def fallbacks(self) -> list[str]:
        return []

    def close(self) -> None:
        self.closed = True


def write(request: Request, assignment: Assignment) -> End:
    """Do what a worker does, quickly."""
    out = Path(request.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(request.kind)
    found = out.stat()
    artifact = Artifact(role=request.kind, path=str(out), n_bytes=found.st_size, sha256="0" * 64)
    return Done(Outcome((artifact,), {"mtime_ns": found.st_mtime_ns, "result": {}}, ("mind this",)))


Run = Callable[..., BatchResult]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Run:
    """Run clips by their names; each is a file with its name in it."""

    def go(names: str, engine: FakeEngine, **options: Any) -> BatchResult:
        folder.mkdir(exist_ok=True)
        for name in names.split():
            if name != "missing" and not (tmp_path / name).exists():
                (tmp_path / name).write_text(name)
        items = items_of([Wanted(name, video=tmp_path / name) for name in names.split()], folder, ".wav")
        ledger = Ledger(folder / "batch.db")
        config = options.pop("config", Config(workers=1))
        try:
            batch = BatchRun(
                items, BatchSettings.of({}), ledger, folder, config, device="cpu", cache_folder=folder, **options
            )
            return batch.run(engine.connect)
        finally:
            ledger.close()

    return go


def states(result: BatchResult) -> dict[str, str]:
    return {item.name: item.state for item in result.items}


def test_earlier_items_are_finished_before_later_ones_are_begun(run: Run) -> None:
    engine = FakeEngine(write)
    names = " ".join(f"c{number:02}" for number in range(20))
    result = run(names, engine)
    assert set(states(result).values()) == {"done"}
    assert (result.stages_done, engine.most <= N_WORKERS, engine.closed) == (40, True, True)
    assert result.items[0].warnings == ("mind this",)
    assert Counter(engine.order) == Counter(
        (kind, name) for name in names.split() for kind in ("localize", "spatialize")
    )
    finished = [name for kind, name in engine.order if kind == "spatialize"]
    begun = [name for kind, name in engine.order if kind == "localize"]
    assert all(begun.index(name) <= number + 2 * N_WORKERS for number, name in enumerate(finished))


def test_a_second_run_does_nothing(run: Run) -> None:
    run("a b", FakeEngine(write))
    engine = FakeEngine(write)
    assert states(run("a b", engine)) == {"a": "known", "b": "known"}
    assert engine.order == []
    assert states(run("b c a", engine)) == {"b": "known", "c": "done", "a": "known"}


@pytest.mark.parametrize("kind", ["localize", "spatialize"])
def test_an_error_fails_its_item_and_is_not_tried_again_unless_wanted(run: Run, kind: str) -> None:
    wrong = {"b"}

    def act(request: Request, assignment: Assignment) -> End:
        if request.kind == kind and Path(request.inputs["video"]).name in wrong:
            return Failed(failure(MediaDamaged("is damaged", where="b")))
        return write(request, assignment)

    first = run("a b c", FakeEngine(act))
    assert states(first) == {"a": "done", "b": "failed", "c": "done"}
    assert (first.items[1].code, first.items[1].error) == ("media_damaged", "b: is damaged")
    wrong.clear()
    engine = FakeEngine(act)
    assert states(run("a b c", engine)) == {"a": "known", "b": "failed", "c": "known"}
    assert engine.order == []
    assert states(run("a b c", engine, retry_failed=True)) == {"a": "known", "b": "done", "c": "known"}
    assert [name for name, _ in engine.order] == (["localize", "spatialize"] if kind == "localize" else ["spatialize"])


def test_what_is_missing_fails_alone(run: Run) -> None:
    result = run("a missing c", FakeEngine(write))
    assert states(result) == {"a": "done", "missing": "failed", "c": "done"}
    assert result.items[1].code == "media_missing"


@pytest.mark.parametrize("end", [Died("SIGKILL"), Failed(failure(OutOfMemory("too much")))], ids=["death", "memory"])
def test_a_death_is_tried_again_and_given_up_in_the_end(run: Run, end: End) -> None:
    deaths: Counter[str] = Counter()

    def act(request: Request, assignment: Assignment) -> End:
        name = Path(request.inputs["video"]).name
        if request.kind == "localize" and (name == "b" or (name == "a" and not deaths["a"])):
            deaths[name] += 1
            return end
        return write(request, assignment)

    result = run("a b c", FakeEngine(act), config=Config(workers=1, attempts=3))
    assert states(result) == {"a": "done", "b": "failed", "c": "done"}
    assert deaths == {"a": 1, "b": 3}
    assert result.items[0].stages[0].attempts == 2
    assert result.items[1].code in ("worker_died", "out_of_memory")


def test_what_does_not_move_is_killed(run: Run) -> None:
    def act(request: Request, assignment: Assignment) -> End | None:
        return None if Path(request.inputs["video"]).name == "b" else write(request, assignment)

    engine = FakeEngine(act)
    result = run("a b", engine, config=Config(workers=1, stage_deadline_s=0.3))
    assert states(result) == {"a": "done", "b": "failed"}
    assert result.items[1].code == "timeout"
    assert [what for what, _ in engine.asked] == ["kill"]


@pytest.mark.parametrize("deaf", [False, True])
def test_a_cancel_stops_what_runs_and_the_next_run_goes_on(run: Run, folder: Path, deaf: bool) -> None:
    engine = FakeEngine(
        lambda request, assignment: None if request.kind == "spatialize" else write(request, assignment)
    )

    def stop(progress: BatchProgress) -> None:
        if sum(kind == "spatialize" for kind, _ in engine.order) == N_WORKERS:  # and all of them hang
            engine.deaf = set(engine.running) if deaf else set()
            raise Cancelled("by the user")

    with pytest.raises(Cancelled):
        run("a b c d e", engine, on_progress=stop)
    assert engine.closed
    assert not engine.running
    assert any(what == "kill" for what, _ in engine.asked) == deaf
    ledger = Ledger(folder / "batch.db")
    assert not [row for row in ledger.stages() if row.state in ("running", "failed")]
    ledger.close()
    again = FakeEngine(write)
    result = run("a b c d e", again)
    assert set(states(result).values()) == {"done"}
    assert Counter(kind for kind, _ in again.order)["spatialize"] == 5
    assert Counter(kind for kind, _ in again.order)["localize"] <= 2


def test_an_engine_that_is_lost_ends_the_run_and_not_the_batch(run: Run) -> None:
    class Lost(FakeEngine):
        def can_run(self, kind: str) -> bool:
            if len(self.order) >= 3:
                raise HostError("the scheduler is gone")
            return super().can_run(kind)

    with pytest.raises(HostError, match="gone"):
        run("a b c", Lost(write))
    assert set(states(run("a b c", FakeEngine(write))).values()) <= {"done", "known"}


def test_the_same_work_asked_for_twice_is_done_once(run: Run, tmp_path: Path, folder: Path) -> None:
    engine = FakeEngine(write)
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")
    assert states(run("a b", engine)) == {"a": "done", "b": "done"}
    assert Counter(kind for kind, _ in engine.order) == {"localize": 1, "spatialize": 2}


def test_progress_counts_items(run: Run) -> None:
    heard: list[BatchProgress] = []
    run("a b missing", FakeEngine(write), on_progress=heard.append)
    last = heard[-1]
    assert (last.total, last.done, last.failed, last.share, last.running) == (3, 2, 1, 3.0, 0)
    assert [one.share for one in heard] == sorted(one.share for one in heard)
