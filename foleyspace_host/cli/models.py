"""``foleyspace models``: what ships, and under which terms."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from foleyspace_host.cli import options

__all__ = ["command"]


@click.group("models", short_help="List the models and measured data that ship.")
def command() -> None:
    """List the models and measured data that ship."""


@command.command("list")
@options.json_option()
def list_models(as_json: bool) -> None:
    """Show name, task, licence, size, origin and sha256 of each."""
    from foleyspace_host.models.registry import ENTRIES

    if as_json:
        click.echo(json.dumps({"models": [asdict(entry) for entry in ENTRIES]}))
        return
    for entry in ENTRIES:
        click.echo(f"{entry.name}  {entry.task}, {entry.size_bytes / 1e6:.1f} MB, {entry.version}")
        for name in ("licence", "origin", "notes", "sha256"):
            if value := getattr(entry, name):
                click.echo(f"  {name:<9}{value}")
