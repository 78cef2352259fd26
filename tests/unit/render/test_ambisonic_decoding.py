"""An Ambisonic rendering decoded to two ears against the direct binaural rendering; the table of docs/formats.md."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]

# of every second place: mean and largest deviation of ITD [us], ILD [dB] and level [dB]
BOUNDS = {
    ("foa", 0): (30, 80, 0.4, 1.0, 0.4, 1.0),
    ("hoa2", 0): (12, 35, 0.2, 0.4, 0.2, 0.4),
    ("hoa2", 1): (20, 50, 0.6, 1.4, 0.5, 1.2),
    ("hoa3", 0): (10, 25, 0.1, 0.3, 0.15, 0.3),
    ("hoa3", 1): (13, 35, 0.3, 0.7, 0.3, 0.8),
    ("hoa3", 2): (22, 60, 1.3, 3.2, 1.0, 2.8),
}


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_formats", ROOT / "benchmarks" / "formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_cues_are_measured_right(benchmark: ModuleType) -> None:
    ears = np.zeros((2, 512))
    ears[0, 100], ears[1, 110] = 1.0, 0.5
    for band in benchmark.BANDS_HZ:
        itd_us, ild_db, level_db = benchmark.cues(ears, band)
        assert itd_us == pytest.approx(10 / 44_100 * 1e6)  # the left ear is first
        assert ild_db == pytest.approx(6.02, abs=0.01)
        n_bins = int((band[1] - band[0]) / 44_100 * 4096 + 0.5)
        assert level_db == pytest.approx(10 * np.log10(1.25 * n_bins), abs=0.2)


def test_decoded_ambisonics_agrees_with_the_direct_rendering(benchmark: ModuleType) -> None:
    found = benchmark.measure(benchmark.PLACES[::2])
    for (name, band), bounds in BOUNDS.items():
        d = found[name][band]
        measured = (d.itd_us, d.itd_max_us, d.ild_db, d.ild_max_db, d.level_db, d.level_max_db)
        assert all(value <= bound for value, bound in zip(measured, bounds, strict=True)), (name, band, measured)
    for band in range(3):  # every order is nearer than the one before
        itd = [found[name][band].itd_us for name in ("foa", "hoa2", "hoa3")]
        assert itd == sorted(itd, reverse=True)


def test_swapped_or_negated_channels_would_be_noticed(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = benchmark.responses

    def swapped(places: list[tuple[float, float]], name: str) -> np.ndarray:
        out = honest(places, name)
        return out if name == "binaural" else out[:, [0, 3, 2, 1, *range(4, out.shape[1])]]  # X for Y

    monkeypatch.setattr(benchmark, "responses", swapped)
    assert benchmark.measure(benchmark.PLACES[::6])["foa"][0].itd_us > 100
