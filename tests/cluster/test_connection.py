"""The way to a cluster: addresses, TLS (S11), workers that cannot do the work, and storage that is not shared."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hidden_folders import hide_folder
from moving_clips import write_moving_clip

from foleyspace_host.cluster.connection import Tls, connect
from foleyspace_host.errors import FoleySpaceError, HostError, InvalidInput, OutputUnwritable
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.process import Died
from foleyspace_host.jobs.talk import Done

from .conftest import FAKE, Cluster, Heard, environment, needs_dask, wait_for

pytestmark = pytest.mark.timeout(500)  # many processes that load models, on a machine that may be busy


def test_without_dask_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match="not installed") as caught:
        connect("tcp://127.0.0.1:1")
    assert caught.value.cure == "install it: pip install 'foleyspace-host[cluster]'"


def test_the_command_needs_dask_for_a_cluster_alone() -> None:
    code = (
        "import sys; sys.modules['distributed'] = sys.modules['dask'] = None\n"
        "import foleyspace_host.cli.batch, foleyspace_host.batch.entry, foleyspace_host.cluster.connection\n"
        "from foleyspace_host.cli import main\n"
        "assert main(['batch', '--help']) == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@needs_dask
@pytest.mark.parametrize("address", ["", "here", "http://127.0.0.1:8786", "127.0.0.1:8786", "inproc://1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidInput, match="no address"):
        connect(address)


@needs_dask
def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foleyspace_host.cluster.connection._PATIENCE_S", 1.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(HostError, match="no scheduler answers") as caught:
            connect(address)
    assert caught.value.where == address


@needs_dask
def test_a_scheduler_without_workers(make_cluster: Callable[..., Cluster]) -> None:
    with pytest.raises(HostError, match="no workers"):
        connect(make_cluster(0).address, workers_s=0.5)


@needs_dask
def test_a_worker_with_another_version_and_one_without_the_program(
    make_cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = make_cluster(1)
    connect(cluster.address).close()
    monkeypatch.setattr("foleyspace_host.cluster.connection.__version__", "99.0")
    with pytest.raises(HostError, match=r"the worker has FoleySpace \d") as caught:
        connect(cluster.address)
    assert (caught.value.where or "").startswith("tcp://")
    assert "99.0" in (caught.value.cure or "")


# --- TLS ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    """Certificates that belong together."""

    folder: Path

    @property
    def tls(self) -> Tls:
        return Tls(self.folder / "ca.pem", self.folder / "cert.pem", self.folder / "key.pem")

    @property
    def options(self) -> list[str]:
        tls = self.tls
        return ["--tls-ca-file", str(tls.ca), "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]


@pytest.fixture(scope="session")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Authority]:
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not there to make certificates with")

    def make() -> Authority:
        folder = tmp_path_factory.mktemp("certificates")

        def openssl(*words: str) -> None:
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority",
                "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=machine", "-keyout", "key.pem", "-out", "r.csr")
        openssl("x509", "-req", "-days", "2", "-in", "r.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", "cert.pem")  # fmt: skip
        return Authority(folder)

    return make


@pytest.fixture(scope="session")
def authority(make_authority: Callable[[], Authority]) -> Authority:
    return make_authority()


@pytest.fixture(scope="session")
def safe_cluster(make_any_cluster: Callable[..., Cluster], authority: Authority) -> Cluster:
    return make_any_cluster(1, scheme="tls", options=authority.options)


@needs_dask
def test_S11_a_batch_by_tls(safe_cluster: Cluster, authority: Authority, tmp_path: Path) -> None:
    assert safe_cluster.address.startswith("tls://127.0.0.1:")
    write_moving_clip(tmp_path / "a.mov")
    tls = authority.tls
    words = ["batch", "a.mov", "-o", "out", "--scheduler", safe_cluster.address, "--tls-ca", str(tls.ca)]
    words += ["--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
    done = subprocess.run(
        [sys.executable, "-m", "foleyspace_host", *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "a.wav").stat().st_size > 0


@needs_dask
def test_S11_all_parts_listen_on_loopback_alone(safe_cluster: Cluster, authority: Authority, cluster: Cluster) -> None:
    connect(safe_cluster.address, authority.tls).close()
    client = connect(cluster.address)
    client.wait_for_workers(2)
    client.close()
    for process in (safe_cluster.scheduler, *safe_cluster.workers, cluster.scheduler, *cluster.workers):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        ports = [found for one in family for found in one.net_connections("inet") if found.status == psutil.CONN_LISTEN]
        assert ports
        assert {found.laddr.ip for found in ports} == {"127.0.0.1"}


@needs_dask
def test_S11_plain_tcp_is_rejected(safe_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foleyspace_host.cluster.connection._PATIENCE_S", 2.0)
    with pytest.raises(HostError, match="no scheduler answers"):
        connect(safe_cluster.address.replace("tls://", "tcp://"))


@needs_dask
def test_S11_a_foreign_certificate_is_rejected(
    safe_cluster: Cluster,
    make_authority: Callable[[], Authority],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("foleyspace_host.cluster.connection._PATIENCE_S", 3.0)
    foreign = make_authority().tls
    with pytest.raises(HostError, match=r"certificates|no scheduler"):
        connect(safe_cluster.address, foreign)
    # one that knows the scheduler's authority, but is not signed by it
    with pytest.raises(HostError, match=r"certificates|no scheduler"):
        connect(safe_cluster.address, Tls(authority.tls.ca, foreign.cert, foreign.key))


@needs_dask
def test_certificates_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    tls = authority.tls
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    address = "tls://127.0.0.1:1"
    for given, problem in (
        (None, "needs certificates"),
        (Tls(tls.ca), "needs certificates"),
        (Tls(tls.ca, tmp_path / "none.pem", tls.key), "no such file"),
        (Tls(tls.ca, wrong, tls.key), "cannot be used"),
        (Tls(wrong, tls.cert, tls.key), "cannot be used"),
        (Tls(tls.ca, tls.cert), "cannot be used"),
    ):
        with pytest.raises(InvalidInput, match=problem):
            connect(address, given)
    with pytest.raises(InvalidInput, match="not encrypted"):
        connect("tcp://127.0.0.1:1", tls)


# --- storage ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Any]:
    found = connect(cluster.address)
    found.wait_for_workers(2)
    yield found
    found.close()


def hide(client: Any, worker: str, folder: Path | None) -> None:
    """Let a worker see nothing of a folder, as if it were not mounted there."""
    client.run(hide_folder, None if folder is None else str(folder), workers=[worker])


@needs_dask
def test_what_all_see(client: Any, tmp_path: Path) -> None:
    from foleyspace_host.cluster.storage import check_storage

    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a.mov").write_bytes(b"123")
    check_storage(client, [tmp_path / "out"], [tmp_path / "in" / "a.mov", tmp_path / "in" / "missing.mov"])
    assert list((tmp_path / "out").iterdir()) == []


@needs_dask
@pytest.mark.parametrize("what", ["in", "out"])
def test_a_worker_that_does_not_see_a_folder_is_named_with_it(client: Any, tmp_path: Path, what: str) -> None:
    from foleyspace_host.cluster.storage import check_storage

    folder = tmp_path / what
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "a.mov").write_bytes(b"123")
    blind = sorted(client.scheduler_info(n_workers=-1)["workers"])[1]
    hide(client, blind, folder)
    try:
        with pytest.raises(HostError, match="does not see") as caught:
            check_storage(client, [tmp_path / "out"], [tmp_path / "in" / "a.mov"])
    finally:
        hide(client, blind, None)
    assert caught.value.where == blind
    assert str(folder) in caught.value.problem
    assert "same storage" in (caught.value.cure or "")
    assert list((tmp_path / "out").iterdir()) == []


@needs_dask
def test_a_folder_of_the_same_name_with_other_files_in_it(client: Any, tmp_path: Path) -> None:
    from foleyspace_host.cluster.storage import look_from_worker

    class Worker:
        address = "tcp://w"

    (tmp_path / "a.mov").write_bytes(b"123")
    assert look_from_worker("t", [], [(str(tmp_path / "a.mov"), 3)], Worker()) == []
    ((folder, what),) = look_from_worker("t", [], [(str(tmp_path / "a.mov"), 4)], Worker())
    assert (folder, what) == (str(tmp_path), "does not see the file a.mov in")


@needs_dask
def test_what_this_machine_cannot_write(client: Any, tmp_path: Path) -> None:
    from foleyspace_host.cluster.storage import check_storage

    with pytest.raises(OutputUnwritable):
        check_storage(client, [tmp_path / "nowhere"], [])


def test_what_a_worker_writes_must_be_seen_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace_host.cluster.storage import check_storage

    class Elsewhere:
        """A cluster whose worker has a folder of the same name, on a disk of its own."""

        def run(self, *_: Any, **__: Any) -> dict[str, list[Any]]:
            return {"tcp://w": []}

    monkeypatch.setattr("foleyspace_host.cluster.storage._PATIENCE_S", 0.2)
    with pytest.raises(HostError, match="is not seen here") as caught:
        check_storage(Elsewhere(), [tmp_path], [])
    assert caught.value.where == "tcp://w"
    assert str(tmp_path) in caught.value.problem


@needs_dask
def test_a_worker_that_joins_later_without_the_storage_gets_no_more_work(
    make_cluster: Callable[..., Cluster], tmp_path: Path, assignment: Callable[..., Assignment]
) -> None:
    from foleyspace_host.cluster.engine import DaskEngine

    made = make_cluster(2)
    client = connect(made.address)
    client.wait_for_workers(2)
    blind, seeing = sorted(client.scheduler_info(n_workers=-1)["workers"])
    hide(client, blind, tmp_path / "jobs")
    heard = Heard()
    engine = DaskEngine(client, FAKE, on_progress=heard.progress, on_end=heard.end)
    try:
        for _ in range(2):
            engine.start(assignment(step_ms=500), "generate")
        ends = [heard.next_end()[1] for _ in range(2)]
        (died,) = [end for end in ends if isinstance(end, Died)]
        assert f"the worker {blind} does not see the folder" in died.reason
        heard.steps.clear()
        for _ in range(4):
            wait_for(lambda: engine.can_run("generate"))
            engine.start(assignment(), "generate")
            assert isinstance(heard.next_end()[1], Done)
        assert {step.worker for _, step in heard.steps if step.stage == "start"} == {seeing}
    finally:
        engine.close()


@needs_dask
def test_the_command_refuses_before_any_work(
    make_cluster: Callable[..., Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foleyspace_host.batch.entry import run_batch

    cluster = make_cluster(2)
    write_moving_clip(tmp_path / "a.mov")
    found = connect(cluster.address)
    found.wait_for_workers(2)
    for worker in found.scheduler_info(n_workers=-1)["workers"]:
        hide(found, worker, tmp_path / "out")
    found.close()
    with pytest.raises(FoleySpaceError, match="does not see"):
        run_batch([tmp_path / "a.mov"], tmp_path / "out", scheduler=cluster.address)
    assert not (tmp_path / "out" / "a.wav").exists()
