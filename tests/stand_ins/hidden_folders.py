"""A machine on which a folder is not mounted: files below it are not there, for this process alone."""

from __future__ import annotations

import builtins
import io
import os
from typing import Any

_STAT, _OPEN = os.stat, io.open


def hide_folder(folder: str | None) -> None:
    """Hide a folder, or all of them no more."""

    def check(path: Any) -> None:
        if folder is not None and isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folder):
            raise FileNotFoundError(2, "No such file or directory", str(path))

    def stat(path: Any, *rest: Any, **more: Any) -> Any:
        check(path)
        return _STAT(path, *rest, **more)

    def read(path: Any, *rest: Any, **more: Any) -> Any:
        check(path)
        return _OPEN(path, *rest, **more)

    os.stat = stat
    io.open = builtins.open = read
