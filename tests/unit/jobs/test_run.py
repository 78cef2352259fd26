"""The work of jobs, without a host: what is read, what is made, where it goes, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal

from foleyspace_host.diffusion.listener import Listener
from foleyspace_host.errors import (
    Cancelled,
    Conflict,
    DiskFull,
    FoleySpaceError,
    InvalidInput,
    NonFinite,
    OutputUnwritable,
    TrajectoryInvalid,
    UnauthorizedPath,
)
from foleyspace_host.jobs import artifacts
from foleyspace_host.jobs.artifacts import place
from foleyspace_host.jobs.capabilities import capabilities
from foleyspace_host.jobs.inputs import span_of
from foleyspace_host.jobs.model import Assignment, InputFile
from foleyspace_host.jobs.preview import PreviewHead, PreviewReader
from foleyspace_host.jobs.run import run
from foleyspace_host.media import atomic
from foleyspace_host.models import session
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.protocol import messages
from tests.stand_ins import timelines
from tests.stand_ins.flow_models import share_of_prior_onnx

RATE_HZ = 48_000
JOB = "0123456789abcdef"
NAME = "steps-01234567.wav"
KEYS = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,0,3\n"
INLINE = {
    "schema": "foleyspace.trajectory/1",
    "duration_s": 1,
    "sources": [{"id": "a", "keys": [{"t_s": 0, "azimuth_deg": 60, "elevation_deg": 0, "distance_m": 2}]}],
}

Report = tuple[str, int, int, float]


class Desk:
    """Gives assignments as the host does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir()
        self.reports: list[Report] = []

    def assignment(self, job: Any, *, inputs: dict[str, Path] | None = None, **fields: Any) -> Assignment:
        specs = []
        buffers = fields.pop("buffers", ())
        home = self.folder / "jobs" / JOB
        (home / "buffers").mkdir(parents=True, exist_ok=True)
        for index, samples in enumerate(buffers):
            content = samples if isinstance(samples, bytes) else np.ascontiguousarray(samples, "<f4").tobytes()
            (home / "buffers" / f"{index:02}.buf").write_bytes(content)
            shape = None if isinstance(samples, bytes) else samples.shape
            specs.append(
                messages.BufferSpec(
                    dtype="json" if shape is None else "f32le", n_bytes=len(content), blake2b="0" * 64, shape=shape
                )
            )
        files = []
        for field, path in (inputs or {}).items():
            facts = path.stat()
            files.append(InputFile(field, str(path), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns))
        return Assignment(
            job_id=JOB,
            attempt=1,
            body=msgspec.msgpack.encode(messages.JobSubmit(job=job, buffers=specs)),
            folder=home,
            inputs=tuple(files),
            output_folder=fields.pop("output_folder", self.out),
            stem="steps",
            cache_folder=self.folder / "cache",
            cache_limit_bytes=1 << 30,
            **fields,
        )

    def report(self, *report: Any) -> None:
        self.reports.append(report)

    def files(self) -> list[str]:
        """Names of all files there are beside what the test put there."""
        return sorted(path.name for path in self.out.iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(4).uniform(-0.4, 0.4, (2, RATE_HZ)).astype(np.float32)


@pytest.fixture
def dry(tmp_path: Path, noise: np.ndarray) -> Path:
    soundfile.write(tmp_path / "steps.wav", noise.T, RATE_HZ, subtype="FLOAT")
    return tmp_path / "steps.wav"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "keys.csv").write_text(KEYS)
    return tmp_path / "keys.csv"


@pytest.fixture
def rendering(desk: Desk, dry: Path, keys: Path) -> Callable[..., Assignment]:
    """An assignment to render the sound along the keys."""

    def make(settings: dict[str, Any] | None = None, output: dict[str, Any] | None = None, **fields: Any) -> Assignment:
        job = messages.RenderJob(
            audio=messages.AudioInput(path="/client/steps.wav", span=fields.pop("span", None)),
            trajectory=messages.TrajectoryInput(path="/client/keys.csv"),
            settings=messages.RenderSettings(**(settings or {})),
            output=messages.Output(**(output or {})),
        )
        inputs = {"$.job.audio.path": dry, "$.job.trajectory.path": keys}
        return desk.assignment(job, inputs=fields.pop("inputs", inputs), **fields)

    return make


def test_a_rendering_is_that_of_the_command(desk: Desk, rendering: Any, dry: Path, keys: Path, tmp_path: Path) -> None:
    settings = {"spread": 1.5, "air": "10,40", "room": "hall", "bit_depth": "24"}
    outcome = run(rendering(settings), desk.report)
    from foleyspace_host.render.air import Air

    render_file(dry, keys, tmp_path / "o.wav", spread=1.5, air=Air(10, 40), room="hall", bit_depth="24")
    (artifact,) = outcome.artifacts
    content = (tmp_path / "o.wav").read_bytes()
    assert Path(artifact.path) == desk.out / NAME
    assert Path(artifact.path).read_bytes() == content
    assert (artifact.role, artifact.n_bytes, artifact.sha256) == ("audio", len(content), sha256(content).hexdigest())
    assert outcome.result["output"] == artifact.path
    assert outcome.result["settings"]["spread"] == 1.5
    assert outcome.result["provenance"]["device"] == "cpu"
    assert outcome.warnings == ()
    assert not (tmp_path / "jobs" / JOB / "work").exists()


def test_progress_covers_the_whole_and_never_falls(desk: Desk, rendering: Any) -> None:
    run(rendering(), desk.report)
    fractions = [report[3] for report in desk.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [report[0] for report in desk.reports if report[1] == report[2]] != []
    assert all(0 <= done <= total for _, done, total, _ in desk.reports)


def test_a_part_of_a_file(desk: Desk, rendering: Any, tmp_path: Path, noise: np.ndarray, keys: Path) -> None:
    run(rendering(span=messages.Span(start=(1001, 24000), duration=(12012, 24000))), desk.report)
    soundfile.write(tmp_path / "cut.wav", noise[:, 2002:26026].T, RATE_HZ, subtype="FLOAT")
    render_file(tmp_path / "cut.wav", keys, tmp_path / "o.wav")
    assert (desk.out / NAME).read_bytes() == (tmp_path / "o.wav").read_bytes()


def test_buffers_follow_each_other(desk: Desk, tmp_path: Path, noise: np.ndarray, keys: Path, dry: Path) -> None:
    job = messages.RenderJob(
        audio=messages.AudioInput(buffers=[2, 0], rate_hz=RATE_HZ), trajectory=messages.TrajectoryInput(buffer=1)
    )
    buffers = [noise[:, 30_000:], json.dumps(INLINE).encode(), noise[:, :30_000]]
    outcome = run(desk.assignment(job, buffers=buffers), desk.report)
    (tmp_path / "t.json").write_text(json.dumps(INLINE))
    render_file(dry, tmp_path / "t.json", tmp_path / "o.wav")
    assert (desk.out / NAME).read_bytes() == (tmp_path / "o.wav").read_bytes()
    assert outcome.result["sound"]["path"] == "$.job.audio.buffers"


def test_a_part_of_a_sound_in_buffers_is_that_of_the_file(desk: Desk, dry: Path, tmp_path: Path) -> None:
    samples = np.ascontiguousarray(soundfile.read(dry, dtype="float32", always_2d=True)[0].T)
    span = messages.Span(start=(1001, 24000), duration=(12012, 24000))
    sound = messages.AudioInput(buffers=[0, 1], rate_hz=RATE_HZ, span=span)
    job = messages.RenderJob(audio=sound, trajectory=messages.TrajectoryInput(inline=INLINE))
    run(desk.assignment(job, buffers=[samples[:, :20_000], samples[:, 20_000:]]), desk.report)
    (tmp_path / "t.json").write_text(json.dumps(INLINE))
    render_file(dry, tmp_path / "t.json", tmp_path / "o.wav", span=span_of(span))
    assert soundfile.info(desk.out / NAME).frames == 2 * 12012
    assert (desk.out / NAME).read_bytes() == (tmp_path / "o.wav").read_bytes()


def test_the_host_is_told_of_a_gpu_that_failed(desk: Desk, rendering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "the model centernet.onnx runs on the CPU: out of memory"
    monkeypatch.setattr(session, "_fallen", {reason: None})
    assert run(rendering(), desk.report).fallbacks == (reason,)


def test_a_preview_holds_what_was_rendered(desk: Desk, rendering: Any, tmp_path: Path) -> None:
    for _ in range(2):  # rendered, and found in the cache
        run(rendering(preview=tmp_path / "preview.f32"), desk.report)
        reader = PreviewReader(tmp_path / "preview.f32")
        assert reader.head() == PreviewHead(RATE_HZ, 2, RATE_HZ)
        heard = np.frombuffer(reader.read(0, 2 * RATE_HZ), "<f4").reshape(-1, 2)
        assert_array_equal(heard, soundfile.read(desk.out / NAME, dtype="float32")[0])
        os.unlink(desk.out / NAME)


def test_a_second_job_and_a_second_attempt_find_what_is_finished(desk: Desk, rendering: Any) -> None:
    def die(stage: str, *_: Any) -> None:
        if stage == "write":
            raise SystemError("as a crash would")

    with pytest.raises(SystemError):
        run(rendering(output={"suffix": ".flac"}), die)
    assert desk.files() == []
    outcome = run(rendering(output={"suffix": ".flac"}), desk.report)
    assert outcome.result["reused"] == ["decode", "render"]
    assert desk.files() == ["steps-01234567.flac"]


@pytest.mark.parametrize("stage", ["decode", "render", "place"])
def test_cancel_leaves_nothing(desk: Desk, rendering: Any, stage: str, tmp_path: Path) -> None:
    def stop(at: str, *_: Any) -> None:
        if at == stage:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(rendering(), stop)
    assert desk.files() == []
    assert not (tmp_path / "jobs" / JOB / "work").exists()


def test_nothing_is_ever_replaced(desk: Desk, rendering: Any) -> None:
    (desk.out / NAME).write_text("precious")
    outcome = run(rendering(), desk.report)
    assert Path(outcome.artifacts[0].path).name == "steps-01234567-2.wav"
    assert (desk.out / NAME).read_text() == "precious"
    assert desk.files() == ["steps-01234567-2.wav", NAME]


@pytest.mark.parametrize("change", ["content", "time", "removed", "replaced"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_inputs_that_change_are_a_conflict(desk: Desk, rendering: Any, dry: Path, change: str, when: str) -> None:
    def alter(*_: Any) -> None:
        if not dry.exists() or (dry.parent / "done").exists():
            return
        (dry.parent / "done").touch()
        if change == "content":
            dry.write_bytes(dry.read_bytes()[:-4] + b"\0\0\0\0")
        elif change == "time":
            os.utime(dry, (1, 1))
        elif change == "removed":
            dry.unlink()
        else:
            shutil.copy2(dry, dry.with_suffix(".new"))
            os.replace(dry.with_suffix(".new"), dry)

    def when_rendering(stage: str, *_: Any) -> None:
        if stage == "render":
            alter()

    assignment = rendering()
    if when == "before":
        alter()
    expected = (Conflict, FoleySpaceError) if change == "removed" and when == "meanwhile" else (Conflict,)
    with pytest.raises(expected):
        run(assignment, when_rendering if when == "meanwhile" else desk.report)
    assert desk.files() == []


def test_only_accepted_files_are_read(desk: Desk, rendering: Any, dry: Path) -> None:
    with pytest.raises(UnauthorizedPath, match=r"\$\.job\.trajectory\.path"):
        run(rendering(inputs={"$.job.audio.path": dry}), desk.report)
    with pytest.raises(UnauthorizedPath, match=r"\$\.job\.settings\.hrtf"):
        run(rendering({"hrtf": "/etc/passwd"}), desk.report)
    for name in ("listener", "flow_model"):
        with pytest.raises(UnauthorizedPath, match=rf"\$\.job\.settings\.{name}"):
            run(rendering({name: "/etc/passwd"}), desk.report)
    with pytest.raises(InvalidInput, match="not read from a file"):
        run(rendering({"room": "/etc/room.JSON "}), desk.report)


@pytest.mark.parametrize(
    ("settings", "output", "error"),
    [
        ({"renderer": "magic"}, {}, InvalidInput),
        ({"renderer": "diffusion", "format": "foa"}, {}, InvalidInput),
        ({"air": "warm"}, {}, InvalidInput),
        ({"air": "99,1"}, {}, InvalidInput),
        ({"format": "quadro"}, {}, InvalidInput),
        ({"format": "foa"}, {"suffix": ".flac"}, InvalidInput),
        ({}, {"suffix": ".mp4"}, InvalidInput),
        ({}, {"suffix": ".exe"}, InvalidInput),
    ],
)
def test_what_cannot_be_made_is_refused(desk: Desk, rendering: Any, settings: Any, output: Any, error: Any) -> None:
    with pytest.raises(error):
        run(rendering(settings, output), desk.report)
    assert desk.files() == []


def test_a_flow_model_and_a_listener_come_with_the_job(
    desk: Desk, rendering: Any, tmp_path: Path, dry: Path, keys: Path
) -> None:
    model = share_of_prior_onnx(tmp_path / "flow.onnx")
    code = tmp_path / "ada.json"
    code.write_text(Listener((0.25,) * 16).to_json(), encoding="utf-8")
    inputs = {"$.job.audio.path": dry, "$.job.trajectory.path": keys}
    inputs |= {"$.job.settings.flow_model": model, "$.job.settings.listener": code}
    settings = {"renderer": "diffusion", "quality": "fine", "seed": 5, "listener": "/client/ada.json"}
    outcome = run(rendering({**settings, "flow_model": "/client/flow.onnx"}, inputs=inputs), desk.report)
    render_file(
        dry, keys, tmp_path / "o.wav", renderer="diffusion", quality="fine", seed=5, listener=code, flow_model=model
    )
    assert (desk.out / NAME).read_bytes() == (tmp_path / "o.wav").read_bytes()
    assert outcome.result["settings"]["seed"] == 5
    assert sha256(model.read_bytes()).hexdigest() in {one["sha256"] for one in outcome.result["provenance"]["models"]}


def test_air_can_be_left_out(desk: Desk, rendering: Any, tmp_path: Path, dry: Path, keys: Path) -> None:
    run(rendering({"air": False}), desk.report)
    render_file(dry, keys, tmp_path / "o.wav", air=None)
    assert (desk.out / NAME).read_bytes() == (tmp_path / "o.wav").read_bytes()


def test_buffers_that_are_no_sound_are_refused(desk: Desk, noise: np.ndarray) -> None:
    def job(**audio: Any) -> messages.RenderJob:
        return messages.RenderJob(
            audio=messages.AudioInput(**audio), trajectory=messages.TrajectoryInput(inline=INLINE)
        )

    noise[1, 77] = np.nan
    with pytest.raises(NonFinite, match="buffer 0"):
        run(desk.assignment(job(buffers=[0], rate_hz=RATE_HZ), buffers=[noise]), desk.report)
    with pytest.raises(InvalidInput, match="one number of channels"):
        run(desk.assignment(job(buffers=[0, 1], rate_hz=RATE_HZ), buffers=[noise, noise[:1]]), desk.report)
    short = desk.assignment(job(buffers=[0], rate_hz=RATE_HZ), buffers=[noise[:, :100]])
    (short.folder / "buffers" / "00.buf").write_bytes(b"1234")
    with pytest.raises(InvalidInput, match="shape"):
        run(short, desk.report)


def test_a_wrong_trajectory_is_told(desk: Desk, noise: np.ndarray) -> None:
    job = messages.RenderJob(
        audio=messages.AudioInput(buffers=[0], rate_hz=RATE_HZ),
        trajectory=messages.TrajectoryInput(inline=INLINE | {"duration_s": -1}),
    )
    with pytest.raises(TrajectoryInvalid, match="duration_s"):
        run(desk.assignment(job, buffers=[noise]), desk.report)


def test_a_timeline_becomes_files_that_name_each_other(desk: Desk, noise: np.ndarray) -> None:
    home = desk.folder / "edit"
    home.mkdir()
    soundfile.write(home / "a.wav", noise.T[:RATE_HZ], RATE_HZ, subtype="FLOAT")
    soundfile.write(desk.folder / "secret.wav", noise.T[:RATE_HZ], RATE_HZ, subtype="FLOAT")

    def placed(name: str, url: str) -> dict[str, Any]:
        part = timelines.span(0, 12)
        return timelines.clip(name, part, timelines.media(url), markers=[timelines.marker("foleyspace: az=60", 0)])

    secret = placed("secret", (desk.folder / "secret.wav").as_uri())
    cut = timelines.write(home / "cut.otio", timelines.timeline(timelines.track(placed("a", "a.wav"), secret)))
    job = messages.TimelineJob(timeline=str(cut))
    outcome = run(desk.assignment(job, inputs={"$.job.timeline": cut}), desk.report)
    timeline, sound = outcome.artifacts
    assert (timeline.role, sound.role) == ("timeline", "audio")
    tracks = json.loads(Path(timeline.path).read_text())["tracks"]["children"]
    url = tracks[-1]["children"][0]["media_references"]["DEFAULT_MEDIA"]["target_url"]
    assert Path(timeline.path).parent / url == Path(sound.path)
    first, second = outcome.result["clips"]
    assert first["output"] == sound.path
    assert "outside of the folders" in second["reason"]
    parts = [part for *_, part in desk.reports]
    assert parts == sorted(parts)
    assert {one.name: one.available for one in capabilities()}["timeline"]


def test_a_timeline_s_choices_and_what_else_is_made_of_it(desk: Desk, noise: np.ndarray) -> None:
    home = desk.folder / "edit"
    home.mkdir()
    soundfile.write(home / "a.wav", noise.T[:RATE_HZ], RATE_HZ, subtype="FLOAT")

    def placed(name: str, *marks: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return timelines.clip(name, timelines.span(0, 12), timelines.media("a.wav"), markers=[*marks], **fields)

    mark = timelines.marker("foleyspace: az=60", 0)
    first = timelines.track(placed("door", mark), placed("step", mark), placed("bare"), name="Steps")
    reels = [timelines.timeline(first, timelines.track(placed("other", mark)), name=f"Reel {n}") for n in (1, 2)]
    both = {"OTIO_SCHEMA": "SerializableCollection.1", "name": "", "metadata": {}, "children": reels}
    cut = timelines.write(home / "cut.otio", both)
    job = messages.TimelineJob(
        timeline=str(cut),
        timeline_name="Reel 2",
        track=["Steps"],
        clip=["s*", "bare"],
        marked=True,
        keep_sources=True,
        handles_s=0.0,
        mixdown=".flac",
        adm=True,
        trajectories=True,
    )
    outcome = run(desk.assignment(job, inputs={"$.job.timeline": cut}), desk.report)
    assert [file.role for file in outcome.artifacts] == ["timeline", "audio", "trajectory", "mix", "adm"]
    timeline, sound, keys, mix, adm = (Path(file.path) for file in outcome.artifacts)
    assert [clip["action"] for clip in outcome.result["clips"]] == ["skip", "render", "skip", "skip"]
    assert outcome.result["clips"][1]["output"] == str(sound)
    assert (outcome.result["mixdown"], outcome.result["adm"]) == (str(mix), str(adm))
    assert soundfile.info(sound).frames == RATE_HZ // 2
    assert soundfile.info(mix).frames == 3 * RATE_HZ // 2
    assert mix.suffix == ".flac"
    assert keys.read_text().startswith("t_s,azimuth_deg")
    assert b"axml" in adm.read_bytes()
    written = json.loads(timeline.read_text())["children"]
    assert [len(reel["tracks"]["children"]) for reel in written] == [2, 3]
    assert written[1]["tracks"]["children"][0]["children"][1].get("enabled") is not False
    parts = [part for *_, part in desk.reports]
    assert parts == sorted(parts)
    with pytest.raises(InvalidInput, match="there is no track 'A9'"):
        run(
            desk.assignment(
                messages.TimelineJob(timeline=str(cut), timeline_name="1", track=["A9"]), inputs={"$.job.timeline": cut}
            ),
            desk.report,
        )


def test_a_job_of_a_timeline_has_the_choices_of_the_command() -> None:
    from foleyspace_host.cli.timeline import command

    options = {parameter.name for parameter in command.params}
    fields = {*messages.TimelineJob.__struct_fields__, *messages.RenderSettings.__struct_fields__}
    of_the_command = {"out", "dry_run", "device", "no_cache", "in_host", "profile", "as_json"}
    assert options - fields == of_the_command


def test_capabilities_name_what_is_there_and_why_not_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {one.name: one for one in capabilities()}
    assert told["render"].available
    assert told["spatialize"].available
    assert told["format:7.1.4"].available
    assert told["renderer:diffusion"].available or "ships no model" in str(told["renderer:diffusion"].reason)
    assert all(one.available or one.reason for one in told.values())
    monkeypatch.setattr("foleyspace_host.models.hardware.find_spec", lambda _: None)
    without = {one.name: one for one in capabilities()}
    assert (without["localize"].available, without["spatialize"].available, without["render"].available) == (
        False,
        False,
        True,
    )
    assert "pip install" in str(without["localize"].cure)


# --- putting results in their place ----------------------------------------------------------------------------------


@pytest.fixture
def made(desk: Desk) -> tuple[Path, Assignment]:
    assignment = desk.assignment(messages.GenerateJob())
    path = desk.folder / NAME
    path.write_bytes(b"sound" * 1000)
    return path, assignment


def test_a_result_from_another_disk_is_copied(
    desk: Desk, made: tuple[Path, Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "_same_disk", lambda *_: False)
    artifact = place(made[0], "audio", made[1], lambda *_: None)
    assert Path(artifact.path).read_bytes() == b"sound" * 1000
    assert desk.files() == [NAME]


def test_a_cancelled_copy_leaves_nothing(
    desk: Desk, made: tuple[Path, Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def stop(*_: int) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Cancelled("stopped")

    monkeypatch.setattr(artifacts, "_same_disk", lambda *_: False)
    with pytest.raises(Cancelled):
        place(made[0], "audio", made[1], stop)
    assert desk.files() == []


def test_where_files_have_one_name_only_the_result_is_moved(
    desk: Desk, made: tuple[Path, Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "not on this disk")

    monkeypatch.setattr(artifacts.os, "link", link)
    (desk.out / NAME).write_text("precious")
    artifact = place(made[0], "audio", made[1], lambda *_: None)
    assert Path(artifact.path).name == "steps-01234567-2.wav"
    assert Path(artifact.path).read_bytes() == b"sound" * 1000
    assert (desk.out / NAME).read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows lets only administrators make links")
def test_a_folder_swapped_for_a_link_is_refused(desk: Desk, made: tuple[Path, Assignment]) -> None:
    outside = desk.folder / "outside"
    outside.mkdir()
    desk.out.rmdir()
    desk.out.symlink_to(outside)
    with pytest.raises(OutputUnwritable):
        place(made[0], "audio", made[1], lambda *_: None)
    below = replace(made[1], output_folder=desk.out / "sub")
    (outside / "sub").mkdir()
    with pytest.raises(OutputUnwritable, match="became a link"):
        place(made[0], "audio", below, lambda *_: None)
    assert [path.name for path in outside.rglob("*")] == ["sub"]


def test_a_full_disk_is_told(desk: Desk, made: tuple[Path, Assignment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "_same_disk", lambda *_: False)
    monkeypatch.setattr(atomic, "_free_bytes", lambda _: 10)
    with pytest.raises(DiskFull):
        place(made[0], "audio", made[1], lambda *_: None)
    assert desk.files() == []
