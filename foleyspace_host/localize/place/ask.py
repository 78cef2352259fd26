"""A second pass over the pictures: what a depth model says of the things that were found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.place.anchor import Told
from foleyspace_host.localize.place.depth import DepthModel

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span

__all__ = ["ASKED_HZ", "ask"]

ASKED_HZ = 4.0
"""How often a model is asked at most: depth models are slow, and distances change slowly."""

_MAX_SIDE_PX = 1064  # the largest that any of the models wants


def ask(
    path: str | Path,
    model: DepthModel,
    camera: Camera,
    chains: Sequence[Chain],
    time_s: NDArray[np.float64],
    shot: NDArray[np.int64],
    span: Span | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> Told:
    """Ask a depth model about things.

    Parameters
    ----------
    path : str or Path
        The video.
    model : DepthModel
        The model.
    camera : Camera
        The camera.
    chains : sequence of Chain
        The things.
    time_s : ndarray, shape (n,)
        When pictures were looked at [s].
    shot : ndarray of int, shape (n,)
        The shot of each.
    span : Span, optional
        The part of the video.
    on_picture : callable
        Called after each picture; raises Cancelled to stop.

    Returns
    -------
    Told
        Pictures in which none of the things was seen are passed over, but for models of videos.

    Raises
    ------
    ModelUnavailable
        If the model fails.
    """
    boxes: dict[float, list[tuple[int, NDArray[np.float64]]]] = {}
    for number, chain in enumerate(chains):
        for sighting in chain.sightings:
            boxes.setdefault(sighting.t_s, []).append((number, sighting.seen))
    asked: list[float] = []

    def pictures() -> Iterator[tuple[NDArray[np.uint8], int]]:
        for t_s, image in _sparse(path, span, time_s, shot):
            if model.kind.window or t_s in boxes:
                asked.append(t_s)
                yield image, int(shot[np.searchsorted(time_s, t_s)])

    said: list[list[tuple[float, float]]] = [[] for _ in chains]
    far = []
    for number, depths in enumerate(model.maps(pictures(), camera)):
        t_s = asked[number]
        far.append(depths.far)
        for thing, box in boxes.get(t_s, ()):
            value = depths.within(box)
            if value is not None:
                said[thing].append((t_s, value))
        on_picture()
    known = [value for value in far if np.isfinite(value)]
    things = [(np.array([t_s for t_s, _ in one]), np.array([value for _, value in one])) for one in said]
    return Told(model.kind.meaning, float(np.median(known)) if known else float("nan"), things)


def _sparse(
    path: str | Path, span: Span | None, time_s: NDArray[np.float64], shot: NDArray[np.int64]
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield some of the pictures that were looked at before: the first of each shot, and from then on some."""
    from foleyspace_host.localize.see.look import SAMPLING_HZ
    from foleyspace_host.media.video import read_frames

    last_s, last_shot = -np.inf, -1
    known = dict(zip(time_s.tolist(), shot.tolist(), strict=True))
    for frame in read_frames(path, rate_hz=SAMPLING_HZ, max_side_px=_MAX_SIDE_PX, span=span):
        number = known.get(frame.t_s)
        if number is None or (number == last_shot and frame.t_s - last_s < 0.99 / ASKED_HZ):
            continue
        last_s, last_shot = frame.t_s, number
        yield frame.t_s, frame.image
