"""Runs the scripts as the user starts them, against a fake REAPER and a stand-in for the bridge."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

SCRIPTS = Path(__file__).resolve().parents[4] / "plugins" / "reaper"
NAMES = {
    "spatialize": "Spatialize selected items",
    "localize": "Localize video item",
    "generate": "Generate foley for time selection",
    "rerender": "Re-render changed",
    "cancel": "Cancel",
    "check": "Check installation",
    "settings": "Settings",
}
PASS = ["90", "-90", "0", "0", "2", "2"]
RATE_HZ = 48000


def entry(action: str) -> Path:
    """Give the file that the user runs."""
    return SCRIPTS / f"FoleySpace_{NAMES[action]}.lua"


class StandIn:
    """The bridge of a test: how it behaves, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "foleyspace-reaper-bridge"
        folder.mkdir()
        source = Path(__file__).with_name("stand_in_bridge.py").read_text(encoding="utf-8")
        self.program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
        self.program.chmod(0o755)
        self.behave("ok")

    def behave(self, mode: str, **more: Any) -> None:
        """Say how it answers from now on."""
        (self.folder / "behaviour.json").write_text(json.dumps({"mode": mode, **more}))

    def go(self) -> None:
        """Let a slow one finish."""
        (self.folder / "go").touch()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """All that it was asked."""
        log = self.folder / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of the last request."""
        return self.requests[-1]["items"]


@pytest.fixture
def bridge(reaper: Any, tmp_path: Path) -> StandIn:
    """A stand-in that REAPER knows as the bridge."""
    one = StandIn(tmp_path / "program")
    data = reaper.resource / "Data" / "FoleySpace"
    data.mkdir(parents=True)
    (data / "foleyspace_paths.lua").write_text(f'return {{ bridge = "{one.program}", version = "0.1.0" }}\n')
    reaper.active.values.update({"PROJECT_SRATE_USE": 1.0, "PROJECT_SRATE": float(RATE_HZ)})
    return one


@pytest.fixture
def act(reaper: Any, lua_version: str) -> Callable[..., Any]:
    """A function that runs an action to its end."""
    from fake import run_script

    def run(action: str, **options: Any) -> Any:
        return run_script(reaper, entry(action), lua=lua_version, **options)

    return run


@pytest.fixture
def noise(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a file of noise."""

    def make(name: str = "steps.wav", duration_s: float = 1.0, n_channels: int = 1, rate_hz: int = RATE_HZ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(len(name))
        soundfile.write(
            path, random.uniform(-0.5, 0.5, (round(duration_s * rate_hz), n_channels)), rate_hz, subtype="FLOAT"
        )
        return path

    return make


@pytest.fixture
def leftovers(reaper: Any) -> Callable[[], list[str]]:
    """A function that lists what jobs have left behind."""

    def look() -> list[str]:
        jobs = reaper.resource / "Data" / "FoleySpace" / "jobs"
        return sorted(path.name for path in jobs.iterdir()) if jobs.exists() else []

    return look


__all__ = ["NAMES", "PASS", "SCRIPTS", "StandIn", "entry"]
