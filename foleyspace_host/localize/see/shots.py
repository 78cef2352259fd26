"""Where one shot ends and another begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CutDetector"]

_BINS = 8
_COLOURS_CHANGE = 0.35  # of all pixels
_PICTURE_CHANGES = 0.08  # of full scale, mean over the picture
_TIMES_USUAL = 3.0


class CutDetector:
    """Compares each picture with the one before.

    A cut changes the colours of the picture as a whole (pans and moving things hardly do), changes it point
    by point, and does so much more than the pictures before changed.
    """

    def __init__(self) -> None:
        self._colours: NDArray[np.float64] | None = None
        self._small: NDArray[np.float64] | None = None
        self._usual = 0.0

    def is_cut(self, image: NDArray[np.uint8]) -> bool:
        """Say whether a shot begins with this picture; the first picture begins none.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB.

        Returns
        -------
        bool
        """
        import cv2

        thumbnail = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
        index = (thumbnail // (256 // _BINS)).astype(np.int64) @ np.array([_BINS * _BINS, _BINS, 1])
        colours = np.bincount(index.ravel(), minlength=_BINS**3) / index.size
        small = cv2.resize(thumbnail, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float64) / 255.0
        if self._colours is None or self._small is None:
            cut, change = False, 0.0
        else:
            change = float(np.abs(small - self._small).mean())
            other = 1.0 - float(np.minimum(colours, self._colours).sum())
            cut = other > _COLOURS_CHANGE and change > max(_PICTURE_CHANGES, _TIMES_USUAL * self._usual)
        self._colours, self._small = colours, small
        # a running mean of the changes within the shot tells a cut from a shaking camera
        self._usual = 0.0 if cut else 0.8 * self._usual + 0.2 * change
        return cut
