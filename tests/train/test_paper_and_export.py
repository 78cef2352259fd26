"""The paper's way to make data does what the paper says, and pairs can be written for others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.errors import InvalidInput  # noqa: E402
from foleyspace_host.geometry.trajectory import Key, Source  # noqa: E402
from foleyspace_host.geometry.trajectory_file import read_trajectory  # noqa: E402
from foleyspace_host.hrtf import prepare as hrtf_prepare  # noqa: E402
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA  # noqa: E402
from foleyspace_host.hrtf.sofa import read_sofa  # noqa: E402
from training.binaural_flow.data.batches import Batches  # noqa: E402
from training.binaural_flow.data.export import export_pairs  # noqa: E402
from training.binaural_flow.data.heads import Head  # noqa: E402
from training.binaural_flow.data.invented import generated_sounds  # noqa: E402
from training.binaural_flow.data.listeners import ListenerBank  # noqa: E402
from training.binaural_flow.data.paper import paper_target  # noqa: E402
from training.binaural_flow.data.presets import PRESETS  # noqa: E402
from training.binaural_flow.data.reflected import Surroundings  # noqa: E402
from training.binaural_flow.data.sound_bank import SoundBank  # noqa: E402
from training.binaural_flow.data.synth import Example, render_examples  # noqa: E402

RATE = 48_000
N = 256 * 200


@pytest.fixture(scope="module")
def bank() -> ListenerBank:
    return ListenerBank(
        [Head("KEMAR", read_sofa(Path(hrtf_prepare.__file__).parent / "assets" / DEFAULT_SOFA))], n_sparse=1
    )


def example(bank: ListenerBank, sound: np.ndarray, *keys: Key) -> Example:
    own, code = bank.own[0], np.zeros(16, dtype=np.float32)
    return Example(torch.from_numpy(sound.astype(np.float32)), Source("s", keys), own, own, None, 0.0, code)


def lag(sound: np.ndarray) -> float:
    cross = np.fft.irfft(np.fft.rfft(sound[1], 16 * N) * np.fft.rfft(sound[0], 16 * N).conj(), 16 * N)
    wide = np.concatenate([cross[-400:], cross[:400]])
    return float(wide.argmax() - 400)


def test_at_the_measured_distance_the_paper_is_right(bank: ListenerBank) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(N)
    still = example(bank, noise, Key(0.0, 40.0, 0.0, 1.47))
    right = render_examples([still], bank, Surroundings(bank)).prior[0].numpy()
    found = paper_target(still, bank, 200).numpy()
    hz = np.fft.rfftfreq(N, 1 / RATE)
    y, p = (np.fft.rfft(sound)[:, hz < 12_000] for sound in (right, found))
    assert 10 * np.log10((np.abs(p - y) ** 2).sum() / (np.abs(y) ** 2).sum()) < -35.0


def test_resampling_moves_the_time_between_the_ears(bank: ListenerBank) -> None:
    lags = []
    for distance_m, highest_hz in ((1.47, 1500.0), (4.41, 500.0)):  # stretched threefold, the same part of the response
        spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(N))
        spectrum[np.fft.rfftfreq(N, 1 / RATE) > highest_hz] = 0.0
        low = example(bank, np.fft.irfft(spectrum), Key(0.0, 60.0, 0.0, distance_m))
        lags.append(lag(paper_target(low, bank, 200).numpy()))
    assert lags[1] == pytest.approx(3.0 * lags[0], abs=2.5)
    assert lags[0] > 20.0


@pytest.mark.parametrize(("segments", "steps"), [(200, 25), (8, 1)])
def test_segments_are_as_long_as_the_paper_says(bank: ListenerBank, segments: int, steps: int) -> None:
    # a tone that turns from left to right: in between levels fade on straight lines from segment to segment
    tone = np.sin(2 * np.pi * 3000.0 * np.arange(N) / RATE)
    turn = example(bank, tone, *(Key(float(t), 80.0 - 150.0 * t, 0.0, 1.5) for t in np.arange(0.0, 1.1, 0.04)))
    found = paper_target(turn, bank, segments).numpy()
    hop = 8 * RATE // segments
    assert hop * steps == RATE
    assert found.shape == (2, N)
    at = [
        paper_target(example(bank, tone, Key(0.0, 80.0 - 150.0 * k * hop / RATE, 0.0, 1.5)), bank, 200)
        for k in range(2)
    ]
    middle = slice(hop // 2 - 200, hop // 2 + 200)
    blended = 0.5 * (at[0] + at[1]).numpy()[:, middle]
    assert found[:, middle] == pytest.approx(blended, abs=0.15 * float(np.abs(blended).max()) + 0.02)


def test_the_paper_preset_streams(bank: ListenerBank) -> None:
    preset = replace(PRESETS["paper"], crop_frames=60)
    batch = Batches(bank, SoundBank(generated_sounds()), preset, 1).batch(0, 3)
    assert torch.isfinite(batch.target).all()
    level = (batch.target.square().mean() / batch.prior.square().mean()).sqrt()
    assert 0.3 < float(level) < 3.0


def test_pairs_are_written(bank: ListenerBank, tmp_path: Path) -> None:
    sounds = SoundBank(generated_sounds())
    export_pairs(tmp_path / "a", bank, sounds, PRESETS["physical"], 3, duration_s=0.5)
    told = [json.loads(line) for line in (tmp_path / "a" / "pairs.jsonl").read_text().splitlines()]
    assert [one["name"] for one in told] == ["000000", "000001", "000002"]
    for one in told:
        mono, rate = soundfile.read(tmp_path / "a" / f"{one['name']}-mono.wav")
        both, _ = soundfile.read(tmp_path / "a" / f"{one['name']}-binaural.wav")
        path = read_trajectory(tmp_path / "a" / f"{one['name']}.trajectory.json")
        assert rate == RATE
        assert both.shape == (len(mono), 2)
        assert path.duration_s == pytest.approx(len(mono) / RATE)
        assert path.sources[0].id == one["movement"]
        assert 0.0 < np.abs(both).max() <= 0.951
    export_pairs(tmp_path / "b", bank, sounds, PRESETS["physical"], 1, duration_s=0.5)
    first, again = ((tmp_path / folder / "000000-binaural.wav").read_bytes() for folder in "ab")
    assert first == again
    with pytest.raises(InvalidInput, match="nothing"):
        export_pairs(tmp_path / "c", bank, sounds, PRESETS["physical"], 0)
