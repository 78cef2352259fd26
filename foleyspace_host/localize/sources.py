"""From the paths of things in the picture to the sources of a trajectory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source
from foleyspace_host.geometry.trajectory_text import as_written
from foleyspace_host.localize.choose.evidence import Judgement
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.scene import SceneView
from foleyspace_host.localize.follow.smooth import Path, smooth
from foleyspace_host.localize.place.anchor import Told, with_model
from foleyspace_host.localize.place.range import Depths, guessed

__all__ = ["MIDDLE_DISTANCE_M", "likely", "middle", "sources_of"]

MIDDLE_DISTANCE_M = 2.0
_MAX_SOURCES = 8
_LONGEST_NAME = 60  # in an id, which is sent as a word of 64 characters
_LEAST_OF_BEST = 0.05
_MIDDLE_CONFIDENCE = 0.05


def likely(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the things that are worth keeping as sources.

    Parameters
    ----------
    judgements : sequence of Judgement
        All things, the likeliest first.

    Returns
    -------
    list of Judgement
        The first of them.
    """
    return [one for one in judgements[:_MAX_SOURCES] if one.score >= _LEAST_OF_BEST * judgements[0].score]


def sources_of(
    judgements: Sequence[Judgement],
    time_s: NDArray[np.float64],
    shot: NDArray[np.int64],
    view: SceneView,
    end_s: float,
    camera: Camera,
    *,
    name: str | None = None,
    sounding: Collection[int] = (0,),
    with_range: bool = True,
    told: Told | None = None,
) -> tuple[list[tuple[Source, BoxSizes]], tuple[str, ...]]:
    """Turn things into sources with their boxes; those that sound are selected.

    Parameters
    ----------
    judgements : sequence of Judgement
        The things, the likeliest first.
    time_s : ndarray, shape (n,)
        Times of the pictures that were looked at [s].
    shot : ndarray of int, shape (n,)
        The shot of each.
    view : SceneView
        Where the camera looks.
    end_s : float
        Duration of the clip [s].
    camera : Camera
        Turns points of the picture into directions.
    name : str, optional
        What to call all of them; their own classes if not given.
    sounding : collection of int
        Places of the things that sound.
    with_range : bool
        Whether to tell distances from the boxes.
    told : Told, optional
        What a depth model says of these things.

    Returns
    -------
    list of (Source, BoxSizes)
        Keys at every picture, and at both ends of the clip, with the digits of a file. The confidence of a source
        is the mean of its keys', at most that of the likeliest, times its score over that of the likeliest: nothing
        is surer to be what sounds than what was preferred to it.
    tuple of str
        What the user should know, one line each.
    """
    at_s = np.unique(np.concatenate([[0.0], time_s, [end_s]]))
    shots = shot[np.clip(np.searchsorted(time_s, at_s, side="right") - 1, 0, None)]
    labels = [name or one.chain.label for one in judgements]
    paths = [smooth(one.chain, at_s, shots, view, camera.width / camera.height) for one in judgements]
    depths = [
        guessed(camera, path.y, path.height, label, path.height_deviation)
        for path, label in zip(paths, labels, strict=True)
    ]
    warning = None
    if told is not None and with_range:
        depths, warning = with_model(told, depths, at_s, shots)
    counts: Counter[str] = Counter()
    seen = [float(path.confidence.mean()) for path in paths]
    found: list[tuple[Source, BoxSizes]] = []
    for judgement, label, path, depth, sure in zip(judgements, labels, paths, depths, seen, strict=True):
        counts[label] += 1
        surety = judgement.score / judgements[0].score if judgements[0].score > 0.0 else 1.0
        source = Source(
            id=f"{label.replace(' ', '-')[:_LONGEST_NAME]}-{counts[label]}",
            keys=_keys(path, at_s, shots, camera, depth if with_range else None),
            label=label,
            confidence=round(min(sure, seen[0]) * surety, 3),
            selected=len(found) in sounding,
        )
        found.append((as_written(source), _sizes(judgement.chain)))
    return found, () if warning is None else (warning,)


def middle(end_s: float) -> Source:
    """Return the answer when nothing was seen: straight ahead, and not sure of it.

    Parameters
    ----------
    end_s : float
        Duration of the clip [s].

    Returns
    -------
    Source
    """
    keys = tuple(
        Key(
            t_s,
            0.0,
            0.0,
            MIDDLE_DISTANCE_M,
            confidence=_MIDDLE_CONFIDENCE,
            image_xy=(0.5, 0.5),
            origin="interpolated",
        )
        for t_s in (0.0, end_s)
    )
    return as_written(Source(id="centre", keys=keys, label="centre", confidence=_MIDDLE_CONFIDENCE))


def _sizes(chain: Chain) -> BoxSizes:
    sightings = chain.sightings
    boxes = np.array([sighting.box for sighting in sightings])
    return BoxSizes(np.array([s.t_s for s in sightings]), boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])


def _keys(
    path: Path, time_s: NDArray[np.float64], shot: NDArray[np.int64], camera: Camera, depths: Depths | None
) -> tuple[Key, ...]:
    azimuth, elevation = camera.directions(path.x * camera.width, path.y * camera.height)
    distance = np.full(len(time_s), MIDDLE_DISTANCE_M) if depths is None else depths.range_m(camera, path.x, path.y)
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
