"""Every example is what it says, for the host and for a validator that knows nothing of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from example_frames import frames_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from foleyspace_host.errors import ProtocolError
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.frames import buffer_digest, decode, encode
from foleyspace_host.protocol.messages import BODIES, JobSubmit
from foleyspace_host.protocol.strict import convert
from foleyspace_host.protocol.trajectory import Trajectory

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
EXAMPLES = SCHEMAS / "v1" / "examples"
VALID = sorted(path.stem for path in (EXAMPLES / "valid").glob("*.json"))
INVALID = sorted(path.stem for path in (EXAMPLES / "invalid").glob("*.json"))
CLIENT = [name for name, entry in CATALOGUE.items() if entry.sender == "client"]


def load(kind: str, name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / kind / f"{name}.json").read_text(encoding="utf-8"))


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / "v1" / f"{name}.schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", VALID)
def test_valid_ones_are_valid_for_both(name: str) -> None:
    example = load("valid", name)
    kind = example["header"]["type"]
    assert name == kind or name.startswith(f"{kind}.")
    validator("header").validate(example["header"])
    validator(kind).validate(example["body"])
    frames = frames_of(example)
    message = decode(frames, sender=CATALOGUE[kind].sender)
    assert isinstance(message.body, BODIES[kind])
    assert bool(message.warnings) == name.endswith(".newer")
    if isinstance(message.body, JobSubmit):
        assert [spec.blake2b for spec in message.body.buffers] == [buffer_digest(frame) for frame in frames[3:]]


@pytest.mark.parametrize("name", VALID)
def test_what_the_program_writes_is_valid_too(name: str) -> None:
    """The same message, written by the program, is read as the same and passes the schema, with no field more."""
    example = load("valid", name)
    sender = CATALOGUE[example["header"]["type"]].sender
    message = decode(frames_of(example), sender=sender)
    header = json.loads(msgspec.json.encode(message.header))
    kind, body = header.pop("type"), json.loads(msgspec.json.encode(message.body))
    validator("header").validate({"type": kind, **header})
    validator(kind).validate(body)
    again = decode(encode(kind, message.body, buffers=message.buffers, **header), sender=sender)
    assert (again.header, again.body, again.buffers) == (message.header, message.body, message.buffers)
    assert again.warnings == ()


@pytest.mark.parametrize("name", INVALID)
def test_invalid_ones_are_refused_where_they_say(name: str) -> None:
    example = load("invalid", name)
    with pytest.raises(ProtocolError) as caught:
        decode(frames_of(example))
    assert {"code": caught.value.code, "where": caught.value.where} == example["expect"]
    if "frames" in example:
        assert example["refused_by"] == "host"
        return
    kind = example["header"]["type"]
    header_ok = validator("header").is_valid(example["header"])
    body_ok = kind not in BODIES or validator(kind).is_valid(example["body"])
    if name == "header.line-feed":
        return  # Python's $ passes a line feed at the end; that of other languages does not
    assert {"header": (False, True), "body": (True, False), "host": (True, True)}[example["refused_by"]] == (
        header_ok,
        body_ok,
    )


def test_every_message_has_examples() -> None:
    kinds = [load("valid", name)["header"]["type"] for name in VALID]
    assert set(kinds) == set(BODIES)
    refused = [load("invalid", name).get("header", {}).get("type") for name in INVALID]
    for name in CLIENT:
        assert refused.count(name) >= 2, name


def fields(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield f"{place}.{name}"
            yield from fields(part, f"{place}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from fields(part, place)


@pytest.mark.parametrize("kind", ["hello", "job.submit", "job.list", "artifact.read", "preview.open", "shutdown"])
def test_every_field_is_shown_once(kind: str) -> None:
    shown = set()
    for name in VALID:
        if (example := load("valid", name))["header"]["type"] == kind:
            shown |= {place.split(".")[-1] for place in fields(example["body"])}
    schema = validator(kind).schema
    for part in [schema, *schema.get("$defs", {}).values()]:
        if part["title"] in ("Trajectory", "Source", "Key", "Camera"):
            continue  # shown in trajectory files
        assert set(part["properties"]) <= shown, part["title"]


# --- both judges agree on what is almost right ---------------------------------------------------------------------

JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**55), 2**55),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    st.text(max_size=8).filter(lambda text: not text.endswith("\n")),
    st.sampled_from(["a" * 65, "a" * 5000, "0" * 64, ".wav", "C:\\x", "done", "render", "localize", 0, 1, -1, 11, 191]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from(["path", "kind", "start", "id"]), st.integers(0, 3), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*path, name))


def struct_accepts(kind: str, body: Any) -> bool:
    """What the host's structs say, without the rules that no schema can state."""
    try:
        made = convert(body, BODIES[kind], "$")
        inline = getattr(getattr(getattr(made, "job", None), "trajectory", None), "inline", None)
        if inline is not None:
            convert(inline, Trajectory, "$")
    except ProtocolError:
        return False
    return True


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
@pytest.mark.parametrize("name", [name for name in VALID if load("valid", name)["header"]["type"] in CLIENT])
def test_schema_and_struct_agree_on_mutants(name: str, data: st.DataObject) -> None:
    example = load("valid", name)
    kind, body = example["header"]["type"], copy.deepcopy(example["body"])
    all_places = list(places(body))
    if not all_places:
        body = data.draw(JUNK)
        assert validator(kind).is_valid(body) == struct_accepts(kind, body)
        return
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(all_places))
        holder = body
        try:
            for step in path[:-1]:
                holder = holder[step]
            if data.draw(st.booleans()):
                holder[path[-1]] = data.draw(JUNK)
            else:
                del holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # the first change took it away
    assert validator(kind).is_valid(body) == struct_accepts(kind, body), json.dumps(body)
