"""The rows that the flow model is compared with are what their names say."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.sofa import MeasuredHrirs

ROOT = Path(__file__).resolve().parents[3]
RATE_HZ = 48_000


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("binaural_quality", ROOT / "benchmarks" / "binaural_quality.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.modules["binaural_quality"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


quality = load()


def case(measured: MeasuredHrirs, azimuth_deg: float = 90.0, distance_m: float = 2.0, split: str = "rooms") -> object:
    from training.binaural_flow.data.evaluation import Case
    from training.binaural_flow.data.heads import Head
    from training.binaural_flow.data.rooms import invent_room

    mono = 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)
    path = Trajectory(1.0, (Source("s", (Key(0.0, azimuth_deg, 0.0, distance_m),)),))
    room = None
    if split in ("rooms", "unseen sounds"):
        room = invent_room(np.random.default_rng(1), order=3, reflections=60)
    return Case("one", split, mono, path, Head("KEMAR", measured), room)


def test_a_copy_has_no_direction(kemar: MeasuredHrirs) -> None:
    one = case(kemar)
    found = quality.mono_copy(one)
    assert np.array_equal(found[0], found[1])
    assert found[0] == pytest.approx(one.mono / 2.0, abs=1e-6)


@pytest.mark.parametrize("azimuth_deg", [0.0, 30.0, -60.0, 150.0])
def test_panning_keeps_power_and_delays_by_the_formula(kemar: MeasuredHrirs, azimuth_deg: float) -> None:
    one = case(kemar, azimuth_deg)
    found = quality.panned(one)[:, 2400:-2400].astype(np.float64)
    power = (found**2).mean(axis=1)
    assert power.sum() == pytest.approx(2.0 * float((one.mono[2400:-2400] / 2.0).var()), rel=0.05)
    lateral = np.arcsin(np.sin(np.radians(azimuth_deg)))
    assert 20.0 * np.log10(power[0] / power[1]) / 2.0 == pytest.approx(
        20.0 * np.log10(np.tan(0.25 * np.pi * (1.0 + np.sin(lateral)))), abs=0.05
    )
    woodworth_us = 1e6 * 0.0875 / 343.2 * (lateral + np.sin(lateral))
    assert np.median(sys.modules["binaural_metrics"].itd_us(found, RATE_HZ)[0]) == pytest.approx(woodworth_us, abs=4.0)


def test_who_knows_everything_makes_no_error(kemar: MeasuredHrirs) -> None:
    rows = {row.name: row for row in quality.own_rows()}
    free = case(kemar, 50.0, split="free field")
    truth = quality.truth_of(free)
    assert np.array_equal(rows["DSP, own dense set"].render(free), truth)
    # the head of this example is the KEMAR, so that row knows everything too
    assert rows["DSP, KEMAR"].render(free) == pytest.approx(truth, abs=1e-6)
    assert "free field" not in rows["DSP and the true room"].splits


def test_a_true_room_with_another_tail_is_near_but_not_the_same(kemar: MeasuredHrirs) -> None:
    one = case(kemar, 50.0)
    truth = quality.truth_of(one)
    errors = {
        name: quality.measured(truth, sound, RATE_HZ)
        for name, sound in (
            ("room", quality.true_room(one)),
            ("free", quality.rendered(one, quality.own_set(one.head))),
        )
    }
    assert errors["room"]["MRSTFT"] < 0.7 * errors["free"]["MRSTFT"]
    assert errors["room"]["IACC"] < 0.5 * errors["free"]["IACC"]
    assert errors["room"]["wave L2 x1e3"] > 0.0


def test_what_is_known_of_an_unseen_listener_are_few_measurements(kemar: MeasuredHrirs) -> None:
    unseen, seen = case(kemar, split="unseen listeners"), case(kemar, split="free field")
    assert len(quality.few_of(unseen.head).unit) == 50
    assert quality.prior_set(replace(unseen)) is quality.few_set(unseen.head)
    assert quality.prior_set(seen) is quality.own_set(seen.head)


def test_tables_have_a_cell_for_each_column() -> None:
    columns = [*quality.METRICS, "x real time"]
    text = quality.table({"a": dict.fromkeys(columns, 0.1234), "b": dict.fromkeys(columns, 1234.5)})
    lines = text.splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert lines[3].endswith("| 1,234 |")
