"""``foleyspace doctor``: whether all is well, and what to do where it is not."""

from __future__ import annotations

import json

import click

from foleyspace_host.cli import options

__all__ = ["command"]

_SIGNS = {"green": "✓", "yellow": "!", "red": "✗"}


@click.command("doctor", short_help="Check the installation, and say what to do.")
@click.option("--repair", is_flag=True, help="Also mend what can be mended: move a damaged record of jobs aside.")
@options.profile_option()
@options.json_option()
@click.pass_context
def command(context: click.Context, repair: bool, profile: str, as_json: bool) -> None:
    """Check everything that FoleySpace needs, and say what to do where something is wrong.

    Exit code 1 if something does not work.
    """
    from foleyspace_host.doctor.checkup import check_up

    found = []
    for verdict in check_up(profile):
        repaired = verdict.repair() if repair and verdict.repair is not None else None
        level = "green" if repaired else verdict.level
        found.append(
            {"name": verdict.name, "level": level, "text": verdict.text, "cure": verdict.cure, "repaired": repaired}
        )
        if not as_json:
            sign = click.style(_SIGNS[level], fg=level, bold=True)
            click.echo(f"{sign} {verdict.name:<13} {verdict.text}")
            if repaired or verdict.cure:
                click.echo(f"{'':<15} {'repaired: ' + repaired if repaired else verdict.cure}")
    red = [one["name"] for one in found if one["level"] == "red"]
    if as_json:
        click.echo(json.dumps({"healthy": not red, "checks": found}))
    elif not red:
        click.echo("all is well" if all(one["level"] == "green" for one in found) else "it works")
    context.exit(1 if red else 0)
