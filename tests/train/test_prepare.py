"""What training needs is packed small, whole and with its licences, and unpacks as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.errors import InvalidInput  # noqa: E402
from foleyspace_host.geometry.trajectory_file import read_trajectory  # noqa: E402
from foleyspace_host.hrtf import prepare as hrtf_prepare  # noqa: E402
from foleyspace_host.hrtf.ear_prior import EarPrior  # noqa: E402
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA  # noqa: E402
from foleyspace_host.hrtf.sofa import read_sofa  # noqa: E402
from training.binaural_flow import commands  # noqa: E402
from training.binaural_flow.data.credits import free_to_train, licence_of, licences  # noqa: E402
from training.binaural_flow.data.evaluation import SPLITS, cases, truth_of, write_evaluation  # noqa: E402
from training.binaural_flow.data.heads import Head, read_archive, write_archive  # noqa: E402
from training.binaural_flow.data.material import is_held_out, read_sounds  # noqa: E402
from training.binaural_flow.data.pack import pack_heads, unpack_heads  # noqa: E402
from training.binaural_flow.data.prepare import load, prepare  # noqa: E402
from training.binaural_flow.data.presets import find_preset  # noqa: E402
from training.binaural_flow.recipes import RECIPES  # noqa: E402

KEMAR = Path(hrtf_prepare.__file__).parent / "assets" / DEFAULT_SOFA
RATE = 48_000


def kemar_like(number: int) -> Head:
    """A manikin with other ears: each has a notch of its own."""
    measured = read_sofa(KEMAR)
    spectrum = np.fft.rfft(measured.hrirs, axis=-1)
    hz = np.fft.rfftfreq(measured.hrirs.shape[-1], 1 / measured.sample_rate_hz)
    notch = 1.0 - 0.8 * np.exp(-0.5 * ((hz - 6000.0 - 700.0 * number - 2000.0 * measured.unit[:, 2:3]) / 600.0) ** 2)
    hrirs = np.fft.irfft(spectrum * notch[:, None], measured.hrirs.shape[-1]).astype(np.float32)
    return Head(f"CIPIC {number:03d}", replace(measured, hrirs=hrirs))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An archive of four heads, one of them held out, and a folder of sounds."""
    folder = tmp_path_factory.mktemp("sources")
    write_archive(folder / "heads.npz", [kemar_like(number) for number in (3, 8, 10, 18)])
    sounds = folder / "sounds"
    sounds.mkdir()
    rng = np.random.default_rng(0)
    for number in range(24):
        tone = np.sin(2 * np.pi * (200.0 + 150.0 * number) * np.arange(RATE) / RATE) + 0.3 * rng.standard_normal(RATE)
        soundfile.write(sounds / f"{number:02d}.wav", 0.2 * np.hanning(RATE) * tone, RATE)
    return folder / "heads.npz", sounds


@pytest.fixture(scope="module")
def prepared(sources: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "data"
    manifest = prepare(out, sources[0], [sources[1]], speech=False)
    assert manifest["heads_held_out"] == ["CIPIC 018"]
    assert manifest["heads"] == ["CIPIC 003", "CIPIC 008", "CIPIC 010", "KEMAR"]
    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert EarPrior.load(out / "ears.npz").n_traits == 37
    return out


def test_an_archive_of_heads_is_read_as_it_was_written(sources: tuple[Path, Path]) -> None:
    heads = read_archive(sources[0])
    assert [(head.name, head.held_out) for head in heads] == [
        ("CIPIC 003", False),
        ("CIPIC 008", False),
        ("CIPIC 010", False),
        ("CIPIC 018", True),
    ]
    wanted = kemar_like(8).measured
    assert heads[1].measured.hrirs == pytest.approx(wanted.hrirs, abs=1e-4 * float(np.abs(wanted.hrirs).max()))
    assert heads[1].measured.unit == pytest.approx(wanted.unit, abs=1e-6)


def test_heads_of_several_grids_are_packed(tmp_path: Path) -> None:
    heads = [kemar_like(1), kemar_like(2)]
    few = heads[1].measured
    delayed = replace(
        few, unit=few.unit[::3], hrirs=few.hrirs[::3], delay_samples=few.delay_samples[::3] + 2.5, sample_rate_hz=48_000
    )
    heads[1] = Head("two", delayed, held_out=True)
    pack_heads(tmp_path / "heads.npz", heads)
    for head, found in zip(heads, unpack_heads(tmp_path / "heads.npz"), strict=True):
        assert (found.name, found.held_out) == (head.name, head.held_out)
        assert found.measured.sample_rate_hz == head.measured.sample_rate_hz
        assert np.array_equal(found.measured.unit, head.measured.unit)
        assert np.array_equal(found.measured.delay_samples, head.measured.delay_samples)
        scale = float(np.abs(head.measured.hrirs).max())
        assert found.measured.hrirs == pytest.approx(head.measured.hrirs, abs=2e-5 * scale)


def test_sounds_are_held_out_by_what_they_hold(sources: tuple[Path, Path], tmp_path: Path) -> None:
    sounds = read_sounds(sources[1])
    assert len(sounds) == 24
    for file in sources[1].iterdir():
        shutil.copy(file, tmp_path / f"renamed-{file.name}")
    again = read_sounds(tmp_path)
    assert [sound.held_out for sound in again] == [sound.held_out for sound in sounds]
    assert 0 < sum(is_held_out(bytes([number % 256, number // 256])) for number in range(2000)) - 130 < 140
    shutil.copy(tmp_path / "renamed-00.wav", tmp_path / "twice.wav")
    assert len(read_sounds(tmp_path)) == 24
    with pytest.raises(InvalidInput, match="no sounds"):
        read_sounds(sources[1] / "nowhere")


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("CC0", True),
        ("CC-BY-3.0", True),
        ("Horn. By A. License: Creative Commons Attribution 3.0 Unported.", True),
        ("License: Creative Commons Zero 1.0.", True),
        ("CC-BY-SA-3.0", False),
        ("Creative Commons Attribution-ShareAlike 3.0", False),
        ("CC-BY-NC-4.0", False),
        ("Sampling+ 1.0", False),
        ("MIT", False),
        ("", False),
    ],
)
def test_licences_that_ask_for_a_name_at_most(licence: str, free: bool) -> None:
    assert free_to_train(licence) == free


def test_licences_are_found_beside_the_sounds(tmp_path: Path) -> None:
    assert licences(tmp_path) is None
    (tmp_path / "copyright").write_text(
        "Format: x\n\nFiles: *\nLicense: MIT\n\nFiles: etc/samples/a.flac\n etc/samples/b*.flac\n"
        "Copyright: 2013 someone\nLicense: CC0\n"
    )
    said = licences(tmp_path)
    assert said is not None
    assert [licence_of(name, said) for name in ("x/samples/a.flac", "samples/bcd.flac", "samples/z.flac")] == [
        "CC0",
        "CC0",
        "MIT",
    ]
    (tmp_path / "my_credits.json").write_text(json.dumps([["a.wav", 1, "License: Creative Commons Zero 1.0."]]))
    said = licences(tmp_path)
    assert said is not None
    assert free_to_train(licence_of("a.wav", said))
    assert licence_of("b.wav", said) == ""


def test_sounds_that_bind_are_passed_over(sources: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    shutil.copytree(sources[1], folder)
    rows = [[f"{number:02d}.wav", 0, "License: CC-BY-3.0" if number < 5 else "CC-BY-SA-3.0"] for number in range(20)]
    (folder / "credits.json").write_text(json.dumps(rows))
    manifest = prepare(tmp_path / "out", sources[0], [folder], speech=False)
    assert manifest["sounds"] == {"recorded": 5, "spoken": 0, "passed_over_for_their_licence": 19}


def test_a_folder_of_sofa_files_is_a_researchers_case(sources: tuple[Path, Path], tmp_path: Path) -> None:
    heads = tmp_path / "sofa"
    (heads / "sub").mkdir(parents=True)
    shutil.copy(KEMAR, heads / "pp87.sofa")
    shutil.copy(KEMAR, heads / "sub" / "pp88.sofa")
    manifest = prepare(tmp_path / "out", heads, [sources[1]], speech=False)
    assert sorted([*manifest["heads"], *manifest["heads_held_out"]]) == ["pp87.sofa", "sub/pp88.sofa"]  # type: ignore[misc]
    assert len(manifest["heads_held_out"]) == 1  # type: ignore[arg-type]


def test_a_prepared_folder_loads(prepared: Path) -> None:
    data = load(prepared, find_preset("physical"), heads=["CIPIC 003", "CIPIC 018"])
    assert [head.name for head in data.heads.heads] == ["CIPIC 003", "CIPIC 018"]
    assert data.heads.heads_that(held_out=True) == [1]
    assert not set(data.sounds.names) & set(data.unseen.names)
    assert any(name.endswith(".wav") for name in data.unseen.names)
    # codes of the same listener from all and from few measurements are alike
    own, few = (one.code for one in (data.heads.own[0], data.heads.thin[0][0]))
    assert np.corrcoef(own, few)[0, 1] > 0.5
    with pytest.raises(InvalidInput):
        load(prepared, find_preset("physical"), heads=["nobody"])


def test_the_evaluation_set_is_fixed_and_asks_what_it_says(prepared: Path, tmp_path: Path) -> None:
    found = list(cases(prepared, per_split=2))
    assert [case.split for case in found] == [split for split in SPLITS for _ in range(2)]
    again = next(cases(prepared, ["unseen sounds"], per_split=1))
    assert np.array_equal(again.mono, next(case for case in found if case.split == "unseen sounds").mono)
    for case in found:
        assert (case.head.name == "CIPIC 018") == (case.split == "unseen listeners")
        assert (case.room is None) == (case.split in ("free field", "unseen listeners"))
        assert np.abs(case.mono).max() > 0.01
    assert write_evaluation(tmp_path, prepared, per_split=1) == 4
    told = json.loads((tmp_path / "set.json").read_text())
    for one, case in zip(told["examples"], (case for case in found if "-00-" in case.name), strict=True):
        assert one["name"] == case.name
        truth, rate = soundfile.read(tmp_path / f"{case.name}-truth.wav", dtype="float32")
        assert rate == RATE
        assert pytest.approx(truth_of(case), abs=1e-6) == truth.T
        assert len(read_trajectory(tmp_path / f"{case.name}.trajectory.json").sources) == 1


def test_the_same_examples_come_from_processes_as_from_none(prepared: Path) -> None:
    recipe = replace(RECIPES["tiny"], lead_frames=4, crop_frames=28)
    found = []
    for workers in (0, 1):
        with commands.sources(prepared, recipe, "cpu", workers) as (examples, held_out):
            found.append([source.batch(3, 2) for source in (examples, held_out)])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one.target, other.target)
        assert torch.equal(one.condition, other.condition)
