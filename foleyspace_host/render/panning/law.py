"""What a pan law is, and the law of each format."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.frames import angles_to_unit
from foleyspace_host.render.formats import OutputFormat

__all__ = ["PanLaw", "law_of", "stereo_weights"]

_STEREO_AZIMUTHS_DEG = (30.0, -30.0)


class PanLaw(Protocol):
    """Gains of a source in every channel."""

    def gains(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return linear gains for directions.

        Parameters
        ----------
        unit : ndarray, shape (n, 3)
            Unit vectors: x front, y left, z up.

        Returns
        -------
        ndarray, float64, shape (n, n_channels)
            Continuous in the direction.
        """
        ...


def law_of(output: OutputFormat) -> PanLaw:
    """Return the pan law of a format.

    Parameters
    ----------
    output : OutputFormat
        Any but binaural, which is no pan law.

    Returns
    -------
    PanLaw
    """
    from foleyspace_host.render.panning.ambisonic import AmbisonicLaw
    from foleyspace_host.render.panning.loudspeakers import LAYOUTS, LoudspeakerLaw
    from foleyspace_host.render.panning.stereo import StereoLaw

    if output.ambisonic_order is not None:
        return AmbisonicLaw(output.ambisonic_order)
    if output.name == "stereo":
        return StereoLaw()
    return LoudspeakerLaw(LAYOUTS[output.name])


def stereo_weights(output: OutputFormat) -> NDArray[np.float32]:
    """Return how a stereo sound goes into a format.

    Parameters
    ----------
    output : OutputFormat
        Any format.

    Returns
    -------
    ndarray, float32, shape (n_channels, 2)
        The two sides as they are for two channels, else as sources at +-30 degrees: the loudspeakers L and R
        of a layout, two plane waves in Ambisonics.
    """
    if output.n_channels == 2:
        return np.eye(2, dtype=np.float32)
    return law_of(output).gains(angles_to_unit(_STEREO_AZIMUTHS_DEG, (0.0, 0.0))).T.astype(np.float32)
