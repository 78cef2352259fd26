from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from timelines import clip, gap, marker, media, span, stack, timeline, track, write

from foleyspace_host.cli import main
from foleyspace_host.errors import InvalidInput
from foleyspace_host.timeline.document import as_text, parse
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.run import spatialize_timeline

RATE = 48_000


def collection(*children: dict, **fields: object) -> dict:
    return {"OTIO_SCHEMA": "SerializableCollection.1", "metadata": {}, "name": "bin", "children": [*children]} | fields


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Two timelines and a loose clip; the second one is nested in a collection of its own."""
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 4 * RATE)
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype="FLOAT")
    heard = clip("a", span(24, 24), media("a.wav", span(0, 96)), markers=[marker("foleyspace: az=90", 24)])
    first = timeline(track(heard), name="Reel 1")
    second = timeline(track(gap(24), heard), name="Reel 2", metadata={"of": "mine"})
    return write(tmp_path / "in.otio", collection(first, clip("loose", span(0, 24)), collection(second)))


def test_without_a_name_the_timelines_are_named(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(several), "--dry-run"]) == 1
    said = capsys.readouterr().err
    assert "holds 2 timelines: 1 'Reel 1', 2 'Reel 2'" in said
    assert "--timeline" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(("name", "duration_s"), [("Reel 1", 1.0), ("Reel 2", 2.0), ("1", 1.0), ("2", 2.0)])
def test_one_of_them_is_taken_by_name_or_number(several: Path, name: str, duration_s: float) -> None:
    assert spatialize_timeline(several, dry_run=True, timeline_name=name).duration_s == duration_s


def test_a_name_goes_before_a_number(tmp_path: Path) -> None:
    source = write(tmp_path / "in.otio", collection(timeline(name="2"), timeline(track(), name="other")))
    assert open_timeline(source, name="2").timeline["name"] == "2"


@pytest.mark.parametrize("name", ["Reel 3", "0", "3", "", "reel 1"])
def test_a_name_that_is_not_there(several: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"holds no timeline called.*there are: 1 'Reel 1', 2 'Reel 2'"):
        spatialize_timeline(several, dry_run=True, timeline_name=name)


def test_a_name_that_several_have(tmp_path: Path) -> None:
    source = write(tmp_path / "in.otio", collection(timeline(name="cut"), timeline(name="cut"), timeline(name="")))
    with pytest.raises(InvalidInput, match="holds 2 timelines called 'cut'"):
        open_timeline(source, name="cut")
    assert open_timeline(source, name="2").timeline["name"] == "cut"
    assert open_timeline(source, name="").timeline["name"] == ""


def test_the_only_one_may_be_named(tmp_path: Path) -> None:
    source = write(tmp_path / "in.otio", timeline(name="cut"))
    assert open_timeline(source, name="cut").timeline["name"] == "cut"
    with pytest.raises(InvalidInput, match="holds no timeline called 'other'"):
        open_timeline(source, name="other")
    with pytest.raises(InvalidInput, match="holds no timeline but a SerializableCollection"):
        open_timeline(write(source, collection()), name="cut")


def test_the_others_are_written_as_they_are(several: Path, tmp_path: Path) -> None:
    before = json.loads(several.read_text())
    spatialize_timeline(several, tmp_path / "out.otio", timeline_name="Reel 2")
    after = json.loads((tmp_path / "out.otio").read_text())
    assert [one["name"] for one in after["children"]] == ["Reel 1", "loose", "bin"]
    inner = after["children"][2]["children"][0]
    assert inner["metadata"]["of"] == "mine"
    assert [one["name"] for one in inner["tracks"]["children"]] == ["", "FoleySpace 1"]
    first = after["children"][0]["tracks"]["children"]
    assert len(first) == len(before["children"][0]["tracks"]["children"])
    assert first[0]["children"][0]["enabled"] is True
    assert spatialize_timeline(tmp_path / "out.otio", dry_run=True, timeline_name="Reel 1").rendered == 1


def test_references_of_the_others_lead_to_the_same_files_too(several: Path, tmp_path: Path) -> None:
    (tmp_path / "edit").mkdir()
    out = tmp_path / "edit" / "out.otio"
    spatialize_timeline(several, out, timeline_name="Reel 2")
    for name in ("Reel 1", "Reel 2"):
        assert spatialize_timeline(out, dry_run=True, timeline_name=name).clips[0].media == str(tmp_path / "a.wav")


@pytest.mark.parametrize("suffix", [".xml", ".fcpxml"])
def test_several_sequences_of_other_formats(tmp_path: Path, suffix: str) -> None:
    otio = pytest.importorskip("opentimelineio")
    name = {".xml": "fcp_xml", ".fcpxml": "fcpx_xml"}[suffix]
    if name not in otio.adapters.available_adapter_names():
        pytest.skip(f"the adapter {name} is not installed")
    made = otio.schema.SerializableCollection("film")
    for reel in ("Reel 1", "Reel 2"):
        one = otio.schema.Timeline(reel)
        part = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 24), otio.opentime.RationalTime(24, 24))
        there = otio.schema.ExternalReference("file:///a.wav", part)
        cut = otio.schema.Track(kind="Audio" if suffix == ".xml" else "Video")
        cut.append(otio.schema.Clip("a", there, part))
        one.tracks.append(cut)
        made.append(one)
    path = tmp_path / f"in{suffix}"
    otio.adapters.write_to_file(made, str(path), adapter_name=name)
    with pytest.raises(InvalidInput, match="holds 2 timelines"):
        open_timeline(path)
    assert open_timeline(path, name="Reel 2").timeline["name"] == "Reel 2"


@pytest.mark.parametrize(("depth", "fits"), [(100, True), (1000, False), (100_000, False)])
def test_how_deep_a_timeline_may_be_nested(depth: int, fits: bool) -> None:
    inner = "{}" if fits else "[]"
    text = '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": []}, "metadata": {"x": '
    content = (text + "[" * depth + inner + "]" * depth + "}}").encode()
    if fits:
        assert parse(content, "here")["OTIO_SCHEMA"] == "Timeline.1"
        return
    with pytest.raises(InvalidInput, match="nested deeper than 300"):
        parse(content, "here")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(documents)
def test_a_document_reads_as_it_was_written(document: object) -> None:
    assert json.loads(as_text(document)) == document


def test_texts_that_are_no_strict_json(tmp_path: Path) -> None:
    for value in (float("nan"), "half of \ud83d"):
        text = as_text({"x": value, "y": "ü"})
        assert repr(json.loads(text)["x"]) == repr(value)
        text.encode()
    assert as_text({"a": [1, {}]}) == '{\n    "a": [\n        1,\n        {}\n    ]\n}'


def test_a_stack_is_no_timeline(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no timeline but a Stack"):
        open_timeline(write(tmp_path / "in.otio", stack(track())))
