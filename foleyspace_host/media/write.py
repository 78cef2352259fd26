"""Writing sound files: finite, complete, and never clipped without saying so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
import soundfile

from foleyspace_host.errors import InvalidInput, MediaEmpty, NonFinite, OutputUnwritable
from foleyspace_host.media.atomic import atomic_output, scratch_file, write_error
from foleyspace_host.media.dither import Quantizer
from foleyspace_host.media.levels import gain_for_ceiling
from foleyspace_host.media.meters import Meters
from foleyspace_host.media.wav import Broadcast, WavWriter

__all__ = ["WriteReport", "write_audio"]

_SUBTYPES = {".wav": ("FLOAT", "PCM_24", "PCM_16"), ".flac": ("PCM_24", "PCM_16")}
_BITS = {"PCM_24": 24, "PCM_16": 16}
_BLOCK_SAMPLES = 1 << 16


@dataclass(frozen=True)
class WriteReport:
    """What was written.

    Attributes
    ----------
    n_samples : int
        Samples per channel.
    true_peak_db : float
        True peak after the gain, before dither [dBTP]; minus infinity for silence.
    loudness_lufs : float or None
        Integrated loudness after the gain [LUFS]; None for silence or less than 0.4 s.
    gain_db : float
        Gain applied to the whole file [dB]: 0, or below where an integer file would have passed -1 dBTP.
    subtype : str
        "FLOAT", "PCM_24" or "PCM_16".
    """

    n_samples: int
    true_peak_db: float
    loudness_lufs: float | None
    gain_db: float
    subtype: str


def write_audio(
    path: str | Path,
    blocks: Iterable[np.ndarray],
    sample_rate_hz: int,
    n_channels: int,
    *,
    subtype: str | None = None,
    channel_mask: int | None = None,
    loudness_weights: Sequence[float] | None = None,
    broadcast: Broadcast | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> WriteReport:
    """Write a sound file block by block, with constant memory.

    Float files hold exactly what they are given. Integer files are rendered to a float file first; if its
    true peak is above -1 dBTP, the whole is turned down by the difference while it is converted, with dither
    (see `Quantizer`). WAV files beyond 4 GiB become RF64. The same samples give the same bytes.

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
    channel_mask : int, optional
        Loudspeakers of the channels of a WAV file, see `WavWriter`.
    loudness_weights : sequence of float, optional
        Weights of the channels in the loudness, see `LoudnessMeter`.
    broadcast : Broadcast, optional
        Makes a WAV file a Broadcast Wave file; its levels are filled in here.
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
    if broadcast is not None and path.suffix.lower() != ".wav":
        raise InvalidInput("only WAV files hold a time reference", where=str(path), cure="end the name with .wav")
    shape = _Shape(sample_rate_hz, n_channels, channel_mask, broadcast)
    meters = Meters(n_channels, sample_rate_hz, loudness_weights)
    with atomic_output(path) as temporary:
        if subtype == "FLOAT":
            _write_float(temporary, path, blocks, shape, meters)
            return _report(meters, 0.0, subtype)
        with scratch_file(path, ".wav") as scratch:
            _write_float(scratch, path, blocks, replace(shape, broadcast=None), meters)
            gain_db = gain_for_ceiling(meters.peak.true_peak_db)
            quantizer = Quantizer(_BITS[subtype], n_channels)
            with _Writer(temporary, path, shape, subtype) as writer:
                for block in _read_back(scratch):
                    writer.write(quantizer.quantize(block, 10 ** (gain_db / 20)))
                    if on_progress is not None:
                        on_progress(writer.n_samples, meters.peak.n_samples)
                writer.broadcast = _told(broadcast, meters, gain_db)
        return _report(meters, gain_db, subtype)


@dataclass(frozen=True, slots=True)
class _Shape:
    sample_rate_hz: int
    n_channels: int
    channel_mask: int | None
    broadcast: Broadcast | None


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


def _report(meters: Meters, gain_db: float, subtype: str) -> WriteReport:
    return WriteReport(
        n_samples=meters.peak.n_samples,
        true_peak_db=meters.peak.true_peak_db + gain_db,
        loudness_lufs=meters.loudness.integrated_lufs(gain_db),
        gain_db=gain_db,
        subtype=subtype,
    )


def _told(broadcast: Broadcast | None, meters: Meters, gain_db: float) -> Broadcast | None:
    """Return what a file tells about itself, with its levels."""
    if broadcast is None:
        return None
    peak_db = meters.peak.true_peak_db + gain_db
    return replace(
        broadcast,
        loudness_lufs=meters.loudness.integrated_lufs(gain_db),
        true_peak_db=peak_db if isfinite(peak_db) else None,
        max_momentary_lufs=meters.loudness.max_momentary_lufs(gain_db),
        max_short_term_lufs=meters.loudness.max_short_term_lufs(gain_db),
    )


def _write_float(temporary: Path, path: Path, blocks: Iterable[np.ndarray], shape: _Shape, meters: Meters) -> None:
    with _Writer(temporary, path, shape, "FLOAT") as writer:
        for block in blocks:
            if block.ndim != 2 or block.shape[0] != shape.n_channels:
                raise InvalidInput(f"a block has the shape {block.shape}, not ({shape.n_channels}, n)", where=str(path))
            samples = np.asarray(block, np.float32)
            if not meters.add(samples):
                raise NonFinite(
                    f"the sound to be written holds NaN or infinite samples near "
                    f"{writer.n_samples / shape.sample_rate_hz:.3f} s",
                    where=str(path),
                    cure="check the sound and the trajectory that it was made from",
                )
            writer.write(samples)
        writer.broadcast = _told(shape.broadcast, meters, 0.0)
    if not meters.peak.n_samples:
        raise MediaEmpty("there is no sound to write", where=str(path), cure="check the input's length")


class _Writer:
    """One sound file being written: WAV by `WavWriter`, FLAC by libsndfile."""

    def __init__(self, temporary: Path, path: Path, shape: _Shape, subtype: str) -> None:
        self._temporary = temporary
        self._path = path  # for errors
        self._subtype = subtype
        self.broadcast = shape.broadcast
        self.n_samples = 0
        self._flac: soundfile.SoundFile | None = None
        with self._errors():
            if temporary.suffix.lower() == ".flac":
                self._flac = soundfile.SoundFile(
                    str(temporary), "w", shape.sample_rate_hz, shape.n_channels, subtype, format="FLAC"
                )
                return
            self._file = temporary.open("wb")
            self._wav = WavWriter(
                self._file,
                shape.sample_rate_hz,
                shape.n_channels,
                subtype,
                channel_mask=shape.channel_mask,
                broadcast=shape.broadcast,
            )

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with _ignored():
                self._close()
            return
        with self._errors():
            if self._flac is None:
                self._wav.finish(self.broadcast)
            self._close()
            if self.n_samples and soundfile.info(str(self._temporary)).frames != self.n_samples:
                raise OSError("fewer samples arrived on the disk than were written")

    def write(self, block: np.ndarray) -> None:
        with self._errors():
            if self._flac is None:
                self._wav.write(block)
            else:
                # libsndfile takes the bits at the top of its integers
                self._flac.write(np.ascontiguousarray(block.T << (32 - _BITS[self._subtype])))
        self.n_samples += block.shape[1]

    def _close(self) -> None:
        if self._flac is None:
            self._file.close()
        else:
            self._flac.close()

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
