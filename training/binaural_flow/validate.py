"""A quick look at held-out examples while a model learns, to see whether it is nearer to the target than the prior."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.features import N_FFT
from training.binaural_flow.data.batches import Batch
from training.binaural_flow.data.presets import HOP, Task
from training.binaural_flow.model.flow import sampled
from training.binaural_flow.model.losses import coherence_error, multi_resolution

__all__ = ["validated"]

_DRAFT, _FINE = 1, 4


def validated(net: nn.Module, batches: Iterable[Batch]) -> dict[str, dict[str, float]]:
    """Compare prior, draft and fine with the targets.

    Parameters
    ----------
    net : nn.Module
        `FlowNet`.
    batches : iterable of Batch
        Held-out examples.

    Returns
    -------
    dict of str to dict of str to float
        For each task: mean multi-resolution error of the prior, the draft and the fine rendering, their error of
        the correlation between the ears, and the mean square of the error of the waveform, times 1000.
    """
    net.eval()
    sums: dict[str, dict[str, float]] = {}
    counts: dict[str, int] = {}
    for number, batch in enumerate(batches):
        found = {"prior": batch.prior}
        for name, n_steps in (("draft", _DRAFT), ("fine", _FINE)):
            noise = torch.Generator(batch.mono.device).manual_seed(number)
            found[name] = sampled(net, batch, n_steps, noise)
        for row, task in enumerate(batch.task.tolist()):
            name = Task(task).name.lower()
            into = sums.setdefault(name, {})
            counts[name] = counts.get(name, 0) + 1
            for kind, sound in found.items():
                given, true = _cut(sound[row], batch.lead_frames), _cut(batch.target[row], batch.lead_frames)
                errors = {
                    "mrstft": multi_resolution(given, true),
                    "iacc": coherence_error(given[None], true[None]),
                    "wave": 1000.0 * (given - true).square().mean(),
                }
                for measure, value in errors.items():
                    into[f"{measure}_{kind}"] = into.get(f"{measure}_{kind}", 0.0) + float(value)
    net.train()
    return {name: {key: value / counts[name] for key, value in row.items()} for name, row in sorted(sums.items())}


def _cut(sound: Tensor, lead_frames: int) -> Tensor:
    return sound[:, lead_frames * HOP : -N_FFT]
