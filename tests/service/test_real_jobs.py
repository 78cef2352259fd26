"""The real host with the real pipeline: what jobs make is what the commands make, to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.protocol import messages
from foleyspace_host.protocol.frames import buffer_digest

RATE_HZ = 48_000
FPS = Fraction(24000, 1001)
KEYS = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n2,-60,10,3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The client's project: sound, trajectory and clip; results go to ``out``."""
    made = tmp_path / "project"
    (made / "out").mkdir(parents=True)
    noise = np.random.default_rng(6).uniform(-0.4, 0.4, (2, 2 * RATE_HZ)).astype(np.float32)
    soundfile.write(made / "dry.wav", noise.T, RATE_HZ, subtype="FLOAT")
    (made / "keys.csv").write_text(KEYS)
    _write_clip(made / "clip.mp4", noise)
    return made


def _write_clip(path: Path, sound: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=FPS)
        audio: Any = container.add_stream("aac", rate=RATE_HZ, layout="stereo")
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        y, x = np.mgrid[:96, :160]
        for index in range(48):
            image = np.full((96, 160, 3), 90, np.uint8)
            image[np.hypot(x - 160 * index / 48, y - 48) < 14] = (230, 60, 40)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        for start in range(0, sound.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, start : start + 1024]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


@pytest.fixture
def real(make_host: Any) -> Any:
    """A host that really works, with one worker."""
    return make_host(runner=None).set(workers=1).start()


@pytest.fixture
def peer(real: Any, folder: Path) -> Any:
    return real.peer(folder)


@pytest.fixture
def command(folder: Path) -> Callable[..., Any]:
    """Run ``foleyspace`` as a user does, without a cache; return its result."""

    def run(*arguments: object) -> Any:
        words = [sys.executable, "-m", "foleyspace_host", *map(str, arguments), "--json"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, check=True)
        return json.loads(done.stdout)

    return run


def submit(peer: Any, job: Any, frames: Any = (), **fields: Any) -> str:
    body = messages.JobSubmit(job=job, **fields)
    return str(peer.ask_work("job.submit", body, frames).job_id)


def done(peer: Any, job: Any, frames: Any = (), **fields: Any) -> Any:
    """Submit a job and return its report when it is done."""
    report = peer.finished(submit(peer, job, frames, **fields), timeout_s=90)
    assert report.state == "done", report.error
    for artifact in report.artifacts:
        content = Path(artifact.path).read_bytes()
        assert (len(content), sha256(content).hexdigest()) == (artifact.n_bytes, artifact.sha256)
    return report


def stage(peer: Any, job_id: str) -> str | None:
    """Return the stage that a job is at."""
    progress = peer.ask("job.status", {"job_id": job_id}).progress
    return None if progress is None else str(progress.stage)


def rendering(folder: Path, *, suffix: str | None = None, span: Any = None, **settings: Any) -> messages.RenderJob:
    return messages.RenderJob(
        audio=messages.AudioInput(path=str(folder / "dry.wav"), span=span),
        trajectory=messages.TrajectoryInput(path=str(folder / "keys.csv")),
        settings=messages.RenderSettings(**settings),
        output=messages.Output(folder=str(folder / "out"), suffix=suffix),
    )


def spatializing(folder: Path, clip: Path, suffix: str) -> messages.SpatializeJob:
    return messages.SpatializeJob(
        video=messages.VideoInput(path=str(clip)), output=messages.Output(folder=str(folder / "out"), suffix=suffix)
    )


def test_a_file_is_rendered_as_by_the_command_and_the_second_time_known(peer: Any, folder: Path, command: Any) -> None:
    report = done(peer, rendering(folder, spread=1.5, room="studio"))
    said = command("render", "dry.wav", "--trajectory", "keys.csv", "-o", "o.wav", "--spread", 1.5, "--room", "studio")
    (artifact,) = report.artifacts
    assert Path(artifact.path) == folder / "out" / f"dry-{report.job_id[:8]}.wav"
    assert Path(artifact.path).read_bytes() == (folder / "o.wav").read_bytes()
    for name in ("codec", "n_samples", "true_peak_db", "loudness_lufs", "sources", "provenance"):
        assert report.result[name] == said[name]
    assert report.result["output"] == artifact.path
    assert report.progress is None or report.progress.fraction <= 1.0

    again = done(peer, rendering(folder, spread=1.5, room="studio"))
    assert again.result["reused"] == ["decode", "render"]
    assert again.artifacts[0].sha256 == artifact.sha256
    flac = done(peer, rendering(folder, suffix=".flac", spread=1.5, room="studio"))
    command("render", "dry.wav", "--trajectory", "keys.csv", "-o", "o.flac", "--spread", 1.5, "--room", "studio")
    assert flac.result["reused"] == ["decode", "render"]
    assert Path(flac.artifacts[0].path).read_bytes() == (folder / "o.flac").read_bytes()


def test_a_part_of_a_file_is_rendered_to_the_sample(peer: Any, folder: Path, command: Any) -> None:
    report = done(peer, rendering(folder, span=messages.Span(start=(5005, 24000), duration=(24024, 24000))))
    sound, _ = soundfile.read(folder / "dry.wav", dtype="float32")
    soundfile.write(folder / "cut.wav", sound[10010:58058], RATE_HZ, subtype="FLOAT")
    command("render", "cut.wav", "--trajectory", "keys.csv", "-o", "o.wav")
    assert report.result["n_samples"] == 48048
    assert Path(report.artifacts[0].path).read_bytes() == (folder / "o.wav").read_bytes()


def test_sound_in_buffers_is_rendered_as_a_file_would_be(peer: Any, folder: Path, command: Any) -> None:
    sound, _ = soundfile.read(folder / "dry.wav", dtype="float32")
    parts = [np.ascontiguousarray(part.T) for part in (sound[:50_001], sound[50_001:50_002], sound[50_002:])]
    frames = [part.tobytes() for part in parts]
    document = {
        "schema": "foleyspace.trajectory/1",
        "duration_s": 2,
        "sources": [{"id": "a", "keys": [{"t_s": 0, "azimuth_deg": 60, "elevation_deg": 0, "distance_m": 2}]}],
    }
    job = messages.RenderJob(
        audio=messages.AudioInput(buffers=[0, 1, 2], rate_hz=RATE_HZ),
        trajectory=messages.TrajectoryInput(inline=document),
    )
    specs = [
        messages.BufferSpec(dtype="f32le", n_bytes=len(frame), blake2b=buffer_digest(frame), shape=part.shape)
        for frame, part in zip(frames, parts, strict=True)
    ]
    report = done(peer, job, frames, buffers=specs)
    (folder / "t.json").write_text(json.dumps(document))
    command("render", "dry.wav", "--trajectory", "t.json", "-o", "o.wav")
    assert Path(report.artifacts[0].path).read_bytes() == (folder / "o.wav").read_bytes()
    # in the host's own folder, for none was named; to be fetched over the socket
    sent = peer.send(peer.work, "artifact.read", {"job_id": report.job_id})
    (content,) = peer.reply(peer.work, sent).buffers
    assert bytes(content) == (folder / "o.wav").read_bytes()


def test_a_clip_is_localized_and_spatialized_as_by_the_command(peer: Any, folder: Path, command: Any) -> None:
    video = messages.VideoInput(path=str(folder / "clip.mp4"))
    located = done(peer, messages.LocalizeJob(video=video))
    command("localize", "clip.mp4", "-o", "t.json", "--no-cache")
    assert Path(located.artifacts[0].path).read_bytes() == (folder / "t.json").read_bytes()
    assert located.result["provenance"]["device"] == "cpu"
    assert located.artifacts[0].role == "trajectory"
    for suffix, role in ((".wav", "audio"), (".mp4", "video")):
        report = done(peer, spatializing(folder, folder / "clip.mp4", suffix))
        command("spatialize", "clip.mp4", "-o", f"o{suffix}", "--no-cache")
        assert [artifact.role for artifact in report.artifacts] == [role, "trajectory"]
        assert Path(report.artifacts[0].path).read_bytes() == (folder / f"o{suffix}").read_bytes()
        assert Path(report.artifacts[1].path).read_bytes() == (folder / "t.json").read_bytes()
        assert "localize" in report.result["reused"]
        assert report.result["trajectory"] == report.artifacts[1].path


@pytest.mark.shared
@pytest.mark.parametrize("name", ["fc_avs0", "fc_avs1"])
def test_real_clips(real: Any, folder: Path, command: Any, shared_dir: Path, name: str) -> None:
    clip = shared_dir / "data" / "video" / f"{name}.mp4"
    peer = real.peer(folder, clip.parent)
    report = done(peer, spatializing(folder, clip, ".mp4"))
    command("spatialize", clip, "-o", "o.mp4", "--no-cache")
    assert Path(report.artifacts[0].path).read_bytes() == (folder / "o.mp4").read_bytes()


def test_a_cancelled_job_leaves_no_file(real: Any, peer: Any, folder: Path, eventually: Any, in_time: Any) -> None:
    sound, _ = soundfile.read(folder / "dry.wav", dtype="float32")
    soundfile.write(folder / "dry.wav", np.tile(sound, (300, 1)), RATE_HZ, subtype="FLOAT")  # ten minutes
    job_id = submit(peer, rendering(folder, room="hall"), preview=True)
    eventually(lambda: stage(peer, job_id) == "render", timeout_s=30)
    before_s = time.monotonic()
    peer.ask("job.cancel", {"job_id": job_id})
    report = peer.finished(job_id, timeout_s=20)
    in_time(time.monotonic() - before_s, 3.5)
    assert (report.state, report.artifacts) == ("cancelled", [])
    assert list((folder / "out").iterdir()) == []
    assert not (real.data / "jobs" / job_id / "work").exists()
    # and the worker goes on
    (folder / "keys.csv").write_text(KEYS.replace("60", "30"))
    soundfile.write(folder / "dry.wav", sound, RATE_HZ, subtype="FLOAT")
    done(peer, rendering(folder))


def test_a_job_whose_worker_was_killed_goes_on_with_what_is_finished(
    real: Any, peer: Any, folder: Path, eventually: Any
) -> None:
    sound, _ = soundfile.read(folder / "dry.wav", dtype="float32")
    soundfile.write(folder / "dry.wav", np.tile(sound, (60, 1)), RATE_HZ, subtype="FLOAT")
    job_id = submit(peer, rendering(folder, suffix=".flac"))
    eventually(lambda: stage(peer, job_id) in ("write", "place"), timeout_s=30)
    real.kill()
    real.start()
    back = real.peer(folder, client_id=peer.client_id)
    report = back.finished(job_id, timeout_s=60)
    assert report.state == "done", report.error
    assert set(report.result["reused"]) >= {"decode", "render"}
    assert [path.name for path in (folder / "out").iterdir()] == [Path(report.artifacts[0].path).name]


def test_a_file_that_changes_after_it_was_accepted_is_a_conflict(
    real: Any, peer: Any, folder: Path, eventually: Any
) -> None:
    sound, _ = soundfile.read(folder / "dry.wav", dtype="float32")
    soundfile.write(folder / "long.wav", np.tile(sound, (100, 1)), RATE_HZ, subtype="FLOAT")
    long = rendering(folder)
    long = messages.RenderJob(
        audio=messages.AudioInput(path=str(folder / "long.wav")), trajectory=long.trajectory, settings=long.settings
    )
    first = submit(peer, long)
    second = submit(peer, rendering(folder))  # waits: there is one worker
    soundfile.write(folder / "dry.wav", sound[::-1], RATE_HZ, subtype="FLOAT")
    assert peer.finished(first, timeout_s=60).state == "done"
    report = peer.finished(second, timeout_s=60)
    assert (report.state, report.error.code) == ("failed", "conflict")
    assert "dry.wav" in report.error.where


def test_what_the_host_can_do_is_said_at_hello(peer: Any, folder: Path) -> None:
    able = {one.name: one for one in peer.hello(folder).capabilities}
    assert able["spatialize"].available
    assert not able["engine:mmaudio"].available
    report = peer.finished(submit(peer, messages.GenerateJob(prompt="rain", engine="mmaudio")), timeout_s=30)
    assert (report.state, report.error.code) == ("failed", "model_unavailable")
    assert able["engine:mmaudio"].reason in report.error.message
