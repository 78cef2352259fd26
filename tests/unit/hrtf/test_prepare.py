"""Preparation is held to the measured responses themselves and to what physics says of a sphere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.geometry.frames import angles_to_unit, unit_to_angles
from foleyspace_host.hrtf.align import Alignment
from foleyspace_host.hrtf.mesh import build_mesh, locate
from foleyspace_host.hrtf.onset import best_onsets, minimum_phase_lag, threshold_onsets
from foleyspace_host.hrtf.prepare import load_hrtf, prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa


def random_directions(n: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rings(step_deg: float) -> np.ndarray:
    azimuth, elevation = np.meshgrid(np.arange(0, 360, step_deg), np.arange(step_deg - 90, 90, step_deg))
    return np.concatenate([angles_to_unit(azimuth.ravel(), elevation.ravel()), [[0, 0, 1.0], [0, 0, -1.0]]])


class TestMesh:
    def test_is_closed_and_covers_the_sphere_once(self) -> None:
        mesh = build_mesh(random_directions(300))
        assert len(mesh.triangles) == 2 * 300 - 4  # Euler
        assert mesh.vertex_areas().sum() == pytest.approx(4 * np.pi)

    @pytest.mark.parametrize("grid", ["random", "rings"])
    def test_neighbours_share_the_edge_opposite_the_corner(self, grid: str) -> None:
        mesh = build_mesh(random_directions(100) if grid == "random" else rings(20.0))
        for triangle, around in zip(mesh.triangles, mesh.neighbours, strict=True):
            for corner in range(3):
                edge = set(np.delete(triangle, corner))
                assert edge <= set(mesh.triangles[around[corner]])

    def test_edges_are_each_once(self) -> None:
        mesh = build_mesh(rings(20.0))
        sides = np.concatenate([mesh.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
        expected = {tuple(sorted(side)) for side in sides.tolist()}
        found = [tuple(sorted(edge)) for edge in mesh.edges().tolist()]
        assert len(found) == len(expected)
        assert set(found) == expected

    @pytest.mark.parametrize("grid", ["random", "rings"])
    def test_weights_give_the_direction_back(self, grid: str) -> None:
        # rings hold co-circular points, as measurement grids do
        vertices = random_directions(200) if grid == "random" else rings(15.0)
        mesh = build_mesh(vertices)
        wanted = random_directions(500, seed=1)
        triangle, weight = np.empty(500, np.int32), np.empty((500, 3), np.float32)
        locate(wanted, 0, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight)
        assert (weight >= 0).all()
        np.testing.assert_allclose(weight.sum(axis=1), 1.0, atol=1e-6)
        blended = (weight[..., None] * vertices[mesh.triangles[triangle]]).sum(axis=1)
        blended /= np.linalg.norm(blended, axis=1, keepdims=True)
        np.testing.assert_allclose(blended, wanted, atol=1e-5)


class TestStencils:
    def test_reproduce_what_is_linear_in_the_plane_and_hit_measured_values(self) -> None:
        measured = random_directions(1500)
        wanted = random_directions(50, seed=2)
        neighbours, weights = stencils(measured, wanted)
        field = lambda u: 3.0 + u @ np.array([0.3, -0.7, 0.2])  # noqa: E731
        error = (weights * field(measured)[neighbours]).sum(axis=1) - field(wanted)
        assert np.abs(error).max() < 2e-3  # the sphere's bulge over a neighbourhood, not the spline
        neighbours, weights = stencils(measured, measured[:20])
        np.testing.assert_allclose((weights * field(measured)[neighbours]).sum(axis=1), field(measured[:20]), atol=1e-8)

    def test_leave_out_never_uses_the_judged_direction(self) -> None:
        measured = random_directions(80)
        judged = np.arange(0, 80, 7)
        neighbours, weights = stencils(measured, measured[judged], leave_out=judged)
        assert not (neighbours == judged[:, None]).any()
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-8)


class TestOnset:
    @pytest.mark.parametrize("delay", [20.0, 33.25, 47.7])
    def test_moves_with_the_response(self, delay: float) -> None:
        def pulse(at: float) -> np.ndarray:  # a band-limited decaying response
            spectrum = np.fft.rfft(np.exp(-np.arange(256) / 12.0) * np.cos(np.arange(256) * 0.4), 512)
            spectrum *= np.exp(-2j * np.pi * np.fft.rfftfreq(512) * at)
            return np.fft.irfft(spectrum)[:256]

        pair = np.stack([pulse(10.0), pulse(delay)])[None].astype(np.float32)
        for onset in (threshold_onsets(pair, [-12.0])[0], minimum_phase_lag(pair, 48_000)):
            assert onset[0, 1] - onset[0, 0] == pytest.approx(delay - 10.0, abs=0.15)

    @pytest.mark.parametrize(
        "name",
        ["CIPIC_subject_003_hrir_final", "dtf_nh2", "LISTEN_1002_IRC_1002_C_HRIR", "AXD_example_sofa_1"],
    )
    def test_real_sets_give_a_head_sized_time_difference(self, shared_dir: Path, name: str) -> None:
        measured = read_sofa(shared_dir / "data" / "hrtf" / f"{name}.sofa")
        onset, _ = best_onsets(measured.unit, measured.hrirs, measured.sample_rate_hz)
        azimuth, elevation = unit_to_angles(measured.unit)
        level = np.abs(elevation) < 12
        itd_us = (onset[level, 1] - onset[level, 0]) / measured.sample_rate_hz * 1e6
        # a rigid sphere of 8.75 cm, Woodworth: 656 us at the side; heads differ by about a sixth
        side = np.arcsin(np.sin(np.radians(azimuth[level])) * np.cos(np.radians(elevation[level])))
        woodworth_us = 0.0875 / 343.2 * (side + np.sin(side)) * 1e6
        assert np.corrcoef(itd_us, woodworth_us)[0, 1] > 0.97
        assert np.median(np.abs(itd_us - woodworth_us)) < 60


class TestAlignment:
    # 47 952 Hz shares no period with 44 100 Hz that is short enough, so that lengths only nearly fit
    @pytest.mark.parametrize("to_hz", [44_100, 48_000, 96_000, 22_050, 47_952])
    def test_keeps_the_frequency_response_and_moves_onsets(self, to_hz: int) -> None:
        rng = np.random.default_rng(0)
        hrirs = np.zeros((3, 2, 200), np.float32)
        hrirs[..., 40:] = rng.standard_normal((3, 2, 160)) * np.exp(-np.arange(160) / 15.0)
        onset = 40.0 + rng.uniform(-3.0, 3.0, (3, 2))
        plan = Alignment.between(200, float(onset.min()), 44_100, to_hz)
        out = plan.responses(plan.spectra(hrirs, onset)).astype(np.float64)
        hz = np.linspace(100, 0.4 * min(to_hz, 44_100), 50)
        before = hrirs @ np.exp(-2j * np.pi * np.outer(np.arange(200), hz) / 44_100)
        after = out @ np.exp(-2j * np.pi * np.outer(np.arange(out.shape[-1]), hz) / to_hz)
        pre_roll_s = max(24, np.ceil(0.0005 * to_hz)) / to_hz
        before *= np.exp(-2j * np.pi * hz * (pre_roll_s - onset[..., None] / 44_100))
        # noise up to Nyquist rings before its onset by 1 / n; what lies before the pre-roll is cut
        assert np.abs(after - before).max() < 0.01 * np.abs(before).max()

    def test_responses_that_begin_at_once_keep_their_beginning(self) -> None:
        impulse = np.zeros((1, 2, 64), np.float32)
        impulse[..., 0] = 1.0  # resampled, it rings before its onset
        plan = Alignment.between(64, 0.0, 44_100, 48_000)
        out = plan.responses(plan.spectra(impulse, np.zeros((1, 2)))).astype(np.float64)
        hz = np.linspace(100, 18_000, 50)
        level = np.abs(out @ np.exp(-2j * np.pi * np.outer(np.arange(out.shape[-1]), hz) / 48_000))
        np.testing.assert_allclose(level, 1.0, atol=0.02)


class TestPrepare:
    def test_measured_directions_are_kept_exactly(self, kemar: MeasuredHrirs, kemar_44k: Hrtf) -> None:
        n_fft = 2048
        cycles = np.fft.rfftfreq(n_fft)
        common = None
        for index in range(0, len(kemar.unit), 97):
            scale = 10 ** (kemar_44k.gain_db / 20)
            shift = kemar_44k.delay_samples[index] - kemar_44k.pre_roll_samples
            prepared = np.fft.rfft(kemar_44k.responses[index], n_fft) * np.exp(-2j * np.pi * cycles * shift[:, None])
            raw = scale * np.fft.rfft(kemar.hrirs[index], n_fft)
            if common is None:  # one travel time to the head's centre is the same for all directions
                ratio = np.angle((raw * np.conj(prepared)).sum(axis=0)[1:60])
                common = -np.polyfit(2 * np.pi * cycles[1:60], np.unwrap(ratio), 1)[0]
            raw *= np.exp(2j * np.pi * cycles * common)
            assert np.linalg.norm(prepared - raw) < 1e-3 * np.linalg.norm(raw)

    def test_diffuse_field_is_at_zero_db(self, kemar_44k: Hrtf) -> None:
        # Monte Carlo over the sphere, third octaves weighted alike: independent of the areas that were used
        wanted = random_directions(4000, seed=3)
        nearest = (wanted @ kemar_44k.mesh.unit.T).argmax(axis=1)
        power = (np.abs(np.fft.rfft(kemar_44k.responses[nearest], 4096)) ** 2).mean(axis=(0, 1))
        hz = np.fft.rfftfreq(4096, 1 / 44_100)
        centres = 1000 * 2 ** (np.arange(-9, 12) / 3)
        bands = [power[(hz > c / 2 ** (1 / 6)) & (hz < c * 2 ** (1 / 6))].mean() for c in centres]
        assert 10 * np.log10(np.mean(bands)) == pytest.approx(0.0, abs=0.3)

    def test_directions_below_the_measured_cap_are_filled_in(self, kemar: MeasuredHrirs, kemar_44k: Hrtf) -> None:
        assert kemar.unit[:, 2].min() > -0.7
        below = kemar_44k.mesh.unit[:, 2] < -0.9
        assert below.any()
        energy = (kemar_44k.responses**2).sum(axis=(1, 2))
        assert 0.2 < energy[below].mean() / energy.mean() < 2.0

    def test_four_directions_are_enough(self) -> None:
        unit = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) / np.sqrt(3)
        hrirs = np.zeros((4, 2, 64))
        hrirs[:, :, 20] = 1.0
        hrtf = prepare(MeasuredHrirs(unit, hrirs, np.zeros((4, 2)), 48_000, "box"), 48_000)
        assert np.isfinite(hrtf.responses).all()

    def test_repeated_loads_share_one_copy(self) -> None:
        assert load_hrtf(None, 44_100) is load_hrtf(None, 44_100)
