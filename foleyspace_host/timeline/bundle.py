"""Bundles (``.otioz``): a zip file of a timeline and its media, unpacked so that nothing lands anywhere else."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from foleyspace_host.errors import InvalidInput, MediaDamaged
from foleyspace_host.timeline.document import MAX_BYTES

__all__ = ["CONTENT", "unpack"]

CONTENT = "content.otio"
_MAX_RATIO = 1000  # media hardly shrinks; a text of one letter shrinks to a thousandth
_MAX_FILES = 100_000
_MAX_TOTAL_BYTES = 1 << 42
_FREE_BYTES = 64 << 20
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def unpack(bundle: Path, folder: Path | None) -> tuple[bytes, frozenset[str]]:
    """Return the timeline of a bundle and the names of its files, and unpack these.

    Parameters
    ----------
    bundle : Path
        The zip file.
    folder : Path or None
        Where its media go, which are there already if they are what the bundle holds; nowhere if None.

    Returns
    -------
    content : bytes
        The timeline.
    names : frozenset of str
        Files of the bundle, with slashes.

    Raises
    ------
    InvalidInput
        If a name leads out of the bundle, a link is in it, or it would grow beyond all bounds.
    MediaDamaged
        If it is no zip file, or damaged.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(entries, bundle)
            names = frozenset(entry.filename for entry in entries)
            if CONTENT not in names:
                raise InvalidInput(f"the bundle holds no {CONTENT}", where=str(bundle), cure="export it again")
            content = archive.read(CONTENT)
            for entry in entries if folder is not None else ():
                assert folder is not None  # noqa: S101 - said above
                _unpack(archive, entry, folder)
            return content, names
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise MediaDamaged(f"the bundle cannot be read ({error})", where=str(bundle), cure="export it again") from error
    except OSError as error:
        raise MediaDamaged(f"the bundle cannot be read ({error.strerror or error})", where=str(bundle)) from error


def _check(entries: list[zipfile.ZipInfo], bundle: Path) -> None:
    """Refuse a bundle before a byte of it is unpacked."""
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        path = PurePosixPath(name)
        # the library turns what follows a NUL off; the name as it stands in the file is what counts
        raw = entry.orig_filename
        strange = path.is_absolute() or ".." in path.parts or "\\" in raw or ":" in raw or "\0" in raw or not path.parts
        if strange or any(part.split(".")[0].strip().lower() in _RESERVED for part in path.parts):
            raise InvalidInput(
                f"the file {raw[:80]!r} in the bundle would lie outside of it", where=str(bundle), cure="do not open it"
            )
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InvalidInput(f"{name[:80]!r} in the bundle is no plain file", where=str(bundle))
        if name.lower() in seen:
            raise InvalidInput(f"{name[:80]!r} is twice in the bundle", where=str(bundle))
        seen.add(name.lower())
        if entry.file_size > _FREE_BYTES and entry.file_size > entry.compress_size * _MAX_RATIO:
            raise InvalidInput(f"{name[:80]!r} in the bundle would grow without bounds", where=str(bundle))
        if name == CONTENT and entry.file_size > MAX_BYTES:
            raise InvalidInput(f"the timeline is larger than {MAX_BYTES >> 20} MiB", where=str(bundle))
    if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > _MAX_TOTAL_BYTES:
        raise InvalidInput("the bundle holds too much", where=str(bundle))


def _is_content(path: Path, entry: zipfile.ZipInfo) -> bool:
    """Tell whether a file is what a bundle holds."""
    if path.stat().st_size != entry.file_size:
        return False
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            checksum = zlib.crc32(chunk, checksum)
    return checksum == entry.CRC


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one file, whole or not at all."""
    from foleyspace_host.media.atomic import atomic_output

    target = folder / entry.filename
    if target.is_file() and not target.is_symlink() and _is_content(target, entry):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(f"{entry.filename[:80]!r} in the bundle would lie outside of it", where=str(folder))
    with archive.open(entry) as source, atomic_output(target) as partial, partial.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
