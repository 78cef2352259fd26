"""The job kind "generate", and sounds that are made for "spatialize"."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable, ProtocolError
from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.setup import library_path
from foleyspace_host.host.submission import named_files
from foleyspace_host.jobs.capabilities import capabilities
from foleyspace_host.jobs.model import Assignment, InputFile
from foleyspace_host.jobs.run import run
from foleyspace_host.protocol import messages
from foleyspace_host.protocol.rules import check_submit

RATE_HZ = 48_000


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "rain.wav", 0.1 * np.random.default_rng(1).standard_normal(RATE_HZ), RATE_HZ)
    with open_index(library_path()) as index:
        add_folder(index, tmp_path / "sounds")


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=Fraction(16))
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        for _ in range(16):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((96, 160, 3), 90, np.uint8), format="rgb24")))
        container.mux(video.encode(None))
    return path


def assignment(folder: Path, job: Any, **inputs: Path) -> Assignment:
    files = []
    for name, path in inputs.items():
        facts = path.stat()
        field = f"$.job.{name}.path"
        files.append(InputFile(field, str(path), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns))
    (folder / "out").mkdir(exist_ok=True)
    return Assignment(
        job_id="0123456789abcdef",
        attempt=1,
        body=msgspec.msgpack.encode(messages.JobSubmit(job=job)),
        folder=folder / "job",
        inputs=tuple(files),
        output_folder=folder / "out",
        stem="take",
        cache_folder=folder / "cache",
        cache_limit_bytes=1 << 30,
    )


def test_a_sound_and_its_loudness_are_made(tmp_path: Path) -> None:
    curve = tmp_path / "e.csv"
    curve.write_text("t_s,level_db\n0,-30\n1,0\n2,-30\n")
    job = messages.GenerateJob(
        prompt="rain",
        engine="library",
        seed=5,
        negative="music",
        loop=False,
        quality="draft",
        envelope=messages.EnvelopeInput(path=str(curve)),
    )
    reports: list[tuple[str, int, int, float]] = []
    outcome = run(assignment(tmp_path, job, envelope=curve), lambda *report: reports.append(report))
    assert [one.role for one in outcome.artifacts] == ["audio", "envelope"]
    sound, _ = soundfile.read(outcome.artifacts[0].path)
    assert sound.shape == (2 * RATE_HZ,)
    assert np.abs(sound[40_000:56_000]).mean() > 5 * np.abs(sound[:4000]).mean()
    assert outcome.result["output"] == outcome.artifacts[0].path
    assert outcome.result["envelope"] == outcome.artifacts[1].path
    assert (outcome.result["engine"], outcome.result["settings"]["seed"]) == ("library", 5)
    furthest = [report[3] for report in reports]
    assert furthest == sorted(furthest)
    assert furthest[-1] == 1.0


def test_a_sound_is_made_for_a_silent_video(tmp_path: Path, silent: Path) -> None:
    job = messages.SpatializeJob(
        video=messages.VideoInput(path=str(silent)),
        generate=messages.GenerateSettings(prompt="rain", engine="library", seed=2),
    )
    reports: list[tuple[str, int, int, float]] = []
    outcome = run(assignment(tmp_path, job, video=silent), lambda *report: reports.append(report))
    assert {one.role for one in outcome.artifacts} == {"audio", "trajectory"}
    assert outcome.result["generated"]["engine"] == "library"
    assert soundfile.info(next(one.path for one in outcome.artifacts if one.role == "audio")).channels == 2
    assert reports[-1][3] == 1.0


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="engine mmaudio"):
        run(assignment(tmp_path, messages.GenerateJob(prompt="rain", engine="mmaudio")), lambda *_: None)
    long = assignment(tmp_path, messages.GenerateJob(prompt="rain", engine="library", duration_s=10_000.0))
    with pytest.raises(InvalidInput, match="out of range"):
        run(long, lambda *_: None)
    assert not list((tmp_path / "out").iterdir())


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    def stop(stage: str, *_: Any) -> None:
        if stage == "generate":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(assignment(tmp_path, messages.GenerateJob(prompt="rain", engine="library")), stop)
    assert not list((tmp_path / "out").iterdir())


def test_capabilities_name_the_engines() -> None:
    told = {one.name: one for one in capabilities()}
    assert told["generate"].available
    assert told["engine:library"].available
    assert "no interpreter" in str(told["engine:mmaudio"].reason)
    assert told["engine:foley"].available


def test_the_curve_is_one_of_the_files_that_are_checked() -> None:
    job = messages.GenerateJob(envelope=messages.EnvelopeInput(path="/a/e.csv"))
    assert list(named_files(job)) == [("$.job.envelope.path", "/a/e.csv")]


def test_a_given_sound_leaves_none_to_be_made() -> None:
    job = messages.SpatializeJob(
        video=messages.VideoInput(path="/a.mp4"),
        audio=messages.AudioInput(path="/a.wav"),
        generate=messages.GenerateSettings(prompt="rain"),
    )
    with pytest.raises(ProtocolError, match="leaves none"):
        check_submit(messages.JobSubmit(job=job))
