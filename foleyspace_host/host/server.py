"""The host: two sockets in two threads in front of the jobs, from the lock to the last reply.

``work`` takes jobs and hands out results and may be busy with many megabytes; ``control`` answers health,
status and cancel all the while. Neither thread does a job's work: that is in the workers' processes.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import zmq

from foleyspace_host import __version__
from foleyspace_host.config import Config, Folders
from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.host.auth import Gatekeeper, Keys, fresh_keys
from foleyspace_host.host.control import control_handlers
from foleyspace_host.host.endpoint import Endpoint
from foleyspace_host.host.greeting import Greeter
from foleyspace_host.host.lifecycle import ORPHAN_DRAIN_S, Ending, ParentWatch, leave_command, profile_lock, signals_to
from foleyspace_host.host.log import close_log, note, open_log
from foleyspace_host.host.router import Limits
from foleyspace_host.host.spool import Spool
from foleyspace_host.host.work import Work
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.connection import Connection, read_connection, remove_connection, write_connection
from foleyspace_host.protocol.limits import MAX_FRAME_BYTES
from foleyspace_host.protocol.messages import SERVED, Capability

__all__ = ["RUNNER", "Options", "serve"]

RUNNER = "foleyspace_host.jobs.run"

# received: 8 messages of one peer wait in memory, then TCP makes it wait; sent: what a slow reader may cost
_WORK = Limits(frame_bytes=MAX_FRAME_BYTES, received=8, sent=32)
_CONTROL = Limits(frame_bytes=1 << 20, received=64, sent=64)
_WATCH_S = 0.25


@dataclass(frozen=True, slots=True)
class Options:
    """How one host is started.

    Parameters
    ----------
    profile : str
        Its profile.
    config : Config
        Its settings.
    work_port, control_port : int
        Ports on 127.0.0.1; free ones if 0.
    parent_pid : int, optional
        The host ends with this process.
    runner : str
        Module that does the jobs' work; imported by the workers alone.
    """

    profile: str = "default"
    config: Config = field(default_factory=Config)
    work_port: int = 0
    control_port: int = 0
    parent_pid: int | None = None
    runner: str = RUNNER


def serve(options: Options, on_ready: Callable[[Connection], None]) -> str:
    """Be the host of a profile until something asks for its end.

    Parameters
    ----------
    options : Options
        How to start.
    on_ready : callable
        Called with the connection, when clients can connect.

    Returns
    -------
    str
        Why it ended: the signal's name, ``shutdown``, ``idle`` or ``parent``.

    Raises
    ------
    HostRunning
        The profile has a host.
    HostError
        A port is in use, or there is no encryption here.
    FoleySpaceError
        The folders, the settings or the database cannot be used.
    """
    folders, ending = Folders(options.profile), Ending()
    folders.make()
    with profile_lock(folders.state, lambda: _running_at(folders)), ExitStack() as stack:
        open_log(folders.state)
        stack.callback(close_log)
        _be_host(options, folders, ending, on_ready, stack)
    return ending.reason


def _be_host(
    options: Options, folders: Folders, ending: Ending, on_ready: Callable[[Connection], None], stack: ExitStack
) -> None:
    """Start everything and wait for the end; what is laid down then, in reverse order, is on the stack."""
    instance_id, keys = uuid.uuid4().hex, fresh_keys()
    stack.callback(lambda: note("end", reason=ending.reason, instance_id=instance_id))
    stack.enter_context(signals_to(ending, lambda: remove_connection(folders.state, instance_id)))

    service = JobService(folders, options.config, runner=options.runner, on_event=lambda event: desk.on_event(event))
    context = zmq.Context(io_threads=2)
    stack.callback(context.term)
    gatekeeper = Gatekeeper(context, keys)
    gatekeeper.start()

    def endpoint(name: str, port: int, limits: Limits) -> Endpoint:
        made = Endpoint(name, context, gatekeeper, port=port, instance_id=instance_id, limits=limits)
        stack.callback(made.end)
        return made

    control = endpoint("control", options.control_port, _CONTROL)
    work = endpoint("work", options.work_port, _WORK)
    spool = Spool(folders.data / "spool")
    stack.callback(spool.close)
    greeter = Greeter(options.profile, options.config, service, ending, _capabilities)
    desk = Work(work, service, greeter, spool, ending)
    control.handlers = control_handlers(service, greeter, ending)

    stack.callback(remove_connection, folders.state, instance_id)
    stack.callback(_lay_down, service, ending)
    service.start()
    desk.expect_back()
    control.start()
    work.start()
    connection = _connection(options.profile, instance_id, keys, work.address, control.address)
    write_connection(folders.state, connection)
    leave_command(folders.state)
    note("ready", instance_id=instance_id, pid=os.getpid())
    on_ready(connection)
    _wait(options, ending, service, (work, control))


def _lay_down(service: JobService, ending: Ending) -> None:
    """Let running jobs finish for a while; the sockets still answer."""
    note("draining", reason=ending.reason)
    service.stop(now=not ending or ending.drain_s == 0.0, timeout_s=ending.drain_s)


def _wait(options: Options, ending: Ending, service: JobService, endpoints: tuple[Endpoint, Endpoint]) -> None:
    """Wait for the end, and ask for it when there is nothing to do.

    A client that is only connected does not count: a DAW or Blender may stay open for days. When it needs the host
    again, it starts the next one by itself.
    """
    parent = None if options.parent_pid is None else ParentWatch(options.parent_pid)
    idle_exit_s, busy_s = options.config.idle_exit_s, time.monotonic()
    while not ending.wait(_WATCH_S):
        if parent is not None and parent.gone():
            ending.ask("parent", drain_s=ORPHAN_DRAIN_S)
        if idle_exit_s is not None:
            if any(service.counts()):
                busy_s = time.monotonic()
            busy_s = max(busy_s, *(endpoint.heard_s for endpoint in endpoints))
            if time.monotonic() - busy_s >= idle_exit_s:
                ending.ask("idle")


def _connection(profile: str, instance_id: str, keys: Keys, work: str, control: str) -> Connection:
    return Connection(
        protocol=SERVED,
        host_version=__version__,
        instance_id=instance_id,
        pid=os.getpid(),
        started_s=time.time(),
        work=work,
        control=control,
        server_public=keys.server_public.decode(),
        client_public=keys.client_public.decode(),
        client_secret=keys.client_secret.decode(),
        profile=profile,
    )


def _running_at(folders: Folders) -> str | None:
    """Return where the host is that has the lock, if its connection file is there."""
    try:
        connection = read_connection(folders.state)
    except FoleySpaceError:
        return None
    return f"{connection.control} (process {connection.pid})"


def _capabilities() -> list[Capability]:
    from foleyspace_host.jobs.capabilities import capabilities  # when first asked, not at the start

    return list(capabilities())
