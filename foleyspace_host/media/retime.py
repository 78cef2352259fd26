"""A sound at another speed, as tape has it: twice as fast is an octave higher, and negative speeds run backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.resample import resampled

if TYPE_CHECKING:
    from foleyspace_host.media.write import WriteReport

__all__ = ["write_retimed"]

_CHUNK_SAMPLES = 1 << 20  # what is turned round at once


def write_retimed(
    path: Path,
    span: Span,
    speed: Fraction,
    out: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> WriteReport:
    """Write a part of a sound as it is heard at another speed.

    Parameters
    ----------
    path : Path
        Sound file, or video with sound.
    span : Span
        The part of it that is played, from its start on, or from its end if the speed is negative.
    speed : Fraction
        Seconds of the file in a second of the result; not 0.
    out : Path
        ``.wav`` file of 32 bit floats at the rate and with the channels of the sound, without what lies above half
        its rate; ``span.duration_s / abs(speed)`` long, less where the sound ends before the part does.
    on_progress : callable, optional
        Called as (done, total) in samples of the part; raises Cancelled to stop.

    Returns
    -------
    WriteReport

    Raises
    ------
    InvalidInput
        If the speed is 0, or no sample of the sound is in the part.
    MediaError, OutputUnwritable
        If the sound cannot be read, or the file not be written.
    """
    from foleyspace_host.media.write import write_audio

    if speed == 0:
        raise InvalidInput("a sound that stands still is none", where=str(path))
    source = open_audio(path, span)
    blocks = source.blocks() if speed > 0 else _backwards(path, span, source.sample_rate_hz)
    pace = abs(speed)
    return write_audio(
        out,
        resampled(_counted(blocks, span, source.sample_rate_hz, on_progress), pace.numerator, pace.denominator),
        source.sample_rate_hz,
        source.n_channels,
    )


def _counted(
    blocks: Iterator[np.ndarray], span: Span, sample_rate_hz: int, on_progress: Callable[[int, int], None] | None
) -> Iterator[np.ndarray]:
    first, stop = span.samples(sample_rate_hz)
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        if on_progress is not None:
            on_progress(done, stop - first)


def _backwards(path: Path, span: Span, sample_rate_hz: int) -> Iterator[np.ndarray]:
    """Yield a part of a sound from its end to its start; what is missing at its end is silence at the start."""
    first, stop = span.samples(sample_rate_hz)
    missing = 0
    while stop > first:
        start = max(first, stop - _CHUNK_SAMPLES)
        part = Span(Fraction(start, sample_rate_hz), Fraction(stop - start, sample_rate_hz))
        try:
            chunk = np.concatenate(list(open_audio(path, part).blocks()), axis=1)
        except InvalidInput:  # all of it lies after the end of the sound
            if start == first:
                raise
            missing += stop - start
            stop = start
            continue
        missing += stop - start - chunk.shape[1]
        while missing:  # known only when the first sound is there
            size = min(missing, _CHUNK_SAMPLES)
            yield np.zeros((chunk.shape[0], size), np.float32)
            missing -= size
        yield np.ascontiguousarray(chunk[:, ::-1])
        stop = start
