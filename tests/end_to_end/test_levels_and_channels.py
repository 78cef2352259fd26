"""Levels, codings, times and channels of what comes out of a whole render, as other programs read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.cli.app import main
from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.loudness import LoudnessMeter
from foleyspace_host.media.wav import Broadcast, read_broadcast
from foleyspace_host.media.write import write_audio
from foleyspace_host.pipeline.render import render_file

RATE = 48_000
ELEVEN = 11 * 3600 * RATE


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Stereo noise in a Broadcast Wave file of eleven o'clock; its right channel begins a second late."""
    sound = (0.1 * np.random.default_rng(1).standard_normal((2, 3 * RATE))).astype(np.float32)
    sound[1, :RATE] = 0.0
    broadcast = Broadcast(ELEVEN, "Steps", "Recorder", date="2024-05-06")
    write_audio(tmp_path / "steps.wav", [sound], RATE, 2, subtype="PCM_24", broadcast=broadcast)
    return tmp_path / "steps.wav"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "path.csv").write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n")
    return tmp_path / "path.csv"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    code = main(["render", *(str(argument) for argument in arguments), "--json"])
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (code == 0) == ("error" not in result), result
    return result


def test_loudness_of_the_result_is_that_of_the_file(
    tmp_path: Path, steps: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.wav", "a.flac"):
        result = run(capsys, steps, "--trajectory", path, "-o", tmp_path / name)
        sound, _ = soundfile.read(tmp_path / name, dtype="float32")
        meter = LoudnessMeter(2, RATE)
        meter.add(sound.T)
        assert result["loudness_lufs"] == pytest.approx(meter.integrated_lufs(), abs=0.01)
        assert result["true_peak_db"] >= 20 * np.log10(np.abs(sound).max()) - 0.01
    assert main(["render", str(steps), "--trajectory", str(path), "-o", str(tmp_path / "b.wav")]) == 0
    assert f"loudness {result['loudness_lufs']:.1f} LUFS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "depth", "coding"),
    [
        ("a.wav", None, "FLOAT"),
        ("a.wav", "float", "FLOAT"),
        ("a.wav", "24", "PCM_24"),
        ("a.wav", "16", "PCM_16"),
        ("a.flac", None, "PCM_24"),
        ("a.flac", "16", "PCM_16"),
    ],
)
def test_bit_depths(
    tmp_path: Path, steps: Path, path: Path, capsys: Any, name: str, depth: str | None, coding: str
) -> None:
    wish = () if depth is None else ("--bit-depth", depth)
    result = run(capsys, steps, "--trajectory", path, "-o", tmp_path / name, *wish)
    assert result["codec"] == soundfile.info(tmp_path / name).subtype == coding


def test_wishes_that_a_file_cannot_hold(tmp_path: Path, steps: Path, path: Path) -> None:
    for name, wish in (("a.flac", {"bit_depth": "float"}), ("a.flac", {"time_reference": 5})):
        with pytest.raises(InvalidInput, match=r"a\.flac"):
            render_file(steps, path, tmp_path / name, **wish)  # type: ignore[arg-type]
    for wish in ({"bit_depth": "8"}, {"time_reference": -1}, {"channels": "both"}, {"channel_angle_deg": 200.0}):
        with pytest.raises(InvalidInput):
            render_file(steps, path, tmp_path / "a.wav", **wish)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("a.*"))


def test_a_rendered_file_lies_where_its_source_lay(
    tmp_path: Path, steps: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys, steps, "--trajectory", path, "-o", tmp_path / "a.wav", "--bit-depth", "24")
    assert result["time_reference"] == ELEVEN
    with av.open(str(tmp_path / "a.wav")) as file:
        assert file.metadata["time_reference"] == str(ELEVEN)
        assert file.metadata["encoded_by"] == "Recorder"
    run(capsys, steps, "--trajectory", path, "-o", tmp_path / "b.wav", "--time-reference", 480)
    told = read_broadcast(tmp_path / "b.wav")
    assert told is not None
    assert (told.time_reference, told.description) == (480, "Steps")
    assert run(capsys, steps, "--trajectory", path, "-o", tmp_path / "c.flac")["time_reference"] is None
    soundfile.write(tmp_path / "plain.wav", np.full(RATE, 0.1), RATE)
    result = run(capsys, tmp_path / "plain.wav", "--trajectory", path, "-o", tmp_path / "d.wav")
    assert result["time_reference"] is None
    assert read_broadcast(tmp_path / "d.wav") is None


def test_channels_side_by_side(tmp_path: Path, steps: Path, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wish = ("--distance-gain", "none", "--channels", "spread", "--channel-angle", "60")
    result = run(capsys, steps, "--trajectory", path, "-o", tmp_path / "a.wav", *wish)
    assert (result["sound"]["channels"], result["sound"]["mono_gain_db"]) == ("spread", 0.0)
    sound, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    # in the first second only the left channel sounds, from 60 + 60 degrees
    (tmp_path / "left.csv").write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,120,0,2\n")
    dry, _ = soundfile.read(steps, dtype="float32")
    soundfile.write(tmp_path / "left.wav", dry[:, 0] / np.sqrt(2), RATE, "FLOAT")
    run(capsys, tmp_path / "left.wav", "--trajectory", tmp_path / "left.csv", "-o", tmp_path / "b.wav", *wish[:2])
    alone, _ = soundfile.read(tmp_path / "b.wav", dtype="float32")
    np.testing.assert_allclose(sound[: RATE - 1000], alone[: RATE - 1000], atol=1e-5)
    assert not np.allclose(sound[RATE + 1000 :], alone[RATE + 1000 :], atol=1e-2)


def test_extent_of_the_command_line(
    tmp_path: Path, steps: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, steps, "--trajectory", path, "-o", tmp_path / "a.wav")
    result = run(capsys, steps, "--trajectory", path, "-o", tmp_path / "b.wav", "--extent", "90")
    assert result["settings"]["extent_deg"] == 90.0
    point, wide = (soundfile.read(tmp_path / name)[0] for name in ("a.wav", "b.wav"))
    assert 10 * np.log10((wide**2).sum() / (point**2).sum()) == pytest.approx(0, abs=1)
    assert np.abs(np.corrcoef(wide.T)[0, 1]) < 0.9
    assert run(capsys, steps, "--trajectory", path, "-o", tmp_path / "b.wav", "--extent", "200")["error"]
