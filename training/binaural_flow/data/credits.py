"""Under which licences sounds may be used: read from what lies beside them."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["free_to_train", "licences"]

_FREE = re.compile(r"(?i)\b(cc-?0|creative commons zero|public[- ]domain|cc-by-\d|creative commons attribution \d)")
_BOUND = re.compile(r"(?i)(share-?alike|-sa\b|-nc\b|non-?commercial|-nd\b|sampling)")


def free_to_train(licence: str) -> bool:
    """Tell whether a licence asks for no more than a name: CC0, public domain, CC BY."""
    return bool(_FREE.search(licence)) and not _BOUND.search(licence)


def licences(folder: Path) -> dict[str, str] | None:
    """Find what is said about the files of a folder.

    Two forms are known: ``*credits.json`` in the folder, a list of [file name, size, text that holds the licence], and
    Debian's machine-readable ``copyright`` in the folder or in ``doc`` above it.

    Parameters
    ----------
    folder : Path
        Folder of sounds.

    Returns
    -------
    dict of str to str, or None
        Licence of each pattern of file names (directory and name, or name alone); later ones hold. None if nothing
        is said, as in a folder of one's own.
    """
    for file in sorted(folder.glob("*credits.json")):
        rows = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): str(text) for name, _, text in rows}
    for file in (
        folder / "copyright",
        *sorted(folder.glob("doc/*/copyright")),
        *sorted(folder.glob("usr/share/doc/*/copyright")),
    ):
        if file.is_file():
            found = _debian(file.read_text(encoding="utf-8"))
            if found:
                return found
    return None


def licence_of(name: str, said: dict[str, str]) -> str:
    """Return the licence of a file by its path in the folder; empty if nothing is said about it."""
    found = ""
    for pattern, licence in said.items():
        tail = "/".join(name.split("/")[-len(pattern.split("/")) :])
        if fnmatch(tail, pattern):
            found = licence
    return found


def _debian(text: str) -> dict[str, str]:
    """Licences of the paragraphs of a machine-readable copyright file, by the last two parts of their patterns."""
    said: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?ms)^([A-Za-z-]+):[ \t]*(.*?)(?=^\S|\Z)", paragraph))
        if "Files" in fields and "License" in fields:
            licence = fields["License"].strip().splitlines()[0] if fields["License"].strip() else ""
            for pattern in fields["Files"].split():
                said["/".join(pattern.split("/")[-2:])] = licence
    return said
