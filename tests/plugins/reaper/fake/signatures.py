"""REAPER's own signatures, and the check of every call against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .errors import ApiError

TABLE = Path(__file__).with_name("signatures.json")

HANDLE_TYPES = frozenset(
    {"ReaProject", "MediaTrack", "MediaItem", "MediaItem_Take", "PCM_source", "TrackEnvelope", "AudioAccessor"}
)


@dataclass(frozen=True)
class Value:
    """One argument or return value: its type, and whether it may be left out."""

    type: str
    optional: bool

    @classmethod
    def parse(cls, text: str) -> Value:
        return cls(text.rstrip("?"), text.endswith("?"))


@dataclass(frozen=True)
class Signature:
    """One call of the real table."""

    name: str
    returns: tuple[Value, ...]
    arguments: tuple[Value, ...]

    @classmethod
    def parse(cls, name: str, text: str) -> Signature:
        returns, _, arguments = text.rstrip(")").partition("(")
        return cls(name, _values(returns), _values(arguments))

    @property
    def fewest(self) -> int:
        # genGuid's only argument is the buffer of the C call; scripts leave it out
        return 0 if self.name == "genGuid" else sum(not value.optional for value in self.arguments)


def _values(text: str) -> tuple[Value, ...]:
    return tuple(Value.parse(part) for part in text.split(",")) if text else ()


@cache
def table() -> dict[str, Signature]:
    """Give every known call by its name."""
    functions = json.loads(TABLE.read_text(encoding="utf-8"))["functions"]
    return {name: Signature.parse(name, text) for name, text in functions.items()}


class Handle:
    """What Lua holds of an object of the model: typed, comparable, opaque."""

    __slots__ = ("address", "target", "type")

    def __init__(self, handle_type: str, target: Any, address: int) -> None:
        self.type = handle_type
        self.target = target
        self.address = address

    def __repr__(self) -> str:
        return f"userdata: 0x{self.address:016x}"


def bad_argument(position: int, name: str, why: str) -> ApiError:
    """Word an error as Lua's own library does."""
    return ApiError(f"bad argument #{position} to '{name}' ({why})")


def checked_arguments(signature: Signature, given: tuple[Any, ...]) -> list[Any]:
    """Turn what came from Lua into what the model takes.

    Raises
    ------
    ApiError
        Wrong number of arguments, a wrong type, or a fraction where REAPER takes an integer.
    """
    if not signature.fewest <= len(given) <= len(signature.arguments):
        expected = f"{signature.fewest} to {len(signature.arguments)}"
        raise ApiError(f"wrong number of arguments to '{signature.name}' ({len(given)} given, {expected} taken)")
    result = []
    for position, (value, argument) in enumerate(zip(signature.arguments, given, strict=False), 1):
        result.append(_checked(signature.name, position, value, argument))
    return result + [None] * (len(signature.arguments) - len(result))


def _checked(name: str, position: int, value: Value, argument: Any) -> Any:
    if argument is None and value.optional:
        return None
    kind = value.type
    if kind in HANDLE_TYPES:
        # a project may be given as 0 or nil: the tab in front
        if kind == "ReaProject" and (argument is None or (argument == 0 and not isinstance(argument, Handle | bool))):
            return None
        if not isinstance(argument, Handle) or argument.type != kind:
            given = argument.type if isinstance(argument, Handle) else _lua_type(argument)
            raise bad_argument(position, name, f"{kind} expected, got {given}")
        return argument
    if kind == "identifier":
        return argument
    if kind in ("integer", "number"):
        if isinstance(argument, bool) or not isinstance(argument, int | float):
            raise bad_argument(position, name, f"number expected, got {_lua_type(argument)}")
        if kind == "integer":
            if argument != argument or argument != int(argument):
                raise bad_argument(position, name, "number has no integer representation")
            return int(argument)
        return float(argument)
    if kind == "boolean":
        if not isinstance(argument, bool):
            raise bad_argument(position, name, f"boolean expected, got {_lua_type(argument)}")
        return argument
    if kind == "string":
        if not isinstance(argument, bytes):
            raise bad_argument(position, name, f"string expected, got {_lua_type(argument)}")
        if b"\0" in argument:
            raise bad_argument(position, name, "a C string holds no zero byte")
        return argument.decode("utf-8", "surrogateescape")
    if kind == "reaper.array" and (isinstance(argument, bool) or not isinstance(argument, int)):
        # the array itself stays in Lua; its size comes here
        raise bad_argument(position, name, "reaper.array expected")
    return argument


def _lua_type(argument: Any) -> str:
    if argument is None:
        return "nil"
    kinds = ((bool, "boolean"), (int | float, "number"), (bytes, "string"), (Handle, "userdata"))
    return next((name for kind, name in kinds if isinstance(argument, kind)), "table")


def checked_returns(signature: Signature, answer: Any) -> tuple[Any, ...]:
    """Hold the fake itself to the table: number and types of what it gives back."""
    if not signature.returns:
        if answer is not None:
            raise TypeError(f"{signature.name} gives nothing back, the fake gave {answer!r}")
        return ()
    values = answer if isinstance(answer, tuple) else (answer,)
    if signature.name == "GetAudioAccessorSamples":
        return values  # its samples go into the caller's array
    if len(values) != len(signature.returns):
        raise TypeError(f"{signature.name}: {len(signature.returns)} values are due, the fake gave {len(values)}")
    return tuple(_given(signature.name, value, one) for value, one in zip(signature.returns, values, strict=True))


def _given(name: str, value: Value, one: Any) -> Any:
    if one is None:
        return None
    kinds: dict[str, Any] = {"integer": int, "number": float, "boolean": bool}
    if value.type in kinds:
        return kinds[value.type](one)
    if value.type == "string":
        return one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one
    if value.type in HANDLE_TYPES and not (isinstance(one, Handle) and one.type == value.type):
        raise TypeError(f"{name}: {value.type} is due, the fake gave {one!r}")
    return one
