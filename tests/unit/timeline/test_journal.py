"""What is not rendered again, and what is."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import clip, gap, marker, media, span, timeline, track, write

from foleyspace_host.errors import Cancelled, Conflict, OutputUnwritable
from foleyspace_host.timeline import renders
from foleyspace_host.timeline.journal import NAME
from foleyspace_host.timeline.results import TimelineResult
from foleyspace_host.timeline.run import spatialize_timeline

RATE = 48_000


def noise(path: Path, seed: int = 1) -> Path:
    """Write four seconds, always of the same number of bytes."""
    samples = np.random.default_rng(seed).uniform(-0.1, 0.1, 4 * RATE).astype(np.float32)
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """Two clips of two files, changed last an hour ago."""
    parts = []
    for name in ("a", "b"):
        noise(tmp_path / f"{name}.wav", ord(name))
        os.utime(tmp_path / f"{name}.wav", (time.time() - 3600, time.time() - 3600))
        marks = [marker("foleyspace: az=90 dist=1", 24)]
        parts.append(clip(name, span(24, 24), media(f"{name}.wav", span(0, 96)), markers=marks))
    return write(tmp_path / "in.otio", timeline(track(parts[0], gap(12), parts[1])))


def run(cut: Path, **options: object) -> TimelineResult:
    return spatialize_timeline(cut, cut.parent / "out.otio", **options)


def actions(result: TimelineResult) -> list[str]:
    return [one.action for one in result.clips]


def test_other_content_of_the_same_size_and_time_is_rendered_again(cut: Path) -> None:
    assert actions(run(cut)) == ["render", "render"]
    kept = (cut.parent / "b.wav").stat()
    noise(cut.parent / "new.wav", 5)
    os.utime(cut.parent / "new.wav", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    os.replace(cut.parent / "new.wav", cut.parent / "b.wav")
    assert (cut.parent / "b.wav").stat().st_size == kept.st_size
    assert actions(run(cut)) == ["reuse", "render"]


def test_the_same_content_under_another_name_or_time_is_not(cut: Path) -> None:
    run(cut)
    for name in ("a", "b"):
        os.utime(cut.parent / f"{name}.wav")
    assert actions(run(cut)) == ["reuse", "reuse"]
    (cut.parent / "a.wav").rename(cut.parent / "c.wav")
    cut.write_text(cut.read_text().replace("a.wav", "c.wav"))
    assert actions(run(cut)) == ["reuse", "reuse"]


def test_a_rendering_that_was_written_to_is_made_again(cut: Path) -> None:
    first = run(cut)
    sound = Path(first.clips[0].output or "")
    content = sound.read_bytes()
    time.sleep(0.02)  # times of files have steps
    sound.write_bytes(content[:-4] + b"\0\0\0\0")
    assert actions(run(cut)) == ["render", "reuse"]
    assert sound.read_bytes() == content
    sound.unlink()
    assert actions(run(cut)) == ["render", "reuse"]


def test_what_a_crash_leaves_of_the_journal(cut: Path) -> None:
    run(cut)
    journal = cut.parent / "out-foleyspace" / NAME
    text = journal.read_text()
    first, second = [line for line in text.splitlines() if line]
    assert json.loads(first)["request"] != json.loads(second)["request"]
    journal.write_text(f"{first}\n{second[:50]}")  # torn
    assert actions(run(cut)) == ["reuse", "render"]
    assert actions(run(cut)) == ["reuse", "reuse"]
    journal.write_bytes(b"\xff\0[]\n5\n{}\n" + journal.read_bytes())
    assert actions(run(cut)) == ["reuse", "reuse"]
    journal.unlink()
    assert actions(run(cut)) == ["render", "render"]


def test_a_journal_that_cannot_be_written(cut: Path) -> None:
    (cut.parent / "out-foleyspace" / NAME).mkdir(parents=True)
    with pytest.raises(OutputUnwritable):
        run(cut)


def test_a_project_that_was_copied_is_not_rendered_again(cut: Path) -> None:
    run(cut)
    copy = shutil.copytree(cut.parent, cut.parent.parent / "copy")  # with the times
    assert actions(run(copy / "in.otio")) == ["reuse", "reuse"]


@pytest.mark.parametrize("age_s", [0, 3600])
def test_media_that_change_while_they_are_rendered(cut: Path, monkeypatch: pytest.MonkeyPatch, age_s: int) -> None:
    rendered = renders.write_rendered
    when = time.time() - age_s
    for name in ("a", "b"):
        os.utime(cut.parent / f"{name}.wav", (when, when))

    def changed(*args: object, **options: object) -> object:
        if "b-" in str(args[4]):
            noise(cut.parent / "b.wav", 9)
            if not age_s:
                os.utime(cut.parent / "b.wav", (when, when))  # within a step of the clock
        return rendered(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(renders, "write_rendered", changed)
    with pytest.raises(Conflict, match=r"b\.wav: the file was changed while it was rendered"):
        run(cut)
    assert not (cut.parent / "out.otio").exists()
    monkeypatch.undo()
    assert actions(run(cut)) == ["reuse", "render"]


def test_a_cancelled_run_keeps_what_is_finished(cut: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "clips" and 2 * done >= total:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(cut, on_progress=stop)
    assert actions(run(cut))[0] == "reuse"  # the other one may have been finished meanwhile


def test_media_of_a_bundle_are_unpacked_again_when_they_are_others(tmp_path: Path) -> None:
    part = clip("a", span(24, 24), media("media/a.wav", span(0, 96)), markers=[marker("foleyspace: az=90", 24)])
    source = tmp_path / "in.otioz"
    for seed, expected in ((1, "render"), (1, "reuse"), (2, "render")):
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("content.otio", json.dumps(timeline(track(part))))
            archive.write(noise(tmp_path / "a.wav", seed), "media/a.wav")
        result = spatialize_timeline(source, tmp_path / "out.otio")
        assert actions(result) == [expected]
        there = Path(result.clips[0].media or "")
        assert there != tmp_path / "a.wav"
        assert there.read_bytes() == (tmp_path / "a.wav").read_bytes()
