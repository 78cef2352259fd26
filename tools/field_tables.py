"""The tables of fields in ``schemas/README.md``, made from the JSON Schemas, in words instead of keywords."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["field_tables", "meaning"]

_PATTERNS = {
    "^[A-Za-z0-9._-]+$": "id",
    "^[0-9a-f]{64}$": "64 hexadecimal digits",
    "^[^\\x00]+$": "path",
}
_ENDLESS = (1 << 53, 1e11)  # bounds of what has none but those of its type


def field_tables(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table for each message and for each part of one.

    Parameters
    ----------
    documents : mapping of str to dict
        Schemas by the names of the messages, in the order of the tables.

    Returns
    -------
    str
        Markdown; parts that several messages have stand once, after all messages.
    """
    parts: dict[str, Mapping[str, Any]] = {}
    places: dict[str, str] = {}
    for name, schema in documents.items():
        places.setdefault(_shape(schema), name)
        parts |= schema.get("$defs", {})
    # a part that is also the body of a message has its table there
    links = {name: places.setdefault(_shape(part), name) for name, part in parts.items()}
    lines: list[str] = []
    for name, schema in documents.items():
        lines += ["", f"#### {name}", ""]
        if not schema.get("properties"):
            lines.append("No fields: an empty map.")
        elif (first := places[_shape(schema)]) != name:
            lines.append(f"As [{first}](#{_anchor(first)}).")
        else:
            lines += _table(schema, links)
    for name in sorted(name for name, place in links.items() if name == place):
        lines += ["", f"#### {name}", "", parts[name]["description"], "", *_table(parts[name], links)]
    return "\n".join(lines[1:])


def meaning(field: Mapping[str, Any]) -> str:
    """Return what is said of a field, or of the value that it has unless it is nil."""
    found = [part["description"] for part in (field, *field.get("anyOf", ())) if "description" in part]
    return str(found[0]) if found else ""


def _shape(schema: Mapping[str, Any]) -> str:
    fields = {
        name: {word: value for word, value in field.items() if word != "description"}
        for name, field in schema.get("properties", {}).items()
    }
    return json.dumps([fields, schema.get("required")])


def _table(schema: Mapping[str, Any], links: Mapping[str, str]) -> Iterator[str]:
    yield "| field | what it holds | if left out | meaning |"
    yield "|---|---|---|---|"
    needed = schema.get("required", ())
    for name, field in schema["properties"].items():
        default = field.get("default")
        without = "**needed**" if name in needed else "" if default is None else _value(default)
        yield f"| `{name}` | {_kind(field, links)} | {without} | {meaning(field)} |"


def _value(default: Any) -> str:
    if default == {}:
        return "all defaults"
    return f"`{json.dumps(default)}`"


def _kind(schema: Mapping[str, Any], links: Mapping[str, str]) -> str:
    """Return what a value is and its bounds, in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{links[name]}](#{_anchor(links[name])})"
    if "anyOf" in schema:
        return " or ".join(_kind(part, links) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return _list(schema, links)
        case "integer" | "number":
            return _number(schema)
        case "string":
            return _text(schema)
        case "boolean":
            return "true or false"
    return "a map"


def _list(schema: Mapping[str, Any], links: Mapping[str, str]) -> str:
    if schema.get("description") == "major, minor":
        return "`[major, minor]`"
    low, high, items = schema.get("minItems", 0), schema.get("maxItems"), schema["items"]
    if low and low == high:
        parts = schema.get("prefixItems", [items] * low)
        return f"array of {low}: {'; '.join(_kind(part, links) for part in parts)}"
    return f"array of {_kind(items, links)}" + (f"; at most {_plain(high)}" if high else "")


def _number(schema: Mapping[str, Any]) -> str:
    low, high, above = (schema.get(word) for word in ("minimum", "maximum", "exclusiveMinimum"))
    if high is None and (below := schema.get("exclusiveMaximum")) is not None:
        high = below - 1  # of an integer
    least = f" above {_plain(above)}" if above is not None else "" if low is None else f" from {_plain(low)}"
    return schema["type"] + least + ("" if high is None or high in _ENDLESS else f" to {_plain(high)}")


def _plain(value: float) -> str:
    return f"{int(value):,}".replace(",", " ") if value == int(value) else f"{value:g}"


def _text(schema: Mapping[str, Any]) -> str:
    pattern = schema.get("pattern", "")
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    most = schema.get("maxLength")
    size = "" if most is None else f", at most {_plain(most)} characters"
    like = pattern.replace("|", "\\|")
    return f"text{size}" + (f", as `{like}`" if like else "")


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "", title.lower())
