"""The host: its connection file, whether it answers, its ports and its record of jobs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from foleyspace_host.config import Folders
from foleyspace_host.doctor.verdict import Level, Verdict
from foleyspace_host.errors import FoleySpaceError, JobsDamaged

__all__ = ["check_connection_file", "check_host", "check_jobs", "check_ports"]

_ANSWER_S = 5.0


def check_ports(_profile: str) -> Iterator[Verdict]:
    """Check that a program can listen on this machine, and be reached."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(2.0)
            with socket.create_connection(server.getsockname(), 2.0):
                server.accept()[0].close()
    except OSError as error:
        cure = "let the firewall or security software allow connections of this machine to itself"
        yield Verdict("ports", "red", f"nothing can listen on 127.0.0.1 ({error})", cure)
        return
    yield Verdict("ports", "green", "127.0.0.1 can be listened on and reached; nothing else is used")


def check_connection_file(profile: str) -> Iterator[Verdict]:
    """Check owner and mode of the connection file, and that it is of a living host."""
    from foleyspace_host.client import ConnectionUnsafe, HostNotRunning, read_connection

    path = Folders(profile).state / "host.json"

    def remove() -> str:
        path.unlink(missing_ok=True)
        return f"removed {path}"

    if not path.is_symlink() and not path.exists():
        yield Verdict("connection", "green", "no host is running; programs start it when they need it")
        return
    try:
        connection = read_connection(path.parent)
    except ConnectionUnsafe as error:
        cure = "remove it (--repair does), and start the host again"
        yield Verdict("connection", "red", f"{error.where}: {error.message}", cure, remove)
    except HostNotRunning as error:
        yield Verdict("connection", "yellow", f"{path}: {error.message}", "the next start replaces it", remove)
    else:
        ports = [connection[name].rpartition(":")[2] for name in ("work", "control")]
        yield Verdict("connection", "green", f"{path}, yours alone; ports {' and '.join(ports)}")


def check_host(profile: str) -> Iterator[Verdict]:
    """Check that a running host answers, and how it is."""
    from foleyspace_host.client import Client, ClientError, read_connection

    try:
        pid = read_connection(Folders(profile).state)["pid"]
    except ClientError:
        return  # told by the connection file's check
    client = Client("doctor", profile=profile, start=False)
    try:
        health = client.connect(_ANSWER_S).health()
    except ClientError as error:
        yield Verdict("host", "red", f"process {pid} does not answer ({error.message})", f"end process {pid}")
        return
    finally:
        client.close()
    jobs = f"{health['running']} jobs running, {health['queued']} waiting"
    level: Level = "green" if health["state"] == "serving" else "yellow"
    yield Verdict("host", level, f"{health['state']}, process {pid}; {jobs}")
    for warning in health.get("warnings", ()):
        yield Verdict("host", "yellow", warning)


def check_jobs(profile: str) -> Iterator[Verdict]:
    """Check the record of jobs."""
    from foleyspace_host.jobs.store import Store

    path = Folders(profile).data / "jobs.db"
    if not path.exists():
        yield Verdict("jobs", "green", "no jobs yet")
        return
    try:
        store = Store(path)
    except FoleySpaceError as error:
        if not isinstance(error, JobsDamaged):  # sound, but not to be used here and now
            yield Verdict("jobs", "red", f"{path}: {error.problem}", error.cure)
            return
        cure = "`foleyspace doctor --repair` moves it aside: jobs in it are lost, results that were made are not"
        yield Verdict("jobs", "red", f"{path}: {error.problem}", cure, lambda: _move_aside(path))
        return
    n_jobs = len(store.job_ids())
    store.close()
    yield Verdict("jobs", "green", f"{n_jobs} jobs in {path}")


def _move_aside(path: Path) -> str:
    """Give a record, and what belongs to it, another name."""
    from foleyspace_host.jobs.repair import move_aside

    return f"moved {path.name} to {move_aside(path)}"
