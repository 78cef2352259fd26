"""The programs that FoleySpace works in: where they are on this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from foleyspace_host import __version__
from foleyspace_host.bridges.blender.places import installed_extensions
from foleyspace_host.bridges.reaper.folders import resource_folders
from foleyspace_host.bridges.reaper.install import installed_version
from foleyspace_host.doctor.verdict import Verdict

__all__ = ["check_blender", "check_reaper"]

_OLDEST_BLENDER = (4, 2)  # the first with extensions


def check_reaper(_profile: str) -> Iterator[Verdict]:
    """Look for REAPER, its resource folder and our actions in it."""
    programs = _programs("reaper", "REAPER", ("/opt/REAPER/reaper", "~/opt/REAPER/reaper"))
    resources = resource_folders()
    if not programs and not resources:
        yield Verdict("REAPER", "green", "not found; needed only to work in it")
        return
    found = ", ".join(map(str, (*programs, *resources)))
    versions = {installed_version(folder) for folder in resources}
    cure = "to work in it: foleyspace reaper install"
    if old := versions - {None, __version__}:
        yield Verdict("REAPER", "yellow", f"{found}; its actions are of version {', '.join(map(str, old))}", cure)
    elif __version__ in versions:
        yield Verdict("REAPER", "green", f"{found}; with our actions")
    else:
        yield Verdict("REAPER", "green", found, cure)


def check_blender(_profile: str) -> Iterator[Verdict]:
    """Look for Blender, whether it is new enough for extensions, and for ours; Blender itself is not started."""
    programs = _programs("blender", "Blender", ("/snap/bin/blender", "/opt/blender/blender"))
    versions = sorted(
        tuple(map(int, path.name.split(".")))
        for base in (*_settings("blender"), *_settings("Blender"), *_settings("Blender Foundation/Blender"))
        if base.is_dir()
        for path in base.iterdir()
        if re.fullmatch(r"\d+\.\d+", path.name)
    )
    found = [str(path) for path in programs]
    if versions:
        found.append(f"used in version {'.'.join(map(str, versions[-1]))}")
    if versions and versions[-1] < _OLDEST_BLENDER:
        yield Verdict("Blender", "yellow", ", ".join(found), "the extension needs Blender 4.2 or newer")
        return
    extensions = installed_extensions()
    if not found and not extensions:
        yield Verdict("Blender", "green", "not found; needed only to work in it")
        return
    cure = "to work in it: foleyspace blender install"
    if not extensions:
        yield Verdict("Blender", "green", ", ".join([*found, "without our extension"]), cure)
        return
    found += [
        f"extension {one.version or 'of no version'}"
        + (f" for {'.'.join(map(str, one.blender))}" if one.blender else "")
        + f" in {one.folder}"
        for one in extensions
    ]
    others = [one for one in extensions if one.version != __version__]
    yield Verdict("Blender", "yellow" if others else "green", ", ".join(found), cure if others else None)


def _programs(command: str, name: str, usual: tuple[str, ...]) -> list[Path]:
    places = [Path(place).expanduser() for place in usual]
    if sys.platform == "darwin":
        places = [Path(f"/Applications/{name}.app"), Path.home() / "Applications" / f"{name}.app"]
    elif sys.platform == "win32":
        program_files = [Path(os.environ[key]) for key in ("ProgramFiles", "ProgramFiles(x86)") if key in os.environ]
        patterns = (f"{name}*/{command}.exe", f"{name} Foundation/*/{command}.exe")
        places = [path for base in program_files for pattern in patterns for path in base.glob(pattern)]
    on_path = shutil.which(command)
    found = ([Path(on_path)] if on_path else []) + [path for path in places if path.exists()]
    return list(dict.fromkeys(found))


def _settings(name: str) -> list[Path]:
    """Return where a program of this name keeps what the user sets."""
    if sys.platform == "darwin":
        return [Path.home() / "Library" / "Application Support" / name]
    if sys.platform == "win32":
        return [Path(os.environ["APPDATA"]) / name] if "APPDATA" in os.environ else []
    return [Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / name]
