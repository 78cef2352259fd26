"""Writing sound files: finite, complete, and never clipped without saying so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from pathlib import Path

import numpy as np

from foleyspace_host.errors import InvalidInput, MediaEmpty, NonFinite
from foleyspace_host.kernels.meters import largest
from foleyspace_host.media.atomic import atomic_output, scratch_file
from foleyspace_host.media.behind import OneBehind
from foleyspace_host.media.dither import Quantizer
from foleyspace_host.media.levels import gain_for_ceiling
from foleyspace_host.media.meters import Meters
from foleyspace_host.media.sound_output import BITS, SoundOutput, SoundShape
from foleyspace_host.media.wav import Broadcast
from foleyspace_host.media.wav_file import plain_wav

__all__ = ["WriteReport", "write_audio"]

_SUBTYPES = {".wav": ("FLOAT", "PCM_24", "PCM_16"), ".flac": ("PCM_24", "PCM_16")}


@dataclass(frozen=True)
class WriteReport:
    """What was written.

    Attributes
    ----------
    n_samples : int
        Samples per channel.
    true_peak_db : float
        True peak after the gain, before dither [dBTP]; minus infinity for silence, NaN if it was not measured.
    loudness_lufs : float or None
        Integrated loudness after the gain [LUFS]; None for silence or less than 0.4 s, or if it was not measured.
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
    levels: bool = True,
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
        Consecutive pieces of the sound, not to be changed afterwards: they are measured and written while the
        next one is being made.
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
    levels : bool
        Whether true peak and loudness are to be told. Where nobody asks, a float file that does not hold them is
        written without measuring them, which is a third of the work of rendering and writing a binaural one.
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
    shape = SoundShape(sample_rate_hz, n_channels, channel_mask, broadcast)
    with atomic_output(path) as temporary:
        if subtype == "FLOAT" and not levels and broadcast is None:
            n_samples = _write_float(temporary, path, blocks, shape, None)
            return WriteReport(n_samples, nan, None, 0.0, subtype)
        meters = Meters(n_channels, sample_rate_hz, loudness_weights)
        if subtype == "FLOAT":
            _write_float(temporary, path, blocks, shape, meters)
            return _report(meters, 0.0, subtype)
        with scratch_file(path, ".wav") as scratch:
            _write_float(scratch, path, blocks, replace(shape, broadcast=None), meters)
            gain_db = gain_for_ceiling(meters.peak.true_peak_db)
            quantizer = Quantizer(BITS[subtype], n_channels)
            with SoundOutput(temporary, path, shape, subtype) as writer:
                for block in _read_back(scratch):
                    writer.write(quantizer.quantize(block, 10 ** (gain_db / 20)))
                    if on_progress is not None:
                        on_progress(writer.n_samples, meters.peak.n_samples)
                writer.broadcast = _told(broadcast, meters, gain_db)
        return _report(meters, gain_db, subtype)


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


def _write_float(
    temporary: Path, path: Path, blocks: Iterable[np.ndarray], shape: SoundShape, meters: Meters | None
) -> int:
    """Write and measure samples, and return how many there were in a channel."""
    with SoundOutput(temporary, path, shape, "FLOAT") as writer:

        def write(block: np.ndarray) -> None:
            if block.ndim != 2 or block.shape[0] != shape.n_channels:
                raise InvalidInput(f"a block has the shape {block.shape}, not ({shape.n_channels}, n)", where=str(path))
            samples = np.asarray(block, np.float32)
            if not (isfinite(largest(samples)) if meters is None else meters.add(samples)):
                raise NonFinite(
                    f"the sound to be written holds NaN or infinite samples near "
                    f"{writer.n_samples / shape.sample_rate_hz:.3f} s",
                    where=str(path),
                    cure="check the sound and the trajectory that it was made from",
                )
            writer.write(samples)

        if meters is None:  # writing alone is not worth a second thread
            for block in blocks:
                write(block)
        else:
            with OneBehind(write) as behind:
                for block in blocks:
                    behind.put(block)
            writer.broadcast = _told(shape.broadcast, meters, 0.0)
    if not writer.n_samples:
        raise MediaEmpty("there is no sound to write", where=str(path), cure="check the input's length")
    return writer.n_samples


def _read_back(path: Path) -> Iterator[np.ndarray]:
    reader = plain_wav(path)
    return iter(()) if reader is None else reader.blocks()
