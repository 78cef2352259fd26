"""Which picture is visible at a time: the top-most enabled clip of video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from foleyspace_host.timeline.model import Piece

__all__ = ["Shown", "merged", "shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A range of time in which one picture is visible.

    Parameters
    ----------
    picture : Piece
        The clip of video.
    start_s, end_s : Fraction
        The range in the timeline [s].
    """

    picture: Piece
    start_s: Fraction
    end_s: Fraction


def shown(pictures: Sequence[Piece], start_s: Fraction, end_s: Fraction) -> list[Shown]:
    """Return what is visible in a range of the timeline, in order of time.

    Parameters
    ----------
    pictures : sequence of Piece
        Clips of video, the lowest track first.
    start_s, end_s : Fraction
        The range [s].

    Returns
    -------
    list of Shown
        Without the times at which nothing is visible. A clip whose media cannot be used hides what is below it
        as any other does.
    """
    there = [p for p in pictures if p.enabled and p.duration_s > 0 and p.start_s < end_s and p.end_s > start_s]
    edges = {start_s, end_s, *(max(p.start_s, start_s) for p in there), *(min(p.end_s, end_s) for p in there)}
    times = sorted(edges)
    found: list[Shown] = []
    for first, last in pairwise(times):
        top = next((p for p in reversed(there) if p.start_s <= first and last <= p.end_s), None)
        if top is None:
            continue
        if found and found[-1].picture is top and found[-1].end_s == first:
            found[-1] = Shown(top, found[-1].start_s, last)
        else:
            found.append(Shown(top, first, last))
    return found


def merged(parts: Sequence[Shown]) -> list[Shown]:
    """Return the ranges of each picture with those that touch joined, so that each is looked at once."""
    joined: list[Shown] = []
    order: dict[int, int] = {}
    for part in parts:
        order.setdefault(id(part.picture), len(order))
    for part in sorted(parts, key=lambda one: (order[id(one.picture)], one.start_s)):
        if joined and joined[-1].picture is part.picture and part.start_s <= joined[-1].end_s:
            joined[-1] = Shown(part.picture, joined[-1].start_s, max(joined[-1].end_s, part.end_s))
        else:
            joined.append(part)
    return joined
