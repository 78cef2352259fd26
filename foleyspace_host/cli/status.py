"""``foleyspace status``: how the host is."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.table import ago, size

__all__ = ["command"]


@click.command("status", short_help="Show how the host is and what it can do.")
@options.profile_option()
@options.json_option()
def command(profile: str, as_json: bool) -> None:
    """Show how the host is, what it works on and what it can do.

    Exit code 1 if none is running.
    """
    from foleyspace_host.cli.through_host import host_client

    with host_client(profile, start=False) as client:
        health = client.health()
        about = {"profile": profile, "instance_id": client.instance_id, "host_version": client.hello["host_version"]}
    if as_json:
        click.echo(json.dumps(about | health))
        return
    click.echo("\n".join(_lines(about, health)))


def _lines(about: dict[str, Any], health: dict[str, Any]) -> list[str]:
    lines = [
        f"{health['state']}: FoleySpace {about['host_version']}, process {health['pid']}, up {ago(health['uptime_s'])}",
        f"  {'jobs':<11}{health['running']} running, {health['queued']} waiting",
        f"  {'device':<11}{health['device']}",
    ]
    for worker in health["workers"]:
        job = f", job {worker['job_id']}" if worker.get("job_id") else ""
        memory = f", {size(worker['rss_bytes'])}" if worker.get("rss_bytes") else ""
        lines.append(f"  {'worker':<11}{worker['name']}: {worker['state']} on {worker['device']}{memory}{job}")
    able = sorted(one["name"] for one in health["capabilities"] if one["available"])
    lines += _hanging(f"  {'can do':<11}", ", ".join(able) or "nothing")
    unable = {
        one["name"]: "; ".join(filter(None, (one.get("reason"), one.get("cure"))))
        for one in health["capabilities"]
        if not one["available"]
    }
    if unable:
        lines.append("  cannot do")
    for name, why in unable.items():
        lines += _hanging(f"    {name:<{max(map(len, unable))}}  ", why)
    return lines + [line for text in health.get("warnings", ()) for line in _hanging(f"  {'warning':<11}", text)]


def _hanging(head: str, text: str) -> list[str]:
    """Return a text behind its head, on more lines than one where the terminal is narrow."""
    width = max(shutil.get_terminal_size((10_000, 24)).columns, len(head) + 20)
    return textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head)) or [head.rstrip()]
