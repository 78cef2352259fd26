"""JSON read strictly: every value knows its place, so that an error names it (``sources[0].keys[3].t_s``)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NoReturn

from foleyspace_host.errors import TrajectoryInvalid

__all__ = ["Fields", "Place", "parse"]


def parse(text: str, where: str) -> object:
    """Parse JSON text in which no field stands twice.

    Parameters
    ----------
    text : str
        The text.
    where : str
        What messages call it.

    Returns
    -------
    object
        What `json.loads` gives.

    Raises
    ------
    TrajectoryInvalid
        If it is not JSON; the message names line and column.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise TrajectoryInvalid(
                f"the field {twice[:60]!r} stands twice in one object", where=where, cure="keep one"
            )
        return fields

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        problem, place = f"is not JSON ({error.msg})", f"{where}, line {error.lineno} column {error.colno}"
    except (ValueError, RecursionError) as error:  # thousands of digits or of nested brackets
        problem, place = f"is not a trajectory ({type(error).__name__})", where
    raise TrajectoryInvalid(problem, where=place, cure="give a trajectory written by `foleyspace localize`, or a .csv")


class Place:
    """A value of the parsed JSON that knows where it stands."""

    __slots__ = ("path", "value", "where")

    def __init__(self, value: object, where: str, path: str) -> None:
        self.value, self.where, self.path = value, where, path

    @property
    def name(self) -> str:
        """What messages call the place: the file and the path in it."""
        return f"{self.where}, {self.path}" if self.path else self.where

    def refuse(self, wanted: str) -> NoReturn:
        """Raise TrajectoryInvalid: the value is not of the wanted kind."""
        kinds: dict[type, str] = {
            dict: "an object",
            list: "an array",
            str: "a string",
            bool: "a boolean",
            type(None): "null",
        }
        raise TrajectoryInvalid(f"is {kinds.get(type(self.value), 'a number')}, not {wanted}", where=self.name)

    def fields(self) -> Fields:
        """Return the fields of an object."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return Fields(self.value, self.where, self.path)

    def items(self) -> Iterable[Place]:
        """Return the places of the items of an array."""
        if not isinstance(self.value, list):
            self.refuse("an array")
        return [Place(value, self.where, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def number(self) -> float:
        """Return a finite number; booleans are none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            raise TrajectoryInvalid(f"is {number}", where=self.name, cure="every number must be finite")
        return number


class Fields:
    """An object of the parsed JSON, read field by field."""

    __slots__ = ("data", "path", "where")

    def __init__(self, data: Mapping[str, Any], where: str, path: str) -> None:
        self.data, self.where, self.path = data, where, path

    def name_of(self, field: str) -> str:
        """Return what messages call a field."""
        return f"{self.where}, {self.path}.{field}" if self.path else f"{self.where}, {field}"

    def allow(self, fields: Iterable[str]) -> None:
        """Refuse fields other than these."""
        known = tuple(fields)
        for field in self.data:
            if field not in known:
                raise TrajectoryInvalid(
                    "is not a field of the schema",
                    where=self.name_of(field[:60]),
                    cure=f"use only {', '.join(known)}",
                )

    def at(self, field: str) -> Place:
        """Return the place of a field that must be there."""
        if field not in self.data:
            raise TrajectoryInvalid("is missing", where=self.name_of(field), cure="add it")
        return Place(self.data[field], self.where, f"{self.path}.{field}" if self.path else field)

    def number(self, field: str, default: float | None = None) -> float:
        """Return a finite number, or the default where the field is absent."""
        return default if default is not None and field not in self.data else self.at(field).number()

    def integer(self, field: str) -> int:
        """Return a whole number."""
        place = self.at(field)
        if isinstance(place.value, bool) or not isinstance(place.value, int):
            place.refuse("a whole number")
        return place.value

    def text(self, field: str, default: str | None = None) -> str:
        """Return a string, or the default where the field is absent."""
        if default is not None and field not in self.data:
            return default
        place = self.at(field)
        if not isinstance(place.value, str):
            place.refuse("a string")
        if any("\ud800" <= character <= "\udfff" for character in place.value):
            place.refuse("valid Unicode")
        return place.value

    def flag(self, field: str, default: bool) -> bool:
        """Return a boolean, or the default where the field is absent."""
        if field not in self.data:
            return default
        place = self.at(field)
        if not isinstance(place.value, bool):
            place.refuse("true or false")
        return place.value
