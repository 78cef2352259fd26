"""Who may speak: CURVE on every socket, and ZAP that admits one client key alone.

CURVE by itself admits every client that knows the server's public key, whatever its own; only ZAP looks at the
client's. Both key pairs are new at every start, so a connection file that was left behind opens nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import zmq
from zmq.utils import z85

from foleyspace_host.errors import HostError

__all__ = ["Gatekeeper", "Keys", "fresh_keys"]

_DOMAIN = b"foleyspace"


@dataclass(frozen=True, slots=True)
class Keys:
    """The key pairs of one host's life, in Z85.

    Parameters
    ----------
    server_public, server_secret : bytes
        The host's own; the secret one never leaves the process.
    client_public, client_secret : bytes
        Those of whoever can read the connection file.
    """

    server_public: bytes
    server_secret: bytes = field(repr=False)
    client_public: bytes
    client_secret: bytes = field(repr=False)


def fresh_keys() -> Keys:
    """Make both key pairs.

    Raises
    ------
    HostError
        If this ZeroMQ cannot encrypt: without that there is no host.
    """
    if not zmq.has("curve"):
        raise HostError(
            "the ZeroMQ library here has no CURVE encryption, and the host does not run without",
            cure="install pyzmq from PyPI: pip install --force-reinstall pyzmq",
        )
    return Keys(*zmq.curve_keypair(), *zmq.curve_keypair())


class Gatekeeper(threading.Thread):
    """Answers ZeroMQ's question, at every handshake, whether this peer may come in (ZAP, RFC 27).

    It ends with its context. A socket that `guard` has seen admits nobody when there is no gatekeeper.

    Parameters
    ----------
    context : zmq.Context
        The context of the sockets to guard.
    keys : Keys
        The only client key that is admitted is that of these.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Keys) -> None:
        super().__init__(name="gatekeeper", daemon=True)
        self._keys = keys
        self._admitted = z85.decode(keys.client_public)
        self._questions = context.socket(zmq.REP)
        self._questions.linger = 0
        self._questions.bind("inproc://zeromq.zap.01")

    def guard(self, socket: zmq.Socket[bytes]) -> None:
        """Make a socket encrypted and guarded; before it is bound."""
        socket.curve_server = True
        socket.curve_secretkey = self._keys.server_secret
        socket.zap_domain = _DOMAIN
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # no gatekeeper, no entry

    def run(self) -> None:
        """Answer until the context ends."""
        try:
            while True:
                self._questions.send_multipart(self._answer(self._questions.recv_multipart()))
        except zmq.ContextTerminated:
            self._questions.close()

    def _answer(self, question: list[bytes]) -> list[bytes]:
        # version, number of the question, domain, address, routing id, mechanism, credentials
        number = question[1] if len(question) > 1 else b""
        known = question[:1] + question[2:3] + question[5:] == [b"1.0", _DOMAIN, b"CURVE", self._admitted]
        status, text, user = (b"200", b"OK", b"client") if known else (b"400", b"unknown key", b"")
        return [b"1.0", number, status, text, user, b""]
