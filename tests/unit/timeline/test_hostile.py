"""Timelines that mean harm, in the formats of other programs too: refused, or without effect, and nothing is left."""

from __future__ import annotations

import json
import math
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import clip, marker, media, span, timeline, track, write

from foleyspace_host.errors import FoleySpaceError, InvalidInput, MediaDamaged
from foleyspace_host.timeline.flatten import flatten
from foleyspace_host.timeline.read import open_timeline
from foleyspace_host.timeline.run import spatialize_timeline

AHEAD = "foleyspace: az=0 dist=1"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Make a sound outside of the folder of the timeline, and return that folder."""
    soundfile.write(tmp_path / "secret.wav", np.full(48_000, 0.1), 48_000)
    (tmp_path / "edit").mkdir()
    soundfile.write(tmp_path / "edit" / "a.wav", np.full(48_000, 0.1), 48_000)
    return tmp_path / "edit"


@pytest.mark.parametrize("suffix", [".xml", ".fcpxml"])
@pytest.mark.parametrize(
    "entities", ['<!ENTITY l0 "ha">' + LAUGHS, '<!ENTITY l11 SYSTEM "file:///etc/passwd">'], ids=["laughs", "outside"]
)
def test_entities_neither_grow_nor_read_files(tmp_path: Path, suffix: str, entities: str) -> None:
    root = "xmeml" if suffix == ".xml" else "fcpxml"
    text = f'<?xml version="1.0"?><!DOCTYPE {root} [{entities}]><{root} version="1.8"><name>&l11;</name></{root}>'
    (tmp_path / f"in{suffix}").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        open_timeline(tmp_path / f"in{suffix}")
    assert "root:" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", ["../secret.wav", "file:///x/../../secret.wav", "media/../../secret.wav"])
def test_a_list_of_cuts_leads_nowhere(secret: Path, name: str) -> None:
    (secret / "in.edl").write_text(
        "TITLE: x\n\n001  AX  A  C  00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
        f"* FROM CLIP NAME: x\n* FROM FILE: {name}\n"
    )
    opened = open_timeline(secret / "in.edl")
    (piece,) = flatten(opened.timeline, opened.file, lambda _path: Fraction(1)).pieces
    assert piece.path is None
    assert "leads out" in piece.problem or "no media" in piece.problem


@pytest.mark.parametrize("rate", [math.nan, math.inf, 0.0, -25.0, 1e12])
def test_a_frame_rate_that_is_none(secret: Path, rate: float) -> None:
    (secret / "in.edl").write_text("TITLE: x\n")
    with pytest.raises(InvalidInput, match="rate"):
        spatialize_timeline(secret / "in.edl", dry_run=True, rate_hz=rate)


@pytest.mark.parametrize("field", ["start_time", "duration"])
@pytest.mark.parametrize("part", ["rate", "value"])
def test_a_marker_at_no_time(secret: Path, field: str, part: str) -> None:
    bad = marker("foley: rain", 0, 24)
    bad["marked_range"][field][part] = math.nan
    one = clip("the clip", span(0, 24), media("a.wav"), markers=[bad])
    with pytest.raises(InvalidInput, match=r"rain|the clip"):
        spatialize_timeline(write(secret / "in.otio", timeline(track(one))), dry_run=True)


@pytest.mark.parametrize("told", ["https://example.org/t.json", "../t.json", "file://server/t.json"])
def test_a_trajectory_from_elsewhere(secret: Path, told: str) -> None:
    one = clip("a", span(0, 24), media("a.wav"), metadata={"foleyspace": {"trajectory": told}})
    source = write(secret / "in.otio", timeline(track(one)))
    with pytest.raises(FoleySpaceError, match=r"leads out|not a file|another machine|names no file"):
        spatialize_timeline(source, secret / "out.otio")
    assert not (secret / "out.otio").exists()


def test_words_make_no_paths(secret: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from foleyspace_host.generate.library.index import open_index
    from foleyspace_host.generate.library.scan import add_folder
    from foleyspace_host.generate.setup import library_path

    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "rain.wav", np.random.default_rng(1).uniform(-0.1, 0.1, 96_000), 48_000)
    with open_index(library_path()) as index:
        add_folder(index, tmp_path / "sounds")
    document = timeline(track(clip("../../evil/\n", span(0, 24), media("a.wav"), markers=[marker(AHEAD, 0)])))
    document["tracks"]["markers"] = [marker("foley: rain ../../../evil/x\n", 0, 24), marker(AHEAD, 0, 24)]
    before = {path for path in tmp_path.rglob("*") if "edit" not in path.parts}
    result = spatialize_timeline(write(secret / "in.otio", document), secret / "out.otio", engine="library")
    assert [one.action for one in result.clips] == ["render", "render"]
    assert {path for path in tmp_path.rglob("*") if "edit" not in path.parts} == before
    assert {path.parent.name for path in secret.rglob("*.wav")} == {"edit", "out-foleyspace", "foley"}


def bundle(path: Path, document: dict, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.otio", json.dumps(document))
        for name, content in files.items():
            archive.writestr(f"media/{name}.wav", content)
    return path


def test_a_bundle_does_not_follow_links_that_lie_there(secret: Path) -> None:
    content = (secret / "a.wav").read_bytes()
    one = clip("a", span(0, 24), media("media/a.wav"), markers=[marker(AHEAD, 0)])
    source = bundle(secret / "in.otioz", timeline(track(one)), a=content)
    elsewhere = secret.parent / "elsewhere"
    elsewhere.mkdir()
    (secret / "out-foleyspace" / "media").mkdir(parents=True)
    (secret / "out-foleyspace" / "media" / "media").symlink_to(elsewhere)
    with pytest.raises(InvalidInput, match="outside"):
        spatialize_timeline(source, secret / "out.otio")
    assert not list(elsewhere.iterdir())


def test_bundles_that_lie(secret: Path) -> None:
    source = secret / "in.otioz"
    document = timeline(track(clip("a", span(0, 24), media("media/a.wav"), markers=[marker(AHEAD, 0)])))
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("content.otio", json.dumps(document))
        archive.writestr("media/a.wav", b"x" * 100)
        archive.writestr("MEDIA/A.wav", b"y" * 100)  # the same file where case does not count
    with pytest.raises(InvalidInput, match="twice"):
        spatialize_timeline(source, secret / "out.otio")
    bundle(source, document, a=(secret / "a.wav").read_bytes())
    content = source.read_bytes()
    at = content.index(b"RIFF")
    source.write_bytes(content[: at + 60] + b"\xff\xff" + content[at + 62 :])
    with pytest.raises(MediaDamaged, match="cannot be read"):  # its checksum says another content
        spatialize_timeline(source, secret / "out.otio")
    flags = bytearray(bundle(source, document, a=b"x").read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = flags.index(signature)
        flags[at + offset] |= 1  # encrypted
    source.write_bytes(bytes(flags))
    with pytest.raises(MediaDamaged, match="cannot be read"):
        spatialize_timeline(source, secret / "out.otio")
    assert not (secret / "out.otio").exists()


def test_a_folder_whose_content_is_elsewhere(secret: Path) -> None:
    elsewhere = write(secret / "elsewhere.otio", timeline())
    (secret / "in.otiod").mkdir()
    (secret / "in.otiod" / "content.otio").symlink_to(elsewhere)
    with pytest.raises(InvalidInput, match="a link that leads out"):
        spatialize_timeline(secret / "in.otiod", dry_run=True)
