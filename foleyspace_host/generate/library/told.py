"""What a sound file says of itself: the chunks bext, iXML and LIST/INFO of WAV, RF64 and BW64 files."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["told_by"]

_MAX_CHUNK_BYTES = 1 << 20
_BEXT_TEXT_BYTES = 256
_IXML_FIELDS = {
    *("NOTE", "PROJECT", "SCENE", "TAPE", "DESCRIPTION", "KEYWORDS", "CATEGORY", "SUBCATEGORY", "FXNAME"),
    *("CATEGORYFULL", "NOTES", "LIBRARY", "BWF_DESCRIPTION", "USERCATEGORY", "VENDORCATEGORY", "SHOW"),
}
_INFO_FIELDS = {b"INAM", b"ICMT", b"IKEY", b"ISBJ", b"IGNR"}


def told_by(path: Path) -> str:
    """Return the words that a file says of itself.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    str
        Description, notes, categories and keywords, separated by semicolons; empty where there are none. What is
        damaged tells nothing.
    """
    said: list[str] = []
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
                return ""
            size_64 = 0
            while len(header := file.read(8)) == 8:
                name, length = header[:4], int.from_bytes(header[4:], "little")
                if name in (b"bext", b"iXML", b"LIST", b"ds64") and length <= _MAX_CHUNK_BYTES:
                    body = file.read(length)
                    if name == b"ds64":
                        size_64 = int.from_bytes(body[8:16], "little")
                    said += _chunk(name, body)
                else:
                    file.seek(size_64 if name == b"data" and length == 0xFFFF_FFFF else length, 1)
                file.seek(length & 1, 1)
    except OSError:
        return ""
    return "; ".join(dict.fromkeys(text for text in said if text))


def _chunk(name: bytes, body: bytes) -> list[str]:
    if name == b"bext":
        return [_text(body[:_BEXT_TEXT_BYTES])]
    if name == b"iXML":
        return _ixml(body)
    if name == b"LIST" and body[:4] == b"INFO":
        return _info(body[4:])
    return []


def _ixml(body: bytes) -> list[str]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # no sound needs those, and they can grow without end
        return []
    try:
        root = ElementTree.fromstring(body.rstrip(b"\0 \r\n"))  # noqa: S314 - without document type, see above
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
    return [" ".join((one.text or "").split()) for one in root.iter() if str(one.tag).upper() in _IXML_FIELDS]


def _info(body: bytes) -> list[str]:
    said, at = [], 0
    while at + 8 <= len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        if body[at : at + 4] in _INFO_FIELDS:
            said.append(_text(body[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return said


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0")[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
