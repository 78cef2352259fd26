"""The built extension, installed as users do, by Blender's own means; each time in a Blender of its own process.

What is installed is what ``foleyspace blender build`` left, and what runs the command is a wheel in a fresh
environment outside of any checkout, with no ``bpy`` in reach.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "foleyspace_host" / "bridges" / "blender" / "assets"
HOST_PYTHON = ROOT / ".venv" / "bin" / "python"
NAME = "bl_ext.user_default.foleyspace"

pytestmark = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="bpy is not installed")

# says of an extension that is on: its folder, those of its libraries, and whether its parts are registered
LOOK = f"""
import importlib, json, addon_utils, bpy
import msgpack, zmq
from pathlib import Path
extension = importlib.import_module("{NAME}")
print("TOLD" + json.dumps({{
    "folder": extension.__path__[0],
    "libraries": [str(Path(module.__file__).parent) for module in (msgpack, zmq)],
    "zmq": list(zmq.zmq_version_info()),
    "on": addon_utils.check("{NAME}")[1],
    "operators": [name for name in dir(bpy.ops.foleyspace) if not name.startswith("_")],
    "strip": hasattr(getattr(bpy.types, "Strip", None) or bpy.types.Sequence, "foleyspace"),
    "version": list(bpy.app.version[:2]),
}}))
"""

# a program `blender` made of the module: the three ways in which the installer calls it
PROGRAM = """
import sys
import bpy
words = sys.argv[1:]
bpy.ops.wm.read_userpref()
if words == ["--version"]:
    print("Blender", bpy.app.version_string)
elif words[:2] == ["--command", "extension"]:
    from bl_pkg import cli_extension
    sys.exit(cli_extension(words[2:]))
elif words[:1] == ["--background"]:
    exec(words[words.index("--python-expr") + 1])
"""


@pytest.fixture(scope="session")
def archive() -> Path:
    found = sorted(ASSETS.glob("foleyspace-*-linux_x64.zip"))
    if not found or not sys.platform.startswith("linux"):
        pytest.skip("the extension is not built for this system: foleyspace blender build")
    return found[0]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What bpy's environment has, without the libraries that the extension brings."""
    folder = tmp_path_factory.mktemp("packages")
    spec = importlib.util.find_spec("bpy")
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parents[1].iterdir():
        if not path.name.startswith(("zmq", "pyzmq", "msgpack", "foleyspace")) and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def environment(tmp_path: Path, packages: Path) -> dict[str, str]:
    """A user who has nothing yet."""
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "TMPDIR")}
    return {**kept, "HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages)}


def in_blender(code: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run code in a Blender of its own process; returns what it told at its end."""
    strict = "import warnings\nwarnings.filterwarnings('error', category=DeprecationWarning, module='bl_ext')\n"
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", f"{strict}import bpy\n{code}\n{LOOK}"],
        env=environment,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TOLD")]
    assert lines, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    report: dict[str, Any] = json.loads(lines[-1].removeprefix("TOLD"))
    return report


def check(report: dict[str, Any], extensions: Path) -> None:
    assert Path(report["folder"]) == extensions / "user_default" / "foleyspace"
    assert report["on"]
    assert report["strip"]
    assert {"spatialize", "cancel"} <= set(report["operators"])
    for library in report["libraries"]:  # Blender has unpacked those that fit its Python
        assert Path(library).is_relative_to(extensions / ".local" / "lib")


def test_the_archives_hold_what_their_systems_need() -> None:
    archives = {path.stem.split("-")[-1]: path for path in ASSETS.glob("foleyspace-*.zip")}
    if not archives:
        pytest.skip("the extension is not built: foleyspace blender build")
    tags = {"linux_x64": "manylinux", "windows_x64": "win_amd64", "macos_arm64": "macosx", "macos_x64": "macosx"}
    assert set(archives) == set(tags)
    for system, path in archives.items():
        with zipfile.ZipFile(path) as opened:
            names = opened.namelist()
        wheels = [name for name in names if name.endswith(".whl")]
        assert all(tags[system] in name for name in wheels), wheels
        for library, pythons in {"msgpack": ("cp311", "cp313", "cp314"), "pyzmq": ("cp311", "cp312-abi3")}.items():
            for python in pythons:
                assert sum(f"/{library}-" in name and f"-{python}" in name for name in wheels) == 1, (library, python)
        assert {"LICENSE", "__init__.py", "client.py", "blender_manifest.toml"} <= set(names)
        assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_blender_installs_the_archive(archive: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    environment["BLENDER_USER_RESOURCES"] = str(tmp_path / "user")
    install = f"bpy.ops.extensions.package_install_files(filepath={str(archive)!r}, repo='user_default',"
    check(in_blender(f"{install} enable_on_install=True)", environment), tmp_path / "user" / "extensions")


@pytest.fixture(scope="session")
def fresh_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``foleyspace`` from a wheel in an environment that has no more than the command line needs."""
    if not HOST_PYTHON.is_file() or not list(ASSETS.glob("*.zip")):
        pytest.skip("needs the checkout's .venv and a built extension: make test-blender")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [str(HOST_PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (wheel,) = folder.glob("foleyspace_host-*.whl")
    click = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    (pinned,) = [line for line in click.splitlines() if line.lower().startswith("click==")]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    fresh = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*fresh, "--no-deps", wheel, pinned], check=True)
    return folder / "venv" / "bin" / "foleyspace"


def installed_with(program: Path, environment: dict[str, str], *words: str) -> dict[str, Any]:
    clean = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, "blender", "install", "--json", *words],
        env=clean,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert not Path(report["archive"]).is_relative_to(ROOT)
    return report


def test_an_installed_wheel_puts_it_into_the_user_s_folder(
    fresh_program: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    version = in_a_process("import bpy; print('VERSION', '.'.join(map(str, bpy.app.version[:2])))", environment)
    extensions = tmp_path / "home" / ".config" / "blender" / version / "extensions"
    extensions.parent.mkdir(parents=True)
    (told,) = installed_with(fresh_program, environment)["installed"]
    assert (told["blender"], told["program"], told["is_on"]) == (version, None, False)
    assert Path(told["folder"]) == extensions / "user_default" / "foleyspace"
    # and then the user switches it on
    check(in_blender(f"bpy.ops.preferences.addon_enable(module={NAME!r})", environment), extensions)


def test_an_installed_wheel_lets_a_blender_program_install_it(
    fresh_program: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    script, program = tmp_path / "blender.py", tmp_path / "blender"
    script.write_text(PROGRAM)
    program.write_text(
        f"#!/bin/sh\nexec env PYTHONPATH='{environment['PYTHONPATH']}' '{sys.executable}' -S -B '{script}' \"$@\"\n"
    )
    program.chmod(0o755)
    for _ in range(2):  # also over itself
        report = installed_with(fresh_program, environment, "--blender", str(program))
        (told,) = report["installed"]
        assert told["is_on"]
        assert Path(told["folder"]).is_relative_to(tmp_path / "home" / ".config" / "blender")
        assert (Path(told["folder"]) / "blender_manifest.toml").is_file()
    # it stays on in the next session
    check(in_blender("bpy.ops.wm.read_userpref()", environment), Path(told["folder"]).parents[1])


def in_a_process(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("VERSION"))
