"""Where one shot ends and another begins, to the picture; a flash ends none.

Between the first picture of a shot and the one before it almost nothing is found again where one camera motion
would bring it, however fast the camera, and the picture changes far more than from any of the pictures around to
the next. Where sampled pictures differ so, the pictures between them tell at which one it happens. A flash does
as much, but what was there before is there again after it: that is waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import Grey, share_found_again

if TYPE_CHECKING:
    from foleyspace_host.media.video import Frame, Passed

__all__ = ["in_shots"]

_BINS = 8
_SIDE_PX = 192
_CHANGES = 0.03  # of full scale, mean over the picture: less is no other picture
_COLOURS_CHANGE = 0.35  # of all pixels: counts where a picture has too few corners to be found again
_COLOURS_STAY = 0.15
_FOUND_AGAIN = 0.15  # share of the corners: less is another picture
_TIMES_OTHERS = 2.5  # as much change as the greatest of the pictures around
_TWICE_THE_SAME = 0.001
_LONGEST_FLASH_S = 0.45


@dataclass(frozen=True, slots=True)
class _Glance:
    """What is kept of a picture to compare it: share of the pixels in each colour, 16 x 16 pixels, and grey."""

    colours: NDArray[np.float64]
    small: NDArray[np.float64]
    grey: Grey

    @classmethod
    def at(cls, image: NDArray[np.uint8]) -> _Glance:
        import cv2

        height, width = image.shape[:2]
        scale = min(_SIDE_PX / max(height, width), 1.0)
        size = (max(round(width * scale), 16), max(round(height * scale), 16))
        less = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        thumbnail = cv2.resize(less, (64, 64), interpolation=cv2.INTER_AREA)
        index = (thumbnail // (256 // _BINS)).astype(np.int64) @ np.array([_BINS * _BINS, _BINS, 1])
        colours = np.bincount(index.ravel(), minlength=_BINS**3) / index.size
        small = cv2.resize(thumbnail, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float64) / 255.0
        grey: Grey = cv2.cvtColor(less, cv2.COLOR_RGB2GRAY)
        return cls(colours, small, grey)

    def change(self, later: _Glance) -> float:
        """Return how far pixels differ, of full scale."""
        return float(np.abs(later.small - self.small).mean())

    def is_another(self, later: _Glance) -> bool:
        """Say whether a later picture, soon after, shows something else."""
        if self.change(later) < _CHANGES:
            return False
        other = 1.0 - float(np.minimum(self.colours, later.colours).sum())
        share = share_found_again(self.grey, later.grey)
        back = None if share is None else share_found_again(later.grey, self.grey)
        if share is None or back is None:
            return other > _COLOURS_CHANGE
        return max(share, back) < _FOUND_AGAIN

    def is_back(self, later: _Glance) -> bool:
        """Say whether a later picture, after something else, shows the same again."""
        other = 1.0 - float(np.minimum(self.colours, later.colours).sum())
        share = share_found_again(self.grey, later.grey)
        return other < _COLOURS_STAY if share is None else share > 2.0 * _FOUND_AGAIN


def in_shots(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Say of each picture whether a shot begins with it.

    Parameters
    ----------
    frames : iterable of Frame
        Sampled pictures with those that the sampling passes over.

    Yields
    ------
    Frame
        The sampled pictures, and the first one of each shot but the clip's.
    bool
        Whether a shot begins with it. That is known 0.45 s later: pictures are held back where it is in doubt.
    """
    waiting: deque[Frame] = deque()
    source = iter(frames)
    before: tuple[Frame, _Glance] | None = None
    usual = 0.0
    while True:
        frame = waiting.popleft() if waiting else next(source, None)
        if frame is None:
            return
        glance = _Glance.at(frame.image)
        if before is None:
            before = frame, glance
            yield frame, False
            continue
        first = None
        change = before[1].change(glance)
        if before[1].is_another(glance):
            first = _first_of_another(before, (frame, glance), usual)
        usual = max(change, 0.7 * usual)
        if first is not None:
            held = [frame]
            reference = before[1]
            returns = False
            while held[-1].t_s - first.t_s < _LONGEST_FLASH_S and not returns:
                ahead = waiting.popleft() if waiting else next(source, None)
                if ahead is None:
                    break
                held.append(ahead)
                returns = reference.is_back(_Glance.at(ahead.image))
            if returns:
                for one in held:
                    yield one, False
                before = held[-1], _Glance.at(held[-1].image)
                continue
            waiting.extendleft(reversed(held[1:]))
            usual = 0.0
            if first.t_s < frame.t_s:
                yield first, True
        yield frame, first is not None and first.t_s >= frame.t_s
        before = frame, glance


def _first_of_another(before: tuple[Frame, _Glance], now: tuple[Frame, _Glance], usual: float) -> Frame | None:
    """Return the first picture of another shot between two sampled ones that differ; None if they drift apart."""
    frame, glance = now
    earlier = [_glance(one) for one in before[0].passed[1:]]
    between = [before[1], *(_glance(one) for one in frame.passed), glance]
    changes = [one.change(after) for one, after in pairwise(between)]
    around = [one.change(after) for one, after in pairwise([*earlier, before[1]])]
    # a flash between two shots makes two jumps; pictures that are there twice make none, and tell nothing
    others = [change for change in sorted(changes + around)[:-2] if change > _TWICE_THE_SAME]
    most = max(others) if others else usual
    for index, change in enumerate(changes):
        if change >= _TIMES_OTHERS * most and between[index].is_another(between[index + 1]):
            if index == len(frame.passed):
                return frame
            first = frame.passed[index]
            return replace(frame, t_s=first.t_s, image=first.image(max(frame.image.shape[:2])), passed=())
    return None


def _glance(picture: Passed) -> _Glance:
    return _Glance.at(picture.image(_SIDE_PX))
