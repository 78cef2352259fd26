from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import FREEZE, clip, gap, marker, media, span, stack, timeline, track, transition, warp, write

from foleyspace_host.cli import main
from foleyspace_host.errors import Cancelled, FoleySpaceError, InvalidInput, NothingFound
from foleyspace_host.timeline.run import spatialize_timeline

RATE = 48_000
AT_LEFT = "foleyspace: az=90 dist=1"


@pytest.fixture
def sound(tmp_path: Path) -> dict:
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (10 * RATE, 1)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype="FLOAT")
    return media("a.wav", span(0, 240))


def marked(name: str, start: float, duration: float, reference: dict, text: str = AT_LEFT, **fields: object) -> dict:
    return clip(name, span(start, duration), reference, markers=[marker(text, start)], **fields)


def rendered_tracks(path: Path) -> list[dict]:
    tracks = json.loads(path.read_text())["tracks"]["children"]
    return [one for one in tracks if one["name"].startswith("FoleySpace")]


def test_a_clip_is_rendered_to_its_place(tmp_path: Path, sound: dict) -> None:
    source = write(tmp_path / "in.otio", timeline(track(gap(24), marked("door slam", 48, 24, sound))))
    out = tmp_path / "out.otio"
    result = spatialize_timeline(source, out, mixdown=tmp_path / "mix.wav")
    assert (result.rendered, result.reused, result.skipped) == (1, 0, 0)
    (there,) = rendered_tracks(out)
    first, one = there["children"]
    assert first["source_range"]["duration"]["value"] == 24
    assert one["source_range"]["start_time"]["value"] == 24  # a second of handle
    assert one["source_range"]["duration"]["value"] == 24
    told = one["metadata"]["foleyspace"]
    assert told["schema_version"] == 1
    assert told["placed_by"] == "marker"
    assert len(told["request"]) == 48
    assert told["provenance"]["models"][0]["name"] == "kemar"
    url = one["media_references"]["DEFAULT_MEDIA"]["target_url"]
    assert not url.startswith(("/", "file:"))
    samples, rate = soundfile.read(tmp_path / url)
    assert samples.shape == (3 * RATE, 2)
    assert rate == RATE
    levels = np.sqrt(np.mean(samples**2, axis=0))
    assert levels[0] > 2 * levels[1]  # from the left
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    assert mixed.shape == (2 * RATE, 2)
    assert not mixed[:RATE].any()
    # the mix is the rendering, a second into it
    np.testing.assert_allclose(mixed[RATE:], samples[RATE : 2 * RATE], atol=2**-22)
    original = json.loads(out.read_text())["tracks"]["children"][0]["children"][1]
    assert original["enabled"] is False
    assert original["metadata"]["foleyspace"]["replaced"] is True


def test_opentimelineio_reads_what_is_written(tmp_path: Path, sound: dict) -> None:
    otio = pytest.importorskip("opentimelineio")
    clips = [marked("a", 30, 24, sound), gap(7), marked("b", 60, 31, sound)]
    source = write(tmp_path / "in.otio", timeline(track(*clips), track(marked("c", 36, 100, sound))))
    spatialize_timeline(source, tmp_path / "out.otio")
    back = otio.adapters.read_from_file(str(tmp_path / "out.otio"))
    there = {one.name: one for one in back.tracks if one.name.startswith("FoleySpace")}
    assert sorted(there) == ["FoleySpace 1", "FoleySpace 2"]
    for before in [*back.tracks[0].find_clips(), *back.tracks[1].find_clips()]:
        (after,) = [one for track_ in there.values() for one in track_.find_clips() if one.name == before.name]
        assert after.range_in_parent() == before.range_in_parent()
        assert not before.enabled
        assert after.available_range().contains(after.source_range.start_time)


def test_only_what_changed_is_rendered_again(tmp_path: Path, sound: dict) -> None:
    clips = [marked("a", 30, 24, sound), marked("b", 60, 24, sound)]
    source, out = write(tmp_path / "in.otio", timeline(track(*clips))), tmp_path / "out.otio"
    assert spatialize_timeline(source, out).rendered == 2
    assert spatialize_timeline(source, out).reused == 2
    assert spatialize_timeline(out, tmp_path / "out.otio.next.otio").rendered == 2  # another folder of renders
    clips[1]["markers"][0]["name"] = "foleyspace: az=-90"
    write(source, timeline(track(gap(5), *clips)))
    result = spatialize_timeline(source, out)
    assert [one.action for one in result.clips] == ["reuse", "render"]
    assert spatialize_timeline(source, out, spread=0.5).rendered == 2
    (one, *_) = [c for c in spatialize_timeline(source, out).clips if c.output]
    Path(one.output or "").write_bytes(b"RIFF")  # damaged meanwhile
    assert spatialize_timeline(source, out).rendered == 1


def test_a_written_timeline_may_be_read_again(tmp_path: Path, sound: dict) -> None:
    source, first = write(tmp_path / "in.otio", timeline(track(marked("a", 30, 24, sound)))), tmp_path / "first.otio"
    spatialize_timeline(source, first)
    result = spatialize_timeline(first, tmp_path / "second.otio", keep_sources=True)
    assert result.rendered == 1
    tracks = json.loads((tmp_path / "second.otio").read_text())["tracks"]["children"]
    assert [one["name"] for one in tracks] == ["", "FoleySpace 1"]
    assert tracks[0]["children"][0]["enabled"] is True
    assert "replaced" not in tracks[0]["children"][0]["metadata"]["foleyspace"]


def test_what_is_not_known_survives(tmp_path: Path, sound: dict) -> None:
    strange = {"OTIO_SCHEMA": "Hologram.4", "source_range": span(0, 12), "colour": ["blue", {"deep": None}]}
    metadata = {"someone": {"OTIO_SCHEMA": "Else.9", "x": 1.5}, "ünïcode": "→"}
    one = marked("a", 30, 24, sound, metadata=metadata)
    source = write(tmp_path / "in.otio", timeline(track(strange, one), metadata=metadata, secret={"of": "mine"}))
    result = spatialize_timeline(source, tmp_path / "out.otio")
    assert "unknown schema 'Hologram'" in result.clips[0].reason
    back = json.loads((tmp_path / "out.otio").read_text())
    assert back["tracks"]["children"][0]["children"][0] == strange
    assert back["secret"] == {"of": "mine"}
    for item in (back, back["tracks"]["children"][0]["children"][1]):
        assert {name: item["metadata"][name] for name in metadata} == metadata


def test_references_are_relinked_from_another_folder(tmp_path: Path, sound: dict) -> None:
    (tmp_path / "edit").mkdir()
    source = write(tmp_path / "in.otio", timeline(track(marked("a", 30, 24, sound))))
    spatialize_timeline(source, tmp_path / "edit" / "out.otio")
    again = spatialize_timeline(tmp_path / "edit" / "out.otio", dry_run=True)
    assert again.clips[0].media == str(tmp_path / "a.wav")


def test_cross_fades_stay_and_sound_in_the_mix(tmp_path: Path, sound: dict) -> None:
    ones = np.full((10 * RATE, 1), 0.25, np.float32)
    soundfile.write(tmp_path / "a.wav", ones, RATE, subtype="FLOAT")
    ahead = "foleyspace: az=0 dist=1"
    parts = marked("a", 48, 48, sound, ahead), transition(12, 12), marked("b", 72, 48, sound, ahead)
    source = write(tmp_path / "in.otio", timeline(track(*parts)))
    spatialize_timeline(source, tmp_path / "out.otio", mixdown=tmp_path / "mix.wav", handles_s=0, format="foa")
    items = rendered_tracks(tmp_path / "out.otio")[0]["children"]
    assert [one["OTIO_SCHEMA"] for one in items] == ["Clip.2", "Transition.1", "Clip.2"]
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    assert mixed.shape == (4 * RATE, 4)
    plain = mixed[RATE // 2, 0]
    middle = mixed[2 * RATE - 5 : 2 * RATE + 5, 0]
    np.testing.assert_allclose(middle, np.sqrt(2) * plain, rtol=0.01)  # equal power: cos 45 + sin 45
    np.testing.assert_allclose(mixed[int(2.6 * RATE), 0], plain, rtol=0.01)


@pytest.mark.parametrize("rate", [23.976, 29.97, 59.94, 25])
@pytest.mark.parametrize("frames", [1, 100, 1001])
def test_a_mix_is_as_long_as_the_timeline_to_the_sample(tmp_path: Path, sound: dict, rate: float, frames: int) -> None:
    one = clip("a", span(0, 12, rate), sound, markers=[marker(AT_LEFT, 0)])
    source = write(tmp_path / "in.otio", timeline(track(gap(frames, rate), one)))
    spatialize_timeline(source, tmp_path / "out.otio", mixdown=tmp_path / "mix.wav", format="foa")
    exact = (
        Fraction(frames + 12)
        / {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001), 59.94: Fraction(60000, 1001), 25: Fraction(25)}[
            rate
        ]
    )
    assert soundfile.info(tmp_path / "mix.wav").frames == int(exact * RATE + Fraction(1, 2))


def test_rates_are_mixed_into_one(tmp_path: Path, sound: dict) -> None:
    t = np.arange(2 * 44_100) / 44_100
    soundfile.write(tmp_path / "b.wav", 0.1 * np.sin(2 * np.pi * 1000 * t), 44_100, subtype="FLOAT")
    clips = track(marked("a", 0, 24, sound)), track(marked("b", 0, 48, media("b.wav")))
    source = write(tmp_path / "in.otio", timeline(*clips))
    spatialize_timeline(source, tmp_path / "out.otio", mixdown=tmp_path / "mix.wav")
    mixed, rate = soundfile.read(tmp_path / "mix.wav")
    assert (len(mixed), rate) == (2 * RATE, RATE)
    spectrum = np.abs(np.fft.rfft(mixed[RATE:, 0]))
    assert spectrum.argmax() == 1000


@pytest.mark.parametrize(("bits", "turned"), [("24", True), ("float", False)])
def test_how_loud_a_mix_is_and_that_it_was_turned_down_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bits: str, turned: bool
) -> None:
    tone = 0.9 * np.sin(2 * np.pi * 997 * np.arange(4 * RATE) / RATE)
    soundfile.write(tmp_path / "a.wav", tone, RATE, subtype="FLOAT")
    clips = [track(marked(name, 0, 96, media("a.wav"), "foleyspace: az=0 dist=1")) for name in "abcd"]  # 12 dB louder
    source, mix = write(tmp_path / "in.otio", timeline(*clips)), tmp_path / "mix.wav"
    words = [str(source), "-o", str(tmp_path / "out.otio"), "--mixdown", str(mix), "--bit-depth", bits]
    assert main(["timeline", *words, "--json"]) == 0
    levels = json.loads(capsys.readouterr().out)["mix"]
    peak_db = 20 * np.log10(np.abs(soundfile.read(mix)[0]).max())
    assert levels["true_peak_db"] == pytest.approx(peak_db, abs=0.1)  # far below half the rate they are the same
    assert (levels["gain_db"] < -6.0) == turned
    assert levels["gain_db"] <= 0.0
    assert main(["timeline", *words]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(
        f"the mix peaks at {levels['true_peak_db']:.1f} dBTP, loudness {levels['loudness_lufs']:.1f}"
    )
    assert ("turned down" in said) == turned


def test_without_a_mix_nothing_is_told_of_one(tmp_path: Path, sound: dict) -> None:
    source = write(tmp_path / "in.otio", timeline(track(marked("a", 0, 24, sound))))
    assert spatialize_timeline(source, tmp_path / "out.otio").mix is None


def test_a_trajectory_of_the_metadata_goes_before_markers(tmp_path: Path, sound: dict) -> None:
    document = {
        "schema": "foleyspace.trajectory/1",
        "duration_s": 1.0,
        "sources": [{"id": "x", "keys": [{"t_s": 0.0, "azimuth_deg": -90.0, "elevation_deg": 0.0, "distance_m": 1.0}]}],
    }
    (tmp_path / "t.json").write_text(json.dumps(document))
    for told in (document, "t.json"):
        one = marked("a", 48, 24, sound, metadata={"foleyspace": {"trajectory": told}})
        source = write(tmp_path / "in.otio", timeline(track(one)))
        result = spatialize_timeline(source, tmp_path / "out.otio")
        assert result.clips[0].placed_by == "metadata"
        samples, _ = soundfile.read(result.clips[0].output or "")
        levels = np.sqrt(np.mean(samples**2, axis=0))
        assert levels[1] > 2 * levels[0]
    one["metadata"]["foleyspace"]["trajectory"] = "../t.json"
    write(source, timeline(track(one)))
    with pytest.raises(NothingFound, match="leads out"):
        spatialize_timeline(source, tmp_path / "out.otio")


def test_several_markers_are_a_path(tmp_path: Path, sound: dict) -> None:
    one = clip("a", span(48, 48), sound, markers=[marker(AT_LEFT, 48), marker("foleyspace: az=-90 dist=1", 95)])
    source = write(tmp_path / "in.otio", timeline(track(one)))
    result = spatialize_timeline(source, tmp_path / "out.otio", handles_s=0)
    samples, _ = soundfile.read(result.clips[0].output or "")
    early, late = samples[: RATE // 4] ** 2, samples[-RATE // 4 :] ** 2
    assert early[:, 0].sum() > 3 * early[:, 1].sum()
    assert late[:, 1].sum() > 3 * late[:, 0].sum()


REASONS: list[tuple[str, Callable[[dict], dict], str]] = [
    ("disabled", lambda s: marked("x", 0, 24, s, enabled=False), "disabled"),
    ("warp", lambda s: marked("x", 0, 24, s, effects=[warp(float("nan"))]), "no valid speed"),
    ("curve", lambda s: marked("x", 0, 24, s, effects=[{"OTIO_SCHEMA": "TimeEffect.1", "name": "ease"}]), "'ease'"),
    ("before", lambda s: marked("x", -12, 24, s, effects=[warp(-1.0)]), "before its media"),
    ("freeze", lambda s: marked("x", 0, 24, s, effects=[FREEZE]), "frozen"),
    ("missing", lambda _s: marked("x", 0, 24, media("none.wav")), "not there"),
    ("url", lambda _s: marked("x", 0, 24, media("https://example.org/a.wav")), "not a file"),
    ("no picture", lambda s: clip("x", span(0, 24), s), "no picture"),
    ("marker", lambda s: marked("x", 0, 24, s, "foleyspace: az=400"), "not understood"),
]


@pytest.mark.parametrize(("item", "reason"), [case[1:] for case in REASONS], ids=[case[0] for case in REASONS])
def test_what_is_left_as_it_is_has_a_reason(tmp_path: Path, sound: dict, item: Callable, reason: str) -> None:
    source = write(tmp_path / "in.otio", timeline(track(item(sound), marked("good", 48, 24, sound))))
    dry = spatialize_timeline(source, dry_run=True)
    assert [one.action for one in dry.clips] == ["skip", "render"]
    assert reason in dry.clips[0].reason
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "in.otio"]
    done = spatialize_timeline(source, tmp_path / "out.otio")
    assert [one.action for one in done.clips] == ["skip", "render"]
    write(source, timeline(track(item(sound))))
    with pytest.raises(NothingFound, match=reason):
        spatialize_timeline(source, tmp_path / "out.otio")


def test_clips_are_chosen_by_track_name_marker_and_metadata(tmp_path: Path, sound: dict) -> None:
    first = track(marked("a", 0, 24, sound), marked("b", 0, 24, sound, "nothing"), name="Steps")
    second = track(marked("c", 0, 24, sound), marked("door 1", 24, 24, sound))
    source = write(tmp_path / "in.otio", timeline(first, second))

    def taken(**options: object) -> list[str]:
        return [one.name for one in spatialize_timeline(source, dry_run=True, **options).clips if not one.reason]

    assert taken() == ["Steps/a", "A2/c", "A2/door 1"]
    assert taken(track=["A2"]) == ["A2/c", "A2/door 1"]
    assert taken(track=["Steps"]) == ["Steps/a"]
    assert taken(clip=["door*", "a"]) == ["Steps/a", "A2/door 1"]
    assert taken(marked=True) == ["Steps/a", "A2/c", "A2/door 1"]
    assert taken(with_metadata=True) == []
    with pytest.raises(InvalidInput, match="there is no track 'A3'"):
        taken(track=["A3"])


def test_the_same_sound_is_not_rendered_twice(tmp_path: Path, sound: dict) -> None:
    def scene(**fields: object) -> dict:
        return stack(track(marked("a", 0, 24, sound)), name="scene", **fields)

    source = write(tmp_path / "in.otio", timeline(track(scene()), track(scene(), kind="Video")))
    first, second = spatialize_timeline(source, dry_run=True).clips
    assert first.action == "render"
    assert "the same sound" in second.reason


def bundle(path: Path, document: dict, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version.txt", "1.0.0")
        archive.writestr("content.otio", json.dumps(document))
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_bundles(tmp_path: Path, sound: dict) -> None:
    document = timeline(track(marked("a", 30, 24, media("media/a.wav", span(0, 240)))))
    content = (tmp_path / "a.wav").read_bytes()
    source = bundle(tmp_path / "in.otioz", document, {"media/a.wav": content})
    (tmp_path / "a.wav").unlink()
    assert spatialize_timeline(source, dry_run=True).rendered == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.otioz"]
    result = spatialize_timeline(source, tmp_path / "out.otio")
    assert result.rendered == 1
    assert spatialize_timeline(tmp_path / "out.otio", dry_run=True).clips[0].media == result.clips[0].media
    folder = tmp_path / "in.otiod"
    (folder / "media").mkdir(parents=True)
    (folder / "media" / "a.wav").write_bytes(content)
    write(folder / "content.otio", document)
    assert spatialize_timeline(folder, tmp_path / "third.otio").rendered == 1
    (folder / "media" / "a.wav").unlink()
    (tmp_path / "b.wav").write_bytes(content)
    (folder / "media" / "a.wav").symlink_to(tmp_path / "b.wav")
    assert "outside of the folders" in spatialize_timeline(folder, dry_run=True).clips[0].reason


@pytest.mark.parametrize(
    "name", ["../evil.wav", "/evil.wav", "media/../../evil.wav", "..\\evil.wav", "C:\\evil.wav", "media/con.wav"]
)
def test_bundles_that_lead_out_of_themselves_are_refused(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    source = bundle(inner / "in.otioz", timeline(track(clip("a", span(0, 24)))), {name: b"evil"})
    with pytest.raises(InvalidInput, match="outside of it"):
        spatialize_timeline(source, inner / "out.otio")
    assert not list(tmp_path.rglob("*evil*"))


def test_links_and_bombs_in_bundles_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.otioz"
    link = zipfile.ZipInfo("media/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("content.otio", json.dumps(timeline()))
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidInput, match="no plain file"):
        spatialize_timeline(source, tmp_path / "out.otio")
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.otio", json.dumps(timeline()))
        archive.writestr("media/a.wav", bytes(80 << 20))
    with pytest.raises(InvalidInput, match="without bounds"):
        spatialize_timeline(source, tmp_path / "out.otio")
    source.write_bytes(b"PK no zip")
    with pytest.raises(FoleySpaceError, match="cannot be read"):
        spatialize_timeline(source, tmp_path / "out.otio")


def test_media_outside_of_the_roots_are_refused(tmp_path: Path, sound: dict) -> None:
    source = write(tmp_path / "in.otio", timeline(track(marked("a", 30, 24, sound))))
    assert spatialize_timeline(source, dry_run=True, roots=[tmp_path]).rendered == 1
    (tmp_path / "root").mkdir()
    dry = spatialize_timeline(source, dry_run=True, roots=[tmp_path / "root"])
    assert "outside of the folders" in dry.clips[0].reason


def test_cancelling_leaves_what_was_rendered_and_no_timeline(tmp_path: Path, sound: dict) -> None:
    source = write(tmp_path / "in.otio", timeline(track(marked("a", 30, 24, sound), marked("b", 60, 24, sound))))
    told: list[tuple[str, int, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        if stage == "clips" and done >= total / 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        spatialize_timeline(source, tmp_path / "out.otio", on_progress=stop)
    assert not (tmp_path / "out.otio").exists()
    parts = [done for stage, done, _ in told if stage == "clips"]
    assert parts == sorted(parts)
    assert spatialize_timeline(source, tmp_path / "out.otio").reused >= 1


def test_the_command_prints_a_table_or_json(tmp_path: Path, sound: dict, capsys: pytest.CaptureFixture[str]) -> None:
    items = marked("a", 30, 24, sound), clip("lost", span(0, 24), media("none.wav"))
    source = str(write(tmp_path / "in.otio", timeline(track(*items))))
    assert main(["timeline", source, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "A1/a" in text
    assert "none.wav is not there" in text
    assert "1 to render, 0 unchanged, 1 left as they are" in text
    assert main(["timeline", source, "-o", str(tmp_path / "out.otio"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["action"] for one in told["clips"]] == ["render", "skip"]
    assert main(["timeline", source]) == 1
    assert "there is no output" in capsys.readouterr().err
    assert main(["timeline", str(tmp_path / "in.edl"), "--dry-run"]) == 1


def test_outputs_that_are_refused(tmp_path: Path, sound: dict) -> None:
    source = write(tmp_path / "in.otio", timeline(track(marked("a", 30, 24, sound))))
    for options in (
        {"out": tmp_path / "out.xml"},
        {"out": source},
        {"out": tmp_path / "out.otio", "mixdown": tmp_path / "mix.mp4"},
        {"out": tmp_path / "out.otio", "handles_s": -1.0},
        {"out": tmp_path / "out.otio", "mixdown": tmp_path / "mix.flac", "format": "hoa3"},
    ):
        with pytest.raises(InvalidInput):
            spatialize_timeline(source, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "in.otio"]
