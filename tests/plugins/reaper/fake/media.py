"""Media files behind sources."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .model import Source

KINDS = {
    ".wav": "WAVE",
    ".w64": "WAVE", ".bwf": "WAVE", ".aif": "WAVE", ".aiff": "WAVE", ".mp3": "MP3", ".flac": "FLAC", ".ogg": "VORBIS",
    ".mid": "MIDI", ".midi": "MIDI",
    ".mp4": "VIDEO", ".mov": "VIDEO", ".mkv": "VIDEO", ".webm": "VIDEO", ".avi": "VIDEO",
    ".rpp": "RPP_PROJECT",
}  # fmt: skip
SOUND_FILES = frozenset({"WAVE", "MP3", "FLAC", "VORBIS"})


@dataclass(frozen=True)
class Info:
    """What a media file says of itself."""

    rate_hz: int
    channels: int
    duration_s: float


def kind_of_file(path: str) -> str:
    """Give the type REAPER reports for a file of that name."""
    return KINDS.get(os.path.splitext(path)[1].lower(), "")


def media_info(source: Source) -> Info | None:
    """Read the head of a root source's file; None when it is offline, missing or holds no sound."""
    if not _readable(source):
        return None
    status = os.stat(source.path)
    return _info(source.path, status.st_mtime_ns, source.kind)


def _readable(source: Source) -> bool:
    return bool(source.path) and not source.kind.startswith("_") and os.path.isfile(source.path)


@lru_cache(maxsize=512)
def _info(path: str, _changed: int, kind: str) -> Info | None:
    if kind in SOUND_FILES:
        import soundfile

        info = soundfile.info(path)
        return Info(info.samplerate, info.channels, info.frames / info.samplerate)
    if kind == "VIDEO":
        import av

        with av.open(path) as container:
            duration_s = (container.duration or 0) / 1_000_000
            if not container.streams.audio:
                return Info(0, 0, duration_s)
            stream = container.streams.audio[0]
            return Info(stream.rate, stream.channels, duration_s)
    return None


def read_sound(source: Source) -> tuple[np.ndarray, int] | None:
    """Read a root source whole.

    Returns
    -------
    numpy.ndarray, int
        Samples of shape (n_channels, n_samples) in float64, and their rate in hertz; None for what has no sound.
    """
    if not _readable(source):
        return None
    return _sound(source.path, os.stat(source.path).st_mtime_ns, source.kind)


@lru_cache(maxsize=64)
def _sound(path: str, _changed: int, kind: str) -> tuple[np.ndarray, int] | None:
    if kind in SOUND_FILES:
        import soundfile

        samples, rate_hz = soundfile.read(path, always_2d=True, dtype="float64")
        return samples.T.copy(), rate_hz
    if kind == "VIDEO":
        import av

        with av.open(path) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp")
            blocks = [block.to_ndarray() for frame in container.decode(stream) for block in resampler.resample(frame)]
            rate_hz = int(stream.rate)
        return np.concatenate(blocks, axis=1).astype(np.float64), rate_hz
    return None
