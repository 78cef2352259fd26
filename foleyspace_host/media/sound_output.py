"""One sound file that is being written: WAV by `WavWriter`, FLAC by libsndfile, with errors that name the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.media.atomic import write_error
from foleyspace_host.media.wav import Broadcast, WavWriter
from foleyspace_host.media.wav_file import plain_wav

__all__ = ["BITS", "SoundOutput", "SoundShape"]

BITS = {"PCM_24": 24, "PCM_16": 16}
"""Bits of a sample of the integer codings."""


@dataclass(frozen=True, slots=True)
class SoundShape:
    """What a sound file says about its samples.

    Parameters
    ----------
    sample_rate_hz, n_channels : int
        Rate [Hz] and channels.
    channel_mask : int or None
        Loudspeakers of the channels of a WAV file, see `WavWriter`.
    broadcast : Broadcast or None
        Makes a WAV file a Broadcast Wave file.
    """

    sample_rate_hz: int
    n_channels: int
    channel_mask: int | None
    broadcast: Broadcast | None


class SoundOutput:
    """Writes one file; complete when its block ends well.

    Parameters
    ----------
    file : Path
        The file; its suffix says of which kind it is.
    path : Path
        What messages call it.
    shape : SoundShape
        Its rate and channels.
    subtype : {"FLOAT", "PCM_24", "PCM_16"}
        Coding of a sample.

    Attributes
    ----------
    n_samples : int
        Samples per channel so far.
    broadcast : Broadcast or None
        What a Broadcast Wave file will say in the end; may be replaced until then.

    Raises
    ------
    OutputUnwritable, DiskFull
        The file cannot be written; also by `write` and at the end of the block.
    """

    def __init__(self, file: Path, path: Path, shape: SoundShape, subtype: str) -> None:
        self._path = path
        self.broadcast = shape.broadcast
        self.n_samples = 0
        with self._errors():
            kind = _Flac if file.suffix.lower() == ".flac" else _Wav
            self._file: _Flac | _Wav = kind(file, shape, subtype)

    def __enter__(self) -> SoundOutput:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # a file that could not be written cannot be closed either; the first error is told already
            with suppress(OSError, OutputUnwritable):
                self._file.close()
            return
        with self._errors():
            self._file.finish(self.broadcast)
            self._file.close()
            if self.n_samples and self._file.n_samples_there() != self.n_samples:
                raise OSError("fewer samples arrived on the disk than were written")

    def write(self, block: np.ndarray) -> None:
        """Append samples, shape (n_channels, n): float32 for FLOAT, int32 within the range of the others."""
        with self._errors():
            self._file.write(block)
        self.n_samples += block.shape[1]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except _FlacFailed as error:
            raise OutputUnwritable(
                f"writing failed ({error})", where=str(self._path), cure="try another place"
            ) from error
        except OSError as error:
            raise write_error(error, self._path) from error


class _Wav:
    def __init__(self, file: Path, shape: SoundShape, subtype: str) -> None:
        self._place = file
        self._file = file.open("wb")
        self._wav = WavWriter(
            self._file,
            shape.sample_rate_hz,
            shape.n_channels,
            subtype,
            channel_mask=shape.channel_mask,
            broadcast=shape.broadcast,
        )

    def write(self, block: np.ndarray) -> None:
        self._wav.write(block)

    def finish(self, broadcast: Broadcast | None) -> None:
        self._wav.finish(broadcast)

    def close(self) -> None:
        self._file.close()

    def n_samples_there(self) -> int:
        reader = plain_wav(self._place)
        return 0 if reader is None else reader.n_samples_there()


class _FlacFailed(OSError):
    """What libsndfile cannot say better."""


class _Flac:
    def __init__(self, file: Path, shape: SoundShape, subtype: str) -> None:
        import soundfile  # which takes a while to load, and WAV needs no library

        self._soundfile: Any = soundfile
        self._place = file
        self._shift = 32 - BITS[subtype]  # libsndfile takes the bits at the top of its integers
        with self._reasons():
            self._file = soundfile.SoundFile(
                str(file), "w", shape.sample_rate_hz, shape.n_channels, subtype, format="FLAC"
            )

    def write(self, block: np.ndarray) -> None:
        with self._reasons():
            self._file.write(np.ascontiguousarray(block.T << self._shift))

    def finish(self, _broadcast: Broadcast | None) -> None:
        return

    def close(self) -> None:
        with self._reasons():
            self._file.close()

    def n_samples_there(self) -> int:
        with self._reasons():
            return int(self._soundfile.info(str(self._place)).frames)

    @contextmanager
    def _reasons(self) -> Iterator[None]:
        """Find out from the system what libsndfile calls a "System error"."""
        try:
            yield
        except self._soundfile.SoundFileError as error:
            with self._place.open("ab", buffering=0) as file:  # raises what the system says, if it says anything
                file.write(b"\0" * 65_536)
                os.fsync(file.fileno())
            raise _FlacFailed(str(error)) from error
