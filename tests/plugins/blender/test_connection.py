"""The connection of a session: starts a host on demand, says why it cannot, and is dropped with the file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

Patiently = Callable[..., Any]


def test_starts_a_host_when_it_is_asked_to(host: Any, patiently: Patiently) -> None:
    assert (host.state, host.capabilities) == ("UNKNOWN", {})
    host.tick()
    assert host.state == "UNKNOWN"  # nobody asked
    begun = time.perf_counter()
    host.connect()
    assert time.perf_counter() - begun < 5.0
    assert host.state == "CONNECTING"

    def ready() -> bool:
        host.tick()
        return host.state == "READY"

    patiently(ready)
    assert (host.problem, host.cure, host.hopeless) == ("", "", False)
    assert host.version
    assert host.capabilities["render"]["available"] is True
    assert host.capabilities["format:foa"]["available"] is True


def test_a_host_that_ends_while_nobody_needs_it_is_no_loss(host: Any, patiently: Patiently) -> None:
    from foleyspace.client import Client

    host.connect()
    patiently(lambda: host.tick() or host.state == "READY")
    with Client("user", start=False) as user:
        user.shutdown()
    patiently(lambda: host.tick() or host.state != "READY")
    assert (host.state, host.problem, host.losses) == ("UNKNOWN", "", 0)
    job = host.submit("generate", prompt="no such words", duration_s=1.0)  # whatever becomes of it, somebody looks
    patiently(lambda: host.tick() or (job.finished and host.state == "READY"))
    assert (host.state, host.losses) == ("READY", 0)


def test_dropped_when_another_file_is_opened(host: Any, blender: Any, patiently: Patiently) -> None:
    from foleyspace import connection

    host.connect()
    patiently(lambda: host.tick() or host.state == "READY")
    blender.ops.wm.read_factory_settings(use_empty=True)
    assert host.state == "UNKNOWN"
    assert connection.current() is not host


def test_not_installed(blender: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patiently: Patiently) -> None:
    from foleyspace import client, connection

    def nowhere(_folder: Path) -> list[str]:
        raise client.HostNotRunning("FoleySpace was not found on this machine", cure="install it")

    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    monkeypatch.setattr(client, "start_command", nowhere)
    lonely = connection.Connection()
    lonely.connect()

    def told() -> bool:
        lonely.tick()
        return lonely.hopeless

    patiently(told)
    assert (lonely.state, lonely.problem) == ("MISSING", "FoleySpace was not found on this machine")
    assert lonely.cure == "install it"
    lonely.close()


def test_a_program_that_is_none(blender: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace import connection

    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    wrong = connection.Connection(command=str(tmp_path / "no-program"))
    wrong.connect()
    wrong.tick()
    assert wrong.state == "MISSING"
    assert wrong.problem == "the host cannot be started (No such file or directory)"
    wrong.close()


def test_is_not_started_where_that_is_not_wanted(blender: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace import connection

    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    monkeypatch.setenv("FOLEYSPACE_COMMAND", os.devnull)
    shy = connection.Connection(start=False)
    shy.connect()
    shy.tick()
    assert (shy.state, shy.problem) == ("STOPPED", "the host is not running")
    assert not (tmp_path / "state").exists()
    shy.close()


def test_another_profile_is_another_connection(blender: Any) -> None:
    from foleyspace import connection

    before = connection.current()
    connection.configure("default", before.start, before.command)
    assert connection.current() is before
    connection.configure("second", before.start)
    assert (connection.current() is before, connection.current().profile) == (False, "second")
    connection.configure()
    connection.close()


def test_a_profile_that_cannot_be(blender: Any) -> None:
    from foleyspace import connection

    wrong = connection.Connection("../other")
    wrong.connect()
    assert wrong.hopeless
    assert "profile" in wrong.problem
    wrong.tick()
