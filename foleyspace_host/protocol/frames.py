"""Messages as frames: ``b"FSP1" | header | body | raw buffers``.

`decode` is total: whatever the frames, it returns a `Message` or raises `ProtocolError`, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from foleyspace_host.errors import LimitExceeded, ProtocolError, VersionUnsupported
from foleyspace_host.protocol.catalogue import CATALOGUE, Sender
from foleyspace_host.protocol.limits import (
    MAX_BODY_BYTES,
    MAX_BUFFER_BYTES,
    MAX_BUFFERS_BYTES,
    MAX_FRAMES,
    MAX_HEADER_BYTES,
    MAX_REPLY_BYTES,
)
from foleyspace_host.protocol.messages import (
    BODIES,
    PROTOCOL,
    SERVED,
    ArtifactReadOk,
    Header,
    JobSubmit,
    PreviewChunk,
)
from foleyspace_host.protocol.rules import check_buffers, check_submit
from foleyspace_host.protocol.strict import convert, unknown_fields, unpack
from foleyspace_host.protocol.versions import version_name

__all__ = ["MAGIC", "Frame", "Message", "body_hash", "buffer_digest", "decode", "encode"]

MAGIC = b"FSP1"

Frame = bytes | bytearray | memoryview

_MAX_WARNINGS = 16
_SORTED = msgspec.msgpack.Encoder(order="sorted")
_PACKED = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded message.

    Parameters
    ----------
    header : Header
        Who sent what.
    body : Struct
        Of the class that `messages.BODIES` has for the type.
    buffers : list of bytes or memoryview
        Raw frames, of the sizes that the body says; their digests are not checked yet.
    warnings : tuple of str
        Fields that were ignored, for the sender to know.
    """

    header: Header
    body: msgspec.Struct
    buffers: list[Frame]
    warnings: tuple[str, ...] = ()


def decode(frames: Sequence[Frame], *, sender: Sender = "client") -> Message:
    """Read and check a message.

    Parameters
    ----------
    frames : sequence of bytes-like
        All frames of the message, without the identity that a ROUTER puts before them.
    sender : {"client", "host"}
        Who sent it: types of the other side are refused.

    Returns
    -------
    Message

    Raises
    ------
    ProtocolError
        If the frames are no message; its ``about`` holds what could be read of the header, for the reply.
    LimitExceeded
        If something is too long, too deep or too much.
    VersionUnsupported
        If the message is of a major version that is not served.
    """
    about: dict[str, str] = {}
    try:
        return _decode(frames, sender, about)
    except ProtocolError as error:
        error.about = about
        raise


def _decode(frames: Sequence[Frame], sender: Sender, about: dict[str, str]) -> Message:
    sizes = [memoryview(frame).nbytes for frame in frames[: MAX_FRAMES + 1]]
    if not sizes or sizes[0] != len(MAGIC) or bytes(frames[0]) != MAGIC:
        raise ProtocolError("is no message of FoleySpace", where="frame 0", cure=f"begin with {MAGIC.decode()}")
    if len(sizes) < 3:
        raise ProtocolError(f"only {len(sizes)} frames", where="message", cure="send magic, header and body")
    header, warnings = _decode_header(frames[1], sizes[1], about)
    _check_sizes(sizes, MAX_BODY_BYTES if sender == "client" else MAX_REPLY_BYTES)
    _check_header(header, sender)

    raw = unpack(_view(frames[2]), "$")
    body = convert(raw, BODIES[header.type], "$")
    warnings += unknown_fields(raw, body, "$")
    buffers = list(frames[3:])
    if isinstance(body, JobSubmit):
        check_buffers(body.buffers, buffers)
        check_submit(body)
    else:
        _check_one_buffer(body, sizes[3:])
    told = tuple(f"{path}: unknown field, ignored" for path in warnings[:_MAX_WARNINGS])
    return Message(header, body, buffers, told)


def _decode_header(frame: Frame, n_bytes: int, about: dict[str, str]) -> tuple[Header, list[str]]:
    if n_bytes > MAX_HEADER_BYTES:
        raise LimitExceeded(f"{n_bytes} bytes are more than {MAX_HEADER_BYTES}", where="header")
    raw = unpack(_view(frame), "header")
    about.update(_readable(raw))
    major = raw["v"][0] if isinstance(raw.get("v"), list) and raw["v"] else None
    if type(major) is int and not SERVED[0][0] <= major <= SERVED[1][0]:
        # of another major version nothing more can be assumed
        served = " to ".join(version_name(version) for version in SERVED)
        side = "host (foleyspace-host)" if major > SERVED[1][0] else "client (the plugin or script)"
        raise VersionUnsupported(
            f"the message is of version {'.'.join(str(part)[:9] for part in raw['v'][:2])}, the host speaks {served}",
            where="header.v",
            cure=f"update the {side}",
        )
    header = convert(raw, Header, "header")
    return header, unknown_fields(raw, header, "header")


def _readable(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return what of a header can be used for a reply, even if the rest cannot."""
    fields: dict[str, str] = {}
    for name in ("type", "client_id", "request_id", "trace"):
        if isinstance(raw.get(name), str):
            try:
                convert({"v": [0, 0], "type": "x", name: raw[name]}, Header, "header")
            except ProtocolError:
                continue
            fields[name] = raw[name]
    return fields


def _check_sizes(sizes: list[int], max_body_bytes: int) -> None:
    if len(sizes) > MAX_FRAMES:
        raise LimitExceeded(f"more than {MAX_FRAMES} frames", where="message", cure="send fewer, longer buffers")
    if sizes[2] > max_body_bytes:
        raise LimitExceeded(
            f"{sizes[2]} bytes are more than {max_body_bytes}", where="$", cure="send long documents as buffers"
        )
    for index, size in enumerate(sizes[3:]):
        if size > MAX_BUFFER_BYTES:
            raise LimitExceeded(
                f"{size} bytes are more than {MAX_BUFFER_BYTES}", where=f"buffer {index}", cure="divide it"
            )
    if (total := sum(sizes[3:])) > MAX_BUFFERS_BYTES:
        raise LimitExceeded(f"{total} bytes are more than {MAX_BUFFERS_BYTES}", where="buffers", cure="use files")


def _check_header(header: Header, sender: Sender) -> None:
    entry = CATALOGUE.get(header.type)
    if entry is None or entry.sender != sender:
        raise ProtocolError(
            f"a {sender} sends no {header.type[:32]!r}",
            where="header.type",
            cure="see schemas/README.md for the messages there are",
        )
    if sender == "client":
        if header.client_id is None:
            raise ProtocolError("is missing", where="header.client_id", cure="give a UUID, the same each time")
        if header.request_id is None and entry.reply is not None:
            raise ProtocolError("is missing", where="header.request_id", cure="give a new UUID for each request")


def _check_one_buffer(body: msgspec.Struct, sizes: list[int]) -> None:
    wanted: list[int] = []
    if isinstance(body, ArtifactReadOk):
        wanted = [body.n_bytes]
    elif isinstance(body, PreviewChunk):
        wanted = [body.n_samples * body.n_channels * 4]
    if sizes != wanted:
        raise ProtocolError(f"frames of {sizes} bytes follow, not of {wanted}", where="buffers")


def _view(frame: Frame) -> bytes | memoryview:
    return bytes(frame) if isinstance(frame, bytearray) else frame


def encode(type: str, body: msgspec.Struct, *, buffers: Sequence[Frame] = (), **header: Any) -> list[Frame]:
    """Write a message.

    Parameters
    ----------
    type : str
        A key of `messages.BODIES`.
    body : Struct
        Of the class that belongs to it.
    buffers : sequence of bytes-like
        Raw frames; not copied.
    **header
        Fields of `Header` other than ``type``; ``v`` is `PROTOCOL` if not given.

    Returns
    -------
    list of bytes-like
        The frames.

    Raises
    ------
    LimitExceeded
        If the body is longer than a receiver takes.
    TypeError
        If the body is not of the type's class, which is an error of the program.
    """
    if not isinstance(body, BODIES[type]):
        raise TypeError(f"the body of {type} is a {BODIES[type].__name__}, not a {body.__class__.__name__}")
    head = _PACKED.encode(Header(**{"v": PROTOCOL, **header, "type": type}))
    packed = _PACKED.encode(body)
    limit = MAX_BODY_BYTES if CATALOGUE[type].sender == "client" else MAX_REPLY_BYTES
    if len(packed) > limit:
        raise LimitExceeded(f"a {type} of {len(packed)} bytes is more than {limit}", where="$")
    return [MAGIC, head, packed, *buffers]


def body_hash(message: Message) -> str:
    """Return what tells a repeated request from another one of the same name.

    Parameters
    ----------
    message : Message
        A decoded message.

    Returns
    -------
    str
        BLAKE2b with 32 bytes, as hexadecimal digits, over type and body; the body holds the digests of its
        buffers. The order of fields, defaults that are written out and unknown fields make no difference, so
        that a client may encode the same request again.
    """
    digest = hashlib.blake2b(message.header.type.encode() + b"\0", digest_size=32)
    digest.update(_SORTED.encode(message.body))
    return digest.hexdigest()


def buffer_digest(frame: Frame) -> str:
    """Return the digest that describes a buffer: BLAKE2b with 32 bytes, as hexadecimal digits."""
    return hashlib.blake2b(frame, digest_size=32).hexdigest()
