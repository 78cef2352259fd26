"""What every engine promises, of the local one and of the cluster's alike: the same tests for both."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from foleyspace_host.jobs.engine import Engine, LocalEngine
from foleyspace_host.jobs.model import Assignment, InputFile
from foleyspace_host.jobs.process import Died, Slot
from foleyspace_host.jobs.talk import Done, Failed, encode_assignment
from foleyspace_host.protocol.messages import AudioInput, JobSubmit, RenderJob, TrajectoryInput

from .conftest import FAKE, Cluster, Heard, environment, needs_dask, wait_for

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

MakeEngine = Callable[..., Engine]
MakeAssignment = Callable[..., Assignment]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(params=["local", pytest.param("dask", marks=needs_dask)])
def make_engine(
    request: pytest.FixtureRequest, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeEngine]:
    """Make an engine with two workers."""
    made: list[Engine] = []
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])

    def make(runner: str = FAKE) -> Engine:
        if request.param == "local":
            slots = [Slot("worker-1"), Slot("worker-2")]
            made.append(LocalEngine(runner, slots, tmp_path / "logs", on_progress=heard.progress, on_end=heard.end))
        else:
            from foleyspace_host.cluster.connection import connect
            from foleyspace_host.cluster.engine import DaskEngine

            cluster: Cluster = request.getfixturevalue("cluster")
            client = connect(cluster.address)
            client.wait_for_workers(2)
            made.append(DaskEngine(client, runner, on_progress=heard.progress, on_end=heard.end))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine()


def start(engine: Engine, assignment: Assignment, kind: str = "generate") -> str:
    wait_for(lambda: engine.can_run(kind))
    engine.start(assignment, kind)
    return assignment.job_id


def test_a_job_is_done_and_says_so_once(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    job = assignment(stages=3, step_ms=5)
    start(engine, job)
    job_id, end = heard.next_end()
    assert job_id == job.job_id
    assert isinstance(end, Done)
    (artifact,) = end.outcome.artifacts
    assert Path(artifact.path).stat().st_size == artifact.n_bytes
    assert end.outcome.result["attempt"] == 1
    time.sleep(0.2)
    assert heard.ends.empty()
    assert heard.begun(job_id)


def test_many_jobs_end_once_each(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    jobs = [assignment(step_ms=2) for _ in range(20)]
    for job in jobs:
        start(engine, job)
    ends = dict(heard.next_end() for _ in jobs)
    assert set(ends) == {job.job_id for job in jobs}
    assert all(isinstance(end, Done) for end in ends.values())
    assert heard.ends.empty()


def test_a_process_is_used_again_with_what_it_has_loaded(
    engine: Engine, heard: Heard, assignment: MakeAssignment
) -> None:
    told = []
    for _ in range(6):
        start(engine, assignment())
        _, end = heard.next_end()
        assert isinstance(end, Done)
        told.append(end.outcome.result)
    pids = {result["pid"] for result in told}
    assert len(pids) <= 2
    assert os.getpid() not in pids
    assert max(result["jobs"] for result in told) >= 3


def test_two_jobs_at_the_same_time(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    jobs = [assignment(stages=400, step_ms=10) for _ in range(2)]
    for job in jobs:
        start(engine, job)
    wait_for(lambda: all(heard.begun(job.job_id) for job in jobs))
    assert heard.ends.empty()
    for job in jobs:
        engine.cancel(job.job_id)
    assert {heard.next_end()[0] for _ in jobs} == {job.job_id for job in jobs}


@pytest.mark.parametrize(
    ("plan", "code"),
    [({"fail": 0}, "media_damaged"), ({"nonfinite": 0}, "nonfinite"), ({"bug": 0}, "internal")],
    ids=["error", "nan", "bug"],
)
def test_an_error_of_the_job_comes_back(
    engine: Engine, heard: Heard, assignment: MakeAssignment, plan: dict[str, int], code: str
) -> None:
    start(engine, assignment(**plan))
    _, end = heard.next_end()
    assert isinstance(end, Failed)
    assert (end.error.code, end.cancelled) == (code, False)
    assert "secret" not in end.error.message


@posix
@pytest.mark.parametrize("plan", [{"segv": 0}, {"crash_at": 0}], ids=["segmentation fault", "exit"])
def test_a_job_that_crashes_its_process_ends_alone(
    engine: Engine, heard: Heard, assignment: MakeAssignment, plan: dict[str, int]
) -> None:
    start(engine, assignment(**plan))
    _, end = heard.next_end()
    assert isinstance(end, Died)
    assert end.code == "worker_died"
    start(engine, assignment())
    assert isinstance(heard.next_end()[1], Done)


def test_too_much_memory(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    start(engine, assignment(oom=0))
    _, end = heard.next_end()
    assert not isinstance(end, Done)
    assert (end.code if isinstance(end, Died) else end.error.code) == "out_of_memory"


def test_a_cancel_stops_at_the_next_step_and_leaves_no_result(
    engine: Engine, heard: Heard, assignment: MakeAssignment, tmp_path: Path
) -> None:
    job_id = start(engine, assignment(stages=10_000, step_ms=10))
    wait_for(lambda: heard.begun(job_id))
    engine.cancel(job_id)
    name, end = heard.next_end()
    assert name == job_id
    assert isinstance(end, Failed)
    assert end.cancelled
    assert not list((tmp_path / "results").glob("r-*"))
    start(engine, assignment())
    assert isinstance(heard.next_end()[1], Done)


def test_a_cancel_before_the_job_has_begun(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    job_id = start(engine, assignment(stages=10_000, step_ms=10))
    engine.cancel(job_id)
    name, end = heard.next_end()
    assert name == job_id
    assert isinstance(end, Failed)
    assert end.cancelled


def test_a_job_that_was_cancelled_can_be_done_after_all(
    engine: Engine, heard: Heard, assignment: MakeAssignment
) -> None:
    for number in range(4):  # so that a process meets it twice
        start(engine, assignment("0123456789cd", attempt=number + 1, stages=10_000, step_ms=10))
        wait_for(lambda number=number: sum(step.stage == "fake" for _, step in heard.steps) > 0)
        heard.steps.clear()
        engine.cancel("0123456789cd")
        assert isinstance(heard.next_end()[1], Failed)
    for number in range(4):
        start(engine, assignment("0123456789cd", attempt=number + 5))
        _, end = heard.next_end()
        assert isinstance(end, Done)
        Path(end.outcome.artifacts[0].path).unlink()  # the runner that pretends replaces nothing


@posix
@pytest.mark.parametrize("plan", [{"deaf": True, "stages": 10_000, "step_ms": 10}, {"hang": 0}, {"hold": 0}])
def test_what_hears_no_cancel_can_be_killed(
    engine: Engine, heard: Heard, assignment: MakeAssignment, plan: dict[str, Any]
) -> None:
    job_id = start(engine, assignment(**plan))
    wait_for(lambda: any(name == job_id and step.stage == "fake" for name, step in heard.steps))
    engine.cancel(job_id)
    time.sleep(0.3)
    assert heard.ends.empty()
    engine.kill(job_id)
    name, end = heard.next_end()
    assert name == job_id
    assert isinstance(end, Died)
    start(engine, assignment())
    assert isinstance(heard.next_end()[1], Done)


def test_what_is_unknown_can_be_cancelled_and_killed(engine: Engine) -> None:
    engine.cancel("nothing")
    engine.kill("nothing")


def test_an_attempt_goes_on_where_the_one_before_was(
    engine: Engine, heard: Heard, assignment: MakeAssignment, tmp_path: Path
) -> None:
    counts = tmp_path / "counts"
    counts.mkdir()
    plan: dict[str, Any] = {"stages": 4, "count": str(counts), "crash_at": 2, "once": str(tmp_path / "once")}
    start(engine, assignment("0123456789ab", **plan))
    assert isinstance(heard.next_end()[1], Died)
    start(engine, assignment("0123456789ab", attempt=2, **plan))
    _, end = heard.next_end()
    assert isinstance(end, Done)
    assert end.outcome.result["attempt"] == 2
    assert {path.name: path.stat().st_size for path in counts.iterdir()} == {str(number): 1 for number in range(4)}


def test_it_tells_of_its_workers(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    job_id = start(engine, assignment(stages=10_000, step_ms=10))
    wait_for(lambda: heard.begun(job_id))
    (busy,) = [worker for worker in engine.workers() if worker.job_id == job_id]
    assert busy.state in ("busy", "starting")
    assert engine.device() == "cpu"
    assert engine.fallbacks() == []


def test_why_models_ran_on_the_processor(engine: Engine, heard: Heard, assignment: MakeAssignment) -> None:
    start(engine, assignment(fallback="the driver is too old"))
    heard.next_end()
    (line,) = engine.fallbacks()
    assert "the driver is too old" in line


def test_closing_stops_what_runs_and_tells_nothing(
    make_engine: MakeEngine, heard: Heard, assignment: MakeAssignment, tmp_path: Path
) -> None:
    counts = tmp_path / "counts"
    counts.mkdir()
    engine = make_engine()
    start(engine, assignment(stages=100_000, step_ms=10, count=str(counts)))
    wait_for(lambda: any(counts.iterdir()))
    engine.close()
    n_done = len(list(counts.iterdir()))
    time.sleep(0.5)
    assert len(list(counts.iterdir())) == n_done
    assert heard.ends.empty()


def test_a_real_job_of_which_only_paths_and_settings_travel(
    make_engine: MakeEngine, heard: Heard, tmp_path: Path
) -> None:
    sound, walk, out = tmp_path / "dry.wav", tmp_path / "walk.csv", tmp_path / "out"
    soundfile.write(sound, np.full(48_000, 0.1, np.float32), 48_000, subtype="FLOAT")
    walk.write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,0,2\n")
    out.mkdir()
    body = JobSubmit(job=RenderJob(audio=AudioInput(path=str(sound)), trajectory=TrajectoryInput(path=str(walk))))
    files = []
    for field, path in (("$.job.audio.path", sound), ("$.job.trajectory.path", walk)):
        found = path.stat()
        files.append(InputFile(field, str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
    job = Assignment(
        job_id="ab" * 8,
        attempt=1,
        body=msgspec.msgpack.encode(body),
        folder=tmp_path / "job",
        inputs=tuple(files),
        output_folder=out,
        stem="dry",
        cache_folder=tmp_path / "cache",
        cache_limit_bytes=1 << 24,
    )
    job.folder.mkdir()
    assert len(encode_assignment(job)) < 2_000 < sound.stat().st_size
    start(make_engine("foleyspace_host.jobs.run"), job, "render")
    _, end = heard.next_end()
    assert isinstance(end, Done), end
    (artifact,) = end.outcome.artifacts
    assert soundfile.info(artifact.path).frames == 48_000
    assert soundfile.info(artifact.path).channels == 2
