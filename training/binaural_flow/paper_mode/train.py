"""Training of the paper's model, on the same stream of data; and its renderings of the evaluation set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from foleyspace_host.diffusion.condition import condition_rows, radial_velocity_m_s, room_numbers, source_numbers
from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.render.told import direct_to_reverberant_db
from training.binaural_flow.paper_mode.diffusion import noise_loss, sampled_waveform
from training.binaural_flow.paper_mode.net import PaperNet, PaperSize
from training.flow import checkpoint
from training.flow.averages import AveragedWeights, with_weights
from training.flow.recipe import as_stored, check_stored

if TYPE_CHECKING:
    from training.binaural_flow.data.batches import Batch
    from training.binaural_flow.data.evaluation import Case
    from training.flow.training import Source

__all__ = ["PAPER_RECIPES", "PaperRecipe", "paper_net", "render_case", "train_paper"]

_KEEP_S = 180.0


@dataclass(frozen=True, slots=True)
class PaperRecipe:
    """All that a training depends on beside the data; as for `training.binaural_flow.recipes.Recipe`.

    It learns the free field and rooms, of which it is told as much as the flow model: what it is not told of, few
    measurements and width, it could only confuse with them.
    """

    name: str = "paper"
    size: PaperSize = field(default_factory=PaperSize)
    batch_size: int = 8
    preset: str = "physical"
    lead_frames: int | None = None
    crop_frames: int | None = None
    without: tuple[str, ...] = ("SPARSE", "SPARSE_ROOM", "EXTENT")
    n_steps: int = 12_000
    learning_rate: float = 2e-4
    ema_decay: float = 0.999
    clip_norm: float = 1.0
    autocast: bool = True
    seed: int = 1


PAPER_RECIPES: dict[str, PaperRecipe] = {
    recipe.name: recipe
    for recipe in (
        # one GPU, as long as the flow model's `base`
        PaperRecipe(),
        # one processor core, as long as the flow model's `base-cpu`
        PaperRecipe(
            "paper-cpu",
            PaperSize(24, 20, 10),
            batch_size=2,
            lead_frames=16,
            crop_frames=80,
            n_steps=1500,
            learning_rate=1e-3,
            ema_decay=0.995,
        ),
    )
}
"""Recipes by name."""


def train_paper(
    recipe: PaperRecipe,
    examples: Source[Batch],
    run: Path,
    *,
    device: torch.device | str = "cpu",
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Train until the steps are done or the time is up; call it again to go on.

    Parameters
    ----------
    recipe : PaperRecipe
        How to train.
    examples : Source
        Batches.
    run : Path
        Folder of checkpoints.
    device : torch.device or str
        Where to compute.
    minutes : float, optional
        Most time of this call.
    say : callable
        Told of progress.

    Returns
    -------
    int
        Steps done.

    Raises
    ------
    InvalidInput
        If the folder holds the training of another recipe.
    """
    place = torch.device(device)
    torch.manual_seed(recipe.seed)
    net = PaperNet(recipe.size).to(place)
    average = AveragedWeights(net, recipe.ema_decay)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.learning_rate)
    step = 0
    if (found := checkpoint.latest(run)) is not None:
        state = checkpoint.load(found)
        check_stored(recipe, state["recipe"], found)
        net.load_state_dict(state["net"])
        average.load(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])

    def keep() -> None:
        state = {"net": net.state_dict(), "average": average.state(), "optimiser": optimiser.state_dict()}
        checkpoint.save(run, step, {"recipe": as_stored(recipe), "step": step, **state})

    start = kept = time.monotonic()
    while step < recipe.n_steps and (minutes is None or time.monotonic() - start < 60.0 * minutes):
        batch = examples.batch(step, recipe.batch_size)
        generator = torch.Generator(batch.mono.device).manual_seed(recipe.seed * 1_000_003 + step)
        optimiser.zero_grad(set_to_none=True)
        loss = noise_loss(net, batch, generator, autocast=recipe.autocast)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), recipe.clip_norm)
        optimiser.step()
        average.update(net)
        step += 1
        if step % 20 == 0:
            say(f"step {step}: noise {float(loss.detach()):.4g}")
        if time.monotonic() - kept > _KEEP_S:
            keep()
            kept = time.monotonic()
    keep()
    return step


def paper_net(run: Path, recipe: PaperRecipe) -> PaperNet:
    """Return the averaged weights of a training, on the CPU.

    Parameters
    ----------
    run : Path
        Its folder.
    recipe : PaperRecipe
        Its recipe.

    Returns
    -------
    PaperNet

    Raises
    ------
    InvalidInput
        If there is no checkpoint.
    """
    return with_weights(PaperNet(recipe.size), checkpoint.load_latest(run)["average"]["weights"])


def render_case(net: PaperNet, case: Case, seed: int = 0, *, autocast: bool = False) -> np.ndarray:
    """Render an example of the evaluation set.

    Parameters
    ----------
    net : PaperNet
        The network.
    case : Case
        The example.
    seed : int
        Of the noise.
    autocast : bool
        Whether the network computes in bfloat16, as it was trained.

    Returns
    -------
    ndarray, float32, shape (2, n_samples)
        At the level that the sound has at its mean distance: the network's own is relative.
    """
    n_frames = -(-len(case.mono) // HOP)
    times = np.arange(n_frames + 1) * (HOP / SAMPLE_RATE_HZ)
    unit, distance_m = SourcePath.from_source(case.trajectory.sources[0]).sample(times)
    speed = radial_velocity_m_s(unit, distance_m, SAMPLE_RATE_HZ / HOP)
    nothing = np.zeros((n_frames, 2))
    room = case.room
    described = None if room is None else room_numbers(room.rt60_s, room.volume_m3, direct_to_reverberant_db(room))
    rows = condition_rows(source_numbers(unit[:-1], distance_m[:-1], speed, nothing, nothing + 1.0), described)
    mono = np.pad(case.mono, (0, n_frames * HOP - len(case.mono))).astype(np.float32)
    gain = np.interp(np.arange(len(mono)), np.arange(n_frames + 1) * HOP, 1.0 / distance_m)
    level = max(float(np.sqrt(np.mean((mono * gain) ** 2))), 1e-9)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        sound = sampled_waveform(
            net,
            torch.from_numpy(mono / np.float32(level))[None],
            torch.from_numpy(rows)[None],
            torch.Generator().manual_seed(seed),
        )
    return (sound[0].numpy() * level)[:, : len(case.mono)].astype(np.float32)
