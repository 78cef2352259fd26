"""The document of a timeline: parsed within limits, and every time in it checked before anything is made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.model import Object, check_time

__all__ = [
    "MAX_BYTES",
    "as_text",
    "check_times",
    "children",
    "objects",
    "parse",
    "schema_of",
    "timeline_in",
    "timelines",
    "up_to_date",
]

MAX_BYTES = 512 << 20
_INFINITE = re.compile(r'"(?:[^"\\]|\\.)*"|\bInf\b', re.DOTALL)
_MAX_NAMES = 20
_MAX_DEPTH = 300  # libraries that read such files recursively overflow their stack beyond some thousands


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
    try:
        document = _loaded(content.decode("utf-8-sig"))
    except ValueError as error:
        raise InvalidInput(f"is no timeline in JSON ({error})", where=where, cure="export it again as OTIO") from None
    except RecursionError:
        raise _too_deep(where) from None
    _check_depth(document, where)
    check_times(document, where)
    return up_to_date(content, where)


def _loaded(text: str) -> Any:
    """Return what JSON says, with numbers that OpenTimelineIO spells in a way of its own."""
    try:
        return json.loads(text)
    except ValueError:
        if "Inf" not in text:
            raise
        return json.loads(_INFINITE.sub(lambda found: found[0] if found[0][0] == '"' else "Infinity", text))


def _check_depth(document: Any, where: str) -> None:
    """Refuse a document whose objects hold each other too deeply."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(_MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            below += value.values() if isinstance(value, dict) else value
        below = [value for value in below if isinstance(value, dict | list)]
        if not below:
            return
        level = below
    raise _too_deep(where)


def _too_deep(where: str) -> InvalidInput:
    return InvalidInput(f"the timeline is nested deeper than {_MAX_DEPTH} levels", where=where)


def up_to_date(content: bytes, where: str) -> Any:
    """Return a document in the newest schemas; as it is where OpenTimelineIO knows not all of them.

    Parameters
    ----------
    content : bytes
        JSON in UTF-8.
    where : str
        What messages call it.

    Returns
    -------
    object

    Raises
    ------
    InvalidInput
        If OpenTimelineIO knows all schemas of it, and refuses it.
    """
    from opentimelineio import adapters

    try:
        read = adapters.read_from_string(content.decode("utf-8-sig"), "otio_json")
        return _loaded(read.to_json_string())
    except Exception as error:
        # it refuses a whole timeline for one object of a program's own; then the pieces are judged one by one
        document = json.loads(content.decode("utf-8-sig"))
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
    waiting: list[tuple[Any, str]] = [(document, "")] if isinstance(document, dict | list) else []
    while waiting:
        value, name = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("name"), str) and value["name"]:
                name = value["name"]
            if str(value.get("OTIO_SCHEMA")).startswith("RationalTime."):
                check_time(value, f"{where}, {name}" if name else where)
            if "\0" in str(value.get("target_url", "")):  # libraries cut it off there: another file than is named
                raise InvalidInput("a reference holds a NUL", where=f"{where}, {name}", cure="link the media again")
            for key, item in value.items():
                if isinstance(item, dict | list) and key != "metadata":  # which is not ours to judge
                    waiting.append((item, name))
        else:
            for item in value:
                if isinstance(item, dict | list):
                    waiting.append((item, name))


def as_text(document: Any) -> str:
    """Return a document as the text of an ``.otio`` file, indented as such files are."""
    import msgspec

    try:  # the library indents a hundred times as fast as Python does
        return msgspec.json.format(json.dumps(document, ensure_ascii=False), indent=4)
    except (msgspec.DecodeError, UnicodeError):  # metadata may hold NaN, and halves of characters
        return json.dumps(document, indent=4)


def schema_of(value: Any) -> str:
    """Return the name of an object's schema without its version; empty if it has none."""
    schema = value.get("OTIO_SCHEMA") if isinstance(value, dict) else None
    return schema.rpartition(".")[0] if isinstance(schema, str) else ""


def children(composition: Object) -> Iterator[Object]:
    """Yield what a stack or track holds."""
    for child in composition.get("children") or ():
        if isinstance(child, dict):
            yield child


def timeline_in(document: Any, where: str, name: str | None = None) -> Object:
    """Return the timeline of a document.

    Parameters
    ----------
    document : object
        A timeline, or a collection that holds some.
    where : str
        What messages call it.
    name : str, optional
        Name of the one that is meant, or its number from 1 on; needed if there are several.

    Returns
    -------
    Object
        Part of the document, not a copy.

    Raises
    ------
    InvalidInput
        If there is none, or it is not clear which; the message names those that there are.
    """
    found = list(timelines(document))
    if not found:
        kind = schema_of(document) or type(document).__name__
        raise InvalidInput(f"holds no timeline but a {kind}", where=where, cure="export one timeline")
    names = [str(timeline.get("name") or "") for timeline in found]
    have = ", ".join(f"{number} {called!r}" for number, called in enumerate(names[:_MAX_NAMES], 1))
    have += ", ..." if len(found) > _MAX_NAMES else ""
    if name is None and len(found) > 1:
        raise InvalidInput(
            f"holds {len(found)} timelines: {have}", where=where, cure="choose one with --timeline, by name or number"
        )
    chosen = found if name is None else [one for one, called in zip(found, names, strict=True) if called == name]
    if not chosen and name is not None and name.isdecimal() and 1 <= int(name) <= len(found):
        chosen = [found[int(name) - 1]]
    if len(chosen) != 1:
        what = f"holds {len(chosen)} timelines called {name!r}" if chosen else f"holds no timeline called {name!r}"
        raise InvalidInput(what, where=where, cure=f"there are: {have}; a number will do")
    if not isinstance(chosen[0].get("tracks"), dict):
        raise InvalidInput("holds a timeline without tracks", where=where, cure="export it again")
    return chosen[0]


def timelines(value: Any) -> Iterator[Object]:
    """Yield the timelines of a document, in the order in which it holds them."""
    if schema_of(value) == "Timeline":
        yield value
    elif schema_of(value) in ("SerializableCollection", "SerializeableCollection"):
        for child in children(value):
            yield from timelines(child)


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
