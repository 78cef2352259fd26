"""What an engine's sounds depend on beside the request: with it, a sound that was made is known again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from foleyspace_host.generate.engine import engine_entry
from foleyspace_host.generate.setup import library_path, read_setup
from foleyspace_host.models.registry import ENTRIES

__all__ = ["fingerprint"]


def fingerprint(name: str) -> str:
    """Return what changes when an engine would make other sounds: its model, recordings, or setup.

    Parameters
    ----------
    name : str
        Name of the engine.

    Returns
    -------
    str
        SHA-256 in hexadecimal. Of weights that the user named, the place and a description count, not every byte.

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    engine_entry(name)
    told: list[str] = [name]
    told += [entry.sha256 for entry in ENTRIES if entry.name == name]
    if name == "library":
        from foleyspace_host.generate.library.index import open_index

        with open_index(library_path()) as index:
            told += sorted(f"{sound.path}|{sound.n_bytes}|{sound.mtime_ns}" for sound in index.sounds())
    else:
        setup = read_setup(name)
        told += [f"{key}={value}" for key, value in asdict(setup).items() if not key.startswith("accepted")]
        for path in (Path(setup.weights) / "model_index.json", Path(setup.runner)):
            if str(path) != "." and path.is_file():
                told.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
