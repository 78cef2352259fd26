"""Looks through a video once: cuts, camera, things and what moves, picture by picture in constant memory.

Decoding and several detections run side by side. Pictures are looked at `SAMPLING_HZ` times a second; where
nothing has changed since the last one the detector is not asked again, down to twice a second.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.see.camera_motion import STILL, Grey, Warp, camera_motion
from foleyspace_host.localize.see.detect import Detection, Detector
from foleyspace_host.localize.see.moving import MotionMap, moving, regions
from foleyspace_host.localize.see.shots import CutDetector

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.media.video import Frame

__all__ = ["SAMPLING_HZ", "Picture", "look"]

SAMPLING_HZ = 8.0
"""Pictures looked at per second where things move: they move little in 125 ms, and two cores keep up with it."""

_LONGEST_REST_S = 0.5
_SAME = 6.0  # of 255: more than grain and coding do to a small picture's pixel
_MAX_SIDE_PX = 768  # of decoded pictures; more than the detector takes in, and cheap to turn into RGB
_MOTION_SIDE_PX = 192
_MAX_WORKERS = 8
_TIMES_DIFFER_S = 0.02  # frames do not lie on the grid of samples
_SURE_SCORE = 0.3  # boxes that are left out when the camera's motion is looked for


@dataclass(frozen=True, slots=True)
class Picture:
    """What is in one picture.

    Parameters
    ----------
    t_s : float
        Presentation time [s].
    cut : bool
        Whether a shot begins here.
    warp : Warp
        The camera's motion since the picture before.
    detections : list of Detection
        Things, best first.
    moving : list of Detection
        Regions that move by themselves, without class, the strongest first.
    motion : MotionMap or None
        What moves by itself; None for the first picture of a shot.
    """

    t_s: float
    cut: bool
    warp: Warp
    detections: list[Detection]
    moving: list[Detection]
    motion: MotionMap | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    t_s: float
    cut: bool
    small: Grey
    found: Future[list[Detection]]


_NOTHING: Future[list[Detection]] = Future()
_NOTHING.set_result([])


def look(
    path: str | Path, finder: Detector, span: Span | None = None, *, with_motion: bool = True, step_s: float = 0.0
) -> Iterator[Picture]:
    """Yield what is in each sampled picture.

    Parameters
    ----------
    path : str or Path
        The video.
    finder : Detector
        Finds things in a picture; called from several threads.
    span : Span, optional
        The part of the video to look at.
    with_motion : bool
        Whether to look for motion, the camera's and others', at all.
    step_s : float
        Least time between pictures that a slow detector is asked about; there are no things in those between [s].

    Yields
    ------
    Picture

    Raises
    ------
    MediaError
        If the video cannot be read.
    """
    before: _Waiting | None = None
    boxes: list[NDArray[np.float64]] = []
    for picture in _detected(path, finder, span, step_s):
        detections = picture.found.result()
        warp, motion, regions_moving = STILL, None, []
        if with_motion and before is not None and not picture.cut:
            warp = camera_motion(before.small, picture.small, boxes)
            motion = moving(before.small, picture.small, warp)
            regions_moving = [_as_detection(box, strength) for box, strength in regions(motion)]
        yield Picture(picture.t_s, picture.cut, warp, detections, regions_moving, motion)
        before, boxes = picture, [found.box for found in detections if found.score >= _SURE_SCORE]


def _as_detection(box: NDArray[np.float64], strength: float) -> Detection:
    """Return a moving region as a thing without class; twice the strength that just stands out is even odds."""
    return Detection(box, 0.5 * strength / (strength + 2.0))


def _detected(path: str | Path, finder: Detector, span: Span | None, step_s: float) -> Iterator[_Waiting]:
    """Yield the pictures in order, each with what the detector finds or, at rest, has found before."""
    from foleyspace_host.media.video import read_frames

    workers = min(_cores(), _MAX_WORKERS)
    cuts = CutDetector()
    asked: _Waiting | None = None
    waiting: deque[_Waiting] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="detect")
    try:
        for frame in read_frames(path, rate_hz=SAMPLING_HZ, max_side_px=_MAX_SIDE_PX, span=span):
            small = _small(frame)
            cut = cuts.is_cut(frame.image)
            rests = asked is not None and frame.t_s - asked.t_s < _LONGEST_REST_S and _is_same(asked.small, small)
            if asked is not None and not cut and frame.t_s - asked.t_s < step_s - _TIMES_DIFFER_S:
                waiting.append(_Waiting(frame.t_s, cut, small, _NOTHING))
            elif asked is None or cut or not rests:
                asked = _Waiting(frame.t_s, cut, small, pool.submit(finder.detect, frame.image))
                waiting.append(asked)
            else:
                waiting.append(_Waiting(frame.t_s, cut, small, asked.found))
            while len(waiting) > 2 * workers or (waiting and waiting[0].found.done()):
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(cancel_futures=True)


def _small(frame: Frame) -> Grey:
    import cv2

    height, width = frame.image.shape[:2]
    scale = min(_MOTION_SIDE_PX / max(height, width), 1.0)
    size = (max(round(width * scale), 16), max(round(height * scale), 16))
    small: Grey = cv2.cvtColor(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return small


def _is_same(first: Grey, second: Grey) -> bool:
    """Say whether nowhere in the picture anything has changed that is worth another look."""
    import cv2

    change = cv2.blur(cv2.absdiff(first, second), (3, 3))
    return float(change.max()) < _SAME


def _cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
