"""L1 to L5, L7 and L8: how the host starts, ends, logs and tells versions apart."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
import psutil
import pytest

from foleyspace_host.protocol.messages import PROTOCOL, SERVED, Hello

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def test_L1_one_host_per_profile(make_host: Any) -> None:
    """Twenty start at once: one lives, nineteen say where it is and end well."""
    hosts = [make_host() for _ in range(20)]
    for host in hosts:
        host.launch()
    ready, others = [], []
    for host in hosts:
        line = json.loads(host.process.stdout.readline())
        (ready if "ready" in line else others).append((host, line))
    assert len(ready) == 1
    survivor, told = ready[0]
    assert len(others) == 19
    for host, line in others:
        assert host.process.wait(60) == 0
        assert line["running"]["code"] == "host_running"
        assert told["ready"]["control"] in line["running"]["message"]
        assert str(survivor.pid) in line["running"]["message"]
    assert survivor.peer().ask("health").pid == survivor.pid


def test_L1_the_lock_is_the_system_s_and_no_file(make_host: Any) -> None:
    first = make_host().start()
    left = first.connection
    first.kill()
    assert (first.state / "host.json").exists(), "a killed host leaves its file behind"
    second = make_host().start()
    assert second.connection.instance_id != left.instance_id
    assert second.connection.server_public != left.server_public
    other = make_host(profile="other").start()  # a profile of its own
    assert other.peer().ask("health").pid == other.pid != second.peer().ask("health").pid


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_L2_a_port_in_use_is_named(make_host: Any, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        host = make_host(option, str(port))
        out, err = host.launch().communicate(timeout=20)
    assert host.process.returncode == 1
    assert json.loads(out)["error"]["code"] == "host"
    assert str(port) in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    assert not (host.state / "host.json").exists()
    assert make_host(option, str(port)).start().peer().ask("health").state in ("serving", "degraded")


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_L3_drain(make_host: Any, refused: Any, eventually: Any, record_property: Any, number: int) -> None:
    """What runs may finish; nothing new is taken; the file goes; the exit code is 0."""
    host = make_host("--workers", "1").start()
    peer = host.peer()
    running = peer.submit_fake(stages=60, step_ms=20)
    waiting = peer.submit_fake(stages=5, step_ms=1)
    peer.event("job.progress", job_id=running)
    started_s = time.monotonic()
    host.process.send_signal(number)
    eventually(lambda: peer.ask("health").state == "draining")
    with pytest.raises(refused) as caught:
        peer.submit_fake(stages=1)
    assert (caught.value.code, caught.value.error.retryable) == ("busy", True)
    assert peer.finished(running).state == "done"
    assert host.process.wait(60) == 0
    record_property("ended_s", round(time.monotonic() - started_s, 2))
    assert time.monotonic() - started_s < 10
    assert not (host.state / "host.json").exists()
    again = make_host().start()
    assert again.peer(client_id=peer.client_id).finished(waiting).state == "done", "what was queued is not lost"


@posix
def test_L3_what_takes_longer_is_laid_down_and_taken_up(make_host: Any, eventually: Any) -> None:
    host = make_host("--workers", "1").start()
    peer = host.peer()
    job_id = peer.submit_fake(stages=1000, step_ms=10)
    peer.event("job.progress", job_id=job_id)
    eventually(lambda: peer.ask("job.status", {"job_id": job_id}).progress.done > 5)
    started_s = time.monotonic()
    peer.ask("shutdown")
    assert host.process.wait(12) == 0
    assert 5 < time.monotonic() - started_s < 12
    again = make_host().start().peer(client_id=peer.client_id)
    report = again.finished(job_id)
    assert report.state == "done"


@posix
def test_L3_shutdown_now_and_a_second_signal(make_host: Any, in_time: Any) -> None:
    host = make_host().start()
    peer = host.peer()
    peer.event("job.progress", job_id=peer.submit_fake(stages=10_000, step_ms=10))
    started_s = time.monotonic()
    peer.ask("shutdown", {"now": True})
    assert host.process.wait(60) == 0
    in_time(time.monotonic() - started_s, 4.0)
    host = make_host().start()  # the job runs again
    children = psutil.Process(host.pid).children(recursive=True)
    host.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    started_s = time.monotonic()
    host.process.send_signal(signal.SIGTERM)
    assert host.process.wait(60) == 128 + signal.SIGTERM
    in_time(time.monotonic() - started_s, 1.0)
    assert not (host.state / "host.json").exists()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, "workers end with their host"


def test_L4_the_host_ends_with_its_parent(make_host: Any, record_property: Any, in_time: Any) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    try:
        host = make_host("--parent-pid", str(parent.pid)).start()
        time.sleep(0.6)
        assert host.process.poll() is None
    finally:
        parent.kill()
    started_s = time.monotonic()
    assert host.process.wait(60) == 0
    record_property("ended_s", round(time.monotonic() - started_s, 2))
    in_time(time.monotonic() - started_s, 5.0)
    parent.wait()
    assert json.loads(host.process.communicate()[0].splitlines()[-1]) == {"ended": "parent"}


def test_L4_idle_exit_waits_for_jobs_and_requests(make_host: Any) -> None:
    host = make_host("--idle-exit", "2").start()  # a busy machine stands still for a second
    peer = host.peer()
    for _ in range(12):
        time.sleep(0.25)
        peer.ask("job.list")
    assert host.process.poll() is None, "somebody asks"
    peer.submit_fake(stages=500, step_ms=10)
    time.sleep(3.0)
    assert host.process.poll() is None, "a job runs that somebody waits for"
    peer.close()
    assert host.process.wait(60) == 0
    assert json.loads(host.process.communicate()[0].splitlines()[-1]) == {"ended": "idle"}


def test_L4_a_client_that_is_only_connected_keeps_no_host(make_host: Any) -> None:
    host = make_host("--idle-exit", "0.8").start()
    peer = host.peer()
    end_s = time.monotonic() + 40.0
    with contextlib.suppress(Exception):  # the last question meets nobody
        while host.process.poll() is None and time.monotonic() < end_s:
            peer.ask("health", timeout_s=0.5)
            time.sleep(0.1)
    assert host.process.wait(60) == 0, "whoever only looks whether it is there does not keep it"
    assert json.loads(host.process.communicate()[0].splitlines()[-1]) == {"ended": "idle"}


MAJOR, MINOR = PROTOCOL


@pytest.mark.parametrize(
    ("versions", "agreed"),
    [
        (((MAJOR, MINOR), (MAJOR, MINOR)), PROTOCOL),
        (((MAJOR, 0), (MAJOR, MINOR + 1)), PROTOCOL),
        (((MAJOR - 1, 9), (MAJOR, MINOR)), PROTOCOL),
        (((MAJOR, MINOR), (MAJOR + 1, 0)), PROTOCOL),
    ],
)
def test_L5_versions_that_meet(host: Any, versions: Any, agreed: Any) -> None:
    peer = host.peer(hello=False)
    for ask in (peer.ask, peer.ask_work):
        assert tuple(ask("hello", Hello(client_name="old", versions=versions)).version) == tuple(agreed)


@pytest.mark.parametrize("versions", [((MAJOR + 1, 0), (MAJOR + 1, 3)), ((0, 1), (0, 9)), ((MAJOR, MINOR + 1),) * 2])
def test_L5_versions_that_do_not(host: Any, refused: Any, versions: Any, in_time: Any) -> None:
    peer = host.peer(hello=False)
    started_s = time.monotonic()
    with pytest.raises(refused) as caught:
        peer.ask_work("hello", Hello(client_name="other", versions=versions))
    in_time(time.monotonic() - started_s, 1.0)
    error = caught.value.error
    assert error.code == "version_unsupported"
    for version in (*versions, *SERVED):
        assert f"{version[0]}.{version[1]}" in error.message
    assert "update the" in error.cure


def test_L5_a_later_minor_version_s_fields_are_ignored_and_told(host: Any) -> None:
    peer = host.peer(hello=False)
    header = {"v": [MAJOR, MINOR + 1], "type": "hello", "client_id": "c1", "request_id": "r1", "mood": "fine"}
    body = {"client_name": "new", "versions": [[MAJOR, 0], [MAJOR, MINOR + 1]], "colour": "red"}
    peer.work.send_multipart([b"FSP1", msgpack.packb(header), msgpack.packb(body)])
    warnings = peer.reply(peer.work, "r1").body.warnings
    assert any("colour" in line for line in warnings)
    assert any("mood" in line for line in warnings)


def test_L5_a_message_of_another_major_version(host: Any, refused: Any) -> None:
    peer = host.peer(hello=False)
    header = {"v": [MAJOR + 1, 0], "type": "hello.of.then", "client_id": "c1", "request_id": "r2", "x": {"y": []}}
    peer.work.send_multipart([b"FSP1", msgpack.packb(header), msgpack.packb({"anything": 1})])
    with pytest.raises(refused) as caught:
        peer.reply(peer.work, "r2", 1.0)
    assert caught.value.code == "version_unsupported"


HEAVY = ("onnxruntime", "torch", "numpy", "cv2", "av", "scipy", "matplotlib", "soundfile", "soxr", "asyncio")


def test_L7_start_is_quick_and_light(make_host: Any, record_property: Any, in_time: Any) -> None:
    """No heavy library is in the host's process, even after it has served; the time is the best of three."""
    times_s = []
    for _ in range(3):
        host = make_host()
        started_s = time.monotonic()
        host.start()
        times_s.append(time.monotonic() - started_s)
        assert host.peer().ask("health").state in ("serving", "degraded")
        if sys.platform == "linux":
            peer = host.peer()
            peer.finished(peer.submit_fake(stages=3, step_ms=1))
            maps = Path(f"/proc/{host.pid}/maps").read_text()
            loaded = {name for name in HEAVY for line in maps.splitlines() if f"site-packages/{name}" in line}
            assert loaded == set()
        assert host.stop() == 0
    record_property("ready_s", round(min(times_s), 2))
    in_time(min(times_s), 1.0)


def test_L7_modules_of_the_host_are_light() -> None:
    code = (
        "import sys, foleyspace_host.cli.host, foleyspace_host.host.server, foleyspace_host.jobs.worker\n"
        "from foleyspace_host.host import server\n"
        "server._capabilities()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_L7_what_is_missing_is_told_with_its_reason(host: Any) -> None:
    health = host.peer().ask("health")
    assert health.capabilities
    for one in health.capabilities:
        assert one.available or one.reason, one.name
    if health.state == "degraded":
        assert health.warnings
    assert len(health.workers) >= 1
    assert health.device in ("cpu", "cuda")


def test_L7_a_gpu_that_failed_is_told_until_it_works_again(host: Any) -> None:
    peer = host.peer()
    reason = "the model centernet.onnx runs on the CPU: CUDA failure 2: out of memory"
    assert peer.finished(peer.submit_fake(fallback=reason)).state == "done"
    health = peer.ask("health")
    assert (health.state, health.device) == ("degraded", "cpu")
    assert f"worker-1: {reason}" in health.warnings
    peer.finished(peer.submit_fake())
    assert not any(reason in line for line in peer.ask("health").warnings)


def test_L7_a_gpu_that_is_wanted_and_not_there_is_told(make_host: Any) -> None:
    health = make_host("--device", "cuda").start().peer().ask("health")
    (cuda,) = (one for one in health.capabilities if one.name == "device:cuda")
    told = [line for line in health.warnings if line.startswith("device:cuda: ")]
    assert (health.device, told) == (("cuda", []) if cuda.available else ("cpu", [f"device:cuda: {cuda.reason}"]))


SECRET = "a-prompt-that-nobody-else-shall-read"  # noqa: S105 - not a password


def test_L8_the_log_is_structured_and_gives_nothing_away(make_host: Any, tmp_path: Path, refused: Any) -> None:
    host = make_host().start()
    (tmp_path / SECRET).mkdir()
    peer = host.peer(tmp_path / SECRET)
    good = peer.submit_fake(stages=2, step_ms=1, name=SECRET)
    bad = peer.submit_fake(stages=2, step_ms=1, nonfinite=1, name=SECRET + "2")
    assert peer.finished(good).state == "done"
    assert peer.finished(bad).state == "failed"
    for number in range(3):
        with pytest.raises(refused):
            peer.ask("job.status", {"job_id": f"no-such-{number}"}, trace="span-7")
    peer.work.send_multipart([b"FSP1", SECRET.encode(), SECRET.encode()])
    peer.receive(peer.work)
    connection = host.connection
    assert host.stop() == 0
    text = "".join(path.read_text() for path in host.state.glob("*.log*"))
    for secret in (SECRET, connection.client_secret, connection.server_public, connection.client_public, "Traceback"):
        assert secret not in text
    lines = host.log()
    assert all({"time", "level", "event"} <= set(line) for line in lines)
    assert [line["event"] for line in lines if line["event"] in ("ready", "draining", "end")] == [
        "ready",
        "draining",
        "end",
    ]
    ends = {line["job_id"]: line for line in lines if line["event"] == "job.finished"}
    assert ends[good]["state"] == "done"
    assert ends[bad]["code"] == "nonfinite"
    assert sum(line.get("job_id") == good and line["event"] == "job.accepted" for line in lines) == 1
    failures = [line for line in lines if line["event"] == "refused" and line.get("trace") == "span-7"]
    assert [line["code"] for line in failures] == ["not_found"] * 3


def test_L8_the_log_rotates(make_host: Any) -> None:
    """Garbage without end fills no disk."""
    host = make_host()
    host.state.mkdir(parents=True, mode=0o700)
    (host.state / "host.log").write_text('{"event": "old"}\n' * 61_000)
    peer = host.start().peer()
    for _ in range(200):
        peer.work.send(b"garbage")
    peer.ask_work("hello", Hello(client_name="x", versions=(PROTOCOL, PROTOCOL)))
    assert host.stop() == 0
    sizes = [path.stat().st_size for path in host.state.glob("host.log*")]
    assert len(sizes) == 2
    assert max(sizes) <= 1 << 20
    assert os.path.getsize(host.state / "host.log") > 0
