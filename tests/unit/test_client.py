"""The client against a host that misbehaves in every way that a test can arrange."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host import client as module
from foleyspace_host.client import (
    Client,
    ClientError,
    ConnectionUnsafe,
    HostError,
    HostNotRunning,
    Job,
    read_connection,
    sound_buffers,
    start_command,
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="files have no such owners and modes there")


class FakeHost(threading.Thread):
    """Speaks the protocol on two encrypted sockets; what it answers is up to the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.context = zmq.Context()
        self.public, secret = zmq.curve_keypair()
        self.sockets = {name: self.context.socket(zmq.ROUTER) for name in ("control", "work")}
        self.ports = {}
        for name, socket in self.sockets.items():
            socket.curve_server, socket.curve_secretkey, socket.curve_publickey = True, secret, self.public
            socket.linger = 0
            self.ports[name] = socket.bind_to_random_port("tcp://127.0.0.1")
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, Callable[[dict[str, Any]], list[tuple[str, dict[str, Any]]]]] = {}
        self.stopping = threading.Event()
        self.counts: dict[str, int] = {}

    def write(self, **changes: Any) -> Path:
        public, secret = zmq.curve_keypair()
        connection = {
            "pid": os.getpid(),
            "instance_id": "fake",
            "server_public": self.public.decode(),
            "client_public": public.decode(),
            "client_secret": secret.decode(),
            **{name: f"tcp://127.0.0.1:{port}" for name, port in self.ports.items()},
            **changes,
        }
        return write_file(self.folder, json.dumps(connection))

    def run(self) -> None:
        poller = zmq.Poller()
        for socket in self.sockets.values():
            poller.register(socket, zmq.POLLIN)
        while not self.stopping.is_set():
            for socket, _ in poller.poll(20):
                peer, *frames = socket.recv_multipart()
                header, body = msgpack.unpackb(frames[1]), msgpack.unpackb(frames[2])
                name = next(name for name, known in self.sockets.items() if known is socket)
                self.seen.append((name, header["type"], header | body))
                self.counts[header["type"]] = self.counts.get(header["type"], 0) + 1
                default = {"hello": {"host_version": "0"}}.get(header["type"], {})
                answer = self.answers.get(header["type"])
                answers = [(header["type"] + ".ok", default)] if answer is None else answer(header | body)
                for kind, fields in answers:
                    told = {"type": kind, "v": [1, 0]}
                    if not kind.startswith(("job.progress", "job.finished", "preview.chunk", "preview.end")):
                        told["request_id"] = fields.pop("to", header["request_id"])
                    rest = fields.pop("frames", [])
                    raw = fields.pop("raw", None)
                    sent = raw or [b"FSP1", msgpack.packb(told), msgpack.packb(fields), *rest]
                    socket.send_multipart([peer, *sent])
        self.context.destroy(linger=0)

    def stop(self) -> None:
        self.stopping.set()
        self.join(5)


def write_file(folder: Path, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "host.json"
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    return tmp_path / "state"


@pytest.fixture
def fake(folder: Path) -> Iterator[FakeHost]:
    host = FakeHost(folder)
    host.start()
    host.write()
    yield host
    host.stop()


@pytest.fixture
def client(fake: FakeHost) -> Iterator[Client]:
    made = Client("test", start=False)
    yield made
    made.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.1)
    monkeypatch.setattr(module, "REFRESH_S", 0.2)


def report(state: str, **more: Any) -> dict[str, Any]:
    return {"job_id": "j1", "kind": "render", "state": state, **more}


DONE = {"artifacts": [{"role": "audio", "path": "/x.wav", "n_bytes": 3, "sha256": "0" * 64}], "result": {"n": 1}}


class TestWire:
    def test_every_message_is_as_the_protocol_says(self, fake: FakeHost, client: Client) -> None:
        client.connect().health()
        client.submit("generate", prompt="x", priority=3, deadline_s=9.0, preview=True, wait=False)
        while fake.counts.get("job.submit") is None:
            client.poll()
        assert [kind for _, kind, _ in fake.seen[:2]] == ["hello", "hello"]
        submitted = next(fields for _, kind, fields in fake.seen if kind == "job.submit")
        assert submitted["v"] == [1, 0]
        assert submitted["client_id"] == client.client_id
        assert submitted["job"] == {"kind": "generate", "prompt": "x", "output": {}}
        assert (submitted["priority"], submitted["deadline_s"], submitted["preview"]) == (3, 9.0, True)
        assert {name for name, kind, _ in fake.seen if kind == "health"} == {"control"}
        assert {name for name, kind, _ in fake.seen if kind == "job.submit"} == {"work"}

    def test_files_bring_their_folders_along(self, fake: FakeHost, client: Client, tmp_path: Path) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]
        client.submit(
            "render",
            audio={"path": tmp_path / "a" / "x.wav", "span": {"start": [1, 2], "duration": [3, 1]}},
            trajectory={"schema": "foleyspace.trajectory/1"},
            settings={"hrtf": str(tmp_path / "b" / "mine.sofa"), "spread": 2.0},
            folder=tmp_path / "c",
            stem="take",
        )
        kinds = [(kind, fields) for name, kind, fields in fake.seen if name == "work"]
        last_hello = [fields for kind, fields in kinds[:-1] if kind == "hello"][-1]
        assert kinds[-1][0] == "job.submit"  # after the hello that allows its folders
        assert last_hello["roots"] == [str(tmp_path / name) for name in "abc"]
        job = kinds[-1][1]["job"]
        assert job["audio"]["span"] == {"start": [1, 2], "duration": [3, 1]}
        assert job["trajectory"] == {"buffer": 0}
        assert job["settings"]["spread"] == 2.0
        assert job["output"] == {"folder": str(tmp_path / "c"), "stem": "take"}
        assert kinds[-1][1]["buffers"][0]["dtype"] == "json"

    def test_a_timeline_brings_its_folder_along(
        self, fake: FakeHost, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]
        monkeypatch.chdir(tmp_path)
        client.submit("timeline", timeline="cut/a.otio")
        seen = [(kind, fields) for name, kind, fields in fake.seen if name == "work"]
        assert seen[-1][1]["job"]["timeline"] == str(tmp_path / "cut" / "a.otio")
        assert [fields for kind, fields in seen if kind == "hello"][-1]["roots"] == [str(tmp_path / "cut")]

    def test_of_many_folders_the_last_are_kept(self, client: Client) -> None:
        client.allow(*(f"/folder/{number}" for number in range(100)))
        assert client._roots == [f"/folder/{number}" for number in range(36, 100)]


class TestBadConnections:
    @pytest.mark.usefixtures("hasty")
    def test_a_lost_answer_is_asked_for_again_under_the_same_id(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: (
            [] if fake.counts["job.submit"] < 3 else [("job.submit.ok", {"job_id": "j1", "state": "queued"})] * 2
        )
        job = client.submit("generate", timeout_s=40)
        ids = [fields["request_id"] for _, kind, fields in fake.seen if kind == "job.submit"]
        assert job.job_id == "j1"
        assert len(ids) >= 3
        assert len(set(ids)) == 1

    @pytest.mark.usefixtures("hasty")
    def test_an_end_that_was_lost_is_found_out(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]
        fake.answers["job.status"] = lambda _: [
            ("job.status.ok", report("done", **DONE) if fake.counts["job.status"] > 2 else report("running"))
        ]
        assert client.submit("generate").result(timeout_s=40).details == {"n": 1}

    def test_an_end_before_the_acceptance_counts(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [
            ("job.finished", report("done", **DONE)),
            ("job.progress", {"job_id": "j1", "seq": 1, "progress": {"stage": "x", "fraction": 0.5}}),
            ("job.submit.ok", {"job_id": "j1", "state": "queued"}),
            ("job.finished", report("failed")),  # nothing comes after the end
        ]
        job = client.submit("generate")
        assert job.result(timeout_s=40).path == "/x.wav"
        client.poll()
        assert job.state == "done"

    def test_progress_goes_neither_back_nor_on_after_the_end(self, client: Client) -> None:
        job, seen = Job(client, "render"), []
        for share in (0.1, 0.5, 0.3, 0.5, 0.9):
            job._progressed({"stage": "x", "done": 1, "total": 2, "fraction": share})
            assert job.latest is not None
            seen.append(job.latest.fraction)
        assert seen == [0.1, 0.5, 0.5, 0.5, 0.9]
        job._learn(report("failed"))
        job._progressed({"stage": "x", "done": 1, "total": 2, "fraction": 0.95})
        assert (job.state, job.latest.fraction) == ("failed", 0.9)

    def test_progress_is_told_as_it_comes(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        shares = (0.1, 0.5, 0.3, 0.5, 0.9)
        fake.answers["job.submit"] = lambda _: [
            ("job.submit.ok", {"job_id": "j1", "state": "queued"}),
            *(
                ("job.progress", {"job_id": "j1", "progress": {"stage": "x", "done": 1, "total": 2, "fraction": share}})
                for share in shares
            ),
        ]
        job = client.submit("generate")
        seen = []
        while not seen or seen[-1] < 0.9:
            client.poll()
            if job.latest is not None:
                seen.append(job.latest.fraction)
        assert seen == sorted(seen)

    def test_after_a_lost_connection_jobs_are_asked_for_at_once(
        self, fake: FakeHost, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "REFRESH_S", 1e6)
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]
        fake.answers["job.status"] = lambda _: [("job.status.ok", report("done", **DONE))]
        job = client.submit("generate")
        client._connection.drop("pulled")
        assert job.result(timeout_s=40).path == "/x.wav"

    def test_a_request_without_an_answer_is_reason_enough_to_start_a_host(self, fake: FakeHost, folder: Path) -> None:
        client = Client("test", command=["/no/such/program"]).connect()
        fake.answers["job.submit"] = lambda _: []
        (folder / "host.json").unlink()
        client._connection.drop("gone", 0.0)
        assert client.poll() == []  # nobody wants anything of it
        fake.write()
        client._connection._retry_at = 0.0
        client.submit("generate", wait=False)
        while not fake.counts.get("job.submit"):
            client.poll()
        (folder / "host.json").unlink()
        client._connection.drop("gone", 0.0)
        with pytest.raises(HostNotRunning, match="cannot be started"):
            client.poll()
        client.close()

    @pytest.mark.parametrize("most", [1, 7, 1000])
    def test_a_result_is_read_in_pieces_of_any_size(
        self, fake: FakeHost, client: Client, monkeypatch: pytest.MonkeyPatch, most: int
    ) -> None:
        monkeypatch.setattr(module, "PIECE_BYTES", 10)
        data = bytes(range(95))
        file = {"role": "audio", "path": "/x", "n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        fake.answers["job.submit"] = lambda _: [
            ("job.submit.ok", {"job_id": "j1", "state": "queued"}),
            ("job.finished", report("done", artifacts=[file])),
        ]

        def piece(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
            start = request["offset"]
            return [("artifact.read.ok", {"frames": [data[start : start + min(request["n_bytes"], most)]]})]

        fake.answers["artifact.read"] = piece
        job = client.connect().submit("generate")
        assert job.read() == data
        job.report["artifacts"][0]["sha256"] = "0" * 64
        with pytest.raises(ClientError, match="changed"):
            job.read()
        client.health()  # after which the acknowledgement has come, once
        assert fake.counts["job.ack"] == 1

    def test_busy_is_no_answer_yet(self, fake: FakeHost, client: Client, hasty: None) -> None:
        client.connect()
        busy = ("error", {"code": "busy", "message": "later", "retryable": True})
        fake.answers["job.submit"] = lambda _: [
            busy if fake.counts["job.submit"] < 3 else ("job.submit.ok", {"job_id": "j1", "state": "queued"})
        ]
        assert client.submit("generate", timeout_s=40).job_id == "j1"

    def test_a_connection_that_the_host_forgot_is_greeted_again(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [
            ("error", {"code": "hello_required", "message": "who are you"})
            if fake.counts["job.submit"] == 1
            else ("job.submit.ok", {"job_id": "j1", "state": "queued"})
        ]
        assert client.submit("generate").job_id == "j1"
        assert [kind for name, kind, _ in fake.seen if name == "work"] == ["hello", "job.submit", "hello", "job.submit"]

    def test_a_job_that_the_host_lost_fails(self, fake: FakeHost, client: Client, hasty: None) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]
        fake.answers["job.status"] = lambda _: [("error", {"code": "not_found", "message": "no such job"})]
        with pytest.raises(HostError, match="no such job"):
            client.submit("generate").result(timeout_s=40)

    @given(junk=st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=5), min_size=1, max_size=5))
    def test_no_bytes_upset_the_client(self, junk: list[list[bytes]]) -> None:
        connection = module._Connection(Path("/nowhere"), "me", None)
        link = _Canned([[b"FSP1", *frames] for frames in junk] + junk)
        connection._links = {"work": link}  # type: ignore[dict-item]
        connection._receive("work")
        assert link.socket.frames == []
        connection._links = {}
        connection.close()

    def test_fields_of_the_wrong_kind_do_not_upset_it(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        wrong: list[Any] = [None, 3, "x", [], {}, {"stage": 1}, {"stage": "x", "fraction": None}]
        fake.answers["job.submit"] = lambda _: [
            ("job.submit.ok", {"job_id": "j1", "state": "queued"}),
            *(("job.progress", {"job_id": "j1", "progress": progress}) for progress in wrong),
            *((kind, {"job_id": bad}) for kind in ("job.progress", "job.finished") for bad in ("", "x", 5, [])),
            ("preview.chunk", {"preview_id": "none"}),
            ("job.finished", report("done", **DONE)),
        ]
        assert client.submit("generate").result(timeout_s=40).path == "/x.wav"

    def test_a_preview_with_a_gap_goes_on_where_it_was(self, fake: FakeHost, client: Client) -> None:
        client.connect()
        fake.answers["job.submit"] = lambda _: [("job.submit.ok", {"job_id": "j1", "state": "queued"})]

        def chunk(preview: str, start: int) -> tuple[str, dict[str, Any]]:
            samples = np.arange(start, start + 10, dtype=np.float32).tobytes()
            about = {"preview_id": preview, "start_sample": start, "n_samples": 10, "n_channels": 1, "rate_hz": 48000}
            return "preview.chunk", {**about, "frames": [samples]}

        def opened(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
            if fake.counts["preview.open"] == 1:  # the second of three is lost, the first comes twice
                return [("preview.open.ok", {"preview_id": "p1"}), chunk("p1", 0), chunk("p1", 0), chunk("p1", 20)]
            start = request["start_sample"]
            rest = [chunk("p2", at) for at in range(start, 30, 10)]
            end = ("preview.end", {"preview_id": "p2", "reason": "complete"})
            return [("preview.open.ok", {"preview_id": "p2"}), *rest, end]

        fake.answers["preview.open"] = opened
        preview = client.submit("generate", preview=True).preview()
        heard = [np.asarray(one.samples)[0] for one in preview]
        np.testing.assert_array_equal(np.concatenate(heard), np.arange(30))
        assert preview.ended == "complete"


class _Canned:
    """A link that has received some messages."""

    def __init__(self, messages: list[list[bytes]]) -> None:
        self.socket = self
        self.frames = [[zmq.Frame(frame) for frame in message] for message in messages]

    def recv_multipart(self, *_: Any, **__: Any) -> list[zmq.Frame]:
        if not self.frames:
            raise zmq.Again
        return self.frames.pop(0)

    def close(self) -> None:
        pass


class TestConnectionFile:
    def test_S10_nothing_is_sent_to_whoever_has_the_port_now(self, fake: FakeHost, client: Client) -> None:
        other = FakeHost(fake.folder)  # another key than the file says
        other.start()
        fake.write(work=f"tcp://127.0.0.1:{other.ports['work']}", control=f"tcp://127.0.0.1:{other.ports['control']}")
        with pytest.raises(HostNotRunning, match="not the host"):
            client.connect()
        assert other.seen == []
        other.stop()

    def test_S10_a_file_of_a_host_that_died_is_no_host(self, fake: FakeHost, client: Client) -> None:
        fake.write(pid=2**22 + 1)
        with pytest.raises(HostNotRunning, match="ended"):
            client.connect()
        assert fake.seen == []

    def test_a_port_where_nobody_listens_is_no_host(self, fake: FakeHost, client: Client) -> None:
        fake.write(control="tcp://127.0.0.1:1")
        with pytest.raises(HostNotRunning, match="nobody"):
            client.connect()

    @pytest.mark.parametrize("address", ["tcp://192.0.2.1:5000", "ipc:///tmp/x", "tcp://127.0.0.1:5\n", "", 5])
    def test_S10_other_machines_are_never_spoken_to(self, fake: FakeHost, address: Any) -> None:
        fake.write(work=address)
        with pytest.raises(ConnectionUnsafe, match="address"):
            read_connection(fake.folder)

    @posix_only
    def test_S3_others_must_not_read_or_write_the_file(self, fake: FakeHost) -> None:
        for mode in (0o640, 0o604, 0o620, 0o602, 0o777):
            fake.write().chmod(mode)
            with pytest.raises(ConnectionUnsafe, match="open to other users"):
                read_connection(fake.folder)
        fake.write()
        fake.folder.chmod(0o777)
        with pytest.raises(ConnectionUnsafe, match="open to other users"):
            read_connection(fake.folder)

    @posix_only
    def test_S3_links_and_other_users_files_are_refused(
        self, fake: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = fake.write()
        moved = real.rename(tmp_path / "elsewhere.json")
        real.symlink_to(moved)
        with pytest.raises(ConnectionUnsafe, match="link"):
            read_connection(fake.folder)
        fake.write()
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(ConnectionUnsafe, match="another user"):
            read_connection(fake.folder)

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"pid": 1}', '{"pid": "x", "work": 1}', "\ufeff{}"])
    def test_any_text_is_one_clear_error(self, folder: Path, text: str) -> None:
        write_file(folder, text)
        with pytest.raises(HostNotRunning, match=r"host\.json"):
            read_connection(folder)

    @given(st.binary(max_size=80))
    def test_any_bytes_are_one_clear_error(self, data: bytes) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as name:
            path = write_file(Path(name), "")
            path.write_bytes(data)
            with pytest.raises(ClientError):
                read_connection(Path(name))

    @pytest.mark.parametrize("where", ["server_public", "client_secret"])
    def test_keys_that_are_none_are_refused(self, fake: FakeHost, where: str) -> None:
        fake.write(**{where: "short"})
        with pytest.raises(HostNotRunning, match="keys"):
            read_connection(fake.folder)


class TestStarting:
    def test_the_variable_names_the_program(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FOLEYSPACE_COMMAND", "/opt/foleyspace")
        assert start_command(folder) == ["/opt/foleyspace"]

    def test_this_interpreter_is_used_if_it_has_the_package(self, folder: Path) -> None:
        assert start_command(folder)[0] == sys.executable

    def test_elsewhere_the_program_is_looked_for(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As inside Blender: an interpreter without the package, and hardly a PATH."""
        monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
        monkeypatch.setattr(Path, "is_file", lambda path: path.exists() and "/usr/" not in str(path))
        with pytest.raises(HostNotRunning, match="pip install"):
            start_command(folder)
        program = tmp_path / "program"
        program.write_text("")
        folder.mkdir(mode=0o700)
        note = folder / "command.json"
        note.write_text(json.dumps([str(program), "-x"]))
        if sys.platform != "win32":
            note.chmod(0o666)
            with pytest.raises(HostNotRunning):
                start_command(folder)  # anybody might have written it
        note.chmod(0o600)
        assert start_command(folder) == [str(program), "-x"]
        (tmp_path / "bin").mkdir()
        found = tmp_path / "bin" / ("foleyspace.exe" if sys.platform == "win32" else "foleyspace")
        found.write_text("")
        found.chmod(0o755)
        assert start_command(folder) == [str(found)]


class TestSound:
    def test_pieces_are_small_enough_and_make_the_whole(self) -> None:
        sound = np.random.default_rng(1).standard_normal((3, 1_700_000)).astype(np.float32)
        pieces = sound_buffers(sound)
        assert len(pieces) == 3
        assert all(len(data) <= 8 << 20 for _, data in pieces)
        parts = [np.frombuffer(data, np.float32).reshape(about["shape"]) for about, data in pieces]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), sound)

    def test_views_are_read_in_their_own_order(self) -> None:
        interleaved = np.arange(12, dtype=np.float32).reshape(6, 2)
        ((about, data),) = sound_buffers(interleaved.T)
        assert about["shape"] == [2, 6]
        np.testing.assert_array_equal(np.frombuffer(data, np.float32), [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])

    def test_what_cannot_be_sent_says_why(self, client: Client) -> None:
        with pytest.raises(ClientError, match="float32"):
            sound_buffers(np.zeros(4))
        with pytest.raises(ClientError, match="float32"):
            sound_buffers(np.zeros((1, 2, 3), np.float32))
        with pytest.raises(ClientError, match="n_channels"):
            sound_buffers(np.zeros((48_000, 2), np.float32))
        with pytest.raises(ClientError, match="file"):
            sound_buffers(np.zeros((1, (256 << 18) + 1), np.float32))
        with pytest.raises(ClientError, match="rate_hz"):
            client.submit("render", audio=np.zeros(4, np.float32), trajectory={})

    def test_an_empty_sound_is_one_empty_piece(self) -> None:
        ((about, data),) = sound_buffers(np.zeros((2, 0), np.float32))
        assert (about["shape"], data) == ([2, 0], b"")


def test_the_file_stands_alone() -> None:
    """It is copied into programs that have neither this package nor its dependencies."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert names - set(sys.stdlib_module_names) == {"zmq", "msgpack"}


def test_errors_are_one_line_with_a_cure() -> None:
    error = HostError("cannot be read", where="a.wav", cure="check it", code="media_missing")
    assert str(error) == "a.wav: cannot be read; check it"
    assert error.code == "media_missing"
    assert str(ClientError("no")) == "no"
