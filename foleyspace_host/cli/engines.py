"""What `foleyspace models` says of the engines that make sounds, and how those of other people are set up."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options

__all__ = ["engine", "engine_lines", "engines_told"]


def engines_told() -> list[dict[str, Any]]:
    """Return every engine with its terms, and whether it can be used now, as plain values."""
    from foleyspace_host.generate.engine import ENGINES, availability, licence_of
    from foleyspace_host.generate.setup import read_setup

    return [
        asdict(entry)
        | {"licence": licence_of(entry), "accepted_on": read_setup(entry.name).accepted_on or None}
        | asdict(availability(entry.name))
        for entry in ENGINES
    ]


def engine_lines() -> list[str]:
    """Return the same for people."""
    lines = []
    for one in engines_told():
        state = "ready" if one["available"] else f"cannot be used: {one['reason']}"
        lines.append(f"{one['name']}  engine of `foleyspace generate`: {one['about']}")
        accepted = f" (accepted on {one['accepted_on']})" if one["accepted_on"] else ""
        lines += [f"  {'licence':<9}{one['licence']}{accepted}", f"  {'weights':<9}{one['weights']}"]
        lines.append(f"  {'state':<9}{state}")
    return lines


@click.command("engine", short_help="Set up an engine that does not ship, and accept its licence.")
@click.argument("name", type=click.Choice(["stable-audio", "mmaudio"]))
@click.option("--weights", type=options.FILE, metavar="DIR", help="Folder of its weights; of mmaudio its checkout.")
@click.option("--python", type=options.FILE, metavar="PYTHON", help="Interpreter that runs it (mmaudio).")
@click.option("--runner", type=options.FILE, metavar="SCRIPT", help="Script that it runs, instead of the shipped one.")
@click.option("--accept-licence", is_flag=True, help="Accept its terms, as they are shown; results tell of it.")
@options.json_option()
def engine(
    name: str, weights: Path | None, python: Path | None, runner: Path | None, accept_licence: bool, as_json: bool
) -> None:
    """Say where the weights of the engine NAME lie, or what runs it; accept its licence before the first use."""
    from foleyspace_host.errors import InvalidInput
    from foleyspace_host.generate.engine import availability, engine_entry
    from foleyspace_host.generate.setup import write_setup

    entry = engine_entry(name)
    said = {}
    for option, path, is_folder in (("weights", weights, True), ("python", python, False), ("runner", runner, False)):
        if path is None:
            continue
        if name == "stable-audio" and option != "weights":
            raise InvalidInput("is for mmaudio", where=f"--{option}", cure="leave it out")
        if not (path.is_dir() if is_folder else path.is_file()):
            what = "folder" if is_folder else "file"
            raise InvalidInput(f"there is no such {what}", where=str(path), cure="check the path")
        said[option] = str(path.absolute())  # an interpreter's link is what makes it one of a virtual environment
    if accept_licence:
        said |= {"accepted": entry.licence, "accepted_on": datetime.now(UTC).date().isoformat()}
    setup = write_setup(name, **said)
    found = availability(name)
    if as_json:
        click.echo(json.dumps({"engine": name, "licence": entry.licence} | asdict(setup) | asdict(found)))
        return
    click.echo(f"{name}  {'ready' if found.available else f'cannot be used yet: {found.reason}'}")
    click.echo(f"  {'licence':<9}{entry.licence}")
    if found.cure and not found.available:
        click.echo(f"  {'do':<9}{found.cure}")
