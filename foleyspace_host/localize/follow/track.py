"""Which box in this picture is the thing in the last one: tracking through misses and crossings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.localize.follow.kinematics import Belief, Wander
from foleyspace_host.localize.see.camera_motion import STILL, Warp
from foleyspace_host.localize.see.detect import Detection
from foleyspace_host.localize.see.moving import MotionMap

__all__ = [
    "Sighting",
    "Track",
    "Tracker",
    "box_deviation",
    "box_to_state",
    "class_directions",
    "class_likeness",
    "likeness",
    "state_to_box",
]

Array = NDArray[np.float64]

# centre x, centre y [pictures/s], log width, log height [1/s]: a brisk walk-past or pan, and an approach
MOTION = Wander(speed=np.array([0.25, 0.25, 0.4, 0.4]), memory_s=1.0)

_FORGOTTEN_AFTER_S = 1.0
_DOUBTED_AFTER_S = 0.5  # what has hardly been seen yet is forgotten sooner
_MIN_SIGHTINGS = 3
_TRUSTED_SIGHTINGS = 5
_GATE = 23.5  # squared Mahalanobis distance that 1 in 10 000 true pairs exceed (chi squared, 4 coordinates)
_SIZE_GATE = 9.2  # of that for the two sizes: more counts no worse (1 in 100, chi squared, 2 coordinates)
_CLASS_WEIGHT = 6.0  # what a complete change of class counts beside squared standard deviations
_UNTOLD = 1e3
_SAME_KIND = 0.7  # least cosine between the classes of a thing and of a part of it: half of them agree
_SMALLEST = 0.004


@dataclass(frozen=True, slots=True)
class Sighting:
    """One box of a track.

    Parameters
    ----------
    t_s : float
        Presentation time [s].
    box : ndarray, shape (4,)
        Left, top, right, bottom as fractions of the picture.
    score : float
        The detector's score.
    motion : float
        How strongly what is in the box moves by itself, see `MotionMap`; 0 if it is not known.
    outline : ndarray, shape (4,), optional
        The box that was seen, where `box` is only the point that sounds, at the size of the whole.
    """

    t_s: float
    box: Array
    score: float
    motion: float = 0.0
    outline: Array | None = None

    @property
    def seen(self) -> Array:
        """The box that was seen."""
        return self.box if self.outline is None else self.outline


@dataclass(slots=True)
class Track:
    """One thing over time within one shot.

    Parameters
    ----------
    shot : int
        Number of the shot.
    sightings : list of Sighting
        In order of time.
    votes : dict of str to float
        Sum of the scores for each class.
    """

    shot: int
    sightings: list[Sighting] = field(default_factory=list)
    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, t_s: float, detection: Detection, motion: float = 0.0) -> None:
        """Append a sighting and count its votes."""
        self.sightings.append(Sighting(t_s, detection.box, detection.score, motion))
        for name, score in detection.classes.items():
            self.votes[name] += score


def box_to_state(box: Array) -> Array:
    """Return centre x, centre y, log width, log height of a box (4,)."""
    size = np.maximum(box[2:] - box[:2], _SMALLEST)
    return np.concatenate([(box[:2] + box[2:]) / 2, np.log(size)])


def state_to_box(state: Array) -> Array:
    """Return the box of a state; the inverse of `box_to_state`."""
    half = np.exp(state[2:]) / 2
    return np.concatenate([state[:2] - half, state[:2] + half])


def box_deviation(box: Array, score: ArrayLike, usual_size: ArrayLike = 0.0) -> Array:
    """Return how far a detector's boxes are off, as standard deviations of their states.

    Centres err with the size of the thing, sizes in proportion; a box of low score errs more. Where the usual
    size of the thing is known and larger, the box holds only a part of it, anywhere within it.

    Parameters
    ----------
    box : ndarray, shape (..., 4)
        Left, top, right, bottom.
    score : array_like, shape (...)
        The detector's scores.
    usual_size : array_like, shape (..., 2)
        Width and height of the whole thing; 0 if unknown.

    Returns
    -------
    ndarray, shape (..., 4)
        Standard deviations of centre x, centre y, log width, log height.
    """
    size = np.maximum(box[..., 2:] - box[..., :2], _SMALLEST)
    hidden = np.maximum(usual_size - size, 0.0)
    centre = 0.004 + 0.06 * np.maximum(size, usual_size) + 0.15 * hidden
    doubt = np.clip(np.sqrt(0.4 / np.maximum(score, 1e-3)), 0.8, 2.0)
    return np.concatenate([centre, np.full_like(centre, 0.12)], axis=-1) * doubt[..., None]


def class_likeness(first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]) -> Array:
    """Return how alike sets of class scores are, each with each.

    Parameters
    ----------
    first, second : sequence of mapping of str to float
        Scores by class, n and m of them.

    Returns
    -------
    ndarray, shape (n, m)
        Cosines, 0 to 1; 1 where either has no scores.
    """
    names = sorted({name for scores in (*first, *second) for name in scores})
    return likeness(class_directions(first, names), class_directions(second, names))


def class_directions(many: Sequence[Mapping[str, float]], names: Sequence[str]) -> Array:
    """Return sets of class scores as directions, shape (n, number of names): of length 1, or 0 where there are none.

    Parameters
    ----------
    many : sequence of mapping of str to float
        Scores by class, n of them.
    names : sequence of str
        All classes.

    Returns
    -------
    ndarray, shape (n, number of names)
    """
    scores = np.array([[one.get(name, 0.0) for name in names] for one in many]).reshape(len(many), len(names))
    return scores / np.maximum(np.linalg.norm(scores, axis=1, keepdims=True), 1e-12)


def likeness(first: Array, second: Array) -> Array:
    """Return the cosines between directions, each with each, shape (n, m); 1 where either has no scores."""
    known = np.outer(first.any(axis=1), second.any(axis=1))
    return np.where(known, first @ second.T, 1.0)


def _carried(belief: Belief, warp: Warp) -> Belief:
    """Return a belief as the camera's motion carries it through the picture."""
    if warp is STILL:
        return belief
    mean = belief.mean.copy()
    mean[:2, 0] = warp.points(mean[:2, 0])
    mean[2:, 0] += np.log(warp.zoom)
    return Belief(mean, belief.covariance)


@dataclass(slots=True)
class _Active:
    track: Track
    belief: Belief
    at_s: float
    seen_s: float

    @property
    def strength(self) -> float:
        """How much it counts among others that claim the same box: its mean score, less while it is new."""
        scores = [sighting.score for sighting in self.track.sightings[-_TRUSTED_SIGHTINGS:]]
        return sum(scores) / _TRUSTED_SIGHTINGS

    def is_forgotten(self, t_s: float) -> bool:
        """Say whether it has not been seen for too long."""
        new = len(self.track.sightings) < _MIN_SIGHTINGS
        return t_s - self.seen_s > (_DOUBTED_AFTER_S if new else _FORGOTTEN_AFTER_S)


class Tracker:
    """Follows all things through a clip, picture by picture.

    Each thing has a motion model; in each picture the boxes are given to the things so that the sum of the
    log likelihoods (motion and class together), weighted by the strength of thing and box, is largest. Two
    that cross keep their identities, and a faint thing takes no box from one that is surely there.
    """

    def __init__(self) -> None:
        self._active: list[_Active] = []
        self._done: list[Track] = []
        self._shot = 0
        self._had: dict[int, _Active] = {}  # what each box of the picture before was

    def cut(self) -> None:
        """Begin a new shot: nothing continues from before."""
        self._retire(self._active)
        self._active = []
        self._shot += 1

    def add(self, t_s: float, detections: list[Detection], warp: Warp = STILL, motion: MotionMap | None = None) -> None:
        """Take in the next picture.

        Parameters
        ----------
        t_s : float
            Its presentation time, later than the one before [s].
        detections : list of Detection
            What was found in it.
        warp : Warp
            The camera's motion since the picture before: what rests in the scene moves with it.
        motion : MotionMap, optional
            What moves by itself in it.
        """
        self._retire([thing for thing in self._active if thing.is_forgotten(t_s)])
        self._active = [thing for thing in self._active if not thing.is_forgotten(t_s)]
        for thing in self._active:
            thing.belief, thing.at_s = _carried(MOTION.predict(thing.belief, t_s - thing.at_s), warp), t_s
        pairs = self._carried_on(detections) or self._assign(detections)
        self._had = {}
        for index, detection in enumerate(detections):
            state = box_to_state(detection.box)
            if index not in pairs:
                first = MOTION.first(state, box_deviation(detection.box, detection.score))
                thing = _Active(Track(self._shot), first, t_s, t_s)
                self._active.append(thing)
            else:
                thing = pairs[index]
                size = np.exp(thing.belief.position[2:])
                deviation = box_deviation(detection.box, detection.score, size)
                # a box of quite another size is of a part, or of more than the thing: it counts less, and tells
                # nothing of the size
                miss = (state - thing.belief.position)[2:] / np.hypot(thing.belief.deviation, deviation)[2:]
                other = float((miss**2).sum() / _SIZE_GATE)
                deviation *= max(1.0, np.sqrt(other))
                deviation[2:] *= _UNTOLD if other > 1.0 else 1.0
                thing.belief, thing.seen_s = MOTION.update(thing.belief, state, deviation), t_s
            thing.track.add(t_s, detection, 0.0 if motion is None else motion.within(detection.box))
            self._had[id(detection)] = thing

    def finish(self) -> list[Track]:
        """Return all tracks of at least three sightings, in order of their first."""
        self._retire(self._active)
        self._active = []
        return sorted(self._done, key=lambda track: track.sightings[0].t_s)

    def _retire(self, things: list[_Active]) -> None:
        self._done += [thing.track for thing in things if len(thing.track.sightings) >= _MIN_SIGHTINGS]

    def _carried_on(self, detections: list[Detection]) -> dict[int, _Active]:
        """Give boxes that were carried on from the picture before to the things that had them there."""
        had = [None if found.earlier is None else self._had.get(id(found.earlier)) for found in detections]
        still = {id(thing) for thing in self._active}
        return {index: thing for index, thing in enumerate(had) if thing is not None and id(thing) in still}

    def _assign(self, detections: list[Detection]) -> dict[int, _Active]:
        if not detections or not self._active:
            return {}
        from scipy.optimize import linear_sum_assignment

        things = self._active
        boxes = np.stack([found.box for found in detections])
        scores = np.array([found.score for found in detections])
        states = np.stack([box_to_state(box) for box in boxes])
        means = np.stack([thing.belief.position for thing in things])
        spreads = np.stack([thing.belief.deviation for thing in things])
        noise = box_deviation(boxes[None], scores[None], np.exp(means[:, None, 2:]))
        variance = spreads[:, None] ** 2 + noise**2
        squares = (states[None] - means[:, None]) ** 2 / variance
        alike = class_likeness([thing.track.votes for thing in things], [found.classes for found in detections])
        # a box of another size may be a part of the thing, one of another class the thing taken for something
        # else; one of another size and class is another thing
        sizes = squares[:, :, 2:].sum(axis=2)
        sizes = np.where(alike >= _SAME_KIND, np.minimum(sizes, _SIZE_GATE), sizes)
        distance = squares[:, :, :2].sum(axis=2) + sizes
        # what is left without a pair gains nothing; a thing whose place is uncertain claims less
        doubt = np.log(variance / noise**2).sum(axis=2)
        gain = np.clip(_GATE - distance - _CLASS_WEIGHT * (1.0 - alike), 0.0, None) / (1.0 + doubt)
        gain *= np.outer([thing.strength for thing in things], scores)
        pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
        return {int(found): things[thing] for thing, found in pairs if gain[thing, found] > 0.0}
