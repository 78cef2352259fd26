"""Who is connected, and sounds on their way to the disk."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from foleyspace_host.errors import DiskFull, InvalidInput, OutputUnwritable
from foleyspace_host.host import sessions as module
from foleyspace_host.host import spool as spool_module
from foleyspace_host.host.roots import Roots
from foleyspace_host.host.sessions import Session, Sessions
from foleyspace_host.host.spool import Spool
from foleyspace_host.host.work import Work
from foleyspace_host.protocol.messages import BufferSpec, JobList, JobListOk, JobReport


def session(peer: bytes, descriptor: int, client: str = "a", *, cancel: bool = False) -> Session:
    return Session(peer, descriptor, client, "test", Roots(), cancel)


def test_the_latest_connection_is_told_and_the_one_before_after_it() -> None:
    sessions = Sessions()
    first, second, other = session(b"1", 1), session(b"2", 2), session(b"3", 3, "b")
    for one in (first, second, other):
        sessions.add(one)
    assert sessions.of_client("a") is second
    assert sessions.of_peer(b"1") is first
    assert sessions.lost(2) == [second]
    assert sessions.of_client("a") is first
    assert sessions.of_client("b") is other
    assert sessions.lost(1) == [first]
    assert sessions.of_client("a") is None
    assert sessions.lost(1) == []
    assert sessions.of_peer(b"3") is other


def test_a_client_is_forsaken_once_and_not_if_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    sessions = Sessions()
    for client, cancel in (("stays", True), ("returns", True), ("does not mind", False), ("goes", True)):
        sessions.add(session(client.encode(), hash(client), client, cancel=cancel))
    sessions.add(session(b"second", 99, "stays", cancel=True))
    for client in ("stays", "returns", "does not mind", "goes"):
        one = sessions.of_peer(client.encode())
        assert one is not None
        sessions.drop(one)
    now[0] += module.GRACE_S / 2
    assert sessions.forsaken() == []
    sessions.add(session(b"again", 98, "returns", cancel=True))
    now[0] += module.GRACE_S
    assert sessions.forsaken() == ["goes"]
    assert sessions.forsaken() == []


def test_a_client_of_an_earlier_host_is_forsaken_unless_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    sessions = Sessions()
    for client in ("returns", "does not"):
        sessions.forsake(client, module.RETURN_S)
    now[0] += module.RETURN_S - 1.0
    assert sessions.forsaken() == []
    sessions.add(session(b"1", 1, "returns", cancel=True))
    now[0] += 2.0
    assert sessions.forsaken() == ["does not"]
    assert sessions.forsaken() == []


def test_all_jobs_of_a_client_that_is_gone_end_and_a_full_disk_only_delays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    left = {f"job{number}": "gone" for number in range(120)} | {"other": "there"}
    full = [True]

    def listing(client_id: str, wanted: JobList) -> JobListOk:
        names = [name for name, client in left.items() if client == client_id]
        jobs = [report(name, client_id) for name in names[: wanted.limit]]
        return JobListOk(jobs=jobs, more=len(names) > wanted.limit)

    def cancel(job_id: str) -> None:
        if full[0]:
            raise DiskFull("the disk is full")
        del left[job_id]

    service = SimpleNamespace(list=listing, cancel=cancel, bound_clients=lambda: {"gone"}, unacked=lambda _: [])
    work = Work(SimpleNamespace(send=None), service, None, None, None)  # type: ignore[arg-type]
    work.expect_back()
    work._turn()
    assert len(left) == 121
    now[0] += module.RETURN_S
    work._turn()
    assert len(left) == 121
    full[0] = False
    for _ in range(5):
        now[0] += 1.0
        work._turn()
    assert list(left) == ["other"]


def report(job_id: str, client_id: str) -> JobReport:
    return JobReport(
        job_id=job_id, kind="render", state="queued", client_id=client_id, client_name="test", created_s=1.0
    )


def described(*frames: bytes) -> tuple[list[BufferSpec], list[memoryview]]:
    specs = [
        BufferSpec(dtype="json", n_bytes=len(frame), blake2b=hashlib.blake2b(frame, digest_size=32).hexdigest())
        for frame in frames
    ]
    return specs, [memoryview(frame) for frame in frames]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    yield made  # type: ignore[misc]
    made.close()


def test_buffers_lie_on_the_disk_as_they_came(tmp_path: Path, spool: Spool) -> None:
    frames = [os.urandom(size) for size in (0, 1, 100_000, 3_000_000)]
    folder = spool.write(*described(*frames))
    assert folder is not None
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == frames
    assert [path.name for path in sorted(folder.iterdir())] == ["00.buf", "01.buf", "02.buf", "03.buf"]
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spool.drop(folder)
    spool.drop(folder)
    assert list((tmp_path / "spool").iterdir()) == []
    assert spool.write([], []) is None


def test_a_damaged_buffer_leaves_nothing(tmp_path: Path, spool: Spool) -> None:
    specs, buffers = described(b"a" * 1000, b"b" * 1000)
    with pytest.raises(InvalidInput) as caught:
        spool.write(specs, [buffers[0], memoryview(b"c" * 1000)])
    assert caught.value.where == "$.buffers[1].blake2b"
    assert list((tmp_path / "spool").iterdir()) == []


def test_no_space_is_told_and_leaves_nothing(tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_descriptor: int, _data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool_module.os, "write", write)
    with pytest.raises(DiskFull):
        spool.write(*described(b"a" * 1000))
    monkeypatch.setattr(spool_module.os, "write", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OutputUnwritable):
        spool.write(*described(b"a" * 1000))
    monkeypatch.undo()
    monkeypatch.setattr(spool_module.shutil, "disk_usage", lambda _: type("U", (), {"free": 1000})())
    with pytest.raises(DiskFull):
        spool.write(*described(b"a" * 1000))
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_an_earlier_host_left_goes(tmp_path: Path) -> None:
    (tmp_path / "spool" / "old").mkdir(parents=True)
    (tmp_path / "spool" / "old" / "00.buf").write_bytes(b"x")
    Spool(tmp_path / "spool").close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_no_second_copy_in_memory(spool: Spool) -> None:
    """Writing 60 s of stereo takes no memory of its size."""
    import tracemalloc

    specs, buffers = described(*(bytes(8_000_000) for _ in range(3)))
    tracemalloc.start()
    try:
        started = time.monotonic()
        spool.write(specs, buffers)
        assert time.monotonic() - started < 60
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
