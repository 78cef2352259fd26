"""Looks through a video once: cuts, camera, things and what moves, picture by picture in constant memory.

Decoding and several detections run side by side. Pictures are looked at `SAMPLING_HZ` times a second. The detector
is asked about every second of them: in those between, what it has found is carried on by its motion, unless something
is too fast for that. Where nothing has changed it is not asked again, down to twice a second.
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
from foleyspace_host.localize.see.carry import carried
from foleyspace_host.localize.see.detect import Detection, Detector
from foleyspace_host.localize.see.moving import MotionMap, moving, regions
from foleyspace_host.localize.see.shots import in_shots

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.media.video import Frame

__all__ = ["SAMPLING_HZ", "Picture", "look"]

SAMPLING_HZ = 8.0
"""Pictures looked at per second where things move: they move little in 125 ms, and two cores keep up with it."""

_LONGEST_REST_S = 0.5
_LONGEST_CARRY_S = 0.15  # one picture, at the usual rates
_SAME = 6.0  # of 255: more than grain and coding do to a small picture's pixel
_MAX_SIDE_PX = 960  # of decoded pictures: the half of 1080p, and not to be scaled twice of 480p
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
    found: Future[list[Detection]] | None  # None where things are to be carried on
    image: NDArray[np.uint8] | None = None  # kept where the detector may have to be asked after all


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
    detections: list[Detection] = []
    for picture in _detected(path, finder, span, step_s, carry=with_motion and step_s == 0.0):
        warp, motion, regions_moving = STILL, None, []
        if with_motion and before is not None and not picture.cut:
            warp = camera_motion(before.small, picture.small, boxes)
            motion = moving(before.small, picture.small, warp)
            regions_moving = [_as_detection(box, strength) for box, strength in regions(motion)]
        detections = _found(picture, finder, before, detections, warp)
        yield Picture(picture.t_s, picture.cut, warp, detections, regions_moving, motion)
        before, boxes = picture, [found.box for found in detections if found.score >= _SURE_SCORE]


def _found(
    picture: _Waiting, finder: Detector, before: _Waiting | None, known: list[Detection], warp: Warp
) -> list[Detection]:
    """Return what is in a picture: what the detector says, or what was known of the picture before, carried on."""
    if picture.found is not None:
        return picture.found.result()
    things = None if before is None else carried(known, before.small, picture.small, warp)
    if things is not None:
        return things
    assert picture.image is not None  # noqa: S101 - kept with every picture that was not asked about
    return finder.detect(picture.image)


def _as_detection(box: NDArray[np.float64], strength: float) -> Detection:
    """Return a moving region as a thing without class; twice the strength that just stands out is even odds."""
    return Detection(box, 0.5 * strength / (strength + 2.0))


def _detected(
    path: str | Path, finder: Detector, span: Span | None, step_s: float, *, carry: bool
) -> Iterator[_Waiting]:
    """Yield the pictures in order, each with what the detector finds, or has found before, or none of both."""
    from foleyspace_host.media.video import read_frames

    workers = min(_cores(), _MAX_WORKERS)
    asked: _Waiting | None = None
    waiting: deque[_Waiting] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="detect")
    try:
        for frame, cut in in_shots(read_frames(path, rate_hz=SAMPLING_HZ, max_side_px=_MAX_SIDE_PX, span=span)):
            small = _small(frame)
            rests = asked is not None and frame.t_s - asked.t_s < _LONGEST_REST_S and _is_same(asked.small, small)
            if asked is not None and not cut and frame.t_s - asked.t_s < step_s - _TIMES_DIFFER_S:
                waiting.append(_Waiting(frame.t_s, cut, small, _NOTHING))
            elif carry and asked is not None and not (cut or rests) and frame.t_s - asked.t_s < _LONGEST_CARRY_S:
                waiting.append(_Waiting(frame.t_s, cut, small, None, frame.image))
            elif asked is None or cut or not rests:
                asked = _Waiting(frame.t_s, cut, small, pool.submit(finder.detect, frame.image))
                waiting.append(asked)
            else:
                waiting.append(_Waiting(frame.t_s, cut, small, asked.found))
            while len(waiting) > 2 * workers or (waiting and _is_ready(waiting[0])):
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(cancel_futures=True)


def _is_ready(picture: _Waiting) -> bool:
    return picture.found is None or picture.found.done()


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
