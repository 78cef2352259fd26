"""Flow matching from coloured noise to sounds, with guidance learnt by the network itself.

The way begins at noise e and ends at the sound y, both in proportion to the level of `embedded.condition.begin`, on a
straight line: x_t = t y + (1 - t) e. The network predicts y. With guidance of strength w the wanted answer is y +
(w - 1)(y_c - y_n), where y_c and y_n are what the averaged network itself answers with and without the class (Z. Tang
and others: "Diffusion models without classifier-free guidance", 2025): so one evaluation a step is enough later.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.sampler import flow_times
from foleyspace_host.generate.classes import NAMES
from training.binaural_flow.model.spectra import compressed, expanded, spectra, waveforms

__all__ = ["GUIDANCE_RANGE", "FoleyBatch", "Losses", "batch_loss", "sampled", "shown", "told"]

GUIDANCE_RANGE = 3.0
"""Strengths of guidance go from 1 to 1 more than this."""

_WITHOUT_CLASS = 0.1
_LARGEST_ERROR = 3.0  # of a single number of the end point, beyond which errors count in proportion, not squared


@dataclass(frozen=True, slots=True)
class FoleyBatch:
    """Examples.

    Parameters
    ----------
    sound : Tensor, shape (batch, n_frames * HOP)
        Sounds at 48 kHz.
    level : Tensor, shape (batch, N_BINS, n_frames)
        Level of each bin and frame, see `embedded.condition.begin`.
    condition : Tensor, shape (batch, n_frames, N_CONDITION)
        Rows with guidance of strength 1.
    lead_frames : int
        Frames at the beginning that carry no loss.
    """

    sound: Tensor
    level: Tensor
    condition: Tensor
    lead_frames: int


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of a batch.

    Parameters
    ----------
    end_point, total : Tensor, shape ()
        Error of the end point over what the network is asked for, in units of its power; what is minimised.
    """

    end_point: Tensor
    total: Tensor

    def numbers(self) -> dict[str, float]:
        """Return all of them as plain numbers."""
        return {"end_point": float(self.end_point.detach())}


def shown(place: Tensor, level: Tensor) -> Tensor:
    """Return the maps that the network is shown: where the flow is, shape (batch, 2, N_BINS, n), and the level."""
    return torch.cat([place, (level.log()[:, None] + 1.5) / 2.0], dim=1)


def told(condition: Tensor, strength: Tensor | float, *, classless: Tensor | None = None) -> Tensor:
    """Return rows with guidance of a strength, and without a class where `classless` (batch,) says so."""
    rows = condition.clone()
    rows[..., -1] = (torch.as_tensor(strength, device=rows.device).reshape(-1, 1) - 1.0) / GUIDANCE_RANGE
    if classless is not None:
        rows[classless, :, : len(NAMES)] = 0.0
    return rows


def batch_loss(
    net: nn.Module,
    batch: FoleyBatch,
    t: Tensor,
    generator: torch.Generator,
    *,
    teacher: nn.Module | None,
    autocast: bool,
) -> Losses:
    """Compute the losses of a batch.

    Parameters
    ----------
    net : nn.Module
        `FoleyNet`.
    batch : FoleyBatch
        Examples.
    t : Tensor, shape (batch,)
        Flow times.
    generator : torch.Generator
        Noise and choices; on the device of the batch.
    teacher : nn.Module, optional
        The averaged network, from which guidance is learnt; none for a network that is not asked for any yet.
    autocast : bool
        Whether the network computes in bfloat16.

    Returns
    -------
    Losses
    """
    device = batch.sound.device
    with torch.no_grad():
        size = len(batch.sound)
        end = compressed(spectra(batch.sound[:, None])) / batch.level[:, None]
        noise = torch.randn(end.shape, generator=generator, device=device) * 0.5**0.5
        time = t.to(device)
        part = time.reshape(-1, 1, 1, 1)
        maps = shown(part * end + (1.0 - part) * noise, batch.level)
        draw = torch.rand(2, size, generator=generator, device=device)
        classless = draw[0] < _WITHOUT_CLASS
        strength = torch.where(classless, 1.0, 1.0 + GUIDANCE_RANGE * draw[1])
        if teacher is None:
            strength = torch.ones_like(strength)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
            if teacher is not None:
                plain = told(batch.condition, 1.0)
                without = told(batch.condition, 1.0, classless=torch.ones_like(classless))
                away = teacher(maps, plain, time).float() - teacher(maps, without, time).float()
                end = end + (strength - 1.0).reshape(-1, 1, 1, 1) * away
        rows = told(batch.condition, strength, classless=classless)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
        answer = net(maps, rows, time)
    # in units of what is asked of the network, see `net.scales`: every flow time counts the same
    asked = ((1.0 - time) / (time.square() + (1.0 - time).square()).sqrt()).clamp_min(0.05).reshape(-1, 1, 1, 1)
    kept = slice(batch.lead_frames, None)
    error = (answer[..., kept].float() - end[..., kept]) / asked
    loss = nn.functional.huber_loss(error, torch.zeros_like(error), delta=_LARGEST_ERROR) * 4.0
    return Losses(loss, loss)


@torch.no_grad()
def sampled(
    net: nn.Module, level: Tensor, condition: Tensor, n_steps: int, generator: torch.Generator, guidance: float = 2.0
) -> Tensor:
    """Make sounds.

    Parameters
    ----------
    net : nn.Module
        `FoleyNet`.
    level, condition : Tensor
        As of a `FoleyBatch`.
    n_steps : int
        Evaluations.
    generator : torch.Generator
        Noise; on the device of `level`.
    guidance : float
        Its strength, 1 to 4.

    Returns
    -------
    Tensor, shape (batch, n_frames * HOP)
    """
    rows = told(condition, guidance)
    x = torch.randn((len(level), 2, *level.shape[1:]), generator=generator, device=level.device) * 0.5**0.5
    for t, step in flow_times(n_steps):
        time = torch.full((len(x),), t, device=x.device)
        end = net(shown(x, level), rows, time)
        x = x + step / (1.0 - t) * (end - x)
    maps = x * level[:, None]
    nyquist = torch.zeros((len(x), 1, 1, x.shape[-1]), dtype=torch.complex64, device=x.device)
    return waveforms(expanded(maps, nyquist))[:, 0]
