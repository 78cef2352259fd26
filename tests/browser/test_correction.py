"""The whole way of a correction: find, look, drag, save, hear it moved, and find again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from foleyspace_host.cli import main
from foleyspace_host.demo.scene import write_clip
from foleyspace_host.geometry.trajectory_file import read_trajectory

RATE_HZ = 48_000
AT_S = 1.0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Path:
    """The demo's clip, localized, with its page; only where there is a browser to look at it."""
    folder = tmp_path_factory.mktemp("correction")
    write_clip(folder / "horse.mp4")
    words = ["localize", "horse.mp4", "-o", "horse.trajectory.json", "--label", "horse", "--report", "horse.html"]
    assert main([str(folder / word) if "." in word else word for word in words]) == 0
    return folder


def left_over_right_db(sound: Path, start_s: float, end_s: float) -> float:
    samples, rate_hz = soundfile.read(sound)
    power = np.square(samples[round(start_s * rate_hz) : round(end_s * rate_hz)]).mean(axis=0)
    return float(10 * np.log10(power[0] / power[1]))


def test_a_dragged_key_is_saved_rendered_and_kept(
    found: Path, open_page: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    page = open_page(found / "horse.html")
    box = page.evaluate(
        f"""async () => {{
          const app = FoleyReport.app;
          app.seek({AT_S});
          await new Promise((done) => setTimeout(done, 500));
          const canvas = app.stage.canvas.getBoundingClientRect();
          const dot = app.stage.handles.find((handle) => handle.index === app.active);
          const to = app.stage.toCanvas([0.9, 0.5]);
          return [dot.x + canvas.left, dot.y + canvas.top, to[0] + canvas.left, to[1] + canvas.top];
        }}"""
    )
    page.mouse.move(*box[:2])
    page.mouse.down()
    page.mouse.move(*box[2:], steps=4)
    page.mouse.up()
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "horse.edited.trajectory.json"
    edited = found / download.value.suggested_filename
    download.value.save_as(edited)

    before, after = read_trajectory(found / "horse.trajectory.json"), read_trajectory(edited)
    own = [key for key in after.selected[0].keys if key.origin == "edited"]
    assert len(own) == 1
    assert own[0].t_s == pytest.approx(AT_S, abs=0.02)
    assert own[0].azimuth_deg < -20.0
    assert after.camera == before.camera
    assert [source.id for source in after.sources] == [source.id for source in before.sources]

    dry = found / "noise.wav"
    soundfile.write(dry, np.random.default_rng(5).normal(0, 0.05, 8 * RATE_HZ), RATE_HZ)
    sides = {}
    for name in ("horse.trajectory.json", edited.name):
        out = found / f"{name}.wav"
        assert main(["render", str(dry), "--trajectory", str(found / name), "-o", str(out)]) == 0
        sides[name] = [left_over_right_db(out, AT_S - 0.1, AT_S + 0.1), left_over_right_db(out, 6.0, 8.0)]
    assert sides["horse.trajectory.json"][0] > 3.0  # the horse comes from the left
    assert sides[edited.name][0] < -3.0
    assert sides[edited.name][1] == pytest.approx(sides["horse.trajectory.json"][1], abs=0.01)

    capsys.readouterr()
    words = [
        "localize",
        found / "horse.mp4",
        "-o",
        found / "again.json",
        "--keys",
        edited,
        "--label",
        "horse",
        "--json",
    ]
    assert main([str(word) for word in words]) == 0
    again = read_trajectory(found / "again.json").source(after.selected[0].id)
    assert own[0] in again.keys
    assert json.loads(capsys.readouterr().out)["settings"]["keys"] == str(edited)
    for key, shown in zip(again.keys, after.selected[0].keys, strict=True):
        assert key.azimuth_deg == pytest.approx(shown.azimuth_deg, abs=0.01)


def test_a_page_can_come_with_the_sound(found: Path, open_page: Any, tmp_path: Path) -> None:
    out, page = tmp_path / "horse.wav", tmp_path / "r.html"
    words = ["spatialize", found / "horse.mp4", "-o", out, "--keys", found / "horse.trajectory.json", "--report", page]
    assert main([str(word) for word in words]) == 0
    opened = open_page(page)
    assert opened.evaluate("FoleyReport.app.facts.save_as") == "horse.edited.trajectory.json"
    assert opened.evaluate("FoleyReport.app.sources[0].label") == "horse"
