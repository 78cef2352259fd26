"""The limits of the protocol, in one place; ``schemas/README.md`` states them to clients."""

from __future__ import annotations

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_BUFFERS",
    "MAX_BUFFERS_BYTES",
    "MAX_BUFFER_BYTES",
    "MAX_DEPTH",
    "MAX_FRAMES",
    "MAX_FRAME_BYTES",
    "MAX_HEADER_BYTES",
    "MAX_REPLY_BYTES",
]

MAX_FRAME_BYTES = 16 << 20  # ZeroMQ drops the peer that sends a longer one
MAX_HEADER_BYTES = 4 << 10
MAX_BODY_BYTES = 256 << 10  # of a client's message
MAX_REPLY_BYTES = 8 << 20  # of the body of a host's: lists and results may be long
MAX_BUFFER_BYTES = 8 << 20
MAX_BUFFERS = 61
MAX_FRAMES = MAX_BUFFERS + 3  # magic, header and body
MAX_BUFFERS_BYTES = 256 << 20
MAX_DEPTH = 16
