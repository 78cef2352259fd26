"""What an ADM file says of its tracks: the chunks ``axml`` (ITU-R BS.2076) and ``chna`` (ITU-R BS.2088)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foleyspace_host import __version__
from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.adm.blocks import Block

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["MAX_OBJECTS", "AdmObject", "axml", "chna", "clock"]

MAX_OBJECTS = 0xFFFF - 0x1000
"""How many objects the four digits of their numbers leave room for."""

_SCHEMA = "urn:ebu:metadata-schema:ebuCore_2016"
_UNSAYABLE = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_UID = struct.Struct("<H12s14s11sx")


@dataclass(frozen=True, slots=True)
class AdmObject:
    """One source of one clip.

    Parameters
    ----------
    name : str
        What it is called.
    track : int
        Track of the file in which it sounds, from 0.
    start, duration : int
        When it does, from the start of the file [ticks].
    absolute_m : float
        Distance that the file calls 1: the largest one of the object [m].
    extent_deg : float
        Width of the source [deg].
    blocks : sequence of Block
        Where it is.
    """

    name: str
    track: int
    start: int
    duration: int
    absolute_m: float
    extent_deg: float
    blocks: Sequence[Block]


def clock(ticks: int, rate_hz: int) -> str:
    """Return a time as ``hh:mm:ss.zzzzz``."""
    seconds, rest = divmod(ticks, rate_hz)
    digits = len(str(rate_hz)) - 1
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:0{digits}d}"


def chna(objects: Sequence[AdmObject]) -> bytes:
    """Return the chunk that says which object is in which track; objects that follow each other share one."""
    body = struct.pack("<HH", len({one.track for one in objects}), len(objects))
    for number, one in enumerate(objects, 1):
        names = (f"ATU_{number:08X}", f"AT_0003{0x1000 + number:04X}_01", f"AP_0003{0x1000 + number:04X}")
        body += _UID.pack(one.track + 1, *(name.encode() for name in names))
    return b"chna" + len(body).to_bytes(4, "little") + body


def axml(objects: Sequence[AdmObject], name: str, rate_hz: int, sample_rate_hz: int, n_bits: int) -> bytes:
    """Return the chunk that says what the objects are and where.

    Parameters
    ----------
    objects : sequence of AdmObject
        At most `MAX_OBJECTS`.
    name : str
        What the programme is called.
    rate_hz : int
        Ticks a second.
    sample_rate_hz, n_bits : int
        Rate and bits of the tracks' samples.

    Returns
    -------
    bytes

    Raises
    ------
    InvalidInput
        If there are too many objects.
    """
    from xml.etree.ElementTree import Element, SubElement, tostring

    if len(objects) > MAX_OBJECTS:
        raise InvalidInput(f"an ADM file holds {MAX_OBJECTS} objects, not {len(objects)}", cure="choose fewer clips")
    root = Element("ebuCoreMain", {"xmlns": _SCHEMA, "xml:lang": "en"})
    inside = SubElement(SubElement(SubElement(root, "coreMetadata"), "format"), "audioFormatExtended")
    inside.set("version", "ITU-R_BS.2076-2")
    programme = SubElement(
        inside, "audioProgramme", audioProgrammeID="APR_1001", audioProgrammeName=_said(name), start=clock(0, rate_hz)
    )
    SubElement(programme, "audioContentIDRef").text = "ACO_1001"
    content = SubElement(
        inside, "audioContent", audioContentID="ACO_1001", audioContentName=f"FoleySpace {__version__}"
    )
    for number in range(1, len(objects) + 1):
        SubElement(content, "audioObjectIDRef").text = f"AO_{0x1000 + number:04X}"
    SubElement(content, "dialogue", nonDialogueContentKind="2").text = "0"  # effects
    for number, one in enumerate(objects, 1):
        for element in _elements(one, number, rate_hz, sample_rate_hz, n_bits):
            inside.append(element)
    text = tostring(root, "utf-8", xml_declaration=True)
    return b"axml" + len(text).to_bytes(4, "little") + text + b"\0" * (len(text) & 1)


def _elements(one: AdmObject, number: int, rate_hz: int, sample_rate_hz: int, n_bits: int) -> Iterator[Element]:
    """Yield the elements of an object, each of which names the next."""
    from xml.etree.ElementTree import Element, SubElement

    own = f"0003{0x1000 + number:04X}"
    uid, pack, channel = f"ATU_{number:08X}", f"AP_{own}", f"AC_{own}"
    stream, track = f"AS_{own}", f"AT_{own}_01"
    name = _said(one.name)
    kind = {"typeLabel": "0003", "typeDefinition": "Objects"}
    pcm = {"formatLabel": "0001", "formatDefinition": "PCM"}
    times = {"start": clock(one.start, rate_hz), "duration": clock(one.duration, rate_hz)}

    element = Element("audioObject", {"audioObjectID": f"AO_{0x1000 + number:04X}", "audioObjectName": name} | times)
    SubElement(element, "audioPackFormatIDRef").text = pack
    SubElement(element, "audioTrackUIDRef").text = uid
    yield element
    element = Element("audioPackFormat", {"audioPackFormatID": pack, "audioPackFormatName": name} | kind)
    SubElement(element, "audioChannelFormatIDRef").text = channel
    SubElement(element, "absoluteDistance").text = f"{one.absolute_m:.6f}"
    yield element
    element = Element("audioChannelFormat", {"audioChannelFormatID": channel, "audioChannelFormatName": name} | kind)
    for index, block in enumerate(one.blocks, 1):
        element.append(_block(block, f"AB_{own}_{index:08X}", one, rate_hz))
    yield element
    element = Element(
        "audioStreamFormat", {"audioStreamFormatID": stream, "audioStreamFormatName": f"PCM {name}"} | pcm
    )
    SubElement(element, "audioChannelFormatIDRef").text = channel
    SubElement(element, "audioTrackFormatIDRef").text = track
    yield element
    element = Element("audioTrackFormat", {"audioTrackFormatID": track, "audioTrackFormatName": f"PCM {name}"} | pcm)
    SubElement(element, "audioStreamFormatIDRef").text = stream
    yield element
    element = Element("audioTrackUID", UID=uid, sampleRate=str(sample_rate_hz), bitDepth=str(n_bits))
    SubElement(element, "audioTrackFormatIDRef").text = track
    SubElement(element, "audioPackFormatIDRef").text = pack
    yield element


def _block(block: Block, name: str, one: AdmObject, rate_hz: int) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    times = {"rtime": clock(block.start, rate_hz), "duration": clock(block.duration, rate_hz)}
    element = Element("audioBlockFormat", {"audioBlockFormatID": name} | times)
    for coordinate, value in (
        ("azimuth", f"{block.azimuth_deg:.5f}"),
        ("elevation", f"{block.elevation_deg:.5f}"),
        ("distance", f"{min(block.distance_m / one.absolute_m, 1.0):.7f}"),
    ):
        SubElement(element, "position", coordinate=coordinate).text = value
    if one.extent_deg:
        SubElement(element, "width").text = f"{one.extent_deg:.5f}"
    SubElement(element, "gain").text = f"{block.gain:.8g}"
    if block.jump is not None:
        jump = SubElement(element, "jumpPosition", interpolationLength=f"{block.jump / rate_hz:.7f}")
        jump.text = "1"
    return element


def _said(name: str) -> str:
    """Return a name without what XML cannot say."""
    return "".join(
        sign if sign >= " " and not "\ud800" <= sign <= "\udfff" and sign < "\ufffe" else " " for sign in name
    )
