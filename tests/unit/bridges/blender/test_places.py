"""Where Blender is, on each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from foleyspace_host.bridges.blender import places

SAYS_52 = "#!/bin/sh\necho 'Blender 5.2.2 LTS'\necho '\tbuild date: 2026-10-01'\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "BLENDER_USER_RESOURCES", "BLENDER_USER_EXTENSIONS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def program(path: Path, text: str = SAYS_52) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def made(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True)


def test_user_folders_of_linux(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    flatpak = home / ".var/app/org.blender.Blender/config/blender"
    config = home / ".config/blender"
    made(config / "4.1", config / "4.2", config / "4.10", config / "5.2", config / "notes", flatpak / "5.1")
    (config / "6.0").write_text("a file")
    found = places.user_folders()
    assert [folder.version for folder in found] == [(5, 2), (5, 1), (4, 10), (4, 2)]
    assert found[0].extensions == config / "5.2" / "extensions"
    assert found[1].extensions == flatpak / "5.1" / "extensions"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    made(home / "elsewhere/blender/4.5")
    assert [folder.version for folder in places.user_folders()] == [(5, 1), (4, 5)]


def test_user_folders_of_macos(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    made(home / "Library/Application Support/Blender/5.2")
    (found,) = places.user_folders()
    assert found.extensions == home / "Library/Application Support/Blender/5.2/extensions"


def test_user_folders_of_windows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(home / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "Local"))
    store = home / "Local/Packages/BlenderFoundation.Blender_abc/LocalCache/Roaming/Blender Foundation/Blender/5.1"
    made(home / "Roaming/Blender Foundation/Blender/4.5", store)
    assert [folder.extensions for folder in places.user_folders()] == [
        store / "extensions",
        home / "Roaming/Blender Foundation/Blender/4.5/extensions",
    ]


def test_blender_s_own_variables_come_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    made(home / ".config/blender/5.2")
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(home / "mine"))
    assert places.user_folders() == [places.UserFolder(None, home / "mine" / "extensions")]
    monkeypatch.setenv("BLENDER_USER_EXTENSIONS", str(home / "theirs"))
    assert places.user_folders() == [places.UserFolder(None, home / "theirs")]


@pytest.mark.skipif(os.name == "nt", reason="programs of this system are made here")
def test_programs_are_found_once_and_the_one_on_the_path_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    real = program(home / "blender-5.2.2-linux-x64" / "blender")
    other = program(home / "opt" / "blender-4.5" / "blender")
    (home / "bin").mkdir()
    (home / "bin" / "blender").symlink_to(real)
    made(home / "blender-projects")  # a folder without a program
    found = [path for path in places.programs() if path.is_relative_to(home)]
    assert found == [home / "bin" / "blender", other]
    monkeypatch.setattr(sys, "platform", "darwin")
    app = program(home / "Applications/Blender 5.2.app/Contents/MacOS/Blender")
    assert app in places.programs()


@pytest.mark.skipif(os.name == "nt", reason="programs of this system are made here")
@pytest.mark.parametrize(
    ("text", "version"),
    [
        (SAYS_52, (5, 2)),
        ("#!/bin/sh\necho Color management: using fallback mode\necho 'Blender 4.10.0'\n", (4, 10)),
        ("#!/bin/sh\necho 'Kitchen blender 5.2'\n", None),
        ("#!/bin/sh\nexit 1\n", None),
        ("no program at all", None),
    ],
)
def test_a_program_is_asked_for_its_version(home: Path, text: str, version: tuple[int, int] | None) -> None:
    assert places.version_of_program(program(home / "blender", text)) == version


def test_our_python_s_variables_are_not_blender_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "ours")
    monkeypatch.setenv("PYTHONHOME", "ours")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = places.clean_environment()
    assert "LANG" in environment
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(environment)
