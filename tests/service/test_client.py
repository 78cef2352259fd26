"""The client against the real host: everyday use, and what happens when host or client go away."""

from __future__ import annotations

import array
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host import client as client_module
from foleyspace_host.client import (
    Client,
    HostError,
    HostNotRunning,
    Job,
    JobCancelled,
    TimedOut,
    VersionMismatch,
)

HERE = Path(__file__).resolve().parent
COMMAND = [sys.executable, "-m", "foleyspace_host"]


def prompt(**plan: Any) -> str:
    return json.dumps(plan)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home of hosts and clients of this test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FOLEYSPACE_HOME", str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(HERE.parents[1]), str(HERE))))
    return folder


@pytest.fixture
def command(home: Path, tmp_path: Path) -> list[str]:
    """Words that start a host which pretends to work."""
    script = tmp_path / "start.py"
    script.write_text(
        "import sys\nfrom foleyspace_host.cli import main\nsys.exit(main([*sys.argv[1:], '--runner', 'fake_runner']))\n"
    )
    return [sys.executable, str(script)]


@pytest.fixture
def connect(host: Any, home: Path) -> Iterator[Callable[..., Client]]:
    """Connect to the started host."""
    made: list[Client] = []

    def make(name: str = "test", **options: Any) -> Client:
        made.append(Client(name, start=options.pop("start", False), **options))
        return made[-1].connect()

    yield make
    for client in made:
        client.close()


def until_finished(client: Client, *jobs: Job, timeout_s: float = 30.0) -> None:
    """Poll as a DAW's timer does."""
    end = time.monotonic() + timeout_s
    while not all(job.finished for job in jobs):
        client.poll()
        time.sleep(0.01)
        assert time.monotonic() < end, jobs


class TestWork:
    def test_a_job_from_its_submission_to_its_bytes(self, connect: Callable[..., Client]) -> None:
        client = connect()
        assert client.connected
        assert client.problem == ""
        assert client.hello["profile"] == "default"
        job = client.submit("generate", prompt=prompt(stages=12, step_ms=30))
        seen = list(job.progress(timeout_s=30))
        fractions = [progress.fraction for progress in seen]
        assert fractions == sorted(fractions)
        assert len(set(fractions)) > 2
        assert fractions[-1] == 1.0
        result = job.result()
        assert job.state == "done"
        assert result.details["attempt"] == 1
        data = Path(result.path).read_bytes()
        assert job.read() == data
        assert len(data) == result.artifacts[0].n_bytes == 32

    def test_a_timer_never_waits_for_anything(self, connect: Callable[..., Client]) -> None:
        client = connect()
        jobs = [client.submit("generate", prompt=prompt(stages=3), wait=False) for _ in range(5)]
        assert {job.state for job in jobs} == {"sending"}
        changed: set[Job] = set()
        end = time.monotonic() + 30
        while not all(job.finished for job in jobs) and time.monotonic() < end:
            changed |= set(client.poll())
        assert changed == set(jobs)
        assert [job.result().details["attempt"] for job in jobs] == [1] * 5
        assert client.poll() == []

    @pytest.mark.parametrize("n_channels", [1, 2, 7])
    def test_samples_arrive_as_they_were(self, connect: Callable[..., Client], n_channels: int) -> None:
        """More than fits into one buffer; the fake job writes the buffers behind 32 bytes of its own."""
        client = connect()
        n_samples = 2_500_000 // n_channels
        sound = np.random.default_rng(0).standard_normal((n_channels, n_samples)).astype(np.float32)
        pieces = client_module.sound_buffers(sound)
        assert len(pieces) == 2
        body = {"job": {"kind": "generate", "prompt": "{}"}, "buffers": client_module.described(pieces)}
        made = Job(client, "generate")
        request = client_module._Request("job.submit", body, "work", [data for _, data in pieces], made._accepted)
        client._connection.wait(client._connection.ask(request), 30)
        back = made.read()[32:]
        shapes = [about["shape"] for about, _ in pieces]
        flat = np.frombuffer(back, np.float32)
        ends = np.cumsum([c * n for c, n in shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), sound)

    def test_refusals_say_where_and_what_to_do(self, connect: Callable[..., Client], tmp_path: Path) -> None:
        client = connect()
        trajectory = tmp_path / "t.json"
        trajectory.write_text("{}")
        with pytest.raises(HostError) as caught:
            client.submit("render", audio=tmp_path / "no.wav", trajectory=trajectory)
        assert caught.value.code == "media_missing"
        assert "no.wav" in str(caught.value)
        with pytest.raises(HostError, match=r"spread") as caught:
            client.submit("render", audio=trajectory, trajectory=trajectory, settings={"spread": 99.0})
        assert caught.value.code == "invalid"
        job = client.submit("dance", wait=False)
        until_finished(client, job)
        assert job.state == "failed"
        with pytest.raises(HostError):
            job.result()

    def test_a_failed_job_raises_its_own_error(self, connect: Callable[..., Client]) -> None:
        job = connect().submit("generate", prompt=prompt(stages=3, fail=1))
        with pytest.raises(HostError) as caught:
            job.result(timeout_s=30)
        assert (caught.value.code, caught.value.where, caught.value.cure) == (
            "media_damaged",
            "clip.wav",
            "use another",
        )
        assert job.state == "failed"

    def test_waiting_has_an_end_and_the_job_goes_on(self, connect: Callable[..., Client]) -> None:
        job = connect().submit("generate", prompt=prompt(stages=20, step_ms=30))
        with pytest.raises(TimedOut, match="goes on"):
            job.result(timeout_s=0.1)
        assert job.result(timeout_s=30).path

    def test_a_preview_is_heard_while_it_is_rendered(self, connect: Callable[..., Client]) -> None:
        client = connect()
        plan = prompt(stages=20, step_ms=20, preview=24_000)
        job = client.submit("generate", prompt=plan, preview=True)
        heard, first_state = 0, ""
        for chunk in job.preview(credit=2):
            assert chunk.start_sample == heard
            assert chunk.samples.shape[0] == 2
            assert np.asarray(chunk.samples).dtype == np.float32
            first_state = first_state or job.state
            heard += chunk.samples.shape[1]
            client.allow(Path.home() / f"folder-{heard}")  # another hello on the way harms nothing
        assert heard == 20 * 24_000
        assert first_state != "done"
        assert job.result().path

    def test_a_preview_that_is_not_kept_is_refused(self, connect: Callable[..., Client]) -> None:
        job = connect().submit("generate", prompt=prompt(stages=1))
        with pytest.raises(HostError, match="preview"):
            list(job.preview())


class TestCancel:
    def test_control_c_cancels_what_is_waited_for(self, connect: Callable[..., Client]) -> None:
        client = connect()
        job = client.submit("generate", prompt=prompt(stages=1000, step_ms=20))

        def interrupt(_progress: Any) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            job.result(on_progress=interrupt)
        until_finished(client, job)
        assert job.state == "cancelled"
        with pytest.raises(JobCancelled):
            job.result()

    def test_control_c_inside_the_block_cancels_all(self, connect: Callable[..., Client], home: Path) -> None:
        watching, jobs = connect(), []

        def work() -> None:
            with Client("other", start=False) as client:
                jobs.append(client.submit("generate", prompt=prompt(stages=1000, step_ms=20)))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            work()
        (job,) = jobs
        with pytest.raises(JobCancelled):
            watching.job(job.job_id).result(timeout_s=40)

    def test_cancel_before_the_host_has_the_job(self, connect: Callable[..., Client]) -> None:
        client = connect()
        job = client.submit("generate", prompt=prompt(stages=1000, step_ms=20), wait=False)
        job.cancel()
        until_finished(client, job)
        assert job.state == "cancelled"


class TestComingAndGoing:
    def test_the_host_is_started_when_there_is_none(self, command: list[str], home: Path) -> None:
        with Client("first", command=command) as first:
            pid = first.health()["pid"]
            with Client("second", command=command) as second:
                assert second.health()["pid"] == pid
            assert first.submit("generate", prompt="{}").result().path
            first.shutdown()
        end = time.monotonic() + 40
        while (home / "state" / "host.json").exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert not (home / "state" / "host.json").exists()

    def test_a_host_that_the_user_ends_stays_away_until_it_is_needed(self, command: list[str], home: Path) -> None:
        with Client("idle", command=command) as client, Client("user", start=False) as user:
            file = home / "state" / "host.json"
            before = client.instance_id
            user.shutdown()
            end = time.monotonic() + 40
            while (client.connected or file.exists()) and time.monotonic() < end:
                client.poll()
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                client.poll()  # no error either
            assert not file.exists()
            assert "not running" in client.problem
            assert client.submit("generate", prompt="{}").result().path
            assert client.instance_id != before
            client.shutdown(now=True)

    def test_one_with_nothing_to_do_lets_the_host_it_started_end(self, command: list[str], home: Path) -> None:
        with Client("idle", command=command, idle_exit_s=0.8) as client:
            file, before, end = home / "state" / "host.json", client.instance_id, time.monotonic() + 40
            while (client.connected or file.exists()) and time.monotonic() < end:
                client.poll()
                time.sleep(0.02)
            assert not file.exists()
            assert client.submit("generate", prompt="{}").result().path
            assert client.instance_id != before
            client.shutdown(now=True)

    def test_a_timer_can_start_the_host(self, command: list[str], home: Path) -> None:
        client = Client("timer", command=command)
        job = client.submit("generate", prompt="{}", wait=False)  # before there is anybody
        until_finished(client, job)
        assert job.result().details["attempt"] == 1
        client.shutdown(now=True)
        client.close()

    def test_without_a_host_the_error_says_so(self, home: Path) -> None:
        client = Client("test", start=False)
        with pytest.raises(HostNotRunning, match="foleyspace host"):
            client.connect()
        time.sleep(0.2)
        with pytest.raises(HostNotRunning):
            client.poll()
        client.close()

    def test_a_host_that_cannot_start_says_why(self, home: Path, command: list[str]) -> None:
        folder = home / "config"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("workers = 'many'\n")
        client = Client("test", command=command)
        with pytest.raises(HostNotRunning, match="workers"):
            client.connect()
        client.close()
        client = Client("test", command=["/does/not/exist"])
        with pytest.raises(HostNotRunning, match="cannot be started"):
            client.connect()
        client.close()

    def test_W7_a_killed_host_is_started_again_and_the_job_goes_on(self, command: list[str], home: Path) -> None:
        with Client("test", command=command) as client:
            before, pid = client.instance_id, client.health()["pid"]
            job = client.submit("generate", prompt=prompt(stages=40, step_ms=30))
            killed = False
            for progress in job.progress(timeout_s=60):
                if progress.done > 5 and not killed:
                    os.kill(pid, signal.SIGKILL)
                    killed = True
            assert killed
            assert job.result().details["attempt"] == 2
            assert client.instance_id not in ("", before)
            client.shutdown(now=True)

    def test_W7_a_host_that_somebody_restarts_is_found_at_its_new_ports(
        self, make_host: Callable[..., Any], home: Path
    ) -> None:
        host = make_host(home=home).start()
        client = Client("test", start=False).connect()
        job = client.submit("generate", prompt=prompt(stages=30, step_ms=20))
        while job.latest is None:
            client.poll()
        host.kill()
        client.poll()
        later = client.submit("generate", prompt="{}", wait=False)
        make_host(home=home).start()
        until_finished(client, job, later)
        assert {job.state, later.state} == {"done"}
        client.close()

    def test_J7_a_new_client_hears_how_the_jobs_of_the_old_one_ended(self, connect: Callable[..., Client]) -> None:
        old = connect(client_id="plug-in.7")
        job = old.submit("generate", prompt=prompt(stages=10, step_ms=20))
        old._connection.drop("died")  # without a word
        new = connect(client_id="plug-in.7")
        end = time.monotonic() + 30
        while job.job_id not in new.ended and time.monotonic() < end:
            new.poll()
        assert new.job(job.job_id).result().path
        new.poll()
        new.close()
        third = connect(client_id="plug-in.7")
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            third.poll()
        assert third.ended == {}  # the second has said that it knows

    def test_a_stopped_host_is_waited_for(self, connect: Callable[..., Client], host: Any) -> None:
        client = connect()
        job = client.submit("generate", prompt=prompt(stages=5, step_ms=10))
        os.kill(host.pid, signal.SIGSTOP)
        end = time.monotonic() + 40
        while client.connected and time.monotonic() < end:
            client.poll()
        assert not client.connected
        assert "does not answer" in client.problem
        os.kill(host.pid, signal.SIGCONT)
        assert job.result(timeout_s=30).path

    def test_a_machine_that_stands_still_for_seconds_is_no_reason_to_give_up(self, home: Path, host: Any) -> None:
        os.kill(host.pid, signal.SIGSTOP)  # longer than a handshake may take
        goes_on = threading.Timer(client_module.GREETING_S + 1.0, os.kill, (host.pid, signal.SIGCONT))
        goes_on.start()
        try:
            with Client("test", start=False) as client:
                assert client.connected
        finally:
            goes_on.join()

    def test_another_version_is_told_at_once(self, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client_module, "VERSIONS", ((9, 0), (9, 1)))
        with pytest.raises(VersionMismatch, match=r"9"):
            connect()

    def test_newer_minor_versions_get_along(self, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client_module, "VERSIONS", ((1, 0), (1, 7)))
        assert connect().health()["state"] in ("serving", "degraded")


class TestLists:
    def test_jobs_are_listed_in_pages(self, connect: Callable[..., Client]) -> None:
        client, other = connect("one"), connect("two")
        jobs = [client.submit("generate", prompt="{}") for _ in range(4)]
        for job in jobs:
            job.result()
        other.submit("generate", prompt=prompt(fail=0))
        assert [job["job_id"] for job in client.jobs(mine=True)] == [job.job_id for job in reversed(jobs)]
        assert len(client.jobs(limit=3)) == 3
        assert {job["client_name"] for job in client.jobs()} == {"one", "two"}
        assert client.job(jobs[0].job_id).state == "done"
        with pytest.raises(HostError) as caught:
            client.job("nothing")
        assert caught.value.code == "not_found"


def test_a_flat_array_of_the_standard_library_will_do() -> None:
    ((about, data),) = client_module.sound_buffers(array.array("f", [0.5, -0.5, 0.25]))
    assert about == {"dtype": "f32le", "shape": [1, 3]}
    assert data == np.array([0.5, -0.5, 0.25], np.float32).tobytes()
