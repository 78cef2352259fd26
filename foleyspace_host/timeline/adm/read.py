"""Reading an ADM file as this program writes it, to compare it with what was meant."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import MediaDamaged
from foleyspace_host.timeline.adm.blocks import Block
from foleyspace_host.timeline.adm.document import AdmObject

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["AdmFile", "read_adm"]

_MAX_BYTES = 1 << 30
_UID = struct.Struct("<H12s14s11sx")


@dataclass(frozen=True, slots=True)
class AdmFile:
    """What an ADM file tells.

    Parameters
    ----------
    n_tracks : int
        How many of its tracks are in use.
    objects : tuple of AdmObject
        In the order of their numbers.
    """

    n_tracks: int
    objects: tuple[AdmObject, ...]


def read_adm(path: Path, rate_hz: int) -> AdmFile:
    """Read the objects of an ADM file, of one track each, with positions in angles.

    Parameters
    ----------
    path : Path
        A WAV, RF64 or BW64 file with the chunks ``chna`` and ``axml``.
    rate_hz : int
        Ticks a second for the times that are returned.

    Returns
    -------
    AdmFile

    Raises
    ------
    MediaDamaged
        If it is none.
    """
    try:
        chunks = _chunks(path)
        n_tracks, n_uids = struct.unpack_from("<HH", chunks[b"chna"])
        tracks = {}
        for index in range(n_uids):
            number, uid, _, _ = _UID.unpack_from(chunks[b"chna"], 4 + index * _UID.size)
            tracks[uid.decode()] = number - 1
        root = _tree(chunks[b"axml"])
        packs = {one.get("audioPackFormatID"): one for one in root.iter(_named(root, "audioPackFormat"))}
        channels = {one.get("audioChannelFormatID"): one for one in root.iter(_named(root, "audioChannelFormat"))}
        objects = []
        for one in root.iter(_named(root, "audioObject")):
            pack = packs[_text(one, "audioPackFormatIDRef")]
            absolute_m = float(_text(pack, "absoluteDistance"))
            channel = channels[_text(pack, "audioChannelFormatIDRef")]
            blocks = [_block(block, absolute_m, rate_hz) for block in channel]
            width = channel[0].find(_named(channel, "width"))
            objects.append(
                AdmObject(
                    str(one.get("audioObjectName")),
                    tracks[_text(one, "audioTrackUIDRef")],
                    _ticks(one.get("start"), rate_hz),
                    _ticks(one.get("duration"), rate_hz),
                    absolute_m,
                    0.0 if width is None else float(width.text or 0.0),
                    blocks,
                )
            )
    except (OSError, KeyError, ValueError, IndexError, SyntaxError, struct.error) as error:
        raise MediaDamaged(
            f"cannot be read as an ADM file ({error})", where=str(path), cure="export it again"
        ) from error
    return AdmFile(n_tracks, tuple(objects))


def _chunks(path: Path) -> dict[bytes, bytes]:
    """Return the chunks of a file that are not samples."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            raise ValueError("it is no WAV file")
        while len(header := file.read(8)) == 8:
            name, length = header[:4], int.from_bytes(header[4:], "little")
            if name == b"data":
                if length == 0xFFFF_FFFF and b"ds64" in found:
                    length = int.from_bytes(found[b"ds64"][8:16], "little")
                file.seek(length + (length & 1), 1)
                continue
            if length > _MAX_BYTES:
                raise ValueError(f"a chunk of {length} bytes")
            found[name] = file.read(length)
            file.seek(length & 1, 1)
    return found


def _tree(text: bytes) -> Element:
    from xml.etree.ElementTree import fromstring

    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("its description holds a document type")
    return fromstring(text)  # noqa: S314 - as above


def _named(root: Element, name: str) -> str:
    """Return a name in the name space of an element."""
    space, closing, _ = root.tag.partition("}")
    return f"{space}}}{name}" if closing else name


def _text(element: Element, name: str) -> str:
    found = element.find(_named(element, name))
    if found is None or not found.text:
        raise ValueError(f"no {name}")
    return found.text


def _ticks(text: str | None, rate_hz: int) -> int:
    hours, minutes, seconds = (text or "").split(":")
    ticks = (int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) * rate_hz
    return round(ticks)


def _block(element: Element, absolute_m: float, rate_hz: int) -> Block:
    there = {one.get("coordinate"): float(one.text or "") for one in element.iter(_named(element, "position"))}
    jump = element.find(_named(element, "jumpPosition"))
    ticks = None
    if jump is not None and jump.text == "1":
        ticks = round(Fraction(jump.get("interpolationLength") or 0) * rate_hz)
    return Block(
        _ticks(element.get("rtime"), rate_hz),
        _ticks(element.get("duration"), rate_hz),
        there["azimuth"],
        there["elevation"],
        there["distance"] * absolute_m,
        float(_text(element, "gain")),
        ticks,
    )
