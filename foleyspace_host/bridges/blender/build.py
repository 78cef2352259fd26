"""Building the extension with Blender's own builder, which is a script that needs no Blender.

The builder comes with each Blender and with the package ``bpy``. What it builds from is a copy of the source with
the wheels of the libraries that the extension needs, for each system and each Python that Blender has.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

from foleyspace_host.bridges.blender.package import (
    ASSETS,
    EXTENSION,
    MANIFEST,
    PLATFORMS,
    is_left_out,
    source_folder,
    source_version,
)
from foleyspace_host.errors import InvalidInput, NotFound, OutputUnwritable

__all__ = ["Builder", "build", "find_builder"]

# 4.2 to 5.0 have 3.11; 5.1 and 5.2 have 3.13; Debian builds Blender with the Python that it has
_PYTHONS = ("3.11", "3.13", "3.14")
# of wheels, what pip may take for a system: the oldest that a Blender of that system runs on
_TAGS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_11_0_universal2", "macosx_10_15_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_15_universal2"),
}
_BUILDER = Path("scripts", "addons_core", "bl_pkg", "cli", "blender_ext.py")
_PATIENCE_S = 600.0


class Builder(NamedTuple):
    """Blender's builder of extensions.

    Parameters
    ----------
    script : Path
        Its script.
    """

    script: Path

    def run(self, *words: str) -> str:
        """Run it and return what it says; raises InvalidInput with its last words if it refuses."""
        # no bytecode beside it: the folder is another program's
        done = _run([sys.executable, "-B", str(self.script), *words])
        if done.returncode:
            raise InvalidInput(f"Blender's builder refuses the extension ({_last_words(done)})", where=str(self.script))
        return done.stdout


def find_builder(folder: Path | None = None) -> Builder:
    """Find Blender's builder of extensions.

    Parameters
    ----------
    folder : Path, optional
        A folder of the package ``bpy``, one that it is installed in, or that of a Blender; the installed
        package ``bpy`` if not given. It is not imported.

    Returns
    -------
    Builder

    Raises
    ------
    NotFound
        If there is none.
    """
    cure = 'install it (pip install "bpy>=4.2"), or name a folder of bpy or of a Blender with --bpy'
    if folder is None:
        spec = importlib.util.find_spec("bpy")
        if spec is None or spec.origin is None:
            raise NotFound("building needs Blender's builder, and the package bpy is not installed", cure=cure)
        folder = Path(spec.origin).parent
    found = sorted(
        script
        for pattern in (
            "",
            "*",
            "bpy/*",
            "lib/python3.*/site-packages/bpy/*",
            "Lib/site-packages/bpy/*",
            "Contents/Resources/*",
        )
        for script in folder.glob(str(Path(pattern) / _BUILDER))
    )
    if not found:
        raise NotFound("Blender's builder of extensions is not here", where=str(folder), cure=cure)
    return Builder(found[-1])


def build(
    builder: Builder,
    *,
    source: Path | None = None,
    output: Path = ASSETS,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Build the extension for all systems and validate what was built.

    Parameters
    ----------
    builder : Builder
        See `find_builder`.
    source : Path, optional
        Folder of the extension's source; that of the checkout if not given.
    output : Path, optional
        Where the archives go, in place of older ones; that of the package if not given.
    on_progress : callable, optional
        Called with (stage, done, total); stages are wheels and build.

    Returns
    -------
    list of Path
        The archives, one for each of `PLATFORMS`.

    Raises
    ------
    NotFound
        If there is no source, or the wheels could not be fetched.
    InvalidInput
        If Blender's builder refuses the source.
    OutputUnwritable
        If the archives cannot be written.
    """
    source = source or source_folder()
    if source is None:
        raise NotFound(
            "there is no checkout of FoleySpace here, and an installed package carries the extension ready-made",
            cure="install that (foleyspace blender install), or name the source with --source",
        )
    version = source_version(source)
    tell = on_progress or (lambda _stage, _done, _total: None)
    with tempfile.TemporaryDirectory(prefix="foleyspace-blender-") as scratch:
        staged, made = Path(scratch, EXTENSION), Path(scratch, "made")
        _copy(source, staged)
        for done, total in _fetch_wheels(_locked(source), staged / "wheels"):
            tell("wheels", done, total)
        _complete(staged)
        made.mkdir()
        builder.run("build", "--source-dir", str(staged), "--output-dir", str(made), "--split-platforms")
        archives = [made / f"{EXTENSION}-{version}-{system.replace('-', '_')}.zip" for system in PLATFORMS]
        for done, archive in enumerate(archives, 1):
            builder.run("validate", str(archive))
            tell("build", done, len(archives))
        return _keep(archives, output)


def _copy(source: Path, staged: Path) -> None:
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and not is_left_out(inside):
            (staged / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, staged / inside)


def _locked(source: Path) -> Path:
    """Return the file that pins the wheels, which lies in the checkout that the source is of."""
    for folder in source.resolve().parents:
        if (lock := folder / "requirements" / "blender-wheels.txt").is_file():
            return lock
    raise NotFound("no requirements/blender-wheels.txt beside the source", where=str(source), cure="use a checkout")


def _fetch_wheels(lock: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Fetch the wheels of all systems and Pythons, each as the lock pins it; yield (done, total) after each step."""
    folder.mkdir()
    steps = list(product(PLATFORMS, _PYTHONS))
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # pip takes most of its time to start
        try:
            for done, _ in enumerate(threads.map(lambda step: _fetch(lock, folder, *step), steps), 1):
                yield done, len(steps)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _fetch(lock: Path, folder: Path, system: str, python: str) -> None:
    """Fetch the wheels of one system and Python, in a folder of their own first: others have the same names."""
    words = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--python-version", python]
    for tag in _TAGS[system]:
        words += ["--platform", tag]
    with tempfile.TemporaryDirectory(dir=folder.parent) as own:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        ran = _run([*pip, *words, "-r", str(lock), "-d", own])
        if ran.returncode:
            raise NotFound(
                f"the wheels for {system} and Python {python} could not be fetched ({_last_words(ran)})",
                cure="see that pip reaches its index",
            )
        for wheel in Path(own).iterdir():
            wheel.replace(folder / wheel.name)


def _complete(staged: Path) -> None:
    """Tell the manifest which systems and wheels there are."""
    manifest = staged / MANIFEST
    head, table, rest = manifest.read_text(encoding="utf-8").partition("\n[")
    wheels = sorted(f"./wheels/{path.name}" for path in (staged / "wheels").iterdir())
    # what JSON says of lists of words, TOML understands
    lines = [f"platforms = {json.dumps(PLATFORMS)}", f"wheels = {json.dumps(wheels, indent=2)}"]
    manifest.write_text("\n".join([head.rstrip(), *lines, table + rest]), encoding="utf-8", newline="\n")


def _keep(archives: list[Path], output: Path) -> list[Path]:
    """Put the archives into a folder, in place of those that are there."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        fresh = []
        for archive in archives:
            fresh.append(output / f".{archive.name}.{os.getpid()}")
            shutil.copyfile(archive, fresh[-1])
        for old in output.glob(f"{EXTENSION}-*.zip"):
            old.unlink()
        return [new.replace(output / archive.name) for new, archive in zip(fresh, archives, strict=True)]
    except OSError as error:
        raise OutputUnwritable(
            f"cannot write here ({error.strerror})", where=str(output), cure="choose another folder"
        ) from error


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)  # noqa: S603


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [f"code {done.returncode}"])[-1]
