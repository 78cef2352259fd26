"""Sounds that markers wish for, made by the library's engine from recordings made here."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import clip, gap, marker, media, span, stack, timeline, track, write

from foleyspace_host.cli import main
from foleyspace_host.errors import Cancelled, InvalidInput, NothingFound
from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.setup import library_path
from foleyspace_host.timeline.results import ClipResult, TimelineResult
from foleyspace_host.timeline.run import spatialize_timeline

RATE = 48_000
LEFT = marker("foleyspace: az=90 dist=1", 0, 2400)


@pytest.fixture(autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with two sounds in the library."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("FOLEYSPACE_HOME", str(home))
    place = home / "sounds"
    place.mkdir()
    fall = np.exp(-np.arange(12_000) / 1500) * np.random.default_rng(0).standard_normal(12_000)
    soundfile.write(place / "hoof_clop.wav", np.concatenate([np.zeros(2400), 0.4 * fall]), RATE)
    soundfile.write(place / "rain.wav", 0.1 * np.random.default_rng(1).standard_normal(RATE * 2), RATE)
    with open_index(library_path()) as index:
        add_folder(index, place)
    return place


def wish(text: str, start: float, duration: float, rate: float = 24, **fields: object) -> dict:
    return marker(f"foley: {text}", start, duration, rate) | fields


def scene(*markers: dict, **fields: object) -> dict:
    """Return a timeline of two seconds without a sound, with markers on it."""
    document = timeline(track(clip("shot", span(24, 48)), kind="Video"), **fields)
    document["tracks"]["markers"] = [*markers]
    return document


def run(folder: Path, document: dict, **options: object) -> TimelineResult:
    source = write(folder / "in.otio", document)
    return spatialize_timeline(source, folder / "out.otio", **({"engine": "library"} | options))


def placed(folder: Path) -> list[tuple[str, float, float]]:
    """Return the clips of the written tracks: name, start and duration [s]."""
    found = []
    for one in json.loads((folder / "out.otio").read_text())["tracks"]["children"]:
        at = Fraction(0)
        for item in one["children"] if one["name"].startswith("FoleySpace") else ():
            length = item["source_range"]["duration"]
            duration = Fraction(length["value"]) / Fraction(length["rate"])
            if item["OTIO_SCHEMA"] == "Clip.2":
                found.append((item["name"], float(at), float(duration)))
            at += duration
    return found


def told(folder: Path) -> dict:
    tracks = json.loads((folder / "out.otio").read_text())["tracks"]["children"]
    (one,) = [item for item in tracks[-1]["children"] if item["OTIO_SCHEMA"] == "Clip.2"]
    return one["metadata"]["foleyspace"]


def test_a_wish_on_the_timeline_is_made_and_placed(tmp_path: Path) -> None:
    result = run(tmp_path, scene(LEFT, wish("hoof", 12, 24)), mixdown=tmp_path / "mix.wav")
    (one,) = result.clips
    assert (one.action, one.placed_by, one.prompt, one.engine) == ("render", "marker", "hoof", "library")
    assert (one.start_s, one.duration_s) == (0.5, 1.0)
    assert placed(tmp_path) == [("hoof", 0.5, 1.0)]
    (dry,) = (tmp_path / "out-foleyspace" / "foley").glob("*.wav")
    assert soundfile.info(dry).frames == RATE
    assert soundfile.info(dry).channels == 1
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    assert not mixed[: RATE // 2].any()
    levels = np.sqrt(np.mean(mixed[RATE // 2 : RATE * 3 // 2] ** 2, axis=0))
    assert levels[0] > 2 * levels[1] > 0


def test_the_metadata_say_what_made_it(tmp_path: Path) -> None:
    run(tmp_path, scene(LEFT, wish("hoof seed=7", 12, 24)))
    made = told(tmp_path)["generated"]
    assert (made["prompt"], made["seed"], made["engine"]) == ("hoof", 7, "library")
    assert made["classes"] == ["hooves"]
    assert made["licence"] == "that of your recordings"
    assert [model["name"] for model in made["models"]] == ["hoof_clop.wav"]
    assert all(len(model["sha256"]) == 64 for model in made["models"])
    assert told(tmp_path)["placed_by"] == "marker"


def test_an_unchanged_wish_is_neither_made_nor_rendered_again(tmp_path: Path, library: Path) -> None:
    document = scene(LEFT, wish("hoof", 12, 24), wish("rain", 0, 48))
    assert run(tmp_path, document).rendered == 2
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "out-foleyspace").rglob("*.wav")}
    assert len(made) == 4
    assert run(tmp_path, document).reused == 2
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out-foleyspace").rglob("*.wav")} == made
    document["tracks"]["markers"][1]["marked_range"] = span(12, 25)
    assert [one.action for one in run(tmp_path, document).clips] == ["render", "reuse"]
    assert [one.action for one in run(tmp_path, document, seed=5).clips] == ["render", "render"]
    with open_index(library_path()) as index:
        index.remove(str(library / "hoof_clop.wav"))
    assert "no recording" in run(tmp_path, document).clips[0].reason  # what it was made from is gone


def test_a_damaged_sound_is_made_again(tmp_path: Path) -> None:
    document = scene(LEFT, wish("hoof", 12, 24))
    run(tmp_path, document)
    (dry,) = (tmp_path / "out-foleyspace" / "foley").glob("*.wav")
    content = dry.read_bytes()
    dry.write_bytes(b"RIFF")
    assert run(tmp_path, document).reused == 1
    assert dry.read_bytes() == content


def test_seeds_come_from_the_content(tmp_path: Path) -> None:
    def seeds(document: dict, **options: object) -> list[int]:
        run(tmp_path, document, **options)
        tracks = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"]
        ours = [item for one in tracks if one["name"].startswith("FoleySpace") for item in one["children"]]
        return [item["metadata"]["foleyspace"]["generated"]["seed"] for item in ours if item["OTIO_SCHEMA"] == "Clip.2"]

    def shot(before: float) -> dict:
        marked = clip("shot", span(24, 48), markers=[wish("hoof", 30, 24), marker("foleyspace: az=5", 30, 24)])
        return timeline(track(gap(before), marked, kind="Video"))

    (first,) = seeds(shot(10))
    assert seeds(shot(100)) == [first]  # the marked clip has been moved
    assert seeds(shot(10), seed=1) != [first]
    two = seeds(scene(LEFT, wish("hoof", 0, 24), wish("hoof", 24, 24), wish("hoof seed=9", 30, 18)))
    assert len(set(two)) == 3
    assert 9 in two


def test_wishes_are_found_wherever_markers_can_be(tmp_path: Path) -> None:
    here = marker("foleyspace: az=10", 0, 2400)
    shot = clip("shot", span(100, 48), markers=[wish("on a clip", 112, 24), marker("foleyspace: az=20", 0, 2400)])
    hole = gap(24) | {"markers": [wish("on a gap", 6, 12)]}
    nested = stack(track(clip("inner", span(0, 48)), kind="Video"), name="nest", markers=[wish("on a stack", 0, 24)])
    nested["source_range"] = span(12, 24)
    document = timeline(
        track(shot, hole, nested, kind="Video", markers=[wish("on a track", 6, 12), here]), track(gap(96), name="A")
    )
    document["tracks"]["markers"] = [wish("on all", 48, 24)]
    source = write(tmp_path / "in.otio", document)
    found = spatialize_timeline(source, dry_run=True, engine="library").clips
    assert {one.prompt: (one.start_s, one.duration_s) for one in found} == {
        "on a clip": (0.5, 1.0),
        "on a gap": (2.25, 0.5),
        "on a stack": (3.0, 0.5),  # the part that is shown
        "on a track": (0.25, 0.5),
        "on all": (2.0, 1.0),
    }
    by = {one.prompt: one.placed_by for one in found}
    assert by["on a clip"] == by["on a track"] == by["on a gap"] == by["on a stack"] == "marker"
    assert "no picture is visible" in next(one.reason for one in found if one.prompt == "on all")
    names = {one.prompt: one.name for one in found}
    assert names["on a clip"] == "V1/shot/foley: on a clip"
    assert names["on all"] == "timeline/foley: on all"


def test_what_is_disabled_or_not_chosen_wishes_for_nothing(tmp_path: Path) -> None:
    shot = clip("shot", span(0, 48), markers=[wish("hoof", 0, 24), LEFT], enabled=False)
    document = timeline(track(shot, kind="Video"))
    document["tracks"]["markers"] = [LEFT, wish("rain", 0, 24)]
    source = write(tmp_path / "in.otio", document)

    def reasons(**options: object) -> dict[str, str]:
        found = spatialize_timeline(source, dry_run=True, engine="library", **options).clips
        return {one.prompt: one.reason for one in found}

    assert reasons() == {"hoof": "it is disabled", "rain": ""}
    assert reasons(clip=["rain"])["rain"] == ""
    assert reasons(track=["V1"])["rain"] == "not chosen"
    assert reasons(marked=True)["rain"] == ""
    assert reasons(with_metadata=True)["rain"] == "not chosen"


def test_the_nearest_marker_places_it(tmp_path: Path) -> None:
    shot = clip("shot", span(24, 48), markers=[wish("hoof", 30, 24), marker("foleyspace: az=-60 dist=2", 24, 48)])
    document = timeline(track(shot, kind="Video"))
    document["tracks"]["markers"] = [marker("foleyspace: az=60 dist=5", 0, 96)]
    run(tmp_path, document)
    assert [key["azimuth_deg"] for key in told(tmp_path)["trajectory"]["sources"][0]["keys"]] == [-60]


def test_the_metadata_of_a_marker_place_it(tmp_path: Path) -> None:
    path = {
        "schema": "foleyspace.trajectory/1",
        "duration_s": 1.0,
        "sources": [{"id": "x", "keys": [{"t_s": 0.0, "azimuth_deg": -90.0, "elevation_deg": 0.0, "distance_m": 1.0}]}],
    }
    metadata = {"foleyspace": {"trajectory": path}, "mine": 1}
    result = run(tmp_path, scene(LEFT, wish("rain", 0, 24, metadata=metadata)), mixdown=tmp_path / "mix.wav")
    assert result.clips[0].placed_by == "metadata"
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    levels = np.sqrt(np.mean(mixed[:RATE] ** 2, axis=0))
    assert levels[1] > 2 * levels[0]
    back = json.loads((tmp_path / "out.otio").read_text())["tracks"]["markers"]
    assert back[1]["metadata"] == metadata  # the marker stays as it was


@pytest.mark.parametrize(
    ("text", "duration", "reason"),
    [
        ("hoof", 0, "the marker has no length"),
        ("hoof seed=x", 24, "not understood"),
        ("hoof seed=-1", 24, "not understood"),
        ("hoof seed=1 seed=2", 24, "not understood"),
        ("hoof dur=0", 24, "not understood"),
        ("hoof dur=nan", 24, "not understood"),
        ("hoof dur=1/0", 24, "not understood"),
        ("", 24, "not understood"),
        ("seed=4", 24, "not understood"),
        ("hoof", 1, "out of range"),
        ("xylophone of jelly", 24, "no recording in the library fits"),
    ],
)
def test_what_cannot_be_made_has_a_reason(tmp_path: Path, text: str, duration: float, reason: str) -> None:
    result = run(tmp_path, scene(LEFT, wish(text, 0, duration), wish("rain", 0, 24)))
    bad, good = result.clips
    assert (bad.action, good.action) == ("skip", "render")
    assert reason in bad.reason
    assert "\n" not in bad.reason


def test_a_length_may_be_in_the_words(tmp_path: Path) -> None:
    run(tmp_path, scene(LEFT, wish("hoof dur=0.75", 12, 0)))
    assert placed(tmp_path) == [("hoof", 0.5, 0.75)]


def test_without_an_engine_the_reason_says_the_cure(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(write(tmp_path / "in.otio", scene(LEFT, wish("hoof", 12, 24))))
    assert main(["timeline", source, "--dry-run", "--engine", "library"]) == 0
    text = capsys.readouterr().out
    assert "foley: hoof" in text
    assert "made by library as hooves" in text
    assert "1 to render" in text
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "empty"))
    assert main(["timeline", source, "--dry-run", "--engine", "library", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["clips"]
    assert one["reason"] == (
        "no sound is made by the engine 'library': no sounds were added to the library; foleyspace library add DIR"
    )
    with pytest.raises(NothingFound, match="library add DIR"):
        run(tmp_path, scene(LEFT, wish("hoof", 12, 24)))
    with pytest.raises(InvalidInput, match="there is no engine 'orchestra'"):
        run(tmp_path, scene(LEFT, wish("hoof", 12, 24)), engine="orchestra")


def test_stopping_while_a_sound_is_made_leaves_nothing_half(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        if stage == "foley" and done > 1200:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(tmp_path, scene(LEFT, wish("hoof", 12, 24), wish("rain", 0, 48)), on_progress=stop)
    assert len(list((tmp_path / "out-foleyspace" / "foley").glob("*.wav"))) == 1
    assert not (tmp_path / "out.otio").exists()
    parts = [done for stage, done, _ in told if stage == "foley"]
    assert parts == sorted(parts)


def test_objects_hold_what_was_made(tmp_path: Path) -> None:
    run(tmp_path, scene(LEFT, wish("hoof", 12, 24)), adm=tmp_path / "adm.wav", bit_depth="float")
    (dry,) = (tmp_path / "out-foleyspace" / "foley").glob("*.wav")
    made, _ = soundfile.read(dry, dtype="float32")
    objects, _ = soundfile.read(tmp_path / "adm.wav", dtype="float32")
    np.testing.assert_array_equal(objects[RATE // 2 : RATE * 3 // 2], made)


def test_a_clip_result_of_a_clip_names_no_engine(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(RATE, 0.1), RATE)
    document = timeline(track(clip("a", span(0, 24), media("a.wav"), markers=[LEFT])))
    one: ClipResult = run(tmp_path, document).clips[0]
    assert (one.prompt, one.engine) == ("", "")


def test_the_picture_times_and_places_a_wish(tmp_path: Path, shared_dir: Path) -> None:
    video = media((shared_dir / "data" / "video" / "fs_horse.mp4").as_uri(), span(0, 192))
    shots = clip("one", span(0, 144), video, markers=[wish("hoof", 24, 120)]), clip("two", span(144, 48), video)
    document = timeline(track(*shots, kind="Video"))
    document["tracks"]["markers"] = [wish("hoof seed=3", 132, 24)]  # across the cut
    result = run(tmp_path, document)
    assert [one.placed_by for one in result.clips] == ["picture", "picture"]
    assert [one.pictures for one in result.clips] == [("V1/one",), ("V1/one", "V1/two")]
    tracks = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"]
    items = [item for one in tracks if one["name"].startswith("FoleySpace") for item in one["children"]]
    whole, across = (item["metadata"]["foleyspace"] for item in items if item["OTIO_SCHEMA"] == "Clip.2")
    assert (whole["generated"]["timed_by"], across["generated"]["timed_by"]) == ("fs_horse.mp4", None)
    assert whole["generated"]["seen_events"] > 2
    # it runs from the left to the right
    azimuth = [key["azimuth_deg"] for key in whole["trajectory"]["sources"][0]["keys"]]
    assert azimuth[0] > azimuth[-1]
    assert "centernet" in [model["name"] for model in whole["looked_with"]]
