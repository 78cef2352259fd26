"""Finds the compiled library that suits the processor, and loads it."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

from foleyspace_host.errors import FoleySpaceError

__all__ = ["KERNELS_VARIABLE", "compiled", "load", "native"]

KERNELS_VARIABLE = "FOLEYSPACE_KERNELS"
"""Environment variable that names another library than the fastest: ``baseline``, ``avx2``, or a path."""

_FOLDER = Path(__file__).parent / "compiled"
_SOURCES = Path(__file__).parent / "c"
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")

_P, _I, _F = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
_CODE = ctypes.c_int32
_IMAGES = (_P, *(_I,) * 6, _P, _P, _P, _P, _I, _P, _I, _P, _P, _P)
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "fs_cpu_has_avx2": (_CODE, ()),
    "fs_digest": (ctypes.c_char_p, ()),
    "fs_fourier_table_size": (_I, (_I,)),
    "fs_fourier_table": (None, (_I, _P)),
    "fs_fourier": (_CODE, (_I, _P, _P, _P, _P)),
    "fs_analyse": (_CODE, (_P, _P, _I, _I, _P, _I, _I, _P, _P, _P)),
    "fs_synthesise": (_CODE, (_P, _I, _I, _I, _P, _I, _I, _P, _P, _P, _P, _P, _I, _I, _P, _P, _P, _I)),
    "fs_read_delayed": (_CODE, (_P, _I, _I, _I, _I, _P, _I, _P, _I, _P, _P, _I)),
    "fs_polynomials": (None, (_P, _P, _I, _I, _I, _P)),
    "fs_images_at_ears": (_CODE, (*_IMAGES, _P, _I, _I, _P, _P, _P, _P, _P, _P, _I)),
    "fs_images_in_channels": (_CODE, (*_IMAGES, _P, _I, _P, _I)),
    "fs_pan": (None, (_P, _I, _P, _P, _I, _I, _I, _P)),
    "fs_interleave": (None, (_P, _I, _I, _P)),
    "fs_locate": (_I, (_P, _I, _I, _P, _P, _I, _P, _P)),
    "fs_largest": (_F, (_P, _I)),
    "fs_largest_between": (_F, (_P, _I, _I, _P, _I, _F, _F)),
    "fs_loudness": (_I, (_P, _I, _I, _P, _P, _P, _I, _P, _P, _P)),
}


def compiled() -> dict[str, Path]:
    """Return the libraries that are there, by name: ``baseline``, and ``avx2`` for newer x86 processors."""
    return {path.stem: path for path in sorted(_FOLDER.glob(f"*{_SUFFIX}"))}


def load(path: Path) -> ctypes.CDLL:
    """Load a library.

    Parameters
    ----------
    path : Path
        One of `compiled`, or another made of the same sources.

    Returns
    -------
    ctypes.CDLL
        With the types of all its functions.

    Raises
    ------
    FoleySpaceError
        If it is missing, or not made of the sources that lie here.
    """
    cure = "install FoleySpace again; in a checkout: make demo, or python hatch_build.py"
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise FoleySpaceError("the compiled part of FoleySpace cannot be loaded", where=str(path), cure=cure) from error
    sources = [path for path in sorted(_SOURCES.glob("*")) if path.suffix in (".c", ".h")]
    if sources:  # a checkout, where they may have changed since
        import hashlib

        text = b"".join(source.read_bytes().replace(b"\r\n", b"\n") for source in sources)
        if library.fs_digest().decode() != hashlib.sha256(text).hexdigest()[:16]:
            raise FoleySpaceError("the compiled part of FoleySpace is not of these sources", where=str(path), cure=cure)
    return library


@cache
def native() -> ctypes.CDLL:
    """Return the fastest library that this processor runs.

    Raises
    ------
    FoleySpaceError
        If there is none.
    """
    named = os.environ.get(KERNELS_VARIABLE)
    if named and named not in ("baseline", "avx2"):
        return load(Path(named))
    library = load(_FOLDER / f"{named or 'baseline'}{_SUFFIX}")
    if named or not library.fs_cpu_has_avx2():
        return library
    fast = _FOLDER / f"avx2{_SUFFIX}"
    return load(fast) if fast.is_file() else library
