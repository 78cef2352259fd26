"""Which archive is the one to install, and whether it is what the source says."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from foleyspace_host.bridges.blender import package
from foleyspace_host.errors import InvalidInput, NotFound

MANIFEST = 'id = "foleyspace"\nversion = "1.2.3"\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "operators").mkdir(parents=True)
    (folder / package.MANIFEST).write_text(MANIFEST)
    (folder / "__init__.py").write_text("one")
    (folder / "operators" / "render.py").write_text("two")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"left out")
    (folder / ".hidden").write_text("left out")
    return folder


def archive_of(source: Path, path: Path, *, manifest: str = MANIFEST, **changed: str | None) -> Path:
    contents: dict[str, str | None] = {"__init__.py": "one", "operators/render.py": "two", **changed}
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(package.MANIFEST, manifest + "# wheels are added\n")
        made.writestr("wheels/msgpack.whl", b"not of the source")
        for name, text in contents.items():
            if text is not None:
                made.writestr(name, text)
    return path


def test_an_archive_is_current_until_the_source_changes(source: Path, tmp_path: Path) -> None:
    archive = archive_of(source, tmp_path / "a.zip")
    assert package.is_current(archive, source)
    (source / "operators" / "render.py").write_text("three")
    assert not package.is_current(archive, source)
    (source / "operators" / "render.py").write_text("two")
    (source / "more.py").write_text("")
    assert not package.is_current(archive, source)


@pytest.mark.parametrize(
    "changed", [{"__init__.py": None}, {"gone.py": "old"}, {"manifest": MANIFEST.replace("1.2.3", "1.2.2")}]
)
def test_other_contents_are_not_current(source: Path, tmp_path: Path, changed: dict[str, str]) -> None:
    assert not package.is_current(archive_of(source, tmp_path / "a.zip", **changed), source)


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-x64"),
        ("Windows", "AMD64", "windows-x64"),
        ("Darwin", "arm64", "macos-arm64"),
        ("Darwin", "x86_64", "macos-x64"),
        ("Linux", "aarch64", "linux-arm64"),
    ],
)
def test_systems_have_blender_s_names(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert package.this_platform() == name


def test_the_archive_of_the_system_is_chosen(source: Path, tmp_path: Path) -> None:
    for system in package.PLATFORMS:
        archive_of(source, tmp_path / "built" / f"foleyspace-1.2.3-{system.replace('-', '_')}.zip")
    assert package.archive_for("macos-x64", tmp_path / "built").name == "foleyspace-1.2.3-macos_x64.zip"
    with pytest.raises(InvalidInput, match="not built for linux-riscv64; name one of linux-x64"):
        package.archive_for("linux-riscv64", tmp_path / "built")
    archive_of(source, tmp_path / "built" / "foleyspace-1.2.2-linux_x64.zip")
    with pytest.raises(NotFound, match="several archives"):
        package.archive_for("linux-x64", tmp_path / "built")


def test_what_is_not_built_or_is_old_is_not_installed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(package, "source_folder", lambda: source)
    with pytest.raises(NotFound, match="is not here; build it: foleyspace blender build"):
        package.archive_for("linux-x64", package.ASSETS)
    archive = archive_of(source, package.ASSETS / "foleyspace-1.2.3-linux_x64.zip")
    assert package.archive_for("linux-x64", package.ASSETS) == archive
    (source / "__init__.py").write_text("changed")
    with pytest.raises(NotFound, match="older than the extension's source"):
        package.archive_for("linux-x64", package.ASSETS)
    monkeypatch.setattr(package, "source_folder", lambda: None)  # an installed package has no source to compare
    assert package.archive_for("linux-x64", package.ASSETS) == archive


def test_archives_of_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(InvalidInput, match="no archive of a Blender extension"):
        package.version_of(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(InvalidInput, match="no archive of a Blender extension"):
        package.version_of(tmp_path / "empty.zip")
    other = archive_of(tmp_path, tmp_path / "other.zip", manifest='id = "other"\nversion = "1"\n')
    with pytest.raises(InvalidInput, match="another extension"):
        package.version_of(other)
    with pytest.raises(InvalidInput, match="no extension's manifest"):
        package.source_version(tmp_path)
