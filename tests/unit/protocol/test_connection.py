"""The connection file: private from its first byte, replaced as a whole, and not trusted if it is not private."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from foleyspace_host.errors import HostError, HostNotRunning
from foleyspace_host.protocol.connection import (
    FILE_NAME,
    Connection,
    read_connection,
    remove_connection,
    write_connection,
)

CONNECTION = Connection(
    protocol=((1, 0), (1, 0)),
    host_version="0.1.0",
    instance_id="i-1",
    pid=4242,
    started_s=1.7e9,
    work="tcp://127.0.0.1:40901",
    control="tcp://127.0.0.1:40902",
    server_public="a" * 40,
    client_public="b" * 40,
    client_secret="c" * 40,
    profile="default",
)

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes and owners are those of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_is_written_is_read(folder: Path) -> None:
    path = write_connection(folder, CONNECTION)
    assert path == folder / FILE_NAME
    assert read_connection(folder) == CONNECTION
    assert [entry.name for entry in folder.iterdir()] == [FILE_NAME]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_it_is_private_whatever_the_umask(folder: Path, umask: int) -> None:
    folder.mkdir()
    before = os.umask(umask)
    try:
        path = write_connection(folder, CONNECTION)
    finally:
        os.umask(before)
    assert (mode(path), mode(folder)) == (0o600, 0o700)
    assert read_connection(folder) == CONNECTION


@posix
def test_a_folder_that_was_open_is_closed(folder: Path) -> None:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    write_connection(folder, CONNECTION)
    assert mode(folder) == 0o700


def test_readers_see_the_old_or_the_new_and_nothing_else(folder: Path) -> None:
    write_connection(folder, CONNECTION)
    stop = threading.Event()
    seen: set[str] = set()
    failed: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(read_connection(folder).instance_id)
            except Exception as error:
                failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        write_connection(folder, msgspec.structs.replace(CONNECTION, instance_id=f"i-{number}"))
    stop.set()
    reader.join()
    assert not failed
    assert seen <= {"i-1"} | {f"i-{number}" for number in range(100)}


def test_none_is_no_host(folder: Path) -> None:
    with pytest.raises(HostNotRunning, match="foleyspace host"):
        read_connection(folder)
    folder.mkdir()
    with pytest.raises(HostNotRunning):
        read_connection(folder)


@posix
@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o620, 0o660, 0o666])
def test_one_that_is_open_to_others_is_not_trusted(folder: Path, wrong: int) -> None:
    write_connection(folder, CONNECTION).chmod(wrong)
    with pytest.raises(HostError, match="open to other users"):
        read_connection(folder)


@posix
def test_one_in_a_folder_that_others_write_is_not_trusted(folder: Path) -> None:
    write_connection(folder, CONNECTION)
    folder.chmod(0o770)
    with pytest.raises(HostError, match="may write in the folder"):
        read_connection(folder)


@posix
def test_links_and_pipes_are_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = write_connection(tmp_path / "elsewhere", CONNECTION)
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).symlink_to(elsewhere)
    with pytest.raises(HostError, match="link"):
        read_connection(folder)
    (folder / FILE_NAME).unlink()
    os.mkfifo(folder / FILE_NAME, 0o600)
    with pytest.raises(HostError, match="is no file"):
        read_connection(folder)
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).mkdir()
    with pytest.raises(HostError):
        read_connection(folder)


@posix
def test_another_user_s_is_not_trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_connection(folder, CONNECTION)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HostError, match="another user"):
        read_connection(folder)
    with pytest.raises(HostError, match="another user"):
        write_connection(folder, CONNECTION)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (1 << 17),
        msgspec.json.encode(CONNECTION).replace(b"127.0.0.1:40901", b"10.0.0.1:40901"),
        msgspec.json.encode(CONNECTION).replace(b":40901", b":40901/x"),
        msgspec.json.encode(CONNECTION).replace(b":40901", b":0"),
        msgspec.json.encode(CONNECTION).replace(b"a" * 40, b"a" * 39),
    ],
)
def test_what_is_none_is_refused_and_not_repeated(folder: Path, text: bytes) -> None:
    path = write_connection(folder, CONNECTION)
    path.write_bytes(text)
    with pytest.raises(HostError, match="no connection file") as caught:
        read_connection(folder)
    assert "c" * 40 not in str(caught.value)


def test_the_secret_is_not_shown() -> None:
    assert "c" * 40 not in repr(CONNECTION)
    assert "c" * 40 not in str(CONNECTION)


def test_only_one_s_own_is_removed(folder: Path) -> None:
    assert not remove_connection(folder, "i-1")
    path = write_connection(folder, CONNECTION)
    assert not remove_connection(folder, "i-2")
    assert path.exists()
    assert remove_connection(folder, "i-1")
    assert not path.exists()


@posix
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    monkey = folder / "below"
    with pytest.raises(HostError, match="cannot be written"):
        write_connection(monkey, CONNECTION)


def test_a_failed_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_connection(folder, CONNECTION)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostError, match="No space left"):
        write_connection(folder, msgspec.structs.replace(CONNECTION, instance_id="i-2"))
    assert [entry.name for entry in folder.iterdir()] == [FILE_NAME]
    assert read_connection(folder).instance_id == "i-1"
