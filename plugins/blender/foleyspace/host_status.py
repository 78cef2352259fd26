"""How the host is, for the panels: looked at now and then without starting anything, and kept for drawing."""

from __future__ import annotations

import time
from typing import Any

import bpy

from . import client, connection

__all__ = ["INSTALL_COMMAND", "forget", "is_connecting", "look", "publish"]

INSTALL_COMMAND = 'pip install "foleyspace-host[cpu]"'
"""What installs the host, in a terminal."""

INSTALLED_S = 5.0  # how often to look for a host that was not found

_looked_at = float("-inf")
_found = "UNKNOWN"
_problem = ""


def look() -> None:
    """See whether a host is installed, and connect to one that runs; quick, and nothing is started."""
    host = connection.current()
    if host.state == "UNKNOWN" or (host.hopeless and host.state in ("MISSING", "STOPPED")):
        _search(host)
    else:
        host.tick()
    publish()


def forget() -> None:
    """Search anew at the next look."""
    global _looked_at, _found, _problem
    _looked_at, _found, _problem = float("-inf"), "UNKNOWN", ""


def is_connecting() -> bool:
    """Return whether something is about to change."""
    return connection.current().state == "CONNECTING"


def publish() -> None:
    """Show it in the window manager's properties, and so in the panels, if it has changed."""
    host = connection.current()
    state, problem = host.state, ": ".join(part for part in (host.problem, host.cure) if part)
    if state == "UNKNOWN" or (host.hopeless and state in ("MISSING", "STOPPED") and _found != "UNKNOWN"):
        problem = _problem or (problem if _found == state else "")
        state = _found
    for manager in bpy.data.window_managers:
        shown = getattr(manager, "foleyspace", None)
        if shown is None or (shown.host_state, shown.host_version, shown.host_problem) == (
            state,
            host.version,
            problem,
        ):
            continue
        shown.host_state, shown.host_version, shown.host_problem = state, host.version, problem
        for window in manager.windows:
            for area in window.screen.areas:
                if area.type in ("SEQUENCE_EDITOR", "PREFERENCES"):
                    area.tag_redraw()


def _search(host: Any) -> None:
    global _looked_at, _found, _problem
    if time.monotonic() - _looked_at < INSTALLED_S:
        return
    _looked_at = time.monotonic()
    folder = client.state_folder(host.profile)
    try:
        client.read_connection(folder)
    except client.HostNotRunning:
        pass
    except client.ClientError as error:
        _found, _problem = "REFUSED", str(error)
        return
    else:
        host.connect(start=False)
        return
    try:
        if not host.command:
            client.start_command(folder)
    except client.ClientError as error:
        _found, _problem = "MISSING", str(error)
    else:
        _found, _problem = "STOPPED", ""
