"""A client of the FoleySpace host in one file; it needs the standard library, pyzmq and msgpack alone.

::

    with Client("my-tool") as client:  # starts the host if it is not running
        job = client.submit("render", audio="steps.wav", trajectory="walk.trajectory.json", folder="renders")
        for progress in job.progress():
            print(f"{progress.stage}: {progress.fraction:.0%}")
        print(job.result().path)

Where nothing may block, as in a timer of a DAW, call `Client.poll` again and again and look at `Job.state`.

How it keeps its promises: a request stays in a table until it is answered; it is sent again, under the same id,
after each greeting and when an answer is late. A job lives in the host, whatever becomes of the connection; what
the client missed of it, it asks for. A client belongs to one thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

import msgpack
import zmq
from zmq.utils.monitor import recv_monitor_message

__all__ = [
    "Artifact",
    "Chunk",
    "Client",
    "ClientError",
    "ConnectionUnsafe",
    "HostError",
    "HostNotRunning",
    "Job",
    "JobCancelled",
    "Preview",
    "Progress",
    "Result",
    "TimedOut",
    "VersionMismatch",
]

MAGIC = b"FSP1"
VERSIONS = ((1, 0), (1, 0))  # lowest and highest of the specification that this file speaks
MAX_BUFFER_BYTES = 8 << 20
MAX_BUFFERS = 61
PIECE_BYTES = 1 << 20  # of a result, at a time
FINISHED = ("done", "failed", "cancelled")
NEVER = float("-inf")

BACK_OFF_S = (0.1, 5.0)  # between attempts to connect: first and longest
GREETING_S = 5.0  # for connecting, handshake and hello
ATTEMPTS = 3  # at one connection file, before its host counts as gone: a machine may stand still for seconds
PING_S, SILENCE_S = 1.0, 3.0  # how often to ask whether the host is there, and how long to wait for the answer
ANSWER_S = 2.0  # after which a request is sent again; doubles
REFRESH_S = 2.0  # after which a job that was not heard of is asked for
START_S = 20.0  # for a host that was started
PATIENCE_S = 60.0  # for a host that somebody else has to start again


class ClientError(Exception):
    """Base of what a client raises: ``code``, ``message``, ``where`` it is and ``cure``, what to do about it."""

    code = "client"

    def __init__(
        self, message: str, *, where: str | None = None, cure: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.where, self.cure = message, where, cure
        self.code = code or type(self).code

    def __str__(self) -> str:
        line = self.message if self.where is None else f"{self.where}: {self.message}"
        return line if self.cure is None else f"{line}; {self.cure}"


class HostNotRunning(ClientError):
    """There is no host, and none could be started."""

    code = "host_not_running"


class ConnectionUnsafe(ClientError):
    """The connection file may have been written or read by somebody else."""

    code = "connection_unsafe"


class VersionMismatch(ClientError):
    """Host and client speak no common version."""

    code = "version_unsupported"


class TimedOut(ClientError):
    """Something took longer than it was given."""

    code = "timeout"


class HostError(ClientError):
    """The host refused a request, or a job failed; ``code`` is the host's."""


class JobCancelled(HostError):
    """The job was cancelled."""

    code = "cancelled"


class Progress(NamedTuple):
    """How far a job is: its stage, done of total in it, fraction (0 to 1) of the whole, time left [s]."""

    stage: str
    done: int
    total: int
    fraction: float
    eta_s: float | None = None


class Artifact(NamedTuple):
    """A file that a job made."""

    role: str
    path: str
    n_bytes: int
    sha256: str


class Result(NamedTuple):
    """What a job made: the first file, all files, what ``--json`` prints, and warnings."""

    path: str
    artifacts: tuple[Artifact, ...]
    details: dict[str, Any]
    warnings: tuple[str, ...]


class Chunk(NamedTuple):
    """A piece of a preview; ``samples`` is float32 of shape (n_channels, n_samples), as `numpy.asarray` reads it."""

    start_sample: int
    rate_hz: int
    samples: memoryview[float]


# --- finding and starting the host -------------------------------------------------------------------------------


def state_folder(profile: str = "default") -> Path:
    """Return the folder in which a profile's host leaves its connection file."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", profile):
        raise ClientError(f"{profile!r} cannot be the name of a profile", cure="use letters, digits, '.', '-' and '_'")
    if home := os.environ.get("FOLEYSPACE_HOME"):
        base = Path(home).absolute() / "state"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "foleyspace"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support" / "foleyspace"
    else:
        named = os.environ.get("XDG_STATE_HOME", "")
        base = (Path(named) if os.path.isabs(named) else Path.home() / ".local" / "state") / "foleyspace"
    return base if profile == "default" else base / "profiles" / profile


def read_connection(folder: Path) -> dict[str, Any]:
    """Return what the connection file in a state folder says.

    Raises HostNotRunning if there is none, or its host has gone; ConnectionUnsafe if file or folder is a link,
    another user's, or open to others.
    """
    path = folder / "host.json"
    try:
        if sys.platform != "win32":
            _check_private(folder, stat.S_ISDIR)
            _check_private(path, stat.S_ISREG)
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            connection = json.loads(file.read(1 << 16))
        pid, work, control = int(connection["pid"]), connection["work"], connection["control"]
        keys = [connection[name].encode("ascii") for name in ("server_public", "client_public", "client_secret")]
    except FileNotFoundError:
        raise HostNotRunning("the host is not running", cure="start it: foleyspace host") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostNotRunning(
            f"the connection file cannot be used ({error})", where=str(path), cure="start the host again"
        ) from error
    local = r"tcp://127\.0\.0\.1:\d{1,5}"
    if not all(isinstance(at, str) and re.fullmatch(local, at) for at in (work, control)):
        raise ConnectionUnsafe("the address is not this machine's", where=str(path), cure="remove the file")
    if any(len(key) != 40 for key in keys):
        raise HostNotRunning("the connection file holds no keys", where=str(path), cure="start the host again")
    if not _alive(pid):
        raise HostNotRunning("the host has ended without a farewell", cure="start it: foleyspace host")
    result: dict[str, Any] = connection
    return result


def _check_private(path: Path, is_kind: Callable[[int], bool]) -> None:
    found = path.lstat()
    cure = "remove it, and start the host again"
    if not is_kind(found.st_mode):
        raise ConnectionUnsafe("is a link or of the wrong kind", where=str(path), cure=cure)
    if found.st_uid != os.geteuid():
        raise ConnectionUnsafe("belongs to another user", where=str(path), cure=cure)
    if found.st_mode & (0o077 if stat.S_ISREG(found.st_mode) else 0o022):
        raise ConnectionUnsafe("is open to other users", where=str(path), cure=cure)


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 is Ctrl-C there; a host that has gone is noticed when connecting
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def start_command(folder: Path) -> list[str]:
    """Return the words that start FoleySpace on this machine; raise HostNotRunning if it is not found.

    Each host leaves the words that started it in its state folder, as ``command.json``.
    """
    if named := os.environ.get("FOLEYSPACE_COMMAND"):
        return [named]
    if importlib.util.find_spec("foleyspace_host") is not None and sys.executable:
        return [sys.executable, "-P", "-m", "foleyspace_host"]
    if found := shutil.which("foleyspace"):
        return [found]
    with contextlib.suppress(OSError, ValueError, ConnectionUnsafe):  # programs with windows often have no PATH
        if sys.platform != "win32":
            _check_private(folder / "command.json", stat.S_ISREG)
        words = json.loads((folder / "command.json").read_text(encoding="utf-8"))
        if words and all(isinstance(word, str) for word in words) and Path(words[0]).is_file():
            return list(words)
    for place in (Path.home() / ".local" / "bin", Path("/opt/homebrew/bin"), Path("/usr/local/bin")):
        if (place / "foleyspace").is_file():
            return [str(place / "foleyspace")]
    raise HostNotRunning(
        "FoleySpace was not found on this machine",
        cure="install it (pip install foleyspace-host), or name its program in the variable FOLEYSPACE_COMMAND",
    )


class _Starting:
    """A host that was started and is not ready yet."""

    begun: ClassVar[list[subprocess.Popen[bytes]]] = []  # hosts outlive us; held so that Python does not complain

    def __init__(self, words: Sequence[str], since: float) -> None:
        own = words[0] == sys.executable
        env = {k: v for k, v in os.environ.items() if own or k not in ("PYTHONHOME", "PYTHONPATH")}
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
            apart = {"creationflags": flags}
        self.since, self.tried = since, time.monotonic()
        self.remarks: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - read when the host has failed
        nothing = subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(  # noqa: S603 - words of this program, without a shell
                list(words), stdin=nothing, stdout=nothing, stderr=self.remarks, cwd=Path.home(), env=env, **apart
            )
        except OSError as error:
            self.remarks.close()
            raise HostNotRunning(
                f"the host cannot be started ({error.strerror})", where=words[0], cure="check the installation"
            ) from error
        self.begun[:] = [process for process in self.begun if process.poll() is None] + [self.process]

    def check(self) -> bool:
        """Return whether to go on waiting; raise HostNotRunning if it failed."""
        code = self.process.poll()
        if code:
            self.remarks.seek(0)
            lines = self.remarks.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
            raise HostNotRunning(
                f"the host could not start: {lines[-1] if lines else f'it ended with code {code}'}",
                cure="run `foleyspace doctor`",
            )
        if time.monotonic() - self.since > START_S:
            raise HostNotRunning(f"the host was not ready within {START_S:g} s", cure="run `foleyspace doctor`")
        # another start may have been quicker; if that one ends without being ready, try again
        return code is None or time.monotonic() - self.tried < 1.0


# --- the connection ----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Request:
    type: str
    body: dict[str, Any]
    link: str = "control"
    buffers: Sequence[bytes] = ()
    then: Callable[[_Request], None] | None = None
    transient: bool = False  # means nothing on another connection
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent_at: float | None = None
    tries: int = 0
    reply: dict[str, Any] | None = None
    frames: list[memoryview] = field(default_factory=list)
    error: HostError | None = None

    def late(self, now: float) -> bool:
        """Whether it is time to send it (again); large ones are given time on their way."""
        if self.sent_at is None:
            return True
        patience_s = min(ANSWER_S * 2 ** max(self.tries - 1, 0), 16.0) + sum(map(len, self.buffers)) / 10e6
        return now - self.sent_at > patience_s


def _error_of(body: dict[str, Any]) -> HostError:
    code, message = str(body.get("code", "internal")), str(body.get("message", "the host gave no reason"))
    kind = JobCancelled if code == "cancelled" else HostError
    return kind(message, where=body.get("where"), cure=body.get("cure"), code=code)


class _Link:
    """One of the two sockets, and what happens to it."""

    events = (
        zmq.EVENT_HANDSHAKE_SUCCEEDED
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_CLOSED
    )

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, connection: dict[str, Any]) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.curve_serverkey = connection["server_public"].encode()
        self.socket.curve_publickey = connection["client_public"].encode()
        self.socket.curve_secretkey = connection["client_secret"].encode()
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),  # nothing waits in a queue that nobody may ever read
            (zmq.RECONNECT_IVL, -1),  # after a loss all begins anew, with the connection file
            (zmq.MAXMSGSIZE, 16 << 20),
            (zmq.HANDSHAKE_IVL, int(GREETING_S * 1000)),
        ):
            self.socket.setsockopt(option, value)
        self.monitor = self.socket.get_monitor_socket(self.events)
        self.hello: _Request | None = None
        self.greeted = False
        self.socket.connect(endpoint)

    def close(self) -> None:
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)


class _Connection:
    """Both sockets and the requests on their way: finds or starts the host, greets it, and finds it again.

    Each call of `step` moves it on without blocking for longer than it is told. `hello` makes the greeting,
    `on_event` takes what the host says unasked, `on_connected` is called after each greeting on a new connection.
    """

    def __init__(self, folder: Path, client_id: str, start_with: Callable[[], list[str]] | None) -> None:
        self.folder, self.client_id, self.start_with = folder, client_id, start_with
        self.hello: Callable[[], dict[str, Any]] = dict
        self.on_event: Callable[[str, dict[str, Any], list[memoryview]], None] = lambda *_: None
        self.on_connected: Callable[[dict[str, Any]], None] = lambda _: None
        self.pending: dict[str, _Request] = {}
        self.problem, self.instance_id = "not connected yet", ""
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._links: dict[str, _Link] = {}
        self._starting: _Starting | None = None
        self._file: tuple[int, int] | None = None  # of the connection file: changes with each host
        self._stale: tuple[int, int] | None = None  # that of a file whose host was not there
        self._failed: list[tuple[int, int] | None] = []  # those of the last attempts, none of which was greeted
        self._was_up, self.wanted = False, True  # whether a host is to be started if there is none
        self._opened_at = self._retry_at = self._lost_at = self._looked_at = self._ping_at = 0.0
        self._back_off_s = BACK_OFF_S[0]
        self._ping: _Request | None = None

    @property
    def up(self) -> bool:
        """Whether the host has greeted us on both sockets."""
        return bool(self._links) and all(link.greeted for link in self._links.values())

    def ask(self, request: _Request) -> _Request:
        """Send a request, now or as soon as there is a host."""
        self.wanted = self.wanted or not request.transient
        self.pending[request.id] = request
        self.send(request)
        return request

    def wait(self, request: _Request, timeout_s: float) -> _Request:
        """Wait for the answer; raise what was answered if it is an error."""
        end = time.monotonic() + timeout_s
        while request.reply is None and request.error is None:
            if time.monotonic() > end:
                if request.type != "job.submit":  # a job is still handed in later
                    self.pending.pop(request.id, None)
                if not self.up:
                    raise HostNotRunning(self.problem, cure="run `foleyspace doctor`")
                raise TimedOut(f"the host did not answer to {request.type} within {timeout_s:g} s")
            self.step(0.05)
        if request.error is not None:
            raise request.error
        return request

    def send(self, request: _Request) -> None:
        link = self._links.get(request.link)
        if link is None or not (link.greeted or request is link.hello):
            return  # it is sent when the host has greeted us
        header = {"v": VERSIONS[1], "type": request.type, "client_id": self.client_id, "request_id": request.id}
        frames = [MAGIC, msgpack.packb(header), msgpack.packb(request.body), *request.buffers]
        request.sent_at = time.monotonic()
        with contextlib.suppress(zmq.Again):  # it is late then, and sent again
            link.socket.send_multipart(frames, zmq.NOBLOCK, copy=not request.buffers)
            request.tries += 1

    def greet(self) -> None:
        """Say hello (again), where there is somebody to say it to."""
        for name, link in self._links.items():
            if link.hello is not None:
                self._greet(name)

    def step(self, wait_s: float) -> None:
        """Receive what there is, waiting for it at most so long, and do what is due."""
        now = time.monotonic()
        if not self._links and now >= self._retry_at:
            self._open(now)
        if not self._links:
            time.sleep(min(wait_s, max(self._retry_at - now, 0.0)))
            return
        poller = zmq.Poller()
        for link in self._links.values():
            poller.register(link.socket, zmq.POLLIN)
            poller.register(link.monitor, zmq.POLLIN)
        poller.poll(int(wait_s * 1000))
        for name in ("control", "work"):
            self._receive(name)
        for name in ("control", "work"):
            self._watch(name)
        self._do_what_is_due(time.monotonic())

    def drop(self, problem: str, again_s: float | None = None) -> None:
        """Give the connection up; what waits for answers is sent again on the next."""
        if self.up:
            self._lost_at = time.monotonic()
        for link in self._links.values():
            link.close()
        self._links, self._ping, self.problem = {}, None, problem
        self.pending = {key: request for key, request in self.pending.items() if not request.transient}
        for request in self.pending.values():
            request.sent_at, request.tries = None, 0
        self._retry_at = time.monotonic() + (self._back_off_s if again_s is None else again_s)
        self._back_off_s = min(self._back_off_s * 2.0, BACK_OFF_S[1])

    def close(self) -> None:
        """Disconnect for good."""
        self.drop("closed")
        if self._starting is not None:
            self._starting.remarks.close()
        self.context.term()

    def _open(self, now: float) -> None:
        try:
            file = self._which_file()
            connection = read_connection(self.folder)
            if file == self._stale:
                raise HostNotRunning(self.problem, cure="start it: foleyspace host")
        except HostNotRunning as error:
            self._start(now, error)
        else:
            self._file = file
            self._opened_at = self._looked_at = now
            self.instance_id, self.problem = str(connection.get("instance_id", "")), "the host does not answer"
            self._links = {name: _Link(self.context, connection[name], connection) for name in ("control", "work")}

    def _which_file(self) -> tuple[int, int] | None:
        """Return what tells one connection file from the next; None where there is none."""
        try:
            found = (self.folder / "host.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _start(self, now: float, why: HostNotRunning) -> None:
        """Start a host, or go on waiting for one."""
        if not self.wanted and not self.pending:  # it ended while nobody needed it, as the user may have wished
            self.drop(str(why))
            return
        if self.start_with is None:
            self.drop(str(why))
            if not self._was_up or now - self._lost_at > PATIENCE_S:
                raise why
            return
        self.problem, self._retry_at = "the host is being started", now + 0.02
        before = self._starting
        try:
            if before is None or not before.check():
                self._starting = _Starting(self.start_with(), before.since if before else now)
        except HostNotRunning as error:
            self._starting = None
            self.drop(str(error))
            raise
        finally:
            if before is not None and before is not self._starting:
                before.remarks.close()

    def _greet(self, name: str) -> None:
        link = self._links[name]
        link.hello = _Request("hello", self.hello(), name, then=self._greeted, transient=True)
        self.ask(link.hello)

    def _greeted(self, request: _Request) -> None:
        link = self._links.get(request.link)
        if link is None or link.hello is not request:
            return  # the answer to an earlier one
        if (error := request.error) is not None:
            self.drop(str(error), BACK_OFF_S[1])
            known = error.code == VersionMismatch.code
            raise VersionMismatch(error.message, where=error.where, cure=error.cure) if known else error
        new, link.greeted = not link.greeted, True
        if not new:
            return
        for waiting in [other for other in self.pending.values() if other.link == request.link]:
            self.send(waiting)
        if self.up:
            if self._starting is not None:
                self._starting.remarks.close()
            self.problem, self._was_up, self.wanted, self._back_off_s = "", True, False, BACK_OFF_S[0]
            self._starting = self._stale = None
            self._failed = []
            self._ping_at = time.monotonic() + PING_S
            self.on_connected(request.reply or {})

    def _watch(self, name: str) -> None:
        """See what happened to a socket."""
        while (link := self._links.get(name)) is not None and link.monitor.poll(0):
            event = recv_monitor_message(link.monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._greet(name)
            elif link.greeted:
                self.drop("the connection to the host was lost")
            else:  # no host, or another program that has its port by now: the file is a host's that has gone
                self._failed = [*self._failed, self._file][-ATTEMPTS:]
                if self._failed == [self._file] * ATTEMPTS:
                    self._stale = self._file
                self.drop("nobody, or not the host, listens at the address in the connection file")

    def _receive(self, name: str) -> None:
        end = time.monotonic() + 0.01
        while (link := self._links.get(name)) is not None:
            try:
                frames = link.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            try:
                header, body = msgpack.unpackb(frames[1].buffer), msgpack.unpackb(frames[2].buffer)
                kind, request_id = str(header["type"]), header.get("request_id")
                if frames[0].bytes != MAGIC or not isinstance(body, dict):
                    continue
            except (ValueError, IndexError, KeyError, TypeError, AttributeError):
                continue  # from a host that does not speak as it should; what is missed is asked for again
            buffers = [frame.buffer for frame in frames[3:]]
            if request_id is None:
                self.on_event(kind, body, buffers)
            elif (request := self.pending.get(request_id)) is not None:
                self._answered(request, kind, body, buffers)
            if time.monotonic() > end:
                return  # the rest in the next step, so that timers stay short

    def _answered(self, request: _Request, kind: str, body: dict[str, Any], buffers: list[memoryview]) -> None:
        code = body.get("code") if kind == "error" else None
        if code == "busy" and body.get("retryable"):
            return  # it is sent again after a while
        if code == "hello_required" and request.tries < 5:  # the host lost this connection without our noticing
            link = self._links[request.link]
            if link.greeted:
                link.greeted = False
                self._greet(request.link)
            return
        if kind == "error":
            request.error = _error_of(body)
        else:
            request.reply, request.frames = body, buffers
        del self.pending[request.id]
        if request.then is not None:
            request.then(request)

    def _do_what_is_due(self, now: float) -> None:
        if self._links and not self.up and now - self._opened_at > GREETING_S:
            self.drop(self.problem)
        if self.up and now - self._looked_at > 0.25:
            self._looked_at = now
            if self._which_file() not in (self._file, None):  # a host that ends takes it away, and may still speak
                self.drop("the host was started again", 0.0)
        if self.up and now >= self._ping_at:
            if self._ping is None or self._ping.id not in self.pending:
                self._ping = self.ask(_Request("health", {}, transient=True))
                self._ping_at = now + PING_S
            elif now - self._ping_at > SILENCE_S - PING_S:
                self.drop("the host does not answer")
        for request in [request for request in self.pending.values() if request.late(now)]:
            self.send(request)


# --- for users ---------------------------------------------------------------------------------------------------


class Client:
    """A connection to the host, which is started when there is none.

    Parameters
    ----------
    client_name : str
        Who you are, for people: "blender", "my-tool".
    profile : str
        Profile of the host.
    client_id : str, optional
        Under which your jobs are yours; give the one of an earlier run to hear how its jobs ended. A new one if
        not given.
    client_version : str
        Your version, for the host's log.
    roots : sequence of path
        Folders to read and write in. `submit` adds those of the files that it is given.
    start : bool
        Whether to start a host where none runs.
    command : sequence of str, optional
        Words that start FoleySpace; found by `start_command` if not given.
    idle_exit_s : float
        A host that this client starts ends after so long without jobs and requests [s].
    cancel_on_disconnect : bool
        Whether the host cancels your jobs when the connection is lost; they go on if not.

    Attributes
    ----------
    hello : dict
        What the host said of itself: ``capabilities``, ``host_version``, ``roots``, ``warnings``.
    ended : dict of str to dict
        Reports of jobs of earlier runs that have ended, by id; `job` and `Job.result` take them.
    """

    def __init__(
        self,
        client_name: str = "python",
        *,
        profile: str = "default",
        client_id: str | None = None,
        client_version: str = "",
        roots: Sequence[str | Path] = (),
        start: bool = True,
        command: Sequence[str] | None = None,
        idle_exit_s: float = 900.0,
        cancel_on_disconnect: bool = False,
    ) -> None:
        if not zmq.has("curve"):
            raise ClientError("this pyzmq cannot encrypt", cure="install the wheel from PyPI")
        folder = state_folder(profile)

        def start_with() -> list[str]:
            words = start_command(folder) if command is None else list(command)
            return [*words, "host", "--profile", profile, "--idle-exit", f"{idle_exit_s:g}"]

        self.client_id = client_id or uuid.uuid4().hex
        self.hello: dict[str, Any] = {}
        self.ended: dict[str, dict[str, Any]] = {}
        self._about = {
            "client_name": client_name,
            "client_version": client_version,
            "versions": VERSIONS,
            "cancel_on_disconnect": cancel_on_disconnect,
        }
        self._roots = [os.path.abspath(root) for root in roots]
        self._jobs: dict[str, Job] = {}
        self._previews: dict[str, Preview] = {}
        self._changed: dict[Job, None] = {}
        self._connection = _Connection(folder, self.client_id, start_with if start else None)
        self._connection.hello = lambda: {**self._about, "roots": self._roots}
        self._connection.on_connected = self._connected
        self._connection.on_event = self._heard

    def __enter__(self) -> Client:
        try:
            return self.connect()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            for job in list(self._jobs.values()):
                job.cancel()
        self.close()

    @property
    def connected(self) -> bool:
        """Whether the host has greeted this client."""
        return self._connection.up

    @property
    def problem(self) -> str:
        """Why there is no connection; empty if there is one."""
        return self._connection.problem

    @property
    def instance_id(self) -> str:
        """Incarnation of the host; another one after a restart."""
        return self._connection.instance_id

    def connect(self, timeout_s: float = 30.0) -> Client:
        """Wait until the host has greeted this client, which is returned.

        Raises HostNotRunning, ConnectionUnsafe or VersionMismatch if it cannot.
        """
        end = time.monotonic() + timeout_s
        self._connection.wanted = True
        while not self.connected:
            if time.monotonic() > end:
                raise HostNotRunning(self.problem, cure="run `foleyspace doctor`")
            self._connection.step(0.05)
        return self

    def close(self) -> None:
        """Say what is still to be said, for half a second at most, and disconnect; jobs go on."""
        last_words = ("job.ack", "job.cancel", "preview.close")
        end = time.monotonic() + 0.5
        with contextlib.suppress(ClientError):
            while self.connected and any(r.type in last_words for r in self._connection.pending.values()):
                if time.monotonic() > end:
                    break
                self._connection.step(0.02)
        self._connection.close()

    def poll(self) -> list[Job]:
        """Do what is to be done without waiting, and return the jobs of which something new is known.

        Made for timers: never blocks, not even for starting the host. Raises HostNotRunning, ConnectionUnsafe or
        VersionMismatch if there is no way to connect; calling it again tries again.
        """
        self._step(0.0)
        changed, self._changed = list(self._changed), {}
        return changed

    def submit(
        self,
        kind: str,
        *,
        audio: Any = None,
        rate_hz: int | None = None,
        video: Any = None,
        trajectory: Any = None,
        folder: str | Path | None = None,
        stem: str | None = None,
        suffix: str | None = None,
        deadline_s: float | None = None,
        priority: int = 0,
        preview: bool = False,
        wait: bool = True,
        timeout_s: float = 60.0,
        **fields: Any,
    ) -> Job:
        """Hand a job to the host.

        Parameters
        ----------
        kind : {"render", "spatialize", "localize", "generate", "timeline"}
            What to do.
        audio : path, array or dict, optional
            A sound: a file; float32 samples of shape (n_samples,) or (n_channels, n_samples), sent along; or as in
            the protocol, for a part of a file: ``{"path": ..., "span": ...}``.
        rate_hz : int, optional
            Sampling rate of an array [Hz].
        video : path or dict, optional
            A video, or a part of it.
        trajectory : path or dict, optional
            A trajectory file, or the document itself.
        folder, stem, suffix : optional
            Where the result goes, how its name begins, and its kind, such as ".flac"; the host chooses a name that
            is free. Its own folder if not given.
        deadline_s : float, optional
            The job is not started later than this from now [s].
        priority : int
            Among your own jobs, -10 to 10; higher first.
        preview : bool
            Whether you want to hear it while it is rendered; see `Job.preview`.
        wait : bool
            Whether to wait until the host has the job on disk. Without, `Job.state` is "sending" until then.
        timeout_s : float
            How long to wait for that [s]; it is still sent afterwards.
        **fields
            What else belongs to the kind: ``settings`` (how to render or localize), ``localize``, ``bed_db``,
            ``prompt``, ``duration_s``, ``envelope`` (a file) ...

        Returns
        -------
        Job

        Raises
        ------
        HostError
            If the host refuses it; without `wait`, `Job.result` raises that.
        TimedOut, HostNotRunning
            If there was no answer.
        """
        sent: list[tuple[dict[str, Any], bytes]] = []
        job: dict[str, Any] = {"kind": kind, **fields}
        if audio is not None:
            job["audio"] = self._audio(audio, rate_hz, sent)
        if video is not None:
            job["video"] = self._file(video)
        if isinstance(trajectory, dict):
            sent.append(({"dtype": "json"}, json.dumps(trajectory, allow_nan=False).encode()))
            job["trajectory"] = {"buffer": len(sent) - 1}
        elif trajectory is not None:
            job["trajectory"] = self._file(trajectory)
        if job.get("envelope") is not None:
            job["envelope"] = self._file(job["envelope"])
        if job.get("timeline") is not None:
            job["timeline"] = self._file(job["timeline"])["path"]
        named = [("settings", name) for name in ("hrtf", "listener", "flow_model", "detector")]
        for part, name in (*named, ("localize", "detector")):
            if (path := job.get(part, {}).get(name)) is not None:
                job[part] = {**job[part], name: self._file(path)["path"]}
        if folder is not None:
            self.allow(folder)
        output = {"folder": folder and os.path.abspath(folder), "stem": stem, "suffix": suffix}
        job["output"] = {name: value for name, value in output.items() if value is not None}

        body: dict[str, Any] = {"job": job, "priority": priority, "preview": preview}
        if deadline_s is not None:
            body["deadline_s"] = deadline_s
        body["buffers"] = described(sent)
        made = Job(self, kind)
        request = _Request("job.submit", body, "work", [data for _, data in sent], made._accepted)
        self._connection.ask(request)
        if wait:
            with made._cancelled_with_us():
                self._connection.wait(request, timeout_s)
        return made

    def allow(self, *folders: str | Path) -> None:
        """Add folders to read and write in; of more than 64 the first given go."""
        new = [folder for folder in map(os.path.abspath, folders) if folder not in self._roots]
        if new:
            self._roots = (self._roots + list(dict.fromkeys(new)))[-64:]
            self._connection.greet()

    def request(self, type_: str, body: dict[str, Any], *, link: str = "control", timeout_s: float = 15.0) -> Any:
        """Send any request on one of the sockets, "control" or "work", and return the body of its answer.

        Raises HostError if the host refused, TimedOut or HostNotRunning if there was no answer.
        """
        return self._connection.wait(self._connection.ask(_Request(type_, body, link)), timeout_s).reply

    def health(self) -> dict[str, Any]:
        """Return how the host is: its workers, its device, what it can do and why not the rest."""
        return dict(self.request("health", {}))

    def jobs(self, states: Sequence[str] = (), *, mine: bool = False, limit: int = 50) -> list[dict[str, Any]]:
        """Return reports of jobs, the newest first: of these states, or of all; only your own if `mine`."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"more": True}
        while page["more"] and len(found) < limit:
            body = {"states": list(states), "mine": mine, "limit": min(limit - len(found), 200)}
            if found:
                body["before_s"] = found[-1]["created_s"]
            page = {"more": False, **self.request("job.list", body)}
            found += page["jobs"]
        return found

    def job(self, job_id: str) -> Job:
        """Return a job of this or an earlier run by its id; HostError if the host knows none."""
        if (job := self._jobs.get(job_id)) is None:
            job = Job(self, "")
            job._known(job_id, self.ended.pop(job_id, {}) or self.request("job.status", {"job_id": job_id}))
        return job

    def shutdown(self, *, now: bool = False) -> None:
        """Ask the host to end; with `now` it does not wait for running jobs, which start again later."""
        self.request("shutdown", {"now": now})

    def _file(self, path: Any) -> dict[str, Any]:
        named = dict(path) if isinstance(path, dict) else {"path": path}
        named["path"] = os.path.abspath(named["path"])
        self.allow(os.path.dirname(named["path"]))
        return named

    def _audio(self, audio: Any, rate_hz: int | None, sent: list[tuple[dict[str, Any], bytes]]) -> dict[str, Any]:
        if isinstance(audio, str | os.PathLike | dict):
            return self._file(audio)
        if rate_hz is None:
            raise ClientError("the sampling rate of the samples is missing", cure="give rate_hz")
        first = len(sent)
        sent += sound_buffers(audio)
        return {"buffers": list(range(first, len(sent))), "rate_hz": int(rate_hz)}

    def _step(self, wait_s: float) -> None:
        self._connection.wanted = self._connection.wanted or bool(self._jobs)
        self._connection.step(wait_s)
        now = time.monotonic()
        asked = sum(request.type == "job.status" for request in self._connection.pending.values())
        for job in list(self._jobs.values()):
            if asked < 4 and now - job._heard_at > REFRESH_S:
                job._heard_at = now
                asked += 1
                self._connection.ask(_Request("job.status", {"job_id": job.job_id}, then=job._refreshed))

    def _connected(self, hello: dict[str, Any]) -> None:
        self.hello = hello
        for job in self._jobs.values():
            job._heard_at = NEVER  # what was missed is asked for at once
        for preview in set(self._previews.values()):
            preview._open()

    def _heard(self, kind: str, body: dict[str, Any], buffers: list[memoryview]) -> None:
        job_id, preview_id = str(body.get("job_id")), str(body.get("preview_id"))
        job = self._jobs.get(job_id)
        if kind == "job.progress" and job is not None:
            job._progressed(body.get("progress") or {})
        elif kind == "job.finished" and job is not None:
            job._learn(body)
        elif kind == "job.finished":
            self.ended[job_id] = body
        elif (preview := self._previews.get(preview_id)) is not None:
            preview._heard(kind, body, buffers)


def described(buffers: Sequence[tuple[dict[str, Any], bytes]]) -> list[dict[str, Any]]:
    """Return what the body of a message says of the raw frames behind it."""

    def describe(buffer: tuple[dict[str, Any], bytes]) -> dict[str, Any]:
        about, data = buffer
        return {**about, "n_bytes": len(data), "blake2b": hashlib.blake2b(data, digest_size=32).hexdigest()}

    if len(buffers) < 2:
        return [describe(buffer) for buffer in buffers]
    with ThreadPoolExecutor(4) as pool:  # hashing large buffers does not need the interpreter
        return list(pool.map(describe, buffers))


def sound_buffers(audio: Any) -> list[tuple[dict[str, Any], bytes]]:
    """Cut float32 samples, shape (n_samples,) or (n_channels, n_samples), into buffers that the host takes.

    Returns what each holds, and its bytes. Raises ClientError if they are of another kind, or too many.
    """
    view = memoryview(audio)
    if view.format not in ("f", "<f", "=f") or view.ndim not in (1, 2):
        raise ClientError(
            f"samples of the kind {view.format!r} in {view.ndim} dimensions cannot be sent",
            cure="give float32 of shape (n_samples,) or (n_channels, n_samples)",
        )
    shape = view.shape or ()
    n_channels, n_samples = shape if len(shape) == 2 else (1, *shape)
    if n_channels > 64:
        raise ClientError(f"{n_channels} channels are too many", cure="turn it to shape (n_channels, n_samples)")
    n_bytes = 4 * n_channels * n_samples
    step = MAX_BUFFER_BYTES // (4 * max(n_channels, 1))
    if -(-n_samples // step) > MAX_BUFFERS - 1 or n_bytes > 256 << 20:
        raise ClientError("the sound is too long to be sent", cure="write it to a file and give its path")
    data = view.cast("B") if view.c_contiguous and n_bytes else memoryview(view.tobytes())
    pieces = []
    for start in range(0, max(n_samples, 1), step):
        end = min(start + step, n_samples)
        rows = [data[4 * (c * n_samples + start) : 4 * (c * n_samples + end)] for c in range(n_channels)]
        pieces.append(({"dtype": "f32le", "shape": [n_channels, end - start]}, b"".join(rows)))
    return pieces


class Job:
    """A job in the host; made by `Client.submit` and its like.

    Attributes
    ----------
    job_id : str
        Its id; empty until the host has taken it.
    kind : str
        What it does: "render", "spatialize", "localize" ...
    state : str
        "sending", "queued", "running", "done", "failed" or "cancelled".
    latest : Progress or None
        How far it was when last heard of.
    report : dict
        All that the host told of it.
    error : ClientError or None
        Why it failed.
    """

    def __init__(self, client: Client, kind: str) -> None:
        self.client, self.kind = client, kind
        self.job_id, self.state = "", "sending"
        self.latest: Progress | None = None
        self.report: dict[str, Any] = {}
        self.error: ClientError | None = None
        self._heard_at = 0.0
        self._cancelling = self._acknowledged = False

    def __repr__(self) -> str:
        return f"<Job {self.kind} {self.job_id or '(unsent)'}: {self.state}>"

    @property
    def finished(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in FINISHED

    def progress(self, timeout_s: float | None = None) -> Iterator[Progress]:
        """Yield how far the job is, whenever that changes, until it has finished.

        Raises TimedOut if that takes longer than `timeout_s` in all; the job goes on.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        told = None
        while True:
            if self.latest is not None and self.latest != told:
                told = self.latest
                yield told
            if self.finished:
                return
            if end is not None and time.monotonic() > end:
                raise TimedOut(f"the job has not finished within {timeout_s:g} s", cure="it goes on; ask again later")
            self.client._step(0.05)

    def result(self, timeout_s: float | None = None, on_progress: Callable[[Progress], None] | None = None) -> Result:
        """Wait for the result; Ctrl-C, or an exception out of `on_progress`, cancels the job.

        Parameters
        ----------
        timeout_s : float, optional
            How long to wait [s]; as long as it takes if not given.
        on_progress : callable, optional
            Called with each `Progress`.

        Returns
        -------
        Result

        Raises
        ------
        HostError
            If it failed; JobCancelled if it was cancelled.
        TimedOut, HostNotRunning
            If waiting has no end; the job goes on.
        """
        with self._cancelled_with_us():
            for progress in self.progress(timeout_s):
                if on_progress is not None:
                    on_progress(progress)
        if not self._acknowledged and self.job_id:
            self._acknowledged = True
            self.client._connection.ask(_Request("job.ack", {"job_id": self.job_id}))
        if self.error is not None:
            raise self.error
        files = tuple(Artifact(a["role"], a["path"], a["n_bytes"], a["sha256"]) for a in self.report["artifacts"])
        warnings = tuple(self.report.get("warnings", ()))
        return Result(files[0].path if files else "", files, self.report.get("result") or {}, warnings)

    def cancel(self) -> None:
        """Ask the host to cancel the job, without waiting; `state` tells when it has."""
        if self.finished or self._cancelling:
            return
        self._cancelling = True
        if self.job_id:
            self.client._connection.ask(_Request("job.cancel", {"job_id": self.job_id}))

    def status(self) -> dict[str, Any]:
        """Ask how the job is, and return the host's report."""
        self._learn(self.client.request("job.status", {"job_id": self.job_id}))
        return self.report

    def read(self, index: int = 0, timeout_s: float = 60.0) -> bytearray:
        """Return the bytes of one of the results, for programs that cannot open the host's files.

        Raises ClientError if they are not what the host said they would be.
        """
        artifact = self.result().artifacts[index]
        data, digest = bytearray(), hashlib.sha256()
        starts = iter(range(0, artifact.n_bytes, PIECE_BYTES))
        waiting: deque[_Request] = deque()

        def request(offset: int, n_bytes: int) -> _Request:
            body = {"job_id": self.job_id, "index": index, "offset": offset, "n_bytes": n_bytes}
            return self.client._connection.ask(_Request("artifact.read", body, "work"))

        while True:
            for start in islice(starts, 8 - len(waiting)):  # few on their way at a time
                waiting.append(request(start, min(PIECE_BYTES, artifact.n_bytes - start)))
            if not waiting:
                break
            answered = self.client._connection.wait(waiting.popleft(), timeout_s)
            n_asked, n_bytes = answered.body["n_bytes"], 0
            for frame in answered.frames:
                data += frame
                digest.update(frame)
                n_bytes += frame.nbytes
            if 0 < n_bytes < n_asked:  # the host gives as much at a time as it likes
                waiting.appendleft(request(answered.body["offset"] + n_bytes, n_asked - n_bytes))
        if digest.hexdigest() != artifact.sha256:
            raise ClientError("the file was changed after it was made", where=artifact.path, cure="run the job again")
        return data

    def preview(self, *, credit: int = 4, start_sample: int = 0) -> Preview:
        """Return what is rendered while it is; for a job that was submitted with ``preview=True``.

        At most `credit` pieces, 1 to 64, of a second or less are on their way at a time.
        """
        return Preview(self, credit, start_sample)

    def _accepted(self, request: _Request) -> None:
        if request.error is not None:
            self._fail(request.error)
        else:
            answer = request.reply or {}
            job_id, state = str(answer.get("job_id", "")), str(answer.get("state", "queued"))
            ended = self.client.ended.pop(job_id, None)
            if ended is None and state in FINISHED:  # an answer that was lost before; what became of it is asked for
                self._known(job_id, {"state": "running"})
                self._heard_at = NEVER
            else:
                self._known(job_id, ended or {"state": state})
        if self._cancelling:
            self._cancelling = False
            self.cancel()

    def _known(self, job_id: str, report: dict[str, Any]) -> None:
        self.job_id = job_id
        self.client._jobs[job_id] = self
        self._learn(report)

    def _refreshed(self, request: _Request) -> None:
        if request.error is None:
            self._learn(request.reply or {})
        elif request.error.code == "not_found":
            self._fail(request.error)

    def _progressed(self, progress: dict[str, Any]) -> None:
        self._heard_at = time.monotonic()
        with contextlib.suppress(TypeError):
            new = Progress(**{name: progress[name] for name in Progress._fields if name in progress})
            if not self.finished and (self.latest is None or new.fraction >= self.latest.fraction):
                self.state, self.latest = "running", new
                self.client._changed[self] = None

    def _learn(self, report: dict[str, Any]) -> None:
        """Take a report; what has finished stays as it is."""
        self._heard_at = time.monotonic()
        if self.finished:
            return
        if report.get("progress"):
            self._progressed(report["progress"])
        before = self.state
        self.kind = report.get("kind", self.kind)
        self.state, self.report = str(report.get("state")), {"artifacts": [], **report}
        if self.state == "done" and self.latest is not None:
            self.latest = self.latest._replace(done=self.latest.total, fraction=1.0, eta_s=0.0)
        if self.state in ("failed", "cancelled"):
            fallback = {"code": self.state, "message": f"the job was {self.state}"}
            self.error = _error_of(report.get("error") or fallback)
        if self.state != before:
            self.client._changed[self] = None
        if self.state in FINISHED:
            self.client._jobs.pop(self.job_id, None)

    def _fail(self, error: ClientError) -> None:
        self.state, self.error = "failed", error
        self.client._changed[self] = None
        self.client._jobs.pop(self.job_id, None)

    @contextlib.contextmanager
    def _cancelled_with_us(self) -> Iterator[None]:
        """Cancel the job when the block is left by Ctrl-C or the like, and wait a little until the host has heard."""
        try:
            yield
        except ClientError:
            raise
        except BaseException:
            self.cancel()
            connection, end = self.client._connection, time.monotonic() + 2.0
            with contextlib.suppress(ClientError):
                while time.monotonic() < end and not self.finished and self.client.connected:
                    if self.job_id and not any(one.type == "job.cancel" for one in connection.pending.values()):
                        break
                    self.client._step(0.02)
            raise


class Preview:
    """What a job has rendered so far, piece by piece; made by `Job.preview`.

    Attributes
    ----------
    ended : str
        Empty while more may come; then "complete", "failed", "cancelled", "client_slow" or "closed".
    error : ClientError or None
        Why the host refused it.
    """

    def __init__(self, job: Job, credit: int, start_sample: int) -> None:
        self.job, self.credit = job, credit
        self.ended = ""
        self.error: ClientError | None = None
        self._next_sample = start_sample
        self._id = ""
        self._chunks: list[Chunk] = []
        self._open()

    def take(self) -> list[Chunk]:
        """Return what has come since the last call, without waiting; between calls, call `Client.poll`."""
        chunks, self._chunks = self._chunks, []
        if self.ended == "client_slow":  # now we are back
            self.ended = ""
            self._open()
        elif chunks and not self.ended:
            body = {"preview_id": self._id, "n": min(len(chunks), 64)}
            # has no answer, so it is sent once; a lost one is made good by the next opening
            request = _Request("preview.credit", body, "work", transient=True)
            self.job.client._connection.send(request)
        return chunks

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            chunks = self.take()
            yield from chunks
            if self.error is not None:
                raise self.error
            if self.ended and not self._chunks:
                return
            if not chunks:
                self.job.client._step(0.05)

    def close(self) -> None:
        """Want no more."""
        if not self.ended:
            self.ended = "closed"
            self._forget()
            self.job.client._connection.ask(_Request("preview.close", {"preview_id": self._id}, "work", transient=True))

    def _open(self) -> None:
        """Ask for what comes after the last piece; also after a gap, and on a new connection."""
        self._forget()
        body = {"job_id": self.job.job_id, "credit": self.credit, "start_sample": self._next_sample}
        request = _Request("preview.open", body, "work", then=self._opened, transient=True)
        self.job.client._connection.ask(request)
        self.job.client._previews[request.id] = self  # so that it is opened again if the connection is lost now

    def _opened(self, request: _Request) -> None:
        self._forget()
        self.error = request.error
        if request.reply is None:
            self.ended = "failed"
            return
        self._id = str(request.reply.get("preview_id", ""))
        self.job.client._previews[self._id] = self

    def _forget(self) -> None:
        previews = self.job.client._previews
        for key in [key for key, preview in previews.items() if preview is self]:
            del previews[key]

    def _heard(self, kind: str, body: dict[str, Any], frames: list[memoryview]) -> None:
        if kind == "preview.end":
            self.ended = str(body.get("reason", "closed"))
            self._forget()
        elif kind == "preview.chunk" and frames:
            if body["start_sample"] > self._next_sample:
                self._open()  # one was lost
            elif body["start_sample"] == self._next_sample:
                shape = (body["n_channels"], body["n_samples"])
                self._chunks.append(Chunk(body["start_sample"], body["rate_hz"], frames[0].cast("B").cast("f", shape)))
                self._next_sample += body["n_samples"]
