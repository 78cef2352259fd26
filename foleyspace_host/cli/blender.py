"""``foleyspace blender``: the extension for Blender, built and installed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.table import size
from foleyspace_host.errors import FoleySpaceError, NotFound

if TYPE_CHECKING:
    from foleyspace_host.bridges.blender.install import Target

__all__ = ["command"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("blender", short_help="Install the extension into Blender, or build it.")
def command() -> None:
    """Install the extension into Blender 4.2 or newer, or build it."""


@command.command("install")
@click.option(
    "--blender", "named", type=_FILE, multiple=True, help="A Blender program; all that are found if not given."
)
@click.option("--platform", help="Install what is built for this system, such as macos-arm64, not for this one.")
@options.json_option()
@click.pass_context
def install(context: click.Context, named: tuple[Path, ...], platform: str | None, as_json: bool) -> None:
    """Install the extension into the Blenders of this machine and switch it on.

    Where only the folder of a Blender is found and not its program, the extension is put into the folder, and you
    switch it on in Blender's preferences. An older version is replaced. Exit code 1 if one of several failed.
    """
    from foleyspace_host.bridges.blender.install import find_targets
    from foleyspace_host.bridges.blender.package import archive_for, this_platform, version_of

    archive = archive_for(platform or this_platform())
    version = version_of(archive)
    targets = find_targets(named)
    if not targets:
        raise NotFound(
            "no Blender 4.2 or newer was found",
            cure=f"name its program with --blender, or drag {archive} into its window",
        )
    done: list[dict[str, Any]] = []
    failed: list[FoleySpaceError] = []
    for target in targets:
        told, error = _installed(archive, target)
        done.append(told)
        failed += [error] if error else []
        if len(failed) == len(targets):
            raise failed[0]
        if not as_json:
            name = f"Blender {told['blender']}" if told["blender"] else "Blender"
            click.echo(f"{name}: {_sentence(version, told)}")
    if as_json:
        click.echo(json.dumps({"version": version, "archive": str(archive), "installed": done}))
    context.exit(1 if failed else 0)


def _installed(archive: Path, target: Target) -> tuple[dict[str, Any], FoleySpaceError | None]:
    from foleyspace_host.bridges.blender.install import install as install_into

    told: dict[str, Any] = {
        "blender": ".".join(map(str, target.version)) if target.version else None,
        "program": str(target.program) if target.program else None,
        "folder": str(target.extensions) if target.extensions else None,
        "is_on": False,
    }
    try:
        result = install_into(archive, target)
    except FoleySpaceError as error:
        return {**told, "error": str(error)}, error
    return {**told, "folder": str(result.folder), "is_on": result.is_on}, None


def _sentence(version: str, told: dict[str, Any]) -> str:
    if "error" in told:
        return str(told["error"])
    if told["is_on"]:
        return f"FoleySpace {version} is installed and switched on ({told['folder']})"
    return f"FoleySpace {version} is in {told['folder']}; switch it on in Edit > Preferences > Add-ons"


@command.command("build")
@click.option(
    "--bpy", type=_FOLDER, help="Folder of bpy or of a Blender, for its builder; the installed bpy if not given."
)
@click.option("--source", type=_FOLDER, help="Folder of the extension's source; that of this checkout if not given.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Where to put what is built.")
@options.json_option()
def build(bpy: Path | None, source: Path | None, output: Path | None, as_json: bool) -> None:
    """Build the extension for all systems with Blender's own builder, for `foleyspace blender install` and wheels.

    Fetches the libraries that it carries with pip, each checked against its digest.
    """
    from foleyspace_host.bridges.blender.build import build as build_all
    from foleyspace_host.bridges.blender.build import find_builder
    from foleyspace_host.bridges.blender.package import ASSETS, PLATFORMS
    from foleyspace_host.cli.progress import stage_bars

    builder = find_builder(bpy)
    with stage_bars() as on_progress:
        archives = build_all(builder, source=source, output=output or ASSETS, on_progress=on_progress)
    told: list[dict[str, Any]] = [
        {
            "path": str(archive),
            "platform": system,
            "n_bytes": archive.stat().st_size,
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        }
        for system, archive in zip(PLATFORMS, archives, strict=True)
    ]
    if as_json:
        click.echo(json.dumps({"archives": told}))
        return
    for one in told:
        click.echo(f"{one['path']} ({size(one['n_bytes'])})")
