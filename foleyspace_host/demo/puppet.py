"""A trotting horse for the demo: the outline of a standing horse, jointed like a shadow puppet.

The outline is cut into a body and four legs of two pieces each. Diagonal legs move together, as in a trot.
All positions are pixels of the outline (371 x 304).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

__all__ = ["Puppet"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Leg:
    upper: tuple[Point, ...]
    lower: tuple[Point, ...]
    hip: Point
    knee: Point
    phase: float
    swing: float
    fold: float


_LEGS = (
    _Leg(
        upper=((229, 172), (268, 172), (262, 205), (247, 236), (242, 249), (230, 249)),
        lower=(
            (231, 238),
            (241, 238),
            (243, 250),
            (243, 282),
            (251.5, 295),
            (251.5, 306),
            (220, 306),
            (226, 250),
        ),
        hip=(248, 172),
        knee=(236, 243),
        phase=pi,
        swing=0.34,
        fold=0.95,
    ),
    _Leg(
        upper=((234, 172), (282, 172), (268, 215), (258, 249), (248, 249), (244, 232)),
        lower=(
            (248, 238),
            (258, 238),
            (260, 250),
            (258, 280),
            (280, 306),
            (252.5, 306),
            (252.5, 296),
            (245.5, 282),
            (245, 250),
        ),
        hip=(260, 172),
        knee=(253, 243),
        phase=0.0,
        swing=0.34,
        fold=0.95,
    ),
    _Leg(
        upper=((46, 150), (108, 150), (76, 197), (52, 221), (41, 228), (34, 224), (33, 209), (48, 190)),
        lower=((34, 211), (46, 212), (44, 245), (44, 278), (62, 306), (20, 306), (27, 260)),
        hip=(78, 150),
        knee=(39, 217),
        phase=pi,
        swing=0.28,
        fold=0.45,
    ),
    _Leg(
        upper=((55, 150), (117, 150), (98, 195), (89, 229), (80, 229), (69, 212), (73, 196), (60, 180)),
        lower=((73, 211), (91, 211), (94, 250), (122, 300), (92, 304), (80, 260)),
        hip=(88, 150),
        knee=(82, 218),
        phase=0.0,
        swing=0.28,
        fold=0.45,
    ),
)

# what is taken off the body: the legs below these lines
_BODY_CUTS = (
    ((216, 180), (240, 186), (266, 184), (292, 174), (292, 310), (216, 310)),
    ((46, 178), (70, 184), (104, 172), (118, 160), (130, 166), (130, 310), (22, 310), (26, 240), (34, 204)),
)


class Puppet:
    """The jointed outline.

    Parameters
    ----------
    outline : ndarray, shape (height, width), uint8
        Mask of the standing horse, facing right.
    scale : float
        Size of the mask relative to the grid of the joints.
    """

    MARGIN = 0.12
    """Room on each side for the swinging legs, as a fraction of the outline's width."""

    def __init__(self, outline: NDArray[np.uint8], scale: float = 1.0) -> None:
        import cv2

        side = round(self.MARGIN * outline.shape[1])
        padded = cv2.copyMakeBorder(outline, side, side, side, side, cv2.BORDER_CONSTANT, value=0)
        self._scale, self._side = scale, side
        self.size = (padded.shape[1], padded.shape[0])
        """Width and height of a posed mask [px]."""
        self.rest_height = outline.shape[0]
        """From the ears to the ground, standing [px]."""
        self._body = padded.copy()
        for cut in _BODY_CUTS:
            cv2.fillPoly(self._body, [self._grid(cut)], 0)
        self._pieces = [(leg, self._piece(padded, leg.upper), self._piece(padded, leg.lower)) for leg in _LEGS]

    def pose(self, phase: float) -> NDArray[np.uint8]:
        """Draw the puppet in one moment of its trot.

        Parameters
        ----------
        phase : float
            Phase of the stride [rad]; 2 pi is one full stride, hooves land at multiples of pi.

        Returns
        -------
        ndarray, shape (height, width), uint8
            Mask of the posed figure, its lowest hoof on the last row.
        """
        import cv2

        mask = self._body.copy()
        for leg, upper, lower in self._pieces:
            # cos: forward at landing, backward at take-off; the joint folds while the leg comes forward
            turn = -leg.swing * cos(phase + leg.phase)
            fold = leg.fold * max(0.0, -sin(phase + leg.phase)) ** 1.5
            hip = self._turning(turn, leg.hip)
            knee = hip @ self._turning(fold, leg.knee)
            for piece, joint in ((upper, hip), (lower, knee)):
                mask = np.maximum(mask, cv2.warpAffine(piece, joint[:2], self.size, flags=cv2.INTER_LINEAR))
        # what sticks out at a turned joint is rounded off
        mask = np.clip(4.0 * cv2.GaussianBlur(mask, (0, 0), 1.6 * self._scale).astype(np.float32) - 384.0, 0, 255)
        lowest = int(np.nonzero(mask.max(axis=1) > 127)[0][-1])
        grounded = np.zeros(mask.shape, np.uint8)
        grounded[mask.shape[0] - 1 - lowest :] = mask[: lowest + 1]
        return grounded

    def _grid(self, points: tuple[Point, ...]) -> NDArray[np.int32]:
        return np.round(np.asarray(points) * self._scale + self._side).astype(np.int32)

    def _piece(self, padded: NDArray[np.uint8], polygon: tuple[Point, ...]) -> NDArray[np.uint8]:
        import cv2

        inside = np.zeros_like(padded)
        cv2.fillPoly(inside, [self._grid(polygon)], 255)
        return np.minimum(padded, inside)

    def _turning(self, angle: float, pivot: Point) -> NDArray[np.float64]:
        """Rotation about a joint, clockwise on the screen, as a 3 x 3 matrix."""
        x, y = (value * self._scale + self._side for value in pivot)
        c, s = cos(angle), sin(angle)
        return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0.0, 0.0, 1.0]])
