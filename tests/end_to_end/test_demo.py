"""The demo finds its own horse, and its sound has the interaural differences of the true path."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleyspace_host.cli import main
from foleyspace_host.demo import scene
from foleyspace_host.geometry.trajectory_file import read_trajectory

pytest.importorskip("onnxruntime", reason="localization needs ONNX Runtime")


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "made" / "here"
    assert main(["demo", "-o", str(folder), "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    result = json.loads(printed.out)
    assert sorted(path.name for path in folder.iterdir()) == [
        "binaural.mp4",
        "binaural.wav",
        "picture.png",
        "scene.mp4",
        "trajectory.json",
    ]
    assert all(Path(result[name]).is_file() for name in ("clip", "video", "sound", "trajectory", "picture"))

    # against the truth, not against what the demo says of itself
    (source,) = read_trajectory(folder / "trajectory.json").selected
    assert source.label == "horse"
    truth = scene.truth(np.array([key.t_s for key in source.keys]))
    azimuth_error = np.abs([key.azimuth_deg for key in source.keys] - truth.azimuth_deg)
    assert azimuth_error.mean() < 0.5
    assert azimuth_error.max() < 2.0
    distance_ratio = [key.distance_m for key in source.keys] / truth.distance_m
    assert np.abs(distance_ratio - 1.0).mean() < 0.10
    assert result["errors"]["azimuth_mean_deg"] == pytest.approx(azimuth_error.mean(), abs=0.1)

    assert result["itd_error_us"] < 15.0
    assert result["ild_error_db"] < 0.5
    samples, rate_hz = soundfile.read(folder / "binaural.wav")
    assert samples.shape == (scene.DURATION_S * rate_hz, 2)
    # the horse comes from the left and goes to the right, and near the middle it is loudest
    second = samples.reshape(scene.DURATION_S, rate_hz, 2)
    power = (second**2).sum(axis=1)
    assert power[0, 0] > power[0, 1]
    assert power[-1, 0] < power[-1, 1]


def test_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["demo", "-o", str(blocked / "demo")]) == 1
    line = capsys.readouterr().err
    assert line.startswith("foleyspace: error: ")
    assert str(blocked / "demo") in line
    assert line.count("\n") == 1
