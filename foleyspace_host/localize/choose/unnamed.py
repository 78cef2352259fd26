"""What moves and has no name, less what is only a named thing seen again by its motion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.choose.salience import readiness
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.see.detect import iou

__all__ = ["unnamed"]

Array = NDArray[np.float64]

_MOVES_BY_ITSELF = 0.6  # readiness: what lives or drives; steam over a table is not the table's motion
_SURE = 0.25  # mean score: a thing of which that is certain
_MOSTLY = 0.5  # of the region lies on the thing; or of its sightings do
_ALIKE = 0.3  # intersection over union: with shadow and dust a region is larger than its thing


def unnamed(moving: Sequence[Chain], named: Sequence[Chain]) -> list[Chain]:
    """Return the moving regions that are no named thing.

    Parameters
    ----------
    moving : sequence of Chain
        Regions that move by themselves, without class.
    named : sequence of Chain
        Things with classes.

    Returns
    -------
    list of Chain
        Those that for half of the time or more lie on nothing that is surely seen and moves by itself.
    """
    boxes: dict[float, list[Array]] = defaultdict(list)
    for chain in named:
        sightings = chain.sightings
        sure = float(np.mean([sighting.score for sighting in sightings])) >= _SURE
        if sure and readiness(chain) >= _MOVES_BY_ITSELF:
            for sighting in sightings:
                boxes[sighting.t_s].append(sighting.seen)
    return [chain for chain in moving if _share_on(chain, boxes) < _MOSTLY]


def _share_on(region: Chain, boxes: dict[float, list[Array]]) -> float:
    """Return the share of a region's sightings that lie on one of the boxes of their time."""
    sightings = region.sightings
    return sum(_lies_on(one.box, boxes[one.t_s]) for one in sightings if one.t_s in boxes) / len(sightings)


def _lies_on(box: Array, others: Sequence[Array]) -> bool:
    things = np.stack(others)
    common = np.clip(np.minimum(box[2:], things[:, 2:]) - np.maximum(box[:2], things[:, :2]), 0.0, None).prod(axis=1)
    inside = bool((common >= _MOSTLY * (box[2:] - box[:2]).prod()).any())
    return inside or bool((iou(box[None], things) >= _ALIKE).any())
