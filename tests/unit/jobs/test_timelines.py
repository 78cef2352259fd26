"""Jobs of timelines and the disk: what lies there, how often it is looked through, and what an attempt leaves."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import Cancelled, Conflict
from foleyspace_host.jobs.model import Assignment, InputFile, Outcome
from foleyspace_host.jobs.run import run
from foleyspace_host.protocol import messages
from foleyspace_host.timeline import renders
from tests.stand_ins import timelines

RATE_HZ = 48_000


class Project:
    """A timeline of some clips, and a host's folders."""

    def __init__(self, folder: Path, n_clips: int, age_s: float = 3600.0) -> None:
        self.folder, self.media, self._n_jobs = folder, folder / "edit" / "a.wav", 0
        self.media.parent.mkdir(parents=True)
        noise = np.random.default_rng(2).uniform(-0.1, 0.1, 5 * RATE_HZ).astype(np.float32)
        soundfile.write(self.media, noise, RATE_HZ, subtype="FLOAT")
        os.utime(self.media, (time.time() - age_s, time.time() - age_s))
        clips = []
        for number in range(n_clips):
            mark = timelines.marker(f"foleyspace: az={number}", 2 * number)
            part = timelines.span(2 * number, 6)
            clips.append(timelines.clip(f"c{number}", part, timelines.media("a.wav"), markers=[mark]))
        self.cut = timelines.write(folder / "edit" / "cut.otio", timelines.timeline(timelines.track(*clips)))

    def job(self, on_progress: Any = lambda *_: None) -> Outcome:
        """Run the timeline as one more job, with results in a folder of its own."""
        self._n_jobs += 1
        facts = self.cut.stat()
        out = self.folder / "out" / str(self._n_jobs)
        out.mkdir(parents=True)
        job = messages.TimelineJob(timeline=str(self.cut), handles_s=0.0)
        assignment = Assignment(
            job_id=f"{self._n_jobs:016}",
            attempt=1,
            body=msgspec.msgpack.encode(messages.JobSubmit(job=job)),
            folder=self.folder / "jobs" / str(self._n_jobs),
            inputs=(
                InputFile(
                    "$.job.timeline", str(self.cut), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
                ),
            ),
            output_folder=out,
            stem="cut",
            cache_folder=self.folder / "cache",
            cache_limit_bytes=1 << 30,
        )
        return run(assignment, on_progress)

    def sounds(self) -> dict[int, list[Path]]:
        """Return the sounds in the host's folders and among the results, by what they are on the disk."""
        found: dict[int, list[Path]] = {}
        for name in ("out", "jobs", "cache"):
            for path in sorted((self.folder / name).rglob("*.wav")):
                found.setdefault(path.stat().st_ino, []).append(path)
        return found


def actions(outcome: Outcome) -> list[str]:
    return [clip["action"] for clip in outcome.result["clips"]]


def audio(outcome: Outcome) -> list[Path]:
    return [Path(artifact.path) for artifact in outcome.artifacts if artifact.role == "audio"]


def _counting(counted: Counter[str], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*given: Any) -> Any:
        counted[name] += 1
        return real(*given)

    return counting


@contextmanager
def listings() -> Iterator[Counter[str]]:
    """Count how often folders are looked through."""
    counted: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("scandir", "listdir"):
            patch.setattr(os, name, _counting(counted, name, getattr(os, name)))
        yield counted


def test_a_rendering_lies_on_the_disk_once(tmp_path: Path) -> None:
    project = Project(tmp_path, 4)
    made = audio(project.job())
    there = project.sounds()
    assert len(there) == len(made) == 4
    n_bytes = soundfile.info(made[0]).frames * 2 * 4
    assert all(n_bytes < path.stat().st_size < n_bytes + 4096 for path in made)
    for names in there.values():  # a result and an entry of the cache, and no third
        assert [name.relative_to(tmp_path).parts[0] for name in names] == ["out", "cache"]


def test_a_second_job_does_not_share_what_the_first_one_s_user_may_write_to(tmp_path: Path) -> None:
    project = Project(tmp_path, 3)
    first = project.job()
    second = project.job()
    assert actions(second) == ["reuse"] * 3
    assert (second.result["rendered"], second.result["reused"]) == (0, 3)
    content = [path.read_bytes() for path in audio(second)]
    assert content == [path.read_bytes() for path in audio(first)]
    for path in audio(first):
        with path.open("r+b") as file:  # as a program does that edits a sound in its place
            file.seek(200)
            file.write(bytes(1000))
    assert [path.read_bytes() for path in audio(second)] == content
    third = project.job()  # the cache shared them with the first, and its digests tell
    assert actions(third) == ["render"] * 3
    assert [path.read_bytes() for path in audio(third)] == content


def test_what_no_one_has_any_more_is_given_as_it_is(tmp_path: Path) -> None:
    project = Project(tmp_path, 2)
    project.job()
    shutil.rmtree(tmp_path / "out")
    there = set(project.sounds())
    assert actions(project.job()) == ["reuse"] * 2
    assert set(project.sounds()) == there


def test_folders_are_not_looked_through_for_each_clip(tmp_path: Path) -> None:
    Project(tmp_path / "warm", 1).job()  # what is loaded once
    few, many = Project(tmp_path / "few", 3), Project(tmp_path / "many", 12)
    for turn in ("render", "reuse"):
        counts = []
        for project in (few, many):
            with listings() as counted:
                assert set(actions(project.job())) == {turn}
            counts.append(counted)
        assert counts[0] == counts[1]


@pytest.mark.parametrize("stage", ["render", "write"])
def test_an_attempt_that_ends_in_the_middle_leaves_only_what_is_whole(tmp_path: Path, stage: str) -> None:
    project = Project(tmp_path, 5)
    n_whole = 0

    def stop(*_: object) -> None:
        if n_whole >= 3:
            raise Cancelled("stopped")

    real = renders.write_rendered

    def counted(*given: Any, **more: Any) -> Any:
        nonlocal n_whole
        if n_whole >= 3 and stage == "write":  # half a file, as a crash leaves it
            given[4].write_bytes(b"RIFF" + bytes(5000))
            raise Cancelled("stopped")
        result = real(*given, **more)
        n_whole += 1
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renders, "write_rendered", counted)
        patch.setattr("foleyspace_host.timeline.work._AT_ONCE", 1)
        with pytest.raises(Cancelled):
            project.job(stop)
    kept = [path for names in project.sounds().values() for path in names]
    assert {path.parent.name for path in kept} == {"cache"}
    assert len(kept) == 3 if stage == "write" else 3 <= len(kept) <= 5  # what is on its way may end
    assert all(soundfile.info(path).frames == RATE_HZ // 4 for path in kept)
    outcome = project.job()
    assert actions(outcome).count("reuse") == len(kept)
    assert len(project.sounds()) == 5
    for number, path in enumerate(audio(outcome)):
        assert soundfile.info(path).frames == RATE_HZ // 4, number


@pytest.mark.parametrize("age_s", [0.0, 3600.0])
def test_what_was_made_of_media_that_changed_meanwhile_is_not_kept(tmp_path: Path, age_s: float) -> None:
    project = Project(tmp_path, 1, age_s)
    real = renders.write_rendered

    def changing(*given: Any, **more: Any) -> Any:
        result = real(*given, **more)
        samples, rate = soundfile.read(project.media, dtype="float32")
        soundfile.write(project.media, samples[::-1], rate, subtype="FLOAT")
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renders, "write_rendered", changing)
        with pytest.raises(Conflict):
            project.job()
    assert project.sounds() == {}
