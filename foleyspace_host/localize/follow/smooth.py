"""From a thing's boxes to its path over the whole clip: smoothed, gaps filled, gone on beyond the edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.trajectory import Origin
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.hidden import Extent, extent, nowhere_hidden
from foleyspace_host.localize.follow.kinematics import Wander
from foleyspace_host.localize.follow.scene import SceneView, log_scale, moved
from foleyspace_host.localize.follow.track import Sighting, box_deviation, box_to_state
from foleyspace_host.localize.place.proportions import whole_log_heights
from foleyspace_host.localize.place.range import cut_off

__all__ = ["Path", "smooth"]

Array = NDArray[np.float64]

# centre x, centre y [pictures/s], log height [1/s]; the height moves less than in tracking, because it
# becomes a distance, which nobody hears jitter gladly
_MOTION = Wander(speed=np.array([0.25, 0.25, 0.3]), memory_s=1.0)
_STUDENT_DEGREES = 4.0
_REWEIGHTINGS = 5
_SHARP = 1e-3  # pictures: where a middle is known to such a point, it counts as seen there
_CUT_OFF_DEVIATION = 0.7  # of log height, when the picture's edge hides part of it
_MEDIAN_OVER = 9  # sightings
_LEAST_CONFIDENCE = 0.05
_LEAVES_IN_S = 0.5
_FADES_IN_S = 1.0
_FARTHEST_OUT = 0.25  # pictures beyond the edge, for what goes out by itself
_FARTHEST_PANNED = 1.5  # pictures beyond the edge, for what the camera turns away from


@dataclass(frozen=True, slots=True)
class Path:
    """Where a thing is at each time.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Its centre as fractions of the picture; outside 0 to 1 when it is off screen.
    height : ndarray, shape (n,)
        Its whole height as a fraction of the picture's, also where the picture's edge hides a part of it.
    height_deviation : ndarray, shape (n,)
        Standard deviation of the logarithm of the height; infinite in shots where it was not seen.
    confidence : ndarray, shape (n,)
        0.05 to 1.
    origin : list of {"detected", "interpolated", "offscreen"}
        How each point came about.
    """

    x: Array
    y: Array
    height: Array
    height_deviation: Array
    confidence: Array
    origin: list[Origin]


def smooth(
    chain: Chain, time_s: Array, shot: NDArray[np.int64], view: SceneView | None = None, aspect: float = 16 / 9
) -> Path:
    """Estimate the path of a thing at all times of the clip.

    Each shot is smoothed by itself with what was seen in all of it (a Rauch-Tung-Striebel smoother with
    Student's t weights, so that single wrong boxes do not pull). In gaps the motion model fills in. Before
    the first and after the last sighting the thing stays, or goes out over the side that it touched. In a
    shot without sightings it stays where it was.

    Where the camera moves, the thing is taken to move smoothly either in the scene or in the picture (which
    the camera then follows it with), whichever tells better where it was seen next. What rests in the scene
    goes on through the picture, and out of it, while the camera turns.

    Parameters
    ----------
    chain : Chain
        The thing.
    time_s : ndarray, shape (n,)
        Increasing times [s], among them those of all sightings.
    shot : ndarray of int, shape (n,)
        The shot at each time.
    view : SceneView, optional
        Where the camera looks; it rests if not given.
    aspect : float
        Width of the picture over its height.

    Returns
    -------
    Path
    """
    to_scene = None if view is None or not view.moves else view.at(time_s)
    sightings = chain.sightings
    index = np.searchsorted(time_s, [sighting.t_s for sighting in sightings])
    state = np.zeros((len(time_s), 3))
    height_deviation = np.full(len(time_s), np.inf)
    confidence = np.full(len(time_s), _LEAST_CONFIDENCE)
    origin: list[Origin] = ["interpolated"] * len(time_s)
    seen_shots = np.unique(shot[index])
    for number in seen_shots:
        span = np.flatnonzero(shot == number)
        own = np.flatnonzero(shot[index] == number)
        camera = None if to_scene is None else to_scene[span]
        seen = [sightings[at] for at in own]
        whole = whole_log_heights(np.stack([sighting.seen for sighting in seen]), chain.label, aspect)
        steady = bool(chain.votes)  # what has no name may be steam or water, which have no shape to keep
        parts = _smooth_shot(time_s[span], (index[own] - span[0]).tolist(), seen, whole, camera, steady)
        state[span], height_deviation[span], confidence[span] = parts[:3]
        for at, kind in zip(span, parts[3], strict=True):
            origin[at] = kind
    is_known = np.isin(shot, seen_shots)
    known, unknown = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    # the nearest point that is known, in time
    after = np.searchsorted(known, unknown)
    before, after = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
    earlier = np.abs(time_s[unknown] - time_s[before]) <= np.abs(time_s[after] - time_s[unknown])
    state[unknown] = state[np.where(earlier, before, after)]
    return Path(state[:, 0], state[:, 1], np.exp(state[:, 2]), height_deviation, confidence, origin)


def _smooth_shot(
    time_s: Array,
    index: list[int],
    sightings: list[Sighting],
    whole: tuple[Array, Array],
    to_scene: Array | None,
    keeps_shape: bool,
) -> tuple[Array, Array, Array, list[Origin]]:
    """Smooth one shot; `whole` holds the log heights of the whole thing and what is to be added to their errors."""
    boxes = np.stack([sighting.box for sighting in sightings])
    score = np.array([sighting.score for sighting in sightings])
    edges = cut_off(np.stack([sighting.seen for sighting in sightings]))
    position = np.zeros((len(time_s), 3))
    deviation = np.full((len(time_s), 3), np.inf)
    usual_size = _running_median(boxes[:, 2:] - boxes[:, :2])
    for row, sighting in enumerate(sightings):
        position[index[row]] = box_to_state(sighting.box)[[0, 1, 3]]
        deviation[index[row]] = box_deviation(sighting.box, sighting.score, usual_size[row])[[0, 1, 3]]
    log_height, doubt = whole
    part = extent(time_s[index], boxes, score, edges) if keeps_shape else nowhere_hidden(boxes)
    unknown = np.isinf(doubt) | (part.shrunk & (doubt == 0.0))
    position[index, 2] = log_height
    deviation[index, 2] = np.hypot(deviation[index, 2], np.where(unknown, 0.0, doubt))
    if to_scene is not None and not _rests_in_scene(time_s, position, deviation, to_scene):
        to_scene = None
    if to_scene is not None:
        position = _through(to_scene, position)
        deviation[:, :2] *= np.exp(log_scale(to_scene))[:, None]
        part = _extent_through(to_scene[index], part)
    path, height_deviation = _robust(time_s, position, deviation, np.array(index), unknown, part)
    if to_scene is not None:
        path = _through(np.linalg.inv(to_scene).astype(np.float64), path)
        np.clip(path[:, :2], -_FARTHEST_PANNED, 1.0 + _FARTHEST_PANNED, out=path[:, :2])

    seen_s = time_s[index]
    after = np.searchsorted(seen_s, time_s)
    neighbours = seen_s[np.clip([after - 1, after], 0, len(seen_s) - 1)]
    away_s = np.abs(neighbours - time_s).min(axis=0)
    # a score of 0.25 is a fair box of this kind of detector: it counts as even odds
    sure = np.interp(time_s, seen_s, score / (score + 0.25)) * np.exp(-away_s / _FADES_IN_S)
    origin: list[Origin] = ["interpolated"] * len(time_s)
    for at in index:
        origin[at] = "detected"
    for last, outside in ((0, np.arange(index[0])), (-1, np.arange(index[-1] + 1, len(time_s)))):
        panned = to_scene is not None and bool(_is_outside(path[outside]).any())
        if len(outside) and not panned:
            _go_on(path, outside, index[last], away_s, boxes[last], edges[last], origin)
    for out in np.flatnonzero(_is_outside(path)):
        if origin[int(out)] != "detected":
            origin[int(out)] = "offscreen"
    return path, height_deviation, np.maximum(sure, _LEAST_CONFIDENCE), origin


def _is_outside(state: Array) -> NDArray[np.bool_]:
    """Say which states lie outside of the picture."""
    return np.asarray((np.abs(state[:, :2] - 0.5) > 0.5).any(axis=1), dtype=np.bool_)


def _through(matrix: Array, state: Array) -> Array:
    """Move states (centre and log height) between picture and scene."""
    x, y = moved(matrix, state[:, 0], state[:, 1])
    return np.stack([x, y, state[:, 2] + log_scale(matrix)], axis=1)


def _extent_through(matrix: Array, part: Extent) -> Extent:
    """Move where middles can be from the picture to the scene."""
    ends = np.stack([np.stack(moved(matrix, *end.T), axis=1) for end in (part.low, part.high)])
    return Extent(part.hidden, part.shrunk, ends.min(axis=0), ends.max(axis=0))


def _rests_in_scene(time_s: Array, position: Array, deviation: Array, to_scene: Array) -> bool:
    """Say whether motion in the scene tells better what was seen than motion in the picture."""
    scale = log_scale(to_scene)
    scaled = deviation.copy()
    scaled[:, :2] *= np.exp(scale)[:, None]
    in_picture = _MOTION.likelihood(time_s, position, deviation)
    in_scene = _MOTION.likelihood(time_s, _through(to_scene, position), scaled)
    # densities per unit of the scene become densities per unit of the picture
    in_scene += 2.0 * float(scale[np.isfinite(deviation[:, 0])].sum())
    return in_scene > in_picture


def _robust(
    time_s: Array,
    position: Array,
    deviation: Array,
    index: NDArray[np.int64],
    partial: NDArray[np.bool_],
    part: Extent,
) -> tuple[Array, Array]:
    """Smooth what was seen; `partial` says of which sightings a part is hidden, nobody knows how much.

    The second value is the deviation of the log height.
    """
    position = position.copy()
    behind = index[part.hidden]
    low, high = part.low[part.hidden], part.high[part.hidden]
    # what the edge hides makes the box's height a lower bound: it counts where it raises the estimate, and if
    # nothing better is known
    lower = index[partial]
    whole_is_known = len(lower) < len(index)
    known = deviation[lower, 2]
    deviation = deviation.copy()
    deviation[lower, 2] = np.inf if whole_is_known else _CUT_OFF_DEVIATION
    at_an_end = deviation[behind, :2]
    deviation[behind, :2] = np.hypot(at_an_end, (high - low) / 2)
    path, spread = _MOTION.smooth(time_s, position, deviation)
    for _ in range(_REWEIGHTINGS):
        if whole_is_known:
            raises = position[lower, 2] > path[lower, 2]
            deviation[lower, 2] = np.where(raises, known, np.inf)
        # a middle between the ends of where it can be is as good as any other
        position[behind, :2] = np.clip(path[behind, :2], low, high)
        outside = (path[behind, :2] < low) | (path[behind, :2] > high) | (high - low < _SHARP)
        deviation[behind, :2] = np.where(outside, at_an_end, np.inf)
        # a box that is wrong is wrong in all coordinates: one weight for the three of them
        miss = np.where(np.isfinite(deviation), (path - position) / deviation, 0.0)
        weight = (_STUDENT_DEGREES + 3) / (_STUDENT_DEGREES + (miss**2).sum(axis=1, keepdims=True))
        path, spread = _MOTION.smooth(time_s, position, deviation / np.sqrt(weight))
    return path, spread[:, 2]


def _running_median(values: Array) -> Array:
    """Median of each column over a second or so of sightings, shape as given."""
    half = _MEDIAN_OVER // 2
    return np.stack([np.median(values[max(i - half, 0) : i + half + 1], axis=0) for i in range(len(values))])


def _go_on(
    path: Array,
    outside: NDArray[np.int64],
    last: int,
    away_s: Array,
    box: Array,
    edges: NDArray[np.bool_],
    origin: list[Origin],
) -> None:
    """Continue a path beyond its first or last sighting, in place."""
    left, right = bool(edges[0]), bool(edges[2])
    if left != right:  # it touches one side: it came in, or went out, there
        width = float(box[2] - box[0])
        goal = -min(width / 2, _FARTHEST_OUT) if left else 1.0 + min(width / 2, _FARTHEST_OUT)
        gone = 1.0 - np.exp(-away_s[outside] / _LEAVES_IN_S)
        path[outside, 0] = path[last, 0] + (goal - path[last, 0]) * gone
        path[outside, 1:] = path[last, 1:]
        for at in outside:
            origin[at] = "offscreen"
    else:  # it was missed: the motion model has it slow down, and nothing is beyond the edge
        path[outside, :2] = np.clip(path[outside, :2], 0.0, 1.0)
