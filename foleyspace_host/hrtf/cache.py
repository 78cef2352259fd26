"""Prepared sets kept on disk, so that a set is prepared once for each sampling rate.

An entry is named by all that it depends on: the checksum of the SOFA file, the rate, and the code that
prepares it. So no entry is ever wrong, only unused; the least recently used ones go when the folder grows
beyond its limit. The cache is a convenience: whatever is damaged, foreign or not writable is as good as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from foleyspace_host import __version__
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.stored import read_arrays, write_arrays
from foleyspace_host.versions import installed_version

__all__ = ["CACHE_VARIABLE", "LIMIT_BYTES", "cache_folder", "load_cached"]

CACHE_VARIABLE = "FOLEYSPACE_CACHE_DIR"
"""Environment variable that names another folder than the system's for caches."""

LIMIT_BYTES = 512 << 20
"""Size beyond which the least recently used entries are removed."""

_ABANDONED_S = 3600.0
_SUFFIX, _PARTIAL = ".hrtf", ".part"
_MODULES = (
    *("align", "blend", "cache", "ear_prior", "ears", "expected", "head", "listener", "mesh", "netcdf", "onset"),
    *("positions", "prepare", "prepared", "refine", "sofa", "stored"),
)
_LEARNT = "ears.npz"


def cache_folder() -> Path:
    """Return the folder of prepared sets; it need not exist."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named) / "hrtf"
    from platformdirs import user_cache_path

    return user_cache_path("foleyspace", appauthor=False) / "hrtf"


def load_cached(sofa_path: Path, sample_rate_hz: int, make: Callable[[], Hrtf]) -> Hrtf:
    """Return a prepared set from the cache, or make it and put it there.

    Parameters
    ----------
    sofa_path : Path
        An existing file.
    sample_rate_hz : int
        Rate of rendering [Hz].
    make : callable
        Prepares the set.

    Returns
    -------
    Hrtf
        The same to the bit in both cases.
    """
    try:
        with sofa_path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        entry = cache_folder() / f"{checksum[:40]}-{sample_rate_hz}-{_algorithm()}{_SUFFIX}"
    except (OSError, RuntimeError):  # no home folder, for one; the file itself is judged by `make`
        return make()
    found = _read(entry, sample_rate_hz)
    if found is None:
        found = make()
        _write(entry, found)
    return found


@cache
def _algorithm() -> str:
    """Digest of the code that makes an entry, and of the libraries whose results may change."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for name in (*(f"{module}.py" for module in _MODULES), f"assets/{_LEARNT}"):
        # without sources (a frozen program) the versions alone must do
        with contextlib.suppress(OSError):
            digest.update((folder / name).read_bytes())
    digest.update(f"{__version__} {np.__version__} {installed_version('scipy')}".encode())
    return digest.hexdigest()[:16]


def _read(entry: Path, sample_rate_hz: int) -> Hrtf | None:
    try:
        hrtf = Hrtf.from_arrays(read_arrays(entry))
    except (OSError, ValueError, KeyError, TypeError, MemoryError):
        return None
    if hrtf.sample_rate_hz != sample_rate_hz:
        return None
    with contextlib.suppress(OSError):
        os.utime(entry)  # was used now
    return hrtf


def _write(entry: Path, hrtf: Hrtf) -> None:
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        partial = entry.with_name(f"{entry.stem}{os.urandom(6).hex()}{_PARTIAL}")
        try:
            with partial.open("xb") as file:
                write_arrays(file, hrtf.to_arrays())
            os.replace(partial, entry)  # others see all of it or nothing
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        _prune(entry)


def _prune(newest: Path) -> None:
    """Remove the entries that were not used for longest, and what interrupted writes left."""
    now = time.time()
    for partial in newest.parent.glob(f"*{_PARTIAL}"):
        with contextlib.suppress(OSError):
            if now - partial.stat().st_mtime > _ABANDONED_S:
                partial.unlink()
    entries = []
    for path in newest.parent.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            entries.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LIMIT_BYTES:
            return
        if path != newest:
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size
