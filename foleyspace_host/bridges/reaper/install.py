"""Bringing the scripts to REAPER, and taking them away again.

Files are copied into REAPER's resource folder, and one is written that says where the bridge's program is. Nothing of
REAPER's own is changed: the user loads the actions.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from foleyspace_host import __version__
from foleyspace_host.bridges.reaper.folders import bridge_program, shipped
from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.atomic import atomic_output, write_error

__all__ = ["Installed", "install", "installed_version", "uninstall"]

_DATA = Path("Data") / "FoleySpace"
_PATHS = _DATA / "foleyspace_paths.lua"
_LIST = _DATA / "installed.json"
_SCRIPTS = Path("Scripts") / "FoleySpace"
_EFFECTS = Path("Effects") / "FoleySpace"


class Installed(NamedTuple):
    """What was installed.

    Parameters
    ----------
    scripts : Path
        The folder of the scripts.
    actions : tuple of str
        The scripts in it that are to be loaded as actions.
    effects : Path
        The folder of the effects.
    bridge : Path
        The program that the scripts start.
    """

    scripts: Path
    actions: tuple[str, ...]
    effects: Path
    bridge: Path


def install(resources: Path) -> Installed:
    """Copy the scripts and effects into a resource folder, in place of older ones.

    Parameters
    ----------
    resources : Path
        REAPER's resource folder.

    Returns
    -------
    Installed

    Raises
    ------
    ModelUnavailable
        If scripts or bridge are missing in this installation.
    OutputUnwritable
        If the folder cannot be written.
    InvalidInput
        If the bridge's path cannot stand on a command line of REAPER.
    """
    source, bridge = shipped(), bridge_program()
    if all(quote in str(bridge) for quote in "\"'`") or any(ord(letter) < 32 for letter in str(bridge)):
        raise InvalidInput(
            "REAPER cannot start a program of this name", where=str(bridge), cure="install FoleySpace elsewhere"
        )
    before, files = _listed(resources), dict(_files(source))
    try:
        for target, origin in files.items():
            (resources / target).parent.mkdir(parents=True, exist_ok=True)
            with atomic_output(resources / target) as temporary:
                shutil.copyfile(origin, temporary)
        (resources / _DATA).mkdir(parents=True, exist_ok=True)
        _write(resources / _PATHS, _paths_file(bridge))
        listed = {"version": __version__, "files": sorted(path.as_posix() for path in (*files, _PATHS))}
        _write(resources / _LIST, json.dumps(listed, indent=1))
        _remove(resources, set(before) - set(files) - {_PATHS})
    except OSError as error:
        raise write_error(error, resources) from error
    actions = tuple(sorted(target.name for target in files if target.parent == _SCRIPTS))
    return Installed(resources / _SCRIPTS, actions, resources / _EFFECTS, bridge)


def uninstall(resources: Path) -> int:
    """Remove what `install` brought, and the folders of jobs; return how many files that were.

    Parameters
    ----------
    resources : Path
        REAPER's resource folder.

    Raises
    ------
    OutputUnwritable
        If something cannot be removed.
    """
    listed = _listed(resources)
    if not listed:
        return 0
    try:
        removed = _remove(resources, {*listed, _LIST})
        shutil.rmtree(resources / _DATA / "jobs", ignore_errors=True)
        with suppress(OSError):  # somebody else has put something there
            (resources / _DATA).rmdir()
    except OSError as error:
        raise write_error(error, resources) from error
    return removed - 1


def installed_version(resources: Path) -> str | None:
    """Return the version of the scripts in a resource folder; None if there are none."""
    try:
        version = json.loads((resources / _LIST).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(version)


def _files(source: Path) -> Iterator[tuple[Path, Path]]:
    """Yield where each file goes, within the resource folder, and where it comes from."""
    for origin in sorted(source.glob("*.lua")):
        yield _SCRIPTS / origin.name, origin
    for origin in sorted((source / "lib").rglob("*.lua")):
        yield _SCRIPTS / origin.relative_to(source), origin
    for origin in sorted((source / "effects").rglob("*")):
        if origin.is_file():
            yield _EFFECTS / origin.relative_to(source / "effects"), origin


def _paths_file(bridge: Path) -> str:
    return (
        "-- Where FoleySpace is on this machine; written by `foleyspace reaper install`.\n"
        f"return {{ bridge = {_lua_text(str(bridge))}, version = {_lua_text(__version__)} }}\n"
    )


def _lua_text(text: str) -> str:
    """Return a text as Lua writes it."""
    return '"' + "".join(f"\\{ord(letter):03}" if letter in '\\"' else letter for letter in text) + '"'


def _write(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        Path(temporary).write_bytes(text.encode("utf-8", "surrogateescape"))


def _listed(resources: Path) -> list[Path]:
    """Return what an earlier `install` brought; nothing outside of our own folders, whatever the list says."""
    try:
        names = json.loads((resources / _LIST).read_bytes())["files"]
        paths = [Path(os.path.normpath(name)) for name in names]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [path for path in paths if any(path.is_relative_to(own) for own in (_SCRIPTS, _EFFECTS, _DATA))]


def _remove(resources: Path, files: set[Path]) -> int:
    """Remove files, and their folders where nothing is left in them."""
    removed = 0
    for file in files:
        with suppress(FileNotFoundError):
            (resources / file).unlink()
            removed += 1
    for folder in sorted({parent for file in files for parent in file.parents if len(parent.parts) > 1}, reverse=True):
        with suppress(OSError):
            (resources / folder).rmdir()
    return removed
