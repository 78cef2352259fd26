from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import FREEZE, clip, gap, marker, media, span, stack, timeline, track, transition, warp, write

from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.model import Piece, exact_rate
from foleyspace_host.timeline.read import open_timeline


def flat(document: dict, folder: Path) -> Flat:
    opened = open_timeline(write(folder / "in.otio", document))
    return flatten(opened.timeline, opened.file, lambda _path: Fraction(5))


def one(document: dict, folder: Path) -> Piece:
    (piece,) = flat(document, folder).pieces
    return piece


@pytest.fixture
def sound(tmp_path: Path) -> dict:
    (tmp_path / "a.wav").write_bytes(b"x")
    return media("a.wav", span(0, 240))


def test_clips_follow_each_other_after_gaps(tmp_path: Path, sound: dict) -> None:
    found = flat(timeline(track(gap(12), clip("a", span(24, 48), sound), clip("b", span(0, 6), sound))), tmp_path)
    assert [(p.name, p.start_s, p.duration_s, p.source_s) for p in found.pieces] == [
        ("A1/a", Fraction(1, 2), 2, 1),
        ("A1/b", Fraction(5, 2), Fraction(1, 4), 0),
    ]
    assert found.duration_s == Fraction(11, 4)


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24, Fraction(24)),
        (25.0, Fraction(25)),
        (48000, Fraction(48000)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rates_are_exact(rate: float, exact: Fraction) -> None:
    assert exact_rate(rate) == exact


def test_mixed_rates_do_not_drift(tmp_path: Path, sound: dict) -> None:
    clips = [clip("a", span(0, 1, 29.97), sound), clip("b", span(0, 1001, 24000), sound)] * 500
    found = flat(timeline(track(*clips)), tmp_path)
    assert found.duration_s == 500 * (Fraction(1001, 30000) + Fraction(1001, 24000))


def test_the_time_of_media_starts_where_they_say(tmp_path: Path, sound: dict) -> None:
    sound["available_range"] = span(86400, 240)  # one hour of timecode
    assert one(timeline(track(clip("a", span(86412, 24), sound))), tmp_path).source_s == Fraction(1, 2)
    assert one(timeline(track(clip("a", None, sound))), tmp_path).duration_s == 10
    assert "starts before its media" in one(timeline(track(clip("a", span(0, 24), sound))), tmp_path).problem


def test_a_clip_without_any_range_is_as_long_as_its_file(tmp_path: Path, sound: dict) -> None:
    sound["available_range"] = None
    assert one(timeline(track(clip("a", None, sound))), tmp_path).duration_s == 5


def test_what_follows_a_clip_of_unknown_length_is_not_placed(tmp_path: Path, sound: dict) -> None:
    first, second = flat(timeline(track(clip("a", None), clip("b", span(0, 24), sound))), tmp_path).pieces
    assert "how long" in first.problem
    assert "length is not known" in second.problem


def test_nested_stacks_are_opened_and_trimmed(tmp_path: Path, sound: dict) -> None:
    inner = stack(
        track(clip("a", span(0, 48), sound), clip("b", span(48, 48), sound)),
        track(clip("v", span(0, 96), media("none.mp4")), kind="Video"),
        name="scene",
        source_range=span(24, 48),
    )
    found = flat(timeline(track(gap(24), inner)), tmp_path)
    assert [(p.name, p.kind, p.start_s, p.duration_s, p.source_s) for p in found.pieces] == [
        ("A1/scene/a", "Audio", 1, 1, 1),
        ("A1/scene/b", "Audio", 2, 1, 2),
    ]
    found = flat(timeline(track(inner, kind="Video")), tmp_path)
    assert [p.kind for p in found.pieces] == ["Audio", "Audio", "Video"]


def test_warps_and_frozen_frames(tmp_path: Path, sound: dict) -> None:
    piece = one(timeline(track(clip("a", span(24, 24), sound, effects=[warp(0.5), warp(-4.0)]))), tmp_path)
    assert (piece.speed, piece.duration_s, piece.source_s) == (-2, 1, 3)  # down to second 1
    assert not piece.problem
    assert one(timeline(track(clip("a", span(24, 24), sound, effects=[FREEZE]))), tmp_path).speed == 0


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), 1e9])
def test_speeds_that_are_none(tmp_path: Path, sound: dict, speed: float) -> None:
    assert "time warp" in one(timeline(track(clip("a", span(0, 24), sound, effects=[warp(speed)]))), tmp_path).problem


def test_a_part_of_a_warped_clip_keeps_its_speed(tmp_path: Path, sound: dict) -> None:
    inner = track(clip("a", span(0, 48), sound, effects=[warp(2.0)]), source_range=span(12, 12))
    piece = one(timeline(inner), tmp_path)
    assert (piece.start_s, piece.duration_s, piece.source_s) == (0, Fraction(1, 2), 1)


def test_transitions_take_no_time(tmp_path: Path, sound: dict) -> None:
    parts = clip("a", span(0, 24), sound), transition(6, 3), clip("b", span(24, 24), sound)
    first, second = flat(timeline(track(*parts)), tmp_path).pieces
    assert (first.end_s, second.start_s) == (1, 1)
    assert first.fade_in is None
    assert first.fade_out is not None
    assert (first.fade_out.before_s, first.fade_out.after_s) == (Fraction(1, 4), Fraction(1, 8))
    assert second.fade_in is not None
    assert second.fade_in.transition is first.fade_out.transition


def test_disabled_is_whatever_lies_in_something_disabled(tmp_path: Path, sound: dict) -> None:
    assert not one(timeline(track(clip("a", span(0, 24), sound, enabled=False))), tmp_path).enabled
    assert not one(timeline(track(clip("a", span(0, 24), sound), enabled=False)), tmp_path).enabled
    assert one(timeline(track(clip("a", span(0, 24), sound))), tmp_path).enabled


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ({"OTIO_SCHEMA": "MissingReference.1"}, "no media is linked"),
        ({"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": "Bars"}, "generator"),
        ({"OTIO_SCHEMA": "ImageSequenceReference.1"}, "sequence of images"),
        ({"OTIO_SCHEMA": "SomethingNew.7"}, "unknown schema 'SomethingNew'"),
        (media("http://example.org/a.wav"), "not a file of this machine"),
        (media("s3://bucket/a.wav"), "not a file of this machine"),
        (media("file://server/share/a.wav"), "another machine"),
        (media("\\\\server\\share\\a.wav"), "another machine"),
        (media("../secret.wav"), "leads out"),
        (media("media/%2e%2e/%2e%2e/secret.wav"), "leads out"),
        (media("file:///etc/../etc/passwd"), "leads out"),
        (media(""), "names no file"),
        (media("b.wav"), "is not there"),
    ],
)
def test_media_that_cannot_be_used_have_a_reason(tmp_path: Path, reference: dict, reason: str) -> None:
    piece = one(timeline(track(clip("a", span(0, 24), reference))), tmp_path)
    assert reason in piece.problem
    assert piece.path is None


def test_of_several_references_the_active_one_counts(tmp_path: Path, sound: dict) -> None:
    both = {"high": media("b.wav"), "proxy": sound}
    fields = {"media_references": both, "active_media_reference_key": "proxy"}
    assert one(timeline(track(clip("a", span(0, 24), **fields))), tmp_path).path == tmp_path / "a.wav"
    fields["active_media_reference_key"] = "high"
    problem = one(timeline(track(clip("a", span(0, 24), **fields))), tmp_path).problem
    assert "b.wav" in problem
    assert "'proxy' too" in problem


def test_a_clip_of_the_older_schema(tmp_path: Path, sound: dict) -> None:
    old = {"OTIO_SCHEMA": "Clip.1", "name": "a", "source_range": span(0, 24), "media_reference": sound}
    assert one(timeline(track(old)), tmp_path).path == tmp_path / "a.wav"


def test_objects_of_unknown_schemas_are_named_and_the_rest_is_read(tmp_path: Path, sound: dict) -> None:
    strange = {"OTIO_SCHEMA": "Hologram.4", "source_range": span(0, 12)}
    first, second = flat(timeline(track(strange, clip("a", span(0, 24), sound))), tmp_path).pieces
    assert "unknown schema 'Hologram'" in first.problem
    assert (second.start_s, second.problem) == (Fraction(1, 2), "")
    effect = {"OTIO_SCHEMA": "Reverb.2", "name": "hall"}
    assert "'hall'" in one(timeline(track(clip("a", span(0, 24), sound, effects=[effect]))), tmp_path).notes[0]


def test_markers_of_clips_and_of_what_is_around_them(tmp_path: Path, sound: dict) -> None:
    inner = clip("a", span(48, 48), sound, markers=[marker("on clip", 60)])
    around = track(gap(24), inner, markers=[marker("early", 0, 12), marker("on track", 36, 6)])
    whole = timeline(around)
    whole["tracks"]["markers"] = [marker("all", 0, 240)]
    piece = one(whole, tmp_path)
    assert {(m.text, m.start_s) for m in piece.markers} == {
        ("on clip", Fraction(3, 2)),
        ("on track", Fraction(3, 2)),
        ("all", 0),
    }


def test_a_timeline_that_shows_a_part_of_its_tracks(tmp_path: Path, sound: dict) -> None:
    whole = timeline(track(clip("a", span(0, 96), sound)))
    whole["tracks"]["source_range"] = span(24, 48)
    found = flat(whole, tmp_path)
    assert (found.duration_s, found.offset_s, found.pieces[0].source_s) == (2, 1, 1)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0, -24, 1e12])
def test_rates_that_are_none_are_refused_with_the_name_of_the_clip(tmp_path: Path, sound: dict, rate: float) -> None:
    document = timeline(track(clip("the clip", span(0, 24, rate), sound)))
    with pytest.raises(InvalidInput, match=r"the clip.*rate"):
        flat(document, tmp_path)


def test_a_reference_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the clip: a reference holds a NUL"):
        flat(timeline(track(clip("the clip", span(0, 24), media("a\0.wav")))), tmp_path)


def test_a_value_that_is_none_is_refused(tmp_path: Path, sound: dict) -> None:
    with pytest.raises(InvalidInput, match="no time"):
        flat(timeline(track(clip("a", span(0, float("nan")), sound))), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"5",
        b"[]",
        b"\xff\xfe",
        b'{"OTIO_SCHEMA":"Timeline.1","tracks":5}',
        b"[" * 100_000,
        b'{"OTIO_SCHEMA": 3}',
    ],
    ids=map(str, range(8)),
)
def test_files_that_are_no_timelines(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.otio").write_bytes(content)
    with pytest.raises(InvalidInput):
        open_timeline(tmp_path / "in.otio")


def test_a_collection_of_one_timeline_is_that_timeline(tmp_path: Path, sound: dict) -> None:
    inner = timeline(track(clip("a", span(0, 24), sound)))
    both = {"OTIO_SCHEMA": "SerializableCollection.1", "metadata": {}, "name": "", "children": [inner]}
    assert one(both, tmp_path).name == "A1/a"
    with pytest.raises(InvalidInput, match="holds 2 timelines"):
        flat(both | {"children": [inner, inner]}, tmp_path)


rates = st.sampled_from([23.976, 24, 25, 29.97, 30, 59.94, 48000])
lengths = st.tuples(st.integers(1, 500), rates)


@given(st.lists(st.tuples(st.booleans(), lengths), min_size=1, max_size=12))
def test_times_are_as_opentimelineio_has_them(items: list) -> None:
    otio = pytest.importorskip("opentimelineio")
    parts = [(clip("c", span(0, n, rate)) if is_clip else gap(n, rate)) for is_clip, (n, rate) in items]
    document = timeline(track(*parts))
    found = flatten(document, lambda url: Path(url), lambda _path: Fraction(1))
    theirs = otio.adapters.read_from_string(json.dumps(document), "otio_json")
    clips = [c.range_in_parent() for c in theirs.find_clips()]
    assert len(clips) == len(found.pieces)
    for piece, there in zip(found.pieces, clips, strict=True):
        assert float(piece.start_s) == pytest.approx(there.start_time.to_seconds(), rel=1e-4, abs=1e-4)
        assert float(piece.duration_s) == pytest.approx(there.duration.to_seconds(), rel=1e-4)


@given(st.text(st.characters(exclude_characters="\0/\\", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_urls_of_files_lead_back_to_them(name: str) -> None:
    from foleyspace_host.timeline.media import file_of_url, url_of_file

    if name in (".", ".."):
        return
    path = Path("/somewhere") / name
    assert file_of_url(url_of_file(path, Path("/somewhere")), Path("/somewhere")) == path
    assert file_of_url(url_of_file(path, Path("/else")), Path("/else")) == path


def test_a_track_without_anything(tmp_path: Path) -> None:
    assert flat(timeline(track(), stack()), tmp_path).pieces == ()


def test_an_edl_starts_at_its_first_record(tmp_path: Path) -> None:
    pytest.importorskip("otio_cmx3600_adapter")
    (tmp_path / "in.edl").write_text(
        "TITLE: cut\nFCM: NON-DROP FRAME\n"
        "001  AX  A     C  00:00:01:00 00:00:02:00 01:00:10:00 01:00:11:00\n"
        "* FROM CLIP NAME: door\n"
        "002  AX  V     C  00:00:00:00 00:00:04:00 01:00:08:00 01:00:12:00\n"
    )
    opened = open_timeline(tmp_path / "in.edl")
    found = flatten(opened.timeline, opened.file, lambda _path: Fraction(5))
    assert sorted((p.kind, p.start_s, p.duration_s) for p in found.pieces) == [("Audio", 2, 1), ("Video", 0, 4)]


def test_tracks_that_begin_before_zero_are_those_of_an_edl() -> None:
    from foleyspace_host.timeline.read import from_first_record

    first = track(clip("a", span(0, 24)), source_range=span(-240, 24))
    second = track(clip("b", span(0, 24)), source_range=span(-288, 24))
    document = timeline(first, second)
    from_first_record(document)
    found = flatten(document, Path, lambda _path: Fraction(5))
    assert [(p.name, p.start_s) for p in found.pieces] == [("A1/a", 0), ("A2/b", 2)]
