"""Every check of the doctor, with what it looks at broken."""

from __future__ import annotations

import json
import socket
import sys
from collections import namedtuple
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from foleyspace_host import __version__
from foleyspace_host.cli import main
from foleyspace_host.doctor import host as host_checks
from foleyspace_host.doctor import installation, machine, programs
from foleyspace_host.doctor.checkup import CHECKS, check_up
from foleyspace_host.doctor.verdict import Verdict
from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.models import registry

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="files have no such owners and modes there")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def one(verdicts: Iterable[Verdict]) -> Verdict:
    (verdict,) = verdicts
    return verdict


def test_this_installation_is_not_red() -> None:
    """What the tests run in is what they need; only the disk may be tight."""
    found = list(check_up("default"))
    assert {verdict.name for verdict in found if verdict.level == "red"} <= {"disk space"}
    assert len({verdict.name for verdict in found}) >= 11
    assert all(verdict.cure for verdict in found if verdict.level == "red")


def test_a_check_that_fails_keeps_no_other_from_running() -> None:
    def check_the_moon(_profile: str) -> Iterable[Verdict]:
        raise OSError("too far")

    first, second = check_up("default", (check_the_moon, installation.check_python))
    assert (first.name, first.level) == ("the moon", "yellow")
    assert "too far" in first.text
    assert second.name == "Python"


class TestInstallation:
    @pytest.mark.parametrize(("version", "level"), [((3, 10), "red"), ((3, 12), "green"), ((3, 14), "yellow")])
    def test_python(self, version: tuple[int, int], level: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(installation.sys, "version_info", (*version, 0))
        assert one(installation.check_python("default")).level == level

    def test_a_missing_library_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        names = ["numpy>=2", "no-such-library>=1", 'dask>=1; extra == "cluster"']
        monkeypatch.setattr(installation, "requires", lambda _: names)
        verdict = one(installation.check_packages("default"))
        assert (verdict.level, verdict.cure) == ("red", "pip install no-such-library")

    def test_a_checkout_without_installation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(_name: str) -> None:
            raise PackageNotFoundError

        monkeypatch.setattr(installation, "requires", missing)
        assert one(installation.check_packages("default")).level == "yellow"

    def test_without_the_runtime_nothing_can_be_localized(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        verdict = one(installation.check_runtime("default"))
        assert verdict.level == "red"
        assert "pip install" in (verdict.cure or "")

    def test_a_damaged_model_is_red_and_the_others_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = registry.verify

        def verify(name: str) -> None:
            if name == "kemar":
                raise ModelUnavailable("the kemar model is damaged")
            real(name)

        monkeypatch.setattr(registry, "verify", verify)
        red, green = installation.check_models("default")
        assert (red.level, green.level) == ("red", "green")
        assert "centernet" in green.text
        assert "kemar" not in green.text

    def test_a_missing_codec_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert one(installation.check_ffmpeg("default")).level == "green"
        monkeypatch.setattr(installation, "_has", lambda codec, _mode: codec != "prores")
        assert (verdict := one(installation.check_ffmpeg("default"))).level == "yellow"
        assert "prores" in verdict.text
        monkeypatch.setattr(installation, "_has", lambda codec, mode: (codec, mode) != ("aac", "w"))
        assert (verdict := one(installation.check_ffmpeg("default"))).level == "red"
        assert "aac (to write)" in verdict.text


class TestMachine:
    def test_settings_that_cannot_be_used(self, home: Path) -> None:
        (home / "config").mkdir(parents=True)
        (home / "config" / "config.toml").write_text('roots = ["/no/such/folder"]\n')
        green, yellow = machine.check_settings("default")
        assert (green.level, yellow.level) == ("green", "yellow")
        (home / "config" / "config.toml").write_text("colour = 3\n")
        verdict = one(machine.check_settings("default"))
        assert verdict.level == "red"
        assert "colour" in verdict.text

    @posix_only
    def test_a_folder_that_others_can_change(self, home: Path) -> None:
        (home / "state").mkdir(parents=True)
        (home / "state").chmod(0o777)
        verdict = one(machine.check_folders("default"))
        assert (verdict.level, verdict.cure) == ("red", f"chmod 700 {home / 'state'}")

    def test_a_folder_that_cannot_be_written(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home.write_text("a file in the way")
        found = list(machine.check_folders("default"))
        assert {verdict.level for verdict in found} == {"red"}
        assert "FOLEYSPACE_HOME" in (found[0].cure or "")

    @pytest.mark.parametrize(("free_gb", "level"), [(0.1, "red"), (3.0, "yellow"), (80.0, "green")])
    def test_space(self, free_gb: float, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage(1, 1, free_gb * 1e9))
        assert {verdict.level for verdict in machine.check_disk("default")} == {level}


class TestHost:
    def test_no_host_and_no_jobs_are_fine(self) -> None:
        assert one(host_checks.check_connection_file("default")).level == "green"
        assert list(host_checks.check_host("default")) == []
        assert one(host_checks.check_jobs("default")).text == "no jobs yet"

    def test_ports_that_cannot_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert one(host_checks.check_ports("default")).level == "green"

        def refuse(*_args: object, **_options: object) -> None:
            raise PermissionError("not allowed")

        monkeypatch.setattr(socket, "create_server", refuse)
        assert one(host_checks.check_ports("default")).level == "red"

    @posix_only
    def test_a_connection_file_that_others_can_read_is_red_and_can_be_removed(self, home: Path) -> None:
        (home / "state").mkdir(parents=True, mode=0o700)
        path = home / "state" / "host.json"
        path.write_text("{}")
        path.chmod(0o644)
        verdict = one(host_checks.check_connection_file("default"))
        assert verdict.level == "red"
        assert "open to other users" in verdict.text
        assert verdict.repair is not None
        assert str(path) in verdict.repair()
        assert not path.exists()

    def test_a_connection_file_left_behind_is_yellow(self, home: Path) -> None:
        (home / "state").mkdir(parents=True, mode=0o700)
        path = home / "state" / "host.json"
        key = "x" * 40
        facts = {"pid": 2**22 + 1, "work": "tcp://127.0.0.1:5", "control": "tcp://127.0.0.1:6"}
        path.write_text(json.dumps(facts | dict.fromkeys(("server_public", "client_public", "client_secret"), key)))
        path.chmod(0o600)
        if sys.platform != "win32":
            assert one(host_checks.check_connection_file("default")).level == "yellow"
        assert path.exists()

    def test_a_damaged_record_can_be_moved_aside(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (home / "data").mkdir(parents=True, mode=0o700)
        record = home / "data" / "jobs.db"
        record.write_bytes(b"no database at all" * 100)
        assert main(["doctor"]) == 1
        printed = capsys.readouterr().out
        assert "✗ jobs" in printed
        assert "--repair" in printed
        assert main(["doctor", "--repair", "--json"]) == 0
        repaired = [check for check in json.loads(capsys.readouterr().out)["checks"] if check["repaired"]]
        assert [check["name"] for check in repaired] == ["jobs"]
        assert not record.exists()
        assert main(["doctor"]) == 0


class TestPrograms:
    def test_what_is_not_there_is_no_fault(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
            monkeypatch.setenv(name, str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        for check in (programs.check_reaper, programs.check_blender):
            assert one(check("default")).level == "green"

    @pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders are others there")
    def test_what_is_there_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        (tmp_path / "REAPER").mkdir()
        (tmp_path / "REAPER" / "reaper.ini").write_text("")
        assert str(tmp_path / "REAPER") in one(programs.check_reaper("default")).text
        program = tmp_path / "blender"
        program.mkdir()
        (program / "3.6").mkdir()
        (program / "notes").mkdir()
        verdict = one(programs.check_blender("default"))
        assert (verdict.level, "4.2" in (verdict.cure or "")) == ("yellow", True)
        (program / "5.1").mkdir()
        verdict = one(programs.check_blender("default"))
        assert "used in version 5.1" in verdict.text
        assert verdict.text.endswith("without our extension")
        assert "foleyspace blender install" in (verdict.cure or "")

    @pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders are others there")
    def test_the_extension_in_blender_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("BLENDER_USER_EXTENSIONS", "BLENDER_USER_RESOURCES"):
            monkeypatch.delenv(name, raising=False)
        for name in ("XDG_CONFIG_HOME", "HOME", "PATH"):
            monkeypatch.setenv(name, str(tmp_path))
        folder = tmp_path / "blender" / "5.1" / "extensions" / "user_default" / "foleyspace"
        folder.mkdir(parents=True)
        manifest = folder / "blender_manifest.toml"
        manifest.write_text(f'version = "{__version__}"\n')
        verdict = one(programs.check_blender("default"))
        assert (verdict.level, verdict.cure) == ("green", None)
        assert verdict.text.endswith(f"extension {__version__} for 5.1 in {folder}")
        for damaged, told in (
            ('version = "0.0.7"', "extension 0.0.7 for 5.1"),
            ("version = ", "extension of no version"),
        ):
            manifest.write_text(damaged)
            verdict = one(programs.check_blender("default"))
            assert verdict.level == "yellow"
            assert told in verdict.text
            assert "foleyspace blender install" in (verdict.cure or "")


def test_the_order_is_from_the_ground_up() -> None:
    names = [check.__name__ for check in CHECKS]
    assert names.index("check_python") == 0
    assert names.index("check_connection_file") < names.index("check_host") < names.index("check_jobs")
