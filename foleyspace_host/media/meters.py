"""All that is measured of a sound on its way into a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleyspace_host.media.levels import PeakMeter
from foleyspace_host.media.loudness import LoudnessMeter

__all__ = ["Meters"]


class Meters:
    """Peak and loudness of one stream.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    sample_rate_hz : int
        Sampling rate [Hz].
    loudness_weights : sequence of float, optional
        See `LoudnessMeter`.

    Attributes
    ----------
    peak : PeakMeter
        Sample peak, true peak and number of samples.
    loudness : LoudnessMeter
        Loudness; without the blocks that are not finite.
    """

    def __init__(self, n_channels: int, sample_rate_hz: int, loudness_weights: Sequence[float] | None = None) -> None:
        self.peak = PeakMeter(n_channels, sample_rate_hz)
        self.loudness = LoudnessMeter(n_channels, sample_rate_hz, loudness_weights)

    def add(self, block: np.ndarray) -> bool:
        """Measure the next samples, shape (n_channels, n); tell whether all so far are finite."""
        self.peak.add(block)
        if self.peak.finite:
            self.loudness.add(block)
        return self.peak.finite
