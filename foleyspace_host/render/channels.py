"""Where the channels of a clip are heard when they are not summed: side by side, moving together."""

from __future__ import annotations

from math import isfinite

from foleyspace_host.errors import InvalidInput

__all__ = ["DEFAULT_ANGLE_DEG", "channel_angles_deg"]

DEFAULT_ANGLE_DEG = 30.0
"""Angle of the left channel of a stereo clip to the source's direction, as in ITU-R BS.775 [deg]."""

# for a left channel at 30 degrees, in the order of WAV files: left, right, centre, LFE, back pair, side pair
_ANGLES_DEG: dict[int, tuple[float, ...]] = {
    1: (0.0,),
    2: (30.0, -30.0),
    3: (30.0, -30.0, 0.0),
    4: (30.0, -30.0, 110.0, -110.0),
    5: (30.0, -30.0, 0.0, 110.0, -110.0),
    6: (30.0, -30.0, 0.0, 0.0, 110.0, -110.0),
    8: (30.0, -30.0, 0.0, 0.0, 150.0, -150.0, 90.0, -90.0),
}


def channel_angles_deg(n_channels: int, angle_deg: float = DEFAULT_ANGLE_DEG) -> tuple[float, ...]:
    """Return the angles of the channels of a clip.

    Parameters
    ----------
    n_channels : int
        Channels: mono, stereo, 3.0, 4.0, 5.0, 5.1 or 7.1 in the order of WAV files; others are spaced evenly
        from the left to the right.
    angle_deg : float
        Angle of the left channel, 0 to 180 [deg]; the others grow in proportion, and stop straight behind.

    Returns
    -------
    tuple of float
        Angles to the left of the source's direction [deg].

    Raises
    ------
    InvalidInput
        If the angle is out of range.
    """
    if not (isfinite(angle_deg) and 0.0 <= angle_deg <= 180.0):
        raise InvalidInput(f"{angle_deg} is outside 0 to 180 degrees", where="channel angle", cure="use 30 for stereo")
    usual = _ANGLES_DEG.get(n_channels)
    if usual is None:
        usual = tuple(DEFAULT_ANGLE_DEG * (1.0 - 2.0 * index / (n_channels - 1)) for index in range(n_channels))
    scale = angle_deg / DEFAULT_ANGLE_DEG
    return tuple(max(min(scale * angle, 180.0), -180.0) + 0.0 for angle in usual)
