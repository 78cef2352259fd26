"""The session's one connection to the host, which never waits, and starts a host when there is work for it.

`current` is the connection, `configure` says to which host; it is dropped when another file is opened.
"""

from __future__ import annotations

import os
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import client as wire

__all__ = ["Connection", "close", "configure", "current", "register", "unregister"]

HOPELESS_TRIES = 3  # to start a host, before what waits for one is told that there is none


class Connection:
    """A connection that nobody has to wait for.

    Parameters
    ----------
    profile : str
        Profile of the host.
    start : bool
        Whether to start a host where none runs.
    command : str
        Program that starts FoleySpace; looked for if empty.

    Attributes
    ----------
    state : str
        "UNKNOWN" (nobody asked yet), "MISSING" (not installed), "STOPPED", "CONNECTING", "READY" or "REFUSED" (there
        is a host, of a version or in a state that cannot be used).
    problem, cure : str
        Why it is not ready, and what to do; empty if it is.
    version : str
        Of the host, once it is known.
    capabilities : dict of str to dict
        What the host can do: ``available``, ``reason``, ``cure``, by name; empty if not known yet.
    losses : int
        How often a host that was connected has gone without being told to.
    """

    def __init__(self, profile: str = "default", start: bool = True, command: str = "") -> None:
        self.profile, self.start, self.command = profile, start, command
        self.state, self.problem, self.cure, self.version = "UNKNOWN", "", "", ""
        self.capabilities: dict[str, dict[str, Any]] = {}
        self.losses = self._failures = 0
        self._client: wire.Client | None = None
        self._jobs: list[wire.Job] = []
        self._was_connected = self._starts = False

    @property
    def hopeless(self) -> bool:
        """Whether it was tried often enough to say that there is no host."""
        return self.state == "REFUSED" or self._failures >= HOPELESS_TRIES

    def connect(self, start: bool | None = None) -> None:
        """Begin to connect, without waiting; `tick` goes on.

        Parameters
        ----------
        start : bool, optional
            Whether to start a host where none runs; as the connection was made if not given.
        """
        start = self.start if start is None else start
        if self._client is not None and self._client.connected and self._starts >= start:
            return
        self.close()
        self._starts, self._failures = start, 0
        self.state, self.problem, self.cure = "CONNECTING", "", ""
        try:
            self._client = wire.Client(
                "blender",
                profile=self.profile,
                client_version=bpy.app.version_string,
                start=start,
                command=[self.command] if self.command else None,
                cancel_on_disconnect=True,  # nobody could place what is made after Blender has gone
            )
        except wire.ClientError as error:
            self._failed(error)
            self._failures = HOPELESS_TRIES

    def submit(self, kind: str, **fields: Any) -> wire.Job:
        """Hand a job to the host as soon as there is one; fields as in `client.Client.submit`.

        Raises ClientError if it can never be sent.
        """
        if self._client is None or self.hopeless or self._starts < self.start:
            self.connect()
        if self._client is None:
            raise wire.ClientError(self.problem, cure=self.cure or None)
        self._jobs = [job for job in self._jobs if not job.finished]
        self._jobs.append(self._client.submit(kind, wait=False, **fields))
        return self._jobs[-1]

    def tick(self) -> None:
        """Do what is to be done, without waiting; for timers."""
        if self._client is None:
            return
        try:
            self._client.poll()
        except wire.ClientError as error:
            self._failed(error)
            return
        if self._client.connected:
            self._was_connected, self._failures = True, 0
            self.state, self.problem, self.cure = "READY", "", ""
            hello = self._client.hello
            self.version = str(hello.get("host_version", ""))
            self.capabilities = {str(one.get("name")): dict(one) for one in hello.get("capabilities", ())}
            return
        if self._was_connected and not self._busy():  # it ended because nobody needed it; the next task starts one
            self.close()
            return
        if self._was_connected:
            self._was_connected = False
            self.losses += 1
        if self.state in ("UNKNOWN", "READY"):
            self.state = "CONNECTING"
        if self.state == "CONNECTING":
            self.problem = self._client.problem

    def close(self) -> None:
        """Disconnect; the host cancels what it did for us."""
        if self._client is not None:
            self._client.close()
        self._client, self._was_connected = None, False
        if self.state in ("READY", "CONNECTING"):
            self.state, self.problem, self.cure = "UNKNOWN", "", ""

    def _busy(self) -> bool:
        return any(not job.finished for job in self._jobs)

    def _failed(self, error: wire.ClientError) -> None:
        if self._was_connected:
            self._was_connected = False
            self.losses += 1
        self._failures += 1
        self.problem, self.cure = str(error.message), error.cure or ""
        if not isinstance(error, wire.HostNotRunning):
            self.state = "REFUSED"
            return
        self.state = "STOPPED" if self._installed() else "MISSING"

    def _installed(self) -> bool:
        if self.command:
            return os.path.isfile(self.command)
        try:
            wire.start_command(wire.state_folder(self.profile))
        except wire.ClientError:
            return False
        return True


_settings: tuple[str, bool, str] = ("default", True, "")
_current: Connection | None = None


def configure(profile: str = "default", start: bool = True, command: str = "") -> None:
    """Say which host is meant, and whether and with which program to start it; a connection to another is dropped."""
    global _settings
    _settings = (profile or "default", start, command)
    if _current is not None and _settings != (_current.profile, _current.start, _current.command):
        close()


def current() -> Connection:
    """Return the session's connection, which is made if there is none; it connects when it is asked to."""
    global _current
    if _current is None:
        _current = Connection(*_settings)
    return _current


def close() -> None:
    """Drop the session's connection."""
    global _current
    if _current is not None:
        _current.close()
    _current = None


@persistent
def _on_load_pre(*_: object) -> None:
    close()


def register() -> None:
    """Drop the connection whenever another file is opened: its strips are not this one's."""
    bpy.app.handlers.load_pre.append(_on_load_pre)


def unregister() -> None:
    """Drop the connection for good."""
    if _on_load_pre in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_on_load_pre)
    close()
