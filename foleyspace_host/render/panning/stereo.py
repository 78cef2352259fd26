"""Stereo for two loudspeakers at +-30 degrees, by level alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["StereoLaw"]

_HALF_BASE = 0.5  # sine of the loudspeakers' 30 degrees


class StereoLaw:
    """The sine law of stereophony (Bauer 1961) with constant power.

    (L - R) / (L + R) = sin(lateral angle) / sin(30 degrees), where the lateral angle is that between the
    source and the median plane. So sources behind sound from the mirrored place in front, sources above from
    the side they are on, those beyond the loudspeakers from the nearer one, and those straight above or below
    from the middle, without a jump anywhere. L and R are never of opposite sign nor late against each other,
    so that a mono sum neither cancels nor colours: it is 0 to 3 dB above the power, most in the middle.
    """

    def gains(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return linear gains (n, 2) for directions (n, 3); see `PanLaw`."""
        balance = np.clip(np.asarray(unit, dtype=np.float64)[:, 1] / _HALF_BASE, -1.0, 1.0)
        sides = np.stack([1.0 + balance, 1.0 - balance], axis=1)
        powered: NDArray[np.float64] = sides / np.linalg.norm(sides, axis=1, keepdims=True)
        return powered
