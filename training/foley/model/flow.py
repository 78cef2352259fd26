"""Flow matching from noise to the bands of sounds (Y. Lipman and others, ICLR 2023).

The way begins at noise e and ends at the bands y, both of about mean 0 and power 1, on a straight line: x_t = t y + (1
- t) e. The network says its velocity, y - e. Now and then it is not told what the sound is like, so that later it can
be led away from that (J. Ho, T. Salimans: "Classifier-free diffusion guidance", 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foleyspace_host.generate.embedded.condition import N_LIKENESS

__all__ = ["FoleyBatch", "batch_loss", "sampled"]

_UNTOLD = 0.15


@dataclass(frozen=True, slots=True)
class FoleyBatch:
    """Examples.

    Parameters
    ----------
    bands : Tensor, shape (batch, N_BANDS, n_frames)
        Bands, less the portrait's mean, over its spread.
    shown : Tensor, shape (batch, N_SHOWN, n_frames)
        The portrait, see `embedded.portrait.shown`.
    condition : Tensor, shape (batch, n_frames, N_CONDITION)
        Rows of `embedded.condition`.
    heard : Tensor, shape (batch, n_frames)
        1 where there is sound that counts, else 0.
    """

    bands: Tensor
    shown: Tensor
    condition: Tensor
    heard: Tensor


def batch_loss(
    net: nn.Module, batch: FoleyBatch, t: Tensor, generator: torch.Generator, *, tell_all: bool = False, autocast: bool
) -> Tensor:
    """Compute the mean squared error of the velocity where there is sound.

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
    tell_all : bool
        Whether the network is told of every sound what it is like.
    autocast : bool
        Whether the network computes in bfloat16.

    Returns
    -------
    Tensor, shape ()
        2 for a network that knows nothing.
    """
    device = batch.bands.device
    noise = torch.randn(batch.bands.shape, generator=generator, device=device)
    part = t.to(device).reshape(-1, 1, 1)
    condition = batch.condition.clone()
    untold = torch.rand(len(batch.bands), generator=generator, device=device) < _UNTOLD
    if not tell_all:
        condition[untold, :, :N_LIKENESS] = 0.0
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
        velocity = net(part * batch.bands + (1.0 - part) * noise, batch.shown, condition, t.to(device))
    error = (velocity.float() - (batch.bands - noise)).square().mean(dim=1) * batch.heard
    return error.sum() / batch.heard.sum().clamp_min(1.0)


@torch.no_grad()
def sampled(
    net: nn.Module,
    shown: Tensor,
    condition: Tensor,
    n_steps: int,
    generator: torch.Generator,
    guidance: float = 2.0,
) -> Tensor:
    """Make bands, as `foleyspace_host.generate.embedded.sampler` does.

    Parameters
    ----------
    net : nn.Module
        `FoleyNet`.
    shown, condition : Tensor
        As of a `FoleyBatch`.
    n_steps : int
        Steps.
    generator : torch.Generator
        Noise; on the device of `condition`.
    guidance : float
        Strength with which what is told is followed, 1 or more.

    Returns
    -------
    Tensor, shape (batch, N_BANDS, n_frames)
        Bands, less the portrait's mean, over its spread.
    """
    from foleyspace_host.generate.embedded.bands import N_BANDS

    untold = condition.clone()
    untold[..., :N_LIKENESS] = 0.0
    size = len(condition)
    x = torch.randn((size, N_BANDS, condition.shape[1]), generator=generator, device=condition.device)
    for step in range(n_steps):
        time = torch.full((2 * size,), step / n_steps, device=x.device)
        told, free = (
            net(torch.cat([x, x]), torch.cat([shown, shown]), torch.cat([condition, untold]), time).float().chunk(2)
        )
        x = x + (free + guidance * (told - free)) / n_steps
    return x
