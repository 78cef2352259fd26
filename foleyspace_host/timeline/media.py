"""From the URL of a media reference to a file that may be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from foleyspace_host.errors import InvalidInput

__all__ = ["file_of_url", "url_of_file"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C: is a drive


def file_of_url(url: str, folder: Path, *, bundled: bool = False, roots: Sequence[Path] = ()) -> Path:
    """Return the file that a URL or path means.

    Parameters
    ----------
    url : str
        ``target_url`` of a reference.
    folder : Path
        Where the timeline lies.
    bundled : bool
        Whether it must lie in that folder, with all links followed; `roots` say nothing then.
    roots : sequence of Path
        If there are any, it must lie in one of them, with all links followed.

    Returns
    -------
    Path

    Raises
    ------
    InvalidInput
        If it is no file of this machine, leads out of the folder with ``..``, or lies where it must not.
    """
    text = url
    if scheme := _SCHEME.match(url):
        if scheme.group(1).lower() != "file":
            raise InvalidInput(f"{url[:80]!r} is not a file of this machine", cure="download it and link it again")
        text = url[len("file:") :]
        if text.startswith("//"):
            host, slash, rest = text[2:].partition("/")
            if re.fullmatch(r"[A-Za-z]:", host):  # some programs leave a slash out before a drive
                host, slash = "", host + slash
            if host not in ("", "localhost"):
                raise InvalidInput(f"{url[:80]!r} is a file of another machine", cure="copy it and link it again")
            text = slash + rest
        text = _unquoted(text)
        if re.match(r"/[A-Za-z]:[/\\]", text):
            text = text[1:]
    elif "%" in url and not (folder / url).exists():
        text = _unquoted(url)
    if "\0" in text or not text:
        raise InvalidInput("the reference names no file")
    if text.startswith(("\\\\", "//")):
        raise InvalidInput(f"{url[:80]!r} is a file of another machine", cure="copy it and link it again")
    parts = PurePosixPath(text.replace("\\", "/")).parts
    absolute = Path(text).is_absolute()
    if ".." in parts or (bundled and absolute):
        raise InvalidInput(f"{url[:80]!r} leads out of the timeline's folder", cure="link it with its full path")
    path = Path(text) if absolute else folder.joinpath(*parts)
    limits = [folder] if bundled else list(roots)
    if limits:
        resolved = path.resolve()
        if not any(resolved.is_relative_to(limit.resolve()) for limit in limits):
            raise InvalidInput(f"{url[:80]!r} lies outside of the folders that may be read")
    return path


def url_of_file(path: Path, folder: Path) -> str:
    """Return how a timeline in a folder names a file: relative where it lies beside, else as a URL.

    Parameters
    ----------
    path : Path
        The file.
    folder : Path
        Where the timeline is written.

    Returns
    -------
    str
    """
    resolved, base = path.resolve(), folder.resolve()
    if resolved.is_relative_to(base):
        return _quoted(resolved.relative_to(base).as_posix())
    return resolved.as_uri()


def _quoted(text: str) -> str:
    """Return a path with everything but letters, digits and ``-._~/`` as percent codes of its UTF-8."""
    return re.sub(r"[^A-Za-z0-9._~/-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _unquoted(text: str) -> str:
    """Return a text with its percent codes, which are UTF-8, as characters."""
    return re.sub(
        r"(?:%[0-9A-Fa-f]{2})+", lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text
    )
