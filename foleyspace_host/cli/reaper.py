"""``foleyspace reaper``: the scripts for REAPER."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli import options
from foleyspace_host.errors import InvalidInput

if TYPE_CHECKING:
    from foleyspace_host.bridges.reaper.install import Installed

__all__ = ["command"]

_RESOURCES = click.option(
    "--resource-path",
    "named",
    multiple=True,
    type=click.Path(path_type=Path),
    help="REAPER's resource folder, if it is not the usual one: for a portable REAPER that of its program.",
)


@click.group("reaper", short_help="Install the actions for REAPER.")
def command() -> None:
    """Install the actions for REAPER, or remove them.

    In REAPER, Options > Show REAPER resource path in explorer/finder shows where its resource folder is.
    """


@command.command("install", short_help="Copy the scripts to where REAPER looks for them.")
@_RESOURCES
@options.json_option()
def install(named: tuple[Path, ...], as_json: bool) -> None:
    """Copy the scripts and the effect to where REAPER looks for them, and say what to do next.

    Nothing of REAPER's own is changed: you load the actions yourself.
    """
    from foleyspace_host.bridges.reaper.install import install

    made = [install(folder) for folder in _folders(named)]
    if as_json:
        told = [
            {"scripts": str(m.scripts), "actions": m.actions, "effects": str(m.effects), "bridge": str(m.bridge)}
            for m in made
        ]
        click.echo(json.dumps({"installed": told}))
        return
    for one in made:
        click.echo("\n".join(_next_steps(one)))


@command.command("uninstall")
@_RESOURCES
@options.json_option()
def uninstall(named: tuple[Path, ...], as_json: bool) -> None:
    """Remove what `foleyspace reaper install` has copied."""
    from foleyspace_host.bridges.reaper.install import uninstall

    removed = {str(folder): uninstall(folder) for folder in _folders(named)}
    if as_json:
        click.echo(json.dumps({"removed": removed}))
        return
    for folder, n_files in removed.items():
        click.echo(f"{folder}: {n_files} files removed" if n_files else f"{folder}: there was nothing to remove")
    if any(removed.values()):
        click.echo("In REAPER, remove the actions from the action list: Actions > Show action list, select, Remove.")


@command.command("index", short_help="Write the index of a ReaPack repository.")
@click.option("--url", required=True, help="Where the files will be, as https://.../$version/$path")
@click.option(
    "-o", "--output", "out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="index.xml to write."
)
@click.option("--scripts", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of the scripts.")
def index(url: str, out: Path, scripts: Path | None) -> None:
    """Write the index of a ReaPack repository, for those who publish one.

    Versions that stand in the file already are kept.
    """
    from foleyspace_host.bridges.reaper.folders import shipped
    from foleyspace_host.bridges.reaper.reapack import make_index
    from foleyspace_host.media.atomic import atomic_output

    before = out.read_text(encoding="utf-8") if out.is_file() else None
    text = make_index(scripts or shipped(), url, before)
    with atomic_output(out) as temporary:
        Path(temporary).write_text(text, encoding="utf-8", newline="\n")
    click.echo(str(out))


def _folders(named: tuple[Path, ...]) -> list[Path]:
    from foleyspace_host.bridges.reaper.folders import check_resources, resource_folders

    if found := [check_resources(folder) for folder in named] or resource_folders():
        return found
    raise InvalidInput(
        "no REAPER was found that has run here",
        cure="start REAPER once, or name its resource folder with --resource-path (a portable REAPER's is its own)",
    )


def _next_steps(made: Installed) -> list[str]:
    return [
        f"Copied to {made.scripts}",
        "",
        "Now, in REAPER, once:",
        "  1. Actions > Show action list > New action... > Load ReaScript...",
        f"  2. go to {made.scripts}",
        f"     and open all files whose names begin with FoleySpace_ ({len(made.actions)} of them)",
        "  3. run 'FoleySpace: Check installation' from the list",
        "",
        f"The actions start {made.bridge}",
        "If FoleySpace is moved or installed anew elsewhere, run this command again.",
    ]
