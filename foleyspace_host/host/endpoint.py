"""One ROUTER socket and the thread that owns it: from frames to a handler, and from its answer to frames.

No other thread touches the socket; what they have to say comes in by `Endpoint.post`. Whatever a peer sends, the
thread goes on: every error becomes an ``error`` reply, or silence where nobody can be addressed.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import zmq
from msgspec import Struct, structs

from foleyspace_host.errors import FoleySpaceError, ProtocolError
from foleyspace_host.host.auth import Gatekeeper
from foleyspace_host.host.log import note, note_bug
from foleyspace_host.host.router import Limits, bound_router
from foleyspace_host.protocol import frames as wire
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.limits import MAX_FRAMES
from foleyspace_host.protocol.messages import Error

__all__ = ["Call", "Endpoint", "Handler", "Reply"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request: who sent it, by which connection, and what.

    Parameters
    ----------
    peer : bytes
        ZeroMQ's name of the connection.
    descriptor : int
        The connection as the operating system names it; -1 if unknown.
    message : Message
        Header, body and buffers.
    """

    peer: bytes
    descriptor: int
    message: wire.Message


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is answered with: a body, and raw frames behind it."""

    body: Struct
    buffers: Sequence[wire.Frame] = ()


Handler = Callable[[Call], Reply | None]


class Endpoint(threading.Thread):
    """A bound ROUTER socket.

    Parameters
    ----------
    name : str
        "work" or "control".
    context : zmq.Context
        Of the process.
    gatekeeper : Gatekeeper
        Who guards it.
    port : int
        Port on 127.0.0.1; any free one if 0.
    instance_id : str
        The host's incarnation, for every header.
    limits : Limits
        What a peer may take.

    Raises
    ------
    HostError
        The port is in use.
    """

    def __init__(
        self,
        name: str,
        context: zmq.Context[zmq.Socket[bytes]],
        gatekeeper: Gatekeeper,
        *,
        port: int,
        instance_id: str,
        limits: Limits,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._instance_id = instance_id
        self._router = bound_router(name, context, gatekeeper, port, limits)
        self.address = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        self._monitor = self._router.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._bell, self._ring = context.socket(zmq.PULL), context.socket(zmq.PUSH)
        self._bell.bind(f"inproc://{name}")
        self._ring.connect(f"inproc://{name}")
        self._posted: deque[Callable[[], None]] = deque()
        self._posting = threading.Lock()
        self._ended: set[int] = set()  # descriptors of connections that are no more
        self._again: set[int] = set()  # those that were given to others since
        self._open = True
        self.heard_s = time.monotonic()
        """When the last message came in that was more than a look whether the host is there."""

        # what whoever uses the endpoint puts in before it starts
        self.handlers: Mapping[str, Handler] = {}
        self.on_lost: Callable[[int], None] = lambda _descriptor: None
        """Called with the descriptor of every connection that ended."""
        self.on_unreachable: Callable[[bytes], None] = lambda _peer: None
        """Called with the peer to which a reply could not be sent any more."""
        self.on_turn: Callable[[], float] = lambda: 1.0
        """Called after whatever happened; returns in how many seconds to call again if nothing does."""

    # --- for other threads -------------------------------------------------------------------------------------

    def post(self, action: Callable[[], None]) -> None:
        """Have something done by the thread that owns the socket; from any thread."""
        with self._posting:
            if self._open:
                self._posted.append(action)
                with suppress(zmq.Again):  # the bell rings already
                    self._ring.send(b"", zmq.NOBLOCK)

    def end(self) -> None:
        """End the thread after what was posted is done, and wait for it; close the socket."""
        self.post(self._end)
        if self.is_alive():
            self.join(5.0)
        else:  # it was never started, or has ended by itself
            self._close()

    def _end(self) -> None:
        self._open = False

    # --- the thread --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Receive, handle and reply until `end`."""
        poller = zmq.Poller()
        for socket in (self._router, self._bell, self._monitor):
            poller.register(socket, zmq.POLLIN)
        while self._open:
            wait_s = self._guarded("turn", self.on_turn) or 1.0
            poller.poll(max(0, min(1000, int(wait_s * 1000))))
            self._do_posted()
            for _ in range(16):  # then the others' turn
                if not self._receive():
                    break
            self._notice_lost()
        self._close()

    def _close(self) -> None:
        with self._posting:
            self._open = False
            if self._router.closed:
                return
            self._router.disable_monitor()
            for socket in (self._monitor, self._router, self._bell, self._ring):
                socket.close(linger=200 if socket is self._router else 0)  # the last replies shall get out

    def _do_posted(self) -> None:
        with suppress(zmq.Again):
            while True:
                self._bell.recv(zmq.NOBLOCK)
        while self._posted:
            self._guarded("posted", self._posted.popleft())

    def _notice_lost(self) -> None:
        while self._monitor.poll(0):
            event, descriptor = struct.unpack("=HI", self._monitor.recv_multipart()[0])
            if event == zmq.EVENT_ACCEPTED:
                if descriptor in self._ended:
                    self._again.add(descriptor)
                self._ended.discard(descriptor)
            elif event == zmq.EVENT_DISCONNECTED:
                self._ended.add(descriptor)
                self._guarded("lost", partial(self.on_lost, descriptor))

    def is_there(self, descriptor: int) -> bool | None:
        """Return whether the connection of a request still is there; None if another one had the same descriptor.

        In that case the request may be the last word of the one that has ended, told before it was read; sending
        something a little later tells.
        """
        if descriptor in self._ended:
            return False
        return None if descriptor in self._again else True

    def _receive(self) -> bool:
        """Handle one message; return whether there was one."""
        parts: list[zmq.Frame] = []
        try:
            while True:
                part = self._router.recv(zmq.NOBLOCK, copy=False)
                if len(parts) <= MAX_FRAMES + 1:  # one too many tells the decoder enough
                    parts.append(part)
                if not part.more:
                    break
        except zmq.Again:
            return False
        # a lost connection's descriptor may be this one's by now: its end is told before this message is handled
        self._notice_lost()
        peer, *frames = parts
        try:
            descriptor = int(frames[-1].get(zmq.SRCFD))
        except (zmq.ZMQError, IndexError, TypeError, ValueError):
            descriptor = -1
        self._handle(peer.bytes, descriptor, [frame.buffer for frame in frames])
        return True

    def _handle(self, peer: bytes, descriptor: int, frames: list[memoryview]) -> None:
        about: dict[str, Any] = {}
        try:
            message = wire.decode(frames)
            header = message.header
            about = {name: getattr(header, name) for name in ("type", "client_id", "request_id", "trace")}
            if header.type != "health":  # by which clients see whether the host is there; nobody needs it for that
                self.heard_s = time.monotonic()
            reply = self._handler(header.type)(Call(peer, descriptor, message))
            if reply is not None:
                body = _with_warnings(reply.body, message.warnings)
                sent = self.send(peer, f"{header.type}.ok", body, buffers=reply.buffers, request_id=header.request_id)
                if sent is None:  # it ended before its request was heard
                    self.on_unreachable(peer)
        except FoleySpaceError as error:
            about = getattr(error, "about", None) or about
            self._refuse(peer, failure(error), about)
            note("refused", level=logging.WARNING, socket=self.name, code=error.code, **about)
        except Exception as error:  # a bug of ours is the client's trouble, not the host's end
            self._refuse(peer, failure(error), about)
            note_bug("refused", error, socket=self.name, **about)

    def _handler(self, kind: str) -> Handler:
        if kind not in self.handlers:
            cure = f"send it on the {' or '.join(CATALOGUE[kind].sockets)} socket"
            raise ProtocolError(f"{kind} has no place on the {self.name} socket", where="header.type", cure=cure)
        return self.handlers[kind]

    def _refuse(self, peer: bytes, body: Error, about: Mapping[str, Any]) -> None:
        self._guarded("refuse", lambda: self.send(peer, "error", body, request_id=about.get("request_id")))

    def send(
        self,
        peer: bytes,
        kind: str,
        body: Struct,
        *,
        buffers: Sequence[wire.Frame] = (),
        request_id: str | None = None,
    ) -> bool | None:
        """Send a message to a connection; only in this thread.

        Returns
        -------
        bool or None
            True if it is on its way, False if the peer reads too slowly, None if it is gone.
        """
        frames = wire.encode(kind, body, buffers=buffers, request_id=request_id, instance_id=self._instance_id)
        try:
            self._router.send_multipart([peer, *frames], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return None
        return True

    def _guarded(self, event: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except Exception as error:  # the thread must not end by a bug
            note_bug(event, error, socket=self.name)
            return None


def _with_warnings(body: Struct, warnings: Sequence[str]) -> Struct:
    """Add what was ignored of a request to a reply that has room for it."""
    own = getattr(body, "warnings", None)
    return body if not warnings or own is None else structs.replace(body, warnings=[*warnings, *own])
