"""Mono sounds for training: recordings from folders, spoken sentences, and generated noises, sweeps and clicks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ

__all__ = ["HELD_OUT_OF", "Sound", "conditioned", "is_held_out", "read_sounds"]

HELD_OUT_OF = 10
"""One sound of so many is held out, by its hash."""

_SUFFIXES = {".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3"}
_LONGEST_S, _SHORTEST_S = 12.0, 0.03
_SILENCE_DB = -55.0
_PEAK = 0.7
_FADE = 240

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """A mono sound at 48 kHz.

    Parameters
    ----------
    name : str
        Unique.
    samples : ndarray, float32, shape (n,)
        Within +-1.
    kind : str
        "recorded", "spoken" or "generated"; each kind is drawn as often as its share says.
    held_out : bool
        Whether it is for evaluation only.
    """

    name: str
    samples: Samples
    kind: str = "recorded"
    held_out: bool = False


def is_held_out(content: bytes) -> bool:
    """Tell from its bytes whether a sound is held out; the same file is on every machine."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % HELD_OUT_OF == 0


def conditioned(samples: NDArray[np.floating], sample_rate_hz: int) -> Samples:
    """Bring a recording into shape: one channel, 48 kHz, no silence around it, no offset, peak 0.7, at most 12 s.

    Parameters
    ----------
    samples : ndarray, shape (n,) or (n, n_channels)
        The recording; of several channels the first, since sums comb.
    sample_rate_hz : int
        Its rate [Hz].

    Returns
    -------
    ndarray, float32, shape (m,)
        Empty for silence, and for what is shorter than 30 ms.
    """
    import soxr

    mono = np.asarray(samples, dtype=np.float32)
    mono = mono if mono.ndim == 1 else mono[:, 0]
    mono = mono - (mono.mean() if len(mono) else 0.0)
    if sample_rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, sample_rate_hz, SAMPLE_RATE_HZ)
    peak = float(np.abs(mono).max(initial=0.0))
    if peak < 1e-4:
        return np.zeros(0, dtype=np.float32)
    loud = np.flatnonzero(np.abs(mono) > peak * 10.0 ** (_SILENCE_DB / 20.0))
    mono = mono[loud[0] : loud[-1] + 1][: int(_LONGEST_S * SAMPLE_RATE_HZ)] * np.float32(_PEAK / peak)
    if len(mono) < _SHORTEST_S * SAMPLE_RATE_HZ:
        return np.zeros(0, dtype=np.float32)
    fade = min(_FADE, len(mono) // 4)
    mono[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return mono.astype(np.float32)


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
