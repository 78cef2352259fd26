"""From unpacked packages and folders to a list of recordings of known class and licence, with credits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training.foley.corpus.licences import Terms, is_free, terms_in
from training.foley.corpus.rules import REVIEWED, RULES, Reviewed

__all__ = ["Recording", "class_of_path", "recordings"]

_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".mp3"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that may be trained on.

    Parameters
    ----------
    path : Path
        The file.
    package : str
        Where it comes from.
    name : str
        Its path there.
    sound_class : str
        Name of its class.
    terms : Terms
        Licence and holders.
    sha256 : str
        Of the file.
    """

    path: Path
    package: str
    name: str
    sound_class: str
    terms: Terms
    sha256: str


def class_of_path(name: str) -> str | None:
    """Return the class that the rules give a recording; None for those that they do not name."""
    last = name.rsplit("/", 1)[-1]
    return next((sound_class for pattern, sound_class in RULES if fnmatch(last, pattern)), None)


def recordings(root: Path) -> list[Recording]:
    """Find the recordings that have a class and are free.

    Parameters
    ----------
    root : Path
        Folder of unpacked packages, each in a folder of its name; a folder may also hold sounds and a list of credits.

    Returns
    -------
    list of Recording
        In the order of packages and paths, none twice.
    """
    found, known = [], set()
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for one in _of_package(folder):
            if one.sha256 not in known:
                known.add(one.sha256)
                found.append(one)
    return found


def _of_package(folder: Path) -> Iterator[Recording]:
    stated, reviewed = (
        terms_in(folder),
        [row for row in REVIEWED if row.package == folder.name and _stands(row, folder)],
    )
    for path in sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file()):
        name = path.relative_to(folder).as_posix()
        sound_class = class_of_path(name)
        if sound_class is None:
            continue
        terms = stated(name)
        if terms is None or not is_free(terms.licence):
            rows = [row for row in reviewed if _meant(row.pattern, name)]
            if not rows or (terms is not None and terms.exact):
                continue
            terms = Terms(rows[-1].licence, rows[-1].holders)
        if is_free(terms.licence):
            yield Recording(path, folder.name, name, sound_class, terms, hashlib.sha256(path.read_bytes()).hexdigest())


def _meant(pattern: str, name: str) -> bool:
    return fnmatch(name if "/" in pattern else name.rsplit("/", 1)[-1], pattern)


def _stands(row: Reviewed, folder: Path) -> bool:
    """Tell whether a package still states what a row says."""
    return any(
        row.words in file.read_text(encoding="utf-8", errors="replace")
        for file in folder.rglob(row.file.rsplit("/", 1)[-1])
        if fnmatch(file.relative_to(folder).as_posix(), row.file)
    )
