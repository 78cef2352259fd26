"""A listener's code follows from few measurements, and says more of the listener than the average does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import HrtfInvalid, InvalidInput
from foleyspace_host.hrtf.fit import fit_listener, judged
from foleyspace_host.hrtf.listener import BANDS_HZ, N_CODE, ListenerModel, learn_listeners, shipped_model, traits_of
from foleyspace_host.hrtf.refine import lattice, stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs

RATE = 44_100
KINDS = 3  # ways in which the invented listeners differ


def listener(size: np.ndarray, unit: np.ndarray) -> MeasuredHrirs:
    """A head whose radius, notch and pinna gain are `size` standard deviations from the mean."""
    radius_m = 0.088 * (1.0 + 0.05 * size[0])
    notch_hz = 7000.0 * np.exp(0.08 * size[1])
    hz = np.fft.rfftfreq(256, 1 / RATE)
    hrirs = np.empty((len(unit), 2, 256), dtype=np.float32)
    for ear, side in enumerate((1.0, -1.0)):
        toward = side * unit[:, 1:2]
        delay_s = 1e-3 - radius_m * toward / 343.2
        notch = 1.0 - 0.8 * np.exp(-0.5 * ((hz - notch_hz * (1.0 + 0.3 * unit[:, 2:3])) / 900.0) ** 2)
        shadow = np.exp(0.4 * toward * np.sqrt(hz / 4000.0) + 0.2 * size[2] * unit[:, :1] * (hz / 8000.0))
        spectrum = notch * shadow * np.exp(-2j * np.pi * hz * delay_s) * np.exp(-((hz / 18_000.0) ** 4))
        hrirs[:, ear] = np.fft.irfft(spectrum)
    return MeasuredHrirs(unit, hrirs, np.zeros((len(unit), 2)), RATE, "invented")


@cache
def model() -> ListenerModel:
    rng = np.random.default_rng(0)
    return learn_listeners([listener(rng.standard_normal(KINDS), lattice(400)) for _ in range(24)])


def some(count: int, seed: int) -> np.ndarray:
    turn = np.random.default_rng(seed).uniform(-np.pi, np.pi)
    spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    grid = lattice(round(count / 0.85)) @ spin.T
    return grid[np.argsort(-grid[:, 2])[:count]]


def error_db(code: np.ndarray, wanted: MeasuredHrirs) -> float:
    inside = wanted.unit[:, 2] > -0.6
    apart = (traits_of(wanted).level_db - model().traits(code, wanted.unit).level_db)[inside]
    return float(np.sqrt(np.mean((apart - apart.mean()) ** 2)))


@pytest.mark.parametrize("seed", range(4))
def test_few_measurements_tell_a_listener_from_the_average(seed: int) -> None:
    size = 1.5 * np.random.default_rng(100 + seed).standard_normal(KINDS)
    code = model().fit(listener(size, some(50, seed)))
    dense = listener(size, lattice(400))
    assert code.shape == (N_CODE,)
    assert code.dtype == np.float32
    assert error_db(code, dense) < 0.6 * error_db(np.zeros(N_CODE, np.float32), dense)
    # all measurements and few agree
    assert np.corrcoef(code, model().fit(dense))[0, 1] > 0.8


def test_time_differences_are_explained() -> None:
    dense = listener(np.array([2.0, 0.0, 0.0]), lattice(400))
    code = model().fit(listener(np.array([2.0, 0.0, 0.0]), some(50, 1)))
    inside = dense.unit[:, 2] > -0.6
    wanted = traits_of(dense).itd_us[inside]
    found, average = (model().traits(c, dense.unit[inside]).itd_us for c in (code, np.zeros(N_CODE, np.float32)))
    assert np.abs(found - wanted).mean() < 0.5 * np.abs(average - wanted).mean()
    assert wanted[dense.unit[inside, 1] > 0.9].min() > 400.0  # on the left the left ear is earlier


@given(level_db=st.floats(-40.0, 40.0))
@settings(max_examples=8)
def test_the_level_of_a_set_is_no_trait(level_db: float) -> None:
    measured = listener(np.ones(KINDS), some(40, 2))
    louder = replace(measured, hrirs=measured.hrirs * np.float32(10 ** (level_db / 20)))
    assert model().fit(louder) == pytest.approx(model().fit(measured), abs=1e-3)


def test_no_measurement_is_the_average_listener() -> None:
    below = np.array([[0.1, 0.0, -0.99], [-0.1, 0.05, -0.99]])
    below /= np.linalg.norm(below, axis=1, keepdims=True)
    assert not model().fit(listener(np.ones(KINDS), below)).any()


def test_codes_are_about_standard_normal() -> None:
    rng = np.random.default_rng(7)
    codes = [model().fit(listener(rng.standard_normal(KINDS), lattice(200))) for _ in range(12)]
    assert 0.1 < np.std(codes) < 1.5
    assert np.abs(codes).max() < 5.0


def test_a_model_is_kept(tmp_path: Path) -> None:
    model().save(tmp_path / "model.npz")
    again = ListenerModel.load(tmp_path / "model.npz")
    measured = listener(np.ones(KINDS), some(50, 3))
    assert again.fit(measured) == pytest.approx(model().fit(measured), abs=5e-3)
    assert again.n_listeners == 24
    (tmp_path / "model.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(InvalidInput, match="no listener model"):
        ListenerModel.load(tmp_path / "model.npz")


def test_one_listener_spans_no_space() -> None:
    with pytest.raises(InvalidInput, match="two"):
        learn_listeners([listener(np.zeros(KINDS), lattice(100))])


def test_the_model_that_ships_knows_the_manikin(kemar: MeasuredHrirs) -> None:
    shipped = shipped_model()
    assert shipped.basis.shape == (N_CODE, len(shipped.unit), 2 * len(BANDS_HZ) + 1)
    grid = shipped.unit[shipped.unit[:, 2] > -0.6]
    neighbours, weights = stencils(kemar.unit, grid)  # between the directions of the grid nothing is known
    wanted = np.einsum("nk,nkeb->neb", weights, traits_of(kemar).level_db[neighbours])
    errors = []
    for code in (shipped.fit(kemar), np.zeros(N_CODE, np.float32)):
        apart = wanted - shipped.traits(code, grid).level_db
        errors.append(np.sqrt(np.mean((apart - apart.mean()) ** 2)))
    assert errors[0] < 0.7 * errors[1]


def test_measurements_are_judged_by_those_kept_out(kemar: MeasuredHrirs) -> None:
    dense = judged(kemar, shipped_model())
    keep = np.random.default_rng(0).permutation(len(kemar.unit))[:30]
    few = replace(kemar, unit=kemar.unit[keep], hrirs=kemar.hrirs[keep], delay_samples=kemar.delay_samples[keep])
    sparse = judged(few, shipped_model())
    assert (dense.sparse, sparse.sparse) == (False, True)
    assert not dense.code_helps  # 700 directions need no help
    assert sparse.level_error_db[0] > 2.0 * dense.level_error_db[0]
    # the manikin is one of the listeners that were learnt from
    assert sparse.level_error_db[2] < 0.95 * sparse.level_error_db[0]
    assert sparse.renderer_helps
    assert not dense.renderer_helps


def test_too_few_measurements_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kemar: MeasuredHrirs
) -> None:
    few = replace(kemar, unit=kemar.unit[:5], hrirs=kemar.hrirs[:5], delay_samples=kemar.delay_samples[:5])
    monkeypatch.setattr("foleyspace_host.hrtf.fit.read_sofa", lambda _path: few)
    with pytest.raises(InvalidInput, match="5 measured directions"):
        fit_listener(tmp_path / "few.sofa")
    monkeypatch.undo()
    with pytest.raises(HrtfInvalid):
        fit_listener(tmp_path / "absent.sofa")
