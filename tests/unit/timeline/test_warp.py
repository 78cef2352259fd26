"""Time warps: what is at which time is told by going through the timeline with plain arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from timelines import FREEZE, clip, gap, marker, media, span, stack, timeline, track, transition, warp, write

from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.model import Piece
from foleyspace_host.timeline.run import spatialize_timeline
from foleyspace_host.timeline.trajectories import from_metadata

RATE = 48_000
AT_LEFT = "foleyspace: az=90 dist=1"


def flat(*tracks: dict) -> Flat:
    return flatten(timeline(*tracks), Path, lambda _path: Fraction(10))


def sound(start: float, duration: float, **fields: object) -> dict:
    return clip("a", span(start, duration), media("a.wav", span(0, 2400)), **fields)


def places(found: Flat) -> list[tuple[Fraction, Fraction, Fraction, Fraction]]:
    return [(p.start_s, p.duration_s, p.source_s, p.speed) for p in found.pieces]


def test_a_nested_stack_runs_at_its_speed() -> None:
    inner = stack(track(gap(48), sound(24, 48), sound(120, 96)), effects=[warp(2.0)], source_range=span(24, 72))
    # 3 s from second 1 on, twice as fast: what is nested from 1 to 7 s
    assert places(flat(track(inner))) == [(Fraction(1, 2), 1, 1, 2), (Fraction(3, 2), Fraction(3, 2), 5, 2)]
    assert flat(track(inner, gap(24))).duration_s == 4


def test_a_nested_track_runs_backwards() -> None:
    inner = track(sound(24, 48), sound(120, 96, effects=[warp(0.5)]), effects=[warp(-1.0)], source_range=span(0, 96))
    # from second 4 down to 0: the second clip from its middle, the first one whole
    found = flat(track(inner))
    assert places(found) == [(2, 2, 3, -1), (0, 2, 6, Fraction(-1, 2))]
    assert not any(piece.problem for piece in found.pieces)


def test_a_nested_stack_stands_still() -> None:
    video = clip("v", span(48, 96), media("v.mp4", span(0, 240)))
    inner = stack(track(video, kind="Video"), track(sound(0, 96)), effects=[FREEZE], source_range=span(24, 48))
    seen, heard = flat(track(inner, kind="Video")).pieces
    assert (seen.kind, seen.start_s, seen.duration_s, seen.source_s, seen.speed) == ("Video", 0, 2, 3, 0)
    assert (heard.kind, heard.speed) == ("Audio", 0)


def test_warps_within_warps() -> None:
    innermost = stack(track(sound(0, 96)), effects=[warp(0.5)], source_range=span(0, 96), name="slow")
    outer = stack(track(gap(24), innermost), effects=[warp(4.0)], source_range=span(0, 30), name="fast")
    assert places(flat(track(outer))) == [(Fraction(1, 4), 1, 0, 2)]


def test_fades_and_markers_run_with_them() -> None:
    first = sound(24, 48, markers=[marker(AT_LEFT, 48, 12)])
    inner = stack(track(first, transition(12, 6), sound(120, 48)), effects=[warp(-2.0)], source_range=span(0, 48))
    one, other = sorted(flat(track(inner)).pieces, key=lambda piece: piece.start_s)
    assert (one.start_s, other.start_s) == (0, 1)
    assert other.fade_in is not None
    assert one.fade_out is not None
    assert one.fade_out.transition is other.fade_in.transition
    # a quarter of a second after the cut is an eighth before it then
    assert (one.fade_out.before_s, one.fade_out.after_s) == (Fraction(1, 8), Fraction(1, 4))
    (there,) = other.markers  # second 1 to 1.5 of the nested time, twice as fast, from second 4 down
    assert (there.start_s, there.duration_s) == (Fraction(5, 4), Fraction(1, 4))


@pytest.mark.parametrize("speed", [1, 2, 0.5, -1, -2, 0])
def test_markers_are_where_the_library_has_them(tmp_path: Path, speed: float) -> None:
    """On a clip or a nested stack, they count in its own time from the start of its range, however that runs."""
    otio = pytest.importorskip("opentimelineio")
    inner = sound(0, 240) if speed else gap(240)
    for kind in (clip, stack):
        marks = {"markers": [marker(AT_LEFT, 72, 24)], "effects": [warp(speed)]}
        one = sound(48, 96, **marks) if kind is clip else stack(track(inner), source_range=span(48, 96), **marks)
        document = timeline(track(gap(24), one, sound(0, 96)))
        theirs = otio.adapters.read_from_string(json.dumps(document), "otio_json")
        item = theirs.tracks[0][1]
        there = item.transformed_time_range(item.markers[0].marked_range, theirs.tracks)
        for piece in flatten(document, Path, lambda _path: Fraction(10)).pieces[:-1]:
            assert [(m.start_s, m.duration_s) for m in piece.markers] == [
                (Fraction(there.start_time.to_seconds()), Fraction(there.duration.to_seconds()))
            ]


def test_the_range_of_a_clip_that_runs_backwards_is_the_part_that_is_used() -> None:
    """As editing programs export it: a whole shot reversed starts at its last frame."""
    found = flat(track(sound(0, 100, effects=[warp(-1.0)]), sound(49, 100, effects=[warp(-0.5)])))
    assert [(p.source_s, p.source_s + p.duration_s * p.speed) for p in found.pieces] == [
        (Fraction(100, 24), 0),
        (Fraction(99, 24), Fraction(49, 24)),
    ]
    assert not any(piece.problem or piece.notes for piece in found.pieces)
    (long,) = flat(track(sound(2352, 96, effects=[warp(-1.0)]))).pieces
    assert long.notes == ("it lasts longer than its media, silence comes first",)


def test_a_warp_that_is_a_curve_is_named() -> None:
    ramp = {"OTIO_SCHEMA": "TimeEffect.1", "name": "ramp"}
    (nested,) = flat(track(stack(track(sound(0, 24)), effects=[ramp]))).pieces
    assert nested.problem == "of the nested stack or track around it: its time effect 'ramp' is not understood"
    whole = timeline(track(sound(0, 24)))
    whole["tracks"]["effects"] = [warp(2.0)]
    (piece,) = flatten(whole, Path, lambda _path: Fraction(10)).pieces
    assert "whole timeline" in piece.problem


speeds = st.sampled_from([Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(-3, 2), Fraction(5, 4)])
nested_ones = st.lists(st.tuples(st.integers(0, 48), st.integers(1, 96), st.integers(480, 960)), min_size=1, max_size=4)


@given(nested_ones, speeds, speeds, st.integers(0, 300), st.integers(1, 300), st.integers(0, 99))
def test_every_moment_is_what_the_maps_say(
    items: list, inner: Fraction, outer: Fraction, start: int, duration: int, percent: int
) -> None:
    effects = {"effects": [warp(float(outer))]}
    parts = []
    for hole, length, first in items:
        parts += [gap(hole), sound(first, length, effects=[warp(float(inner))])]
    found = flat(track(stack(track(*parts), source_range=span(start, duration), **effects)))
    t_s = Fraction(duration, 24) * percent / 100
    nested_s = Fraction(start, 24) + outer * (t_s if outer > 0 else t_s - Fraction(duration, 24))
    there = []
    at_s = Fraction(0)
    for hole, length, first in items:
        at_s += Fraction(hole, 24)
        length_s = Fraction(length, 24)
        if at_s < nested_s < at_s + length_s:
            there.append(Fraction(first, 24) + inner * (nested_s - at_s - (0 if inner > 0 else length_s)))
        at_s += length_s
    heard = [p.source_s + p.speed * (t_s - p.start_s) for p in found.pieces if p.start_s < t_s < p.end_s]
    edges = [edge for p in found.pieces for edge in (p.start_s, p.end_s)]
    if t_s not in edges:
        assert heard == there


DOCUMENT = {
    "schema": "foleyspace.trajectory/1",
    "duration_s": 4.0,
    "sources": [
        {
            "id": "x",
            "keys": [
                {"t_s": 0.0, "azimuth_deg": 0.0, "elevation_deg": 0.0, "distance_m": 1.0},
                {"t_s": 4.0, "azimuth_deg": 80.0, "elevation_deg": 0.0, "distance_m": 1.0},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("speed", "start", "first_deg", "last_deg"), [(1, 24, 20, 60), (2, 0, 0, 80), (-1, 24, 60, 20), (-2, 0, 80, 0)]
)
def test_the_trajectory_of_a_clip_runs_as_what_is_around_it(
    speed: float, start: int, first_deg: float, last_deg: float
) -> None:
    one = sound(0, 96, metadata={"foleyspace": {"trajectory": DOCUMENT}})
    piece: Piece
    (piece,) = flat(track(stack(track(one), effects=[warp(speed)], source_range=span(start, 48)))).pieces
    keys = from_metadata(piece, Path).sources[0].keys
    assert (keys[0].t_s, keys[0].azimuth_deg) == (pytest.approx(0.0, abs=2e-3), pytest.approx(first_deg, abs=0.1))
    assert (keys[-1].t_s, keys[-1].azimuth_deg) == (pytest.approx(2.0, abs=2e-3), pytest.approx(last_deg, abs=0.1))


def chirp(t_s: np.ndarray) -> np.ndarray:
    return 0.1 * np.sin(2 * np.pi * (500 * t_s + 50 * t_s**2))


@pytest.mark.parametrize("speed", [2.0, 0.5, -1.0, -2.0])
def test_a_warped_sound_is_rendered_and_mixed_at_its_speed(tmp_path: Path, speed: float) -> None:
    """Ahead, in one ambisonic channel: the sound itself, at the speed, in the rendering and in the mix."""
    t_s = np.arange(20 * RATE) / RATE
    soundfile.write(tmp_path / "a.wav", chirp(t_s), RATE, subtype="FLOAT")
    ahead = [marker("foleyspace: az=0 dist=1", 240)]
    one = clip("a", span(240, 48), media("a.wav", span(0, 480)), markers=ahead, effects=[warp(speed)])
    source = write(tmp_path / "in.otio", timeline(track(gap(24), one)))
    mix = tmp_path / "mix.wav"
    result = spatialize_timeline(source, tmp_path / "out.otio", mixdown=mix, format="foa", bit_depth="float")
    (done,) = result.clips
    assert done.action == "render"
    first_s = 10 + (2 * -speed if speed < 0 else 0)
    assert (f"backwards from {first_s:.3f} s of its media to 10.000 s" in done.notes[0]) == (speed < 0)
    assert f"{abs(speed):g} times its speed and pitch" in done.notes[0]
    mixed, _ = soundfile.read(mix)
    assert len(mixed) == 3 * RATE
    expected = chirp(first_s + speed * np.arange(2 * RATE) / RATE - (speed < 0) / RATE)
    heard = mixed[RATE:, 0] / np.sqrt(np.mean(mixed[RATE:, 0] ** 2)) * np.sqrt(np.mean(expected**2))
    inside = slice(RATE // 10, -RATE // 10)
    np.testing.assert_allclose(heard[inside], expected[inside], atol=2e-3)
    (there,) = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"][1:]
    rendered = there["children"][1]
    assert rendered["effects"] == []  # it is in the sound already
    assert rendered["source_range"]["duration"]["value"] == 48
    assert rendered["source_range"]["start_time"]["value"] == 24  # a second of handle, in the time that is heard
    samples, _ = soundfile.read(done.output or "")
    assert len(samples) == 4 * RATE
    np.testing.assert_allclose(samples[RATE : 3 * RATE], mixed[RATE:], atol=1e-6)
    assert spatialize_timeline(source, tmp_path / "out.otio", format="foa", bit_depth="float").reused == 1
    one["effects"] = [warp(speed * 1.25)]
    write(source, timeline(track(gap(24), one)))
    assert spatialize_timeline(source, tmp_path / "out.otio", format="foa", bit_depth="float").rendered == 1


def test_handles_of_a_warped_clip_are_no_longer_than_its_media(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones(4 * RATE), RATE, subtype="FLOAT")
    parts = {"fast": (12, 24, 2.0, 0.25, 0.75), "back": (12, 36, -2.0, 0.25, 0.25)}
    for name, (start, duration, speed, before, after) in parts.items():
        one = clip(name, span(start, duration), media("a.wav", span(0, 96)), effects=[warp(speed)])
        one["markers"] = [marker(AT_LEFT, start)]
        source = write(tmp_path / "in.otio", timeline(track(one)))
        (done,) = spatialize_timeline(source, tmp_path / "out.otio").clips
        assert soundfile.info(done.output or "").frames == (before + duration / 24 + after) * RATE


def test_a_cross_fade_within_a_warp_is_written_as_it_sounds(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones(20 * RATE), RATE, subtype="FLOAT")
    parts = sound(48, 48, markers=[marker(AT_LEFT, 48)]), transition(12, 6), sound(120, 48)
    parts[2]["markers"] = [marker(AT_LEFT, 120)]
    inner = stack(track(*parts), effects=[warp(2.0)], source_range=span(0, 48))
    spatialize_timeline(write(tmp_path / "in.otio", timeline(track(inner))), tmp_path / "out.otio")
    items = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"][-1]["children"]
    assert [item["OTIO_SCHEMA"] for item in items] == ["Clip.2", "Transition.1", "Clip.2"]
    assert (items[1]["in_offset"]["value"], items[1]["out_offset"]["value"]) == (6, 3)
