"""The promise of the whole: the sound measurably follows what the picture shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from foleyspace_host.geometry.camera import Camera


def interaural_times_us(sound: np.ndarray, rate_hz: int, times_s: np.ndarray, window_s: float = 0.6) -> np.ndarray:
    """Time by which the left ear leads: slope of the cross-spectrum's phase between 150 and 500 Hz."""
    results = []
    for time_s in times_s:
        start = int(np.clip((time_s - window_s / 2) * rate_hz, 0, sound.shape[1] - window_s * rate_hz))
        piece = sound[:, start : start + int(window_s * rate_hz)]
        left, right = np.fft.rfft(piece * np.hanning(piece.shape[1]), axis=1)
        omega = 2 * np.pi * np.fft.rfftfreq(piece.shape[1], 1 / rate_hz)
        band = (omega > 2 * np.pi * 150) & (omega < 2 * np.pi * 500)
        cross, omega = (left * np.conj(right))[band], omega[band]
        weight = np.abs(cross)
        results.append(1e6 * (weight * omega * np.angle(cross)).sum() / (weight * omega**2).sum())
    return np.array(results)


def test_the_sound_of_a_real_clip_follows_its_rider(shared_dir: Path, tmp_path: Path, foleyspace: Any) -> None:
    clip = shared_dir / "data" / "video" / "fs_horse.mp4"
    done = foleyspace("spatialize", clip, "-o", "o.wav", "--json")
    assert done.code == 0, done.err
    labels = json.loads((clip.parent / "labels.json").read_text())["fs_horse"]
    points = [point for point in labels["points"] if point["visible"]]
    times_s = np.array([point["t"] for point in points])
    camera = Camera(round(1000 * labels["aspect"]), 1000)
    azimuth_deg, _ = camera.directions([p["x"] * camera.width for p in points], [p["y"] * 1000 for p in points])
    sound, rate_hz = soundfile.read(tmp_path / "o.wav", always_2d=True)
    measured = interaural_times_us(sound.T, rate_hz, times_s)
    assert np.corrcoef(measured, azimuth_deg)[0, 1] > 0.9
    # where the two directions are far enough apart, the ears tell them apart the right way round
    assert measured[np.argmax(azimuth_deg)] > measured[np.argmin(azimuth_deg)]


@pytest.mark.parametrize("azimuth_deg", [-80.0, -20.0, 20.0, 80.0])
def test_positive_azimuths_reach_the_left_ear_first(
    tmp_path: Path, make_sound: Any, noise: Any, azimuth_deg: float
) -> None:
    from foleyspace_host.pipeline.render import render_file

    make_sound("dry.wav", noise(1, 1.0))
    (tmp_path / "keys.csv").write_text(f"t_s,azimuth_deg,elevation_deg,distance_m\n0,{azimuth_deg},0,1\n")
    render_file(tmp_path / "dry.wav", tmp_path / "keys.csv", tmp_path / "o.wav")
    sound, rate_hz = soundfile.read(tmp_path / "o.wav", always_2d=True)
    measured = interaural_times_us(sound.T, rate_hz, np.array([0.5]))[0]
    # at low frequencies a rigid sphere gives 3 a / c sin(azimuth); a = 8.75 cm (Kuhn 1977)
    assert measured == pytest.approx(3 * 0.0875 / 343 * 1e6 * np.sin(np.radians(azimuth_deg)), rel=0.25)
