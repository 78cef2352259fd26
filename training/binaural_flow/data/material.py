"""Recordings from folders, and which of them are held out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from foleyspace_host.errors import InvalidInput
from training.flow.sounds import Sound, conditioned

__all__ = ["HELD_OUT_OF", "is_held_out", "read_sounds"]

HELD_OUT_OF = 10
"""One sound of so many is held out, by its hash."""

_SUFFIXES = {".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3"}


def is_held_out(content: bytes) -> bool:
    """Tell from its bytes whether a sound is held out; the same file is on every machine."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % HELD_OUT_OF == 0


def read_sounds(folder: Path) -> list[Sound]:
    """Read all sound files of a folder and those below it.

    Parameters
    ----------
    folder : Path
        WAV, FLAC, Ogg, AIFF and MP3 files; files that cannot be read, silence and duplicates are passed over.

    Returns
    -------
    list of Sound
        In the order of their paths.

    Raises
    ------
    InvalidInput
        If there are none.
    """
    import soundfile

    sounds, known = [], set()
    for file in sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()):
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        try:
            samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        mono = conditioned(samples, rate)
        if len(mono) and digest not in known:
            known.add(digest)
            sounds.append(Sound(file.relative_to(folder).as_posix(), mono, held_out=is_held_out(content)))
    if not sounds:
        raise InvalidInput("holds no sounds", where=str(folder), cure="use WAV, FLAC, Ogg, AIFF or MP3 files")
    return sounds
