"""Files of many kinds hold the same head: each must come out as the same directions, ears and delays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host.errors import HrtfInvalid
from foleyspace_host.geometry.frames import angles_to_unit, unit_to_angles
from foleyspace_host.hrtf.prepare import load_hrtf, prepare
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

netCDF4 = pytest.importorskip("netCDF4")
sofar = pytest.importorskip("sofar")

RATE_HZ = 48_000
HEAD_M = 0.0875
Save = Callable[..., Path]


def lattice(n: int) -> np.ndarray:
    index = np.arange(n) + 0.5
    z = 1 - 2 * index / n
    turn = np.pi * (3 - np.sqrt(5)) * index
    return np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1)


def sphere_head(unit: np.ndarray, n_taps: int = 128, rate_hz: float = RATE_HZ) -> np.ndarray:
    """A toy head: pulses with Woodworth's delays, the far ear quieter; shape (n, 2, n_taps), left first."""
    out = np.zeros((len(unit), 2, n_taps))
    side = np.arcsin(np.clip(unit[:, 1], -1, 1))
    time_s = 0.0875 / 343.2 * (side + np.sin(side)) / 2
    cycles = np.fft.rfftfreq(n_taps)
    for ear, sign in ((0, -1.0), (1, 1.0)):
        at = 0.0006 * rate_hz + sign * time_s * rate_hz
        gain = 10 ** (-sign * unit[:, 1] * 6 / 20)
        band = np.cos(0.5 * np.pi * np.minimum(cycles / 0.45, 1.0)) ** 2
        spectrum = gain[:, None] * band * np.exp(-2j * np.pi * cycles * at[:, None])
        out[:, ear] = np.fft.irfft(spectrum, n_taps)
    return out


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a SOFA file of the toy head; keywords replace what is in it."""

    def write(unit: np.ndarray, convention: str = "SimpleFreeFieldHRIR", name: str = "set.sofa", **values: Any) -> Path:
        with warnings.catch_warnings():  # of preliminary conventions
            warnings.simplefilter("ignore")
            sofa = sofar.Sofa(convention, verify=False)
        azimuth, elevation = unit_to_angles(unit)
        sofa.SourcePosition = np.stack([azimuth % 360, elevation, np.full(len(unit), 1.5)], axis=1)
        sofa.SourcePosition_Type, sofa.SourcePosition_Units = "spherical", "degree, degree, metre"
        sofa.Data_IR = sphere_head(unit)
        sofa.Data_SamplingRate = RATE_HZ
        sofa.Data_Delay = np.zeros((1, 2))
        sofa.ReceiverPosition = [[0, 0.09, 0], [0, -0.09, 0]]
        for key, value in values.items():
            if hasattr(sofa, key):
                setattr(sofa, key, value)
            elif key.endswith(("_Type", "_Units")):
                sofa.add_attribute(key, value)
            else:
                sofa.add_variable(key, value, "double", "MC" if len(value) > 1 else "IC")
        path = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sofar.write_sofa(str(path), sofa)
        return path

    return write


def head_is_right(measured: MeasuredHrirs) -> None:
    """The left ear hears sources on the left first and louder."""
    energy = (measured.hrirs.astype(float) ** 2).sum(axis=-1)
    first = np.abs(measured.hrirs).argmax(axis=-1) + measured.delay_samples
    left = measured.unit[:, 1] > 0.5
    assert left.any()
    assert (energy[left, 0] > energy[left, 1]).all()
    assert (first[left, 0] < first[left, 1]).all()


class TestKinds:
    def test_plain(self, save: Save) -> None:
        unit = lattice(50)
        measured = read_sofa(save(unit))
        np.testing.assert_allclose(measured.unit, unit, atol=1e-9)
        np.testing.assert_allclose(measured.hrirs, sphere_head(unit), atol=1e-6)
        assert measured.notes == ()
        assert (measured.n_measurements, measured.radii_m, measured.radius_m) == (50, (1.5,), 1.5)

    def test_cartesian_positions(self, save: Save) -> None:
        unit = lattice(50)
        path = save(unit, SourcePosition=unit * 2.0, SourcePosition_Type="cartesian", SourcePosition_Units="metre")
        measured = read_sofa(path)
        np.testing.assert_allclose(measured.unit, unit, atol=1e-9)
        assert measured.radius_m == pytest.approx(2.0)

    def test_general_fir(self, save: Save) -> None:
        unit = lattice(50)
        measured = read_sofa(save(unit, "GeneralFIR"))
        np.testing.assert_allclose(measured.unit, unit, atol=1e-9)
        assert measured.convention == "GeneralFIR"

    def test_general_fir_e_with_an_array_of_loudspeakers(self, save: Save) -> None:
        """An arc of emitters and a listener who turns: directions are the product of both."""
        heights = np.array([-40.0, 0.0, 40.0, 80.0])
        turns = np.arange(0.0, 360.0, 30.0)
        emitters = angles_to_unit(np.zeros(4), heights) * 1.2
        unit = angles_to_unit(-turns[:, None], heights[None])  # turned left by 30, what is ahead stands at -30
        hrirs = sphere_head(unit.reshape(-1, 3)).reshape(12, 4, 2, -1)
        path = save(
            lattice(12),
            "GeneralFIR-E",
            Data_IR=hrirs.transpose(0, 2, 3, 1),
            Data_Delay=np.zeros((1, 2, 4)),
            SourcePosition=np.zeros((1, 3)),
            SourcePosition_Type="cartesian",
            SourcePosition_Units="metre",
            EmitterPosition=emitters,
            EmitterPosition_Type="cartesian",
            EmitterPosition_Units="metre",
            ListenerView=angles_to_unit(turns, np.zeros(12)),
            ListenerUp=[[0.0, 0.0, 1.0]],
            ListenerView_Type="cartesian",
            ListenerView_Units="metre",
        )
        measured = read_sofa(path)
        np.testing.assert_allclose(measured.unit, unit.reshape(-1, 3), atol=1e-9)
        np.testing.assert_allclose(measured.hrirs, hrirs.reshape(48, 2, -1), atol=1e-6)
        assert measured.radius_m == pytest.approx(1.2)
        head_is_right(measured)

    def test_listener_who_looks_and_stands_elsewhere(self, save: Save) -> None:
        """Lying on the left side, looking left, away from the origin."""
        unit = lattice(60)
        axes = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])  # ahead, left and up in the room
        place = np.array([0.3, -0.2, 1.1])
        path = save(
            unit,
            SourcePosition=place + 1.5 * unit @ axes,
            SourcePosition_Type="cartesian",
            SourcePosition_Units="metre",
            ListenerPosition=place[None],
            ListenerView=axes[:1],
            ListenerUp=axes[2:],
            ListenerView_Type="cartesian",
            ListenerView_Units="metre",
        )
        measured = read_sofa(path)
        np.testing.assert_allclose(measured.unit, unit, atol=1e-9)
        head_is_right(measured)

    def test_delays_of_each_direction(self, save: Save) -> None:
        """Responses without travel time and delays beside them sound like responses with it."""
        unit = lattice(300)
        side = np.arcsin(unit[:, 1])
        delay = 30 + np.stack([-1.0 * side, side], axis=1) * 10
        cycles = np.fft.rfftfreq(128)
        spectra = np.cos(0.5 * np.pi * np.minimum(cycles / 0.45, 1)) ** 2 * np.exp(-2j * np.pi * cycles * 10)
        plain = np.tile(np.fft.irfft(spectra), (300, 2, 1))
        late = np.fft.irfft(spectra * np.exp(-2j * np.pi * cycles * delay[..., None]))
        apart = prepare(read_sofa(save(unit, Data_IR=plain, Data_Delay=delay)), RATE_HZ)
        inside = prepare(read_sofa(save(unit, name="inside.sofa", Data_IR=late)), RATE_HZ)
        itd = np.diff(delay, axis=1)[:, 0]
        for hrtf in (apart, inside):
            found = np.diff(hrtf.delay_samples[:300], axis=1)[:, 0]
            np.testing.assert_allclose(found, itd, atol=0.02)

    @pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000])
    @pytest.mark.parametrize("n_taps", [128, 2048, 8192])
    def test_rates_and_lengths(self, save: Save, rate_hz: int, n_taps: int) -> None:
        unit = lattice(30)
        n = max(n_taps, 512) if rate_hz > 48_000 else n_taps
        measured = read_sofa(save(unit, Data_IR=sphere_head(unit, n, rate_hz), Data_SamplingRate=rate_hz))
        hrtf = prepare(measured, RATE_HZ)
        itd_us = (hrtf.delay_samples[:30, 1] - hrtf.delay_samples[:30, 0]) / RATE_HZ * 1e6
        side = np.arcsin(unit[:, 1])
        np.testing.assert_allclose(itd_us, HEAD_M / 343.2 * (side + np.sin(side)) * 1e6, atol=2.0)
        assert np.isfinite(hrtf.responses).all()
        assert hrtf.n_taps <= n * RATE_HZ / rate_hz + 60


class TestEars:
    @pytest.mark.parametrize("stated", ["right first", "nowhere", "left first"])
    @pytest.mark.parametrize("order", ["left first", "right first"])
    def test_responses_decide(self, save: Save, stated: str, order: str) -> None:
        unit = lattice(100)
        hrirs = sphere_head(unit)
        places = {"left first": [0.09, -0.09], "right first": [-0.09, 0.09], "nowhere": [0.0, 0.0]}[stated]
        path = save(
            unit,
            Data_IR=hrirs if order == "left first" else hrirs[:, ::-1],
            ReceiverPosition=[[0, places[0], 0], [0, places[1], 0]],
        )
        measured = read_sofa(path)
        np.testing.assert_allclose(measured.hrirs, hrirs, atol=1e-6)
        wrong = stated != "nowhere" and stated != order
        assert [("swapped" in note) for note in measured.notes] == [True] * wrong

    @pytest.mark.parametrize("first_is_left", [True, False])
    def test_positions_decide_where_responses_cannot(self, save: Save, first_is_left: bool) -> None:
        unit = lattice(100)
        noise = np.random.default_rng(0).standard_normal((100, 2, 64))
        y = 0.09 if first_is_left else -0.09
        measured = read_sofa(save(unit, Data_IR=noise, ReceiverPosition=[[0, y, 0], [0, -y, 0]]))
        expected = noise if first_is_left else noise[:, ::-1]
        np.testing.assert_allclose(measured.hrirs, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("name", "swapped"),
        [
            ("AXD_example_sofa_1", False),
            ("CIPIC_subject_003_hrir_final", True),
            ("LISTEN_1002_IRC_1002_C_HRIR", True),
            ("MIT_KEMAR_normal_pinna", False),
            ("dtf_nh2", False),
        ],
    )
    def test_real_files(self, shared_dir: Path, name: str, swapped: bool) -> None:
        measured = read_sofa(shared_dir / "data" / "hrtf" / f"{name}.sofa")
        side = measured.unit[:, 1]
        energy_db = 10 * np.log10((measured.hrirs.astype(float) ** 2).sum(axis=-1))
        level = energy_db[:, 0] - energy_db[:, 1]
        assert level[side > 0.7].min() > 0
        assert level[side < -0.7].max() < 0
        assert any("swapped" in note for note in measured.notes) == swapped


class TestManyMeasurements:
    def test_of_several_distances_the_farthest_is_taken(self, save: Save) -> None:
        unit = lattice(40)
        radii = np.repeat([0.3, 0.7, 1.6], 40)
        azimuth, elevation = unit_to_angles(np.tile(unit, (3, 1)))
        gain = np.repeat([4.0, 2.0, 1.0], 40)[:, None, None]
        path = save(
            np.tile(unit, (3, 1)),
            Data_IR=gain * sphere_head(np.tile(unit, (3, 1))),
            SourcePosition=np.stack([azimuth % 360, elevation, radii], axis=1),
        )
        measured = read_sofa(path)
        assert measured.radii_m == pytest.approx((0.3, 0.7, 1.6))
        assert measured.radius_m == pytest.approx(1.6)
        assert measured.n_measurements == 120
        np.testing.assert_allclose(measured.hrirs, sphere_head(unit), atol=1e-6)

    def test_a_far_ring_gives_way_to_a_near_sphere(self, save: Save) -> None:
        ring = angles_to_unit(np.arange(0, 360, 30.0), np.zeros(12))
        unit = np.concatenate([lattice(60), ring])
        azimuth, elevation = unit_to_angles(unit)
        radius = np.concatenate([np.full(60, 1.0), np.full(12, 2.0)])
        path = save(unit, SourcePosition=np.stack([azimuth % 360, elevation, radius], axis=1))
        measured = read_sofa(path)
        assert measured.radius_m == pytest.approx(1.0)
        assert len(measured.unit) == 60

    def test_scattered_distances_are_all_used(self, save: Save) -> None:
        unit = lattice(60)
        azimuth, elevation = unit_to_angles(unit)
        radius = 0.5 * 5 ** np.random.default_rng(0).uniform(size=60)
        measured = read_sofa(save(unit, SourcePosition=np.stack([azimuth % 360, elevation, radius], axis=1)))
        np.testing.assert_allclose(measured.unit, unit, atol=1e-9)

    @pytest.mark.parametrize("apart_deg", [0.0, 0.03])
    def test_repeats_are_averaged(self, save: Save, apart_deg: float) -> None:
        unit = lattice(40)
        azimuth, elevation = unit_to_angles(unit)
        again = angles_to_unit(azimuth, np.clip(elevation + apart_deg, -90, 90))
        noise = 1e-3 * np.random.default_rng(1).standard_normal((40, 2, 128))
        hrirs = sphere_head(unit)
        path = save(np.concatenate([unit, again]), Data_IR=np.concatenate([hrirs + noise, hrirs - noise]))
        measured = read_sofa(path)
        assert len(measured.unit) == 40
        np.testing.assert_allclose(measured.hrirs, hrirs, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(measured.unit, axis=1), 1.0)
        assert "40 measurements repeat" in measured.notes[0]
        assert np.isfinite(prepare(measured, RATE_HZ).responses).all()

    def test_repeats_with_other_delays_are_not_mixed(self, save: Save) -> None:
        unit = np.concatenate([lattice(40)] * 2)
        hrirs = sphere_head(unit)
        hrirs[40:] = np.roll(hrirs[40:], -10, axis=-1)
        delay = np.repeat([[0.0, 0.0], [10.0, 10.0]], 40, axis=0)
        measured = read_sofa(save(unit, Data_IR=hrirs, Data_Delay=delay))
        np.testing.assert_allclose(measured.hrirs, hrirs[:40], atol=1e-6)
        assert (measured.delay_samples == 0).all()

    def test_silent_measurements_are_left_out(self, save: Save) -> None:
        unit = lattice(40)
        hrirs = sphere_head(unit)
        hrirs[7] = 0.0
        hrirs[9, 1] = 0.0
        measured = read_sofa(save(unit, Data_IR=hrirs))
        np.testing.assert_allclose(measured.unit, np.delete(unit, [7, 9], axis=0), atol=1e-9)
        assert "2 measurements are silent" in measured.notes[0]


class TestBadFiles:
    @pytest.mark.parametrize("keep", [0.0, 1e-6, 1e-4, 0.01, 0.5, 0.99])
    def test_truncated(self, tmp_path: Path, keep: float) -> None:
        whole = (files("foleyspace_host.hrtf") / "assets" / "MIT_KEMAR_normal_pinna.sofa").read_bytes()
        path = tmp_path / "cut.sofa"
        path.write_bytes(whole[: int(keep * len(whole))])
        with pytest.raises(HrtfInvalid, match=r"cut\.sofa"):
            load_hrtf(path, 44_100)

    @pytest.mark.parametrize(
        "content", [b"RIFF....WAVEfmt ", b"\x89HDF\r\n\x1a\n" + bytes(4000), b"CDF\x01" + bytes(64)]
    )
    def test_not_sofa(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "other.sofa"
        path.write_bytes(content)
        with pytest.raises(HrtfInvalid, match=r"other\.sofa"):
            read_sofa(path)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(HrtfInvalid, match="no such file"):
            load_hrtf(tmp_path / "gone.sofa", 44_100)
        with pytest.raises(HrtfInvalid, match="no such file"):
            load_hrtf(tmp_path, 44_100)

    def test_transfer_functions(self, tmp_path: Path) -> None:
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
        [
            ("nan", "NaN"),
            ("infinite", "NaN"),
            ("never written", "NaN"),
            ("silent", "silent"),
            ("nearly silent", "silent"),
            ("flat", "surround"),
            ("three", "surround"),
            ("same place", "surround"),
            ("in the head", "middle"),
            ("rate", "sampling rate"),
            ("lost", "not finite"),
            ("slow", "100 ms"),
            ("other convention", "SingleRoomDRIR"),
            ("looks up", "parallel"),
            ("four ears", "two ears"),
        ],
    )
    def test_unusable(self, save: Save, damage: str, word: str) -> None:
        unit = lattice(30)
        hrirs = sphere_head(unit)
        azimuth, elevation = unit_to_angles(unit)
        position = np.stack([azimuth % 360, elevation, np.ones(30)], axis=1)
        values: dict[str, Any] = {}
        match damage:
            case "nan" | "infinite" | "never written":
                hrirs[3, 1, 5] = {"nan": np.nan, "infinite": -np.inf, "never written": 9.969e36}[damage]
            case "silent" | "nearly silent":
                hrirs[:, 1] *= 0.0 if damage == "silent" else 1e-5
            case "flat":
                position[:, 1] = 0.0
            case "three":
                hrirs, position = hrirs[:3], position[:3]
            case "same place":
                position[:] = position[0]
            case "in the head":
                position[4, 2] = 0.0
            case "rate":
                values["Data_SamplingRate"] = 44_100.5
            case "lost":
                position[4, 0] = np.nan
            case "slow":
                values["Data_Delay"] = np.linspace(0, 1e6, 60).reshape(30, 2)
            case "looks up":
                values["ListenerView"] = [[0.0, 0.0, 1.0]]
            case "four ears":
                hrirs = np.concatenate([hrirs, hrirs], axis=1)
                values |= {"ReceiverPosition": np.zeros((4, 3)), "Data_Delay": np.zeros((1, 4))}
        path = save(unit, name="bad.sofa", **({"Data_IR": hrirs, "SourcePosition": position} | values))
        if damage == "other convention":
            with netCDF4.Dataset(path, "a") as file:
                file.setncattr("SOFAConventions", "SingleRoomDRIR")
        with pytest.raises(HrtfInvalid, match=word) as caught:
            load_hrtf(path, 44_100)
        assert "bad.sofa" in str(caught.value)
        assert caught.value.cure
