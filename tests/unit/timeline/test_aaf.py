"""AAF files with several sequences, written with pyaaf2 by itself: which one is meant, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from timelines import clip, span, timeline, track, write

from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.flatten import flatten
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.run import spatialize_timeline

aaf2 = pytest.importorskip("aaf2")
pytest.importorskip("otio_aaf_adapter")

RATE_HZ, FPS, FILE_FRAMES, GAP = 48_000, 25, 500, 10


@dataclass(frozen=True)
class Reel:
    """A sequence: a gap of ten frames, then a part of the sound, marked; after it perhaps another sequence."""

    name: str
    start: int
    length: int
    azimuth_deg: int = 90
    holds: str = ""


REELS = (Reel("Reel 1", 20, 50), Reel("Reel 2", 100, 30, -90))


@pytest.fixture
def media(tmp_path: Path) -> Path:
    noise = np.random.default_rng(3).uniform(-0.1, 0.1, FILE_FRAMES // FPS * RATE_HZ)
    soundfile.write(tmp_path / "a.wav", noise, RATE_HZ)
    return tmp_path / "a.wav"


def written(path: Path, media: Path, reels: tuple[Reel, ...] = REELS, *, usage: str | None = "Usage_TopLevel") -> Path:
    """Write an AAF file, as editing programs do: compositions of a master of a file."""
    with aaf2.open(str(path), "w") as file:
        make = file.create
        source, master = make.SourceMob(media.name), make.MasterMob(media.name)
        source.descriptor = make.PCMDescriptor()
        facts = {"SampleRate": RATE_HZ, "AudioSamplingRate": RATE_HZ, "Channels": 1, "QuantizationBits": 16}
        for name, value in (facts | {"BlockAlign": 2, "AverageBPS": 2 * RATE_HZ, "Length": FILE_FRAMES}).items():
            source.descriptor[name].value = value
        locator = make.NetworkLocator()
        locator["URLString"].value = media.as_uri()
        source.descriptor["Locator"].append(locator)
        whole = source.create_timeline_slot(FPS)
        whole.segment = make.SourceClip(length=FILE_FRAMES, media_kind="sound")
        slot = master.create_timeline_slot(FPS)
        slot.segment = source.create_source_clip(whole.slot_id, 0, FILE_FRAMES, "sound")
        file.content.mobs.extend([source, master])
        made: dict[str, Any] = {}
        for reel in reels:
            made[reel.name] = cut = make.CompositionMob(reel.name)
            if usage is not None:
                cut.usage = usage
            line = cut.create_timeline_slot(FPS)
            line["PhysicalTrackNumber"].value = 1
            line.segment = make.Sequence(media_kind="sound")
            used = master.create_source_clip(slot.slot_id, reel.start, reel.length, "sound")
            line.segment.components.extend([make.Filler("sound", GAP), used])
            line.segment.length = GAP + reel.length
            if reel.holds:
                inner = made[reel.holds].slots.value[0]
                length = inner.segment.length
                nested = made[reel.holds].create_source_clip(inner.slot_id, 0, length, "sound")
                line.segment.components.append(nested)
                line.segment.length += length
            cut.slots.append(_marked(make, line.slot_id, reel))
            file.content.mobs.append(cut)
    return path


def _marked(make: Any, slot_id: int, reel: Reel) -> Any:
    """Return a slot with a marker on the clip of a sequence."""
    marks = make.EventMobSlot()
    marks.slot_id, marks.segment = 1000, make.Sequence(media_kind="DescriptiveMetadata")
    marks["EditRate"].value, marks["PhysicalTrackNumber"].value = FPS, 1
    mark = make.DescriptiveMarker()
    mark["Position"].value, mark["DescribedSlots"].value = GAP, {slot_id}
    mark["Comment"].value = f"foleyspace: az={reel.azimuth_deg} dist=1"
    marks.segment.components.append(mark)
    return marks


def cuts(path: Path, name: str | None = None) -> list[tuple[str, Fraction, Fraction, Fraction]]:
    opened = open_timeline(path, name=name)
    flat = flatten(opened.timeline, opened.file, lambda _path: Fraction(FILE_FRAMES, FPS))
    return [
        (piece.problem, piece.start_s * FPS, piece.duration_s * FPS, piece.source_s * FPS)
        for piece in flat.pieces
        if piece.kind == "Audio"
    ]


@pytest.mark.parametrize("usage", ["Usage_TopLevel", None])
@pytest.mark.parametrize(("name", "reel"), [("Reel 1", 0), ("1", 0), ("Reel 2", 1), ("2", 1)])
def test_one_of_several_sequences_is_chosen(
    tmp_path: Path, media: Path, usage: str | None, name: str, reel: int
) -> None:
    path = written(tmp_path / "two.aaf", media, usage=usage)
    assert cuts(path, name) == [("", GAP, REELS[reel].length, REELS[reel].start)]


def test_a_single_sequence_needs_no_choice(tmp_path: Path, media: Path) -> None:
    path = written(tmp_path / "one.aaf", media, REELS[:1])
    assert cuts(path) == cuts(path, "Reel 1") == cuts(path, "1") == [("", GAP, 50, 20)]


@pytest.mark.parametrize("name", [None, "Reel 3", "0", "3", ""])
def test_what_is_said_without_a_choice_is_what_is_said_of_other_formats(
    tmp_path: Path, media: Path, name: str | None
) -> None:
    both = [timeline(track(clip("a", span(0, 24))), name=reel.name) for reel in REELS]
    document = {"OTIO_SCHEMA": "SerializableCollection.1", "name": "", "metadata": {}, "children": both}
    said = []
    for path in (written(tmp_path / "two.aaf", media), write(tmp_path / "two.otio", document)):
        with pytest.raises(InvalidInput) as error:
            open_timeline(path, name=name)
        said.append((error.value.problem, error.value.cure, error.value.code))
    assert said[0] == said[1]
    assert "1 'Reel 1', 2 'Reel 2'" in " ".join(map(str, said[0]))


def test_two_of_one_name_are_told_apart_by_number(tmp_path: Path, media: Path) -> None:
    path = written(tmp_path / "two.aaf", media, (REELS[0], replace(REELS[1], name="Reel 1")))
    with pytest.raises(InvalidInput, match="holds 2 timelines called 'Reel 1'"):
        cuts(path, "Reel 1")
    assert cuts(path, "2") == [("", GAP, 30, 100)]


def test_a_sequence_in_another_is_there_and_in_it(tmp_path: Path, media: Path) -> None:
    path = written(tmp_path / "two.aaf", media, (REELS[0], replace(REELS[1], holds="Reel 1")))
    assert cuts(path, "Reel 1") == [("", GAP, 50, 20)]
    assert cuts(path, "Reel 2") == [("", GAP, 30, 100), ("", GAP + 30 + GAP, 50, 20)]


def test_only_the_chosen_sequence_is_rendered_and_the_other_is_as_it_was(tmp_path: Path, media: Path) -> None:
    path, out = written(tmp_path / "two.aaf", media), tmp_path / "out.otio"
    before = open_timeline(path, name="1").document
    result = spatialize_timeline(path, out, timeline_name="Reel 2", mixdown=tmp_path / "mix.wav")
    assert [(one.action, one.placed_by) for one in result.clips] == [("render", "marker")]
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    assert len(mixed) == (GAP + 30) * RATE_HZ // FPS
    assert not mixed[: GAP * RATE_HZ // FPS].any()
    levels = np.sqrt(np.mean(mixed**2, axis=0))
    assert levels[1] > 2 * levels[0]  # from the right, as the marker of this one says
    after = json.loads(out.read_text())
    assert after["children"][0] == before["children"][0]
    names = [line["name"] for line in after["children"][1]["tracks"]["children"]]
    assert names[-1] == "FoleySpace 1"
    assert cuts(out, "Reel 1") == cuts(path, "Reel 1")
