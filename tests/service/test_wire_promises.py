"""W1 to W10: what goes over the wire, whatever it is and however it gets lost, against the real process.

Figures are recorded as properties of the tests. Bounds on times are those of the promise where it is one of
seconds; where it is one of milliseconds a busy machine gets ten times as long, and benchmarks measure the rest.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import psutil
import pytest
import zmq

from foleyspace_host.client import Client
from foleyspace_host.errors import ProtocolError
from foleyspace_host.protocol import limits
from foleyspace_host.protocol.connection import write_connection
from foleyspace_host.protocol.frames import MAGIC, decode
from foleyspace_host.protocol.messages import GenerateJob

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from example_frames import frames_of  # noqa: E402 - from tools

EXAMPLES = ROOT / "schemas" / "v1" / "examples"
CORPUS = [frames_of(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(EXAMPLES.rglob("*.json"))]
PING_S = 0.05

long = pytest.mark.long


def mutant(dice: random.Random, number: int) -> list[bytes]:
    """An example, changed a little or beyond recognition; its request is called after its number."""
    frames = list(dice.choice(CORPUS))
    with suppress(Exception):
        header = msgpack.unpackb(frames[1])
        frames[1] = msgpack.packb(header | {"request_id": f"m{number}"})
    for _ in range(dice.choice([0, 1, 1, 2, 5])):
        change, place = dice.randrange(6), dice.randrange(len(frames)) if frames else 0
        if not frames:
            break
        frame = bytearray(frames[place])
        if change == 0 and frame:
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        elif change == 1 and frame:
            del frame[dice.randrange(len(frame)) :]
        elif change == 2:
            at = dice.randrange(len(frame) + 1)
            frame[at:at] = dice.randbytes(dice.choice([1, 4, 64]))
        elif change == 3:
            frame = bytearray(dice.choice(dice.choice(CORPUS)))
        elif change == 4:
            frames.insert(place, dice.randbytes(dice.choice([0, 1, 100, 5000])))
        else:
            del frames[place]
            continue
        frames[min(place, len(frames) - 1)] = bytes(frame)
    return frames


def judged(frames: list[bytes]) -> tuple[str | None, bool]:
    """The request that must be answered, if one can be read, and whether it is a message."""
    try:
        message = decode(frames)
    except ProtocolError as error:
        return error.about.get("request_id"), False
    return message.header.request_id, True


def harmless(frames: list[bytes]) -> bool:
    """Whether the host goes on after it: it is no valid request to end."""
    try:
        return decode(frames).header.type != "shutdown"
    except ProtocolError:
        return True


def rss_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / (1 << 20)


PING = """
import json, sys, threading, time
import msgpack, zmq
told = json.loads(sys.argv[1])
link = zmq.Context().socket(zmq.DEALER)
link.linger = 0
link.curve_serverkey, link.curve_publickey, link.curve_secretkey = (key.encode() for key in told["keys"])
link.connect(told["control"])
stop, times = threading.Event(), []
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
while not stop.wait(0.01):
    begun = time.perf_counter()
    header = {"v": [1, 0], "type": "health", "client_id": "pings", "request_id": str(len(times))}
    link.send_multipart([b"FSP1", msgpack.packb(header), msgpack.packb({})])
    assert link.poll(10_000) and msgpack.unpackb(link.recv_multipart()[1])["request_id"] == str(len(times))
    times.append(time.perf_counter() - begun)
    if len(times) == 1:
        print("ready", flush=True)
print(json.dumps(times))
"""


class Pings:
    """Another process, which asks the control socket again and again how the host is, while something goes on."""

    def __init__(self, host: Any) -> None:
        told = host.connection
        keys = [told.server_public, told.client_public, told.client_secret]
        words = [sys.executable, "-c", PING, json.dumps({"control": told.control, "keys": keys})]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.times_s: list[float] = []

    def __enter__(self) -> Pings:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        out, _err = self._process.communicate(timeout=20)
        self.times_s = json.loads(out)[1:]  # the first has the handshake in it

    @property
    def p99_s(self) -> float:
        assert len(self.times_s) >= 20, "it was asked"
        return sorted(self.times_s)[int(0.99 * (len(self.times_s) - 1))]


# --- W1 to W3: bytes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=[long, pytest.mark.timeout(7200)])])
def test_W1_no_bytes_crash_the_host(host: Any, record_property: Any, count: int) -> None:
    """Mutants of every example, by a client that may speak: what can be answered is answered, and nothing breaks."""
    dice = random.Random(count)  # noqa: S311
    peer = host.peer()
    peer.ask("health")
    for _ in range(20):  # what is made only once is there
        peer.ask_work("hello", {"client_name": "w1", "versions": ((1, 0), (1, 0))})
    before, answered = rss_mb(host.pid), 0
    for start in range(0, count, 50):
        waiting: dict[zmq.Socket[bytes], set[str]] = {peer.work: set(), peer.control: set()}
        for number in range(start, start + 50):
            frames = mutant(dice, number)
            if not frames or not harmless(frames):
                continue
            link = dice.choice([peer.work, peer.control])
            request_id, _ = judged(frames)
            link.send_multipart(frames)
            if request_id == f"m{number}" and b"preview.credit" not in frames[1]:  # which is not answered if valid
                waiting[link].add(request_id)
        for link, wanted in waiting.items():
            deadline = time.monotonic() + 120.0  # jobs are written to the disk, which may be busy with much else
            while wanted:
                header = peer.receive(link, deadline - time.monotonic()).header
                wanted.discard(header.request_id)
                answered += 1
    assert answered > count / 4
    assert peer.ask("health").pid == host.pid
    growth = rss_mb(host.pid) - before
    record_property("rss_growth_mb", round(growth, 1))
    record_property("answered", answered)
    assert growth < 50
    assert not [line for line in host.log() if "bug" in line]


def test_W1_garbage_on_the_ports_is_nothing(host: Any, record_property: Any) -> None:
    """A thousand connections that do not speak ZeroMQ, or stop in the middle of it."""
    dice = random.Random(1)  # noqa: S311
    peer = host.peer()
    before = rss_mb(host.pid)
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE".ljust(15, b"\0") + bytes(48)
    starts = [b"", b"GET / HTTP/1.1\r\n\r\n", greeting, greeting[:20], b"\x16\x03\x01", b"\xff" * 64, MAGIC * 3]
    for number in range(1000):
        address = host.connection.work if number % 2 else host.connection.control
        place = "127.0.0.1", int(address.rsplit(":", 1)[1])
        with socket.create_connection(place, timeout=5) as raw, suppress(OSError):
            raw.sendall(dice.choice(starts) + dice.randbytes(dice.choice([0, 1, 64, 4096])))
        if number % 100 == 0:
            assert peer.ask("health").pid == host.pid
    assert peer.ask("health").pid == host.pid
    assert peer.submit_fake(stages=1)
    growth = rss_mb(host.pid) - before
    record_property("rss_growth_mb", round(growth, 1))
    assert growth < 50
    assert not [line for line in host.log() if "bug" in line]


def test_W2_decode_is_total() -> None:
    """Mutants of the examples and mere noise; hypothesis looks for more in the unit tests."""
    dice = random.Random(2)  # noqa: S311
    codes: list[str] = []
    for number in range(20_000):
        frames = mutant(dice, number)
        if number % 5 == 0:
            frames = [MAGIC, dice.randbytes(dice.randrange(40)), dice.randbytes(dice.randrange(200))]
        for sender in ("client", "host"):
            try:
                decode(frames, sender=sender)
            except ProtocolError as error:
                codes.append(error.code)
    assert set(codes) == {"invalid", "limit_exceeded", "version_unsupported"}
    assert 10_000 < len(codes) < 40_000, "some are messages"


def trajectory(n_sources: int = 1, **key: Any) -> dict[str, Any]:
    keys = [{"t_s": 0, "azimuth_deg": 0, "elevation_deg": 0, "distance_m": 1} | key]
    sources = [{"id": str(number), "keys": keys if n_sources == 1 else []} for number in range(n_sources)]
    return {"inline": {"schema": "foleyspace.trajectory/1", "duration_s": 1, "sources": sources}}


def render(**job: Any) -> dict[str, Any]:
    return {"job": {"kind": "render", "audio": {"path": "/a.wav"}, "trajectory": trajectory()} | job}


KEY = "$.job.trajectory.inline.sources[0].keys[0]"


BEYOND: list[tuple[Any, list[bytes], str, str]] = [
    (render(), [b""] * 62, "limit_exceeded", "message"),
    (render(x="a" * limits.MAX_BODY_BYTES), [], "limit_exceeded", "$"),
    (b"\x81\xa1x" + b"\x91" * 16 + b"\x00", [], "limit_exceeded", "$"),
    (b"\x81\xa1x" + b"\x91" * 200_000, [], "invalid", "$"),
    (render(), [bytes(limits.MAX_BUFFER_BYTES + 1)], "limit_exceeded", "buffer 0"),
    (render(trajectory=trajectory(10_001)), [], "limit_exceeded", "$.job.trajectory.inline.sources"),
    (render(trajectory=trajectory(distance_m=float("nan"))), [], "invalid", f"{KEY}.distance_m"),
    (render(trajectory=trajectory(azimuth_deg=float("inf"))), [], "invalid", f"{KEY}.azimuth_deg"),
    (render(trajectory=trajectory(distance_m=1e300)), [], "invalid", f"{KEY}.distance_m"),
    (render(settings={"spread": -0.1}), [], "invalid", "$.job.settings.spread"),
]


def test_W3_limits(host: Any, refused: Any) -> None:
    peer = host.peer()
    for number, (body, buffers, code, where) in enumerate(BEYOND):
        header = {"v": [1, 0], "type": "job.submit", "client_id": peer.client_id, "request_id": f"w3-{number}"}
        packed = body if isinstance(body, bytes) else msgpack.packb(body)
        peer.work.send_multipart([MAGIC, msgpack.packb(header), packed, *buffers])
        with pytest.raises(refused) as caught:
            peer.reply(peer.work, f"w3-{number}")
        assert (caught.value.error.code, caught.value.error.where) == (code, where)
    assert peer.submit_fake(stages=1), "the connection goes on"


def test_W3_a_frame_beyond_zeromq_s_limit_ends_its_connection_alone(host: Any) -> None:
    other, peer = host.peer(), host.peer()
    header = {"v": [1, 0], "type": "job.submit", "client_id": peer.client_id, "request_id": "w3"}
    before = rss_mb(host.pid)
    peer.work.send_multipart([MAGIC, msgpack.packb(header), msgpack.packb(render()), bytes(limits.MAX_FRAME_BYTES + 1)])
    with pytest.raises(TimeoutError):
        peer.reply(peer.work, "w3", timeout_s=1.0)
    assert other.submit_fake(stages=1)
    peer.hello()  # ZeroMQ has connected again by itself
    assert rss_mb(host.pid) - before < 50


# --- W4 to W6: many, slow and busy --------------------------------------------------------------------------------


def test_W4_sixty_four_clients(host: Any, record_property: Any, in_time: Any) -> None:
    """64 clients x 100 requests, while there is work to do: each hears what it asked for and nothing else."""
    n_clients, n_requests = 64, 100
    context = zmq.Context()
    clients = [Talker(context, host.connection, number) for number in range(n_clients)]
    poller = zmq.Poller()
    by_socket = {}
    for client in clients:
        for link in (client.work, client.control):
            poller.register(link, zmq.POLLIN)
            by_socket[link] = client
    begun = time.monotonic()
    with Pings(host) as pings:
        for client in clients:
            client.send("hello", {"client_name": f"w4-{client.number}", "versions": [[1, 0], [1, 0]]})
        while any(client.answers < n_requests for client in clients):
            ready = poller.poll(10_000)
            assert ready, "none is lost"
            for link, _ in ready:
                by_socket[link].receive(link)
                by_socket[link].go_on(n_requests)
    took_s = time.monotonic() - begun
    context.destroy(linger=0)
    record_property("requests_per_s", round(n_clients * n_requests / took_s))
    record_property("ping_p99_ms", round(pings.p99_s * 1000, 1))
    jobs = [job for client in clients for job in client.jobs]
    assert len(jobs) == len(set(jobs)) == n_clients * 4
    assert all(client.answers == n_requests for client in clients)
    in_time(pings.p99_s, PING_S)


class Talker:
    """One of many clients: asks one thing after the other, and looks whether each answer is its own."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], connection: Any, number: int) -> None:
        self.number, self.client_id = number, f"talker-{number}"
        self.answers, self.asked, self.jobs = 0, 0, []
        self.waiting: dict[str, tuple[str, Any]] = {}
        self.work, self.control = (
            self._socket(context, connection, at) for at in (connection.work, connection.control)
        )

    def _socket(self, context: zmq.Context[zmq.Socket[bytes]], connection: Any, address: str) -> zmq.Socket[bytes]:
        link = context.socket(zmq.DEALER)
        link.linger = 0
        link.curve_serverkey = connection.server_public.encode()
        link.curve_publickey = connection.client_public.encode()
        link.curve_secretkey = connection.client_secret.encode()
        link.connect(address)
        return link

    def send(self, kind: str, body: Any) -> None:
        request_id = f"{self.number}.{self.asked}"
        self.asked += 1
        self.waiting[request_id] = kind, body
        header = {"v": [1, 0], "type": kind, "client_id": self.client_id, "request_id": request_id}
        link = self.work if kind in ("hello", "job.submit") else self.control
        link.send_multipart([MAGIC, msgpack.packb(header), msgpack.packb(body)])

    def receive(self, link: zmq.Socket[bytes]) -> None:
        message = decode(link.recv_multipart(), sender="host")
        body, request_id = message.body, message.header.request_id
        if request_id is None:
            assert body.job_id in self.jobs or any(kind == "job.submit" for kind, _ in self.waiting.values())
            return
        kind, asked = self.waiting.pop(request_id)  # a KeyError: somebody else's, or twice
        assert message.header.type == f"{kind}.ok"
        if kind == "job.submit":
            self.jobs.append(body.job_id)
        elif kind == "job.status":
            assert (body.job_id, body.client_id) == (asked["job_id"], self.client_id)
        elif kind == "job.list":
            assert {job.client_id for job in body.jobs} <= {self.client_id}
        self.answers += 1

    def go_on(self, n_requests: int) -> None:
        """Ask the next things; two are on their way at a time."""
        while self.answers and len(self.waiting) < 2 and self.asked < n_requests:
            if self.asked % 25 == 1:
                prompt = json.dumps({"stages": 1, "step_ms": 1, "name": f"{self.client_id} {self.asked}"})
                self.send("job.submit", {"job": {"kind": "generate", "prompt": prompt}})
            elif self.asked % 10 == 3:
                self.send("job.list", {"limit": 10})
            elif self.jobs and self.asked % 2:
                self.send("job.status", {"job_id": self.jobs[self.asked % len(self.jobs)]})
            else:
                self.send("health", {})


def sounding(peer: Any, megabytes: int) -> tuple[str, int]:
    """A finished job with so much sound to be heard: its id, and samples of each channel."""
    stages = 20
    step = megabytes * (1 << 17) // stages
    prompt = json.dumps({"stages": stages, "step_ms": 0, "preview": step})
    body = {"job": GenerateJob(prompt=prompt), "preview": True}
    job_id = peer.ask_work("job.submit", body).job_id
    report = peer.finished(job_id, 120)
    assert report.state == "done", report
    return str(job_id), stages * step


def read_little(peer: Any, n_messages: int) -> None:
    """Give a client a work socket that holds no more than so many messages which nobody has read."""
    peer.work.close()
    peer._context.setsockopt(zmq.RCVHWM, n_messages)
    peer.work = peer.socket(peer.connection.work)
    peer.hello()


def news(peer: Any) -> Any:
    """Return what comes next, but for a greeting that is said again to find out whether anybody is there."""
    while (message := peer.receive(peer.work, 30)).header.type == "hello.ok":
        pass
    return message


@pytest.mark.parametrize("megabytes", [96, pytest.param(500, marks=long)])
def test_W5_a_slow_client_is_told_so_and_loses_nothing(
    host: Any, record_property: Any, megabytes: int, in_time: Any
) -> None:
    peer = host.peer()
    job_id, n_samples = sounding(peer, megabytes)
    read_little(peer, 1)
    peer.ask("health")
    before, most = rss_mb(host.pid), 0.0
    with Pings(host) as pings:
        opened = peer.ask_work("preview.open", {"job_id": job_id, "credit": 4})
        for number in range(3):  # one chunk a second, and then no more
            chunk = news(peer).body
            assert (chunk.seq, chunk.start_sample) == (number, number * 48_000)
            peer.send(peer.work, "preview.credit", {"preview_id": opened.preview_id, "n": 1})
            time.sleep(1.0)
            most = max(most, rss_mb(host.pid) - before)
        begun, kinds = time.monotonic(), []
        while "preview.end" not in kinds:
            message = news(peer)
            kinds.append(message.header.type)
    assert kinds == ["preview.chunk"] * 4 + ["preview.end"], "no credit, no chunk"
    assert message.body.reason == "client_slow"
    assert 8.0 < time.monotonic() - begun < 20.0
    most = max(most, rss_mb(host.pid) - before)
    record_property("rss_growth_mb", round(most, 1))
    record_property("ping_p99_ms", round(pings.p99_s * 1000, 1))
    assert most < 64
    in_time(pings.p99_s, PING_S)
    # what was not heard is still there, from any sample on, and so is the file
    heard = chunk.start_sample + chunk.n_samples
    fast = host.peer()
    opened = fast.ask_work("preview.open", {"job_id": job_id, "credit": 8, "start_sample": heard})
    while (message := news(fast)).header.type == "preview.chunk":
        assert message.body.start_sample == heard
        heard += message.body.n_samples
        fast.send(fast.work, "preview.credit", {"preview_id": opened.preview_id, "n": 1})
    assert (message.body.reason, heard) == ("complete", n_samples)
    assert fast.ask_work("artifact.read", {"job_id": job_id}).last


def test_W5_a_client_that_lies_about_reading_costs_little(host: Any, record_property: Any, in_time: Any) -> None:
    """It gives credit again and again, opens all the previews it may, and reads nothing."""
    peer, other = host.peer(), host.peer()
    job_id, _ = sounding(other, 256)
    read_little(peer, 1)
    before, most = rss_mb(host.pid), 0.0
    first = peer.ask_work("preview.open", {"job_id": job_id, "credit": 1})
    with Pings(host) as pings:
        for _ in range(40):
            peer.send(peer.work, "preview.credit", {"preview_id": first.preview_id, "n": 64})
            peer.send(peer.work, "preview.open", {"job_id": job_id, "credit": 64})  # four are granted
            time.sleep(0.05)
            most = max(most, rss_mb(host.pid) - before)
    record_property("rss_growth_mb", round(most, 1))
    assert most < 64
    in_time(pings.p99_s, PING_S)
    assert other.submit_fake(stages=1)


def test_W6_a_worker_that_holds_the_interpreter_s_lock_stops_nobody(
    host: Any, record_property: Any, in_time: Any
) -> None:
    peer = host.peer()
    job_id = peer.submit_fake(stages=2, hold=1)
    peer.event("job.progress", job_id=job_id)
    with Pings(host) as pings:
        time.sleep(2.0)
    record_property("ping_p99_ms", round(pings.p99_s * 1000, 1))
    in_time(pings.p99_s, PING_S)
    begun = time.monotonic()
    peer.ask("job.cancel", {"job_id": job_id})
    assert peer.finished(job_id).state == "cancelled"
    in_time(time.monotonic() - begun, 5.0)  # killed after three


# --- W7 to W9: connections that come and go -----------------------------------------------------------------------


def until(client: Client, true: Callable[[], Any], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        client.poll()
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


def test_W7_reconnect(make_host: Any, monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    """The host is killed while a client looks on, and comes back elsewhere; nobody does anything."""
    host = make_host().start()
    monkeypatch.setenv("FOLEYSPACE_HOME", str(host.home))
    with Client("w7", start=False) as client:
        first = client.instance_id
        job = client.submit("generate", prompt=json.dumps({"stages": 100, "step_ms": 20}))
        until(client, lambda: job.state == "running")
        host.kill()
        until(client, lambda: not client.connected)
        # a request that is made while there is no host waits for the next one
        late = client.submit("generate", prompt=json.dumps({"stages": 1}), wait=False)
        again = make_host(home=host.home).start()
        begun = time.monotonic()
        until(client, lambda: client.connected)
        record_property("reconnected_s", round(time.monotonic() - begun, 2))
        assert client.instance_id == again.connection.instance_id != first
        assert again.connection.work != host.connection.work or again.pid != host.pid
        until(client, lambda: job.state == late.state == "done")
        assert job.result().artifacts
        assert late.result().artifacts


STOPPED = """
import sys, time
from foleyspace_host.client import Client
with Client("w8", start=False) as client:
    job = client.submit("generate", prompt='{"stages": 100, "step_ms": 30}')
    print("submitted", flush=True)
    while job.state not in ("done", "failed", "cancelled"):
        client.poll()
        time.sleep(0.01)
    print(job.state, len(job.result().artifacts), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process and let it go on")
@pytest.mark.parametrize("stopped_s", [6.0, pytest.param(60.0, marks=long)])
def test_W8_a_half_open_peer(host: Any, eventually: Any, stopped_s: float) -> None:
    """A client that is stopped (a laptop asleep, a debugger) is given up, and welcome when it goes on."""
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED], env=host.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "submitted\n"
        child.send_signal(signal.SIGSTOP)
        begun = time.monotonic()

        def given_up() -> bool:
            return any(line["event"] == "gone" and line["client_name"] == "w8" for line in host.log())

        eventually(given_up, 8.0)  # three heartbeats are missed, and one more second
        time.sleep(max(0.0, stopped_s - (time.monotonic() - begun)))
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
    assert (out, err) == ("done 1\n", "")


class BadNetwork(threading.Thread):
    """Stands between clients and host; loses, doubles and delays a share of all messages."""

    def __init__(self, connection: Any, share: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._real, self._share = connection, share
        self._dice = random.Random(seed)  # noqa: S311
        self._context = zmq.Context()
        public, secret = zmq.curve_keypair()
        self._front: dict[zmq.Socket[bytes], str] = {}
        self._peers: dict[tuple[zmq.Socket[bytes], bytes], zmq.Socket[bytes]] = {}
        self._held: list[tuple[float, zmq.Socket[bytes], list[bytes]]] = []
        self._ending = threading.Event()
        self.counts = {"lost": 0, "doubled": 0, "delayed": 0, "passed": 0}
        addresses = {}
        for name in ("work", "control"):
            link = self._context.socket(zmq.ROUTER)
            link.linger, link.curve_server, link.curve_secretkey = 0, True, secret
            port = link.bind_to_random_port("tcp://127.0.0.1")
            self._front[link], addresses[name] = getattr(connection, name), f"tcp://127.0.0.1:{port}"
        self.connection = msgspec.structs.replace(connection, server_public=public.decode(), **addresses)

    def _back(self, front: zmq.Socket[bytes], identity: bytes) -> zmq.Socket[bytes]:
        if (front, identity) not in self._peers:
            link = self._context.socket(zmq.DEALER)
            link.linger = 0
            link.curve_serverkey = self._real.server_public.encode()
            link.curve_publickey = self._real.client_public.encode()
            link.curve_secretkey = self._real.client_secret.encode()
            link.connect(self._front[front])
            self._peers[front, identity] = link
        return self._peers[front, identity]

    def _pass(self, link: zmq.Socket[bytes], frames: list[bytes]) -> None:
        fate = self._dice.random() / self._share
        kind = ("lost", "doubled", "delayed", "passed")[min(int(fate), 3)]
        self.counts[kind] += 1
        if kind == "delayed":
            self._held.append((time.monotonic() + self._dice.uniform(0.05, 0.3), link, frames))
        for _ in range({"lost": 0, "doubled": 2, "delayed": 0, "passed": 1}[kind]):
            link.send_multipart(frames)

    def run(self) -> None:
        while not self._ending.is_set():
            poller = zmq.Poller()
            for link in (*self._front, *self._peers.values()):
                poller.register(link, zmq.POLLIN)
            ready = dict(poller.poll(20))
            for front in self._front:
                if front in ready:
                    identity, *frames = front.recv_multipart()
                    self._pass(self._back(front, identity), frames)
            for (front, identity), link in list(self._peers.items()):
                if link in ready:
                    self._pass(front, [identity, *link.recv_multipart()])
            now = time.monotonic()
            due = [held for held in self._held if held[0] <= now]
            self._held = [held for held in self._held if held[0] > now]
            for _, link, frames in due:
                link.send_multipart(frames)
        self._context.destroy(linger=0)

    def stop(self) -> None:
        self._ending.set()
        self.join(10)


class Forgetful(BadNetwork):
    """Loses the first answer to each submission, and every word of how a job ended."""

    def _pass(self, link: zmq.Socket[bytes], frames: list[bytes]) -> None:
        head = frames[frames.index(MAGIC) + 1]
        kind = msgpack.unpackb(head)["type"]
        if kind == "job.finished" or (kind == "job.submit.ok" and self.counts["lost"] == 0):
            self.counts["lost"] += kind == "job.submit.ok"
        else:
            link.send_multipart(frames)


@contextmanager
def bad_network(network: BadNetwork, home: Path) -> Iterator[BadNetwork]:
    write_connection(home / "state", network.connection)
    network.start()
    yield network
    network.stop()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=long) for seed in range(2, 12))])
def test_W9_lost_doubled_and_reordered_messages(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any, seed: int
) -> None:
    """5 % each are lost, come twice, or come later than others: every job is done once."""
    count = tmp_path / "count"
    count.mkdir()
    with bad_network(BadNetwork(host.connection, 0.05, seed), tmp_path / "bad") as network:
        monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "bad"))
        with Client("w9", start=False) as client:
            jobs = []
            for number in range(30):
                steps = count / str(number)
                steps.mkdir()
                plan = {"stages": 3, "step_ms": 5, "count": str(steps)}
                jobs.append(client.submit("generate", prompt=json.dumps(plan), wait=False))
                until(client, lambda: True)
            until(client, lambda: all(job.state == "done" for job in jobs), 120)
            assert all(job.result().artifacts for job in jobs)
    assert min(network.counts.values()) > 0
    for kind, number in network.counts.items():
        record_property(kind, number)
    peer = host.peer()
    listed = peer.ask("job.list", {"mine": False, "limit": 200}).jobs
    assert len({job.job_id for job in listed}) == len(listed) == 30
    assert all(job.attempts == 1 for job in listed)
    for number in range(30):
        for step in (count / str(number)).iterdir():
            assert step.read_bytes() == b"x", "no step was done twice"


@pytest.mark.parametrize(("plan", "state"), [({"stages": 2}, "done"), ({"stages": 2, "fail": 1}, "failed")])
def test_W9_what_became_of_a_job_is_asked_for(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: dict[str, Any], state: str
) -> None:
    """The job is over before the client hears that it was taken, and the news of its end is lost."""
    with bad_network(Forgetful(host.connection, 1.0, 0), tmp_path / "bad") as network:
        monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "bad"))
        with Client("w9", start=False) as client:
            job = client.submit("generate", prompt=json.dumps(plan), wait=False)
            until(client, lambda: job.finished)
            assert (job.state, network.counts["lost"]) == (state, 1)
            if state == "done":
                assert job.result().artifacts
            else:
                assert job.error is not None
                assert job.error.code == "media_damaged"


# --- W10: nothing to do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("idle_s", [6.0, pytest.param(3600.0, marks=[long, pytest.mark.timeout(4000)])])
def test_W10_idle_cost(host: Any, record_property: Any, idle_s: float) -> None:
    peer = host.peer()
    peer.finished(peer.submit_fake(stages=1))
    time.sleep(1.5)  # what follows a job
    process = psutil.Process(host.pid)
    family = [process, *process.children(recursive=True)]

    def spent() -> float:
        return sum(sum(one.cpu_times()[:2]) for one in family)

    def files() -> int:
        return sum(one.num_fds() if hasattr(one, "num_fds") else one.num_handles() for one in family)

    before = spent(), files(), rss_mb(host.pid)
    time.sleep(idle_s)
    cpu = (spent() - before[0]) / idle_s
    record_property("cpu_percent", round(100 * cpu, 2))
    record_property("rss_mb", round(rss_mb(host.pid), 1))
    assert cpu < 0.005
    assert files() == before[1]
    assert abs(rss_mb(host.pid) - before[2]) < 5


@pytest.mark.parametrize("cycles", [100, pytest.param(1000, marks=long)])
def test_W10_connections_leave_nothing(host: Any, eventually: Any, record_property: Any, cycles: int) -> None:
    process = psutil.Process(host.pid)

    def cycle() -> None:
        peer = host.peer()
        peer.ask("health")
        peer.close()

    def files() -> int:
        return process.num_fds() if hasattr(process, "num_fds") else process.num_handles()

    for _ in range(10):
        cycle()
    time.sleep(1.0)
    before = files(), rss_mb(host.pid)
    for _ in range(cycles):
        cycle()
    eventually(lambda: files() <= before[0], 10)
    growth = rss_mb(host.pid) - before[1]
    record_property("rss_growth_mb", round(growth, 1))
    assert growth < 10
