"""The mailbox: one bridge at a time, files whole or not at all, a heartbeat that tells the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from foleyspace_host.bridges.reaper.bridge import main
from foleyspace_host.bridges.reaper.mailbox import Heartbeat, Mailbox


def test_a_folder_belongs_to_one_bridge(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        (tmp_path / "bridge.pid").write_text(str(other.pid))
        assert not Mailbox(tmp_path).take()
        assert main([str(tmp_path)]) == 3
    finally:
        other.communicate()
    assert Mailbox(tmp_path).take()  # the other has died
    assert (tmp_path / "bridge.pid").read_text() == str(os.getpid())


def test_a_job_that_is_answered_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "response.json").write_text("{}")
    assert main([str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["response.json"]


def test_wrong_usage(tmp_path: Path, capsys: object) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "none")]) == 2


def test_without_a_request_there_is_still_a_response(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
    response = json.loads((tmp_path / "response.json").read_text())
    assert not response["ok"]
    assert response["error"]["code"] == "invalid"
    assert response["items"] == []
    assert response["versions"]["bridge_protocol"] == 1


def test_a_bad_request_is_answered_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"foleyspace_mailbox": 1, "kind": "dance"}')
    assert main([str(tmp_path)]) == 1
    assert json.loads((tmp_path / "response.json").read_text())["error"]["where"] == "$.kind"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.write("progress.json", {"seq": 0, "text": ""})
    ended = threading.Event()
    torn: list[str] = []

    def read() -> None:
        while not ended.is_set():
            text = (tmp_path / "progress.json").read_text(encoding="utf-8")
            try:
                assert len(json.loads(text)["text"]) in (0, 20_000)
            except (ValueError, AssertionError):
                torn.append(text[:40])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        mailbox.write("progress.json", {"seq": number, "text": "ö" * 20_000})
    ended.set()
    reader.join()
    assert not torn
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_text_that_no_encoding_has_is_still_written(tmp_path: Path) -> None:
    Mailbox(tmp_path).write("response.json", {"text": "half a \ud800"})
    assert json.loads((tmp_path / "response.json").read_text(encoding="utf-8"))["text"] == "half a ?"


def seq(folder: Path) -> int:
    return int(json.loads((folder / "progress.json").read_text())["seq"])


def test_the_heart_beats_while_the_work_is_in_a_long_call_but_not_for_ever(tmp_path: Path) -> None:
    heart = Heartbeat(Mailbox(tmp_path), every_s=0.02, patience_s=0.5)
    heart.start()
    first = seq(tmp_path)
    time.sleep(0.3)  # a long call
    assert seq(tmp_path) > first
    time.sleep(0.6)
    still = seq(tmp_path)
    time.sleep(0.2)
    assert seq(tmp_path) == still  # nobody should wait any longer
    heart.alive()
    time.sleep(0.2)
    assert seq(tmp_path) > still
    heart.stop()


def test_the_fraction_never_falls(tmp_path: Path) -> None:
    heart = Heartbeat(Mailbox(tmp_path))
    heart.tell(fraction=0.5, message="half")
    heart.tell(fraction=0.3, message="less")
    heart.beat()
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert (progress["fraction"], progress["message"], progress["pid"]) == (0.5, "less", os.getpid())


def test_a_heart_whose_folder_is_gone_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    heart = Heartbeat(Mailbox(folder), every_s=0.01)
    heart.start()
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    time.sleep(0.05)
    heart.stop()
