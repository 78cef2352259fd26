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
    client_version: Annotated[str, Meta(max_length=64)] = ""
    versions: Annotated[tuple[Version, Version], Meta(description="lowest and highest that the client speaks")]
    roots: Annotated[list[Path], Meta(max_length=64)] = []  # folders to read and write in; absolute
    cancel_on_disconnect: bool = False


class Capability(Body, frozen=True, kw_only=True):
    """One thing that the host can do, or the reason why not."""

    name: Word  # "localize", "generate", "render", "spatialize", "timeline", "format:foa", "renderer:diffusion" ...
    available: bool
    reason: Line | None = None
    cure: Line | None = None


class HelloOk(Body, frozen=True, kw_only=True):
    """``hello.ok``: what was agreed."""

    version: Version  # the highest that both speak
    host_version: Word
    profile: Word
    roots: list[Path]  # as resolved, and narrowed by the host's configuration
    capabilities: list[Capability]
    max_buffer_bytes: Count = MAX_BUFFER_BYTES
    warnings: list[Line] = []


class Health(Body, frozen=True, kw_only=True):
    """``health``: is anyone there; also the heartbeat."""


class WorkerHealth(Body, frozen=True, kw_only=True):
    """One worker process."""

    name: Word
    device: Word  # "cpu", "cuda:0"
    state: Literal["starting", "idle", "busy", "stopping"]
    job_id: Id | None = None
    rss_bytes: Count | None = None


class HealthOk(Body, frozen=True, kw_only=True):
    """``health.ok``: how the host is."""

    state: Literal["serving", "degraded", "draining"]
    pid: Count
    uptime_s: Seconds
    device: Word  # what models run on: "cpu", "cuda"
    queued: Count
    running: Count
    workers: list[WorkerHealth]
    capabilities: list[Capability]
    warnings: list[Line] = []
