"""What ears have in common helps where little was measured, and is held to plain algebra and to measured listeners."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf import ear_prior
from foleyspace_host.hrtf.ear_prior import EarPrior, learn_ears, on_grid, shipped_ears
from foleyspace_host.hrtf.expected import FEW_DIRECTIONS, Expected, ear_traits, expected_traits
from foleyspace_host.hrtf.listener import BANDS_HZ
from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepare import prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import lattice, stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

N_TRAITS = 7  # of the invented ears: two levels, five times
MIRROR = np.array([1.0, -1.0, 1.0])
RATE = 48_000


def invented(rng: np.random.Generator, unit: np.ndarray) -> np.ndarray:
    """Ears whose traits are a steep common pattern and three smooth ones of their own, the right a mirrored left."""
    size = rng.standard_normal(3)
    traits = np.empty((len(unit), 2, N_TRAITS))
    for ear in range(2):
        heard = unit * MIRROR if ear else unit
        x, y, z = heard.T
        common = 6.0 * np.tanh(6.0 * y) + 4.0 * np.sin(9.0 * z + 3.0 * x)
        own = 2.0 * size[0] * x * y + 1.5 * size[1] * np.sin(4.0 * z) + size[2] * np.cos(5.0 * x)
        traits[:, ear] = (common + own)[:, None] * np.arange(1, N_TRAITS + 1)
    return traits


@cache
def learnt() -> EarPrior:
    rng = np.random.default_rng(0)
    unit = lattice(900)
    return learn_ears([on_grid(unit, invented(rng, unit)) for _ in range(20)])


def upper(count: int) -> np.ndarray:
    grid = lattice(count)
    return grid[grid[:, 2] > -0.6]


def test_few_measurements_and_many_ears_tell_more_than_a_spline() -> None:
    known, wanted = upper(60), upper(333)
    for seed in range(3):
        near, truth = (invented(np.random.default_rng(50 + seed), unit) for unit in (known, wanted))
        neighbours, weights = stencils(known, wanted)
        plain = np.einsum("nk,nket->net", weights, near[neighbours])
        found, _ = learnt().given(known, near, wanted)
        assert np.sqrt(np.mean((found - truth) ** 2)) < 0.5 * np.sqrt(np.mean((plain - truth) ** 2))


def test_it_is_the_regression_that_books_tell() -> None:
    """In directions of the grid, against covariances put together entry by entry."""
    prior = learnt()
    rows = np.array([3, 40, 77, 101, 160, 222, 300])
    known, wanted = prior.unit[rows[:5]], prior.unit[rows[5:]]
    traits = np.random.default_rng(1).standard_normal((5, 2, N_TRAITS))
    fields = prior._grid
    trait = 4

    def covariance(one: int, other: int) -> float:
        angle = np.degrees(np.arccos(np.clip(prior.unit[one] @ prior.unit[other], -1.0, 1.0)))
        learned = float(fields.factors[trait, :, one] @ fields.factors[trait, :, other]) * np.exp(
            -((angle / 90.0) ** 2)
        )
        alike = np.interp(angle, np.arange(0.0, 188.0, 4.0), prior.alike[:, trait])
        spread = fields.spread[trait, one] * fields.spread[trait, other]
        return ear_prior._LEARNT * learned + (1.0 - ear_prior._LEARNT) * alike * spread + ear_prior._OFFSET_US**2

    among = np.array([[covariance(one, other) for other in rows[:5]] for one in rows[:5]])
    among += (ear_prior._NOISE * fields.spread[trait, rows[:5]].mean()) ** 2 * np.eye(5)
    across = np.array([[covariance(one, other) for other in rows[:5]] for one in rows[5:]])
    mirrored = prior._at(known * MIRROR).mean[trait]
    offset = np.concatenate([traits[:, 0, trait] - fields.mean[trait, rows[:5]], traits[:, 1, trait] - mirrored]).mean()
    left = traits[:, 0, trait] - fields.mean[trait, rows[:5]] - offset
    solved = np.linalg.solve(among, left)
    found, missed = prior.given(known, traits, wanted)
    np.testing.assert_allclose(found[:, 0, trait], fields.mean[trait, rows[5:]] + offset + across @ solved, rtol=1e-6)
    # each measurement as the others predict it
    for out in range(5):
        rest = np.arange(5) != out
        weights = np.linalg.solve(among[np.ix_(rest, rest)], left[rest])
        assert missed[out, 0, trait] == pytest.approx(left[out] - among[out, rest] @ weights, rel=1e-5)


def test_a_right_ear_is_a_left_one_in_the_mirror() -> None:
    known, wanted = upper(40), upper(100)
    traits = np.random.default_rng(2).standard_normal((len(known), 2, N_TRAITS))
    found, _ = learnt().given(known, traits, wanted)
    other, _ = learnt().given(known * MIRROR, traits[:, ::-1], wanted * MIRROR)
    np.testing.assert_allclose(other[:, ::-1], found, atol=1e-6)


@given(offset=st.floats(-50.0, 50.0))
@settings(max_examples=8, deadline=None)
def test_what_is_arbitrary_of_a_set_moves_all_of_it(offset: float) -> None:
    known, wanted = upper(50), upper(120)
    traits = invented(np.random.default_rng(3), known)
    moved = traits + offset * (np.arange(N_TRAITS) >= N_TRAITS - 5)
    plain, again = (learnt().given(known, one, wanted)[0] for one in (traits, moved))
    np.testing.assert_allclose((again - plain)[..., -1], offset, atol=1e-6)
    np.testing.assert_allclose((again - plain)[..., 0], 0.0, atol=1e-9)


def test_no_measurement_outweighs_what_is_possible() -> None:
    """Covariances of the prior that ships have no negative variances, in whatever directions."""
    prior = shipped_ears()
    assert prior.n_traits == len(BANDS_HZ) + 5
    vectors = np.random.default_rng(4).standard_normal((40, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = unit[unit[:, 2] > -0.7]
    here, apart = prior._at(unit), ear_prior._Apart.between(unit, unit)
    for trait in range(prior.n_traits):
        values = np.linalg.eigvalsh(prior._covariance(here, here, apart, trait))
        assert values.min() > -0.05 * np.square(here.spread[trait].mean())


def test_a_prior_is_kept(tmp_path: Path) -> None:
    learnt().save(tmp_path / "ears.npz")
    again = EarPrior.load(tmp_path / "ears.npz")
    known, wanted = upper(50), upper(120)
    traits = invented(np.random.default_rng(5), known)
    one, other = (prior.given(known, traits, wanted)[0] for prior in (learnt(), again))
    assert np.abs(one - other).max() < 0.02 * np.abs(one).max()
    (tmp_path / "ears.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(InvalidInput, match="no prior of ears"):
        EarPrior.load(tmp_path / "ears.npz")
    np.savez(
        tmp_path / "ears.npz", **{name: np.zeros(3) for name in ("unit", "mean", "spread", "factors", "scale", "alike")}
    )
    with pytest.raises(InvalidInput):
        EarPrior.load(tmp_path / "ears.npz")


def test_one_listener_says_nothing_of_others() -> None:
    with pytest.raises(InvalidInput, match="two"):
        learn_ears([np.zeros((N_TRAITS, 2, 516))])


def test_where_others_mislead_the_spline_is_taken() -> None:
    """Traits without any pattern that ears have: what is expected must not be worse than interpolating."""
    known, wanted = upper(60), upper(200)
    smooth = [np.stack([2.0 * unit[:, :1] + 40.0 * unit[:, 2:]] * 2, axis=1) for unit in (known, wanted)]
    traits, truth = (np.repeat(one, N_TRAITS, axis=2) for one in smooth)
    made = stencils(known, wanted)
    found = expected_traits(learnt(), np.concatenate([known, wanted]), traits, made)
    plain = np.einsum("nk,nket->net", made[1], traits[made[0]])
    np.testing.assert_allclose(found[: len(known)], traits)
    np.testing.assert_allclose(found[len(known) :], plain)
    assert np.abs(plain - truth).max() < 2.0


def test_traits_are_those_of_a_delay_and_a_level(kemar: MeasuredHrirs) -> None:
    part = replace(kemar, unit=kemar.unit[:50], hrirs=kemar.hrirs[:50], delay_samples=kemar.delay_samples[:50])
    onset = np.full((50, 2), 20.0)
    plain = ear_traits(part, onset)
    louder = ear_traits(replace(part, hrirs=2.0 * part.hrirs), onset)
    np.testing.assert_allclose(
        louder - plain, np.where(np.arange(37) < 32, 20 * np.log10(2.0), 0.0) + 0 * plain, atol=1e-3
    )
    later = ear_traits(replace(part, delay_samples=part.delay_samples + 4.41), onset)
    np.testing.assert_allclose(later - plain, np.where(np.arange(37) < 32, 0.0, 100.0) + 0 * plain, atol=1e-3)
    # of pulses that come apart from the onset all frequencies tell so: one direction of many is 1 sample late
    pulses = np.zeros((50, 2, 64), dtype=np.float32)
    pulses[:, :, 20] = 1.0
    pulses[7] = np.roll(pulses[7], 1, axis=1)
    times = ear_traits(replace(part, hrirs=pulses), onset)[..., 32:36] - ear_traits(part, onset)[..., -1:]
    np.testing.assert_allclose(times[7] - times[8], 1e6 / kemar.sample_rate_hz, atol=0.5)


def test_gains_are_the_levels_and_times_that_are_expected() -> None:
    known, wanted = upper(60), upper(90)
    traits = np.zeros((len(known), 2, 37))
    traits[..., :32] = np.linspace(-10.0, 10.0, 32)
    traits[..., 32:36] = 50.0
    hz = np.array([100.0, BANDS_HZ[0], BANDS_HZ[20], BANDS_HZ[-1], 20_000.0, 400.0, 6000.0])
    trend = Expected(_flat(), np.concatenate([known, wanted]), traits, stencils(known, wanted), hz)
    gains = trend.gains(np.array([0, len(known) + 3]))
    assert gains.shape == (2, 2, 7)
    level_db = 20 * np.log10(np.abs(gains[1, 0]))
    wanted_db = [-10.0, -10.0, traits[0, 0, 20], 10.0, 10.0]
    np.testing.assert_allclose(level_db[:5], wanted_db, atol=0.3)
    assert np.angle(gains[1, 0, 5]) == pytest.approx(-2 * np.pi * 400.0 * 50e-6, abs=0.01)
    assert np.angle(gains[1, 0, 6]) == pytest.approx(0.0, abs=1e-6)
    flat = trend.settled(np.array([len(known) + 3]), np.ones((1, 2, 7), dtype=np.complex64))
    assert flat.shape == (1, 2, 7)


def _flat() -> EarPrior:
    grid = lattice(600)
    grid = grid[grid[:, 2] >= -0.72]
    zero = np.zeros((37, len(grid)))
    return EarPrior(
        grid, zero, zero + 1.0, np.zeros((37, 1, len(grid))), np.ones((47, 37)) * np.exp(-np.arange(47) / 5)[:, None]
    )


def spectra(hrtf: Hrtf, unit: np.ndarray) -> np.ndarray:
    triangle, weight = np.empty(len(unit), np.int32), np.empty((len(unit), 3), np.float32)
    mesh = hrtf.mesh
    locate(np.ascontiguousarray(unit), 0, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight)
    return np.fft.rfft(np.einsum("qk,qken->qen", weight, hrtf.responses[mesh.triangles[triangle]]), 1024)


def ild_error_db(found: np.ndarray, truth: np.ndarray) -> float:
    hz = np.fft.rfftfreq(1024, 1 / RATE)
    band = (hz > 1500.0) & (hz < 8000.0)
    one, other = (20 * np.log10(np.abs(x[:, 0, band]) / np.abs(x[:, 1, band])) for x in (found, truth))
    return float(np.abs(one - other).mean())


def spread_evenly(measured: MeasuredHrirs, count: int) -> MeasuredHrirs:
    near = lattice(round(count / 0.85))
    near = near[np.argsort(-near[:, 2])[:count]]
    keep = np.unique((near @ measured.unit.T).argmax(axis=1))
    return replace(
        measured, unit=measured.unit[keep], hrirs=measured.hrirs[keep], delay_samples=measured.delay_samples[keep]
    )


@pytest.mark.parametrize(
    ("name", "share"),
    [("CIPIC_subject_003_hrir_final", 0.9), ("LISTEN_1002_IRC_1002_C_HRIR", 0.97), ("dtf_nh2", 0.97)],
)
def test_listeners_whom_it_never_met_come_out_nearer(shared_dir: Path, name: str, share: float) -> None:
    """Level differences from 1.5 to 8 kHz, of listeners of three laboratories of whom 50 directions are known."""
    whole = read_sofa(shared_dir / "data" / "hrtf" / f"{name}.sofa")
    few = spread_evenly(whole, 50)
    unit = whole.unit[whole.unit[:, 2] > -0.6]
    truth = spectra(prepare(whole, RATE), unit)
    plain, helped = (ild_error_db(spectra(prepare(few, RATE, ears), unit), truth) for ears in (None, "shipped"))  # type: ignore[arg-type]
    print(f"{name}: {plain:.3f} dB, {helped:.3f} dB")
    assert helped < share * plain


def test_measured_directions_stay_as_they_were(kemar: MeasuredHrirs) -> None:
    few = spread_evenly(kemar, 60)
    assert len(few.unit) < FEW_DIRECTIONS
    plain, helped = prepare(few, kemar.sample_rate_hz, None), prepare(few, kemar.sample_rate_hz)
    n = len(few.unit)
    one, other = (hrtf.responses[:n] / 10 ** (hrtf.gain_db / 20) for hrtf in (plain, helped))
    np.testing.assert_allclose(one, other, atol=1e-6 * float(np.abs(one).max()))
    lag = helped.delay_samples[:n] - plain.delay_samples[:n]
    np.testing.assert_allclose(lag, lag[0, 0], atol=1e-9)
    assert np.abs(helped.responses[n:] - plain.responses[n:]).max() > 0.01
    dense = prepare(kemar, kemar.sample_rate_hz)
    np.testing.assert_array_equal(dense.responses, prepare(kemar, kemar.sample_rate_hz, None).responses)
