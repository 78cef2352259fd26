"""The record: what is on it stays, ends are ends, and a file that cannot be trusted is refused by its name."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import Conflict, DiskFull, JobsDamaged, JobsUnusable
from foleyspace_host.jobs.model import InputFile, Submission
from foleyspace_host.jobs.record import ENDS, Ending
from foleyspace_host.jobs.repair import move_aside
from foleyspace_host.jobs.store import Store
from foleyspace_host.protocol.messages import Artifact, Error, GenerateJob, JobSubmit

INPUT = InputFile("$.job.video.path", "/clips/a b.mp4", 1, 2, 3, 4)


def submission(request: str = "r1", client: str = "c1", payload: str = "p", **fields: object) -> Submission:
    body = JobSubmit(job=GenerateJob(prompt="a horse"), **fields)
    return Submission(client, "tests", request, payload, body, inputs=(INPUT,), output_folder=Path("/out"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "jobs.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def test_what_was_accepted_is_there_after_opening_again(store: Store, path: Path) -> None:
    row = store.accept(submission(deadline_s=5.0, priority=3), "j1", 100.0)
    store.close()
    again = Store(path)
    found = again.get("j1")
    again.close()
    assert found == row
    assert found.request.job == GenerateJob(prompt="a horse")
    assert (found.files, found.kind, found.state) == ((INPUT,), "generate", "queued")
    assert (found.deadline_s, found.priority, found.output_folder) == (105.0, 3, "/out")


def test_the_same_request_is_the_same_job_and_another_one_of_its_name_is_refused(store: Store) -> None:
    store.accept(submission(), "j1", 1.0)
    assert store.accept(submission(), "j2", 2.0).job_id == "j1"
    assert store.accept(submission(client="c2"), "j3", 2.0).job_id == "j3"
    with pytest.raises(Conflict, match="r1"):
        store.accept(submission(payload="other"), "j4", 3.0)
    with pytest.raises(Conflict, match="r1"):
        store.known("c1", "r1", "other")
    assert store.known("c1", "r1", "p").job_id == "j1"
    assert store.known("c1", "r9", "p") is None
    assert store.job_ids() == {"j1", "j3"}


def test_what_the_next_host_must_know_is_there(store: Store, path: Path) -> None:
    for number, client in enumerate(("stays", "goes", "goes", "ended")):
        store.accept(replace(submission(f"r{number}", client), with_client=client == "ended"), f"j{number}", 1.0)
    assert store.bound_clients() == {"ended"}
    store.bind("goes", True)
    store.begin("j1", 2.0)
    store.note_reached("j1", 0.42)
    store.note_reached("j2", 0.5)  # which does not run
    store.finish("j3", "done", Ending(), 3.0)
    store.requeue("j1", died=True)
    store.close()
    again = Store(path)
    assert again.bound_clients() == {"goes"}
    assert [again.get(f"j{number}").reached for number in range(3)] == [0.0, 0.42, 0.0]
    again.bind("goes", False)
    assert again.bound_clients() == set()
    again.close()


def test_jobs_accepted_in_the_same_moment_have_an_order(store: Store) -> None:
    created = [store.accept(submission(f"r{number}"), f"j{number}", 1e9).created_s for number in range(5)]
    assert created == sorted(set(created))
    assert [row.job_id for row in store.page(None, [], None, 3)] == ["j4", "j3", "j2"]
    assert [row.job_id for row in store.page("c1", ["queued"], created[2], 9)] == ["j1", "j0"]
    assert store.page("c2", [], None, 9) == store.page(None, ["done"], None, 9) == []


@pytest.mark.parametrize("end", ENDS)
def test_an_end_is_an_end(store: Store, path: Path, end: str) -> None:
    store.accept(submission(), "j1", 1.0)
    assert store.begin("j1", 2.0).attempts == 1
    assert store.finish("j1", end, Ending(), 3.0).finished_s == 3.0
    for change in (
        lambda: store.finish("j1", "done", Ending(), 4.0),
        lambda: store.begin("j1", 4.0),
        lambda: store.requeue("j1", died=True),
        lambda: store.note_cancel("j1"),
    ):
        assert change() is None
    assert store.get("j1").state == end
    # not even someone who writes past the code can change it
    with sqlite3.connect(path) as other, pytest.raises(sqlite3.IntegrityError, match="ends once"):
        other.execute("UPDATE jobs SET state = 'queued'")
    other.close()


def test_attempts_deaths_and_the_first_start_are_kept(store: Store) -> None:
    store.accept(submission(), "j1", 1.0)
    store.begin("j1", 2.0)
    assert store.begin("j1", 2.5) is None
    store.requeue("j1", died=True)
    store.begin("j1", 3.0)
    row = store.requeue("j1", died=False)
    assert (row.attempts, row.deaths, row.started_s, row.state) == (2, 1, 2.0, "queued")
    assert [row.job_id for row in store.unfinished()] == ["j1"]


def test_ends_wait_for_their_client(store: Store) -> None:
    artifact = Artifact(role="audio", path="/out/a.wav", n_bytes=3, sha256="0" * 64)
    store.accept(submission(), "j1", 1.0)
    assert store.ack("j1") is None
    store.finish("j1", "done", Ending([artifact], {"x": [1, 2.5, None]}, None, ["quiet"]), 2.0)
    (waiting,) = store.unacked("c1")
    report = waiting.report()
    assert (report.artifacts, report.result, report.warnings) == ([artifact], {"x": [1, 2.5, None]}, ["quiet"])
    assert waiting.report(with_result=False).result is None
    assert store.unacked("c2") == []
    assert store.ack("j1").acked
    assert store.unacked("c1") == []


def test_only_what_has_ended_is_forgotten(store: Store) -> None:
    for number in range(3):
        store.accept(submission(f"r{number}"), f"j{number}", 1.0)
    store.finish("j0", "failed", Ending(error=Error(code="media", message="m")), 10.0)
    store.finish("j1", "cancelled", Ending(), 20.0)
    assert [row.job_id for row in store.finished_before(15.0)] == ["j0"]
    store.forget(["j0", "j2"])
    assert store.job_ids() == {"j1", "j2"}


def test_a_full_disk_is_told_and_changes_nothing(store: Store) -> None:
    store.accept(submission(), "j1", 1.0)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    body = JobSubmit(job=GenerateJob(prompt="x" * 900))
    large = Submission("c1", "tests", "r2", "p", body, inputs=(INPUT,) * 1000)
    with pytest.raises(DiskFull, match=r"jobs\.db.*free some space"):
        store.accept(large, "j2", 2.0)
    assert store.job_ids() == {"j1"}
    store._writer.execute("PRAGMA max_page_count = 100000")
    assert store.accept(large, "j2", 2.0).job_id == "j2"


def test_a_later_schema_is_refused_and_left_as_it_is(store: Store, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 2")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JobsUnusable, match=r"jobs\.db.*later version.*schema 2") as error:
        Store(path)
    assert not isinstance(error.value, JobsDamaged)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_what_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JobsDamaged, match=r"jobs\.db.*doctor"):
        Store(path)


def test_another_program_s_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name)")
    other.close()
    with pytest.raises(JobsDamaged, match="not a record of"):
        Store(path)


@pytest.mark.parametrize("seed", range(12))
def test_damage_is_found_or_harmless(store: Store, path: Path, seed: int) -> None:
    for number in range(40):
        store.accept(submission(f"r{number}"), f"j{number}", 1.0)
    store.close()
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(seed)
    at = int(noise.integers(0, len(data) - 4096))
    data[at : at + 4096] = noise.bytes(4096)
    path.write_bytes(data)
    with pytest.raises(JobsDamaged, match=r"jobs\.db"):
        Store(path)
    aside = move_aside(path)
    assert aside.read_bytes() == data
    fresh = Store(path)
    assert fresh.job_ids() == set()
    fresh.close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JobsUnusable, match=r"file.jobs\.db.*make the folder writable"):
        Store(tmp_path / "file" / "jobs.db")
    (tmp_path / "jobs.db").mkdir()
    with pytest.raises(JobsUnusable, match=r"jobs\.db"):
        Store(tmp_path / "jobs.db")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(JobsUnusable, match=r"jobs\.db"):
            Store(tmp_path / "jobs.db")
    finally:
        tmp_path.chmod(0o700)
