"""Bytes to checked structs, or one error: the only place where foreign bytes are unpacked.

`unpack` is total: whatever the bytes, it returns plain values (maps with text keys, arrays, text, whole and finite
numbers, booleans, nothing) or raises `ProtocolError`. MessagePack's extension types and binary values,
duplicate keys, NaN and infinity are refused.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn, TypeVar

import msgpack
import msgspec

from foleyspace_host.errors import LimitExceeded, ProtocolError
from foleyspace_host.protocol.limits import MAX_DEPTH

__all__ = ["convert", "unknown_fields", "unpack"]

T = TypeVar("T")

_PLAIN = (str, int, float, bool, type(None))
_PLACE = re.compile(r"(?P<problem>.*) - at (?:`key` in )?`\$(?P<path>[^`]*)`", re.DOTALL)


def unpack(frame: bytes | memoryview, where: str) -> dict[str, Any]:
    """Unpack a frame that holds one MessagePack map of plain values.

    Parameters
    ----------
    frame : bytes or memoryview
        The frame; its length is already within bounds.
    where : str
        What messages call it: ``header``, or ``$`` for the body.

    Returns
    -------
    dict

    Raises
    ------
    ProtocolError
        If it is not MessagePack, no map, or holds what is not plain; ``where`` names the field.
    LimitExceeded
        If it is nested more deeply than `MAX_DEPTH`.
    """
    try:
        value = msgpack.unpackb(
            frame,
            raw=False,
            strict_map_key=True,
            max_ext_len=0,  # refuses timestamps, which `ext_hook` does not see
            ext_hook=_refuse_extension,  # refuses empty ones, which `max_ext_len` lets pass
            object_pairs_hook=_unique,
        )
    except ProtocolError as error:
        raise ProtocolError(error.problem, where=where) from None
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        detail = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise ProtocolError(f"is not MessagePack ({detail})", where=where) from None
    if not isinstance(value, dict):
        raise ProtocolError("is not a map", where=where, cure="send a map with text keys")
    _check_plain(value, where)
    return value


def convert(value: Any, kind: type[T], where: str) -> T:
    """Check plain values against a type.

    Parameters
    ----------
    value : object
        What `unpack` gave, or a part of it.
    kind : type
        The struct it is to be.
    where : str
        What messages call the value; the path inside is added.

    Returns
    -------
    kind
        The struct; fields it does not know are left out.

    Raises
    ------
    ProtocolError
        If a field is missing, of a wrong type or out of range.
    LimitExceeded
        If a text or an array is too long.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, MemoryError, OverflowError) as error:
        text = str(error) or type(error).__name__
        found = _PLACE.fullmatch(text)
        problem, path = (found["problem"], found["path"]) if found else (text, "")
        error_type = LimitExceeded if "of length <=" in problem else ProtocolError
        line = " ".join(problem.split())[:300]
        raise error_type(line[:1].lower() + line[1:], where=f"{where}{path}"[:300]) from None


def unknown_fields(value: Any, struct: Any, where: str) -> list[str]:
    """Return the paths of the fields in plain values that a struct made of them does not have.

    Parameters
    ----------
    value : object
        What the struct was converted from.
    struct : Struct
        The struct; parts of it that are no structs are not looked into.
    where : str
        Path of the value.

    Returns
    -------
    list of str
        One path for each unknown field.
    """
    paths: list[str] = []
    if isinstance(struct, msgspec.Struct) and isinstance(value, dict):
        known = set(struct.__struct_fields__) | {struct.__struct_config__.tag_field}
        paths += [f"{where}.{name[:60]}" for name in value if name not in known]
        for name in struct.__struct_fields__:
            if name in value:
                paths += unknown_fields(value[name], getattr(struct, name), f"{where}.{name}")
    elif isinstance(struct, list | tuple) and isinstance(value, list):
        for index, (part, made) in enumerate(zip(value, struct, strict=False)):
            if isinstance(made, msgspec.Struct):
                paths += unknown_fields(part, made, f"{where}[{index}]")
    return paths


def _refuse_extension(code: int, _data: bytes) -> NoReturn:
    raise ProtocolError(f"holds an extension of type {code}")


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ProtocolError("holds a map in which a key stands twice")
    return fields


def _check_plain(root: dict[str, Any], where: str) -> None:
    # level by level and without paths, which cost more than the whole rest; they are made when one is needed
    level: list[Any] = [root]
    for depth in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict | list):
                if depth == MAX_DEPTH:
                    raise LimitExceeded(f"is nested more deeply than {MAX_DEPTH} levels", where=where)
                if isinstance(value, list):
                    below += value
                elif all(isinstance(key, str) for key in value):
                    below += value.values()
                else:
                    raise ProtocolError("holds a map with a key that is no text", where=where)
            elif not isinstance(value, _PLAIN) or (isinstance(value, float) and not math.isfinite(value)):
                _refuse(root, value, where)
        level = below


def _refuse(root: Any, wanted: Any, where: str) -> NoReturn:
    path = _path_to(root, wanted, where) or where
    if isinstance(wanted, float):
        raise ProtocolError(f"is {wanted}", where=path[:300], cure="every number must be finite")
    raise ProtocolError("is binary", where=path[:300], cure="text is sent as text, sound in frames behind the body")


def _path_to(value: Any, wanted: Any, path: str, depth: int = 0) -> str | None:
    if value is wanted:
        return path
    parts: Any = ()
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        parts = ((part, f"{path}.{str(name)[:60]}") for name, part in value.items())
    elif isinstance(value, list):
        parts = ((part, f"{path}[{index}]") for index, part in enumerate(value))
    return next((found for part, place in parts if (found := _path_to(part, wanted, place, depth + 1))), None)
