"""No path gets past the host's guard: every field that holds one is checked against the roots."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from foleyspace_host.errors import UnauthorizedPath
from foleyspace_host.host.roots import Roots
from foleyspace_host.host.submission import allowed_inputs, allowed_output, named_files
from foleyspace_host.protocol import messages

KINDS: tuple[type[msgspec.Struct], ...] = typing.get_args(messages.Job)


def is_path(hint: Any) -> bool:
    marks = [part.extra for part in getattr(hint, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
    return any(mark and mark.get("path") for mark in marks) or any(map(is_path, typing.get_args(hint)))


def struct_in(hint: Any) -> type[msgspec.Struct] | None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in typing.get_args(hint) if (found := struct_in(part))), None)


def paths_of(kind: type[msgspec.Struct], place: str) -> Iterator[str]:
    """The places of all fields that hold a path, by the types alone."""
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        if (inner := struct_in(hint)) is not None:
            yield from paths_of(inner, f"{place}.{name}")
        elif is_path(hint):
            yield f"{place}.{name}"


def filled(kind: type[msgspec.Struct], place: str) -> Any:
    """A job in which each of these fields names itself."""
    given: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        if (inner := struct_in(hint)) is not None and inner is not messages.Span:
            given[name] = filled(inner, f"{place}.{name}")
        elif is_path(hint):
            given[name] = f"/nowhere/{place}.{name}"
    return kind(**given)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_path_is_looked_at(kind: type[msgspec.Struct]) -> None:
    expected = set(paths_of(kind, "$.job"))
    assert "$.job.output.folder" in expected
    job = filled(kind, "$.job")
    named = dict(named_files(job))
    assert set(named) | {"$.job.output.folder"} == expected
    assert named == {place: f"/nowhere/{place}" for place in named}
    if named:
        with pytest.raises(UnauthorizedPath):
            allowed_inputs(job, Roots())
    with pytest.raises(UnauthorizedPath):
        allowed_output(job, Roots())


def test_all_fields_called_so_are_marked() -> None:
    """A field that is a path by its name has the type of one."""
    suspicious = {"path", "folder", "file", "hrtf", "timeline", "roots"}
    structs = {name: kind for name, kind in vars(messages).items() if isinstance(kind, type)}
    for name, kind in structs.items():
        if issubclass(kind, msgspec.Struct):
            for field, hint in typing.get_type_hints(kind, include_extras=True).items():
                if field in suspicious:
                    assert is_path(hint), f"{name}.{field}"
