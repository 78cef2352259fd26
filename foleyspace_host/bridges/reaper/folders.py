"""Where things are: REAPER's resource folder, the scripts that ship with this package, and the bridge's program."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from foleyspace_host.errors import InvalidInput, ModelUnavailable

__all__ = ["bridge_program", "check_resources", "resource_folders", "shipped"]

_HERE = Path(__file__).resolve().parent


def resource_folders() -> list[Path]:
    """Return the folders in which REAPER keeps settings and scripts of this user; empty if it never ran here.

    A portable REAPER keeps them beside its program, where nobody can find them who is not told.
    """
    return [folder for folder in _usual() if (folder / "reaper.ini").is_file()]


def check_resources(folder: Path) -> Path:
    """Return a resource folder that the user named, with its whole path.

    Parameters
    ----------
    folder : Path
        The folder; of a portable REAPER it is that of the program.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    whole = Path(os.path.abspath(folder.expanduser()))
    marks = ("reaper.ini", "reaper.exe", "reaper", "REAPER.app")
    if not whole.is_dir() or not any((whole / mark).exists() for mark in marks):
        raise InvalidInput(
            "this is no resource folder of REAPER",
            where=str(folder),
            cure="REAPER opens it with Options > Show REAPER resource path in explorer/finder",
        )
    return whole


def shipped() -> Path:
    """Return the folder of the scripts: in the installed package, or in the checkout.

    Raises
    ------
    ModelUnavailable
        If they are not there.
    """
    for folder in (_HERE / "assets", _HERE.parents[2] / "plugins" / "reaper"):
        if any(folder.glob("*.lua")):
            return folder
    raise ModelUnavailable("the scripts for REAPER are missing in this installation", cure="install FoleySpace again")


def bridge_program() -> Path:
    """Return the whole path of the program that the scripts start.

    Raises
    ------
    ModelUnavailable
        If it is not there.
    """
    name = "foleyspace-reaper-bridge" + (".exe" if sys.platform == "win32" else "")
    user = sysconfig.get_preferred_scheme("user")
    folders = [
        Path(sys.argv[0]).absolute().parent,  # beside the command that is running
        Path(sys.executable).absolute().parent,
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", user)),
    ]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    if found := shutil.which(name):
        return Path(found).absolute()
    raise ModelUnavailable(f"the program {name} is missing", where=str(folders[1]), cure="install FoleySpace again")


def _usual() -> list[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support" / "REAPER"]
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "REAPER"]
    named = os.environ.get("XDG_CONFIG_HOME", "")
    bases = [Path(named)] if os.path.isabs(named) else []
    return [base / "REAPER" for base in dict.fromkeys([*bases, home / ".config"])]
