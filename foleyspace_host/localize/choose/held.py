"""Where the sound of what somebody holds comes from: an instrument, a tool, a thing of daily use.

The detector knows people, but few of the things they play or work with. Then the body is followed while the
sound comes from the hands. What is held is seen all the same: as small things under the wrong names (the bell
of a trumpet is taken for a clock, its valves for a telephone) in front of the upper body. They draw the point
from the middle of the body to where they are; where there are none, it lies between chest and mouth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.track import Sighting, Track
from foleyspace_host.localize.see.detect import Detection

__all__ = ["Things", "in_the_hands", "small_things"]

Array = NDArray[np.float64]

_HOLDABLE_WORDS = (
    "umbrella,frisbee,kite,bottle,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,donut,cake,"
    "laptop,mouse,remote,keyboard,book,clock,vase,scissors,toothbrush,toaster,pizza,skateboard,sports ball,"
    "baseball bat,baseball glove,tennis racket,wine glass,cell phone,hair drier,hot dog"
)
_HOLDABLE = frozenset(_HOLDABLE_WORDS.split(","))

_LEAST_SCORE = 0.06
_REACH = 0.6  # widths of the body to each side: arms and what they hold
_REACH_UP, _REACH_DOWN = 0.1, 0.7  # of the body's height: above the head, to the hips
_LARGEST = 0.6  # of the body's area
_REST_AT = 0.3  # of the body's height below its top: between chest and mouth
# Beside the scores of what is seen, in each picture. Hands are a third of the body's width from there (standard
# deviation), a small thing is seen to within a seventh: their precisions are as 0.18 to 1, and what errs together in
# the pictures of seconds counts once, not in each. Twice that, because some of what is in reach is not held.
_REST_WEIGHT = 0.02
_OVER_S = 4.0  # a thing keeps its place in the hands for so long, while it is played or worked with
_BODY_OVER_S = 1.0

Things = Sequence[tuple[float, Sequence[tuple[Array, float]]]]
"""Small things: for each picture its time, and box and score of each."""


def small_things(detections: Sequence[Detection]) -> list[tuple[Array, float]]:
    """Return box and score of what may be held in the hands, whatever it is called.

    Parameters
    ----------
    detections : sequence of Detection
        What was found in a picture.

    Returns
    -------
    list of (ndarray of shape (4,), float)
    """
    found = []
    for detection in detections:
        best = max(detection.classes, key=lambda name: detection.classes[name], default="")
        if best in _HOLDABLE and detection.score >= _LEAST_SCORE:
            found.append((detection.box, detection.score))
    return found


def in_the_hands(chain: Chain, things: Things) -> Chain:
    """Return a person's chain with its boxes moved to what the person holds; sizes stay.

    Parameters
    ----------
    chain : Chain
        The person.
    things : sequence
        What may be held, in each picture.

    Returns
    -------
    Chain
    """
    seen = dict(things)
    sightings = chain.sightings
    time_s = np.array([sighting.t_s for sighting in sightings])
    bodies = _steady(time_s, np.array([sighting.box for sighting in sightings]))
    pulls = np.array([_pull(body, seen.get(t_s, ())) for body, t_s in zip(bodies, time_s, strict=True)])
    low = np.searchsorted(time_s, time_s - _OVER_S / 2)
    high = np.searchsorted(time_s, time_s + _OVER_S / 2, side="right")
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(pulls, axis=0)])
    summed = total[high] - total[low]
    place = summed[:, :2] / summed[:, 2:]
    moved = {
        sighting.t_s: _moved(sighting, body, offset)
        for sighting, body, offset in zip(sightings, bodies, place, strict=True)
    }
    return Chain(tuple(_with(track, moved) for track in chain.tracks))


def _pull(body: Array, things: Sequence[tuple[Array, float]]) -> Array:
    """Return weight times place (in widths and heights of the body from its left top), and the weight."""
    size = body[2:] - body[:2]
    total = np.array([0.5, _REST_AT, 1.0]) * _REST_WEIGHT
    for box, score in things:
        place = ((box[:2] + box[2:]) / 2 - body[:2]) / size
        reachable = -_REACH <= place[0] <= 1.0 + _REACH and -_REACH_UP <= place[1] <= _REACH_DOWN
        if reachable and (box[2:] - box[:2]).prod() <= _LARGEST * size.prod():
            total += np.array([place[0], place[1], 1.0]) * score
    return total


def _steady(time_s: Array, boxes: Array) -> Array:
    """Return boxes without the single ones that take in another part of the body: running medians."""
    low = np.searchsorted(time_s, time_s - _BODY_OVER_S / 2)
    high = np.searchsorted(time_s, time_s + _BODY_OVER_S / 2, side="right")
    return np.stack([np.median(boxes[a:b], axis=0) for a, b in zip(low, high, strict=True)])


def _moved(sighting: Sighting, body: Array, place: Array) -> Sighting:
    size = body[2:] - body[:2]
    middle = body[:2] + place * size
    box = np.concatenate([middle - size / 2, middle + size / 2])
    return replace(sighting, box=box, outline=body)


def _with(track: Track, moved: dict[float, Sighting]) -> Track:
    return Track(track.shot, [moved.get(one.t_s, one) for one in track.sightings], track.votes)
