"""What a user installs is enough: the wheel in an environment of its own, far from any checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host.bridges.reaper.folders import shipped

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it; what it depends on is taken from the environment of the tests."""
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, timeout=500)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "Zoë's venv", with_pip=False)
    python = folder / "Zoë's venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)], check=True)
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    # by this path the package itself is not found: where it is installed from the checkout, another file says so
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the paths of the test are those of POSIX")
def test_the_installed_wheel_works_in_reaper_without_a_checkout(
    environment: Path, lonely_studio: Any, tmp_path: Path
) -> None:
    from fake import add_item, add_track

    studio = lonely_studio
    alone = {name: value for name, value in studio.environment.items() if name != "PYTHONPATH"} | {
        "PATH": os.defpath,
        "FOLEYSPACE_HOME": str(tmp_path / "other home"),
    }
    (studio.reaper.resource / "reaper.ini").write_text("")
    words = [str(environment / "foleyspace"), "reaper", "install", "--resource-path", str(studio.reaper.resource)]
    done = subprocess.run(words, env=alone, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(environment / "foleyspace-reaper-bridge") in done.stdout
    assert str(ROOT) not in done.stdout
    copied = {path.relative_to(studio.installed.scripts) for path in studio.installed.scripts.rglob("*.lua")}
    assert copied == {path.relative_to(shipped()) for path in shipped().rglob("*.lua")}

    studio.reaper.processes.environment = alone
    item = add_item(add_track(studio.project, "Steps"), studio.noise("a.wav"), 1.0, 0.5)
    studio.reaper.dialogs.inputs.append(["60", "60", "0", "0", "2", "2"])
    try:
        studio.run("Spatialize selected items")
        sound = studio.sound_of(studio.results()[item.start_s])
        assert sound.shape == (2, 24_000)
        assert np.mean(sound[0] ** 2) > 3.0 * np.mean(sound[1] ** 2)
        assert studio.reaper.processes.commands[-1][0] == str(environment / "foleyspace-reaper-bridge")
    finally:
        subprocess.run([str(environment / "foleyspace"), "host", "--stop"], env=alone, capture_output=True, check=False)
