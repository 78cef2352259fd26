"""The record: it keeps what it was told, is held by one process at a time, and refuses what is not its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from foleyspace_host.batch.ledger import Ledger
from foleyspace_host.errors import Conflict, JobsDamaged, JobsUnusable, MediaMissing
from foleyspace_host.pipeline import stage_cache
from foleyspace_host.protocol.messages import Error


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.db"


def test_the_life_of_a_stage(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.wav"
    ledger = Ledger(path)
    row = ledger.note_stage("k", "render", "{}", out)
    assert (row.state, row.attempts, row.is_there()) == ("queued", 0, False)
    assert ledger.begin("k", 1.0) == 1
    ledger.began("k", "tcp://w", 2.0)
    ledger.requeue(["k"])
    assert ledger.begin("k", 3.0) == 2
    out.write_bytes(b"123")
    found = out.stat()
    ledger.finish("k", found.st_size, found.st_mtime_ns, {"a": 1}, ["watch out"], 5.0)
    ledger.close()
    row = Ledger(path).note_stage("k", "render", "{}", out)
    assert (row.state, row.attempts, row.started_s, row.finished_s, row.told) == ("done", 2, 3.0, 5.0, ["watch out"])
    assert row.is_there()
    out.write_bytes(b"1234")
    assert not row.is_there()
    out.unlink()
    assert not row.is_there()


def test_paths_may_become_others(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    ledger.note_stage("k", "render", "{}", tmp_path / "a.wav")
    assert ledger.note_stage("k", "render", "{ }", tmp_path / "b.wav").out == str(tmp_path / "b.wav")
    assert len(ledger.stages()) == 1


def test_a_failure_is_kept_until_it_is_tried_again(path: Path) -> None:
    ledger = Ledger(path)
    ledger.note_stage("k", "render", "{}", path)
    error = Error(code="media_damaged", message="is damaged", where="a.mov", cure="use another")
    ledger.fail("k", error, 1.0)
    row = ledger.stage("k")
    assert row is not None
    assert (row.state, row.failure) == ("failed", error)
    ledger.requeue(["k"])
    row = ledger.stage("k")
    assert row is not None
    assert (row.state, row.failure) == ("queued", None)


def test_what_an_earlier_run_was_at_is_put_back(path: Path) -> None:
    ledger = Ledger(path)
    for key in "abc":
        ledger.note_stage(key, "render", "{}", path)
    ledger.begin("a", 1.0)
    ledger.begin("b", 1.0)
    assert ledger.interrupted() == 2
    assert {row.state for row in ledger.stages()} == {"queued"}


def test_all_of_a_block_or_nothing(path: Path) -> None:
    ledger = Ledger(path)
    with pytest.raises(ZeroDivisionError), ledger.at_once():  # noqa: PT012
        ledger.note_stage("a", "render", "{}", path)
        with ledger.at_once():
            ledger.note_stage("b", "render", "{}", path)
        raise ZeroDivisionError
    assert ledger.stages() == []


def test_several_threads(path: Path) -> None:
    ledger = Ledger(path)

    def work(name: str) -> None:
        for number in range(50):
            with ledger.at_once():
                ledger.note_stage(f"{name}{number}", "render", "{}", path)
                ledger.begin(f"{name}{number}", 1.0)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.interrupted() == 200


def test_one_process_at_a_time_and_a_killed_one_leaves_it_free(path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from foleyspace_host.batch.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); ledger.note_stage('k', 'render', '{}', Path('o'))\n"
        "print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            with pytest.raises(Conflict, match="another batch"):
                Ledger(path)
            with pytest.raises(Conflict, match="another batch"):
                Ledger.copy_of(path)
        finally:
            process.kill()
    assert [row.key for row in Ledger(path).stages()] == ["k"]


def test_a_copy_changes_nothing(path: Path) -> None:
    ledger = Ledger(path)
    ledger.note_stage("k", "render", "{}", path)
    ledger.close()
    copy = Ledger.copy_of(path)
    copy.note_stage("l", "render", "{}", path)
    assert len(copy.stages()) == 2
    copy.close()
    assert len(Ledger(path).stages()) == 1
    assert Ledger.copy_of(path.with_name("none.db")).stages() == []
    assert not path.with_name("none.db").exists()


def test_what_is_no_such_record(path: Path) -> None:
    path.write_bytes(os.urandom(4096))
    with pytest.raises(JobsDamaged, match="damaged"):
        Ledger(path)
    other = path.with_name("other.db")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    with pytest.raises(JobsDamaged, match="no record"):
        Ledger(other)
    newer = path.with_name("newer.db")
    Ledger(newer).close()
    db = sqlite3.connect(newer)
    db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(JobsUnusable, match="later version"):
        Ledger(newer)


def test_digests_are_remembered_as_long_as_the_file_is_the_same(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.mov"
    file.write_bytes(b"one")
    old_ns = time.time_ns() - 10_000_000_000
    os.utime(file, ns=(old_ns, old_ns))
    ledger = Ledger(path)
    first = ledger.digest(file)
    read = []
    monkeypatch.setattr("foleyspace_host.batch.ledger.file_digest", lambda name: read.append(name) or "read")
    assert ledger.digest(file) == first == stage_cache.file_digest(file)
    assert not read
    file.write_bytes(b"two")
    assert ledger.digest(file) == "read"
    assert len(read) == 1


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(MediaMissing):
        Ledger(path).digest(Path("nowhere.mov"))
