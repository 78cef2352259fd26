"""Reading and writing of numbers and strings by REAPER's parameter names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fake.errors import Violation
from fake.parameters import READ_ONLY

if TYPE_CHECKING:
    from fake.reaper import FakeReaper

# selection, layout and the like: no undo point is owed for them
NOT_EDITS = frozenset({"B_UISEL", "I_SELECTED", "I_FOLDERCOMPACT", "I_HEIGHTOVERRIDE", "B_SHOWINTCP", "B_SHOWINMIXER"})
GUID = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")


def read_number(values: dict[str, float], name: str) -> float:
    if name not in values:
        raise Violation(f"there is no parameter {name!r} here (REAPER answers 0)")
    return values[name]


def write_number(reaper: FakeReaper, owner: Any, kind: str, name: str, value: float) -> bool:
    read_number(owner.values, name)
    if name in READ_ONLY:
        raise Violation(f"{name} cannot be set")
    if value != value or value in (float("inf"), float("-inf")):
        raise Violation(f"{name} is set to {value}")
    if name not in NOT_EDITS:
        reaper.edit(owner, kind)
    owner.values[name] = float(value)
    return True


def read_or_write_string(
    reaper: FakeReaper, owner: Any, kind: str, fields: dict[str, str], name: str, text: str, write: bool
) -> tuple[bool, str]:
    """Do what the GetSet..._String calls do.

    Parameters
    ----------
    fields
        Parameter name to attribute of the owner.
    """
    if write:
        reaper.edit(owner, kind)
    if name.startswith("P_EXT:"):
        key = name.removeprefix("P_EXT:")
        if write:
            owner.extra[key] = text
            if not text:
                del owner.extra[key]
        return (True, text) if write else (key in owner.extra, owner.extra.get(key, ""))
    if name not in fields:
        raise Violation(f"there is no string {name!r} here")
    if write:
        if name == "GUID" and not GUID.fullmatch(text):
            raise Violation(f"{text!r} is no GUID")
        setattr(owner, fields[name], text)
    return True, getattr(owner, fields[name])
