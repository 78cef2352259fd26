"""The first words on a connection, and how the host is."""

# ruff: noqa: RUF012 - msgspec copies the empty lists that are defaults
from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from foleyspace_host.protocol.limits import MAX_BUFFER_BYTES
from foleyspace_host.protocol.scalars import Body, Count, Id, Line, Path, Seconds, Version, Word

__all__ = ["Capability", "Health", "HealthOk", "Hello", "HelloOk", "WorkerHealth"]


class Hello(Body, frozen=True, kw_only=True):
    """``hello``, first on each socket: who speaks, and which folders this connection may use."""

    client_name: Word  # for people: "blender", "reaper", "cli"
    client_version: Annotated[str, Meta(max_length=64)] = ""  # for people
    versions: Annotated[tuple[Version, Version], Meta(description="lowest and highest that the client speaks")]
    roots: Annotated[list[Path], Meta(max_length=64)] = []  # folders to read and write in; absolute
    cancel_on_disconnect: bool = False  # end this client's jobs when it is gone


class Capability(Body, frozen=True, kw_only=True):
    """One thing that the host can do, or the reason why not."""

    name: Word  # "localize", "generate", "render", "spatialize", "timeline", "format:foa", "renderer:diffusion" ...
    available: bool  # whether it can be done now
    reason: Line | None = None  # why not
    cure: Line | None = None  # what to do about it


class HelloOk(Body, frozen=True, kw_only=True):
    """``hello.ok``: what was agreed."""

    version: Version  # the highest that both speak
    host_version: Word  # of the program, for people
    profile: Word  # which host it is
    roots: list[Path]  # as resolved, and narrowed by the host's configuration
    capabilities: list[Capability]  # what can be done here, and why not the rest
    max_buffer_bytes: Count = MAX_BUFFER_BYTES  # longest raw frame that is taken
    warnings: list[Line] = []  # roots that were left out, fields that were ignored


class Health(Body, frozen=True, kw_only=True):
    """``health``: is anyone there; also the heartbeat."""


class WorkerHealth(Body, frozen=True, kw_only=True):
    """One worker process."""

    name: Word  # worker-1 ...
    device: Word  # "cpu", "cuda:0"
    state: Literal["starting", "idle", "busy", "stopping"]  # idle ones are kept warm for a while
    job_id: Id | None = None  # what it is at
    rss_bytes: Count | None = None  # memory that it holds


class HealthOk(Body, frozen=True, kw_only=True):
    """``health.ok``: how the host is."""

    state: Literal["serving", "degraded", "draining"]  # draining: it is about to end
    pid: Count  # the host's process
    uptime_s: Seconds  # seconds since its start
    device: Word  # what models run on: "cpu", "cuda"
    queued: Count  # jobs that wait
    running: Count  # jobs that are worked on
    workers: list[WorkerHealth]  # the processes there are now
    capabilities: list[Capability]  # as in hello.ok
    warnings: list[Line] = []  # what is not as it should be, such as a GPU that failed
