"""What walls and air leave of the spectrum of each image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import PHYSICAL_REFERENCE_M, RELATIVE_LIMIT_DB
from foleyspace_host.render.room.images import Images
from foleyspace_host.render.room.statistics import at_octaves

if TYPE_CHECKING:
    from foleyspace_host.render.options import RenderOptions

__all__ = ["ImageTones"]

_STEP_M = 0.25  # in which the air's filter follows the distance: 0.1 dB at 16 kHz
_STEPS = 1 << 20  # more of them than any way has
_NEPERS_PER_DB = np.log(10.0) / 20.0


class ImageTones:
    """Gains of every frequency, without phase, for the images of one source.

    Parameters
    ----------
    images : Images
        The images.
    reference_m : float
        Distance at which the law ``relative`` is neutral [m].
    options : RenderOptions
        State of the air, and the law of distance that it goes with.
    frequency_hz : ndarray, shape (n_bins,)
        Frequencies [Hz].
    """

    def __init__(
        self, images: Images, reference_m: float, options: RenderOptions, frequency_hz: NDArray[np.float64]
    ) -> None:
        loss = np.log(np.maximum(images.amplitude, 1e-6))
        self._walls = np.stack([at_octaves(row, frequency_hz) for row in loss]).astype(np.float32)
        self._air: NDArray[np.float32] | None = None
        if options.air is not None and options.distance_gain != "none":
            self._air = (options.air.attenuation_db_m(frequency_hz) * -_NEPERS_PER_DB).astype(np.float32)
        self._recorded_m = reference_m if options.distance_gain == "relative" else PHYSICAL_REFERENCE_M
        self._known = np.empty(0, dtype=np.int64)
        self._rows = np.empty((0, len(frequency_hz)), dtype=np.float32)

    def rows(self, distance_m: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return the gains that occur, and which of them hold where.

        Parameters
        ----------
        distance_m : ndarray, shape (n_images, n_frames)
            Distances, as in `Arrivals` [m].

        Returns
        -------
        gains : ndarray, float32, shape (n_rows, n_bins)
            Linear gains.
        row : ndarray, int32, shape (n_images, n_frames)
            Row of each image and frame.
        """
        steps = np.zeros(distance_m.shape, dtype=np.int64)
        if self._air is not None:
            steps = np.round((distance_m - self._recorded_m) / _STEP_M).astype(np.int64)
        names = steps + _STEPS * (np.arange(len(steps))[:, None] + 1)
        known, row = np.unique(names, return_inverse=True)
        if not np.array_equal(known, self._known):
            image, step = np.divmod(known + _STEPS // 2, _STEPS)
            nepers = self._walls[image - 1]
            if self._air is not None:
                farther_m = ((step - _STEPS // 2) * _STEP_M).astype(np.float32)[:, None]
                nepers += np.minimum(farther_m * self._air, np.float32(RELATIVE_LIMIT_DB * _NEPERS_PER_DB))
            self._known, self._rows = known, np.exp(nepers, out=nepers)
        return self._rows, row.reshape(steps.shape).astype(np.int32)
