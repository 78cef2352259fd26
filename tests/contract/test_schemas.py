"""The schemas are those of the structs, can be read by others, and state every limit."""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import export_schemas
import msgspec
import pytest
from example_frames import frames_of, undump
from field_tables import meaning
from jsonschema import Draft202012Validator

from foleyspace_host import errors
from foleyspace_host.protocol import limits, messages
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.connection import Connection
from foleyspace_host.protocol.frames import decode
from foleyspace_host.protocol.trajectory import Trajectory

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
FILES = sorted((SCHEMAS / "v1").glob("*.schema.json"))
README = (SCHEMAS / "README.md").read_text(encoding="utf-8")

# what generators of code understand; the rest is for people
KEYWORDS = {
    "$schema", "$id", "$defs", "$ref", "type", "enum", "properties", "required", "additionalProperties", "items",
    "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "anyOf", "default", "title", "description", "examples", "x-open",
}  # fmt: skip
RARE = {"prefixItems": ("/Span/", "/BufferSpec/shape/"), "discriminator": ("/job",)}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def parts(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All schemas in a schema."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for word in ("properties", "$defs"):
        for name, part in schema.get(word, {}).items():
            yield from parts(part, f"{place}/{name}")
    for word in ("items", "additionalProperties"):
        if "prefixItems" not in schema:  # which leaves nothing to items
            yield from parts(schema.get(word), f"{place}/{word}")
    for word in ("anyOf", "prefixItems"):
        for number, part in enumerate(schema.get(word, [])):
            yield from parts(part, f"{place}/{number}")


def test_files_and_tables_are_up_to_date() -> None:
    made = export_schemas.documents()
    assert {path.name for path in (SCHEMAS / "v1").glob("*.json")} == set(made), "run `make schemas`"
    for name, text in made.items():
        assert (SCHEMAS / "v1" / name).read_text(encoding="utf-8") == text, f"{name}: run `make schemas`"
    assert export_schemas.readme(README) == README, "run `make schemas`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_field_says_what_it_means(path: Path) -> None:
    """The tables of the README are made of it."""
    schema = read(path)
    for name, part in {"": schema, **schema.get("$defs", {})}.items():
        for field, about in part.get("properties", {}).items():
            assert meaning(about) or field == "kind", f"{name}.{field}: put a comment behind it"


def test_there_is_one_for_each_message() -> None:
    assert {path.name.removesuffix(".schema.json") for path in FILES} == {
        *messages.BODIES,
        "header",
        "connection",
        "trajectory",
    }
    assert set(CATALOGUE) == set(messages.BODIES)
    for name, entry in CATALOGUE.items():
        assert entry.reply is None or CATALOGUE[entry.reply].sender == "host"
        assert (name.endswith(".ok") or entry.sender == "host") == (entry.reply is None) or name == "preview.credit"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_is_a_schema_with_plain_keywords_alone(path: Path) -> None:
    schema = read(path)
    Draft202012Validator.check_schema(schema)
    for place, part in parts(schema):
        for word in set(part) - KEYWORDS:
            assert place.startswith(RARE.get(word, ("-",))), f"{place}: {word}"
        if "$ref" in part:
            assert part["$ref"].removeprefix("#/$defs/") in schema["$defs"], "stands for itself"
        if "enum" in part or "pattern" in part:
            assert part["type"] == "string"
        if "pattern" in part:
            assert part["pattern"].startswith("^")
            assert part["pattern"].endswith("$")


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.sender == "client"])
def test_all_that_clients_send_is_bounded(name: str) -> None:
    schema = read(SCHEMAS / "v1" / f"{name}.schema.json")
    free = ("/duration_s", "/width", "/height", "/image_xy/0/items", "/id", "/label")  # of the trajectory document
    for place, part in parts(schema):
        if place.endswith(free) and place.startswith(("/Trajectory", "/Camera", "/Key", "/Source")):
            continue
        kind = part.get("type")
        if kind in ("number", "integer"):
            assert {"minimum", "exclusiveMinimum"} & set(part), place
            assert {"maximum", "exclusiveMaximum"} & set(part), place
        if kind == "array":
            assert "maxItems" in part, place
        if kind == "string":
            assert {"maxLength", "enum"} & set(part), place


def structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """A struct and all in it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for hint in typing.get_type_hints(kind).values():
            yield from structs(hint)
    for argument in typing.get_args(kind):
        yield from structs(argument)


@pytest.mark.parametrize("name", [*messages.BODIES, "header", "connection", "trajectory"])
def test_structs_and_files_agree_on_fields(name: str) -> None:
    kind = {"header": messages.Header, "connection": Connection, "trajectory": Trajectory}.get(name)
    kind = kind or messages.BODIES[name]
    schema = read(SCHEMAS / "v1" / f"{name}.schema.json")
    described = {kind.__name__: schema, **schema.get("$defs", {})}
    kinds = {part.__name__: part for part in structs(kind)}
    if name == "job.submit":
        kinds |= {part.__name__: part for part in structs(Trajectory)}
    assert set(kinds) == set(described)
    for struct_name, struct in kinds.items():
        fields = msgspec.structs.fields(struct)
        tag = struct.__struct_config__.tag_field
        assert set(described[struct_name]["properties"]) == {field.encode_name for field in fields} | ({tag} - {None})
        needed = {field.encode_name for field in fields if field.required} | ({tag} - {None})
        assert set(described[struct_name].get("required", [])) == needed
        assert described[struct_name]["description"]


def test_what_stands_beside_a_field_describes_it() -> None:
    schema = read(SCHEMAS / "v1" / "job.submit.schema.json")
    assert schema["properties"]["priority"]["description"] == "among the client's own jobs; higher first"
    for path in FILES:
        for place, part in parts(read(path)):
            assert "``" not in part.get("description", ""), f"{path.name}{place}"


def test_every_code_of_errors_is_listed() -> None:
    index = read(SCHEMAS / "v1" / "index.json")
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert set(index["errors"]) == {kind.code for kind in kinds}
    for kind in kinds:
        row = re.search(rf"^\| `{kind.code}` \|.*\|$", README, re.MULTILINE)
        assert row, kind.code
    assert re.search(r"^\| `busy` \|.*\| yes \|$", README, re.MULTILINE)


def test_the_index_says_what_the_program_does() -> None:
    index = read(SCHEMAS / "v1" / "index.json")
    assert index["limits"] == {name.lower(): getattr(limits, name) for name in limits.__all__}
    assert index["version"] == list(messages.PROTOCOL) == list(messages.SERVED[1])
    for name, entry in index["messages"].items():
        assert (SCHEMAS / "v1" / entry["schema"]).exists()
        assert entry["sender"] == CATALOGUE[name].sender


@pytest.mark.parametrize("name", export_schemas.SHOWN)
def test_the_dumps_in_the_text_are_messages(name: str) -> None:
    block = README.split(f"<!-- made: dump {name} -->")[1].split("<!-- end -->")[0]
    frames = undump(block)
    message = decode(frames)
    assert message.header.type == name.split(".render")[0]
    assert frames == frames_of(read(SCHEMAS / "v1" / "examples" / "valid" / f"{name}.json"))


def test_links_of_the_text_lead_somewhere() -> None:
    titles = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    assert len(links) > 40
    for link in links:
        if link.startswith("#"):
            assert link[1:] in titles, link
        else:
            assert (SCHEMAS / link.replace("<type>", "hello")).exists(), link


def test_the_connection_file_shown_is_one() -> None:
    (block,) = re.findall(r"```json\n(\{.*?\n\})\n```", README, re.DOTALL)
    document = json.loads(block)
    Draft202012Validator(read(SCHEMAS / "v1" / "connection.schema.json")).validate(document)
    assert set(document) == set(Connection.__struct_fields__)
    msgspec.json.decode(block, type=Connection)
