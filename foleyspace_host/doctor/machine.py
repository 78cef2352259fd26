"""Folders, settings and space."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foleyspace_host.config import HOME_VARIABLE, Folders, load_config
from foleyspace_host.doctor.verdict import Level, Verdict
from foleyspace_host.errors import InvalidInput

__all__ = ["check_disk", "check_folders", "check_settings"]

_TIGHT_GB, _FULL_GB = 5.0, 0.5


def check_settings(profile: str) -> Iterator[Verdict]:
    """Check the settings' file."""
    path = Folders(profile).config / "config.toml"
    try:
        config = load_config(profile)
    except InvalidInput as error:
        yield Verdict("settings", "red", f"{error.where}: {error.problem}", error.cure)
        return
    source = str(path) if path.exists() else "the defaults"
    workers = "1 worker" if config.workers == 1 else f"{config.workers} workers"
    yield Verdict("settings", "green", f"{source}: {workers}, device {config.device}")
    for root in config.roots or ():
        if not root.is_dir():
            yield Verdict("settings", "yellow", f"the root {root} is no folder", f"make it, or remove it from {path}")


def check_folders(profile: str) -> Iterator[Verdict]:
    """Check that the folders can be written, and that what must be private is."""
    folders = Folders(profile)
    bad = False
    for path, private in ((folders.state, True), (folders.data, True), (folders.cache, False)):
        parent = _nearest(path)
        if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
            bad = True
            cure = f"make {parent} writable, or name another place with {HOME_VARIABLE}"
            yield Verdict("folders", "red", f"{path} cannot be written", cure)
        elif private and path.exists() and _open_to_others(path):
            bad = True
            yield Verdict("folders", "red", f"{path} belongs to, or can be changed by, others", f"chmod 700 {path}")
    if not bad:
        yield Verdict("folders", "green", f"{folders.state}, {folders.data}, {folders.cache}")


def check_disk(profile: str) -> Iterator[Verdict]:
    """Check the space where results, finished stages and temporary files go."""
    folders = Folders(profile)
    seen = set()
    for what, path in (("jobs", folders.data), ("cache", folders.cache), ("temp", Path(tempfile.gettempdir()))):
        place = _nearest(path)
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free_gb = shutil.disk_usage(place).free / 1e9
        level: Level = "red" if free_gb < _FULL_GB else "yellow" if free_gb < _TIGHT_GB else "green"
        cure = None if level == "green" else "make room; `foleyspace cache clear` frees some"
        yield Verdict("disk space", level, f"{free_gb:.1f} GB free for {what} ({place})", cure)


def _nearest(path: Path) -> Path:
    """Return the first of path and its parents that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _open_to_others(path: Path) -> bool:
    if sys.platform == "win32":
        return False
    found = path.lstat()
    return found.st_uid != os.geteuid() or bool(found.st_mode & 0o022)
