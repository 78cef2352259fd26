"""What the fake raises: as REAPER would, or because a script did what REAPER lets pass and a user pays for."""

from __future__ import annotations


class ApiError(Exception):
    """A call that REAPER itself answers with a Lua error (bad argument, stale pointer)."""


class Violation(ApiError):
    """A call that REAPER may let pass but no script of ours should make; noted even when Lua catches it."""


class ScriptError(Exception):
    """A script ended with a Lua error; its text is what REAPER's error window would show."""
