"""The extension as it is carried: its source in a checkout, its archives in the package."""

from __future__ import annotations

import hashlib
import platform
import tomllib
import zipfile
from pathlib import Path

from foleyspace_host.errors import InvalidInput, NotFound

__all__ = [
    "ASSETS",
    "DIGESTED",
    "EXTENSION",
    "MANIFEST",
    "PLATFORMS",
    "archive_for",
    "digest_of",
    "is_current",
    "source_folder",
    "source_version",
    "this_platform",
    "version_of",
]

EXTENSION = "foleyspace"
MANIFEST = "blender_manifest.toml"
PLATFORMS = ("linux-x64", "windows-x64", "macos-arm64", "macos-x64")
"""Systems that an archive is built for, as Blender calls them."""

ASSETS = Path(__file__).resolve().parent / "assets"
"""Where the archives lie; outside of a wheel they are there after ``foleyspace blender build``."""

DIGESTED = (".py", ".toml")
"""Suffixes of the files that `digest_of` looks at."""

_SYSTEMS = {"darwin": "macos"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


def this_platform() -> str:
    """Return what Blender calls the system that this runs on, such as ``linux-x64``."""
    system, machine = platform.system().lower(), platform.machine().lower()
    return f"{_SYSTEMS.get(system, system)}-{_MACHINES.get(machine, machine)}"


def source_folder() -> Path | None:
    """Return the folder of the extension's source in this checkout; None where there is no checkout."""
    folder = Path(__file__).resolve().parents[3] / "plugins" / "blender" / EXTENSION
    return folder if (folder / MANIFEST).is_file() else None


def source_version(source: Path) -> str:
    """Return the version that the manifest in a source folder states.

    Raises
    ------
    InvalidInput
        If there is no manifest, or none that can be read.
    """
    manifest = source / MANIFEST
    try:
        return _version(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InvalidInput(
            f"this is no extension's manifest ({error})", where=str(manifest), cure="name the folder of its source"
        ) from error


def version_of(archive: Path) -> str:
    """Return the version of the extension in an archive.

    Raises
    ------
    InvalidInput
        If it is no archive of an extension, or of another one.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            text = opened.read(MANIFEST).decode("utf-8")
        if tomllib.loads(text)["id"] == EXTENSION:
            return _version(text)
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError, zipfile.BadZipFile) as error:
        raise InvalidInput(
            f"this is no archive of a Blender extension ({error})", where=str(archive), cure="build it again"
        ) from error
    raise InvalidInput("this is the archive of another extension", where=str(archive), cure="build it again")


def digest_of(archive: Path) -> str:
    """Return the digest of an archive's program files with their names, by which an installed one is known again."""
    digest = hashlib.blake2b()
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(name for name in opened.namelist() if name.endswith(DIGESTED)):
            digest.update(name.encode() + opened.read(name))
    return digest.hexdigest()


def archive_for(system: str, folder: Path = ASSETS) -> Path:
    """Return the built archive for a system.

    Parameters
    ----------
    system : str
        One of `PLATFORMS`.
    folder : Path, optional
        Where archives lie; those of the package if not given.

    Returns
    -------
    Path

    Raises
    ------
    InvalidInput
        If there is none for this kind of system.
    NotFound
        If it has not been built, or was built from another source than this checkout's.
    """
    if system not in PLATFORMS:
        raise InvalidInput(
            f"the extension is not built for {system}", cure=f"name one of {', '.join(PLATFORMS)} as --platform"
        )
    source = source_folder() if folder == ASSETS else None
    cure = "build it: foleyspace blender build" if source else "install a wheel of FoleySpace, which carries it"
    found = sorted(folder.glob(f"{EXTENSION}-*-{system.replace('-', '_')}.zip"))
    if not found:
        raise NotFound(f"the extension for {system} is not here", where=str(folder), cure=cure)
    if len(found) > 1:
        raise NotFound(f"there are several archives for {system}", where=str(folder), cure="remove the old ones")
    if source is not None and not is_current(found[0], source):
        raise NotFound("the archive is older than the extension's source", where=str(found[0]), cure=cure)
    return found[0]


def is_current(archive: Path, source: Path) -> bool:
    """Tell whether an archive holds just what a source folder holds.

    The manifest is not compared beyond its version, because building adds to it; nor are the wheels.
    """
    if version_of(archive) != source_version(source):
        return False
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not name.endswith(("/", ".whl")) and name != MANIFEST]
        carried = {name: opened.read(name) for name in names}
    return carried == {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and path.name != MANIFEST and not is_left_out(path.relative_to(source))
    }


def is_left_out(path: Path) -> bool:
    """Tell whether a path of the source, relative to its folder, is no part of the extension."""
    return path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in path.parts)


def _version(manifest: str) -> str:
    return str(tomllib.loads(manifest)["version"])
