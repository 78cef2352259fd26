"""A ROUTER socket on the loopback interface: guarded, and bounded in what one peer can make it hold."""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from foleyspace_host.errors import HostError
from foleyspace_host.host.auth import Gatekeeper

__all__ = ["Limits", "bound_router"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one peer can make the host hold.

    Parameters
    ----------
    frame_bytes : int
        ZeroMQ drops the connection of who sends a longer frame.
    received, sent : int
        Messages that wait in each direction.
    """

    frame_bytes: int
    received: int
    sent: int


def bound_router(
    name: str, context: zmq.Context[zmq.Socket[bytes]], gatekeeper: Gatekeeper, port: int, limits: Limits
) -> zmq.Socket[bytes]:
    """Return a socket that listens on 127.0.0.1, and nowhere else.

    Raises
    ------
    HostError
        The port is in use.
    """
    router = context.socket(zmq.ROUTER)
    gatekeeper.guard(router)
    for option, value in (
        (zmq.MAXMSGSIZE, limits.frame_bytes),
        (zmq.RCVHWM, limits.received),
        (zmq.SNDHWM, limits.sent),
        (zmq.HANDSHAKE_IVL, 5000),
        (zmq.ROUTER_MANDATORY, 1),
        (zmq.LINGER, 0),
        (zmq.HEARTBEAT_IVL, 1000),
        (zmq.HEARTBEAT_TIMEOUT, 3000),
        (zmq.HEARTBEAT_TTL, 5000),
        (zmq.IPV6, 0),
    ):
        router.setsockopt(option, value)
    try:
        router.bind(f"tcp://127.0.0.1:{port or '*'}")
    except zmq.ZMQError as error:
        router.close()
        problem = f"port {port} cannot be used for the {name} socket ({zmq.strerror(error.errno or 0).lower()})"
        raise HostError(problem, cure="name another port, or none to take a free one") from error
    return router
