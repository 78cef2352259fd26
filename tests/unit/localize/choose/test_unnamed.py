"""A horse seen again by its motion is no other thing; a waterfall behind it is."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.choose.unnamed import unnamed
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.track import Sighting, Track

TIMES = np.arange(32) / 8.0


def thing(box: tuple[float, float, float, float], name: str | None = None, score: float = 0.5, until_s: float = 9.0):
    sightings = [Sighting(float(t), np.array(box), score) for t in TIMES if t < until_s]
    return Chain((Track(0, sightings, {} if name is None else {name: score * len(sightings)}),))


HORSE = (0.3, 0.4, 0.6, 0.8)


@pytest.mark.parametrize(
    "region",
    [(0.32, 0.45, 0.5, 0.75), (0.25, 0.35, 0.65, 0.95), (0.4, 0.6, 0.65, 0.8)],
    ids=["a part of it", "with its shadow and dust", "its legs and a little more"],
)
def test_what_lies_on_a_horse_is_the_horse(region) -> None:
    assert unnamed([thing(region)], [thing(HORSE, "horse")]) == []


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ((0.7, 0.1, 0.95, 0.6), thing(HORSE, "horse")),
        ((0.0, 0.0, 1.0, 0.9), thing(HORSE, "horse")),
        ((0.4, 0.45, 0.5, 0.6), thing(HORSE, "dining table")),
        ((0.4, 0.45, 0.5, 0.6), thing(HORSE, "horse", score=0.15)),
        ((0.4, 0.45, 0.5, 0.6), thing(HORSE, "horse", until_s=1.5)),
    ],
    ids=["beside it", "a waterfall behind it", "steam over a table", "hardly a horse", "after it has gone"],
)
def test_what_is_something_else_stays(region, named) -> None:
    moving = thing(region)
    assert unnamed([moving], [named]) == [moving]
