"""Joins the pieces of one thing's path: lost and found again within a shot, or seen again after a cut."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.follow.hidden import whole
from foleyspace_host.localize.follow.track import (
    MOTION,
    Sighting,
    Track,
    box_deviation,
    box_to_state,
    class_directions,
    likeness,
)

__all__ = ["Chain", "join"]

_SAME_CLASS = 0.5  # least cosine between the classes of two pieces
_LONGEST_GAP_S = 4.0
_OVERLAP_S = 0.3  # two pieces may see the thing at once for a moment, when a box splits
_GATE = 23.5  # squared Mahalanobis distance, as in tracking


@dataclass(frozen=True, slots=True)
class Chain:
    """One thing over the whole clip: its tracks in order of time.

    Parameters
    ----------
    tracks : tuple of Track
        Pieces that do not overlap by more than a moment.
    """

    tracks: tuple[Track, ...]

    @property
    def sightings(self) -> list[Sighting]:
        """All sightings with increasing times; where two pieces overlap, the better scored."""
        best: dict[float, Sighting] = {}
        for track in self.tracks:
            for sighting in track.sightings:
                known = best.get(sighting.t_s)
                if known is None or sighting.score > known.score:
                    best[sighting.t_s] = sighting
        return [best[t_s] for t_s in sorted(best)]

    @property
    def votes(self) -> dict[str, float]:
        """Sum of the scores for each class."""
        total: dict[str, float] = defaultdict(float)
        for track in self.tracks:
            for name, score in track.votes.items():
                total[name] += score
        return dict(total)

    @property
    def label(self) -> str:
        """The class with most votes."""
        votes = self.votes
        return max(sorted(votes), key=lambda name: votes[name]) if votes else "object"


def join(tracks: list[Track]) -> list[Chain]:
    """Join tracks that are the same thing.

    Within a shot a thing that was lost may come back where its motion would have brought it; across a cut
    the largest, surest thing of the same class is taken to be the same (an editor cuts to show it again).
    Pairs are joined in order of likelihood, each end once.

    Parameters
    ----------
    tracks : list of Track
        In order of their first sighting.

    Returns
    -------
    list of Chain
        In order of their first sighting.
    """
    after: dict[int, int] = {}
    taken: set[int] = set()
    for first, second in _within_shots(tracks):
        if first not in after and second not in taken:
            after[first] = second
            taken.add(second)
    chains = []
    for head in range(len(tracks)):
        if head not in taken:
            links = [head]
            while links[-1] in after:
                links.append(after[links[-1]])
            chains.append(Chain(tuple(tracks[link] for link in links)))
    return _across_cuts(chains)


def _within_shots(tracks: list[Track]) -> list[tuple[int, int]]:
    """Pairs of tracks of a shot of which the second may continue the first, likeliest first."""
    costs: list[tuple[float, int, int]] = []
    alike = _Likeness([track.votes for track in tracks])
    starts_s = [track.sightings[0].t_s for track in tracks]
    wholes: dict[int, list[Sighting]] = {}
    for i, first in enumerate(tracks):
        end_s = first.sightings[-1].t_s
        # tracks are in order of their starts: of those of a whole film few can go on here
        near = range(bisect_left(starts_s, end_s - _OVERLAP_S), bisect_right(starts_s, end_s + _LONGEST_GAP_S))
        near_too = [j for j in near if j != i and tracks[j].shot == first.shot and tracks[j].sightings[-1].t_s > end_s]
        for j, cosine in zip(near_too, alike.of(i, near_too), strict=True):
            if cosine < _SAME_CLASS:
                continue
            for one in (i, j):
                if one not in wholes:
                    wholes[one] = _whole(tracks[one])
            if (distance := _distance(wholes[i], wholes[j])) <= _GATE:
                gap_s = starts_s[j] - end_s
                costs.append((distance + max(gap_s, 0.0) - 5.0 * float(cosine), i, j))
    return [(i, j) for _, i, j in sorted(costs)]


class _Likeness:
    """How alike the classes of things are, told of some at a time: a table of all pairs would not fit for a film."""

    def __init__(self, votes: Sequence[Mapping[str, float]]) -> None:
        self._directions = class_directions(votes, sorted({name for one in votes for name in one}))

    def of(self, one: int, others: Sequence[int]) -> NDArray[np.float64]:
        """Return the cosines of one with others."""
        return likeness(self._directions[[one]], self._directions[list(others)])[0]


def _distance(first: Sequence[Sighting], second: Sequence[Sighting]) -> float:
    """Squared Mahalanobis distance between where one thing would be and where the other begins.

    A thing is lost behind another one, and comes out on its other side, part by part: what counts is where it was
    seen whole.
    """
    belief = None
    at_s = 0.0
    for sighting in first[-12:]:
        state, deviation = box_to_state(sighting.box), box_deviation(sighting.box, sighting.score)
        if belief is None:
            belief = MOTION.first(state, deviation)
        else:
            belief = MOTION.update(MOTION.predict(belief, sighting.t_s - at_s), state, deviation)
        at_s = sighting.t_s
    start = second[0]
    assert belief is not None  # noqa: S101 - tracks are never empty
    ahead = MOTION.predict(belief, max(start.t_s - at_s, 0.0))
    noise = box_deviation(start.box, start.score)
    error: NDArray[np.float64] = box_to_state(start.box) - ahead.position
    return float((error**2 / (ahead.deviation**2 + noise**2)).sum())


def _whole(track: Track) -> list[Sighting]:
    seen = track.sightings
    boxes, score = np.stack([one.box for one in seen]), np.array([one.score for one in seen])
    kept = whole(np.array([one.t_s for one in seen]), boxes, score)
    return [one for one, is_whole in zip(seen, kept, strict=True) if is_whole]


def _across_cuts(chains: list[Chain]) -> list[Chain]:
    """Continue each chain in the shots after it, the strongest chains choosing first."""
    left = sorted(range(len(chains)), key=lambda index: (-_strength(chains[index]), index))
    alike = _Likeness([chain.votes for chain in chains])
    joined = []
    while left:
        first = left.pop(0)
        group = [chains[first]]
        shots = {track.shot for track in group[0].tracks}
        same = [index for index, cosine in zip(left, alike.of(first, left), strict=True) if cosine >= _SAME_CLASS]
        taken = set()
        for index in same:
            other = chains[index]
            if shots.isdisjoint(track.shot for track in other.tracks):
                group.append(other)
                shots |= {track.shot for track in other.tracks}
                taken.add(index)
        left = [index for index in left if index not in taken]
        tracks = sorted((t for chain in group for t in chain.tracks), key=lambda t: t.sightings[0].t_s)
        joined.append(Chain(tuple(tracks)))
    return sorted(joined, key=lambda chain: chain.tracks[0].sightings[0].t_s)


def _strength(chain: Chain) -> float:
    """Score times extent, summed over time."""
    return sum(s.score * float(np.sqrt((s.box[2:] - s.box[:2]).prod())) for s in chain.sightings)
