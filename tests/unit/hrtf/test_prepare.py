"""Preparation is held to the measured responses themselves and to what physics says of a sphere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import HrtfInvalid
from foleyspace_host.geometry.frames import angles_to_unit, unit_to_angles
from foleyspace_host.hrtf.align import resample_responses
from foleyspace_host.hrtf.mesh import build_mesh, locate
from foleyspace_host.hrtf.onset import best_onsets, minimum_phase_lag, threshold_onset
from foleyspace_host.hrtf.prepare import Hrtf, load_hrtf, prepare
from foleyspace_host.hrtf.refine import stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa


def random_directions(n: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestMesh:
    def test_is_closed_and_covers_the_sphere_once(self) -> None:
        mesh = build_mesh(random_directions(300))
        assert len(mesh.triangles) == 2 * 300 - 4  # Euler
        assert mesh.vertex_areas().sum() == pytest.approx(4 * np.pi)

    def test_neighbours_share_the_edge_opposite_the_corner(self) -> None:
        mesh = build_mesh(random_directions(100))
        for triangle, around in zip(mesh.triangles, mesh.neighbours, strict=True):
            for corner in range(3):
                edge = set(np.delete(triangle, corner))
                assert edge <= set(mesh.triangles[around[corner]])

    @pytest.mark.parametrize("grid", ["random", "rings"])
    def test_weights_give_the_direction_back(self, grid: str) -> None:
        if grid == "random":
            vertices = random_directions(200)
        else:  # co-circular points, as measurement grids have
            azimuth, elevation = np.meshgrid(np.arange(0, 360, 15.0), np.arange(-75, 76, 15.0))
            vertices = np.concatenate([angles_to_unit(azimuth.ravel(), elevation.ravel()), [[0, 0, 1.0], [0, 0, -1.0]]])
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

        pair = np.stack([pulse(10.0), pulse(delay)])[None]
        for onset in (threshold_onset(pair, -12.0), minimum_phase_lag(pair, 48_000)):
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


class TestResample:
    @pytest.mark.parametrize("to_hz", [48_000, 96_000, 22_050])
    def test_keeps_the_frequency_response(self, to_hz: int) -> None:
        rng = np.random.default_rng(0)
        hrirs = np.zeros((3, 2, 200))
        hrirs[..., 40:] = rng.standard_normal((3, 2, 160)) * np.exp(-np.arange(160) / 15.0)
        out = resample_responses(hrirs, 44_100, to_hz)
        assert out.shape[-1] == -(-200 * to_hz // 44_100)
        hz = np.linspace(100, 0.4 * min(to_hz, 44_100), 50)
        before = hrirs @ np.exp(-2j * np.pi * np.outer(np.arange(200), hz) / 44_100)
        after = out @ np.exp(-2j * np.pi * np.outer(np.arange(out.shape[-1]), hz) / to_hz)
        assert np.abs(after - before).max() < 0.02 * np.abs(before).max()


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

    def test_repeated_directions_are_averaged(self) -> None:
        unit = np.concatenate([random_directions(40)] * 2)
        hrirs = np.random.default_rng(1).standard_normal((80, 2, 64))
        hrirs[40:] = hrirs[:40]
        from foleyspace_host.hrtf.sofa import _merge_repeats

        merged = _merge_repeats(unit, hrirs, np.zeros((80, 2)))
        np.testing.assert_allclose(merged[0], unit[:40])
        np.testing.assert_allclose(merged[1], hrirs[:40])

    def test_four_directions_are_enough(self) -> None:
        unit = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) / np.sqrt(3)
        hrirs = np.zeros((4, 2, 64))
        hrirs[:, :, 20] = 1.0
        hrtf = prepare(MeasuredHrirs(unit, hrirs, np.zeros((4, 2)), 48_000, "box"), 48_000)
        assert np.isfinite(hrtf.responses).all()


class TestReadSofa:
    def test_repeated_loads_share_one_copy(self) -> None:
        assert load_hrtf(None, 44_100) is load_hrtf(None, 44_100)

    def test_rotated_listener_sees_the_same_directions(self, tmp_path: Path) -> None:
        import sofar

        unit = random_directions(30)
        paths = []
        for name, turn in (("plain", 0.0), ("turned", 90.0)):
            sofa = sofar.Sofa("SimpleFreeFieldHRIR")
            sofa.Data_IR = np.random.default_rng(0).standard_normal((30, 2, 32))
            azimuth, elevation = unit_to_angles(unit)
            sofa.SourcePosition = np.stack([(azimuth + turn) % 360, elevation, np.full(30, 1.4)], axis=1)
            sofa.ListenerView = [[np.cos(np.radians(turn)), np.sin(np.radians(turn)), 0.0]]
            sofa.ListenerView_Type, sofa.ListenerView_Units = "cartesian", "metre"
            sofa.Data_SamplingRate = 48_000
            sofa.ReceiverPosition = [[0, 0.09, 0], [0, -0.09, 0]]
            paths.append(tmp_path / f"{name}.sofa")
            sofar.write_sofa(str(paths[-1]), sofa)
        plain, turned = (read_sofa(path) for path in paths)
        np.testing.assert_allclose(turned.unit, plain.unit, atol=1e-9)

    @pytest.mark.parametrize("keep", [0.0, 1e-6, 1e-4, 0.01, 0.5, 0.99])
    def test_truncated_files_are_refused(self, tmp_path: Path, keep: float) -> None:
        from importlib.resources import files

        whole = (files("foleyspace_host.hrtf") / "assets" / "MIT_KEMAR_normal_pinna.sofa").read_bytes()
        path = tmp_path / "cut.sofa"
        path.write_bytes(whole[: int(keep * len(whole))])
        with pytest.raises(HrtfInvalid, match=r"cut\.sofa"):
            load_hrtf(path, 44_100)

    def test_other_conventions_are_refused(self, tmp_path: Path) -> None:
        import sofar

        sofa = sofar.Sofa("GeneralTF")
        sofa.Data_Real = sofa.Data_Imag = np.ones((4, 2, 3))
        sofa.N = [100.0, 200.0, 300.0]
        sofa.ReceiverPosition = np.zeros((2, 3))
        sofa.SourcePosition = np.ones((4, 3))
        path = tmp_path / "transfer.sofa"
        sofar.write_sofa(str(path), sofa)
        with pytest.raises(HrtfInvalid, match="GeneralTF"):
            load_hrtf(path, 44_100)

    @pytest.mark.parametrize(
        ("damage", "word"),
        [("nan", "NaN"), ("silent", "silent"), ("plane", "surround"), ("missing", "no such file")],
    )
    def test_unusable_data_are_refused(self, tmp_path: Path, damage: str, word: str) -> None:
        import sofar

        path = tmp_path / "bad.sofa"
        if damage != "missing":
            sofa = sofar.Sofa("SimpleFreeFieldHRIR")
            sofa.Data_IR = np.random.default_rng(0).standard_normal((30, 2, 32))
            azimuth, elevation = unit_to_angles(random_directions(30))
            if damage == "plane":
                elevation[:] = 0.0
            sofa.SourcePosition = np.stack([azimuth % 360, elevation, np.ones(30)], axis=1)
            if damage == "nan":
                sofa.Data_IR[3, 1, 5] = np.nan
            if damage == "silent":
                sofa.Data_IR[:, 1] = 0.0
            sofa.ReceiverPosition = [[0, 0.09, 0], [0, -0.09, 0]]
            sofar.write_sofa(str(path), sofa)
        with pytest.raises(HrtfInvalid, match=word) as caught:
            load_hrtf(path, 44_100)
        assert "bad.sofa" in str(caught.value)
