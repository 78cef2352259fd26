"""Versions of installed libraries, at the price of listing a folder.

`importlib.metadata` reads a file for each of them and imports a parser of electronic mail, which takes longer than
all that is looked up here.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache

__all__ = ["installed_version"]

_FOLDER = re.compile(r"(.+?)-([^-]+)\.(?:dist|egg)-info")


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution.

    Parameters
    ----------
    name : str
        Its name; case, hyphens, underscores and dots do not matter.

    Returns
    -------
    str or None
        None if it is not installed.
    """
    return _installed().get(_plain(name))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _installed() -> dict[str, str]:
    """Return all versions by name; of folders that hold the same one, the first on Python's path counts."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # archives, and folders that are not there
            continue
        for name in names:
            if name.endswith("-info") and (match := _FOLDER.fullmatch(name)):
                found.setdefault(_plain(match[1]), match[2])
    return found
