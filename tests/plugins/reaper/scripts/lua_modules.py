"""Loads single modules of the scripts into a bare Lua, for what needs no REAPER."""

from __future__ import annotations

import importlib
from typing import Any

from .conftest import SCRIPTS


def load(version: str, name: str) -> tuple[Any, Any]:
    """Give a Lua runtime that speaks bytes, and one of the modules in it."""
    module = importlib.import_module("lupa.lua" + version.replace(".", ""))
    lua = module.LuaRuntime(encoding=None, unpack_returned_tuples=True)
    lua.execute(f'package.path = "{SCRIPTS}/lib/?.lua"'.encode())
    return lua, lua.eval(f'(require("{name}"))'.encode())
