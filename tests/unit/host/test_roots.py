"""Paths stay in the allowed folders, whatever they look like and whatever happens meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from foleyspace_host.errors import InvalidInput, MediaMissing, OutputUnwritable, UnauthorizedPath
from foleyspace_host.host import roots as module
from foleyspace_host.host.roots import allow
from foleyspace_host.host.submission import named_files
from foleyspace_host.protocol.messages import JobSubmit

posix = pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with a file, beside a secret."""
    (tmp_path / "project" / "sound").mkdir(parents=True)
    (tmp_path / "project" / "sound" / "steps.wav").write_bytes(b"RIFF")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    return tmp_path


def test_a_file_is_known_by_what_it_is(place: Path) -> None:
    path = place / "project" / "sound" / "steps.wav"
    roots, warnings = allow([str(place / "project")])
    found = roots.input_file(str(path), "$.job.audio.path")
    facts = path.stat()
    assert warnings == []
    assert (found.field, found.path, found.inode, found.device) == (
        "$.job.audio.path",
        str(path.resolve()),
        facts.st_ino,
        facts.st_dev,
    )
    assert (found.n_bytes, found.mtime_ns) == (4, facts.st_mtime_ns)
    assert roots.output_folder(str(path.parent), "$.job.output.folder") == path.parent.resolve()


OUTSIDE = [
    "{}/secret.txt", "{}/project/../secret.txt", "{}/project/sound/../../secret.txt", "/etc/passwd", "/dev/zero",
    "/proc/self/environ", "{}/project2", "{}", "/", "{}/PROJECT/sound/steps.wav", "{}/nothing/there",
]  # fmt: skip
NO_PATHS = [
    "secret.txt",
    "../secret.txt",
    "",
    "CON",
    "C:\\x.wav",
    "\\\\host\\share\\x.wav",
    "//host/share/x",
    "a\0b",
    "~",
]


@posix
@pytest.mark.parametrize("path", OUTSIDE)
def test_outside_is_outside(place: Path, path: str) -> None:
    roots, _ = allow([str(place / "project")])
    with pytest.raises(UnauthorizedPath):
        roots.input_file(path.format(place), "$.job.audio.path")
    with pytest.raises(UnauthorizedPath):
        roots.output_folder(path.format(place), "$.job.output.folder")


@posix
@pytest.mark.parametrize("path", [*NO_PATHS, "{}/project/a\0b", "{}/project/a\nb"])
def test_what_is_no_path(place: Path, path: str) -> None:
    roots, _ = allow([str(place / "project")])
    for ask in (roots.input_file, roots.output_folder):
        with pytest.raises(InvalidInput) as caught:
            ask(path.format(place), "$.field")
        assert caught.value.where == "$.field"
    assert allow([path.format(place)])[0].folders == ()


@posix
def test_links_count_as_where_they_lead(place: Path) -> None:
    inside, outside = place / "project" / "in", place / "project" / "out"
    inside.symlink_to(place / "project" / "sound" / "steps.wav")
    outside.symlink_to(place / "secret.txt")
    (place / "project" / "folder").symlink_to(place / "elsewhere")
    (place / "door").symlink_to(place / "project")
    (place / "project" / "loop").symlink_to(place / "project" / "loop")
    roots, _ = allow([str(place / "door")])  # a root may be a link: people keep projects on other disks
    assert roots.input_file(str(inside), "f").path == str((place / "project" / "sound" / "steps.wav").resolve())
    assert roots.input_file(str(place / "door" / "in"), "f").n_bytes == 4
    for path in (outside, place / "project" / "folder" / "x"):
        with pytest.raises(UnauthorizedPath):
            roots.input_file(str(path), "f")
    with pytest.raises(UnauthorizedPath):
        roots.output_folder(str(place / "project" / "folder"), "f")
    with pytest.raises((UnauthorizedPath, MediaMissing)):
        roots.input_file(str(place / "project" / "loop"), "f")


@posix
def test_only_files_are_read(place: Path) -> None:
    os.mkfifo(place / "project" / "pipe")
    roots, _ = allow([str(place / "project")])
    for name in ("pipe", "sound", "", "missing.wav", "sound/steps.wav/x"):
        with pytest.raises(MediaMissing):
            roots.input_file(str(place / "project" / name), "f")
    for name in ("sound/steps.wav", "missing"):
        with pytest.raises(OutputUnwritable):
            roots.output_folder(str(place / "project" / name), "f")


@posix
@pytest.mark.parametrize("swapped", ["sound", "sound/steps.wav"])
def test_a_swap_between_check_and_open_opens_nothing_else(
    place: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    roots, _ = allow([str(place / "project")])
    (place / "elsewhere" / "steps.wav").write_text("secret")
    before = module.os.path.realpath

    def swap(path: str, **options: object) -> str:
        answer = before(path)
        victim = place / "project" / swapped
        victim.rename(place / "away")
        victim.symlink_to(place / "elsewhere" / ("steps.wav" if swapped.endswith("wav") else ""))
        return answer

    monkeypatch.setattr(module.os.path, "realpath", swap)
    with pytest.raises((UnauthorizedPath, MediaMissing)):
        roots.input_file(str(place / "project" / "sound" / "steps.wav"), "f")


def test_the_configuration_narrows_and_never_widens(place: Path) -> None:
    project, sound, elsewhere = place / "project", place / "project" / "sound", place / "elsewhere"
    roots, warnings = allow([str(project)], [sound])
    assert roots.folders == (sound.resolve(),)
    assert len(warnings) == 1
    roots, warnings = allow([str(sound), str(elsewhere)], [project])
    assert roots.folders == (sound.resolve(),)
    assert "configuration" in warnings[0]
    assert allow([str(place)], [])[0].folders == ()
    assert allow([], [project])[0].folders == ()


def test_a_root_that_is_none_is_told(place: Path) -> None:
    roots, warnings = allow([str(place / "no such"), str(place / "secret.txt"), "relative", str(place / "elsewhere")])
    assert roots.folders == ((place / "elsewhere").resolve(),)
    assert len(warnings) == 3
    with pytest.raises(UnauthorizedPath):
        allow([])[0].input_file(str(place / "secret.txt"), "f")


def paths_of(kind: msgspec.inspect.Type, where: str) -> list[str]:
    """Every field that the messages mark as a path of the client's machine."""
    if isinstance(kind, msgspec.inspect.Metadata):
        if (kind.extra or {}).get("path"):
            return [where]
        return paths_of(kind.type, where)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [path for one in kind.types for path in paths_of(one, where)]
    if isinstance(kind, msgspec.inspect.StructType):
        return [path for field in kind.fields for path in paths_of(field.type, f"{where}.{field.encode_name}")]
    return []


def test_no_path_of_any_job_is_forgotten() -> None:
    """A field that is added to the messages later must be checked like the others."""
    jobs = next(field.type for field in msgspec.inspect.type_info(JobSubmit).fields if field.name == "job")
    assert isinstance(jobs, msgspec.inspect.UnionType)
    for job in jobs.types:
        assert isinstance(job, msgspec.inspect.StructType)
        wanted = paths_of(job, "$.job")
        document: dict[str, object] = {"kind": job.tag}
        for path in wanted:
            *folders, last = path.split(".")[2:]
            here = document
            for folder in folders:
                here = here.setdefault(folder, {})  # type: ignore[assignment]
            here[last] = "/x" + path
        made = msgspec.convert({"job": document}, JobSubmit).job
        named = dict(named_files(made))
        assert named == {path: "/x" + path for path in wanted if path != "$.job.output.folder"}
        assert "$.job.output.folder" in wanted
