"""The wheel that users install holds all it needs and says what it is."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import foleyspace_host

pytest.importorskip("hatchling", reason="hatchling builds the wheel; `make test` installs it")

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def metadata(wheel: zipfile.ZipFile) -> dict[str, list[str]]:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    message = Parser().parsestr(wheel.read(name).decode("utf-8"))
    return {key: message.get_all(key, []) for key in message}


@pytest.mark.parametrize(
    "path",
    [
        "foleyspace_host/hrtf/assets/MIT_KEMAR_normal_pinna.sofa",
        "foleyspace_host/hrtf/assets/ears.npz",
        "foleyspace_host/hrtf/assets/listeners.npz",
        "foleyspace_host/models/assets/binaural-flow.onnx",
        "foleyspace_host/models/assets/foley.md",
        "foleyspace_host/models/assets/foley.onnx",
        "foleyspace_host/models/assets/centernet.onnx",
        "foleyspace_host/demo/assets/horse.png",
        *(f"foleyspace_host/demo/assets/hoof_{index}.flac" for index in range(1, 5)),
        *(f"foleyspace_host/report/assets/report.{kind}" for kind in ("html", "css", "js")),
    ],
)
def test_data_is_inside_unchanged(wheel: zipfile.ZipFile, path: str) -> None:
    assert wheel.read(path) == (ROOT / path).read_bytes()


def libraries_in(wheel: zipfile.ZipFile) -> set[str]:
    return {name.rsplit("/", 1)[1] for name in wheel.namelist() if "/kernels/compiled/" in name}


def test_the_compiled_kernels_are_inside_and_their_sources_are_not(wheel: zipfile.ZipFile) -> None:
    from foleyspace_host.kernels.library import compiled

    assert libraries_in(wheel) == {path.name for path in compiled().values()}
    assert not [name for name in wheel.namelist() if name.endswith((".c", ".h"))]


def test_the_wheel_is_for_every_python_of_one_system(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL"))
    text = wheel.read(name).decode("utf-8")
    assert "Root-Is-Purelib: false" in text
    (tag,) = re.findall(r"^Tag: (.+)$", text, re.MULTILINE)
    assert tag.startswith("py3-none-")
    assert not tag.endswith("-any")


def test_what_the_source_archive_holds_makes_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    run = {"capture_output": True, "text": True, "check": True}
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)], cwd=ROOT, **run)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        # our own archive; the filter came with 3.11.4
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        sources.extractall(tmp_path, **safely)  # noqa: S202
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert not list(folder.glob("**/kernels/compiled"))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=folder, **run)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as made:
        assert libraries_in(made) == libraries_in(wheel)
        assert set(made.namelist()) == set(wheel.namelist())


def test_every_shipped_model_is_inside(wheel: zipfile.ZipFile) -> None:
    from foleyspace_host.models.registry import ENTRIES

    for entry in ENTRIES:
        info = wheel.getinfo(f"foleyspace_host/{entry.file}")
        assert info.file_size == entry.size_bytes


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_licence_and_notice_are_inside(wheel: zipfile.ZipFile, name: str) -> None:
    (inside,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/licenses/{name}"))
    assert wheel.read(inside) == (ROOT / name).read_bytes()


def test_every_shipped_datum_has_a_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for path in (ROOT / "foleyspace_host").glob("**/assets/*"):
        if path.suffix not in {".py", ".txt", ".md", ".json", ".toml", ".html", ".css", ".js"}:
            # a numbered series is credited as a whole, by its first member; so are the extension's archives
            name = re.sub(r"_\d+\.", "_1.", path.name)
            assert re.sub(r"^foleyspace-.+\.zip$", "foleyspace-*.zip", name) in notice, path


def test_only_the_package_is_inside(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"foleyspace_host", f"foleyspace_host-{foleyspace_host.__version__}.dist-info"}


def test_version_is_one(wheel: zipfile.ZipFile) -> None:
    assert PROJECT["version"] == foleyspace_host.__version__
    assert metadata(wheel)["Version"] == [foleyspace_host.__version__]


def test_command_is_declared(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "foleyspace = foleyspace_host.cli:main" in wheel.read(name).decode("utf-8")


def test_locks_hold_what_the_project_asks_for() -> None:
    """Each direct dependency is pinned, with digests, and no address of any index is in the file."""
    for name, extras in (("cpu", ["cpu"]), ("dev", ["cpu", "dev"])):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
        wanted = list(PROJECT["dependencies"])
        for extra in extras:
            wanted += PROJECT["optional-dependencies"][extra]
        assert {re.split(r"[<>=\[ ]", item)[0].lower() for item in wanted} <= pinned
        assert {"hatchling", "editables"} <= pinned
        assert "://" not in text
        blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
        assert all("--hash=sha256:" in block for block in blocks)
