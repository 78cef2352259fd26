"""The samples that OpenTimelineIO and its adapters ship: the times are those that OpenTimelineIO says itself."""

from __future__ import annotations

import gzip
import json
import shutil
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from timelines import clip, marker, media, span, track

from foleyspace_host.errors import FoleySpaceError, InvalidInput, NothingFound
from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.model import AUDIO
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.run import spatialize_timeline

AHEAD = "foleyspace: az=0 dist=1"
SAMPLES = Path(__file__).parent / "samples"
RATES = {"25fps.edl": 25.0}
SEVERAL = {"fcpx_event.fcpxml", "fcpx_example.fcpxml"}
REFUSED = {
    "timecode_mismatch.edl": "--rate",
    "premiere_example_filter.xml": "No top-level sequences",
    "fcpx_clips.fcpxml": "no timeline but a SerializableCollection",
    **{path.name: "no timeline but a SerializableCollection" for path in (SAMPLES / "ale").iterdir()},
}
TIMELINES = sorted(p for p in SAMPLES.glob("*/*.*") if p.name not in REFUSED and p.name not in SEVERAL)
ADAPTERS = {"fcp7": "fcp_xml", "fcpx": "fcpx_xml"}


def unpacked(path: Path, folder: Path) -> Path:
    if path.suffix != ".gz":
        return path
    plain = folder / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


def ours(path: Path, name: str | None = None) -> Flat:
    opened = open_timeline(path, rate_hz=RATES.get(path.name), name=name)
    return flatten(opened.timeline, opened.file, lambda _path: Fraction(5))


def theirs(path: Path, folder: str) -> list[otio.schema.Timeline]:
    options = {"rate": RATES[path.name]} if path.name in RATES else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = otio.adapters.read_from_file(
            str(path),
            adapter_name=ADAPTERS.get(folder),
            media_linker_name=otio.media_linker.MediaLinkingPolicy.DoNotLinkMedia,
            **options,
        )
    return [read] if isinstance(read, otio.schema.Timeline) else [*read.find_children(otio.schema.Timeline)]


def times(timeline: otio.schema.Timeline, *, clamp: bool = True) -> list[tuple[str, float, float]]:
    """Return name, start and duration of what is shown of each clip, as the library converts times."""
    found = []
    for one in timeline.find_clips():
        whole, item, kinds = one.trimmed_range(), one, []
        while (parent := item.parent()) is not None:
            whole = item.transformed_time_range(whole, parent)
            if clamp and parent.source_range is not None:
                whole = whole.clamped(parent.source_range) if whole.intersects(parent.source_range) else None
            if whole is None:
                break
            kinds += [parent.kind] if isinstance(parent, otio.schema.Track) else []
            item = parent
        # of what is nested in a track of sound the picture is not meant
        if whole is not None and not (kinds[0] == "Video" and "Audio" in kinds):
            found.append((one.name, whole.start_time.to_seconds(), whole.duration.to_seconds()))
    return found


def assert_alike(flat: Flat, wanted: list[tuple[str, float, float]], *, from_first: bool) -> None:
    got = [(str(p.clip.get("name") or ""), float(p.start_s), float(p.duration_s)) for p in flat.pieces]
    first = min((start for _, start, _ in wanted), default=0.0) if from_first else 0.0
    assert [name for name, *_ in got] == [name for name, *_ in wanted]
    for piece, (_, *one), (_, start, duration) in zip(flat.pieces, got, wanted, strict=True):
        if any(parent.get("effects") for parent in piece.parents):
            continue  # the library knows no warps of what is nested; test_warp.py does
        # the library counts 23.976 as that and not as 24000/1001
        assert one == pytest.approx([start - first, duration], rel=3e-5, abs=1e-6)


@pytest.mark.parametrize("path", TIMELINES, ids=lambda path: path.name)
def test_clips_are_where_the_library_says(path: Path, tmp_path: Path) -> None:
    plain = unpacked(path, tmp_path)
    (timeline,) = theirs(plain, path.parent.name)
    from_edl = path.suffix == ".edl" or path.name == "screening_example.otio"
    assert_alike(ours(plain), times(timeline, clamp=not from_edl), from_first=from_edl)


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_of_several_timelines_one_is_named(name: str) -> None:
    path = SAMPLES / "fcpx" / name
    with pytest.raises(InvalidInput, match="2 timelines"):
        open_timeline(path)
    for number, timeline in enumerate(theirs(path, "fcpx"), 1):
        assert_alike(ours(path, str(number)), times(timeline), from_first=False)


@pytest.mark.parametrize("path", TIMELINES, ids=lambda path: path.name)
def test_a_dry_run_names_every_clip_of_sound_and_why_not(path: Path, tmp_path: Path) -> None:
    plain = unpacked(path, tmp_path)
    result = spatialize_timeline(plain, dry_run=True, rate_hz=RATES.get(path.name))
    assert len(result.clips) == sum(piece.kind == AUDIO for piece in ours(plain).pieces)
    for one in result.clips:
        assert one.action == "skip"  # the media are on other people's disks
        assert one.reason
        assert "\n" not in one.reason
    with pytest.raises(NothingFound):
        spatialize_timeline(plain, tmp_path / "out.otio", rate_hz=RATES.get(path.name))
    assert not (tmp_path / "out.otio").exists()


@pytest.mark.parametrize(("name", "reason"), sorted(REFUSED.items()))
def test_what_is_no_timeline_is_refused_in_one_line(name: str, reason: str) -> None:
    (path,) = SAMPLES.glob(f"*/{name}")
    with pytest.raises(FoleySpaceError) as caught:
        open_timeline(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_speeds_and_frozen_frames_of_an_aaf_and_an_edl(tmp_path: Path) -> None:
    aaf = ours(unpacked(SAMPLES / "aaf" / "linear_speed_effects.aaf.gz", tmp_path))
    assert [piece.speed for piece in aaf.pieces][:3] == [1, Fraction(1, 2), pytest.approx(1 / 3, abs=1e-3)]
    edl = ours(SAMPLES / "edl" / "speed_effects_small.edl")
    assert [float(piece.speed) for piece in edl.pieces[:2]] == [1, 0]
    assert float(edl.pieces[4].speed) == pytest.approx(47.6 / 24, rel=1e-3)


def test_numbers_without_end_in_metadata_survive(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "otio" / "big_int.otio", tmp_path / "in.otio")
    document = json.loads((tmp_path / "in.otio").read_text().replace("Inf,", "Infinity,"))
    soundfile.write(tmp_path / "a.wav", np.full(48_000, 0.1), 48_000)
    document["tracks"]["children"].append(track(clip("a", span(0, 12), media("a.wav"), markers=[marker(AHEAD, 0)])))
    (tmp_path / "in.otio").write_text(json.dumps(document).replace("Infinity", "Inf"))
    spatialize_timeline(tmp_path / "in.otio", tmp_path / "out.otio")
    read = [otio.adapters.read_from_file(str(tmp_path / name)) for name in ("in.otio", "out.otio")]
    before, after = (str(one.tracks[0].to_json_string()) for one in read)
    assert "Inf" in before
    assert after == before


def test_the_frame_rate_of_an_edl_is_asked_for() -> None:
    path = SAMPLES / "edl" / "gap_test.edl"
    (warning,) = spatialize_timeline(path, dry_run=True).warnings
    assert "--rate" in warning
    assert not spatialize_timeline(path, dry_run=True, rate_hz=25.0).warnings
    opened = open_timeline(path, rate_hz=29.97)
    pieces = flatten(opened.timeline, opened.file, lambda _path: Fraction(5)).pieces
    assert [piece.start_s for piece in pieces] == [0, Fraction(46 * 1001, 30000), Fraction(126 * 1001, 30000)]
    with pytest.raises(InvalidInput, match="rate"):
        open_timeline(SAMPLES / "otio" / "simple_cut.otio", rate_hz=25.0)


def test_drop_frames_are_counted(tmp_path: Path) -> None:
    (tmp_path / "df.edl").write_text(
        "TITLE: DF\nFCM: DROP FRAME\n\n"
        "001  AX       V     C        00:00:59;20 00:01:00;12 01:00:00;00 01:00:00;20\n"
        "002  AX       V     C        00:00:00;00 00:01:00;02 01:00:00;20 01:01:00;22\n"
    )
    with pytest.raises(InvalidInput, match="drop frame"):
        open_timeline(tmp_path / "df.edl")
    opened = open_timeline(tmp_path / "df.edl", rate_hz=29.97)
    first, second = flatten(opened.timeline, opened.file, lambda _path: Fraction(5)).pieces
    # from 59;20 to 1:00;12 is 10 frames and 10, for 1:00;00 and 1:00;01 do not exist
    assert first.duration_s == Fraction(20 * 1001, 30000)
    assert second.duration_s == Fraction(1800 * 1001, 30000)
