"""Which recordings may be trained on: CC0, public domain and CC BY alone, read from the file that states it.

Debian's machine-readable ``copyright`` is read with python-debian, where the last paragraph whose pattern fits a file
holds for it. Its patterns name paths in the source package, which are compared with the ends of installed paths.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

__all__ = ["Terms", "is_free", "terms_in"]

_FREE = re.compile(
    r"(?i)^\W*(cc-?0|cc-?zero|creative commons zero|public[- ]?domain|cc-?by(-\d|$)|creative commons attribution \d)"
)
_BOUND = re.compile(r"(?i)(share-?alike|-sa\b|-nc\b|non-?commercial|-nd\b|sampling)")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said about a file.

    Parameters
    ----------
    licence : str
        Short name, as it is written there.
    holders : str
        Who is to be named.
    exact : bool
        Whether the file itself is named there, not only a folder or everything.
    """

    licence: str
    holders: str
    exact: bool = False


def is_free(licence: str) -> bool:
    """Tell whether a licence asks for no more than a name.

    Parameters
    ----------
    licence : str
        Short name; of several alternatives ("A or B"), one is enough, of several at once ("A and B") all count.

    Returns
    -------
    bool
    """
    return any(
        all(_FREE.search(one) and not _BOUND.search(one) for one in re.split(r"(?i)\s+and\s+|,", choice) if one.strip())
        for choice in re.split(r"(?i)\s+or\s+", licence)
        if choice.strip()
    )


def terms_in(folder: Path) -> Callable[[str], Terms | None]:
    """Find what is said about the files of an unpacked Debian package, or of a folder with a list of credits.

    Parameters
    ----------
    folder : Path
        Holds ``usr/share/doc/*/copyright``, or ``*credits.json``: a list of [file name, size, text].

    Returns
    -------
    callable
        From the path of a file in the folder to its terms, None where nothing is said.
    """
    for file in sorted(folder.glob("*credits.json")):
        return _credits(file)
    for file in sorted(folder.glob("usr/share/doc/*/copyright")):
        return _debian(file)
    return lambda _: None


def _credits(file: Path) -> Callable[[str], Terms | None]:
    said = {}
    for name, _, text in json.loads(file.read_text(encoding="utf-8")):
        by, _, licence = str(text).partition("License:")
        said[str(name)] = Terms(licence.strip().removesuffix(".").split(". ")[0], by.strip())
    return lambda path: said.get(Path(path).name)


def _debian(file: Path) -> Callable[[str], Terms | None]:
    from debian.copyright import Copyright, NotMachineReadableError

    logging.getLogger("debian.copyright").setLevel(logging.CRITICAL)  # many files bend the format a little
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            stated = Copyright(text, strict=False)
    except (NotMachineReadableError, ValueError):
        return lambda _: None
    rules = []
    for paragraph in stated.all_files_paragraphs():
        fields: Any = paragraph  # what its properties give, its stubs do not say
        if fields.license is not None:
            terms = Terms(fields.license.synopsis.strip(), _line(fields.copyright))
            rules += [(pattern, replace(terms, exact="*" not in pattern)) for pattern in fields.files]
    return lambda path: next((terms for pattern, terms in reversed(rules) if _fits(pattern, path)), None)


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a pattern of the source package surely means an installed file; both may begin with other folders.

    A pattern that ends in a folder must agree in two folders at least: "games/*" is not every file below
    /usr/share/games.
    """
    parts, wanted = path.split("/"), pattern.removeprefix("./").split("/")
    if len(wanted) == 1:
        return fnmatch(parts[-1], wanted[0])
    if wanted[-1] == "*":
        folders = wanted[:-1]
        for start in range(len(folders) - 1):
            tail = folders[start:]
            if any(all(map(fnmatch, parts[at : at + len(tail)], tail)) for at in range(len(parts) - len(tail))):
                return True
        return False
    for start in range(len(wanted)):
        tail = wanted[start:]
        if len(tail) == 1 and "*" in tail[0]:
            return False
        if len(tail) <= len(parts) and all(map(fnmatch, parts[-len(tail) :], tail)):
            return True
    return False


def _line(text: object) -> str:
    """Return a field as one line of at most 200 letters."""
    return " ".join(str(text or "").split())[:200]
