"""The stream of examples is endless, seeded, and what its preset says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion.condition import N_CONDITION, SLICES  # noqa: E402
from foleyspace_host.errors import InvalidInput  # noqa: E402
from foleyspace_host.geometry.frames import unit_to_angles  # noqa: E402
from foleyspace_host.geometry.path import SourcePath  # noqa: E402
from foleyspace_host.hrtf import prepare as hrtf_prepare  # noqa: E402
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA  # noqa: E402
from foleyspace_host.hrtf.sofa import read_sofa  # noqa: E402
from training.binaural_flow.data.batches import Batches  # noqa: E402
from training.binaural_flow.data.heads import Head, split_heads, thinned  # noqa: E402
from training.binaural_flow.data.invented import generated_sounds  # noqa: E402
from training.binaural_flow.data.listeners import ListenerBank  # noqa: E402
from training.binaural_flow.data.presets import PRESETS, Preset, Task, find_preset  # noqa: E402
from training.binaural_flow.data.scenarios import SCENARIOS, invent  # noqa: E402
from training.binaural_flow.data.sound_bank import SoundBank  # noqa: E402
from training.binaural_flow.data.workers import Ahead  # noqa: E402

SHORT = replace(PRESETS["physical"], crop_frames=40, lead_frames=24)


@pytest.fixture(scope="module")
def bank() -> ListenerBank:
    kemar = read_sofa(Path(hrtf_prepare.__file__).parent / "assets" / DEFAULT_SOFA)
    other = replace(kemar, hrirs=kemar.hrirs[:, ::-1] * kemar.unit[:, 1:2, None].clip(0.5, 1.0).astype(np.float32))
    heads = [Head("KEMAR", kemar), Head("other", replace(other, unit=kemar.unit * [1, -1, 1]), held_out=True)]
    return ListenerBank(heads, n_sparse=1, code=lambda measured: np.full(16, len(measured.unit) / 100, np.float32))


@pytest.fixture(scope="module")
def sounds() -> SoundBank:
    return SoundBank(generated_sounds())


@pytest.fixture(scope="module")
def batches(bank: ListenerBank, sounds: SoundBank) -> Batches:
    return Batches(bank, sounds, SHORT, 7)


def tensors(batch: object) -> Iterator[torch.Tensor]:
    return (getattr(batch, name) for name in ("mono", "prior", "target", "condition", "task"))


def test_a_batch_has_the_shapes_of_its_preset(batches: Batches) -> None:
    batch = batches.batch(0, 10)
    n = SHORT.n_frames * 256
    assert [tuple(one.shape) for one in tensors(batch)] == [
        (10, n),
        (10, 2, n),
        (10, 2, n),
        (10, SHORT.n_frames, N_CONDITION),
        (10,),
    ]
    assert batch.lead_frames == 24
    assert all(torch.isfinite(one).all() for one in tensors(batch))


def test_a_batch_follows_from_seed_and_number(batches: Batches, bank: ListenerBank, sounds: SoundBank) -> None:
    again = Batches(bank, sounds, SHORT, 7)
    streamed = list(islice(again.stream(3, start=2), 2))
    for number, batch in enumerate(streamed):
        assert all(
            torch.equal(*pair) for pair in zip(tensors(batch), tensors(batches.batch(2 + number, 3)), strict=True)
        )
    other = Batches(bank, sounds, SHORT, 8).batch(2, 3)
    assert not torch.equal(other.mono, streamed[0].mono)


def test_processes_make_the_same_batches_ahead(batches: Batches) -> None:
    ahead = Ahead(batches, workers=2)
    try:
        for number in (0, 1, 5, 6):
            made, wanted = ahead.batch(number, 2), batches.batch(number, 2)
            assert all(torch.equal(*pair) for pair in zip(tensors(made), tensors(wanted), strict=True))
            assert made.lead_frames == wanted.lead_frames
    finally:
        ahead.close()


def test_heads_are_the_same_by_whichever_process(bank: ListenerBank) -> None:
    again = ListenerBank(bank.heads, n_sparse=1, code=lambda measured: np.zeros(16, np.float32), workers=2)
    assert torch.equal(again.responses, bank.responses)
    for one, other in zip([*bank.own, *bank.thin[0]], [*again.own, *again.thin[0]], strict=True):
        assert (one.head, one.first, one.sparse) == (other.head, other.first, other.sparse)
        assert np.array_equal(one.delay_samples, other.delay_samples)


def test_the_prior_has_level_one(batches: Batches) -> None:
    level = batches.batch(1, 8).prior.square().mean(dim=(1, 2)).sqrt()
    assert level.numpy() == pytest.approx(np.ones(8), abs=1e-3)


def test_tasks_come_in_their_shares(batches: Batches) -> None:
    counts = np.bincount(batches.batch(3, 50).task.numpy(), minlength=len(Task)) / 50
    assert counts == pytest.approx([SHORT.tasks[task] for task in Task], abs=0.03)


def test_each_task_asks_for_what_it_says(batches: Batches) -> None:
    batch = batches.batch(4, 40)
    apart = (batch.target - batch.prior).square().mean(dim=(1, 2)).numpy()
    room, sparse, extent = (batch.condition[:, 0, SLICES[name]].numpy() for name in ("room", "sparse", "extent"))
    for number, task in enumerate(batch.task.tolist()):
        assert (apart[number] == 0.0) == (task == Task.FREE)
        assert room[number, -1] == (task in (Task.ROOM, Task.SPARSE_ROOM))
        assert sparse[number] == (task in (Task.SPARSE, Task.SPARSE_ROOM))
        assert (extent[number] > 0.0) == (task == Task.EXTENT)


def test_sparse_examples_have_the_code_of_their_few_measurements(batches: Batches, bank: ListenerBank) -> None:
    batch = batches.batch(5, 60)
    codes = batch.condition[:, 0, SLICES["listener"]].numpy()
    known = {round(float(n) / 100, 4) for n in (50, len(bank.heads[0].measured.unit))}
    assert {round(float(code), 4) for code in codes[:, 0]} == {0.0, min(known), min(max(known), 8.0)}


def test_validation_hears_with_other_heads(bank: ListenerBank, sounds: SoundBank, batches: Batches) -> None:
    theirs = Batches(bank, sounds, SHORT, 7, held_out=True).batch(0, 4)
    # the other head is the KEMAR with its ears exchanged: the same sounds, another prior
    assert torch.equal(theirs.task, batches.batch(0, 4).task)
    assert not torch.allclose(theirs.prior, batches.batch(0, 4).prior, atol=1e-2)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_movements_stay_in_bounds(name: str) -> None:
    for seed in range(30):
        source = invent(name, np.random.default_rng(seed), 2.0, (0.3, 10.0))
        unit, distance_m = SourcePath.from_source(source).sample(np.linspace(0.0, 2.0, 200))
        assert distance_m.min() >= 0.3 - 1e-9
        assert distance_m.max() <= 10.0 + 1e-9
        assert np.abs(unit_to_angles(unit)[1]).max() <= 90.0
        assert any(key.cut for key in source.keys) == (name == "jump" and len(source.keys) > 1)
        if name == "static":
            assert np.ptp(unit, axis=0).max() < 1e-6
        elif name == "orbit":
            assert np.ptp(distance_m) < 1e-3 or np.abs(unit[:, 2]).max() > 0.6
        elif name in ("approach", "recede"):
            assert (np.diff(distance_m) * (1 if name == "recede" else -1) > -1e-9).all()


def test_thinned_measurements_are_spread(bank: ListenerBank) -> None:
    measured = bank.heads[0].measured
    few = thinned(measured, 50, np.random.default_rng(0))
    assert few.hrirs.shape[0] == 50
    assert len(np.unique(few.unit, axis=0)) == 50
    cosine = few.unit @ few.unit.T - 2.0 * np.eye(50)
    assert np.degrees(np.arccos(cosine.max(axis=1))).min() > 8.0
    nearest = np.degrees(np.arccos(np.clip((measured.unit @ few.unit.T).max(axis=1), -1, 1)))
    assert nearest.max() < 32.0


def test_heads_are_held_out_by_name() -> None:
    kemar = read_sofa(Path(hrtf_prepare.__file__).parent / "assets" / DEFAULT_SOFA)
    heads = [Head(f"pp{number}", kemar) for number in range(20)]
    held_out = {head.name for head in split_heads(heads) if head.held_out}
    assert len(held_out) == 2
    assert held_out == {head.name for head in split_heads(heads[::-1]) if head.held_out}
    assert not any(head.held_out for head in split_heads(heads[:1]))


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidInput, match="physical"):
        find_preset("phantom")
    assert isinstance(find_preset("physical"), Preset)
    for preset in PRESETS.values():
        assert sum(preset.tasks.values()) == pytest.approx(1.0)
        assert sum(preset.scenarios.values()) == pytest.approx(1.0)
