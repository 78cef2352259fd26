"""What changes at the ears when a source comes closer than a metre.

Measured sets stand at a metre or more. Nearer, the head's shadow deepens and the near ear gains, at low
frequencies most: the *distance variation function* of Kan, Jin & van Schaik (JASA 125, 2009), which is the
ratio of a rigid sphere's response to a near and to a far source (Duda & Martens, JASA 104, 1998). The
difference of the paths to both ears grows a little as well (Woodworth's formula for a near source).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.camera import MIN_RANGE_M
from foleyspace_host.hrtf.head import HEAD_RADIUS_M, sphere_response

__all__ = ["FAR_M", "NearField", "ear_angles_rad", "extra_path_m"]

FAR_M = 1.0
"""Distance from which a source counts as far [m]."""

_EARS = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
_DISTANCES_M = np.geomspace(MIN_RANGE_M, FAR_M, 9)
_ANGLE_STEP_DEG = 5.0
_FREQUENCIES_HZ = np.geomspace(50.0, 20_000.0, 48)


def extra_path_m(distance_m: NDArray[np.float64], angle_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length by which the path round the head to an ear differs from that of a far source.

    Parameters
    ----------
    distance_m : ndarray
        Distances from the head's centre, larger than its radius [m].
    angle_rad : ndarray
        Angles between source and ear [rad].

    Returns
    -------
    ndarray, float64
        Path to the ear less path to the centre, less the same for a source at `FAR_M` [m]; straight to the
        ear where the head does not stand between, else along the tangent and the surface.
    """

    def path(distance: NDArray[np.float64] | float) -> NDArray[np.float64]:
        direct = np.sqrt(distance**2 + HEAD_RADIUS_M**2 - 2.0 * distance * HEAD_RADIUS_M * np.cos(angle_rad))
        tangent = np.arccos(np.minimum(HEAD_RADIUS_M / np.asarray(distance), 1.0))
        around = np.sqrt(np.maximum(distance**2 - HEAD_RADIUS_M**2, 0.0)) + HEAD_RADIUS_M * (angle_rad - tangent)
        return np.where(angle_rad <= tangent, direct, around) - distance

    return path(distance_m) - path(FAR_M)


class NearField:
    """The near field of both ears; a `Tone`."""

    def __call__(
        self, unit: NDArray[np.float64], distance_m: NDArray[np.float64], frequency_hz: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return gains, shape (1 or 2, 1 or n, n_frequencies); see `Tone`."""
        if (distance_m >= FAR_M).all():
            return np.ones((1, 1, len(frequency_hz)), dtype=np.float32)
        table = _table(frequency_hz.tobytes())
        near = np.interp(np.log(distance_m), np.log(_DISTANCES_M), np.arange(len(_DISTANCES_M), dtype=np.float64))
        angle = ear_angles_rad(unit) * (180.0 / np.pi / _ANGLE_STEP_DEG)
        d, a = np.minimum(near.astype(int), len(_DISTANCES_M) - 2), np.minimum(angle.astype(int), table.shape[1] - 2)
        dp, ap = (near - d).astype(np.float32), (angle - a).astype(np.float32)
        gains = np.zeros((2, len(unit), table.shape[2]), dtype=np.float32)
        for step_d, weight_d in ((0, 1.0 - dp), (1, dp)):
            for step_a, weight_a in ((0, 1.0 - ap), (1, ap)):
                gains += (weight_d * weight_a)[..., None] * table[d + step_d, a + step_a]
        return np.exp(gains)


def ear_angles_rad(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles between directions (n, 3) and both ears, shape (2, n) [rad]."""
    return np.arccos(np.clip(_EARS @ unit.T, -1.0, 1.0))


@lru_cache(maxsize=4)
def _table(frequencies: bytes) -> NDArray[np.float32]:
    """Logarithms of the distance variation function, shape (n_distances, n_angles, n_frequencies)."""
    frequency_hz = np.frombuffer(frequencies)
    angles = np.arange(0.0, 180.0 + _ANGLE_STEP_DEG, _ANGLE_STEP_DEG)
    size = np.log(np.abs(sphere_response(_DISTANCES_M, angles, _FREQUENCIES_HZ)))
    change = size - size[-1:]  # the last distance is the far one
    wanted = np.log(np.clip(frequency_hz, _FREQUENCIES_HZ[0], _FREQUENCIES_HZ[-1]))
    flat = change.reshape(-1, len(_FREQUENCIES_HZ))
    fine = np.stack([np.interp(wanted, np.log(_FREQUENCIES_HZ), row) for row in flat])
    return fine.reshape(*change.shape[:2], -1).astype(np.float32)
