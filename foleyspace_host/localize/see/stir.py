"""How things that are followed stir: motion within their boxes, and how fast that goes, picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import Grey, Warp, camera_motion
from foleyspace_host.localize.see.moving import moving
from foleyspace_host.localize.see.shots import in_shots

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span

__all__ = ["STIR_HZ", "Stir", "stirring"]

STIR_HZ = 25.0
"""Pictures a second at most: what happens at moments is seen no better than to a picture."""

_SIDE_PX = 192
_FINE_PX = 384
_REACH = 1.2  # of the box, on each side: how far a thing may go from picture to picture
_LONGEST_PX = 40  # of what is searched for
_LOST = 1.0  # of the box: farther from where it is told to be, it is another thing that was found

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stir:
    """How each of n things stirs in m pictures.

    Parameters
    ----------
    t_s : ndarray, shape (m,)
        Times of the pictures [s].
    cut : ndarray of bool, shape (m,)
        Whether a shot begins with the picture.
    energy : ndarray, shape (n, m)
        Motion by itself within its box since the picture before, in proportion to the box, as by `moving`; NaN where
        there is no box, or no picture before in the shot.
    shift : ndarray, shape (n, m, 2)
        How fast what moves there goes against the scene, right and down, in heights of the box per second; NaN as
        above.
    """

    t_s: Array
    cut: NDArray[np.bool_]
    energy: Array
    shift: Array


def stirring(
    path: str | Path,
    box_of: Sequence[Callable[[float], Array | None]],
    span: Span | None = None,
    on_picture: Callable[[float], None] | None = None,
) -> Stir:
    """Look at a video once more, at boxes that are known.

    Parameters
    ----------
    path : str or Path
        The video.
    box_of : sequence of callable
        For each thing, its box (left, top, right, bottom as fractions) at a time; None where it has none.
    span : Span, optional
        The part of the video.
    on_picture : callable, optional
        Called with the time of each picture; raises Cancelled to stop.

    Returns
    -------
    Stir

    Raises
    ------
    MediaError
        If the video cannot be read.
    """
    from foleyspace_host.media.video import read_frames

    times: list[float] = []
    cuts: list[bool] = []
    energies: list[list[float]] = []
    shifts: list[list[tuple[float, float]]] = []
    before: tuple[float, Grey, Grey] | None = None
    grips = [_Grip() for _ in box_of]
    for frame, cut in in_shots(read_frames(path, rate_hz=STIR_HZ, max_side_px=_FINE_PX, span=span)):
        fine = _grey(frame.image)
        small = _scaled(fine, min(_SIDE_PX / max(fine.shape), 1.0))
        boxes = [box(frame.t_s) for box in box_of]
        energy = [float("nan")] * len(boxes)
        shift = [(float("nan"), float("nan"))] * len(boxes)
        if before is not None and not cut and frame.t_s > before[0]:
            step_s = frame.t_s - before[0]
            warp = camera_motion(before[1], small, [box for box in boxes if box is not None])
            motion = moving(before[1], small, warp)
            for number, box in enumerate(boxes):
                if box is None:
                    grips[number].loose()
                else:
                    energy[number] = motion.within(box) / max(box[3] - box[1], 0.02) / (step_s * STIR_HZ)
                    shift[number] = grips[number].moved(before[2], fine, box, warp, step_s)
        else:
            for grip in grips:
                grip.loose()
        times.append(frame.t_s)
        cuts.append(cut)
        energies.append(energy)
        shifts.append(shift)
        before = frame.t_s, small, fine
        if on_picture is not None:
            on_picture(frame.t_s)
    shape = (len(times), len(box_of))
    return Stir(
        np.array(times),
        np.array(cuts, dtype=np.bool_),
        np.array(energies, dtype=np.float64).reshape(shape).T,
        np.array(shifts, dtype=np.float64).reshape(*shape, 2).transpose(1, 0, 2),
    )


class _Grip:
    """Holds on to one thing from picture to picture: the place where it is found again, by its pixels.

    Boxes are known 8 times a second and smoothed: too rarely for what is turned round in a moment.
    """

    def __init__(self) -> None:
        self._middle: Array | None = None  # of the thing, fractions of the picture

    def loose(self) -> None:
        """Forget where it was."""
        self._middle = None

    def moved(self, earlier: Grey, later: Grey, box: Array, warp: Warp, step_s: float) -> tuple[float, float]:
        """Return how fast the thing in a box goes, right and down [heights of the box per second]."""
        import cv2

        size = np.array(later.shape[::-1], dtype=np.float64)
        told, half = 0.5 * (box[:2] + box[2:]), 0.5 * (box[2:] - box[:2])
        if self._middle is None or (np.abs(self._middle - told) > _LOST * 2.0 * half).any():
            self._middle = told
        first = np.maximum(np.round((self._middle - half) * size).astype(int), 0)
        last = np.minimum(np.round((self._middle + half) * size).astype(int), size.astype(int))
        if (last - first < 3).any():
            self._middle = None
            return float("nan"), float("nan")
        room = np.maximum(_REACH * (last - first), 4).astype(int)
        low, high = np.maximum(first - room, 0), np.minimum(last + room, size.astype(int))
        scale = min(_LONGEST_PX / float((last - first).max()), 1.0)
        thing = _scaled(earlier[first[1] : last[1], first[0] : last[0]], scale)
        around = _scaled(later[low[1] : high[1], low[0] : high[0]], scale)
        if (np.array(around.shape) < thing.shape).any():
            return float("nan"), float("nan")
        unlike = cv2.matchTemplate(around, thing, cv2.TM_SQDIFF)
        place = _least(unlike) / scale + low
        step = place - first
        expected = warp.points(self._middle) - self._middle
        self._middle = self._middle + step / size
        own = (step - expected * size) / max(float(last[1] - first[1]), 1.0) / step_s
        return float(own[0]), float(own[1])


def _scaled(part: Grey, scale: float) -> Grey:
    import cv2

    if scale == 1.0:
        return part
    size = (max(round(part.shape[1] * scale), 3), max(round(part.shape[0] * scale), 3))
    less: Grey = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return less


def _least(values: NDArray[np.float32]) -> Array:
    """Return where a map has its least value, between its pixels (by parabolas): column and row."""
    row, column = np.unravel_index(int(np.argmin(values)), values.shape)
    found = []
    for line, at in ((values[row], int(column)), (values[:, column], int(row))):
        offset = 0.0
        if 0 < at < len(line) - 1:
            left, here, right = (float(one) for one in line[at - 1 : at + 2])
            bend = left - 2.0 * here + right
            offset = 0.5 * (left - right) / bend if bend > 0.0 else 0.0
        found.append(at + offset)
    return np.array(found)


def _grey(image: NDArray[np.uint8]) -> Grey:
    import cv2

    grey: Grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return grey
