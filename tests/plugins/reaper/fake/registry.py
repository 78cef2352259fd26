"""Where the modelled calls are gathered by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MODELLED: dict[str, Callable[..., Any]] = {}
"""Implementation of each call: takes the fake REAPER and the checked arguments, gives the documented values."""


def call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function under its own name, which is the name of the REAPER call."""
    MODELLED[function.__name__] = function
    return function
