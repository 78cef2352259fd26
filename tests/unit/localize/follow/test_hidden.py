"""What stands behind something is where its hidden part is too."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.follow.chain import Chain, join
from foleyspace_host.localize.follow.hidden import extent, nowhere_hidden, whole
from foleyspace_host.localize.follow.smooth import smooth
from foleyspace_host.localize.follow.track import Sighting, Track

TIME_S = np.arange(40) / 8.0
WIDE, HIGH = 0.2, 0.3
PILLAR = (0.42, 0.56)
EDGES = np.zeros((40, 4), dtype=bool)


def walking() -> np.ndarray:
    middle = 0.15 + 0.14 * TIME_S
    return np.stack([middle - WIDE / 2, np.full(40, 0.4), middle + WIDE / 2, np.full(40, 0.4 + HIGH)], axis=1)


def behind_a_pillar() -> tuple[np.ndarray, np.ndarray]:
    """Return what is seen of the boxes, the larger part, and where anything is."""
    boxes = walking()
    on_left, on_right = np.clip(PILLAR[0] - boxes[:, 0], 0, WIDE), np.clip(boxes[:, 2] - PILLAR[1], 0, WIDE)
    left = on_left >= on_right
    boxes[left, 2] = np.minimum(boxes[left, 2], PILLAR[0])
    boxes[~left, 0] = np.maximum(boxes[~left, 0], PILLAR[1])
    return boxes, (boxes[:, 2] - boxes[:, 0]) > 0.04


def pieces() -> list[Track]:
    boxes, seen = behind_a_pillar()
    tracks = []
    for side in (boxes[:, 0] < PILLAR[0], boxes[:, 2] > PILLAR[1]):
        kept = np.flatnonzero(seen & side)
        score = np.where(boxes[kept, 2] - boxes[kept, 0] > 0.8 * WIDE, 0.5, 0.25)
        sightings = [Sighting(float(TIME_S[at]), boxes[at], float(s)) for at, s in zip(kept, score, strict=True)]
        tracks.append(Track(0, sightings, {"horse": 5.0}))
    return tracks


def test_what_comes_out_behind_a_pillar_is_what_went_in() -> None:
    assert len(join(pieces())) == 1


def test_its_path_goes_on_behind_the_pillar() -> None:
    (chain,) = join(pieces())
    path = smooth(chain, TIME_S, np.zeros(40, dtype=np.int64))
    np.testing.assert_allclose(path.x, 0.15 + 0.14 * TIME_S, atol=0.02)
    np.testing.assert_allclose(path.height, HIGH, rtol=0.03)


def test_the_middle_lies_where_a_whole_one_fits_around_what_is_seen() -> None:
    boxes, seen = behind_a_pillar()
    boxes, time_s = boxes[seen], TIME_S[seen]
    width = boxes[:, 2] - boxes[:, 0]
    part = extent(time_s, boxes, np.where(width > 0.8 * WIDE, 0.5, 0.25), EDGES[seen])
    truth = 0.15 + 0.14 * time_s
    assert (part.low[:, 0] <= truth + 0.01).all()
    assert (part.high[:, 0] >= truth - 0.01).all()
    whole_ones = width > 0.999 * WIDE
    np.testing.assert_allclose((part.high - part.low)[whole_ones], 0.0, atol=1e-9)
    assert part.hidden[width < 0.8 * WIDE].all()
    assert not part.hidden[whole_ones].any()


@pytest.mark.parametrize("side", [0, 2], ids=["left", "right"])
def test_the_edge_of_the_picture_hides_on_its_own_side(side: int) -> None:
    boxes = walking() if side == 2 else walking()[::-1] - np.array([0.3, 0.0, 0.3, 0.0])
    clipped = np.clip(boxes, 0.0, 1.0 if side == 0 else 0.8)
    edges = EDGES.copy()
    edges[:, side] = clipped[:, side] != boxes[:, side]
    part = extent(TIME_S, clipped, np.full(40, 0.5), edges)
    off = edges[:, side] & (clipped[:, 2] > clipped[:, 0])
    assert off.any()
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    np.testing.assert_allclose(part.low[off, 0], middle[off], atol=1e-9)
    np.testing.assert_allclose(part.high[off, 0], middle[off], atol=1e-9)


def test_what_comes_nearer_is_whole_all_the_time() -> None:
    scale = np.exp(0.4 * TIME_S)[:, None]
    middle = np.tile([0.5, 0.5], (40, 1))
    boxes = np.concatenate([middle - 0.03 * scale, middle + 0.05 * scale], axis=1)
    assert whole(TIME_S, boxes, np.full(40, 0.5)).all()


def test_what_has_no_shape_is_nowhere_hidden() -> None:
    boxes, seen = behind_a_pillar()
    assert not nowhere_hidden(boxes).hidden.any()
    sightings = [Sighting(float(TIME_S[at]), boxes[at], 0.5) for at in np.flatnonzero(seen)]
    path = smooth(Chain((Track(0, sightings, {}),)), TIME_S, np.zeros(40, dtype=np.int64))
    assert path.x[np.flatnonzero(seen)[15]] < 0.15 + 0.14 * TIME_S[np.flatnonzero(seen)[15]] - 0.01
