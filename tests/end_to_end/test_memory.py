"""Long sounds need no more memory than short ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("resource", reason="only Unix tells the peak of a process's memory")

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
CODE = """
import json, resource, sys
from foleyspace_host.pipeline.render import render_file
peaks = []
for name in ("short.wav", "long.wav"):
    render_file(name, "keys.csv", "o.wav")
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024)
print(json.dumps(peaks))
"""


def test_memory_does_not_grow_with_the_sound(tmp_path: Path, make_sound: Any, noise: Any) -> None:
    make_sound("short.wav", noise(1, 10.0))
    make_sound("long.wav", noise(1, 130.0))
    (tmp_path / "keys.csv").write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n130,-60,0,3\n")
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, cwd=tmp_path, check=True, env=ENVIRONMENT
    )
    short_mb, long_mb = json.loads(done.stdout)
    # two minutes more are 44 MiB as stereo and 22 MiB as mono, had they been kept
    assert long_mb - short_mb < 15.0
