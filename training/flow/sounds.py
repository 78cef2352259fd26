"""Mono sounds that are learnt from: brought into shape, and packed into one small file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ
from foleyspace_host.errors import InvalidInput

__all__ = ["Sound", "conditioned", "pack_sounds", "unpack_sounds"]

_LONGEST_S, _SHORTEST_S = 12.0, 0.03
_SILENCE_DB = -55.0
_PEAK = 0.7
_FADE = 240
_QUALITY = 0.55  # of Ogg Vorbis, 0 (small) to 1
_BLOCK = 4096  # samples that the encoder takes at a time; some versions of it fail on long ones

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
        "recorded", "spoken" or "generated".
    held_out : bool
        Whether it is for evaluation only.
    """

    name: str
    samples: Samples
    kind: str = "recorded"
    held_out: bool = False


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


def pack_sounds(path: Path, sounds: Sequence[Sound]) -> None:
    """Write sounds, as Ogg Vorbis, into one file that is small enough to carry to another machine.

    Parameters
    ----------
    path : Path
        ``.npz`` to write.
    sounds : sequence of Sound
        The sounds.
    """
    import soundfile

    arrays: dict[str, np.ndarray] = {
        "name": np.array([sound.name for sound in sounds]),
        "kind": np.array([sound.kind for sound in sounds]),
        "held_out": np.array([sound.held_out for sound in sounds]),
    }
    for index, sound in enumerate(sounds):
        file = io.BytesIO()
        with soundfile.SoundFile(
            file, "w", SAMPLE_RATE_HZ, 1, format="OGG", subtype="VORBIS", compression_level=1.0 - _QUALITY
        ) as out:
            for start in range(0, len(sound.samples), _BLOCK):
                out.write(sound.samples[start : start + _BLOCK])
        arrays[f"ogg_{index}"] = np.frombuffer(file.getvalue(), dtype=np.uint8)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def unpack_sounds(path: Path) -> list[Sound]:
    """Read what `pack_sounds` wrote.

    Raises
    ------
    InvalidInput
        If it is something else.
    """
    import soundfile

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            sounds = []
            for index, name in enumerate(stored["name"].tolist()):
                samples, _ = soundfile.read(io.BytesIO(stored[f"ogg_{index}"].tobytes()), dtype="float32")
                kind, held_out = str(stored["kind"][index]), bool(stored["held_out"][index])
                sounds.append(Sound(name, np.clip(samples, -1.0, 1.0), kind, held_out))
    except (OSError, KeyError, ValueError, BadZipFile, soundfile.LibsndfileError) as error:
        raise InvalidInput(f"holds no sounds ({error})", where=str(path), cure="write it with prepare") from None
    return sounds
