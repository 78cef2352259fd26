"""One host per profile, every reason to end, and a log that gives nothing away."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from foleyspace_host.errors import HostError, HostRunning
from foleyspace_host.host import lifecycle, log
from foleyspace_host.host.lifecycle import Ending, ParentWatch, profile_lock, signals_to

HOLD = """
import sys, time
from pathlib import Path
from foleyspace_host.host.lifecycle import profile_lock
with profile_lock(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_outlives_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(HostRunning, match="already running at tcp://x"), profile_lock(tmp_path, lambda: "tcp://x"):
            pass
        clock = iter(range(0, 100, 2))
        monkeypatch.setattr(lifecycle.time, "monotonic", lambda: next(clock))
        with pytest.raises(HostRunning, match="starting or ending"), profile_lock(tmp_path, lambda: None):
            pass
    finally:
        process.kill()
        process.communicate()
    with profile_lock(tmp_path, lambda: None):
        pass
    with profile_lock(tmp_path, lambda: None):  # and again: the file that stays is no lock
        assert (tmp_path / "host.lock").exists()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="lock"), profile_lock(tmp_path / "no folder", lambda: None):
        pass


def test_the_first_reason_and_the_shortest_time_count() -> None:
    ending = Ending()
    assert not ending
    assert not ending.wait(0.0)
    ending.ask("idle")
    ending.ask("shutdown", drain_s=0.0)
    assert ending.wait(0.0)
    assert (ending.reason, ending.drain_s) == ("idle", 0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_one_signal_asks_and_two_insist(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []
    monkeypatch.setattr(lifecycle.os, "_exit", left.append)
    before = signal.getsignal(signal.SIGTERM)
    ending = Ending()
    with signals_to(ending, lambda: left.append("file removed")):
        os.kill(os.getpid(), signal.SIGTERM)
        assert ending.wait(5)
        assert (ending.reason, left) == ("SIGTERM", [])
        os.kill(os.getpid(), signal.SIGTERM)  # some supervisors say it twice at once
        time.sleep(0.01)
        assert left == []
        time.sleep(lifecycle._ONE_S)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert left == ["file removed", 130]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_parent_is_gone_even_while_nobody_asked_how_it_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    watch = ParentWatch(process.pid)
    assert not watch.gone()
    process.kill()
    deadline = time.monotonic() + 40
    while not watch.gone():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.wait()
    assert watch.gone()
    assert ParentWatch(process.pid).gone()


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    log.open_log(tmp_path)
    yield tmp_path / "host.log"
    log.close_log()


def test_a_line_says_what_happened_and_nothing_else(lines: Path) -> None:
    log.note("job.finished", level=logging.WARNING, job_id="j1", code="worker_died", trace="a\nb\u2028", n_bytes=None)
    log.note("long", reason="x" * 10_000)
    first, second = (json.loads(line) for line in lines.read_text().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "event": "job.finished",
        "job_id": "j1",
        "code": "worker_died",
        "trace": "a\nb\u2028",
    }
    assert len(second["reason"]) == 200


def test_a_bug_leaves_kind_and_place_but_no_text(lines: Path) -> None:
    try:
        raise RuntimeError("the user's secret prompt")
    except RuntimeError as error:
        log.note_bug("refused", error, job_id="j2")
    text = lines.read_text()
    assert "secret" not in text
    assert "Traceback" not in text
    assert json.loads(text)["bug"].startswith("RuntimeError at test_lifecycle_and_log.py:")


def test_the_log_rotates(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 2000)
    log.open_log(lines.parent)
    for number in range(200):
        log.note("hello", client_id=str(number))
    files = sorted(lines.parent.glob("host.log*"))
    assert len(files) == 1 + log.KEPT
    assert all(file.stat().st_size <= 2000 for file in files)
    assert json.loads(lines.read_text().splitlines()[-1])["client_id"] == "199"


def test_nothing_is_written_after_the_end_nor_breaks_on_a_full_disk(
    lines: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = logging.getLogger("foleyspace_host").handlers[0]

    def fail(_record: logging.LogRecord) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handler, "shouldRollover", fail)
    log.note("hello")
    log.close_log()
    log.note("hello")
    assert lines.read_text() == ""
    assert capfd.readouterr() == ("", "")
