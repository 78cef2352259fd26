"""Flow matching from a prior to its target: examples on the way, and the way itself.

The way begins at the prior b with a little noise on it and ends at the target y, on a straight line: x_t = t y +
(1 - t)(b + sigma s e), where s is how far the sound reaches (`foleyspace_host.diffusion.reach`). A network that
predicts the residual r = y - b of the end point gives the velocity (b + r - x_t) / (1 - t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.sampler import SIGMA, flow_times
from training.binaural_flow.model.losses import Losses, total_loss
from training.binaural_flow.model.spectra import compressed, expanded, reach, shown, spectra, waveforms

if TYPE_CHECKING:
    from training.binaural_flow.data.batches import Batch

__all__ = ["Prepared", "batch_loss", "flow_time", "prepared", "sampled"]

_LAST = 0.8  # a little later than the last of four steps
_AT_THE_START = 0.5  # share of the examples at t = 0: the whole of the draft, and the first of four steps


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch as the network sees it, at a common level.

    Parameters
    ----------
    prior, target : Tensor, shape (batch, 4, N_BINS, frames)
        Compressed spectra of both ears.
    mono : Tensor, shape (batch, 2, N_BINS, frames)
        Compressed spectrum of the mono sound.
    nyquist : Tensor, complex64, shape (batch, 2, 1, frames)
        Highest bin of the prior, which the result keeps.
    target_spectrum : Tensor, complex64, shape (batch, 2, N_BINS + 1, frames)
        Spectrum of the target.
    level : Tensor, shape (batch,)
        What the sounds were divided by.
    reach : Tensor, shape (batch, 1, N_BINS, frames)
        Level in proportion to which the network sees and answers.
    """

    prior: Tensor
    target: Tensor
    mono: Tensor
    nyquist: Tensor
    target_spectrum: Tensor
    level: Tensor
    reach: Tensor


def prepared(batch: Batch) -> Prepared:
    """Take a batch to the common level and to spectra.

    Parameters
    ----------
    batch : Batch
        Sounds.

    Returns
    -------
    Prepared
    """
    level = batch.prior.square().mean(dim=(1, 2)).sqrt().clamp_min(1e-6)
    prior = spectra(batch.prior / level[:, None, None])
    target = spectra(batch.target / level[:, None, None])
    mono = spectra(batch.mono[:, None] / level[:, None, None])
    maps, mono_maps = compressed(prior), compressed(mono)
    return Prepared(maps, compressed(target), mono_maps, prior[:, :, -1:], target, level, reach(maps, mono_maps))


def flow_time(count: int, generator: torch.Generator) -> Tensor:
    """Draw flow times: half of them 0, the others even between 0 and 0.8.

    Parameters
    ----------
    count : int
        How many.
    generator : torch.Generator
        Where they come from.

    Returns
    -------
    Tensor, shape (count,)
    """
    start = torch.rand(count, generator=generator) < _AT_THE_START
    return torch.where(start, 0.0, _LAST * torch.rand(count, generator=generator))


def noise_like(maps: Tensor, generator: torch.Generator) -> Tensor:
    """Return complex noise of power 1 in each bin, shape of `maps`."""
    return torch.randn(maps.shape, generator=generator, device=generator.device).to(maps.device) * 0.5**0.5


def batch_loss(net: nn.Module, batch: Batch, t: Tensor, generator: torch.Generator, *, autocast: bool) -> Losses:
    """Compute the losses of a batch.

    Parameters
    ----------
    net : nn.Module
        `FlowNet`.
    batch : Batch
        Sounds.
    t : Tensor, shape (batch,)
        Flow times.
    generator : torch.Generator
        Noise; on the device of the batch.
    autocast : bool
        Whether the network computes in bfloat16.

    Returns
    -------
    Losses
    """
    with torch.no_grad():
        made = prepared(batch)
        time = t.to(made.prior.device)
        part = time.reshape(-1, 1, 1, 1)
        start = made.prior + SIGMA * made.reach * noise_like(made.prior, generator)
        maps = shown(part * made.target + (1.0 - part) * start, made.prior, made.mono, made.reach)
    with torch.autocast(maps.device.type, dtype=torch.bfloat16, enabled=autocast):
        residual = net(maps, batch.condition, time)
    kept = slice(batch.lead_frames, None)
    end = made.prior[..., kept] + residual[..., kept].float() * made.reach[..., kept]
    found = expanded(end, made.nyquist[..., kept])
    return total_loss(end, made.target[..., kept], made.target_spectrum[..., kept], found, time)


@torch.no_grad()
def sampled(net: nn.Module, batch: Batch, n_steps: int, generator: torch.Generator) -> Tensor:
    """Render a batch with the network.

    Parameters
    ----------
    net : nn.Module
        `FlowNet`.
    batch : Batch
        Sounds; the target is not looked at.
    n_steps : int
        Evaluations.
    generator : torch.Generator
        Noise; on the device of the batch.

    Returns
    -------
    Tensor, shape (batch, 2, n_samples)
        At the level of the batch.
    """
    made = prepared(batch)
    x = made.prior + SIGMA * made.reach * noise_like(made.prior, generator)
    for t, step in flow_times(n_steps):
        time = torch.full((len(x),), t, device=x.device)
        end = made.prior + made.reach * net(shown(x, made.prior, made.mono, made.reach), batch.condition, time)
        x = x + step / (1.0 - t) * (end - x)
    return waveforms(expanded(x, made.nyquist)) * made.level[:, None, None]
