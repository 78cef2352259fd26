"""``foleyspace jobs``: what the host did and will do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.table import ago, table
from foleyspace_host.errors import HostNotRunning

if TYPE_CHECKING:
    from foleyspace_host.protocol.messages import JobState

__all__ = ["command"]

_STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")


@click.command("jobs", short_help="List the host's jobs.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="How many.")
@options.profile_option()
@options.json_option()
def command(states: tuple[str, ...], limit: int, profile: str, as_json: bool) -> None:
    """List the host's jobs, the newest first: of every program, running and finished.

    Where no host is running they are read from its record; what has not ended goes on at its next start.
    """
    from foleyspace_host.cli.through_host import host_client

    try:
        with host_client(profile, start=False) as client:
            jobs = client.jobs(states, limit=limit)
    except HostNotRunning:
        from foleyspace_host.host.past import recorded_jobs

        jobs = recorded_jobs(profile, [state for state in _STATES if state in states], limit)
    if as_json:
        click.echo(json.dumps({"jobs": jobs}))
        return
    if not jobs:
        click.echo("no jobs")
        return
    now = time.time()
    head = ("JOB", "KIND", "STATE", "FROM", "AGE", "TOOK", "WHAT")
    click.echo("\n".join(table([head, *(_row(job, now) for job in jobs)])))


def _row(job: dict[str, Any], now: float) -> tuple[str, ...]:
    state = job["state"]
    progress = job.get("progress") or {}
    if state == "running" and progress:
        state = f"{100 * progress['fraction']:.0f} %"
    took = ""
    if (started := job.get("started_s")) is not None:
        took = ago((job.get("finished_s") or now) - started)
    return job["job_id"], job["kind"], state, job["client_name"], ago(now - job["created_s"]), took, _what(job)


def _what(job: dict[str, Any]) -> str:
    """Return what there is to say of a job: its error, its result, or its stage."""
    if error := job.get("error"):
        where = f"{error['where']}: " if error.get("where") else ""
        return f"{error['code']}: {where}{error['message']}"
    if artifacts := job.get("artifacts"):
        path = str(artifacts[0]["path"])
        return path if Path(path).exists() else f"moved or removed: {path}"
    return str((job.get("progress") or {}).get("stage", "")) if job["state"] == "running" else ""
