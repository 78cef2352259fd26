"""Ctrl-C: exit code 130, one line, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import foleyspace_host
from foleyspace_host.errors import Cancelled

KEYS = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n2,-60,0,2\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_rendering(tmp_path: Path, make_sound: Any, noise: Any, listing: Any, number: int) -> None:
    make_sound("dry.wav", noise(1, 300.0))
    (tmp_path / "keys.csv").write_text(KEYS)
    before = listing()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "foleyspace_host",
            "render",
            "dry.wav",
            "--trajectory",
            "keys.csv",
            "-o",
            "o.wav",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    deadline = time.monotonic() + 60
    try:
        while not list(tmp_path.glob(".o.*")):
            assert process.poll() is None, "it ended before its output was begun"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out, err) == (130, "", "foleyspace: error: cancelled\n")
    assert listing() == before


@pytest.mark.parametrize("stage", ["decode", "localize", "render", "write"])
def test_cancel_from_any_stage_leaves_nothing(
    tmp_path: Path, make_clip: Any, noise: Any, listing: Any, stage: str
) -> None:
    clip = make_clip(seconds=1.0, sound=noise(2, 1.0))
    before = listing()

    def stop(name: str, done: int, total: int) -> None:
        if name == stage and done:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        foleyspace_host.spatialize(clip, tmp_path / "o.mov", trajectory_out=tmp_path / "t.json", on_progress=stop)
    assert listing() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_sees_the_stages(tmp_path: Path, make_clip: Any, noise: Any) -> None:
    import pty

    make_clip("clip.mov", seconds=1.0, sound=noise(2, 1.0))
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "foleyspace_host", "spatialize", "clip.mov", "-o", "o.mov"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(main_end, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(main_end)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith(b"o.mov\n")
    for stage in (b"decode", b"localize", b"render", b"write"):
        assert stage in shown
