"""The host is found, started, missed, and said how to be installed."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import connection  # noqa: E402


def test_connect(studio, host):
    assert bpy.ops.foleyspace.connect() == {"FINISHED"}
    shown = bpy.context.window_manager.foleyspace
    assert shown.host_state == "READY"
    assert shown.host_version == connection.current().version != ""


def test_a_host_that_is_not_installed(studio, host_home, monkeypatch, tmp_path):
    from foleyspace import host_status

    connection.close()
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FOLEYSPACE_COMMAND")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    host_status.forget()
    host_status.look()
    shown = bpy.context.window_manager.foleyspace
    assert shown.host_state == "MISSING"
    assert "install" in shown.host_problem
    with pytest.raises(RuntimeError, match="install"):
        bpy.ops.foleyspace.connect()
    program = tmp_path / "foleyspace"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    host_status.forget()
    host_status.look()
    assert shown.host_state == "STOPPED", "seen as soon as it is there"
    connection.close()


def test_a_running_host_is_found_without_starting_one(studio, pretending, patiently):
    from foleyspace import host_status

    host_status.forget()
    shown = bpy.context.window_manager.foleyspace
    patiently(lambda: host_status.look() or shown.host_state == "READY")
    assert pretending.capabilities["render"]["available"]


def test_the_install_command_is_copied(studio):
    assert bpy.ops.foleyspace.copy_command() == {"FINISHED"}
