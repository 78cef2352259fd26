"""Decoding sound files (WAV, RF64, FLAC, AIFF, Ogg, MP3, CAF ...) with libsndfile."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import soundfile

from foleyspace_host.errors import MediaDamaged

__all__ = ["SoundFileReader", "is_sound_file"]

_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"caff", b".snd", b"ID3", b"riff")
_READ_SAMPLES = 1 << 16
_EXACT_SEEK = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC"}


def is_sound_file(head: bytes) -> bool:
    """Tell from the first 16 bytes whether libsndfile should be tried.

    Parameters
    ----------
    head : bytes
        Start of the file.

    Returns
    -------
    bool
        True for the formats that libsndfile knows; a file that it then refuses may still be a container.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return False
    mpeg_audio = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return head.startswith(_MAGIC) or mpeg_audio


class SoundFileReader:
    """Reads one sound file in blocks, from the start, as often as asked.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    MediaDamaged
        libsndfile does not recognize the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            info = soundfile.info(str(path))
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            raise _damaged(path, error) from error
        self.sample_rate_hz = int(info.samplerate)
        self.n_channels = int(info.channels)
        self.n_samples = int(info.frames)
        self.n_samples_about = self.n_samples
        self.codec = str(info.subtype).lower()
        # others jump to about the place, or start anew with another state of the decoder
        self._seeks = info.format in _EXACT_SEEK and info.subtype.startswith(("PCM", "FLOAT", "DOUBLE"))

    def blocks(self, first: int = 0) -> Generator[np.ndarray]:
        """Yield the samples in order.

        Parameters
        ----------
        first : int
            The sample to begin with.

        Yields
        ------
        ndarray of float32, shape (n_channels, n)
            Consecutive pieces of any length.

        Raises
        ------
        MediaDamaged
            The samples cannot be decoded, or there are fewer than the header says.
        """
        n_read = 0
        try:
            with soundfile.SoundFile(str(self.path)) as file:
                if self._seeks and first:
                    n_read = file.seek(min(first, self.n_samples))
                while True:
                    block = file.read(_READ_SAMPLES, dtype="float32", always_2d=True)
                    if not len(block):
                        break
                    n_read += len(block)
                    if n_read > first:
                        yield np.ascontiguousarray(block[max(0, len(block) - (n_read - first)) :].T)
        except (soundfile.SoundFileError, OSError, ValueError, MemoryError) as error:
            raise _damaged(self.path, error) from error
        if n_read < self.n_samples:
            raise MediaDamaged(
                f"the file is cut off: {self.n_samples} samples announced, {n_read} found",
                where=str(self.path),
                cure="export or copy it again",
            )


def _damaged(path: Path, error: Exception) -> MediaDamaged:
    from foleyspace_host.media.container import damaged  # and FFmpeg with it, which sound files do not need

    return damaged(path, error)
