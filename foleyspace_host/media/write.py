"""Writing sound files: finite, complete, and never clipped without saying so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from foleyspace_host.errors import InvalidInput, MediaEmpty, NonFinite, OutputUnwritable
from foleyspace_host.media.atomic import atomic_output, scratch_file, write_error
from foleyspace_host.media.levels import PeakMeter, gain_for_ceiling

__all__ = ["WriteReport", "write_audio"]

_SUBTYPES = {".wav": ("FLOAT", "PCM_24", "PCM_16"), ".flac": ("PCM_24", "PCM_16")}
_BYTES = {"FLOAT": 4, "PCM_24": 3, "PCM_16": 2}
_WAV_LIMIT_BYTES = 0xFFFF_FFFF - 65_536  # what a RIFF size field can say, less room for headers
_BLOCK_SAMPLES = 1 << 16


@dataclass(frozen=True)
class WriteReport:
    """What was written.

    Attributes
    ----------
    n_samples : int
        Samples per channel.
    true_peak_db : float
        True peak of the file as written, after the gain [dBTP]; minus infinity for silence.
    gain_db : float
        Gain applied to the whole file [dB]: 0, or below where an integer file would have passed -1 dBTP.
    subtype : str
        "FLOAT", "PCM_24" or "PCM_16".
    """

    n_samples: int
    true_peak_db: float
    gain_db: float
    subtype: str


def write_audio(
    path: str | Path,
    blocks: Iterable[np.ndarray],
    sample_rate_hz: int,
    n_channels: int,
    *,
    subtype: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> WriteReport:
    """Write a sound file block by block, with constant memory.

    Float files hold exactly what they are given. Integer files are rendered to a float file first; if its
    true peak is above -1 dBTP, the whole is turned down by the difference while it is converted. WAV files
    beyond 4 GiB become RF64. The same samples give the same bytes.

    Parameters
    ----------
    path : str or Path
        ``.wav`` or ``.flac``; replaced in one step when all is written.
    blocks : iterable of ndarray, shape (n_channels, n)
        Consecutive pieces of the sound.
    sample_rate_hz : int
        Sampling rate [Hz].
    n_channels : int
        Number of channels.
    subtype : {"FLOAT", "PCM_24", "PCM_16"}, optional
        Coding of a sample; FLOAT for WAV and PCM_24 for FLAC when not given. FLAC has no FLOAT.
    on_progress : callable, optional
        Called as on_progress(samples converted, samples in all) in the second pass of integer files; raise
        Cancelled to stop. (The first pass is driven by `blocks`.)

    Returns
    -------
    WriteReport
        Length, level and gain.

    Raises
    ------
    InvalidInput
        The suffix, the subtype, the number of channels or the rate does not suit; a block has another shape.
    NonFinite
        A sample is NaN or infinite.
    MediaEmpty
        There was not one sample.
    OutputUnwritable, DiskFull
        The file cannot be written. In every case of error nothing is left behind.
    """
    path = Path(path)
    subtype = _subtype_for(path, subtype)
    _check_format(path, sample_rate_hz, n_channels)
    with atomic_output(path) as temporary:
        if subtype == "FLOAT":
            meter = _write_float(temporary, path, blocks, sample_rate_hz, n_channels)
            return WriteReport(meter.n_samples, meter.true_peak_db, 0.0, subtype)
        with scratch_file(path, ".wav") as scratch:
            meter = _write_float(scratch, path, blocks, sample_rate_hz, n_channels)
            gain_db = gain_for_ceiling(meter.true_peak_db)
            factor = np.float32(10 ** (gain_db / 20))
            with _Writer(temporary, path, sample_rate_hz, n_channels, subtype) as writer:
                for block in _read_back(scratch):
                    writer.write(block * factor)
                    if on_progress is not None:
                        on_progress(writer.n_samples, meter.n_samples)
        return WriteReport(meter.n_samples, meter.true_peak_db + gain_db, gain_db, subtype)


def _subtype_for(path: Path, subtype: str | None) -> str:
    suffix = path.suffix.lower()
    if suffix not in _SUBTYPES:
        raise InvalidInput(
            f"cannot write sound files of the type {suffix or '(none)'}",
            where=str(path),
            cure="use .wav or .flac",
        )
    if subtype is None:
        return _SUBTYPES[suffix][0]
    if subtype not in _SUBTYPES[suffix]:
        raise InvalidInput(
            f"a {suffix} file cannot hold {subtype} samples",
            where=str(path),
            cure=f"use one of {', '.join(_SUBTYPES[suffix])}",
        )
    return subtype


def _check_format(path: Path, sample_rate_hz: int, n_channels: int) -> None:
    container = "FLAC" if path.suffix.lower() == ".flac" else "WAV"
    max_channels, max_rate_hz = (8, 655_350) if container == "FLAC" else (256, 0x7FFF_FFFF)
    if not (1 <= n_channels <= max_channels and 1 <= sample_rate_hz <= max_rate_hz):
        raise InvalidInput(
            f"{container} cannot hold {n_channels} channels at {sample_rate_hz} Hz",
            where=str(path),
            cure="use a .wav file" if container == "FLAC" else "use fewer channels and a usual rate",
        )


def _write_float(
    temporary: Path, path: Path, blocks: Iterable[np.ndarray], sample_rate_hz: int, n_channels: int
) -> PeakMeter:
    meter = PeakMeter(n_channels, sample_rate_hz)
    with _Writer(temporary, path, sample_rate_hz, n_channels, "FLOAT") as writer:
        for block in blocks:
            if block.ndim != 2 or block.shape[0] != n_channels:
                raise InvalidInput(f"a block has the shape {block.shape}, not ({n_channels}, n)", where=str(path))
            samples = np.asarray(block, np.float32)
            meter.add(samples)
            if not meter.finite:
                raise NonFinite(
                    f"the sound to be written holds NaN or infinite samples near "
                    f"{writer.n_samples / sample_rate_hz:.3f} s",
                    where=str(path),
                    cure="check the sound and the trajectory that it was made from",
                )
            writer.write(samples)
    if not meter.n_samples:
        raise MediaEmpty("there is no sound to write", where=str(path), cure="check the input's length")
    return meter


class _Writer:
    """One sound file being written; WAV turns into RF64 when it grows too long."""

    def __init__(self, temporary: Path, path: Path, sample_rate_hz: int, n_channels: int, subtype: str) -> None:
        self._temporary = temporary
        self._path = path  # for errors
        self._settings = {"samplerate": sample_rate_hz, "channels": n_channels, "subtype": subtype}
        self._format = "FLAC" if temporary.suffix.lower() == ".flac" else "WAV"
        self._bytes_per_sample = n_channels * _BYTES[subtype]
        self.n_samples = 0
        self._file = self._open(temporary)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with _ignored():
                self._file.close()
            return
        with self._errors():
            self._file.close()
            if soundfile.info(str(self._temporary)).frames != self.n_samples:
                raise OSError("fewer samples arrived on the disk than were written")
            if self._format != "FLAC":
                _clear_peak_time(self._temporary)

    def write(self, block: np.ndarray) -> None:
        with self._errors():
            if self._format == "WAV" and (self.n_samples + block.shape[1]) * self._bytes_per_sample > _WAV_LIMIT_BYTES:
                self._change_to_rf64()
            self._file.write(np.ascontiguousarray(block.T))
        self.n_samples += block.shape[1]

    def _open(self, path: Path) -> soundfile.SoundFile:
        with self._errors():
            return soundfile.SoundFile(str(path), "w", format=self._format, **self._settings)

    def _change_to_rf64(self) -> None:
        self._file.close()
        self._format = "RF64"
        with scratch_file(self._path, self._temporary.suffix) as begun:
            os.replace(self._temporary, begun)
            self._file = self._open(self._temporary)
            for block in _read_back(begun):
                self._file.write(np.ascontiguousarray(block.T))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(error, self._path) from error
        except soundfile.SoundFileError as error:
            raise self._reason(error) from error

    def _reason(self, error: Exception) -> OutputUnwritable:
        """Find out from the system what libsndfile calls a "System error"."""
        try:
            with self._temporary.open("ab", buffering=0) as file:
                file.write(b"\0" * 65_536)
                os.fsync(file.fileno())
        except OSError as cause:
            return write_error(cause, self._path)
        return OutputUnwritable(f"writing failed ({error})", where=str(self._path), cure="try another place")


@contextmanager
def _ignored() -> Iterator[None]:
    """Pass over errors of closing a file that could not be written; the first one is told already."""
    try:
        yield
    except (OSError, soundfile.SoundFileError):
        return


def _read_back(path: Path) -> Iterator[np.ndarray]:
    with soundfile.SoundFile(str(path)) as file:
        while True:
            block = file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
            if not len(block):
                return
            yield block.T


def _clear_peak_time(path: Path) -> None:
    """Set the date in the PEAK chunk of a float file to zero, so that equal sound gives equal bytes."""
    with path.open("r+b") as file:
        position = 12
        while True:
            file.seek(position)
            header = file.read(8)
            if len(header) < 8 or header[:4] == b"data":
                return
            if header[:4] == b"PEAK":
                file.seek(position + 12)
                file.write(b"\0\0\0\0")
                return
            length = int.from_bytes(header[4:], "little")
            position += 8 + length + (length & 1)
