"""The files of jobs: only their own are touched; a preview is read while it is written; talk survives the pipe."""

from __future__ import annotations

from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.jobs.folders import JobFolders
from foleyspace_host.jobs.model import Assignment, InputFile, Outcome, Submission
from foleyspace_host.jobs.preview import PreviewHead, PreviewReader, PreviewWriter
from foleyspace_host.jobs.record import JobRow
from foleyspace_host.jobs.store import Store
from foleyspace_host.jobs.talk import (
    Advanced,
    Cancel,
    Done,
    Failed,
    Start,
    decode_from_worker,
    decode_to_worker,
    encode_line,
    load_assignment,
    store_assignment,
)
from foleyspace_host.protocol.messages import (
    Artifact,
    AudioInput,
    Error,
    GenerateJob,
    JobSubmit,
    LocalizeJob,
    Output,
    RenderJob,
    TrajectoryInput,
    VideoInput,
)

JOB = "0123456789abcdef0123456789abcdef"


def accepted(tmp_path: Path, job: object, output: Path | None = None, **fields: object) -> JobRow:
    store = Store(tmp_path / "data" / "jobs.db")
    row = store.accept(Submission("c", "n", "r", "p", JobSubmit(job=job, **fields), output_folder=output), JOB, 1.0)
    store.close()
    return row


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    return JobFolders(SimpleNamespace(data=tmp_path / "data", cache=tmp_path / "cache", state=tmp_path / "state"))


def stem_of(tmp_path: Path, folders: JobFolders, job: object) -> str:
    return folders.assignment(accepted(tmp_path, job), 0).stem


@pytest.mark.parametrize(
    ("job", "stem"),
    [
        (GenerateJob(prompt="x"), "generate"),
        (GenerateJob(output=Output(stem="my take")), "my take"),
        (GenerateJob(output=Output(stem="..")), "result"),
        (GenerateJob(output=Output(stem="John's 2. take (é)")), "John's 2. take (é)"),
        (LocalizeJob(video=VideoInput(path="/x/a:b?\n c.mp4")), "a_b__ c"),
        (GenerateJob(output=Output(stem="é" * 100)), "é" * 50),
        (RenderJob(audio=AudioInput(path="/x/steps.dry.wav"), trajectory=TrajectoryInput(inline={})), "steps.dry"),
        (RenderJob(audio=AudioInput(buffers=[0], rate_hz=48000), trajectory=TrajectoryInput(inline={})), "render"),
    ],
)
def test_results_have_plain_names(tmp_path: Path, folders: JobFolders, job: object, stem: str) -> None:
    assert stem_of(tmp_path, folders, job) == stem


def test_buffers_become_the_job_s_or_stay(tmp_path: Path, folders: JobFolders) -> None:
    spool = tmp_path / "data" / "spool" / "x"
    spool.mkdir(parents=True)
    (spool / "00.buf").write_bytes(b"abc")
    folders.take_buffers(JOB, spool)
    assert (folders.of(JOB) / "buffers" / "00.buf").read_bytes() == b"abc"
    folders.give_back(JOB, spool)
    assert (spool / "00.buf").read_bytes() == b"abc"
    assert not folders.of(JOB).exists()


def test_only_what_the_attempt_made_is_removed(tmp_path: Path, folders: JobFolders) -> None:
    out = tmp_path / "out"
    out.mkdir()
    row = accepted(tmp_path, GenerateJob(output=Output(stem="take")), out)
    ours = [".take-01234567.9f.part.wav", "take-01234567.wav", "take-01234567-2.json", "take-01234567_bed.wav"]
    theirs = ["take.wav", "take-0123456.wav", "take-012345678.wav", "xtake-01234567.wav", "take-76543210.wav"]
    for name in ours + theirs:
        (out / name).touch()
    (out / "take-01234567").mkdir()
    folders.clear_unfinished(row)
    assert sorted(path.name for path in out.iterdir()) == sorted([*theirs, "take-01234567"])


def test_of_a_job_that_has_ended_results_and_preview_stay(folders: JobFolders) -> None:
    own = folders.of(JOB)
    for name in ("buffers", "work", "results"):
        (own / name).mkdir(parents=True)
    for name in ("assignment.json", "preview.f32"):
        (own / name).touch()
    folders.clear_inputs(JOB)
    assert sorted(path.name for path in own.iterdir()) == ["preview.f32", "results"]
    folders.clear_preview(JOB)
    assert [path.name for path in own.iterdir()] == ["results"]


def test_folders_without_a_job_are_removed(tmp_path: Path, folders: JobFolders) -> None:
    folders.remove_all_but([])
    for name in ("a", "b"):
        folders.of(name).mkdir(parents=True)
    folders.remove_all_but(["b", "c"])
    assert [path.name for path in (tmp_path / "data" / "jobs").iterdir()] == ["b"]


def test_a_folder_for_results_that_is_gone_is_told(tmp_path: Path, folders: JobFolders) -> None:
    row = accepted(tmp_path, GenerateJob(), tmp_path / "gone")
    with pytest.raises(OutputUnwritable, match="gone"):
        folders.assignment(row, 0)


def test_a_preview_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "preview.f32"
    reader = PreviewReader(path)
    assert reader.head() is None
    assert reader.read(0, 10) == b""
    writer = PreviewWriter(path, PreviewHead(48_000, 2, 4))
    assert reader.head() == PreviewHead(48_000, 2, 4)
    assert reader.read(0, 10) == b""
    samples = array("f", [1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    writer.write(samples)
    writer.write(samples.tobytes()[:6])  # one sample and a half
    assert reader.read(0, 100) == samples.tobytes()
    assert reader.read(1, 1) == array("f", [2.0, -2.0]).tobytes()
    assert reader.read(9, 1) == b""
    writer.close()
    writer.write(samples)
    PreviewWriter(path, PreviewHead(44_100, 1)).close()
    assert reader.head() == PreviewHead(44_100, 1, None)


def test_a_preview_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    writer = PreviewWriter(tmp_path / "no" / "preview.f32", PreviewHead(48_000, 2))
    writer.write(b"\0" * 8)
    writer.close()


@pytest.mark.parametrize("content", [b"", b"{", b"{}\n", b"[]\n", b'{"format": "foleyspace.preview/1"}\n', b"\xff\n"])
def test_what_is_no_preview_has_no_head(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p").write_bytes(content)
    assert PreviewReader(tmp_path / "p").head() is None


def test_an_assignment_survives_its_file(tmp_path: Path) -> None:
    assignment = Assignment(
        "j",
        2,
        b"\x00\xff",
        tmp_path,
        (InputFile("f", "/p\n", 1, 2, 3, 4),),
        tmp_path,
        "s",
        tmp_path,
        5,
        "cpu",
        tmp_path,
    )
    assert load_assignment(str(store_assignment(assignment))) == assignment


@given(st.text(max_size=64), st.integers(0, 1 << 53), st.floats(0, 1), st.dictionaries(st.text(), st.integers(-9, 9)))
def test_every_message_is_one_line(text: str, number: int, share: float, result: dict[str, int]) -> None:
    artifact = Artifact(role="audio", path="/a\nb", n_bytes=number, sha256="0" * 64)
    for message in (
        Advanced(text, number, number, share),
        Done(Outcome((artifact,), result, (text,))),
        Failed(Error(code="x", message=text), cancelled=True),
    ):
        line = encode_line(message)
        assert line.count(b"\n") == 1
        assert decode_from_worker(line) == message
    for order in (Start(text), Cancel(text)):
        line = encode_line(order)
        assert line.count(b"\n") == 1
        assert len(line) < 4096
        assert decode_to_worker(line) == order


@given(st.binary(max_size=80))
def test_anything_else_from_a_worker_is_a_value_error(line: bytes) -> None:
    try:
        message = decode_from_worker(line)
    except ValueError:
        return
    assert isinstance(message, Advanced | Done | Failed)
