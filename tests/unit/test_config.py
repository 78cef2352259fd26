"""Settings and folders: defaults, the file, and every way to get it wrong."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host import client
from foleyspace_host.config import Config, Folders, load_config
from foleyspace_host.errors import InvalidInput, OutputUnwritable


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str, profile: str = "") -> Path:
    folder = home / "config" / "profiles" / profile if profile else home / "config"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


class TestFolders:
    def test_one_variable_moves_everything(self, home: Path) -> None:
        folders = Folders()
        assert [folders.config, folders.state, folders.data, folders.cache] == [
            home / name for name in ("config", "state", "data", "cache")
        ]

    def test_profiles_share_the_cache_and_nothing_else(self, home: Path) -> None:
        one, other = Folders("default"), Folders("night-shift.2")
        assert one.cache == other.cache
        assert other.state == home / "state" / "profiles" / "night-shift.2"
        assert len({one.state, other.state, one.data, other.data, one.config, other.config}) == 6

    @pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ü", "x" * 65, "a\0", "a\n"])
    def test_a_profile_s_name_stays_a_name(self, name: str) -> None:
        with pytest.raises(InvalidInput, match="profile"):
            Folders(name)
        with pytest.raises(client.ClientError, match="profile"):
            client.state_folder(name)

    @pytest.mark.parametrize("profile", ["default", "other"])
    def test_the_client_looks_where_the_host_writes(self, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FOLEYSPACE_HOME", raising=False)
        for value in (None, "/absolute/place", "relative"):
            if value is None:
                monkeypatch.delenv("XDG_STATE_HOME", raising=False)
            else:
                monkeypatch.setenv("XDG_STATE_HOME", value)
            assert client.state_folder(profile) == Folders(profile).state
        monkeypatch.setenv("FOLEYSPACE_HOME", "relative")
        assert client.state_folder(profile) == Folders(profile).state
        assert Folders(profile).state.is_absolute()

    def test_what_is_private_is_made_private(self, home: Path) -> None:
        folders = Folders()
        folders.make()
        folders.make()
        if sys.platform != "win32":
            assert stat.S_IMODE(folders.state.stat().st_mode) == 0o700
            assert stat.S_IMODE(folders.data.stat().st_mode) == 0o700
        assert folders.cache.is_dir()

    def test_what_cannot_be_made_is_told(self, home: Path) -> None:
        (home / "state").write_text("in the way")
        with pytest.raises(OutputUnwritable, match="FOLEYSPACE_HOME"):
            Folders("other").make()


class TestFile:
    def test_without_a_file_the_defaults_hold(self, home: Path) -> None:
        config = load_config()
        assert config == Config()
        assert 1 <= config.workers <= 4
        assert config.roots is None

    def test_every_field_can_be_set(self, home: Path) -> None:
        write(
            home,
            'workers = 3\ndevice = "cpu"\nmemory_limit_mb = 2000\nstage_deadline_s = 60\nattempts = 3\n'
            'retention_days = 0.5\ncache_limit_mb = 0\nroots = ["/media", "~"]\nidle_exit_s = 90.5\n',
        )
        expected = Config(3, "cpu", 2000, 60, 3, 0.5, 0, (Path("/media"), Path.home()), 90.5)
        assert load_config() == expected

    def test_options_win_and_none_leaves_the_file_s(self, home: Path) -> None:
        write(home, "workers = 3\nattempts = 4\n")
        config = load_config("default", {"workers": 2, "attempts": None})
        assert (config.workers, config.attempts) == (2, 4)

    def test_each_profile_has_its_own(self, home: Path) -> None:
        write(home, "workers = 3\n")
        write(home, "workers = 5\n", "big")
        assert (load_config().workers, load_config("big").workers) == (3, 5)

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("worker = 3\n", "worker"),
            ("workers = 0\n", "workers"),
            ("workers = 1.5\n", "workers"),
            ("workers = true\n", "workers"),
            ("workers = 65\n", "workers"),
            ('workers = "3"\n', "workers"),
            ('device = "gpu"\n', "device"),
            ("device = 1\n", "device"),
            ("stage_deadline_s = nan\n", "stage_deadline_s"),
            ("stage_deadline_s = -1\n", "stage_deadline_s"),
            ("retention_days = inf\n", "retention_days"),
            ("cache_limit_mb = -1\n", "cache_limit_mb"),
            ("idle_exit_s = 0\n", "idle_exit_s"),
            ('roots = "/media"\n', "roots"),
            ('roots = ["media"]\n', "roots"),
            ("roots = [1]\n", "roots"),
            ('roots = ["/a\\u0000b"]\n', "roots"),
            ("[workers]\n", "workers"),
            ("workers = \n", "cannot be read"),
        ],
    )
    def test_what_is_wrong_is_told_with_file_and_key(self, home: Path, text: str, key: str) -> None:
        path = write(home, text)
        with pytest.raises(InvalidInput) as caught:
            load_config()
        assert caught.value.where == str(path)
        assert key in str(caught.value)

    def test_a_wrong_option_is_not_blamed_on_the_file(self, home: Path) -> None:
        write(home, "workers = 3\n")
        with pytest.raises(InvalidInput) as caught:
            load_config("default", {"workers": 99})
        assert caught.value.where == "workers"

    @given(st.binary(max_size=60))
    def test_any_bytes_are_settings_or_one_error(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
            patch.setenv("FOLEYSPACE_HOME", home)
            os.mkdir(Path(home) / "config")
            (Path(home) / "config" / "config.toml").write_bytes(data)
            with contextlib.suppress(InvalidInput):
                assert 1 <= load_config().workers <= 64


def test_the_number_of_workers_leaves_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for n_processors, n_workers in ((None, 1), (1, 1), (2, 1), (4, 3), (64, 4)):
        monkeypatch.setattr("os.cpu_count", lambda n=n_processors: n)
        assert Config().workers == n_workers
