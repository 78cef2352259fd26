"""Where the camera looks over time: from the picture to the scene that rests, and back.

The camera's motions from picture to picture are added up, from the first picture of each shot. In the
coordinates of that picture a parked car stays where it is while the camera pans past it, and after it has left
the picture too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import Warp

__all__ = ["SceneView"]

Array = NDArray[np.float64]


class SceneView:
    """Turns positions in pictures into positions in the scene and back.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Times of the pictures, increasing [s].
    warps : sequence of Warp
        The camera's motion before each of them; that of the first one is not used.
    cuts : sequence of bool
        Whether a shot begins with the picture.
    """

    def __init__(self, time_s: Array, warps: Sequence[Warp], cuts: Sequence[bool]) -> None:
        self._time_s = time_s
        here = np.eye(3)
        matrices = []
        for index, (warp, cut) in enumerate(zip(warps, cuts, strict=True)):
            step = np.vstack([warp.matrix, [0.0, 0.0, 1.0]])
            here = np.eye(3) if index == 0 or cut else here @ np.linalg.inv(step)
            matrices.append(here)
        self._to_scene = np.stack(matrices)

    def at(self, time_s: Array) -> Array:
        """Return the matrices from picture to scene at given times (of the nearest picture), shape (n, 3, 3)."""
        later = np.clip(np.searchsorted(self._time_s, time_s), 1, max(len(self._time_s) - 1, 1))
        if len(self._time_s) == 1:
            return self._to_scene[np.zeros(len(time_s), dtype=int)]
        nearer = time_s - self._time_s[later - 1] < self._time_s[later] - time_s
        return self._to_scene[np.where(nearer, later - 1, later)]

    @property
    def moves(self) -> bool:
        """Whether the camera moves at all."""
        return bool(np.abs(self._to_scene - np.eye(3)).max() > 1e-6)


def moved(matrix: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Move points by matrices of shape (n, 3, 3)."""
    return (
        matrix[:, 0, 0] * x + matrix[:, 0, 1] * y + matrix[:, 0, 2],
        matrix[:, 1, 0] * x + matrix[:, 1, 1] * y + matrix[:, 1, 2],
    )


def log_scale(matrix: Array) -> Array:
    """Return the logarithm of the factor by which matrices of shape (n, 3, 3) enlarge."""
    scale: Array = 0.5 * np.log(np.abs(np.linalg.det(matrix[:, :2, :2])))
    return scale
