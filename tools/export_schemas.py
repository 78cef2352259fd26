"""Write ``schemas/v1``: JSON Schemas of all messages, made from the structs that the host checks them with.

    python tools/export_schemas.py            write the files, and the tables and dumps in schemas/README.md
    python tools/export_schemas.py --check    write nothing; fail if a file is not what would be written

The examples in ``schemas/v1/examples`` are not made here: they are written by hand, and what was once released is
never changed.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec

from foleyspace_host import errors
from foleyspace_host.protocol import greeting, limits, messages, scalars, trajectory, transfer, work
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.connection import Connection
from foleyspace_host.protocol.versions import version_name

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the siblings, also when tests load this file by its path
from example_frames import frames_of, hex_dump
from field_tables import field_tables

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHOWN = ("hello", "job.submit.render-buffers")
EXCHANGE = (
    *("hello", "hello.ok", "job.submit.render-buffers", "job.submit.ok"),
    *("job.progress", "job.finished", "job.ack", "job.ack.ok"),
)
_STRUCTS = {
    name: thing
    for module in (messages, greeting, work, transfer, trajectory, scalars)
    for name, thing in vars(module).items()
    if isinstance(thing, type) and issubclass(thing, msgspec.Struct)
} | {"Connection": Connection}
_COMMENT = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def error_classes() -> list[type[errors.FoleySpaceError]]:
    """Return the classes of all errors, in the order of their codes."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    return sorted(kinds, key=lambda kind: (kind.code, len(kind.__mro__)))


def codes() -> list[str]:
    """Return all codes of errors."""
    return sorted({kind.code for kind in error_classes()})


def schema_of(kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """Return the JSON Schema of one struct as a document that needs no other.

    Parameters
    ----------
    kind : type of Struct
        The struct.
    name : str
        Name of the document.

    Returns
    -------
    dict
    """
    kinds = [kind, trajectory.Trajectory] if kind is messages.JobSubmit else [kind]
    _, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    parts = {part: _described(part, _plain(schema)) for part, schema in parts.items()}
    top = parts.pop(kind.__name__)
    top["title"] = name
    document = {"$schema": DIALECT, "$id": f"urn:foleyspace:v1:{name}", **top}
    return document | ({"$defs": dict(sorted(parts.items()))} if parts else {})


def _plain(schema: Any) -> Any:
    """Rewrite what generators of code do not know into what they do, without a change of meaning."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: value if key == "default" else _plain(value) for key, value in schema.items()}
    if "$ref" in schema:
        schema.pop("type", None)
    if isinstance(pattern := schema.get("pattern"), str):
        schema["pattern"] = pattern.replace(r"\Z", "$")
    if "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
        schema = {"type": "string"} | schema
    if (items := schema.get("prefixItems")) is not None:
        if all(item == items[0] for item in items):
            del schema["prefixItems"]
            schema["items"] = items[0]
        else:
            # never reached by a validator, but read by who knows only the older keyword
            schema["items"] = {"type": items[0]["type"]}
    if schema.get("required") == []:
        del schema["required"]
    return schema


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Add what the source says beside each field."""
    kind = _STRUCTS[name]
    schema["description"] = " ".join((inspect.getdoc(kind) or "").replace("``", "`").split())
    if name == "Error":
        schema["properties"]["code"] |= {"x-open": True, "examples": codes()}
    for field, comment in _COMMENT.findall(inspect.getsource(kind)):
        if field in schema["properties"]:
            schema["properties"][field].setdefault("description", comment.replace("``", "`"))
    return schema


def documents() -> dict[str, str]:
    """Return all files of ``schemas/v1`` that are made, as texts by name."""
    kinds: dict[str, type[msgspec.Struct]] = {
        "header": messages.Header,
        "connection": Connection,
        "trajectory": trajectory.Trajectory,
        **messages.BODIES,
    }
    made: dict[str, Any] = {f"{name}.schema.json": schema_of(kind, name) for name, kind in kinds.items()}
    made["index.json"] = {
        "version": list(messages.PROTOCOL),
        "served": [list(version) for version in messages.SERVED],
        "limits": {name.lower(): getattr(limits, name) for name in limits.__all__},
        "errors": codes(),
        "messages": {
            name: {
                "schema": f"{name}.schema.json",
                "sender": entry.sender,
                "sockets": list(entry.sockets),
                "reply": entry.reply,
                "buffers": entry.buffers,
            }
            for name, entry in CATALOGUE.items()
        },
    }
    return {name: json.dumps(made, indent=1, ensure_ascii=False) + "\n" for name, made in made.items()}


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _messages_table() -> str:
    rows = [_row("type", "from", "socket", "answer", "raw frames", "what it is"), "|---|---|---|---|---|---|"]
    buffers = {"none": "", "described": "as `$.buffers` says", "one": "one"}
    for name, entry in CATALOGUE.items():
        if name.endswith(".ok"):
            continue
        text = " ".join((inspect.getdoc(messages.BODIES[name]) or "").replace("``", "`").split())
        text = re.sub(rf"^`{re.escape(name)}`[.,:]? ?", "", text)
        if name == "job.finished":
            text = "how the job ended: all that is known of it"
        answer = f"`{entry.reply}`" if entry.reply else ""
        rows.append(
            _row(
                f"[`{name}`](v1/{name}.schema.json)",
                entry.sender,
                ", ".join(entry.sockets),
                answer,
                buffers[entry.buffers],
                text[:1].lower() + text[1:].removesuffix("."),
            )
        )
    return "\n".join(rows)


def _fields() -> str:
    return field_tables({name: schema_of(kind, name) for name, kind in messages.BODIES.items()})


def _errors_table() -> str:
    rows = [_row("code", "what is wrong", "`retryable`"), "|---|---|---|"]
    seen: set[str] = set()
    for kind in error_classes():
        if kind.code in seen:
            continue
        seen.add(kind.code)
        if kind is errors.FoleySpaceError:
            text = "An error in FoleySpace itself; the host's log says more"
        else:
            text = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()).replace("``", "`").removesuffix(".")
        rows.append(_row(f"`{kind.code}`", text, "yes" if kind.retryable else ""))
    return "\n".join(rows)


def _limits_table() -> str:
    texts = {
        "MAX_FRAMES": "frames of a message: magic, header, body and 61 buffers",
        "MAX_FRAME_BYTES": "bytes of any frame: who sends a longer one is disconnected by ZeroMQ, without an answer",
        "MAX_HEADER_BYTES": "bytes of a header",
        "MAX_BODY_BYTES": "bytes of the body of a client's message",
        "MAX_REPLY_BYTES": "bytes of the body of a host's message",
        "MAX_DEPTH": "levels of maps and arrays in header or body, the outermost counted",
        "MAX_BUFFERS": "buffers of a message",
        "MAX_BUFFER_BYTES": "bytes of a buffer",
        "MAX_BUFFERS_BYTES": "bytes of all buffers of a message",
    }
    rows = [_row("limit", "of what"), "|---:|---|"]
    rows += [_row(f"{getattr(limits, name):,}".replace(",", " "), text) for name, text in texts.items()]
    return "\n".join(rows)


def _example(name: str) -> Any:
    return json.loads((SCHEMAS / "v1" / "examples" / "valid" / f"{name}.json").read_text(encoding="utf-8"))


def _exchange() -> str:
    """Return a job from greeting to acknowledgement as JSON; each answer gets the name of its request."""
    lines, asked = ["```text"], {}
    for name in EXCHANGE:
        example = _example(name)
        header, entry = example["header"], CATALOGUE[example["header"]["type"]]
        if entry.reply:
            asked[entry.reply] = header["request_id"]
        elif header["type"] in asked:
            header["request_id"] = asked[header["type"]]
        way = "client to host" if entry.sender == "client" else "host to client"
        lines.append(f"{way}, {entry.sockets[0]}")
        for part in ("header", "body"):
            text = json.dumps(example[part])
            lines += textwrap.wrap(text, 110, initial_indent=f"  {part:<8}", subsequent_indent=" " * 10)
        lines += [f"  buffer  {len(frame)} bytes" for frame in frames_of(example)[3:]]
    return "\n".join([*lines, "```"])


def _dump(name: str) -> str:
    example = _example(name)
    lines = ["```text"]
    for index, frame in enumerate(frames_of(example)):
        title = ("magic", "header", "body")[index] if index < 3 else f"buffer {index - 3}"
        lines += [f"frame {index}, {title}, {len(frame)} bytes", *hex_dump(frame)]
    return "\n".join([*lines, "```"])


def _versions() -> str:
    low, high = (version_name(version) for version in messages.SERVED)
    return f"This text describes version **{version_name(messages.PROTOCOL)}**; the host serves {low} to {high}."


def readme(text: str) -> str:
    """Return the README with its made parts made again.

    Parameters
    ----------
    text : str
        The README; what is made stands between ``<!-- made: NAME -->`` and ``<!-- end -->``.

    Returns
    -------
    str
    """
    parts = {
        "version": _versions,
        "messages": _messages_table,
        "exchange": _exchange,
        "fields": _fields,
        "errors": _errors_table,
        "limits": _limits_table,
        **{f"dump {name}": lambda name=name: _dump(name) for name in SHOWN},
    }
    for name, make in parts.items():
        start, end = f"<!-- made: {name} -->", "<!-- end -->"
        head, found, rest = text.partition(start)
        assert found, f"schemas/README.md has no place for {name}"
        _, found, tail = rest.partition(end)
        assert found, f"schemas/README.md: {name} has no end"
        text = f"{head}{start}\n{make()}\n{end}{tail}"
    return text


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    check = parser.parse_args().check
    wanted = {SCHEMAS / "v1" / name: text for name, text in documents().items()}
    wanted[SCHEMAS / "README.md"] = readme((SCHEMAS / "README.md").read_text(encoding="utf-8"))
    stale = [path for path in (SCHEMAS / "v1").glob("*.json") if path not in wanted]
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if not check:
        (SCHEMAS / "v1").mkdir(parents=True, exist_ok=True)
        for path in changed:
            path.write_text(wanted[path], encoding="utf-8", newline="\n")
        for path in stale:
            path.unlink()
    for path in (*changed, *stale):
        print(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}")
    return 1 if check and (changed or stale) else 0


if __name__ == "__main__":
    sys.exit(main())
