"""Which messages there are: who sends them, on which socket, what answers and what follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foleyspace_host.protocol.messages import BODIES

__all__ = ["CATALOGUE", "Entry", "Sender", "Socket"]

Sender = Literal["client", "host"]
Socket = Literal["work", "control"]
Buffers = Literal["none", "described", "one"]

_BOTH: tuple[Socket, ...] = ("work", "control")
_WORK: tuple[Socket, ...] = ("work",)
_CONTROL: tuple[Socket, ...] = ("control",)
_REQUESTS: dict[str, tuple[Socket, ...]] = {
    "hello": _BOTH,
    "health": _CONTROL,
    "job.submit": _WORK,
    "job.status": _CONTROL,
    "job.list": _CONTROL,
    "job.cancel": _CONTROL,
    "job.ack": _CONTROL,
    "artifact.read": _WORK,
    "preview.open": _WORK,
    "preview.close": _WORK,
    "shutdown": _CONTROL,
}
_BUFFERS: dict[str, Buffers] = {
    "job.submit": "described",
    "artifact.read.ok": "one",
    "preview.chunk": "one",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is to know of a type of message.

    Parameters
    ----------
    sender : {"client", "host"}
        Who sends it.
    sockets : tuple of {"work", "control"}
        Where it is sent.
    reply : str, optional
        Type of the answer when all is well, ``error`` otherwise; None if there is no answer.
    buffers : {"none", "described", "one"}
        Raw frames behind the body: none, as many as ``buffers`` of the body describes, or one.
    """

    sender: Sender
    sockets: tuple[Socket, ...]
    reply: str | None = None
    buffers: Buffers = "none"


def _entry(name: str) -> Entry:
    buffers = _BUFFERS.get(name, "none")
    if name in _REQUESTS:
        return Entry("client", _REQUESTS[name], f"{name}.ok", buffers)
    if name == "preview.credit":
        return Entry("client", _WORK)
    request = name.removesuffix(".ok")
    if request in _REQUESTS:
        return Entry("host", _REQUESTS[request], buffers=buffers)
    return Entry("host", _BOTH if name == "error" else _WORK, buffers=buffers)


CATALOGUE: dict[str, Entry] = {name: _entry(name) for name in BODIES}
"""An entry for each type of message."""
