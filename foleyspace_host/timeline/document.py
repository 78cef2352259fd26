"""The document of a timeline: parsed within limits, and every time in it checked before anything is made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.model import Object, seconds

__all__ = ["MAX_BYTES", "check_times", "children", "objects", "parse", "schema_of", "timeline_in"]

MAX_BYTES = 512 << 20
_MAX_DEPTH = 300  # libraries that read such files recursively overflow their stack beyond some thousands
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def parse(content: bytes, where: str) -> Any:
    """Parse the content of an ``.otio`` file and bring older schemas up to date.

    Parameters
    ----------
    content : bytes
        JSON in UTF-8.
    where : str
        What messages call it.

    Returns
    -------
    object
        The document.

    Raises
    ------
    InvalidInput
        If it is no such file, is nested too deeply, or holds a time without a valid rate.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(f"the timeline is larger than {MAX_BYTES >> 20} MiB", where=where)
    depth = 0
    for token in _TOKENS.finditer(content):
        byte = token.group()
        if byte in b"[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise InvalidInput(f"the timeline is nested deeper than {_MAX_DEPTH} levels", where=where)
        elif byte in b"]}":
            depth -= 1
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is no timeline in JSON ({error})", where=where, cure="export it again as OTIO") from None
    check_times(document, where)
    return _up_to_date(content, document, where)


def _up_to_date(content: bytes, document: Any, where: str) -> Any:
    """Return the document in the newest schemas; as it is where OpenTimelineIO knows not all of them."""
    from opentimelineio import adapters

    try:
        read = adapters.read_from_string(content.decode("utf-8-sig"), "otio_json")
        return json.loads(read.to_json_string())
    except Exception as error:
        # it refuses a whole timeline for one object of a program's own; then the pieces are judged one by one
        if _is_known(document):
            line = " ".join(str(error).split())[:200]
            raise InvalidInput(f"is no valid timeline ({line})", where=where, cure="export it again") from error
        return document


def _is_known(document: Any) -> bool:
    """Tell whether OpenTimelineIO has a name for every object of a document."""
    from opentimelineio.core import type_version_map

    known = type_version_map()
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            name, _, version = str(value.get("OTIO_SCHEMA", "")).rpartition(".")
            if name and (name not in known or (version.isdigit() and int(version) > known[name])):
                return False
            waiting += (item for key, item in value.items() if key != "metadata")
    return True


def check_times(document: Any, where: str) -> None:
    """Refuse a document with a time that is none.

    Raises
    ------
    InvalidInput
        If a rate is zero, negative, infinite or NaN, a value no number, or a reference holds a NUL; the message
        names the nearest clip.
    """
    waiting: list[tuple[Any, str]] = [(document, "")]
    while waiting:
        value, name = waiting.pop()
        if isinstance(value, list):
            waiting += ((item, name) for item in value)
        elif isinstance(value, dict):
            if isinstance(value.get("name"), str) and value["name"]:
                name = value["name"]
            if schema_of(value) == "RationalTime":
                seconds(value, f"{where}, {name}" if name else where)
            if "\0" in str(value.get("target_url", "")):  # libraries cut it off there: another file than is named
                raise InvalidInput("a reference holds a NUL", where=f"{where}, {name}", cure="link the media again")
            # metadata is not ours to judge
            waiting += ((item, name) for key, item in value.items() if key != "metadata")


def schema_of(value: Any) -> str:
    """Return the name of an object's schema without its version; empty if it has none."""
    schema = value.get("OTIO_SCHEMA") if isinstance(value, dict) else None
    return schema.rpartition(".")[0] if isinstance(schema, str) else ""


def children(composition: Object) -> Iterator[Object]:
    """Yield what a stack or track holds."""
    for child in composition.get("children") or ():
        if isinstance(child, dict):
            yield child


def timeline_in(document: Any, where: str) -> Object:
    """Return the timeline of a document.

    Parameters
    ----------
    document : object
        A timeline, or a collection that holds one.
    where : str
        What messages call it.

    Returns
    -------
    Object
        Part of the document, not a copy.

    Raises
    ------
    InvalidInput
        If there is none, or several.
    """
    found = list(_timelines(document))
    if len(found) != 1 or not isinstance(found[0].get("tracks"), dict):
        kind = schema_of(document) or type(document).__name__
        what = f"holds {len(found)} timelines" if len(found) > 1 else f"holds no timeline but a {kind}"
        raise InvalidInput(what, where=where, cure="export one timeline")
    return found[0]


def _timelines(value: Any) -> Iterator[Object]:
    if schema_of(value) == "Timeline":
        yield value
    elif schema_of(value) in ("SerializableCollection", "SerializeableCollection"):
        for child in children(value):
            yield from _timelines(child)


def objects(value: Any) -> Iterator[Object]:
    """Yield every object of a document that has a schema."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            if schema_of(one):
                yield one
            waiting += (item for key, item in one.items() if key != "metadata")
