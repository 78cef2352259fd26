"""What the embedded model is told, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import FLOOR_DB

__all__ = ["LEVEL", "N_CONDITION", "N_LIKENESS", "RECORDED", "rows"]

RECORDED = len(NAMES)
"""Column of whether it is a recording: 1, or a sound that was computed: 0."""

N_LIKENESS = len(NAMES) + 1
"""Columns that say what the sound is like: the share of each class, and `RECORDED`. Zeros: nothing in particular."""

LEVEL = N_LIKENESS
"""Column of the level in proportion to the loudest frame: 0 at `FLOOR_DB` and below, 1 at the loudest."""

N_CONDITION = N_LIKENESS + 1
"""Columns."""


def rows(likeness: NDArray[np.float32], levels_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the network is told of each frame.

    Parameters
    ----------
    likeness : ndarray, float32, shape (N_LIKENESS,)
        What the sound is like.
    levels_db : ndarray, float32, shape (n_frames,)
        Level re the loudest frame [dB].

    Returns
    -------
    ndarray, float32, shape (n_frames, N_CONDITION)
    """
    told = np.empty((len(levels_db), N_CONDITION), dtype=np.float32)
    told[:, :N_LIKENESS] = likeness
    told[:, LEVEL] = 1.0 - np.clip(levels_db, FLOOR_DB, 0.0) / FLOOR_DB
    return told
