"""Installing the extension: through Blender's own command, or by putting it where Blender looks for it.

Where a Blender program is found, that program installs it and switches it on: nothing knows better which folder its
preferences name. For a version of which there is only the user's folder (Flatpak, a program in an unusual place),
the extension is unpacked into it. Its wheels stay packed then: Blender unpacks those that fit its Python when the
extension is switched on, and removes them when it is switched off.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from foleyspace_host.bridges.blender.package import DIGESTED, EXTENSION, digest_of, version_of
from foleyspace_host.bridges.blender.places import (
    OLDEST,
    clean_environment,
    programs,
    user_folders,
    version_of_program,
)
from foleyspace_host.errors import InvalidInput, JobError, OutputUnwritable

__all__ = ["REPOSITORY", "Installed", "Target", "find_targets", "install"]

REPOSITORY = "user_default"
"""Blender's repository of extensions that were installed from files."""

_PATIENCE_S = 300.0
_MARK = "FOLEYSPACE "
# asks a Blender what has become of it; Blender's own command ends well even where it has installed nothing
_QUESTION = f"""
import hashlib, json, pathlib, addon_utils
import bl_ext.{REPOSITORY}.{EXTENSION} as extension
import msgpack, zmq
folder, digest = pathlib.Path(extension.__path__[0]), hashlib.blake2b()
paths = [path for path in folder.rglob("*") if path.suffix in {DIGESTED}]
for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
    digest.update(name.encode() + path.read_bytes())
is_on = addon_utils.check(extension.__name__)[1]
print("{_MARK}" + json.dumps([str(folder), bool(is_on), digest.hexdigest()]))
"""


class Target(NamedTuple):
    """A Blender to install into.

    Parameters
    ----------
    version : tuple of int or None
        Its major and minor version, where it is known.
    program : Path or None
        Its program, where there is one.
    extensions : Path or None
        The user's folder of extensions, where there is no program.
    """

    version: tuple[int, int] | None
    program: Path | None = None
    extensions: Path | None = None


class Installed(NamedTuple):
    """What was installed.

    Parameters
    ----------
    folder : Path
        Where the extension lies now.
    is_on : bool
        Whether Blender has switched it on; the user does it otherwise.
    """

    folder: Path
    is_on: bool


def find_targets(named: Sequence[Path] = ()) -> list[Target]:
    """Find the Blenders that can have extensions.

    Parameters
    ----------
    named : sequence of Path, optional
        Programs to install into; all that are found, and user folders of versions without a program, if empty.

    Returns
    -------
    list of Target
        Newest first, one for each version; empty if there is none.

    Raises
    ------
    InvalidInput
        If a named program is no Blender, or too old.
    """
    found: dict[tuple[int, int] | None, Target] = {}
    for program in named or programs():
        version = version_of_program(program)
        if version is not None and version >= OLDEST:
            # two programs of one version share the user's folder: once is enough
            found.setdefault(version, Target(version, program.absolute()))
        elif named:
            _refuse(program, version)
    if not named:
        for folder in user_folders():
            if folder.version is None and found:
                continue  # a variable names it, and the programs obey that
            if folder.version not in found:
                found[folder.version] = Target(folder.version, extensions=folder.extensions)
    return sorted(found.values(), key=lambda target: target.version or OLDEST, reverse=True)


def install(archive: Path, target: Target) -> Installed:
    """Install the extension into one Blender, in place of an older one.

    Parameters
    ----------
    archive : Path
        The extension, built for its system.
    target : Target
        See `find_targets`.

    Returns
    -------
    Installed

    Raises
    ------
    InvalidInput
        If the archive is not one of the extension.
    JobError
        If Blender could not install it, or cannot use it.
    OutputUnwritable
        If the folder cannot be written.
    """
    version_of(archive)
    if target.program is not None:
        return _let_blender_install(archive, target.program)
    if target.extensions is None:
        raise InvalidInput("a Blender to install into has a program or a folder")
    return Installed(_unpack(archive, target.extensions / REPOSITORY), is_on=False)


def _refuse(program: Path, version: tuple[int, int] | None) -> None:
    if version is None:
        raise InvalidInput("this is no Blender program", where=str(program), cure="name the file that starts Blender")
    raise InvalidInput(
        f"this is Blender {'.'.join(map(str, version))}",
        where=str(program),
        cure=f"the extension needs {'.'.join(map(str, OLDEST))} or newer",
    )


def _let_blender_install(archive: Path, program: Path) -> Installed:
    words = ["--command", "extension", "install-file", "--repo", REPOSITORY, "--enable", str(archive)]
    complaint = _complaint(_ask(program, words, archive))
    try:
        said = _ask(program, ["--background", "--python-exit-code", "3", "--python-expr", _QUESTION], archive)
    except JobError as error:
        raise _failed(program, archive, complaint) if complaint else error from None
    for line in said.splitlines():
        if line.startswith(_MARK):
            folder, is_on, digest = json.loads(line.removeprefix(_MARK))
            if digest != digest_of(archive):
                raise _failed(program, archive, complaint or "another version is there still")
            return Installed(Path(folder), is_on)
    raise _failed(program, archive, complaint or "it does not say where the extension is")


def _ask(program: Path, words: Sequence[str], archive: Path) -> str:
    """Run a Blender and return what it printed."""
    try:
        done = subprocess.run(  # noqa: S603
            [str(program), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE_S,
            env=clean_environment(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(program, archive, str(error)) from error
    if done.returncode:
        raise _failed(program, archive, _complaint(done.stdout) or f"it ended with code {done.returncode}")
    return done.stdout


def _complaint(said: str) -> str:
    """Return what Blender complained of last; empty if of nothing."""
    lines = [line.strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if "error" in line.lower()), "")


def _failed(program: Path, archive: Path, reason: str) -> JobError:
    return JobError(
        f"Blender could not install the extension ({reason})",
        where=str(program),
        cure=f"drag {archive} into its window",
    )


def _unpack(archive: Path, repository: Path) -> Path:
    """Unpack beside its place, and then take the place, so that there is never half of it."""
    place = repository / EXTENSION
    try:
        repository.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=repository, prefix=f".{EXTENSION}-") as scratch:
            fresh, old = Path(scratch, "new"), Path(scratch, "old")
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(fresh)
            if place.is_symlink():  # a developer's, to a checkout
                place.unlink()
            elif place.exists():
                place.replace(old)
            try:
                fresh.replace(place)
            except OSError:
                with contextlib.suppress(OSError):
                    old.replace(place)
                raise
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise OutputUnwritable(
            f"cannot write here ({reason})", where=str(repository), cure="close Blender, or look at the folder's rights"
        ) from error
    return place
