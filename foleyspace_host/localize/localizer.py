"""From a video to a trajectory: the whole of localization."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import MediaEmpty, NoVideo
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG, Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.localize.choose.salience import ranked, restricted
from foleyspace_host.localize.follow.chain import Chain, join
from foleyspace_host.localize.follow.smooth import Path as SmoothPath
from foleyspace_host.localize.follow.smooth import smooth
from foleyspace_host.localize.follow.track import Track, Tracker
from foleyspace_host.localize.place.range import range_m
from foleyspace_host.localize.see.detect import CenterNet, Detection, Detector
from foleyspace_host.localize.see.shots import CutDetector

if TYPE_CHECKING:
    from foleyspace_host.media.video import Frame

__all__ = ["SAMPLING_HZ", "load_detector", "localize"]

SAMPLING_HZ = 8.0
"""Pictures looked at per second: things move little in 125 ms, and two cores keep up with it."""

_MAX_SIDE_PX = 768  # of decoded pictures; more than the detector takes in, and cheap to turn into RGB
_MAX_SOURCES = 8
_LEAST_OF_BEST = 0.05
_MAX_WORKERS = 8
_MIDDLE_DISTANCE_M = 2.0
_MIDDLE_CONFIDENCE = 0.05


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a pass over the pictures leaves behind."""

    time_s: NDArray[np.float64]
    shot: NDArray[np.int64]
    tracks: list[Track]


def localize(
    path: str | Path,
    *,
    label: str | None = None,
    hfov_deg: float = DEFAULT_HFOV_DEG,
    detector: str | Path | Detector | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Trajectory:
    """Find the thing in a video that sounds, and where it is over time.

    Parameters
    ----------
    path : str or Path
        The video; its sound is not listened to.
    label : str, optional
        What to follow: the name of a COCO class, part of one, or a common other word ("car", "rider").
        Without it the thing that stands out most is taken, by size, persistence, position, score and kind.
    hfov_deg : float
        Field of view of the camera over the longer side of the picture [deg].
    detector : str, Path or Detector, optional
        An ONNX file of the signature of CenterNet, or an object that finds things in pictures; the shipped
        CenterNet if left out.
    on_progress : callable, optional
        Called as on_progress(done, total) with pictures looked at; raises Cancelled to stop.

    Returns
    -------
    Trajectory
        With its camera. The source to follow is selected, the others that were found are not; the keys of
        each go from 0 to the end of the clip. If nothing was found at all, one source "centre" of low
        confidence straight ahead.

    Raises
    ------
    MediaMissing, MediaDamaged, MediaEmpty, NoVideo
        If the file cannot be used.
    InvalidInput
        If the field of view is out of range.
    ModelUnavailable
        If the detector or ONNX Runtime is missing or broken.
    NothingFound
        If a label was given and nothing of that kind was seen; lists what was.
    """
    from foleyspace_host.media.probe import probe

    info = probe(path)
    if info.video is None:
        raise NoVideo("the file has no picture", where=str(path), cure="give a video, or a trajectory")
    camera = Camera(info.video.width, info.video.height, hfov_deg)
    finder = load_detector(detector)
    expected = max(round(float(info.duration_s) * SAMPLING_HZ), 1)
    seen = _look(path, finder, expected, on_progress)
    chains = join(seen.tracks)
    name = None
    if label is not None:
        chains, name = restricted(chains, label, finder.names, str(path))
    # the last picture lasts a while: without a stated duration, as long as one step of the sampling
    end_s = max(float(info.duration_s), float(seen.time_s[-1])) or 1.0 / SAMPLING_HZ
    sources = _sources(chains, seen, end_s, camera, name)
    return Trajectory(end_s, sources or (_middle(end_s),), camera)


def load_detector(detector: str | Path | Detector | None = None) -> Detector:
    """Return the detector to use.

    Parameters
    ----------
    detector : str, Path or Detector, optional
        An ONNX file, or a detector, which is returned as it is; the shipped CenterNet if left out.

    Returns
    -------
    Detector

    Raises
    ------
    ModelUnavailable
        If the file or ONNX Runtime is missing or broken.
    """
    if detector is not None and not isinstance(detector, str | Path):
        return detector
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    file = find("centernet", detector)
    return CenterNet(open_session(file), file)


def _look(path: str | Path, finder: Detector, expected: int, on_progress: Callable[[int, int], None] | None) -> _Seen:
    """Look at every sampled picture once, keeping none."""
    tracker = Tracker()
    times: list[float] = []
    shots: list[int] = []
    for frame_s, cut, found in _detections(path, finder):
        if cut:
            tracker.cut()
        tracker.add(frame_s, found)
        times.append(frame_s)
        shots.append((shots[-1] if shots else 0) + cut)
        if on_progress is not None:
            on_progress(len(times), max(expected, len(times)))
    if not times:
        raise MediaEmpty("the video holds no pictures", where=str(path), cure="give a video that plays")
    return _Seen(np.array(times), np.array(shots, dtype=np.int64), tracker.finish())


def _detections(path: str | Path, finder: Detector) -> Iterator[tuple[float, bool, list[Detection]]]:
    """Yield time, cut and detections of each picture; decoding and several detections run side by side."""
    from foleyspace_host.media.video import read_frames

    workers = min(_cores(), _MAX_WORKERS)
    cuts = CutDetector()
    waiting: deque[tuple[Frame, bool, Future[list[Detection]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="detect")
    try:
        for frame in read_frames(path, rate_hz=SAMPLING_HZ, max_side_px=_MAX_SIDE_PX):
            waiting.append((frame, cuts.is_cut(frame.image), pool.submit(finder.detect, frame.image)))
            while len(waiting) > 2 * workers or (waiting and waiting[0][2].done()):
                first, cut, found = waiting.popleft()
                yield first.t_s, cut, found.result()
        while waiting:
            first, cut, found = waiting.popleft()
            yield first.t_s, cut, found.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sources(chains: list[Chain], seen: _Seen, end_s: float, camera: Camera, name: str | None) -> tuple[Source, ...]:
    """Turn the most salient things into sources, the first selected."""
    order = ranked(chains, len(seen.time_s))[:_MAX_SOURCES]
    order = [pair for pair in order if pair[1] >= _LEAST_OF_BEST * order[0][1]]
    # keys at every picture, and at both ends of the clip
    time_s = np.unique(np.concatenate([[0.0], seen.time_s, [end_s]]))
    shot = seen.shot[np.clip(np.searchsorted(seen.time_s, time_s, side="right") - 1, 0, None)]
    counts: Counter[str] = Counter()
    sources = []
    for rank, (chain, _) in enumerate(order):
        label = name or chain.label
        counts[label] += 1
        path = smooth(chain, time_s, shot)
        sources.append(
            Source(
                id=f"{label.replace(' ', '-')}-{counts[label]}",
                keys=_keys(path, time_s, shot, camera, label),
                label=label,
                confidence=round(float(path.confidence.mean()), 3),
                selected=rank == 0,
            )
        )
    return tuple(sources)


def _keys(
    path: SmoothPath, time_s: NDArray[np.float64], shot: NDArray[np.int64], camera: Camera, label: str
) -> tuple[Key, ...]:
    azimuth, elevation = camera.directions(path.x * camera.width, path.y * camera.height)
    distance = range_m(camera, path.x, path.y, path.height, label)
    cut = np.diff(shot, prepend=shot[0]) > 0
    return tuple(
        Key(
            t_s=float(time_s[i]),
            azimuth_deg=float(azimuth[i]),
            elevation_deg=float(elevation[i]),
            distance_m=float(distance[i]),
            confidence=float(path.confidence[i]),
            image_xy=(float(path.x[i]), float(path.y[i])),
            origin=path.origin[i],
            cut=bool(cut[i]),
        )
        for i in range(len(time_s))
    )


def _middle(end_s: float) -> Source:
    """Return the answer when nothing was seen: straight ahead, and not sure of it."""
    keys = tuple(
        Key(
            t_s,
            0.0,
            0.0,
            _MIDDLE_DISTANCE_M,
            confidence=_MIDDLE_CONFIDENCE,
            image_xy=(0.5, 0.5),
            origin="interpolated",
        )
        for t_s in (0.0, end_s)
    )
    return Source(id="centre", keys=keys, label="centre", confidence=_MIDDLE_CONFIDENCE)
