"""Rooms with a name, and the short notation: ``hall``, ``hall:rt60=1.6``, ``shoebox:6x4x3,rt60=0.5``, a JSON file."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foleyspace_host.errors import InvalidInput
from foleyspace_host.render.room.model import RoomModel

__all__ = ["PRESETS", "room_of"]

_FURNISHED = (1.0, 1.0, 1.0, 1.0, 1.6, 0.9)
_AUDIENCE = (0.9, 0.5, 0.6, 0.6, 2.2, 0.5)

PRESETS: MappingProxyType[str, dict[str, Any] | None] = MappingProxyType(
    {
        "dry": None,
        "studio": {
            "size_m": (6.0, 5.0, 3.0),
            "rt60_s": (0.38, 0.33, 0.29, 0.27, 0.26, 0.25, 0.23, 0.2),
            "shares": (1.0, 1.0, 1.0, 1.0, 1.0, 1.2),
            "scattering": 0.3,
        },
        "living-room": {
            "size_m": (5.6, 4.3, 2.6),
            "rt60_s": (0.6, 0.52, 0.47, 0.44, 0.42, 0.4, 0.36, 0.3),
            "shares": _FURNISHED,
            "scattering": 0.3,
        },
        "hall": {
            "size_m": (36.0, 24.0, 16.0),
            "rt60_s": (2.3, 2.15, 2.05, 2.0, 1.8, 1.5, 1.05, 0.6),
            "shares": _AUDIENCE,
            "scattering": 0.3,
            "listener_m": (13.0, 11.2, 1.5),
        },
        "church": {
            "size_m": (48.0, 22.0, 18.0),
            "rt60_s": (4.8, 4.7, 4.6, 4.3, 3.6, 2.6, 1.5, 0.7),
            "scattering": 0.2,
            "listener_m": (16.0, 10.2, 1.5),
        },
        # asphalt below, facades left and right, open ends and sky. No diffuse field: times and level of the tail are
        # what rays that these walls reflect and scatter leave at a distance where ISO 3382 has them measured
        "street": {
            "size_m": (90.0, 18.0, 18.0),
            "rt60_s": (0.98, 1.06, 1.09, 1.08, 1.0, 0.85, 0.58, 0.28),
            "absorption": (
                (0.95,),
                (0.95,),
                (0.25, 0.2, 0.18, 0.18, 0.2, 0.22, 0.25, 0.3),
                (0.25, 0.2, 0.18, 0.18, 0.2, 0.22, 0.25, 0.3),
                (0.02, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1),
                (1.0,),
            ),
            "scattering": (0.5, 0.5, 0.35, 0.35, 0.05, 0.0),
            "listener_m": (40.0, 7.5, 1.6),
            "tail_db": -3.0,
        },
        # soft ground; what comes back from the sides is scattered by trunks and leaves, the sky is open
        "forest": {
            "size_m": (70.0, 60.0, 24.0),
            "rt60_s": (0.9, 1.1, 1.3, 1.5, 1.4, 1.1, 0.7, 0.4),
            "absorption": (
                (0.9, 0.85, 0.8, 0.75, 0.75, 0.8, 0.85, 0.9),
                (0.9, 0.85, 0.8, 0.75, 0.75, 0.8, 0.85, 0.9),
                (0.9, 0.85, 0.8, 0.75, 0.75, 0.8, 0.85, 0.9),
                (0.9, 0.85, 0.8, 0.75, 0.75, 0.8, 0.85, 0.9),
                (0.15, 0.3, 0.55, 0.6, 0.6, 0.65, 0.7, 0.75),
                (1.0,),
            ),
            "scattering": (0.95, 0.95, 0.95, 0.95, 0.3, 0.0),
            "listener_m": (30.0, 28.0, 1.6),
            "order": 1,
            "tail_db": -8.0,
        },
    }
)
"""Parameters of `RoomModel.of` for each named room; None leaves the sound dry."""

_CURE = f"give {', '.join(PRESETS)}, shoebox:LxWxH,rt60=S, or a .json file"
_WALL_FIELDS = ("absorption", "shares", "scattering")
_FIELDS = ("size_m", "rt60_s", *_WALL_FIELDS, "listener_m", "order", "reflections", "tail", "tail_db", "seed")
_KEYS = {"size": "size_m", "rt60": "rt60_s", "listener": "listener_m"}


def room_of(room: RoomModel | Path | str | None) -> RoomModel | None:
    """Return the room that is meant.

    Parameters
    ----------
    room : RoomModel, path-like, str or None
        A model; the name of a preset, with changed parameters after a colon (``hall:rt60=1.6,tail_db=-3``);
        ``shoebox:LxWxH`` with parameters; or a JSON file with the parameters of `RoomModel.of` (or
        ``"preset"`` and those that differ). Lists are divided by slashes: ``rt60=0.6/0.5/0.4``.

    Returns
    -------
    RoomModel or None
        None for no room: dry.

    Raises
    ------
    InvalidInput
        If it is none of these, or a parameter is unknown or out of range.
    """
    if room is None or isinstance(room, RoomModel):
        return room
    if isinstance(room, Path) or room.lower().endswith(".json"):
        return _read(Path(room))
    return _parse(room)


@lru_cache(maxsize=32)
def _parse(text: str) -> RoomModel | None:
    name, _, rest = text.strip().partition(":")
    name = name.strip().lower().replace("_", "-").replace(" ", "-")
    changes: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = part.partition("=")
        if not equals and "size_m" not in changes:
            key, value = "size", part
        field = _KEYS.get(key.strip(), key.strip())
        if field not in _FIELDS:
            raise InvalidInput(
                f"{key.strip()!r} is no parameter of a room",
                where="room",
                cure=f"use {', '.join((*_KEYS, *_FIELDS[2:]))}",
            )
        changes[field] = _value(field, value.strip())
    if name == "shoebox":
        if "size_m" not in changes:
            raise InvalidInput("the shoebox has no size", where="room", cure="for example shoebox:6x4x3,rt60=0.5")
        return RoomModel.of(name=name, **changes)
    return _changed(name, changes)


def _changed(name: str, changes: dict[str, Any]) -> RoomModel | None:
    if name not in PRESETS:
        raise InvalidInput(f"{name[:60]!r} is no room", where="room", cure=_CURE)
    preset = PRESETS[name]
    if preset is None:
        if changes:
            raise InvalidInput("a dry room has no parameters", where="room", cure="name another room")
        return None
    parameters = dict(preset)
    if "rt60_s" in changes and "absorption" not in changes and "shares" in preset:
        parameters.pop("absorption", None)
    if "size_m" in changes and "listener_m" not in changes:
        parameters.pop("listener_m", None)
    if "absorption" in changes:
        parameters.pop("shares", None)
        if "rt60_s" not in changes:
            parameters.pop("rt60_s")
    return RoomModel.of(name=name, **{**parameters, **changes})


def _value(field: str, text: str) -> Any:
    try:
        if field == "tail":
            return {"on": True, "off": False}[text.lower()]
        if field in ("order", "reflections", "seed"):
            return int(text)
        numbers = [float(part) for part in text.lower().replace("x", "/").split("/")]
    except (ValueError, KeyError):
        wanted = "on or off" if field == "tail" else "a number"
        raise InvalidInput(f"{text[:60]!r} is not {wanted}", where=f"room {field}") from None
    return numbers[0] if len(numbers) == 1 else numbers


def _read(path: Path) -> RoomModel | None:
    where = str(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InvalidInput("there is no such room, or it may not be read", where=where, cure=_CURE) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is not JSON ({error})", where=where, cure="see docs/rooms.md") from None
    if not isinstance(data, dict):
        raise InvalidInput("is not an object", where=where, cure="see docs/rooms.md")
    preset = data.pop("preset", "shoebox")
    name = data.pop("name", None)
    for key in data:
        if key not in _FIELDS:
            raise InvalidInput(f"{key[:60]!r} is no parameter of a room", where=where, cure=f"use {', '.join(_FIELDS)}")
    for key, kind in (("order", int), ("reflections", int), ("seed", int), ("tail", bool), ("tail_db", (int, float))):
        if key in data and (not isinstance(data[key], kind) or (kind is not bool and isinstance(data[key], bool))):
            raise InvalidInput(f"{key} is of the wrong kind", where=where, cure="see docs/rooms.md")
    if not isinstance(preset, str) or not isinstance(name, str | None):
        raise InvalidInput("preset and name are not text", where=where)
    if preset != "shoebox":
        return _changed(preset, data)
    if "size_m" not in data:
        raise InvalidInput("size_m is missing", where=where, cure="add it")
    return RoomModel.of(name=name or path.stem, **data)
