"""What the EBU's own reader and renderer make of exported objects; it runs in an interpreter of its own.

`make test-adm` makes that; FOLEYSPACE_EAR_PYTHON names another one.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from timelines import clip, gap, marker, media, span, timeline, track, write

from foleyspace_host.geometry.frames import unit_to_angles
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.timeline.run import spatialize_timeline

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("FOLEYSPACE_EAR_PYTHON", ROOT / ".venv" / "ear" / "bin" / "python"))
RATE = 48_000

pytestmark = pytest.mark.skipif(
    not PYTHON.is_file(), reason="the EBU ADM Renderer is not installed: `make test-adm` does that"
)


def read(path: Path, truth: list) -> dict[str, Any]:
    told = path.with_suffix(".truth.json")
    told.write_text(json.dumps(truth))
    command = [str(PYTHON), str(Path(__file__).with_name("read_with_ear.py")), str(path), str(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def moving(source: Source, duration: float) -> dict:
    told = json.loads(dumps(Trajectory(duration / 24, (source,))))
    return clip("car", span(0, duration), media("a.wav"), metadata={"foleyspace": {"trajectory": told}})


@pytest.fixture
def steady(tmp_path: Path) -> Path:
    """Write a sound that is 0.5 all the time: what comes out of a loudspeaker is its gain."""
    soundfile.write(tmp_path / "a.wav", np.full(10 * RATE, 0.5), RATE, subtype="PCM_24")
    return tmp_path


PATHS = {
    "rests": Source("s", (Key(0.0, 35.0, 12.0, 3.0),)),
    "passes": Source("s", (Key(0.0, 70.0, 0.0, 10.0), Key(2.0, 0.0, 5.0, 6.0), Key(4.0, -110.0, 0.0, 9.0))),
    "goes round behind": Source("s", (Key(0.0, 100.0), Key(1.0, 170.0), Key(2.0, -170.0), Key(4.0, -60.0))),
    "jumps": Source("s", (Key(0.0, 30.0), Key(1.0, 40.0), Key(1.5, -50.0, 20.0, cut=True), Key(4.0, -30.0))),
    "comes nearer": Source("s", (Key(0.0, 20.0, 0.0, 12.0), Key(4.0, -20.0, 0.0, 5.0)), gain_db=-3.0),
}


@pytest.mark.parametrize("name", PATHS)
def test_it_is_rendered_along_the_same_path(steady: Path, name: str) -> None:
    source = PATHS[name]
    document = timeline(track(gap(12), moving(source, 96)))
    spatialize_timeline(
        write(steady / "in.otio", document),
        steady / "out.otio",
        adm=steady / "adm.wav",
        handles_s=0,
        distance_gain="none",
    )
    path = SourcePath.from_source(source)
    at_s = np.linspace(0.01, 3.99, 200)
    for key in source.keys:
        at_s = at_s[(at_s < key.t_s - 0.001) | (at_s > key.t_s + 0.006)] if key.cut else at_s
    unit, distance = path.sample(at_s)
    azimuth, elevation = unit_to_angles(unit)
    absolute = path.distance_bounds_m()[1]
    level = 0.5 * 10 ** (source.gain_db / 20)
    samples = np.rint((at_s + 0.5) * RATE).astype(int)
    truth = [
        [int(n), float(az), float(el), float(r / absolute), level]
        for n, az, el, r in zip(samples, azimuth, elevation, distance, strict=True)
    ]
    told = read(steady / "adm.wav", truth)
    assert (told["rate"], told["channels"], told["bits"], told["n_samples"]) == (RATE, 1, 24, int(4.5 * RATE))
    (one,) = told["objects"]
    assert (one["name"], one["start"], one["duration"], one["track"]) == ("A1/car", 0.5, 4.0, 1)
    assert one["absolute"] == pytest.approx(absolute, rel=1e-5)
    # of a gain of 0.5; -40 dB below it is a fifth of what a listener could tell
    assert max(told["off"]) < 0.01


def test_tracks_are_shared_by_what_follows_each_other(steady: Path) -> None:
    def one(name: str, azimuth: float) -> dict:
        return clip(name, span(0, 24), media("a.wav"), markers=[marker(f"foleyspace: az={azimuth} dist=2", 0)])

    document = timeline(track(one("a", 30), one("b", -30)), track(gap(12), one("c", 110)))
    source = write(steady / "in.otio", document)
    spatialize_timeline(source, steady / "out.otio", adm=steady / "adm.wav", handles_s=0)
    # in the middle of each half of the file one of the first track sounds; c does from 0.5 s to 1.5 s
    truth = [[RATE // 4, 30.0, 0.0, 1.0, 0.5], [RATE * 7 // 4, -30.0, 0.0, 1.0, 0.5]]
    told = read(steady / "adm.wav", truth)
    assert told["items"] == 3
    assert [(o["name"], o["track"], o["start"], o["duration"]) for o in told["objects"]] == [
        ("A1/a", 1, 0.0, 1.0),
        ("A2/c", 2, 0.5, 1.0),
        ("A1/b", 1, 1.0, 1.0),
    ]
    assert max(told["off"]) < 1e-5


def test_the_edge_between_two_objects_is_exact(steady: Path) -> None:
    parts = [
        clip(f"{n}", span(0, 7, 23.976), media("a.wav"), markers=[marker(f"foleyspace: az={30 - 60 * (n % 2)}", 0)])
        for n in range(4)
    ]
    source = write(steady / "in.otio", timeline(track(*parts)))
    spatialize_timeline(source, steady / "out.otio", adm=steady / "adm.wav", handles_s=0)
    edges = [round(7 * n * 1001 / 24000 * RATE) for n in range(1, 4)]
    truth = []
    for n, edge in enumerate(edges):
        before, after = (30.0, -30.0) if n % 2 == 0 else (-30.0, 30.0)
        truth += [[edge - 1, before, 0.0, 1.0, 0.5], [edge, after, 0.0, 1.0, 0.5]]
    assert max(read(steady / "adm.wav", truth)["off"]) < 1e-5
