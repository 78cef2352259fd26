"""From an example in ``schemas/v1/examples`` to the frames that it describes, and frames as people read them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgpack

__all__ = ["frames_of", "hex_dump", "undump"]


def frames_of(example: dict[str, Any]) -> list[bytes]:
    """Return the frames of a message.

    Parameters
    ----------
    example : dict
        ``header``, ``body`` and ``buffers``, or ``frames`` as hexadecimal digits where they are no message.

    Returns
    -------
    list of bytes
    """
    if "frames" in example:
        return [bytes.fromhex(frame) for frame in example["frames"]]
    head, body = msgpack.packb(example["header"]), msgpack.packb(example["body"])
    return [b"FSP1", head, body, *(_buffer(buffer) for buffer in example.get("buffers", []))]


def _buffer(buffer: dict[str, Any]) -> bytes:
    if "f32le" in buffer:
        samples = list(chain.from_iterable(buffer["f32le"]))  # channel after channel
        return struct.pack(f"<{len(samples)}f", *samples)
    if "json" in buffer:
        return json.dumps(buffer["json"]).encode()
    return bytes.fromhex(buffer["hex"])


def hex_dump(frame: bytes) -> Iterator[str]:
    """Give lines of 16 bytes: where they stand, the bytes, and those of them that are ASCII."""
    for start in range(0, len(frame), 16):
        part = frame[start : start + 16]
        digits = " ".join(f"{byte:02x}" for byte in part)
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"  {start:04x}  {digits:<47}  {letters}".rstrip()


def undump(text: str) -> list[bytes]:
    """Return the frames of a dump, as a reader would type them in."""
    frames: list[bytes] = []
    for line in text.splitlines():
        if line.startswith("frame "):
            frames.append(b"")
        elif line.startswith("  "):
            frames[-1] += bytes.fromhex(line[8:55])
    return frames
