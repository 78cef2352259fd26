"""Comparison of two states of a project, down to the last number."""

from __future__ import annotations

import dataclasses
from typing import Any

from .model import Project

UP = frozenset({"project", "track", "item", "owner"})
"""Fields that point upwards."""


def difference(one: Any, other: Any, where: str = "") -> str:
    """Name the first place where two states differ; empty if they are equal.

    Objects are compared by what they hold. GUIDs count.
    """
    if isinstance(one, Project):
        return difference(one.content, other.content, where)
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        for field in dataclasses.fields(one):
            if field.name in UP:
                continue
            found = difference(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
            if found:
                return found
        return ""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{where}: {sorted(map(str, one))} and {sorted(map(str, other))}"
        return next((found for key in one if (found := difference(one[key], other[key], f"{where}[{key}]"))), "")
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{where}: {len(one)} and {len(other)}"
        return next(
            (
                found
                for i, pair in enumerate(zip(one, other, strict=True))
                if (found := difference(*pair, f"{where}[{i}]"))
            ),
            "",
        )
    return "" if one == other else f"{where}: {one!r} and {other!r}"
