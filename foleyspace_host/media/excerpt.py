"""A part of a sound, read as if it had been cut out into a file of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from foleyspace_host.errors import InvalidInput

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span

__all__ = ["ExcerptReader", "SoundReader"]


class SoundReader(Protocol):
    """What decodes the sound of one file; see `foleyspace_host.media.audio.AudioSource` for its attributes."""

    path: Path
    sample_rate_hz: int
    n_channels: int
    codec: str
    n_samples_about: int

    def blocks(self, first: int = 0) -> Generator[np.ndarray]:
        """Yield the samples from `first` on, shape (n_channels, n), in pieces of any length."""


class ExcerptReader:
    """Reads the samples of a span; where the sound ends before the span does, the excerpt ends with it.

    Parameters
    ----------
    reader : SoundReader
        Decoder of the whole sound.
    span : Span
        The part; its end points are rounded to samples, so that adjoining spans adjoin in samples.

    Raises
    ------
    InvalidInput
        If there is no sample in the span.
    """

    def __init__(self, reader: SoundReader, span: Span) -> None:
        self._reader = reader
        self._span = span
        self._first, self._stop = span.samples(reader.sample_rate_hz)
        self.path = reader.path
        self.sample_rate_hz = reader.sample_rate_hz
        self.n_channels = reader.n_channels
        self.codec = reader.codec
        self.n_samples_about = max(0, min(self._stop, reader.n_samples_about) - self._first)
        if self._first == self._stop:
            raise InvalidInput(
                f"a span of {float(span.duration_s):g} s holds no sample at {reader.sample_rate_hz} Hz",
                where=str(reader.path),
                cure="give a longer span",
            )

    def blocks(self, first: int = 0) -> Iterator[np.ndarray]:
        """Yield the samples of the span in order.

        Parameters
        ----------
        first : int
            Where to begin, in samples after the start of the span.

        Yields
        ------
        ndarray of float32, shape (n_channels, n)
            Consecutive pieces of any length.

        Raises
        ------
        InvalidInput
            The sound ends before the span begins.
        MediaDamaged
            The file cannot be decoded to the end of the span.
        """
        position = self._first + first
        any_found = False
        with closing(self._reader.blocks(position)) as pieces:
            for piece in pieces:
                any_found = any_found or piece.shape[1] > 0
                yield piece[:, : self._stop - position]
                position += piece.shape[1]
                if position >= self._stop:
                    return
        if not any_found:
            raise InvalidInput(
                f"the span starts at {float(self._span.start_s):g} s, where the sound has ended",
                where=str(self.path),
                cure="give a span within the file",
            )
