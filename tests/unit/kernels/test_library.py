"""Loading what was compiled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.kernels import library

ROOT = Path(__file__).resolve().parents[3]


def test_the_fastest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(library.KERNELS_VARIABLE, raising=False)
    library.native.cache_clear()
    chosen = Path(library.native()._name).stem
    assert chosen == ("avx2" if "avx2" in library.compiled() and library.native().fs_cpu_has_avx2() else "baseline")


def test_a_missing_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.KERNELS_VARIABLE, str(tmp_path / "none.so"))
    library.native.cache_clear()
    with pytest.raises(FoleySpaceError, match="cannot be loaded"):
        library.native()


def test_something_else_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("not a library")
    with pytest.raises(FoleySpaceError, match="cannot be loaded"):
        library.load(text)


def test_a_library_of_other_sources_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(library._SOURCES, tmp_path / "c")
    path = next(iter(library.compiled().values()))
    monkeypatch.setattr(library, "_SOURCES", tmp_path / "c")
    library.load(path)
    (tmp_path / "c" / "mesh.c").write_text("/* changed */\n")
    with pytest.raises(FoleySpaceError, match="not of these sources"):
        library.load(path)


def test_loading_switches_nothing_in_the_process() -> None:
    # libraries linked with -ffast-math make every processor in the process flush small numbers to zero
    code = (
        "import numpy as np\nfrom foleyspace_host.kernels.library import native\nnative()\n"
        "assert np.float32(1e-30) * np.float32(1e-10) > 0.0 and 5e-324 / 1.0 > 0.0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
