"""What changed between two states of ``schemas/v1``, and whether a minor version may change it so.

A later minor version may add messages, optional fields, choices in a union, and codes of errors; whatever else
changes is another major version. Words for people (titles, descriptions, examples) may change always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["additions", "breaks"]

_FOR_PEOPLE = {"title", "description", "examples", "$id"}


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what no minor version may do.

    Parameters
    ----------
    old, new : mapping of str to object
        The parsed files, by name; of ``index.json`` messages, limits and codes are looked at.

    Returns
    -------
    list of str
        One line for each; none if all is well.
    """
    lines = [f"{name}: the file is gone" for name in old if name not in new]
    for name in old:
        if name in new:
            lines += _index(old[name], new[name]) if name == "index.json" else _schema(old[name], new[name], name)
    return lines


def additions(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether anything changed that needs a higher version, apart from words for people."""
    return {name: _bare(schema) for name, schema in old.items()} != {name: _bare(new[name]) for name in new}


def _bare(schema: Any, names: bool = False) -> Any:
    """Return a schema without the words for people; `names` says that the keys are names of fields."""
    if isinstance(schema, dict):
        return {
            key: _bare(value, key in ("properties", "$defs") and not names)
            for key, value in schema.items()
            if names or key not in {*_FOR_PEOPLE, "version", "served", "errors"}
        }
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema


def _index(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in old["messages"].items():
        if new["messages"].get(name) != entry:
            yield f"index.json: {name} is not what it was"
    for name, limit in old["limits"].items():
        if new["limits"].get(name, 0) < limit:
            yield f"index.json: the limit {name} is lower than it was"
    for code in old["errors"]:
        if code not in new["errors"]:
            yield f"index.json: the code {code} is gone"


def _schema(old: Any, new: Any, place: str) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{place}: {old!r} became {new!r}"
        return
    for word in sorted({*old, *new} - _FOR_PEOPLE):
        before, after = old.get(word), new.get(word)
        if word in ("properties", "$defs"):
            for name in before or {}:
                if name in (after or {}):
                    yield from _schema(before[name], after[name], f"{place}/{name}")
                elif word == "properties":
                    yield f"{place}/{name}: the field is gone"
        elif word == "required":
            for name in {*(before or ())} ^ {*(after or ())}:
                yield f"{place}/{name}: is needed, or is no longer"
        elif word == "anyOf":
            for part in before or ():
                if part not in (after or ()):
                    yield f"{place}: a choice is gone or changed"
        elif word == "discriminator":
            for name, part in (before or {"mapping": {}})["mapping"].items():
                if (after or {"mapping": {}})["mapping"].get(name) != part:
                    yield f"{place}: the kind {name} is gone"
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from _schema(before, after, f"{place}/{word}")
        elif before != after:
            yield f"{place}: {word} was {before!r} and is {after!r}"
