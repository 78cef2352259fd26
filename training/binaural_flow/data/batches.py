"""The endless stream of training examples: every batch follows from a seed and its number alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from foleyspace_host.diffusion.condition import LISTENER_CODE
from training.binaural_flow.data.listeners import ListenerBank
from training.binaural_flow.data.paper import render_paper
from training.binaural_flow.data.presets import HOP, SAMPLE_RATE_HZ, Preset, Task
from training.binaural_flow.data.reflected import Surroundings
from training.binaural_flow.data.rooms import invent_room
from training.binaural_flow.data.scenarios import invent
from training.binaural_flow.data.sound_bank import SoundBank
from training.binaural_flow.data.synth import Example, Rendered, render_examples

__all__ = ["Batch", "Batches"]

_EXTENTS_DEG = (20.0, 150.0)
_LEAST_LEVEL = 1e-5


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples; all tensors on the device, at 48 kHz, with n_samples = n_frames * 256.

    Mono, prior and target of an example are divided by one number: the root mean square of its prior over both
    ears and all samples.

    Parameters
    ----------
    mono : torch.Tensor, float32, shape (n, n_samples)
        The sound; silence comes before it.
    prior, target : torch.Tensor, float32, shape (n, 2, n_samples)
        What the renderer makes of it in free field, and what it shall become.
    condition : torch.Tensor, float32, shape (n, n_frames, N_CONDITION)
        Rows of `foleyspace_host.diffusion.condition`; frame k is centred at sample 256 k.
    task : torch.Tensor, int64, shape (n,)
        A `Task` each.
    lead_frames : int
        Frames at the beginning that are context and carry no loss.
    """

    mono: torch.Tensor
    prior: torch.Tensor
    target: torch.Tensor
    condition: torch.Tensor
    task: torch.Tensor
    lead_frames: int


class Batches:
    """Makes batches.

    Parameters
    ----------
    bank : ListenerBank
        Heads.
    sounds : SoundBank
        Sounds, on the same device.
    preset : Preset
        What the examples are.
    seed : int
        Of everything.
    held_out : bool
        Whether the heads are those that are held out for validation, instead of the others.
    """

    def __init__(
        self, bank: ListenerBank, sounds: SoundBank, preset: Preset, seed: int, *, held_out: bool = False
    ) -> None:
        self._bank, self._sounds, self.preset = bank, sounds, preset
        self._seed = seed
        self._heads = bank.heads_that(held_out=held_out)
        self._surroundings = Surroundings(bank)

    @property
    def device(self) -> torch.device:
        """Where batches are made."""
        return self._bank.device

    def batch(self, number: int, size: int) -> Batch:
        """Return batch number 0, 1, ... of so many examples; always the same."""
        tasks, examples = self.examples(number, size)
        rendered = self.render(examples, number)
        level = rendered.prior.square().mean(dim=(1, 2)).sqrt().clamp(min=_LEAST_LEVEL)
        return Batch(
            mono=rendered.mono / level[:, None],
            prior=rendered.prior / level[:, None, None],
            target=rendered.target / level[:, None, None],
            condition=rendered.condition,
            task=torch.tensor([int(task) for task in tasks], device=self._bank.device),
            lead_frames=self.preset.lead_frames,
        )

    def examples(self, number: int, size: int) -> tuple[list[Task], list[Example]]:
        """Return what batch number 0, 1, ... is made of."""
        # as even as the size allows, in random order: a batch without a task would make its loss jump
        tasks = _stratified(np.random.default_rng((self._seed, number)), self.preset.tasks, size)
        rows = [np.random.default_rng((self._seed, number, row)) for row in range(size)]
        return tasks, [self._example(rng, task) for rng, task in zip(rows, tasks, strict=True)]

    def render(self, examples: Sequence[Example], number: int) -> Rendered:
        """Render the examples of batch `number`, at the levels of the physical law of distance."""
        if self.preset.method == "paper":
            rng = np.random.default_rng((self._seed, number, 0, 0))
            return render_paper(examples, self._bank, self._surroundings, rng)
        return render_examples(examples, self._bank, self._surroundings)

    def stream(self, size: int, start: int = 0) -> Iterator[Batch]:
        """Yield batches number start, start + 1, ... without end."""
        while True:
            yield self.batch(start, size)
            start += 1

    def _example(self, rng: np.random.Generator, task: Task) -> Example:
        preset = self.preset
        head = int(rng.choice(self._heads))
        own = self._bank.own[head]
        sparse = task in (Task.SPARSE, Task.SPARSE_ROOM)
        heard = self._bank.thin[head][int(rng.integers(len(self._bank.thin[head])))] if sparse else own
        names = list(preset.scenarios)
        scenario = str(rng.choice(names, p=np.array(list(preset.scenarios.values()))))
        duration_s = preset.n_frames * HOP / SAMPLE_RATE_HZ
        in_room = task in (Task.ROOM, Task.SPARSE_ROOM)
        return Example(
            sound=self._sounds.crop(rng, preset.n_samples),
            source=invent(scenario, rng, duration_s, preset.distances_m),
            heard=heard,
            own=own,
            room=invent_room(rng, reflections=preset.reflections) if in_room else None,
            extent_deg=float(rng.uniform(*_EXTENTS_DEG)) if task == Task.EXTENT else 0.0,
            code=LISTENER_CODE if rng.random() < preset.unknown_code else heard.code,
        )


def _stratified(rng: np.random.Generator, shares: dict[Task, float], size: int) -> list[Task]:
    edges = np.cumsum(list(shares.values()))
    at = (np.arange(size) + rng.random()) / size * edges[-1]
    tasks = list(shares)
    chosen = [tasks[min(int(index), len(tasks) - 1)] for index in np.searchsorted(edges, at, side="right")]
    return [chosen[int(index)] for index in rng.permutation(size)]
