"""The paper's model: learns noise, samples a sound, and goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion.condition import N_CONDITION, N_ROOM, condition_rows, source_numbers  # noqa: E402
from foleyspace_host.diffusion.features import HOP  # noqa: E402
from foleyspace_host.errors import InvalidInput  # noqa: E402
from training.binaural_flow.data.batches import Batch  # noqa: E402
from training.binaural_flow.paper_mode.diffusion import FEW_STEPS, LEVELS, noise_loss, sampled_waveform  # noqa: E402
from training.binaural_flow.paper_mode.net import PaperNet, PaperSize, positions  # noqa: E402
from training.binaural_flow.paper_mode.train import PaperRecipe, paper_net, train_paper  # noqa: E402

SMALL = PaperRecipe("small", PaperSize(8, 4, 4), batch_size=2, n_steps=6, learning_rate=5e-3, autocast=False)


class Still:
    def batch(self, number: int, size: int) -> Batch:
        mono = torch.randn(size, 12 * HOP, generator=torch.Generator().manual_seed(number))
        ears = torch.stack([mono, 0.5 * mono], dim=1)
        return Batch(mono, ears, ears, torch.zeros(size, 12, N_CONDITION), torch.zeros(size, dtype=torch.int64), 2)


def test_positions_are_those_of_the_rows() -> None:
    source = source_numbers([[0.0, 0.6, 0.8]], [3.0], [0.0], [[0.0, 0.0]], [[1.0, 1.0]])
    place = positions(torch.from_numpy(condition_rows(source))[None])
    assert place.shape == (1, 3 + N_ROOM, HOP)
    np.testing.assert_allclose(place[0, :3, 5], [0.0, 0.3, 0.4], atol=1e-6)


def test_an_untrained_network_predicts_nothing_so_that_its_loss_is_the_noise() -> None:
    loss = noise_loss(PaperNet(SMALL.size), Still().batch(0, 8), torch.Generator().manual_seed(0), autocast=False)
    assert abs(float(loss.detach()) - 1.0) < 0.05


def test_a_network_that_knows_the_noise_samples_the_sound() -> None:
    truth = torch.randn(1, 2, 4 * HOP, generator=torch.Generator().manual_seed(0))

    class Knows(torch.nn.Module):
        def forward(self, noisy, mono, place, level):  # type: ignore[no-untyped-def]
            share = level[:, None, None]
            return (noisy - share * truth / 4.0) / (1.0 - share.square()).sqrt()

    found = sampled_waveform(
        Knows(), torch.zeros(1, 4 * HOP), torch.zeros(1, 4, N_CONDITION), torch.Generator().manual_seed(1)
    )
    np.testing.assert_allclose(found, truth, atol=1e-3)
    assert float(LEVELS[-1]) < 0.4 < float(LEVELS[0])
    assert list(FEW_STEPS) == sorted(FEW_STEPS)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert train_paper(SMALL, Still(), tmp_path / "whole", say=lambda _: None) == 6
    half = replace(SMALL, n_steps=3)
    assert train_paper(half, Still(), tmp_path / "parts", say=lambda _: None) == 3
    assert train_paper(SMALL, Still(), tmp_path / "parts", say=lambda _: None) == 6
    one, two = (paper_net(tmp_path / name, SMALL).state_dict() for name in ("whole", "parts"))
    assert all(bool((one[name] == two[name]).all()) for name in one)
    assert any(bool(weight.any()) for name, weight in one.items() if name.startswith("leave.2"))
    with pytest.raises(InvalidInput):
        train_paper(replace(SMALL, batch_size=1), Still(), tmp_path / "parts", say=lambda _: None)
    with pytest.raises(InvalidInput):
        paper_net(tmp_path / "none", SMALL)
