"""One guarded socket: who gets in, what is answered, and that nothing ends its thread."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from foleyspace_host.errors import HostError, NotFound
from foleyspace_host.host import auth
from foleyspace_host.host.auth import Gatekeeper, Keys, fresh_keys
from foleyspace_host.host.endpoint import Call, Endpoint, Reply
from foleyspace_host.host.router import Limits
from foleyspace_host.protocol.frames import Message, decode, encode
from foleyspace_host.protocol.messages import PROTOCOL, Health, JobAck, JobAckOk, JobReport, JobStatus

LIMITS = Limits(frame_bytes=1 << 20, received=8, sent=8)


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    made = zmq.Context()
    yield made
    made.term()


@pytest.fixture
def keys() -> Keys:
    return fresh_keys()


@pytest.fixture
def endpoint(context: Any, keys: Keys) -> Iterator[Endpoint]:
    gatekeeper = Gatekeeper(context, keys)
    gatekeeper.start()
    made = Endpoint("control", context, gatekeeper, port=0, instance_id="host-1", limits=LIMITS)

    def ack(call: Call) -> Reply:
        body = call.message.body
        assert isinstance(body, JobAck)
        return Reply(JobAckOk(job_id=body.job_id))

    def status(_call: Call) -> Reply:
        raise NotFound("there is no such job", where="$.job_id")

    def health(_call: Call) -> Reply:
        raise RuntimeError("secret text")

    made.handlers = {"job.ack": ack, "job.status": status, "health": health}
    made.start()
    yield made
    made.end()


@pytest.fixture
def connect(endpoint: Endpoint, keys: Keys) -> Iterator[Callable[..., zmq.Socket[bytes]]]:
    with zmq.Context() as clients:
        made: list[zmq.Socket[bytes]] = []

        def make(**changed: bytes) -> zmq.Socket[bytes]:
            socket = clients.socket(zmq.DEALER)
            socket.linger = 0
            socket.curve_serverkey = changed.get("server_public", keys.server_public)
            socket.curve_publickey = changed.get("client_public", keys.client_public)
            socket.curve_secretkey = changed.get("client_secret", keys.client_secret)
            socket.connect(endpoint.address)
            made.append(socket)
            return socket

        yield make
        for socket in made:
            socket.close()


def ask(socket: zmq.Socket[bytes], kind: str, body: Any, **header: Any) -> Message:
    header = {"v": PROTOCOL, "client_id": "c", "request_id": uuid.uuid4().hex} | header
    socket.send_multipart(encode(kind, body, **header))
    return answer(socket)


def answer(socket: zmq.Socket[bytes]) -> Message:
    assert socket.poll(5000), "no answer"
    return decode(socket.recv_multipart(), sender="host")


def test_request_and_reply(connect: Any) -> None:
    reply = ask(connect(), "job.ack", JobAck(job_id="j1"), request_id="r1")
    assert (reply.header.type, reply.header.request_id, reply.header.instance_id) == ("job.ack.ok", "r1", "host-1")
    assert reply.body == JobAckOk(job_id="j1")


def test_errors_and_bugs_are_answered_and_nothing_ends(connect: Any, endpoint: Endpoint) -> None:
    socket = connect()
    assert ask(socket, "job.status", JobStatus(job_id="j"), request_id="r2").body.code == "not_found"
    internal = ask(socket, "health", Health(), request_id="r3")
    assert (internal.body.code, internal.header.request_id) == ("internal", "r3")
    assert "secret" not in internal.body.message
    other = ask(socket, "artifact.read", decoded("artifact.read", job_id="j"))
    assert other.body.code == "invalid"
    assert "work" in other.body.cure
    for garbage in ([b"x"], [b"FSP1", b"\xff", b"\xff"], [b""] * 5, [b"FSP1"] * 70):
        socket.send_multipart(garbage)
        assert answer(socket).header.type == "error"
    assert ask(socket, "job.ack", JobAck(job_id="j1")).header.type == "job.ack.ok"
    assert endpoint.is_alive()


def decoded(kind: str, **fields: Any) -> Any:
    from foleyspace_host.protocol.messages import BODIES

    return BODIES[kind](**fields)


def test_a_message_of_very_many_frames(connect: Any) -> None:
    socket = connect()
    socket.send_multipart([b"FSP1", *[b""] * 200_000])
    assert answer(socket).header.type == "error"
    assert ask(socket, "job.ack", JobAck(job_id="j1")).header.type == "job.ack.ok"


def test_unknown_fields_are_reported_where_there_is_room(connect: Any, endpoint: Endpoint) -> None:
    import msgpack

    report = JobReport(job_id="j", kind="render", state="done", client_id="c", client_name="n", created_s=1.0)
    endpoint.handlers = {"job.status": lambda _call: Reply(report)}
    socket = connect()
    header = {"v": PROTOCOL, "type": "job.status", "client_id": "c", "request_id": "r"}
    socket.send_multipart([b"FSP1", msgpack.packb(header), msgpack.packb({"job_id": "j", "colour": "red"})])
    assert answer(socket).body.warnings == ["$.colour: unknown field, ignored"]


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_who_has_not_the_keys_gets_silence(connect: Any, endpoint: Endpoint, wrong: str) -> None:
    public, secret = zmq.curve_keypair()
    changed = {"client_public": public, "client_secret": secret} if wrong == "client" else {"server_public": public}
    heard_s = endpoint.heard_s
    socket = connect(**changed)
    socket.send_multipart(encode("job.ack", JobAck(job_id="j"), v=PROTOCOL, client_id="c", request_id="r"))
    assert not socket.poll(400)
    assert endpoint.heard_s == heard_s


def test_no_gatekeeper_no_entry(keys: Keys) -> None:
    """A socket that nobody guards admits nobody, even with the right key."""
    with zmq.Context() as context, zmq.Context() as clients:
        gatekeeper = Gatekeeper(context, keys)
        router = context.socket(zmq.ROUTER)
        router.linger = 0
        gatekeeper.guard(router)
        gatekeeper._questions.close()
        port = router.bind_to_random_port("tcp://127.0.0.1")
        socket = clients.socket(zmq.DEALER)
        socket.linger = 0
        socket.curve_serverkey, socket.curve_publickey = keys.server_public, keys.client_public
        socket.curve_secretkey = keys.client_secret
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.send(b"x")
        assert not router.poll(400)
        socket.close()
        router.close()


def test_strange_questions_to_the_gatekeeper_are_refused(context: Any, keys: Keys) -> None:
    gatekeeper = Gatekeeper(context, keys)
    right = [b"1.0", b"7", b"foleyspace", b"127.0.0.1", b"", b"CURVE", z85.decode(keys.client_public)]
    assert gatekeeper._answer(right)[:3] == [b"1.0", b"7", b"200"]
    for index, value in ((0, b"2.0"), (2, b""), (5, b"NULL"), (5, b"PLAIN"), (6, b""), (6, keys.client_public)):
        assert gatekeeper._answer([*right[:index], value, *right[index + 1 :]])[2] == b"400"
    for length in range(7):
        assert gatekeeper._answer(right[:length])[2] == b"400"
    assert gatekeeper._answer([*right, b"more"])[2] == b"400"
    gatekeeper._questions.close()


def test_no_encryption_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth.zmq, "has", lambda name: name != "curve")
    with pytest.raises(HostError, match="CURVE"):
        fresh_keys()


def test_secrets_do_not_print(keys: Keys) -> None:
    assert keys.server_secret.decode() not in repr(keys)
    assert keys.client_secret.decode() not in repr(keys)


def test_a_port_in_use_is_named(context: Any, endpoint: Endpoint, keys: Keys) -> None:
    port = int(endpoint.address.rsplit(":", 1)[1])
    nobody: Any = type("Nobody", (), {"guard": lambda self, socket: None})()
    with pytest.raises(HostError, match=str(port)):
        Endpoint("other", context, nobody, port=port, instance_id="i", limits=LIMITS)


def test_a_lost_connection_is_noticed_and_never_confused(connect: Any, endpoint: Endpoint) -> None:
    seen: dict[str, int] = {}
    lost: list[int] = []

    def ack(call: Call) -> Reply:
        body = call.message.body
        assert isinstance(body, JobAck)
        seen[body.job_id] = call.descriptor
        return Reply(JobAckOk(job_id=body.job_id))

    endpoint.handlers, endpoint.on_lost = {"job.ack": ack}, lost.append
    for number in range(20):
        socket = connect()
        ask(socket, "job.ack", JobAck(job_id=str(number)))
        assert seen[str(number)] >= 0
        assert len(lost) == number, "an end is told before the next connection can be heard"
        socket.close()
        deadline = time.monotonic() + 40
        while len(lost) == number and time.monotonic() < deadline:
            time.sleep(0.002)
    assert lost == [seen[str(number)] for number in range(20)]


def test_posted_actions_run_in_its_thread_in_order(endpoint: Endpoint) -> None:
    ran: list[tuple[int, str]] = []
    done = threading.Event()
    for number in range(500):
        endpoint.post(lambda number=number: ran.append((number, threading.current_thread().name)))
    endpoint.post(lambda: 1 / 0)
    endpoint.post(done.set)
    assert done.wait(5)
    assert ran == [(number, "control") for number in range(500)]


def test_sending_to_nobody_says_so(endpoint: Endpoint) -> None:
    answers: list[bool | None] = []
    done = threading.Event()
    endpoint.post(lambda: answers.append(endpoint.send(b"nobody", "job.ack.ok", JobAckOk(job_id="j"))))
    endpoint.post(done.set)
    assert done.wait(5)
    assert answers == [None]
    endpoint.end()
    endpoint.post(done.clear)  # nobody is there to do it
    assert done.is_set()
