"""Tracks, chains and smooth paths on boxes whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.localize.choose.evidence import judge
from foleyspace_host.localize.follow.chain import join
from foleyspace_host.localize.follow.smooth import smooth
from foleyspace_host.localize.follow.track import Tracker, box_to_state, state_to_box
from foleyspace_host.localize.see.detect import Detection

TIMES = np.arange(0.0, 6.0, 0.125)


def box(x, y, w, h):
    return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])


def seen(x, y, w=0.1, h=0.3, name="person", score=0.5):
    return Detection(box(x, y, w, h), score, {name: score})


def track(scene, times=TIMES, cuts=()):
    tracker = Tracker()
    for t_s in times:
        if t_s in cuts:
            tracker.cut()
        tracker.add(t_s, scene(t_s))
    return tracker.finish()


def centres(one):
    return np.array([(s.t_s, *(s.box[:2] + s.box[2:]) / 2) for s in one.sightings])


def test_box_and_state_are_inverse():
    first = box(0.3, 0.6, 0.2, 0.4)
    np.testing.assert_allclose(state_to_box(box_to_state(first)), first)


@pytest.mark.parametrize("swap", [False, True], ids=["in order", "order of boxes changes"])
@pytest.mark.parametrize("hidden_s", [0.0, 0.4], ids=["always seen", "one hides the other"])
def test_two_that_cross_keep_apart(swap, hidden_s):
    rng = np.random.default_rng(1)

    def scene(t_s):
        right, left = 0.1 + 0.14 * t_s, 0.9 - 0.14 * t_s
        found = [seen(right + rng.normal(0, 0.004), 0.5)]
        if abs(right - left) > 0.28 * hidden_s:
            found.append(seen(left + rng.normal(0, 0.004), 0.52))
        return found[::-1] if swap and int(t_s * 8) % 2 else found

    tracks = track(scene)
    assert len(tracks) == 2
    for one in tracks:
        path = centres(one)
        forwards = path[0, 1] < 0.5
        expected = 0.1 + 0.14 * path[:, 0] if forwards else 0.9 - 0.14 * path[:, 0]
        np.testing.assert_allclose(path[:, 1], expected, atol=0.03)


def test_a_faint_thing_does_not_steal_the_box_of_a_sure_one():
    def scene(t_s):
        found = [seen(0.5, 0.5, 0.3, 0.4, "car", 0.5)]
        if 1.0 <= t_s < 1.5:  # reflections inside the car for a moment
            found.append(seen(0.55, 0.45, 0.2, 0.25, "car", 0.13))
        return found

    longest = max(track(scene), key=lambda one: len(one.sightings))
    assert len(longest.sightings) == len(TIMES)


def test_a_box_of_a_part_does_not_end_the_track():
    def scene(t_s):
        x = 0.3 + 0.05 * t_s
        # now and then the detector sees only the middle of the person
        return [seen(x, 0.5, 0.08, 0.15) if int(t_s * 8) % 5 == 4 else seen(x, 0.5, 0.3, 0.8)]

    (one,) = track(scene)
    assert len(one.sightings) == len(TIMES)


def test_noise_is_left_behind():
    rng = np.random.default_rng(2)

    def scene(t_s):
        noise = [seen(*rng.uniform(0.1, 0.9, 2), 0.05, 0.05, score=0.15) for _ in range(rng.integers(3))]
        return [*noise, seen(0.3 + 0.05 * t_s, 0.5)]

    first, *others = judge(join(track(scene)), len(TIMES), None)[0]
    path = centres(first.chain.tracks[0])
    assert len(path) == len(TIMES)
    np.testing.assert_allclose(path[:, 1], 0.3 + 0.05 * TIMES)
    assert all(other.score < 0.03 * first.score for other in others)


def test_what_is_seen_too_seldom_is_no_track():
    rng = np.random.default_rng(2)
    tracks = track(lambda t_s: [seen(*rng.uniform(0.1, 0.9, 2), 0.05, 0.05, score=0.15)] if t_s % 0.75 == 0 else [])
    assert tracks == []


def test_a_thing_lost_for_long_is_joined_again_but_not_with_another_kind():
    def scene(t_s):
        x = 0.2 + 0.1 * t_s
        if t_s < 2.0:
            return [seen(x, 0.5)]
        return [seen(x, 0.5), seen(x, 0.3, name="chair")] if t_s > 4.0 else []

    chains = join(track(scene))
    assert sorted((chain.label, len(chain.tracks)) for chain in chains) == [("chair", 1), ("person", 2)]


def test_after_a_cut_the_strongest_of_the_kind_continues():
    def scene(t_s):
        if t_s < 3.0:
            return [seen(0.3, 0.5, name="car")]
        return [seen(0.1, 0.9, 0.04, 0.04, "car", 0.2), seen(0.7, 0.4, 0.4, 0.3, "car", 0.5)]

    chains = join(track(scene, cuts=(3.0,)))
    first = chains[0]
    assert [one.shot for one in first.tracks] == [0, 1]
    assert centres(first.tracks[1])[0, 1] == pytest.approx(0.7)
    assert len(chains) == 2


def smoothed(scene):
    (chain,) = join(track(scene))
    return smooth(chain, TIMES, np.zeros(len(TIMES), np.int64))


def test_smoothing_halves_the_noise_and_survives_wrong_boxes():
    rng = np.random.default_rng(3)
    truth = 0.5 + 0.3 * np.sin(TIMES * 1.2)
    noisy = dict(zip(TIMES, truth + rng.normal(0, 0.02, len(TIMES)), strict=True))
    for wrong in TIMES[[11, 30]]:
        noisy[wrong] += 0.12
    path = smoothed(lambda t_s: [seen(noisy[t_s], 0.5, 0.3, 0.3)])
    assert np.sqrt(np.mean((path.x - truth) ** 2)) < 0.012
    assert np.abs(path.x - truth).max() < 0.035


def test_a_gap_is_filled_along_the_way():
    path = smoothed(lambda t_s: [] if 2.0 < t_s < 2.8 else [seen(0.2 + 0.1 * t_s, 0.5)])
    inside = (TIMES > 2.0) & (TIMES < 2.8)
    np.testing.assert_allclose(path.x[inside], 0.2 + 0.1 * TIMES[inside], atol=0.01)
    assert {path.origin[i] for i in np.flatnonzero(inside)} == {"interpolated"}
    assert path.confidence[inside].max() < path.confidence[~inside].min()


def test_a_box_cut_off_by_the_lower_edge_does_not_change_the_height():
    def scene(t_s):
        y = 0.6 + 0.1 * max(t_s - 2.0, 0.0)  # it sinks below the picture; only its upper part is seen
        whole = box(0.5, y, 0.2, 0.4)
        return [Detection(np.minimum(whole, 1.0), 0.5, {"car": 0.5})]

    path = smoothed(scene)
    np.testing.assert_allclose(path.height, 0.4, rtol=0.12)


@given(st.integers(0, 2**32 - 1))
def test_mirrored_boxes_give_the_mirrored_path(seed):
    rng = np.random.default_rng(seed)
    speed = rng.uniform(-0.08, 0.08, 2)
    x, y = 0.5 + np.outer(TIMES - 3, speed[:1])[:, 0], 0.5 + np.outer(TIMES - 3, speed[1:])[:, 0]
    w, h = rng.uniform(0.1, 0.3, (2, len(TIMES)))
    missing = rng.random(len(TIMES)) < 0.2
    at = {t_s: i for i, t_s in enumerate(TIMES)}

    def scene(t_s):
        i = at[t_s]
        return [] if missing[i] else [seen(x[i], y[i], w[i], h[i])]

    def mirror(t_s):
        i = at[t_s]
        return [] if missing[i] else [seen(1 - x[i], y[i], w[i], h[i])]

    one, other = (join(track(s)) for s in (scene, mirror))
    assert len(one) == len(other)
    shot = np.zeros(len(TIMES), np.int64)
    for first, second in zip(one, other, strict=True):
        a, b = smooth(first, TIMES, shot), smooth(second, TIMES, shot)
        np.testing.assert_allclose(a.x, 1 - b.x, atol=1e-9)
        np.testing.assert_allclose(a.y, b.y, atol=1e-9)
        assert a.origin == b.origin
