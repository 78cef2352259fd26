"""Installing: what goes where, what is left alone, and that nothing stays behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from foleyspace_host import __version__
from foleyspace_host.bridges.reaper import folders
from foleyspace_host.bridges.reaper import install as module
from foleyspace_host.bridges.reaper.folders import bridge_program, check_resources, resource_folders, shipped
from foleyspace_host.bridges.reaper.install import install, installed_version, uninstall
from foleyspace_host.cli import main
from foleyspace_host.errors import FoleySpaceError, InvalidInput, ModelUnavailable, OutputUnwritable


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """A resource folder with what other people have put there."""
    folder = tmp_path / "Réglages de l'utilisateur" / "REAPER"
    (folder / "Scripts" / "Others").mkdir(parents=True)
    (folder / "Effects").mkdir()
    (folder / "reaper.ini").write_text("[REAPER]\n")
    (folder / "Scripts" / "Others" / "theirs.lua").write_text("-- theirs")
    return folder


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scripts and a bridge that stand for those that ship."""
    folder = tmp_path / "shipped"
    (folder / "lib").mkdir(parents=True)
    (folder / "effects").mkdir()
    (folder / "README.md").write_text("not for users")
    (folder / "FoleySpace_Do this.lua").write_text("-- entry")
    (folder / "FoleySpace_Do that.lua").write_text("-- entry")
    (folder / "lib" / "job.lua").write_text("-- part")
    (folder / "effects" / "FoleySpace Position.jsfx").write_text("desc:FoleySpace Position")
    bridge = tmp_path / 'bin "x" \\y' / "foleyspace-reaper-bridge"
    bridge.parent.mkdir()
    bridge.write_text("")
    monkeypatch.setattr(module, "shipped", lambda: folder)
    monkeypatch.setattr(module, "bridge_program", lambda: bridge)
    return folder


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_everything_goes_where_reaper_looks_for_it(resources: Path, tmp_path: Path) -> None:
    before = files(resources)
    made = install(resources)
    assert files(resources) - before == {
        "Scripts/FoleySpace/FoleySpace_Do this.lua",
        "Scripts/FoleySpace/FoleySpace_Do that.lua",
        "Scripts/FoleySpace/lib/job.lua",
        "Effects/FoleySpace/FoleySpace Position.jsfx",
        "Data/FoleySpace/foleyspace_paths.lua",
        "Data/FoleySpace/installed.json",
    }
    assert made.actions == ("FoleySpace_Do that.lua", "FoleySpace_Do this.lua")
    assert installed_version(resources) == __version__


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names there")
def test_lua_reads_the_path_of_the_bridge_whatever_is_in_it(resources: Path) -> None:
    lupa = pytest.importorskip("lupa.lua54")
    made = install(resources)
    lua = lupa.LuaRuntime(encoding="utf-8")
    told = lua.execute((resources / "Data" / "FoleySpace" / "foleyspace_paths.lua").read_text(encoding="utf-8"))
    assert told["bridge"] == str(made.bridge)
    assert told["version"] == __version__


def test_an_update_replaces_and_removes_what_is_no_more(resources: Path, scripts: Path) -> None:
    install(resources)
    (scripts / "FoleySpace_Do that.lua").unlink()
    (scripts / "lib" / "job.lua").write_text("-- better")
    install(resources)
    assert not (resources / "Scripts/FoleySpace/FoleySpace_Do that.lua").exists()
    assert (resources / "Scripts/FoleySpace/lib/job.lua").read_text() == "-- better"


def test_uninstalling_leaves_what_was_there_before_and_what_others_put_there(resources: Path) -> None:
    before = files(resources)
    install(resources)
    (resources / "Scripts" / "FoleySpace" / "mine.lua").write_text("-- mine")
    (resources / "Data" / "FoleySpace" / "jobs" / "1").mkdir(parents=True)
    assert uninstall(resources) == 5
    assert files(resources) == before | {"Scripts/FoleySpace/mine.lua"}
    assert not (resources / "Effects" / "FoleySpace").exists()
    assert not (resources / "Data" / "FoleySpace").exists()
    assert uninstall(resources) == 0


def test_a_list_that_somebody_changed_removes_nothing_of_others(resources: Path) -> None:
    install(resources)
    wanted = ["reaper.ini", "Scripts/Others/theirs.lua", "../../precious", "Scripts/FoleySpace/../Others/theirs.lua"]
    (resources.parent.parent / "precious").write_text("x")
    (resources / "Data" / "FoleySpace" / "installed.json").write_text(json.dumps({"version": "1", "files": wanted}))
    uninstall(resources)
    assert (resources / "reaper.ini").exists()
    assert (resources / "Scripts" / "Others" / "theirs.lua").exists()
    assert (resources.parent.parent / "precious").exists()


def test_a_portable_reaper_is_named_by_its_folder(tmp_path: Path, resources: Path) -> None:
    portable = tmp_path / "stick" / "REAPER"
    portable.mkdir(parents=True)
    with pytest.raises(InvalidInput, match="Show REAPER resource path"):
        check_resources(portable)
    (portable / "reaper.exe").write_text("")
    assert check_resources(portable) == portable
    assert check_resources(resources) == resources


@pytest.mark.parametrize(
    ("platform", "variable", "inside"),
    [
        ("linux", "HOME", ".config/REAPER"),
        ("linux", "XDG_CONFIG_HOME", "REAPER"),
        ("darwin", "HOME", "Library/Application Support/REAPER"),
        ("win32", "APPDATA", "REAPER"),
    ],
)
def test_the_folder_is_found_on_each_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, inside: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(folders.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path / "base"))
    assert resource_folders() == []
    (tmp_path / "base" / inside).mkdir(parents=True)
    assert resource_folders() == []  # it never ran
    (tmp_path / "base" / inside / "reaper.ini").write_text("")
    assert resource_folders() == [tmp_path / "base" / inside]


def test_the_command_says_what_to_do_next(resources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reaper", "install", "--resource-path", str(resources)]) == 0
    told = capsys.readouterr().out
    assert "Load ReaScript" in told
    assert str(resources / "Scripts" / "FoleySpace") in told
    assert "(2 of them)" in told
    assert main(["reaper", "uninstall", "--resource-path", str(resources), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == {str(resources): 5}


def test_without_reaper_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folders, "resource_folders", list)
    assert main(["reaper", "install"]) == 1
    assert "--resource-path" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names there")
def test_a_program_that_reaper_could_not_start_is_refused(
    resources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "bridge_program", lambda: tmp_path / "a'b\"c`d" / "bridge")
    with pytest.raises(InvalidInput, match="elsewhere"):
        install(resources)
    assert installed_version(resources) is None


def test_a_folder_that_cannot_be_written_is_told(resources: Path) -> None:
    (resources / "Scripts" / "FoleySpace").write_text("a file where the folder should be")
    with pytest.raises(OutputUnwritable):
        install(resources)


def test_the_shipped_scripts_and_the_bridge_are_found() -> None:
    assert {path.name for path in shipped().glob("*.lua")} >= {"FoleySpace_Spatialize selected items.lua"}
    assert bridge_program().is_file()


def test_scripts_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folders, "_HERE", tmp_path / "a" / "b" / "c")
    with pytest.raises(ModelUnavailable):
        shipped()
    monkeypatch.setattr(folders.sys, "argv", [str(tmp_path / "x")])
    monkeypatch.setattr(folders.sys, "executable", str(tmp_path / "y"))
    monkeypatch.setattr(folders.sysconfig, "get_path", lambda *_: str(tmp_path))
    monkeypatch.setattr(folders.shutil, "which", lambda _: None)
    with pytest.raises(FoleySpaceError, match="install FoleySpace again"):
        bridge_program()
