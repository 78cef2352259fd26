"""Where Blender is on a machine: its programs, and the folders in which it keeps what the user adds to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from foleyspace_host.bridges.blender.package import EXTENSION, MANIFEST

__all__ = [
    "OLDEST",
    "Extension",
    "UserFolder",
    "clean_environment",
    "installed_extensions",
    "programs",
    "user_folders",
    "version_of_program",
]

OLDEST = (4, 2)
"""The first version with extensions."""

_START_S = 60.0
_VERSION = re.compile(r"(\d+)\.(\d+)")


class UserFolder(NamedTuple):
    """Where one version of Blender keeps what the user adds.

    Parameters
    ----------
    version : tuple of int or None
        Major and minor version; None where the folder was named by a variable and serves every version.
    extensions : Path
        Folder of extensions; it need not exist.
    """

    version: tuple[int, int] | None
    extensions: Path


class Extension(NamedTuple):
    """Our extension where it was installed.

    Parameters
    ----------
    blender : tuple of int or None
        Major and minor version of the Blender that has it; None where that is not told by the folder.
    version : str
        Its own version; empty if its manifest cannot be read.
    folder : Path
        Where it lies.
    """

    blender: tuple[int, int] | None
    version: str
    folder: Path


def programs() -> list[Path]:
    """Return the Blender programs found on this machine, the one on the search path first."""
    on_path = shutil.which("blender")
    found: dict[Path, Path] = {}  # by what they are links to
    for place in ([Path(on_path)] if on_path else []) + list(_usual_programs()):
        if place.is_file():
            found.setdefault(place.resolve(), place)
    return list(found.values())


def version_of_program(program: Path) -> tuple[int, int] | None:
    """Return major and minor version of a Blender program; None if it does not say that it is one."""
    try:
        said = subprocess.run(  # noqa: S603
            [str(program), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_START_S,
            env=clean_environment(),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(rf"^Blender {_VERSION.pattern}", said, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else None


def user_folders() -> list[UserFolder]:
    """Return the user's folders of the versions of Blender that have run here and have extensions, newest first.

    ``BLENDER_USER_EXTENSIONS`` and ``BLENDER_USER_RESOURCES`` of the environment take their place, as in Blender.
    """
    if named := os.environ.get("BLENDER_USER_EXTENSIONS"):
        return [UserFolder(None, Path(named))]
    if named := os.environ.get("BLENDER_USER_RESOURCES"):
        return [UserFolder(None, Path(named, "extensions"))]
    found = []
    for base in _usual_settings():
        for path in sorted(base.iterdir()) if base.is_dir() else ():
            version = _VERSION.fullmatch(path.name)
            if version and path.is_dir() and (int(version[1]), int(version[2])) >= OLDEST:
                found.append(UserFolder((int(version[1]), int(version[2])), path / "extensions"))
    return sorted(found, key=lambda folder: (folder.version or OLDEST, folder.extensions), reverse=True)


def installed_extensions() -> list[Extension]:
    """Return where our extension is installed for this user, whatever repository it came from, newest Blender first."""
    found = []
    for user in user_folders():
        for manifest in sorted(user.extensions.glob(f"*/{EXTENSION}/{MANIFEST}")):
            try:
                version = str(tomllib.loads(manifest.read_text(encoding="utf-8")).get("version", ""))
            except (OSError, ValueError):
                version = ""
            found.append(Extension(user.version, version, manifest.parent))
    return found


def clean_environment() -> dict[str, str]:
    """Return the environment for a Blender, without what points our own Python to its libraries."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}


def _usual_programs() -> Iterator[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        for base in (Path("/Applications"), home / "Applications"):
            yield from sorted(base.glob("Blender*.app/Contents/MacOS/Blender"), reverse=True)
        yield home / "Library/Application Support/Steam/steamapps/common/Blender/Blender.app/Contents/MacOS/Blender"
    elif sys.platform == "win32":
        bases = [Path(os.environ[name]) for name in ("ProgramFiles", "ProgramFiles(x86)") if name in os.environ]
        for base in bases:
            yield from sorted(base.glob("Blender Foundation/*/blender.exe"), reverse=True)
            yield base / "Steam/steamapps/common/Blender/blender.exe"
    else:
        yield Path("/snap/bin/blender")
        for base in (Path("/opt"), Path("/usr/local"), home, home / "opt", home / "Applications"):
            yield from sorted(base.glob("[bB]lender*/blender"), reverse=True)
        for steam in (".steam/steam", ".local/share/Steam"):
            yield home / steam / "steamapps/common/Blender/blender"


def _usual_settings() -> Iterator[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "Blender"
    elif sys.platform == "win32":
        yield Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "Blender Foundation" / "Blender"
        local = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")  # that of the Microsoft Store
        inside = "LocalCache/Roaming/Blender Foundation/Blender"
        yield from sorted(local.glob(f"Packages/BlenderFoundation.Blender*/{inside}"))
    else:
        named = os.environ.get("XDG_CONFIG_HOME", "")
        yield (Path(named) if os.path.isabs(named) else home / ".config") / "blender"
        yield home / ".var/app/org.blender.Blender/config/blender"  # that of Flatpak
