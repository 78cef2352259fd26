"""What the REAPER tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture
def reaper(tmp_path: Path) -> Iterator[Any]:
    """A fresh fake REAPER with one empty, unsaved project; what it started is ended after the test."""
    pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
    from fake import FakeReaper

    resource = tmp_path / "REAPER"
    resource.mkdir()
    application = FakeReaper(resource)
    yield application
    application.close()


@pytest.fixture(params=["5.3", "5.4"])
def lua_version(request: pytest.FixtureRequest) -> str:
    """Lua of REAPER 6 and of REAPER 7."""
    return str(request.param)


@pytest.fixture
def lua(reaper: Any, tmp_path: Path, lua_version: str) -> Callable[..., Any]:
    """A function that runs a piece of Lua as a script of the fake REAPER, under both Lua versions."""
    from fake import run_script

    def run(text: str, **options: Any) -> Any:
        path = tmp_path / "snippet.lua"
        path.write_text(text, encoding="utf-8")
        return run_script(reaper, path, lua=lua_version, **options)

    return run
