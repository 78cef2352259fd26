"""``foleyspace blender``: what it says and with which code it ends."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from foleyspace_host.bridges.blender import build as building
from foleyspace_host.bridges.blender import install as installing
from foleyspace_host.bridges.blender import package
from foleyspace_host.bridges.blender.install import Target
from foleyspace_host.cli import main
from foleyspace_host.errors import NotFound


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "foleyspace-1.2.3-linux_x64.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(package.MANIFEST, 'id = "foleyspace"\nversion = "1.2.3"\n')
    monkeypatch.setattr(package, "archive_for", lambda _system: path)
    return path


def into(monkeypatch: pytest.MonkeyPatch, *targets: Target) -> None:
    monkeypatch.setattr(installing, "find_targets", lambda _named=(): list(targets))


def test_it_says_where_it_is_and_what_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    into(monkeypatch, Target((5, 2), extensions=tmp_path / "a"), Target(None, extensions=tmp_path / "b"))
    assert main(["blender", "install"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    place = tmp_path / "a" / "user_default" / "foleyspace"
    assert first == f"Blender 5.2: FoleySpace 1.2.3 is in {place}; switch it on in Edit > Preferences > Add-ons"
    assert second.startswith("Blender: FoleySpace 1.2.3 is in ")
    assert (place / package.MANIFEST).is_file()


def test_json_tells_the_same(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    into(monkeypatch, Target((4, 5), extensions=tmp_path / "a"))
    assert main(["blender", "install", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "version": "1.2.3",
        "archive": str(archive),
        "installed": [
            {
                "blender": "4.5",
                "program": None,
                "folder": str(tmp_path / "a" / "user_default" / "foleyspace"),
                "is_on": False,
            }
        ],
    }


def test_one_of_two_that_fails_is_told_and_the_other_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    into(monkeypatch, Target((5, 2), extensions=tmp_path / "file"), Target((4, 5), extensions=tmp_path / "b"))
    assert main(["blender", "install"]) == 1
    failed, done = capsys.readouterr().out.splitlines()
    assert failed.startswith(f"Blender 5.2: {tmp_path / 'file'}")
    assert done.startswith("Blender 4.5: FoleySpace 1.2.3 is in")
    assert main(["blender", "install", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["installed"]
    assert ["error" in one for one in told] == [True, False]


def test_when_all_fail_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    into(monkeypatch, Target((5, 2), extensions=tmp_path / "file"))
    assert main(["blender", "install", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["code"] == "output_unwritable"
    assert printed.err.count("\n") == 1


def test_without_a_blender_it_says_what_to_do(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    into(monkeypatch)
    assert main(["blender", "install"]) == 1
    assert capsys.readouterr().err == (
        "foleyspace: error: no Blender 4.2 or newer was found; name its program with --blender, or drag "
        f"{archive} into its window\n"
    )


def test_build_without_a_builder_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building.importlib.util, "find_spec", lambda _name: None)
    assert main(["blender", "build"]) == 1
    assert "the package bpy is not installed; install it (pip install" in capsys.readouterr().err
    assert main(["blender", "build", "--bpy", str(tmp_path)]) == 1
    assert f"{tmp_path}: Blender's builder of extensions is not here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place",
    ["5.0", "bpy/5.0", "lib/python3.11/site-packages/bpy/5.0", "Contents/Resources/5.0", "", "blender-5.0-linux/5.0"],
)
def test_the_builder_is_found_in_all_that_have_one(tmp_path: Path, place: str) -> None:
    script = tmp_path / place / "scripts/addons_core/bl_pkg/cli/blender_ext.py"
    script.parent.mkdir(parents=True)
    script.write_text("")
    if place.startswith("blender-"):
        with pytest.raises(NotFound):  # a folder of Blenders is not a Blender
            building.find_builder(tmp_path)
    else:
        assert building.find_builder(tmp_path).script == script


def test_a_builder_that_refuses_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "5.0/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    script.parent.mkdir(parents=True)
    script.write_text("import sys; print('FATAL_ERROR: id is wrong', file=sys.stderr); sys.exit(1)")
    monkeypatch.setattr(building, "_fetch_wheels", lambda _lock, folder: folder.mkdir() or iter(()))
    assert main(["blender", "build", "--bpy", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "Blender's builder refuses the extension (FATAL_ERROR: id is wrong)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="a program of this system is made here")
def test_wheels_that_cannot_be_fetched_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "5.0/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    script.parent.mkdir(parents=True)
    script.write_text("")
    pip = tmp_path / "python"
    pip.write_text(f"#!{sys.executable}\nimport sys; sys.exit('ERROR: no matching distribution')")
    pip.chmod(0o755)
    monkeypatch.setattr(building.sys, "executable", str(pip))
    assert main(["blender", "build", "--bpy", str(tmp_path), "-o", str(tmp_path / "out"), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "not_found"
    assert error["message"].startswith("the wheels for linux-x64 and Python 3.11 could not be fetched (ERROR: no")
