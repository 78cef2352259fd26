"""What a job may name to look with: files that were accepted, and models that were added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tiny_models import depth_onnx

from foleyspace_host.errors import ModelUnavailable, UnauthorizedPath
from foleyspace_host.jobs.capabilities import capabilities
from foleyspace_host.jobs.model import Assignment, InputFile
from foleyspace_host.jobs.run import run
from foleyspace_host.models.keep import add
from foleyspace_host.models.slots import installed
from foleyspace_host.protocol import messages


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def job(kind: str, **settings: Any) -> Any:
    video, choice = messages.VideoInput(path="/client/clip.mp4"), messages.LocalizeSettings(**settings)
    if kind == "localize":
        return messages.LocalizeJob(video=video, settings=choice)
    return messages.SpatializeJob(video=video, localize=choice)


def assigned(tmp_path: Path, wanted: Any) -> Assignment:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    facts = clip.stat()
    identity = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return Assignment(
        job_id="0123456789abcdef",
        attempt=1,
        body=msgspec.msgpack.encode(messages.JobSubmit(job=wanted)),
        folder=tmp_path / "job",
        inputs=(InputFile("$.job.video.path", str(clip), *identity),),
        output_folder=tmp_path,
        stem="clip",
        cache_folder=tmp_path / "cache",
        cache_limit_bytes=1 << 30,
    )


@pytest.mark.parametrize(("kind", "part"), [("localize", "settings"), ("spatialize", "localize")])
@pytest.mark.parametrize("field", ["depth", "open_vocabulary"])
def test_models_are_those_that_were_added_and_no_files(tmp_path: Path, kind: str, part: str, field: str) -> None:
    depth_onnx(tmp_path / "mine.onnx")  # in the folder that the worker happens to be in
    add("depth", tmp_path / "mine.onnx", name="deep")
    other = {"depth": "owl", "open_vocabulary": "deep"}[field]
    for name in ("mine.onnx", other):
        with pytest.raises(ModelUnavailable, match=f"model '{name}' was added") as caught:
            run(assigned(tmp_path, job(kind, **{field: name})), lambda *_: None)
        assert caught.value.where == f"$.job.{part}.{field}"


def test_added_models_are_capabilities(tmp_path: Path) -> None:
    before = [one.name for one in capabilities()]
    depth_onnx(tmp_path / "mine.onnx")
    for slot in ("depth", "open-vocabulary"):
        add(slot, tmp_path / "mine.onnx", name=f"{slot}-{'x' * (39 - len(slot))}")  # the longest names there can be
    told = capabilities()
    msgspec.convert(msgspec.to_builtins(told), list[messages.Capability])  # all within their bounds
    assert {one.name[: one.name.index(":")] for one in told[len(before) :]} == {"depth", "open-vocabulary"}
    assert all(one.available for one in told[len(before) :])
    installed("depth")[0].path.unlink()
    (gone,) = (one for one in capabilities() if one.name.startswith("depth:"))
    assert (gone.available, gone.reason) == (False, "its file is gone")


@pytest.mark.parametrize(("kind", "part"), [("localize", "settings"), ("spatialize", "localize")])
def test_a_detector_is_a_file_that_was_accepted(tmp_path: Path, kind: str, part: str) -> None:
    with pytest.raises(UnauthorizedPath) as caught:
        run(assigned(tmp_path, job(kind, detector="/etc/passwd")), lambda *_: None)
    assert caught.value.where == f"$.job.{part}.detector"
