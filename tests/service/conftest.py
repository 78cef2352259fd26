"""The real host process, over real sockets, with a runner that only pretends to work.

``host`` is a started host; ``make_host`` makes others: of another profile, started later, started twice. A
`Peer` is a bare client: two encrypted sockets and the protocol's own frames.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.protocol.connection import Connection, read_connection
from foleyspace_host.protocol.frames import Message, buffer_digest, decode, encode
from foleyspace_host.protocol.messages import BODIES, PROTOCOL, BufferSpec, Error, GenerateJob, Hello, JobSubmit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FAKE = "fake_runner"
PATIENT_S = 40.0  # a disk that writes back much else lets nobody write for many seconds


class Refused(Exception):
    """The host answered ``error``."""

    def __init__(self, error: Error) -> None:
        super().__init__(f"{error.code}: {error.where}: {error.message}")
        self.error = error
        self.code = error.code


class Peer:
    """A client of the host, as bare as can be.

    ``events`` holds what came on the work socket without being asked for, in order.
    """

    def __init__(self, connection: Connection, *, name: str = "test", client_id: str | None = None) -> None:
        self.connection = connection
        self.name = name
        self.client_id = client_id or uuid.uuid4().hex
        self.events: list[Message] = []
        self._context = zmq.Context()
        self.work = self.socket(connection.work)
        self.control = self.socket(connection.control)

    def socket(self, address: str, **options: Any) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.curve_serverkey = options.get("server_public", self.connection.server_public).encode()
        socket.curve_publickey = options.get("client_public", self.connection.client_public).encode()
        socket.curve_secretkey = options.get("client_secret", self.connection.client_secret).encode()
        socket.connect(address)
        return socket

    def send(self, socket: zmq.Socket[bytes], kind: str, body: Any, buffers: Any = (), **header: Any) -> str:
        """Send a request; the body is a struct, or the fields of one."""
        if isinstance(body, dict):
            body = BODIES[kind](**body)
        request_id = header.pop("request_id", None) or uuid.uuid4().hex
        header = {"client_id": self.client_id, "request_id": request_id, "v": PROTOCOL} | header
        socket.send_multipart(encode(kind, body, buffers=buffers, **header), copy=False)
        return str(request_id)

    def receive(self, socket: zmq.Socket[bytes], timeout_s: float = PATIENT_S) -> Message:
        if not socket.poll(max(0, int(timeout_s * 1000))):
            raise TimeoutError(f"nothing came within {timeout_s} s")
        return decode([bytes(frame) for frame in socket.recv_multipart()], sender="host")

    def reply(self, socket: zmq.Socket[bytes], request_id: str, timeout_s: float = PATIENT_S) -> Message:
        """Return the answer to a request; what else comes goes to ``events``."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.receive(socket, deadline - time.monotonic())
            if message.header.request_id != request_id:
                self.events.append(message)
                continue
            if isinstance(message.body, Error):
                raise Refused(message.body)
            return message

    def ask_work(
        self, kind: str, body: Any = None, buffers: Any = (), timeout_s: float = PATIENT_S, **header: Any
    ) -> Any:
        """Return the body of the answer."""
        sent = self.send(self.work, kind, {} if body is None else body, buffers, **header)
        return self.reply(self.work, sent, timeout_s).body

    def ask(self, kind: str, body: Any = None, timeout_s: float = PATIENT_S, **header: Any) -> Any:
        """Return the body of the answer to a request on the control socket."""
        sent = self.send(self.control, kind, {} if body is None else body, **header)
        return self.reply(self.control, sent, timeout_s).body

    def hello(self, *roots: Path, **fields: Any) -> Any:
        return self.ask_work(
            "hello",
            Hello(client_name=self.name, versions=(PROTOCOL, PROTOCOL), roots=[str(root) for root in roots], **fields),
        )

    def submit_fake(self, *, request_id: str | None = None, wait_s: float = PATIENT_S, **pretend: Any) -> str:
        """Submit a job that `fake_runner` pretends to do: ``stages``, ``step_ms``, ``crash_at`` ...; return its id.

        ``deadline_s`` and ``priority`` are fields of the request, the rest is for the runner; ``preview``, the
        number of samples that each stage lets hear, is both.
        """
        fields = {name: pretend.pop(name) for name in ("deadline_s", "priority") if name in pretend}
        fields["preview"] = bool(pretend.get("preview"))
        body = JobSubmit(job=GenerateJob(prompt=json.dumps(pretend)), **fields)
        return str(self.ask_work("job.submit", body, request_id=request_id, timeout_s=wait_s).job_id)

    def event(self, kind: str, timeout_s: float = PATIENT_S, **fields: Any) -> Any:
        """Wait for what the host says on its own, with fields of such values; return the body."""
        deadline = time.monotonic() + timeout_s

        def fits(message: Message) -> bool:
            wanted = all(getattr(message.body, name, None) == value for name, value in fields.items())
            return message.header.type == kind and wanted

        while True:
            for message in self.events:
                if fits(message):
                    self.events.remove(message)
                    return message.body
            self.events.append(self.receive(self.work, deadline - time.monotonic()))

    def finished(self, job_id: str, timeout_s: float = PATIENT_S) -> Any:
        """Wait for the job's end; return the report."""
        return self.event("job.finished", timeout_s, job_id=job_id)

    def close(self) -> None:
        self._context.destroy(linger=0)


class HostProcess:
    """``foleyspace host`` as a process with folders of its own."""

    def __init__(self, home: Path, *arguments: str, profile: str = "default", runner: str | None = FAKE) -> None:
        self.home = home
        self.profile = profile
        self.command = [sys.executable, "-m", "foleyspace_host", "host", "--json", "--profile", profile]
        self.command += [*(["--runner", runner] if runner else []), *arguments]
        self.environment = os.environ | {
            "FOLEYSPACE_HOME": str(home),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE))),
        }
        self.process: subprocess.Popen[str] | None = None
        self.peers: list[Peer] = []

    @property
    def state(self) -> Path:
        """The folder of ``host.json`` and ``host.log``."""
        return self._folder("state")

    @property
    def data(self) -> Path:
        return self._folder("data")

    def _folder(self, kind: str) -> Path:
        base = self.home / kind
        return base if self.profile == "default" else base / "profiles" / self.profile

    def set(self, **settings: Any) -> HostProcess:
        """Write ``config.toml``; before `start`."""
        folder = self._folder("config")
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        (folder / "config.toml").write_text("\n".join(lines) + "\n")
        return self

    def launch(self) -> subprocess.Popen[str]:
        """Start the process without waiting for anything."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def start(self) -> HostProcess:
        """Start the process and wait until it says that it is ready."""
        process = self.launch()
        assert process.stdout is not None
        line = process.stdout.readline()
        if '"ready"' not in line:
            out, err = process.communicate(timeout=PATIENT_S)
            raise AssertionError(f"the host did not start: {line}{out}{err}")
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def connection(self) -> Connection:
        return read_connection(self.state)

    def peer(
        self, *roots: Path, hello: bool = True, name: str = "test", client_id: str | None = None, **fields: Any
    ) -> Peer:
        """Connect a client, which says hello."""
        peer = Peer(self.connection, name=name, client_id=client_id)
        self.peers.append(peer)
        if hello:
            peer.hello(*roots, **fields)
        return peer

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=PATIENT_S)

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = PATIENT_S) -> int:
        """End it as a user would; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.output = self.process.communicate(timeout=timeout_s)
        return self.process.returncode

    def log(self) -> list[dict[str, Any]]:
        """All lines of the log."""
        files = sorted(self.state.glob("host.log*"), reverse=True)
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.communicate(timeout=PATIENT_S)


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Callable[..., HostProcess]]:
    """Make a host that is not started yet; all share one home unless told otherwise."""
    made: list[HostProcess] = []

    def make(*arguments: str, home: Path | None = None, **options: Any) -> HostProcess:
        made.append(HostProcess(home or tmp_path / "home", *arguments, **options))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(make_host: Callable[..., HostProcess]) -> HostProcess:
    """A started host with the fake runner."""
    return make_host().start()


@pytest.fixture
def refused() -> type[Refused]:
    """What a `Peer` raises when the host answers ``error``; its ``code`` says why."""
    return Refused


@pytest.fixture
def in_time() -> Callable[[float, float], None]:
    """Hold a time to its promise: to the second in ``make reliability``, generously on a machine that is busy."""
    patience = float(os.environ.get("FOLEYSPACE_TEST_PATIENCE", "10"))

    def check(took_s: float, promised_s: float) -> None:
        assert took_s <= patience * promised_s, f"{took_s:.3f} s where {promised_s:g} s are promised"

    return check


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Ask something until the answer is true."""

    def wait(ask: Callable[[], Any], timeout_s: float = PATIENT_S, every_s: float = 0.02) -> Any:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                answer = ask()
            except (FoleySpaceError, OSError):
                answer = None
            if answer:
                return answer
            assert time.monotonic() < deadline, "it did not become true"
            time.sleep(every_s)

    return wait


@pytest.fixture
def sound_buffers() -> Callable[..., tuple[list[BufferSpec], list[bytes]]]:
    """Describe and give raw buffers of so many channels and samples."""

    def make(channels: int, samples: int, n_buffers: int = 1, seed: int = 0) -> tuple[list[BufferSpec], list[bytes]]:
        import numpy as np

        noise = np.random.default_rng(seed)
        frames = [noise.uniform(-0.5, 0.5, (channels, samples)).astype("<f4").tobytes() for _ in range(n_buffers)]
        specs = [
            BufferSpec(dtype="f32le", n_bytes=len(frame), blake2b=buffer_digest(frame), shape=(channels, samples))
            for frame in frames
        ]
        return specs, frames

    return make
