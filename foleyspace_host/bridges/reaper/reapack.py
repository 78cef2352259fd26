"""The index by which ReaPack, REAPER's package manager, finds and installs the scripts.

A package is described by the comment at the head of its script: ``@description``, ``@version``, ``@author``,
``@about``, ``@changelog`` and ``@provides``, which lists its other files. `make_index` writes that as the XML that
ReaPack reads; versions that were in an index before stay in it as they were, since ReaPack never changes a version.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from foleyspace_host.errors import InvalidInput

__all__ = ["Package", "check_index", "make_index", "read_package"]

NAME = "FoleySpace"
_TAG = re.compile(r"^\s*@(\w+)\s*(.*)$")
_VERSION = re.compile(r"\d+(\.\d+)*([a-z]+\d*)?", re.IGNORECASE)
_NEEDED = ("description", "version", "author", "about", "changelog", "provides")
_TYPES = {".lua": "script", ".eel": "script", ".py": "script", ".jsfx": "effect"}
_MAIN = {"main", "midi_editor", "midi_inlineeditor", "midi_eventlisteditor", "mediaexplorer"}


@dataclass(frozen=True)
class Package:
    """A package as its head describes it.

    Parameters
    ----------
    file : str
        The script with the head, within the folder of scripts.
    tags : dict of str to str
        What the head says.
    files : tuple of (str, str, bool)
        Each file of the package: its path, "script" or "effect", and whether it is an action.
    """

    file: str
    tags: dict[str, str]
    files: tuple[tuple[str, str, bool], ...] = field(default=())


def read_package(folder: Path) -> Package:
    """Read the one script of a folder whose head describes a package.

    Parameters
    ----------
    folder : Path
        The folder of scripts.

    Returns
    -------
    Package

    Raises
    ------
    InvalidInput
        If there is not exactly one, its head lacks something, or a file that it lists is not there.
    """
    heads = {path: _head(path) for path in sorted(folder.glob("*.lua"))}
    described = [path for path, tags in heads.items() if "noindex" not in tags]
    if len(described) != 1:
        names = ", ".join(path.name for path in described) or "none"
        raise InvalidInput(
            f"one script must describe the package, not: {names}",
            where=str(folder),
            cure="write @noindex into the heads of the others",
        )
    path = described[0]
    tags = heads[path]
    for name in _NEEDED:
        if not tags.get(name, "").strip():
            raise InvalidInput(f"the head has no @{name}", where=path.name)
    if not _VERSION.fullmatch(tags["version"]):
        raise InvalidInput(f"@version is {tags['version']!r}", where=path.name, cure="write for example 1.2.3")
    listed = {path.name: ("script", True)}
    for line in filter(None, map(str.strip, tags["provides"].splitlines())):
        for name, kind, is_action in _provided(line, folder, path.name):
            listed[name] = (kind, is_action)
    return Package(path.name, tags, tuple((name, *about) for name, about in listed.items()))


def make_index(folder: Path, url: str, before: str | None = None, time: datetime | None = None) -> str:
    """Return the index of a folder of scripts.

    Parameters
    ----------
    folder : Path
        The folder.
    url : str
        Where files are to be had, with ``$path`` for the path of each and, where wanted, ``$version``.
    before : str, optional
        The index up to now.
    time : datetime, optional
        When this version was made; now if not given.

    Returns
    -------
    str
        XML.

    Raises
    ------
    InvalidInput
        If the head of the package, the URL or the earlier index is not as it should be.
    """
    if not url.startswith(("https://", "http://")) or "$path" not in url:
        raise InvalidInput(f"{url!r} is no address with $path in it", where="url", cure="https://.../$version/$path")
    package = read_package(folder)
    versions = []
    if before is not None:
        check_index(before)
        kept = ElementTree.fromstring(before).findall(".//version")  # noqa: S314
        versions = [version for version in kept if version.get("name") != package.tags["version"]]
    root = ElementTree.Element("index", version="1", name=NAME)
    category = ElementTree.SubElement(root, "category", name=NAME)
    about = {"name": package.file, "type": "script", "desc": package.tags["description"]}
    entry = ElementTree.SubElement(category, "reapack", about)
    metadata = ElementTree.SubElement(entry, "metadata")
    ElementTree.SubElement(metadata, "description").text = _rtf(package.tags["about"])
    entry.extend(versions)
    stamp = (time or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = {"name": package.tags["version"], "author": package.tags["author"], "time": stamp}
    version = ElementTree.SubElement(entry, "version", head)
    ElementTree.SubElement(version, "changelog").text = package.tags["changelog"]
    for name, kind, is_action in package.files:
        source = ElementTree.SubElement(version, "source")
        if name != package.file:
            source.set("file", name if kind == "script" else Path(name).name)
        if kind != "script":
            source.set("type", kind)
        if is_action:
            source.set("main", "main")
        source.text = url.replace("$version", package.tags["version"]).replace("$path", _percent(name))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", xml_declaration=False)
    text = f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
    check_index(text)
    return text


def check_index(text: str) -> None:
    """Check that ReaPack can use an index.

    Parameters
    ----------
    text : str
        XML.

    Raises
    ------
    InvalidInput
        If not; the message names the place.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InvalidInput("declares entities", where="index.xml")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise InvalidInput(f"is not XML ({error})", where="index.xml") from None
    if root.tag != "index" or root.get("version") != "1":
        raise InvalidInput("is no index of version 1", where="index.xml")
    packages = [(category, entry) for category in root.findall("category") for entry in category.findall("reapack")]
    if not packages:
        raise InvalidInput("holds no package", where="index.xml")
    for category, entry in packages:
        where = f"index.xml, {entry.get('name')}"
        if not category.get("name") or not entry.get("name") or entry.get("type") not in ("script", "effect"):
            raise InvalidInput("a package needs a category, a name and a type", where=where)
        seen: set[str] = set()
        for version in entry.findall("version"):
            _check_version(version, seen, where)
        if not seen:
            raise InvalidInput("has no version", where=where)


def _check_version(version: ElementTree.Element, seen: set[str], where: str) -> None:
    name = version.get("name", "")
    if not _VERSION.fullmatch(name) or name in seen:
        raise InvalidInput(f"version {name!r} is none, or is there twice", where=where)
    seen.add(name)
    where = f"{where} {name}"
    if not version.get("author"):
        raise InvalidInput("has no author", where=where)
    try:
        datetime.strptime(version.get("time", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"its time is {version.get('time')!r}", where=where) from None
    sources = version.findall("source")
    files = [source.get("file", "") for source in sources]
    if not sources or len(set(files)) < len(files):
        raise InvalidInput("has no files, or one twice", where=where)
    for source in sources:
        if not re.fullmatch(r"https?://[^\s\"<>]+", source.text or ""):
            raise InvalidInput(f"{source.text!r} is no address", where=where)
        if not set((source.get("main") or "main").split()) <= _MAIN:
            raise InvalidInput(f"main is {source.get('main')!r}", where=where)
        if ".." in (source.get("file") or "") or (source.get("file") or "").startswith("/"):
            raise InvalidInput(f"{source.get('file')!r} lies outside", where=where)


def _head(path: Path) -> dict[str, str]:
    """Return the tags of the comment at the start of a script; lines that are indented go on with one."""
    tags: dict[str, str] = {}
    current = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").removeprefix("[[")
        if found := _TAG.match(text):
            current = found[1]
            tags[current] = found[2].strip()
        elif current is not None:
            tags[current] = f"{tags[current]}\n{text.strip()}".strip()
    return tags


def _provided(line: str, folder: Path, own: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the files that a line of ``@provides`` means, with their kinds and whether they are actions."""
    found = re.fullmatch(r"(?:\[([\w ]+)\]\s*)?(.+)", line)
    if found is None:
        raise InvalidInput(f"@provides {line!r} is not understood", where=own)
    options, pattern = (found[1] or "").split(), found[2].strip()
    if pattern == ".":  # the script with the head itself
        yield own, "script", "nomain" not in options
        return
    if unknown := set(options) - {"main", "nomain", "script", "effect"}:
        raise InvalidInput(f"@provides knows no [{' '.join(sorted(unknown))}]", where=own)
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [name for name in paths if name != own and name.count("/") == pattern.count("/")]
    names = [name for name in names if fnmatchcase(name, pattern)]
    if not names and pattern != own:
        raise InvalidInput(f"@provides {pattern!r} is no file", where=own)
    for name in names:
        kind = _TYPES.get(Path(name).suffix.lower(), "")
        kind = "effect" if "effect" in options else kind
        if not kind:
            raise InvalidInput(f"@provides {name!r} is of no kind that is known", where=own, cure="say [effect]")
        yield name, kind, kind == "script" and "main" in options


def _percent(path: str) -> str:
    """Return a path as addresses have it."""
    plain = "/-_.~"
    return "".join(
        letter
        if letter.isascii() and (letter.isalnum() or letter in plain)
        else "".join(f"%{b:02X}" for b in letter.encode())
        for letter in path
    )


def _rtf(text: str) -> str:
    """Return a text as the rich text that ReaPack shows."""
    escaped = re.sub(r"([\\{}])", r"\\\1", text)
    plain = "".join(letter if ord(letter) < 128 else f"\\u{ord(letter)}?" for letter in escaped)
    return "{\\rtf1 \\ansi " + plain.replace("\n", "\\par\n") + "}"
