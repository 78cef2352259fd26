"""Timelines in the formats of other programs, written by the adapters themselves or by hand, and read back."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from opentimelineio import opentime, schema

from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.flatten import Flat, flatten
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.run import spatialize_timeline

RATES = {
    "24": Fraction(24),
    "25": Fraction(25),
    "23.976": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}
RATE = 48_000


@pytest.fixture
def media(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a b.wav", np.random.default_rng(1).uniform(-0.1, 0.1, 20 * RATE), RATE)
    (tmp_path / "v.mov").write_bytes(b"x")
    return tmp_path


def part(start: float, duration: float, rate: Fraction) -> opentime.TimeRange:
    return opentime.TimeRange(*(opentime.RationalTime(value, float(rate)) for value in (start, duration)))


def cut(folder: Path, rate: Fraction) -> schema.Timeline:
    def clip(name: str, file: str, start: float, duration: float) -> schema.Clip:
        there = part(0, round(20 * rate), rate)
        reference = schema.ExternalReference(target_url=(folder / file).as_uri(), available_range=there)
        return schema.Clip(name, reference, part(start, duration, rate))

    made = schema.Timeline("cut", global_start_time=opentime.RationalTime(0, float(rate)))
    video, sound = schema.Track("V1", kind="Video"), schema.Track("A1", kind="Audio")
    video.append(clip("v", "v.mov", 10, 100))
    sound.append(schema.Gap(source_range=part(0, 20, rate)))
    sound.extend([clip("one", "a b.wav", 24, 48), clip("two", "a b.wav", 100, 30)])
    made.tracks.extend([video, sound])
    return made


def read(path: Path, rate: Fraction | None = None) -> Flat:
    opened = open_timeline(path, rate_hz=None if rate is None else float(rate))
    return flatten(opened.timeline, opened.file, lambda _path: Fraction(20))


def frames(flat: Flat, rate: Fraction, kind: str) -> list[tuple[str, object, float, float, float]]:
    return [
        (str(p.clip["name"]), p.path and p.path.name, *(float(t * rate) for t in (p.start_s, p.duration_s, p.source_s)))
        for p in flat.pieces
        if p.kind == kind
    ]


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize(
    ("adapter", "suffix", "sounds"), [("fcp_xml", ".xml", True), ("AAF", ".aaf", True), ("cmx_3600", ".edl", False)]
)
def test_what_an_adapter_writes_is_read(media: Path, name: str, adapter: str, suffix: str, sounds: bool) -> None:
    rate, path = RATES[name], media / f"cut{suffix}"
    options = {"use_empty_mob_ids": True} if adapter == "AAF" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        otio.adapters.write_to_file(cut(media, rate), str(path), adapter_name=adapter, **options)
    flat = read(path, rate if suffix == ".edl" else None)
    (video,) = frames(flat, rate, "Video")
    assert video[:2] == ("v", "v.mov")
    assert video[2:] == pytest.approx((0, 100, 10), abs=1e-6)
    if sounds:  # an adapter that writes lists of cuts writes the picture alone
        one, two = frames(flat, rate, "Audio")
        assert (one[:2], two[:2]) == (("one", "a b.wav"), ("two", "a b.wav"))
        assert one[2:] == pytest.approx((20, 48, 24), abs=1e-6)
        assert two[2:] == pytest.approx((68, 30, 100), abs=1e-6)
    assert not any(piece.problem for piece in flat.pieces)


FCPXML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.8">
  <resources>
    <format id="r1" frameDuration="{frame}"/>
    <asset id="r2" name="a" src="{url}" start="0s" duration="{length}" hasAudio="1" format="r1"/>
  </resources>
  <project name="cut">
    <sequence format="r1" duration="{whole}">
      <spine>
        <gap name="gap" offset="0s" duration="{whole}" start="0s">
          <clip name="one" lane="-1" offset="{at}" start="{source}" duration="{long}">
            <gap name="gap" offset="0s" duration="{length}">
              <audio lane="-1" offset="0s" ref="r2" duration="{length}"/>
            </gap>
            <marker start="{source}" duration="{frame}" value="here" note="foleyspace: az=30"/>
          </clip>
        </gap>
      </spine>
    </sequence>
  </project>
</fcpxml>
"""


@pytest.mark.parametrize("name", RATES)
def test_an_fcpxml_counts_in_fractions(media: Path, name: str) -> None:
    frame = 1 / RATES[name]

    def said(n: int) -> str:
        return f"{n * frame.numerator}/{frame.denominator}s"

    url = (media / "a b.wav").as_uri()
    text = FCPXML.format(
        frame=said(1), url=url, length=said(400), whole=said(200), at=said(20), source=said(24), long=said(48)
    )
    (media / "cut.fcpxml").write_text(text)
    (one,) = frames(read(media / "cut.fcpxml"), RATES[name], "Audio")
    assert one[:2] == ("one", "a b.wav")
    assert one[2:] == pytest.approx((20, 48, 24), abs=1e-6)


def test_an_edl_with_sound(media: Path) -> None:
    (media / "cut.edl").write_text(
        "TITLE: cut\n\n"
        "001  AX       A     C        00:00:01:00 00:00:03:00 01:00:00:00 01:00:02:00\n"
        "* FROM CLIP NAME: one\n* FROM FILE: a b.wav\n"
        "002  AX       A     C        00:00:05:00 00:00:06:00 01:00:04:00 01:00:05:00\n"
        "* FROM CLIP NAME: two\n* FROM FILE: a b.wav\n"
    )
    flat = read(media / "cut.edl", Fraction(25))
    assert [(p.kind, p.start_s, p.duration_s) for p in flat.pieces] == [("Audio", 0, 2), ("Audio", 4, 1)]


def test_a_marked_cut_of_final_cut_is_rendered(media: Path) -> None:
    rate = RATES["29.97"]
    made = cut(media, rate)
    comment = {"fcp_xml": {"comment": "foleyspace: az=90"}}
    told = {"name": "foleyspace: az=90 dist=1"}, {"name": "here", "metadata": comment}
    for clip, said in zip(made.tracks[1].find_clips(), told, strict=True):
        at = part(clip.source_range.start_time.value, 0, rate)
        clip.markers.append(schema.Marker(marked_range=at, **said))
    otio.adapters.write_to_file(made, str(media / "cut.xml"), adapter_name="fcp_xml")
    result = spatialize_timeline(media / "cut.xml", media / "out.otio", mixdown=media / "mix.wav")
    assert [(one.action, one.placed_by) for one in result.clips] == [("render", "marker")] * 2
    mixed, _ = soundfile.read(media / "mix.wav")
    assert len(mixed) == round(100 / rate * RATE)
    first = round(20 / rate * RATE)
    assert not mixed[:first].any()
    levels = np.sqrt(np.mean(mixed[first:] ** 2, axis=0))
    assert levels[0] > 2 * levels[1]
    back = read(media / "out.otio")
    assert frames(back, rate, "Audio") == frames(read(media / "cut.xml"), rate, "Audio")


def test_a_list_of_clips_is_no_timeline(media: Path) -> None:
    otio.adapters.write_to_file(cut(media, Fraction(24)), str(media / "cut.ale"), adapter_name="ale")
    with pytest.raises(InvalidInput, match="no timeline but a SerializableCollection"):
        read(media / "cut.ale")


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="the adapter's writer asks ffprobe")
def test_what_the_adapter_for_fcpxml_writes_is_read(media: Path) -> None:
    rate = Fraction(25)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=s=64x48:r=25:d=20", str(media / "v.mov")]
    if shutil.which("ffmpeg") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("no ffmpeg makes a video")
    otio.adapters.write_to_file(cut(media, rate), str(media / "cut.fcpxml"), adapter_name="fcpx_xml")
    flat = read(media / "cut.fcpxml")
    assert [one[2:] for one in frames(flat, rate, "Audio")] == [(20, 48, 24), (68, 30, 100)]
    assert [one[2:] for one in frames(flat, rate, "Video")] == [(0, 100, 10)]
