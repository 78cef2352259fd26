"""Who is connected to the work socket: what each connection said in ``hello``, and when a client is gone.

A session lives as long as its connection. ZeroMQ closes one whose process ended at once, and one that does not
answer heartbeats after three seconds; a client may come back by another connection and say ``hello`` again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from foleyspace_host.host.roots import Roots

__all__ = ["GRACE_S", "RETURN_S", "Session", "Sessions"]

GRACE_S = 2.0
"""How long a client may be away before jobs end which it wanted to end with it."""

RETURN_S = 15.0
"""The same after the host itself was away: clients look for it every five seconds."""


@dataclass(slots=True, eq=False)
class Session:
    """What one connection may do.

    Parameters
    ----------
    peer : bytes
        ZeroMQ's name of the connection.
    descriptor : int
        The operating system's.
    client_id, client_name : str
        Who speaks.
    roots : Roots
        Where it may read and write.
    cancel_on_disconnect : bool
        Whether its client's jobs end when it goes.
    told : set of str
        Jobs whose end was told by this connection.
    """

    peer: bytes
    descriptor: int
    client_id: str
    client_name: str
    roots: Roots
    cancel_on_disconnect: bool = False
    told: set[str] = field(default_factory=set)


class Sessions:
    """The connections that said ``hello``."""

    def __init__(self) -> None:
        self._by_peer: dict[bytes, Session] = {}
        self._latest: dict[str, Session] = {}
        self._forsaken: dict[str, float] = {}  # clients whose jobs end, and when

    def add(self, session: Session) -> None:
        """Take in a connection, or what it says anew; it is its client's latest from now on."""
        self._by_peer[session.peer] = session
        self._latest[session.client_id] = session
        self._forsaken.pop(session.client_id, None)

    def of_peer(self, peer: bytes) -> Session | None:
        """Return the session of a connection."""
        return self._by_peer.get(peer)

    def of_client(self, client_id: str) -> Session | None:
        """Return the session by which a client was heard last."""
        return self._latest.get(client_id)

    def lost(self, descriptor: int) -> list[Session]:
        """Drop the sessions of a connection that ended, and return them."""
        gone = [session for session in self._by_peer.values() if session.descriptor == descriptor]
        for session in gone:
            self.drop(session)
        return gone

    def drop(self, session: Session) -> None:
        """Drop a session; another connection of the same client becomes its latest."""
        self._by_peer.pop(session.peer, None)
        if self._latest.get(session.client_id) is not session:
            return
        others = [other for other in self._by_peer.values() if other.client_id == session.client_id]
        if others:
            self._latest[session.client_id] = others[-1]
            return
        del self._latest[session.client_id]
        if session.cancel_on_disconnect:
            self.forsake(session.client_id, GRACE_S)

    def forsake(self, client_id: str, after_s: float) -> None:
        """Let a client that is not there have its jobs ended after a time, if it does not say hello."""
        self._forsaken[client_id] = time.monotonic() + after_s

    def forsaken(self) -> list[str]:
        """Return, once each, the clients that are gone for good and whose jobs shall end."""
        now = time.monotonic()
        due = [client for client, moment in self._forsaken.items() if moment <= now]
        for client in due:
            del self._forsaken[client]
        return due
