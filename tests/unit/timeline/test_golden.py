"""Timelines on disk, and what is written for them; see golden/README.md."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile

from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.setup import library_path
from foleyspace_host.timeline.run import spatialize_timeline

GOLDEN = Path(__file__).parent / "golden"
RATE = 48_000
NAMES = ["simple", "nested", "rates", "wishes"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    (tmp_path / "sounds").mkdir()
    fall = np.exp(-np.arange(12_000) / 1500) * np.random.default_rng(0).standard_normal(12_000)
    soundfile.write(tmp_path / "sounds" / "hoof_clop.wav", np.concatenate([np.zeros(2400), 0.4 * fall]), RATE)
    soundfile.write(tmp_path / "sounds" / "rain.wav", 0.1 * np.random.default_rng(1).standard_normal(RATE * 2), RATE)
    with open_index(library_path()) as index:
        add_folder(index, tmp_path / "sounds")
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(2).uniform(-0.1, 0.1, 10 * RATE), RATE, subtype="FLOAT")
    return tmp_path


def without_digests(text: str) -> str:
    """Return a written timeline without what differs from machine to machine and from version to version."""
    document = json.loads(re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{48}\b|\b[0-9a-f]{16}(?=\.)", "DIGEST", text))
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "libraries" in value:
                value |= dict.fromkeys(("foleyspace", "python", "platform", "libraries", "device"), "")
            if "clips" in value and "foleyspace" in value:
                value["foleyspace"] = ""
            if value.get("device"):
                value["device"] = ""
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_written_format_is_the_same(folder: Path, name: str) -> None:
    source = Path(shutil.copy(GOLDEN / f"{name}.otio", folder / f"{name}.otio"))
    spatialize_timeline(source, folder / "out.otio", engine="library", handles_s=0.5)
    got = without_digests((folder / "out.otio").read_text(encoding="utf-8"))
    golden = GOLDEN / f"{name}.written.otio"
    if os.environ.get("FOLEYSPACE_WRITE_GOLDEN"):
        golden.write_text(got, encoding="utf-8")
    wanted = golden.read_text(encoding="utf-8")
    assert json.loads(got) == json.loads(wanted)
    assert got == wanted  # the order of the fields too


def ranges(name: str) -> dict[str, tuple[float, float, float]]:
    """Return start in the timeline, length, and start in its rendering of each clip of the golden file [s]."""
    read = otio.adapters.read_from_file(str(GOLDEN / f"{name}.written.otio"))
    found = {}
    for track in read.tracks:
        for clip in track.find_clips() if track.name.startswith("FoleySpace") else ():
            there = clip.transformed_time_range(clip.trimmed_range(), read.tracks)
            found[clip.name] = (
                there.start_time.to_seconds(),
                there.duration.to_seconds(),
                clip.source_range.start_time.to_seconds(),
            )
    return found


NTSC = 1001 / 1000
BY_HAND = {
    "simple": {"door slam": (1, 1, 0.5), "steps": (2.5, 1.5, 0.5), "wind": (1.5, 2, 0)},
    # one and two are 2 s each; of the scene its second from 1.5 s on is shown; the lost one lasts a second
    "nested": {"one": (0, 2, 0.5), "two": (2, 2, 0.5), "inner": (4, 1, 0.5), "two files": (6, 1, 0.5)},
    # handles are whole frames: of 29.97 a second 14 fit into half a second, of 23.976 there is nothing before
    "rates": {
        "film": (0, NTSC, 0),
        "video": (NTSC, NTSC, 14 * 1001 / 30000),
        "fast": (2 * NTSC, NTSC, 29 * 1001 / 60000),
        "warped": (3 * NTSC, 1, 0),
    },
    "wishes": {"hoof": (0.5, 1, 0), "rain": (0, 3, 0)},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_golden_times_are_those_worked_out_by_hand(name: str) -> None:
    got = ranges(name)
    assert sorted(got) == sorted(BY_HAND[name])
    for clip, times in BY_HAND[name].items():
        assert got[clip] == pytest.approx(times, abs=1e-6)
