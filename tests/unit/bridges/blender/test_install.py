"""Installing: what a Blender program is told, and what becomes of a folder."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from foleyspace_host.bridges.blender import install as installing
from foleyspace_host.bridges.blender import package, places
from foleyspace_host.bridges.blender.install import Target, find_targets, install
from foleyspace_host.errors import InvalidInput, JobError, OutputUnwritable

needs_scripts = pytest.mark.skipif(os.name == "nt", reason="programs of this system are made here")

# a Blender that notes what it is told, and does what the test says
STAND_IN = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__)
if sys.argv[1:] == ["--version"]:
    print("Blender {version}")
    sys.exit()
with open(here.with_suffix(".log"), "a") as log:
    log.write(json.dumps([sys.argv[1:], "PYTHONPATH" in os.environ]) + "\\n")
{deeds}
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "foleyspace-1.2.3-linux_x64.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(package.MANIFEST, 'id = "foleyspace"\nversion = "1.2.3"\n')
        made.writestr("operators/render.py", "new")
    return path


def stand_in(path: Path, deeds: str = "", version: str = "5.2.2 LTS") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN.format(python=sys.executable, version=version, deeds=deeds))
    path.chmod(0o755)
    return path


def answer(digest: str) -> str:
    told = f'print("noise\\nFOLEYSPACE " + json.dumps(["/x/foleyspace", True, "{digest}"]))'
    return f'if "--python-expr" in sys.argv: {told}'


@needs_scripts
def test_a_program_installs_and_is_asked_what_became_of_it(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path / "blender", answer(package.digest_of(archive)))
    monkeypatch.setenv("PYTHONPATH", "ours")
    result = install(archive, Target((5, 2), program))
    assert (result.folder, result.is_on) == (Path("/x/foleyspace"), True)
    told = [json.loads(line) for line in program.with_suffix(".log").read_text().splitlines()]
    command = ["--command", "extension", "install-file", "--repo", "user_default", "--enable", str(archive)]
    assert told[0] == [command, False]
    question, sees_our_python = told[1]
    assert question[:4] == ["--background", "--python-exit-code", "3", "--python-expr"]
    assert "import bl_ext.user_default.foleyspace as extension" in question[4]
    assert not sees_our_python


COMPLAINS = 'if "--command" in sys.argv: print("ERROR This platform is another")\n'


@needs_scripts
@pytest.mark.parametrize(
    ("deeds", "reason"),
    [
        ('print("Error: no repository"); sys.exit(1)', "Error: no repository"),
        ("sys.exit(7)", "code 7"),
        ('if "--python-expr" in sys.argv: sys.exit("ModuleNotFoundError: No module named \'zmq\'")', "named 'zmq'"),
        ("pass", "does not say where"),
        # Blender's command ends well whatever happens
        (COMPLAINS + 'if "--python-expr" in sys.argv: sys.exit(3)', "ERROR This platform is another"),
        (COMPLAINS + answer("of the one before"), "ERROR This platform is another"),
        (answer("of the one before"), "another version is there still"),
    ],
)
def test_a_program_that_fails_is_quoted(archive: Path, tmp_path: Path, deeds: str, reason: str) -> None:
    program = stand_in(tmp_path / "blender", deeds)
    with pytest.raises(JobError, match=reason) as caught:
        install(archive, Target((5, 2), program))
    assert str(caught.value).endswith(f"drag {archive} into its window")


def test_a_folder_gets_the_extension_whole_in_place_of_the_old(archive: Path, tmp_path: Path) -> None:
    old = tmp_path / "extensions" / "user_default" / "foleyspace"
    (old / "operators").mkdir(parents=True)
    (old / "operators" / "gone.py").write_text("old")
    result = install(archive, Target((5, 2), extensions=tmp_path / "extensions"))
    assert (result.folder, result.is_on) == (old, False)
    files = sorted(path.relative_to(old).as_posix() for path in old.rglob("*") if path.is_file())
    assert files == ["blender_manifest.toml", "operators/render.py"]
    assert [path.name for path in old.parent.iterdir()] == ["foleyspace"]  # nothing left beside it


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right there")
def test_a_developer_s_link_is_replaced_and_its_target_kept(archive: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "work.py").write_text("precious")
    place = tmp_path / "extensions" / "user_default" / "foleyspace"
    place.parent.mkdir(parents=True)
    place.symlink_to(checkout, target_is_directory=True)
    install(archive, Target(None, extensions=tmp_path / "extensions"))
    assert not place.is_symlink()
    assert (checkout / "work.py").read_text() == "precious"


def test_what_goes_wrong_leaves_the_old_one(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "extensions" / "user_default" / "foleyspace"
    place.mkdir(parents=True)
    (place / "old.py").write_text("old")
    replace = Path.replace

    def fails_for_the_new(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise PermissionError(13, "no")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fails_for_the_new)
    with pytest.raises(OutputUnwritable, match="cannot write here"):
        install(archive, Target(None, extensions=tmp_path / "extensions"))
    assert (place / "old.py").read_text() == "old"
    assert [path.name for path in place.parent.iterdir()] == ["foleyspace"]


def test_a_folder_that_is_a_file_is_told(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "extensions").write_text("")
    with pytest.raises(OutputUnwritable, match="cannot write here"):
        install(archive, Target(None, extensions=tmp_path / "extensions"))


@needs_scripts
def test_each_version_is_a_target_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        stand_in(tmp_path / "a" / "blender"),
        stand_in(tmp_path / "b" / "blender"),  # the same version again
        stand_in(tmp_path / "c" / "blender", version="4.5.3"),
        stand_in(tmp_path / "d" / "blender", version="3.6.1"),  # too old
    ]
    folders = [places.UserFolder((5, 2), tmp_path / "5.2"), places.UserFolder((4, 10), tmp_path / "4.10")]
    monkeypatch.setattr(installing, "programs", lambda: found)
    monkeypatch.setattr(installing, "user_folders", lambda: folders)
    assert find_targets() == [
        Target((5, 2), found[0]),
        Target((4, 10), extensions=tmp_path / "4.10"),
        Target((4, 5), found[2]),
    ]
    assert find_targets([found[2]]) == [Target((4, 5), found[2])]
    # folders that a variable names are the programs' business, where there are programs
    monkeypatch.setattr(installing, "user_folders", lambda: [places.UserFolder(None, tmp_path / "x")])
    assert [target.version for target in find_targets()] == [(5, 2), (4, 5)]
    monkeypatch.setattr(installing, "programs", list)
    assert find_targets() == [Target(None, extensions=tmp_path / "x")]


@needs_scripts
def test_named_programs_must_be_new_enough_blenders(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"this is Blender 4\.1; the extension needs 4\.2 or newer"):
        find_targets([stand_in(tmp_path / "blender", version="4.1.1")])
    (tmp_path / "other").write_text("")
    with pytest.raises(InvalidInput, match="this is no Blender program"):
        find_targets([tmp_path / "other"])
