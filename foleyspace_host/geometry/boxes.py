"""How large a thing looks in the picture over time: what is drawn around its position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoxSizes"]


@dataclass(frozen=True, slots=True)
class BoxSizes:
    """The sizes of the boxes in which a thing was seen.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        When it was seen, increasing [s].
    width, height : ndarray, shape (n,)
        Size of the box as fractions of the picture's width and height.
    """

    t_s: NDArray[np.float64]
    width: NDArray[np.float64]
    height: NDArray[np.float64]
