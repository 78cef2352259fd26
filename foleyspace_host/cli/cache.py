"""``foleyspace cache``: what is kept to be quicker the next time."""

from __future__ import annotations

import json

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.machine import stage_cache
from foleyspace_host.cli.table import size

__all__ = ["command"]


@click.group("cache", short_help="Show or clear what is kept to be quicker the next time.", invoke_without_command=True)
@options.json_option()
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show or clear the results of finished stages, which are found again for the same inputs and settings.

    Whatever goes is made again when it is needed. The limit is cache_limit_mb in the configuration.
    """
    if context.invoked_subcommand is None:
        context.invoke(info, as_json=as_json)


@command.command("info")
@options.json_option()
def info(as_json: bool = False) -> None:
    """Tell where the cache is and what is in it."""
    cache = stage_cache()
    usage = cache.usage()
    n_bytes = sum(n for _, n in usage.values())
    if as_json:
        stages = {stage: {"entries": entries, "n_bytes": n} for stage, (entries, n) in sorted(usage.items())}
        told = {"folder": str(cache.folder), "limit_bytes": cache.limit_bytes, "n_bytes": n_bytes, "stages": stages}
        click.echo(json.dumps(told))
        return
    click.echo(f"{cache.folder}\n  {size(n_bytes)} of at most {size(cache.limit_bytes)}")
    for stage, (entries, n) in sorted(usage.items()):
        click.echo(f"  {stage:<11}{entries} {'result' if entries == 1 else 'results'}, {size(n)}")


@command.command("clear")
@options.json_option()
def clear(as_json: bool) -> None:
    """Remove all that is in the cache. Results of yours that it shares with you stay, and are not counted as freed."""
    cache = stage_cache()
    freed = cache.clear()
    click.echo(json.dumps({"folder": str(cache.folder), "freed_bytes": freed}) if as_json else f"freed {size(freed)}")
