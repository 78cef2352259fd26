"""What `foleyspace hrtf inspect` says and draws."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host.cli import main
from foleyspace_host.hrtf.survey import survey

KEMAR = Path(str(files("foleyspace_host.hrtf") / "assets" / "MIT_KEMAR_normal_pinna.sofa"))


def test_facts_of_kemar() -> None:
    facts, curves = survey(None)
    # Gardner & Martin 1994: 710 positions from -40 degrees up, 1.4 m, 512 samples at 44.1 kHz
    assert (facts.n_directions, facts.n_measurements, facts.n_taps, facts.sample_rate_hz) == (710, 710, 512, 44_100)
    assert facts.elevation_deg == pytest.approx((-40.0, 90.0), abs=0.01)
    assert (facts.radii_m, facts.radius_m) == ((1.4,), 1.4)
    assert facts.hole_deg == pytest.approx(50.0, abs=1.0)  # the nadir is 50 degrees from the lowest ring
    assert facts.hole_at_deg[1] < -85
    assert 600 < facts.itd_max_us < 700
    assert abs(abs(facts.itd_max_at_deg[0]) - 90) < 15
    # the ITD is odd in azimuth, and what is drawn passes through what was measured
    np.testing.assert_allclose(curves.itd_us, -curves.itd_us[::-1], atol=25)
    drawn = np.interp(curves.measured_azimuth_deg, curves.azimuth_deg[::-1], curves.itd_us[::-1])
    np.testing.assert_allclose(drawn, curves.measured_itd_us, atol=5)
    # the left ear hears highs from the left much better than from the right
    high = (curves.frequency_hz > 4000) & (curves.frequency_hz < 8000)
    left, right = (curves.level_db[np.abs(curves.azimuth_deg - side).argmin(), high].mean() for side in (90, -90))
    assert left - right > 15


def test_the_level_is_that_of_the_diffuse_field(tmp_path: Path) -> None:
    """Twice the amplitude is 6 dB more; and an independent estimate from the raw responses agrees."""
    import sofar

    facts, _ = survey(None)
    sofa = sofar.read_sofa(str(KEMAR), verify=False, verbose=False)
    power = (np.abs(np.fft.rfft(sofa.Data_IR, 4096)) ** 2).mean(axis=1)
    hz = np.fft.rfftfreq(4096, 1 / 44_100)
    elevation = np.radians(sofa.SourcePosition[:, 1])
    rings, inverse, count = np.unique(np.round(elevation, 3), return_inverse=True, return_counts=True)
    weight = np.maximum(np.cos(rings), 0.01)[inverse] / count[inverse]  # each ring by its circumference
    centres = 1000 * 2 ** (np.arange(-9, 12) / 3)
    field = weight @ power / weight.sum()
    bands = [field[(hz > c / 2 ** (1 / 6)) & (hz < c * 2 ** (1 / 6))].mean() for c in centres]
    assert facts.level_db == pytest.approx(10 * np.log10(np.mean(bands)), abs=0.5)
    sofa.Data_IR = 2 * sofa.Data_IR
    sofar.write_sofa(str(tmp_path / "loud.sofa"), sofa)
    assert survey(tmp_path / "loud.sofa")[0].level_db - facts.level_db == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_command_draws(tmp_path: Path, capsys: Any, suffix: str) -> None:
    picture = tmp_path / f"set{suffix}"
    assert main(["hrtf", "inspect", "-o", str(picture)]) == 0
    out = capsys.readouterr().out
    for text in ("KEMAR", "SimpleFreeFieldHRIR", "710 directions", "512 samples at 44100 Hz", str(picture)):
        assert text in out
    head = picture.read_bytes()[:200]
    assert {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix] in head
    assert list(tmp_path.iterdir()) == [picture]


def test_the_picture_is_not_empty(tmp_path: Path) -> None:
    from matplotlib.image import imread

    assert main(["hrtf", "inspect", str(KEMAR), "-o", str(tmp_path / "set.png")]) == 0
    image = imread(str(tmp_path / "set.png"))
    assert min(image.shape[:2]) > 600
    height, width = image.shape[:2]
    for rows in (slice(0, height // 2), slice(height // 2, height)):
        for columns in (slice(0, width // 2), slice(width // 2, width)):
            assert image[rows, columns, :3].std() > 0.05


def test_json(capsys: Any) -> None:
    assert main(["hrtf", "inspect", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n_directions"] == 710
    assert facts["picture"] is None
    assert facts["onset_estimator"] == "threshold -20 dB"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["gone.sofa"], "hrtf_invalid"),
        (["-o", "set.txt"], "invalid"),
        (["-o", "set"], "invalid"),
        (["-o", "nowhere/set.png"], "output_unwritable"),
    ],
)
def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, arguments: list[str], code: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["hrtf", "inspect", *arguments, "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == code
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["AXD_example_sofa_1", "CIPIC_subject_003_hrir_final", "LISTEN_1002_IRC_1002_C_HRIR", "dtf_nh2"]
)
def test_other_sets(shared_dir: Path, tmp_path: Path, name: str) -> None:
    picture = tmp_path / "set.png"
    assert main(["hrtf", "inspect", str(shared_dir / "data" / "hrtf" / f"{name}.sofa"), "-o", str(picture)]) == 0
    assert picture.stat().st_size > 50_000
