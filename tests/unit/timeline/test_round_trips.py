"""Random timelines: their times are those of OpenTimelineIO, and what is written says the same when it is read."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import FREEZE, clip, gap, marker, media, span, stack, timeline, track, transition, write

from foleyspace_host.timeline.flatten import flatten
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.model import AUDIO, Piece
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.write import write_timeline

rates = st.sampled_from([24.0, 25.0, 24000 / 1001, 30000 / 1001, 60000 / 1001, 48000.0])
lengths = st.integers(1, 200)


def references(folder: str = "") -> st.SearchStrategy:
    there = st.builds(media, st.sampled_from([f"{folder}a.wav", f"{folder}b.wav", "none.wav"]))
    return there | st.just({"OTIO_SCHEMA": "MissingReference.1"})


@st.composite
def clips(draw: st.DrawFn) -> dict:
    rate = draw(rates)
    made = clip(
        draw(st.text("abc é→", min_size=1, max_size=5)),
        span(draw(st.integers(0, 50)), draw(lengths), rate),
        draw(references()),
        enabled=draw(st.booleans()),
        metadata={"mine": {"deep": [draw(st.none() | st.integers() | st.text(max_size=3))]}},
    )
    made["media_references"]["other"] = draw(references())
    made["active_media_reference_key"] = draw(st.sampled_from(["DEFAULT_MEDIA", "other"]))
    if draw(st.booleans()):
        made["markers"] = [marker("foleyspace: az=10", made["source_range"]["start_time"]["value"], 0, rate)]
    return made


@st.composite
def tracks(draw: st.DrawFn, depth: int = 2) -> dict:
    items: list[dict] = []
    for _ in range(draw(st.integers(0, 5))):
        what = draw(st.sampled_from(["clip", "clip", "gap", "stack", "transition", "frozen"]))
        if what == "gap":
            items.append(gap(draw(lengths), draw(rates)))
        elif what == "stack" and depth:
            items.append(stack(*draw(st.lists(tracks(depth=depth - 1), max_size=2)), name="nest"))
            if draw(st.booleans()):
                items[-1]["source_range"] = span(draw(st.integers(0, 20)), draw(lengths), 24)
        elif what == "transition" and items and items[-1]["OTIO_SCHEMA"] == "Clip.2":
            fade = transition(draw(st.integers(0, 3)), draw(st.integers(0, 3)))
            items += [fade | {"transition_type": "SMPTE_Dissolve"}, draw(clips())]
        else:
            items.append(draw(clips()))
            if what == "frozen":
                items[-1]["effects"] = [FREEZE]
    return track(*items, kind=draw(st.sampled_from(["Audio", "Video"])), name=draw(st.sampled_from(["", "T"])))


timelines = st.lists(tracks(), max_size=3).map(lambda found: timeline(*found, metadata={"ünïcode": "→", "n": 1}))


def shown(document: dict) -> list[tuple[str, float, float]]:
    """Return name, start and duration of what is shown of each clip, in the words of the library."""
    read = otio.adapters.read_from_string(json.dumps(document), "otio_json")
    found = []
    for one in read.find_clips():
        whole, item, kinds = one.trimmed_range(), one, []
        while (parent := item.parent()) is not None and whole is not None:
            whole = item.transformed_time_range(whole, parent)
            if parent.source_range is not None:
                inner, outer = whole, parent.source_range
                first = max(both.start_time.to_seconds() for both in (inner, outer))
                last = min(both.end_time_exclusive().to_seconds() for both in (inner, outer))
                rate = 1e9
                start, end = (otio.opentime.RationalTime(t * rate, rate) for t in (first, last))
                whole = otio.opentime.range_from_start_end_time(start, end) if last - first > 1e-7 else None
            kinds += [parent.kind] if isinstance(parent, otio.schema.Track) else []
            item = parent
        if whole is not None and not (kinds[0] == "Video" and "Audio" in kinds):
            found.append((one.name, whole.start_time.to_seconds(), whole.duration.to_seconds()))
    return found


def pieces(folder: Path, document: dict) -> tuple[Piece, ...]:
    opened = open_timeline(write(folder / "in.otio", document))
    return flatten(opened.timeline, opened.file, lambda _path: Fraction(5)).pieces


@settings(max_examples=100)
@given(timelines)
def test_every_piece_is_where_the_library_has_it(document: dict) -> None:
    with tempfile.TemporaryDirectory() as place:
        got = [(str(p.clip["name"]), float(p.start_s), float(p.duration_s)) for p in pieces(Path(place), document)]
    got = [one for one in got if one[2] > 1e-7]
    wanted = shown(document)
    assert [one[0] for one in got] == [one[0] for one in wanted]
    for one, two in zip(got, wanted, strict=True):
        assert one[1:] == pytest.approx(two[1:], abs=1e-5)


def plain(document: dict) -> dict:
    """Return a timeline without what this program writes, in the newest schemas."""
    read = json.loads(otio.adapters.read_from_string(json.dumps(document), "otio_json").to_json_string())

    def clean(value: object) -> object:
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: clean(item) for key, item in value.items() if key not in ("foleyspace", "enabled")}

    tracks_of = read["tracks"]["children"]
    read["tracks"]["children"] = [one for one in tracks_of if not one["name"].startswith("FoleySpace")]
    found = clean(read)
    assert isinstance(found, dict)
    return found


@settings(max_examples=100)
@given(timelines, st.booleans(), st.randoms(use_true_random=False))
def test_what_is_written_says_the_same(document: dict, keep: bool, random: object) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "a.wav").write_bytes(b"x")
        (folder / "b.wav").write_bytes(b"x")
        original = deepcopy(document)
        opened = open_timeline(write(folder / "in.otio", document))
        flat = flatten(opened.timeline, opened.file, lambda _path: Fraction(5))
        usable = [p for p in flat.pieces if p.kind == AUDIO and not p.problem and p.speed == 1 and p.enabled]
        chosen = [p for p in usable if random.random() < 0.7]  # type: ignore[attr-defined]
        rendered = [
            Rendered(p, folder / "a.wav", Fraction(1, 2), 48_000, 480_000, {"request": f"{n}"})
            for n, p in enumerate(chosen)
        ]
        out = folder / "out.otio"
        write_timeline(opened, rendered, out, offset_s=flat.offset_s, keep_sources=keep, told={"clips": len(rendered)})
        written = json.loads(out.read_text(encoding="utf-8"))
        assert plain(written) == plain(original)
        ours = [one for one in written["tracks"]["children"] if one["name"].startswith("FoleySpace")]
        assert sum(item["OTIO_SCHEMA"] == "Clip.2" for one in ours for item in one["children"]) == len(rendered)
        # the library finds every rendered clip at the time of its source
        read = otio.adapters.read_from_file(str(out))
        there = sorted(
            one.transformed_time_range(one.trimmed_range(), read.tracks).start_time.to_seconds()
            for one_track in read.tracks
            if one_track.name.startswith("FoleySpace")
            for one in one_track.find_clips()
        )
        assert there == pytest.approx(sorted(float(p.start_s) for p in chosen), abs=1e-5)
        # read again, it is the timeline that it was
        again = open_timeline(out)
        back = flatten(again.timeline, again.file, lambda _path: Fraction(5))
        before, after = (
            [(p.name, p.start_s, p.duration_s, p.source_s, p.enabled, p.speed, p.problem) for p in one.pieces]
            for one in (flat, back)
        )
        assert after == before
