"""Exact positions on the sample grid.

A span of time becomes the half-open sample range ``[sample_at(start), sample_at(end))``: end points are
rounded, durations never, so that adjoining spans adjoin in samples whatever the frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from foleyspace_host.errors import InvalidInput

__all__ = ["Span", "sample_at", "span_samples"]

_MAX_S = 10**7


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file, as exact times.

    Parameters
    ----------
    start_s : Fraction
        Where it starts after time zero of the file, not negative [s].
    duration_s : Fraction
        How long it is, positive [s].

    Raises
    ------
    InvalidInput
        If the span starts before the file, is empty, or is longer than any file.
    """

    start_s: Fraction
    duration_s: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= _MAX_S:
            raise InvalidInput(f"starts at {_text(self.start_s)}", where="span", cure=f"start at 0 to {_MAX_S} s")
        if not 0 < self.duration_s <= _MAX_S:
            raise InvalidInput(
                f"lasts {_text(self.duration_s)}", where="span", cure=f"give more than 0 s, at most {_MAX_S} s"
            )

    @property
    def end_s(self) -> Fraction:
        """Where it ends [s]."""
        return self.start_s + self.duration_s

    def samples(self, sample_rate_hz: int) -> tuple[int, int]:
        """Return the first sample of the span and the first after it.

        Parameters
        ----------
        sample_rate_hz : int
            Sampling rate [Hz].

        Returns
        -------
        (int, int)
            Both end points rounded, see `sample_at`; equal where the span holds no sample.
        """
        return sample_at(self.start_s, sample_rate_hz), sample_at(self.end_s, sample_rate_hz)


def _text(time_s: Fraction) -> str:
    try:
        return f"{float(time_s):g} s"
    except OverflowError:
        return "a time beyond all numbers"


def sample_at(time_s: Fraction | float, sample_rate_hz: int) -> int:
    """Return the sample nearest to a time, halves rounded up.

    Parameters
    ----------
    time_s : Fraction or float
        Time [s]; a Fraction is exact.
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    int
        floor(time_s * sample_rate_hz + 1/2).
    """
    return floor(Fraction(time_s) * sample_rate_hz + Fraction(1, 2))


def span_samples(start_s: Fraction | float, end_s: Fraction | float, sample_rate_hz: int) -> int:
    """Return the number of samples between two times.

    Parameters
    ----------
    start_s, end_s : Fraction or float
        End points of the span [s].
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    int
        sample_at(end_s) - sample_at(start_s).
    """
    return sample_at(end_s, sample_rate_hz) - sample_at(start_s, sample_rate_hz)
