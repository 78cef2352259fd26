from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from timelines import clip, gap, media, span, timeline, track, warp, write

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.timeline.choose import Choice, choose
from foleyspace_host.timeline.flatten import flatten
from foleyspace_host.timeline.picture import Shown, merged, shown
from foleyspace_host.timeline.run import spatialize_timeline
from foleyspace_host.timeline.trajectories import from_pictures, look_of

LEFT_TO_RIGHT = Trajectory(10.0, (Source("s", (Key(0.0, 40.0), Key(10.0, -40.0)), "car"),))


def choices(*tracks: dict) -> list[Choice]:
    found = flatten(timeline(*tracks), Path, lambda _path: Fraction(10))
    return choose(found)


def video(name: str, start: float, duration: float, **fields: object) -> dict:
    return clip(name, span(start, duration), media(f"{name}.mp4"), **fields)


def sound(start: float, duration: float) -> dict:
    return clip("a", span(start, duration), media("a.wav"))


def test_the_top_most_enabled_picture_is_seen() -> None:
    (one,) = choices(
        track(video("low", 0, 240), kind="Video"),
        track(gap(48), video("top", 0, 48), gap(24), video("off", 0, 48, enabled=False), kind="Video"),
        track(gap(24), sound(0, 96)),
    )
    seen = [(part.picture.clip["name"], part.start_s, part.end_s) for part in one.pictures]
    assert seen == [("low", 1, 2), ("top", 2, 4), ("low", 4, 5)]


def test_a_picture_without_media_hides_what_is_below() -> None:
    (one,) = choices(
        track(video("low", 0, 240), kind="Video"), track(clip("lost", span(0, 240)), kind="Video"), track(sound(0, 24))
    )
    assert "lost" in one.reason
    assert "no media is linked" in one.reason


def test_ranges_that_touch_are_looked_at_once() -> None:
    found = choices(track(video("v", 0, 240), kind="Video"), track(sound(0, 48), sound(24, 24)), track(sound(0, 60)))
    (one,) = merged([part for choice in found for part in choice.pictures])
    assert (one.start_s, one.end_s) == (0, 3)


def keys(choice: Choice, *looks: tuple[Shown, Trajectory]) -> list[tuple[float, float]]:
    return [(k.t_s, k.azimuth_deg) for k in from_pictures(choice, looks).sources[0].keys]


@pytest.mark.parametrize(
    ("speed", "first", "last"), [(1.0, 40.0, -40.0), (2.0, 40.0, -40.0), (-1.0, -40.0, 40.0), (0.5, 40.0, -40.0)]
)
def test_the_path_runs_as_the_picture_does(speed: float, first: float, last: float) -> None:
    shot = video("v", 0, 240 / abs(speed), effects=[warp(speed)])
    (one,) = choices(track(shot, kind="Video"), track(sound(0, 240 / abs(speed))))
    (part,) = one.pictures
    assert (look_of(part).span.start_s, look_of(part).span.duration_s) == (0, 10)
    found = keys(one, (part, LEFT_TO_RIGHT))
    assert found[0] == (0.0, pytest.approx(first, abs=0.1))
    assert found[-1] == (pytest.approx(10 / abs(speed), abs=2e-3), pytest.approx(last, abs=0.1))


def test_a_frozen_picture_stays_where_it_is() -> None:
    (one,) = choices(track(video("v", 24, 48, effects=[warp(0.0)]), kind="Video"), track(sound(0, 48)))
    (part,) = one.pictures
    assert look_of(part).span.duration_s == Fraction(1, 24)
    assert all(azimuth == pytest.approx(40.0) for _, azimuth in keys(one, (part, LEFT_TO_RIGHT)))


def test_a_cut_of_the_picture_is_a_jump_of_the_sound() -> None:
    (one,) = choices(track(video("v", 0, 24), video("w", 0, 24), kind="Video"), track(sound(0, 48)))
    first, second = one.pictures
    right = Trajectory(1.0, (Source("s", (Key(0.0, -50.0),)),))
    left = Trajectory(1.0, (Source("s", (Key(0.0, 50.0),)),))
    found = from_pictures(one, [(first, left), (second, right)]).sources[0].keys
    assert [key.cut for key in found] == [False, False, True, False]
    assert [key.t_s for key in found] == [0.0, pytest.approx(0.999), 1.0, pytest.approx(1.999)]


def test_a_part_of_what_was_looked_at_is_cut_out() -> None:
    found = choices(track(video("v", 0, 240), kind="Video"), track(sound(0, 240)), track(gap(120), sound(0, 24)))
    (whole,) = merged([part for choice in found for part in choice.pictures])
    (first, *_, last) = keys(found[1], (whole, LEFT_TO_RIGHT))
    assert first == (0.0, pytest.approx(0.0, abs=0.1))
    assert last[1] == pytest.approx(-8.0, abs=0.1)


def test_nothing_is_visible_in_a_gap() -> None:
    (low,) = flatten(timeline(track(gap(24), video("v", 0, 24), kind="Video")), Path, lambda _path: Fraction(1)).pieces
    assert shown([low], Fraction(0), Fraction(1)) == []


@pytest.mark.shared
def test_the_sound_of_a_clip_follows_its_picture(tmp_path: Path, shared_dir: Path) -> None:
    horse = (shared_dir / "data" / "video" / "fs_horse.mp4").as_uri()
    whole = clip("horse", span(0, 48), media(horse))
    source = write(
        tmp_path / "in.otio",
        timeline(track(whole, kind="Video"), track(gap(12), clip("hooves", span(12, 24), media(horse)))),
    )
    result = spatialize_timeline(source, tmp_path / "out.otio", handles_s=0.25, mixdown=tmp_path / "mix.wav")
    (one,) = result.clips
    assert (one.action, one.placed_by, one.pictures) == ("render", "picture", ("V1/horse",))
    told = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"][-1]["children"][1]["metadata"]
    source_keys = told["foleyspace"]["trajectory"]["sources"][0]
    assert source_keys["label"] == "horse"
    assert "centernet" in {model["name"] for model in told["foleyspace"]["looked_with"]}
    assert source_keys["keys"][-1]["t_s"] <= 1.0
