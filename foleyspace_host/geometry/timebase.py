"""Exact positions on the sample grid.

A span of time becomes the half-open sample range ``[sample_at(start), sample_at(end))``: end points are
rounded, durations never, so that adjoining spans adjoin in samples whatever the frame rate.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

__all__ = ["sample_at", "span_samples"]


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
