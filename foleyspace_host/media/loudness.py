"""Loudness of a stream: ITU-R BS.1770-5 and EBU R 128, in one pass and next to no memory.

A library would be welcome here, but pyloudnorm needs the whole file in memory, and FFmpeg's ``ebur128`` shows its
readings to PyAV only as rounded texts, in its later versions. The tests hold this meter to FFmpeg's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log10, pi, tan

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.kernels import meters

__all__ = ["LoudnessMeter", "channel_weights"]

_OFFSET_DB = -0.691  # makes a 997 Hz sine of full scale in one channel read -3.01 LUFS
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_STEP_S = 0.1
_SIDE = 10.0**0.15  # +1.5 dB for directions between 60 and 120 degrees to the side

# channels in the order of WAV files; the LFE does not count
_WEIGHTS: dict[int, tuple[float, ...]] = {
    5: (1.0, 1.0, 1.0, _SIDE, _SIDE),
    6: (1.0, 1.0, 1.0, 0.0, _SIDE, _SIDE),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, _SIDE, _SIDE),
    12: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, _SIDE, _SIDE, 1.0, 1.0, 1.0, 1.0),
}


def channel_weights(n_channels: int) -> tuple[float, ...]:
    """Return the weights of the channels of a usual layout (BS.1770-5, tables 3 and 4).

    Parameters
    ----------
    n_channels : int
        5 (5.0), 6 (5.1), 8 (7.1) or 12 (7.1.4) in the order of WAV files; others count equally.

    Returns
    -------
    tuple of float
        Factors on the power.
    """
    return _WEIGHTS.get(n_channels, (1.0,) * n_channels)


class LoudnessMeter:
    """Measures integrated, momentary and short-term loudness.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    sample_rate_hz : int
        Sampling rate [Hz].
    weights : sequence of float, optional
        Factor on the power of each channel; `channel_weights` if not given.

    Raises
    ------
    InvalidInput
        If there is not one weight for each channel.
    """

    def __init__(self, n_channels: int, sample_rate_hz: int, weights: Sequence[float] | None = None) -> None:
        chosen = channel_weights(n_channels) if weights is None else tuple(weights)
        if len(chosen) != n_channels:
            raise InvalidInput(f"{len(chosen)} weights for {n_channels} channels", where="loudness")
        self._weights = np.array(chosen, dtype=np.float64)
        self._filter = _k_weighting(sample_rate_hz)
        self._state = np.zeros((n_channels, 4), dtype=np.float64)
        self._step = max(round(_STEP_S * sample_rate_hz), 1)
        self._sums = np.zeros(n_channels, dtype=np.float64)  # of the step that is not complete yet
        self._filled = np.zeros(1, dtype=np.int64)
        self._powers: list[NDArray[np.float64]] = []

    def add(self, block: NDArray[np.float32]) -> None:
        """Measure the next samples.

        Parameters
        ----------
        block : ndarray, float32, shape (n_channels, n)
            Finite samples, of any length.
        """
        samples = np.ascontiguousarray(block, dtype=np.float32)
        powers = meters.loudness_steps(
            samples, self._filter, self._state, self._weights, self._step, self._sums, self._filled
        )
        if len(powers):
            self._powers.append(powers)

    def integrated_lufs(self, gain_db: float = 0.0) -> float | None:
        """Loudness of all so far.

        Parameters
        ----------
        gain_db : float
            Gain that is applied to the sound afterwards [dB].

        Returns
        -------
        float or None
            Gated loudness [LUFS]; None where nothing passes the gate: silence, or less than 0.4 s.
        """
        power = self._windows(4) * 10.0 ** (gain_db / 10.0)
        power = power[power > _power(_ABSOLUTE_GATE_LUFS)]
        if not len(power):
            return None
        gate = power.mean() * 10.0 ** (_RELATIVE_GATE_LU / 10.0)
        return _lufs(float(power[power > gate].mean()))

    def max_momentary_lufs(self, gain_db: float = 0.0) -> float | None:
        """Largest loudness of 0.4 s, without gate [LUFS]; None for silence or less than that."""
        return self._largest(4, gain_db)

    def max_short_term_lufs(self, gain_db: float = 0.0) -> float | None:
        """Largest loudness of 3 s, without gate [LUFS]; None for silence or less than that."""
        return self._largest(30, gain_db)

    def _largest(self, n_steps: int, gain_db: float) -> float | None:
        loudest = _lufs(float(self._windows(n_steps).max(initial=0.0)))
        return None if loudest == -inf else loudest + gain_db

    def _windows(self, n_steps: int) -> NDArray[np.float64]:
        """Mean power of every run of so many steps."""
        steps = np.concatenate([np.zeros(0), *self._powers])
        if len(steps) < n_steps:
            return np.zeros(0)
        windows: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(steps, n_steps).mean(axis=1)
        return windows


def _k_weighting(sample_rate_hz: int) -> NDArray[np.float64]:
    """Coefficients b0 b1 b2 a1 a2 of the shelf and a1 a2 of the high-pass (whose b is 1 -2 1), for any rate.

    The analogue prototypes behind the recommendation's table for 48 kHz, as found by B. De Man ("Evaluation of
    implementations of the EBU R128 loudness measurement", AES 145, 2018) and used by libebur128.
    """
    warp, quality = tan(pi * 1681.974450955533 / sample_rate_hz), 0.7071752369554196
    high = 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    a0 = 1.0 + warp / quality + warp * warp
    shelf = [
        (high + band * warp / quality + warp * warp) / a0,
        2.0 * (warp * warp - high) / a0,
        (high - band * warp / quality + warp * warp) / a0,
        2.0 * (warp * warp - 1.0) / a0,
        (1.0 - warp / quality + warp * warp) / a0,
    ]
    warp, quality = tan(pi * 38.13547087602444 / sample_rate_hz), 0.5003270373238773
    a0 = 1.0 + warp / quality + warp * warp
    return np.array([*shelf, 2.0 * (warp * warp - 1.0) / a0, (1.0 - warp / quality + warp * warp) / a0])


def _lufs(power: float) -> float:
    return _OFFSET_DB + 10.0 * log10(power) if power > 0.0 else -inf


def _power(level_lufs: float) -> float:
    return float(10.0 ** ((level_lufs - _OFFSET_DB) / 10.0))
