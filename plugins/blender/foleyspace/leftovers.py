"""Sounds that were made and that nothing plays any more: which they are, and how they are removed.

A list in the folder of results says which files were made there, for which blend file, and how they were then. Only
such files are ever removed, as long as they are as they were made, and only if nothing names them: neither the file
that is open, nor a blend file or backup in its folder and around the results. Names tell them apart wherever they lie,
for each has its job's number in it. What was in use since the file was opened may come back by undo, and is told apart.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import bpy

from . import bindings
from .strips import Refused

__all__ = ["LIST", "Leftover", "find", "look", "note", "remove", "restart"]

LIST = "foleyspace-made.jsonl"
"""Name of the list, a line of JSON for each job."""

_AT_ONCE = 1 << 22
_LONGEST_NAME = 1024  # bytes; longer than file systems allow

_in_use: set[str] = set()  # at some time since the file was opened: undo may bring it back


@dataclass(frozen=True)
class Leftover:
    """What one job made, and nothing plays any more.

    Parameters
    ----------
    paths : tuple of str
        Its files: the sound first.
    n_bytes : int
        Their length.
    undo : bool
        Whether undo may bring it back.
    """

    paths: tuple[str, ...]
    n_bytes: int
    undo: bool


def note(paths: Sequence[str]) -> None:
    """Put what a job made on the list of its folder, the sound first; a folder that cannot be written has no list."""
    _in_use.update(map(_name, paths))
    folder = os.path.dirname(paths[0])
    with contextlib.suppress(OSError):
        files = [(os.path.basename(path), *_state(path)) for path in paths if os.path.dirname(path) == folder]
        line = json.dumps({"files": files, "blend": _from(folder, bpy.data.filepath)}) + "\n"
        with open(os.path.join(folder, LIST), "a", encoding="utf-8") as file:
            file.write(line)


def look() -> None:
    """Remember what is in use now; from a timer, and whenever something is about to be left over."""
    _in_use.update(_used())


def restart() -> None:
    """Begin anew: another file was opened, and undo brings back nothing from before."""
    _in_use.clear()
    look()


def find() -> list[Leftover]:
    """Return what nothing plays any more.

    Raises
    ------
    Refused
        If the file is not on the disk, or a blend file that may name results cannot be read.
    """
    blend = bpy.data.filepath
    if not os.path.isfile(blend):
        raise Refused("Save the file first: results are removed only beside a file that says what it uses")
    look()
    used, found = _used(), []
    for folder in _folders():
        for entry in _entries(folder):
            made_for = os.path.join(os.path.realpath(folder), entry["blend"])
            # of another file that exists nothing is known: it may be open elsewhere, and not saved
            if not entry["blend"] or (os.path.exists(made_for) and not os.path.samefile(made_for, blend)):
                continue
            paths = _unchanged(folder, entry["files"])
            if paths and not any(_name(path) in used for path in paths):
                found.append(paths)
    named = _named({os.path.basename(path) for paths in found for path in paths}) if found else set()
    return [
        Leftover(tuple(paths), sum(map(os.path.getsize, paths)), any(_name(path) in _in_use for path in paths))
        for paths in found
        if not any(os.path.basename(path) in named for path in paths)
    ]


def remove(leftovers: Iterable[Leftover]) -> tuple[int, int]:
    """Remove files; return of how many jobs, and how many bytes. What another program holds open stays."""
    count = n_bytes = 0
    for leftover in leftovers:
        try:
            for path in leftover.paths:
                os.remove(path)
        except OSError:
            continue
        count, n_bytes = count + 1, n_bytes + leftover.n_bytes
    for folder in _folders():
        _shorten(folder)
    return count, n_bytes


def _shorten(folder: str) -> None:
    """Leave out of a list what is gone."""
    kept = [
        entry for entry in _entries(folder) if any(os.path.exists(os.path.join(folder, f[0])) for f in entry["files"])
    ]
    path = os.path.join(folder, LIST)
    with contextlib.suppress(OSError):
        if not os.path.exists(path):
            return
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in kept)
        os.replace(path + ".part", path)


def _folders() -> list[str]:
    """Return the folders of results of all scenes that have a list."""
    named = {scene.foleyspace.output_folder or "//foleyspace/" for scene in bpy.data.scenes}
    folders = {os.path.abspath(bpy.path.abspath(one)) for one in named if bpy.data.filepath or not one.startswith("//")}
    return sorted(folder for folder in folders if os.path.isfile(os.path.join(folder, LIST)))


def _entries(folder: str) -> list[dict[str, Any]]:
    """Return the lines of a list that can be understood."""
    found = []
    with contextlib.suppress(OSError), open(os.path.join(folder, LIST), encoding="utf-8", errors="replace") as file:
        for line in file:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                files = [(str(name), int(size), int(time_ns)) for name, size, time_ns in entry["files"]]
                if files and all(os.path.basename(name) == name for name, *_ in files):
                    found.append({"files": files, "blend": str(entry["blend"])})
    return found


def _unchanged(folder: str, files: list[tuple[str, int, int]]) -> list[str]:
    """Return the files of a job that are there; none if one of them is not as it was made."""
    paths = []
    for name, size, time_ns in files:
        path = os.path.join(folder, name)
        if os.path.islink(path):
            return []
        try:
            if _state(path) != (size, time_ns):
                return []
        except FileNotFoundError:
            continue
        except OSError:
            return []
        paths.append(path)
    return paths


def _used() -> set[str]:
    """Return names of what the open file uses: sounds, what movie strips show, and results that may be placed again."""
    found = {_name(sound.filepath) for sound in bpy.data.sounds if sound.users}
    for _, strip in bindings.all_strips():
        found |= {_name(strip.foleyspace.result_path), _name(getattr(strip, "filepath", ""))}
    return found


def _named(names: set[str]) -> set[str]:
    """Return which names of files stand in blend files, or their backups, after a folder's."""
    pattern = re.compile(rb"[/\\](" + b"|".join(re.escape(os.fsencode(name)) for name in sorted(names)) + rb")")
    found: set[str] = set()
    for path in _blends():
        try:
            with _opened(path) as file:
                before = b""
                while block := file.read(_AT_ONCE):
                    seen = before + block  # which may be short
                    found.update(os.fsdecode(name) for name in pattern.findall(seen))
                    before = seen[-_LONGEST_NAME:]
        except Exception as error:  # a damaged one, in whatever way
            raise Refused(f"{path} cannot be read, and may name results; nothing was removed") from error
    return found


def _blends() -> Iterator[str]:
    """Yield blend files and their backups in the file's folder, and in and around those of results."""
    around = {os.path.dirname(bpy.data.filepath)}
    for folder in _folders():
        around |= {folder, os.path.dirname(folder)}
    for folder in sorted(around):
        try:
            inside = sorted(os.listdir(folder))
        except OSError as error:
            raise Refused(f"{folder} cannot be read, and may hold blend files; nothing was removed") from error
        for name in inside:
            if re.search(r"\.blend\d*$", name, re.IGNORECASE) and os.path.isfile(os.path.join(folder, name)):
                yield os.path.join(folder, name)


def _opened(path: str) -> IO[bytes]:
    """Open a blend file, which may be compressed in either of Blender's ways."""
    with open(path, "rb") as file:
        magic = file.read(4)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if magic == b"\x28\xb5\x2f\xfd":
        import zstandard  # comes with Blender

        return zstandard.ZstdDecompressor().stream_reader(open(path, "rb"), read_across_frames=True, closefd=True)
    return open(path, "rb")


def _name(path: str) -> str:
    """Return the name of a file, the same for all ways to write its path."""
    return os.path.normcase(re.split(r"[/\\]", path)[-1])


def _state(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _from(folder: str, path: str) -> str:
    """Return a path as seen from a folder, where that can be, so that both may be moved together."""
    if not path:
        return ""
    try:
        return os.path.relpath(os.path.realpath(path), os.path.realpath(folder))
    except ValueError:  # on another drive
        return path
