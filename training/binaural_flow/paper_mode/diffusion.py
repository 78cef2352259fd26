"""Denoising diffusion on waveforms: noise levels, the loss, and sampling in few steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.features import HOP
from training.binaural_flow.data.batches import Batch
from training.binaural_flow.paper_mode.net import positions

__all__ = ["FEW_STEPS", "LEVELS", "noise_loss", "sampled_waveform"]

FEW_STEPS = (1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5)
"""Variances of the noise that six steps take away (Chen and others: "WaveGrad", and DiffWave's fast sampling)."""

_BETAS = torch.linspace(1e-4, 0.02, 200)

LEVELS = (1.0 - _BETAS).cumprod(0).sqrt()
"""Share of the sound in the amplitude after each of 200 steps of noise."""

_PEAK = 4.0  # sounds are scaled so that their rms is a quarter of the noise's


def noise_loss(net: nn.Module, batch: Batch, generator: torch.Generator, *, autocast: bool) -> Tensor:
    """Return the mean square error of predicted noise at random levels.

    Parameters
    ----------
    net : nn.Module
        `PaperNet`.
    batch : Batch
        Examples; the prior is not looked at.
    generator : torch.Generator
        Noise and levels; on the device of the batch.
    autocast : bool
        Whether the network computes in bfloat16.

    Returns
    -------
    Tensor, shape ()
    """
    sound = batch.target / _PEAK
    device = sound.device
    drawn = torch.randint(len(LEVELS), (len(sound),), generator=generator, device=device)
    # levels between the steps, as WaveGrad draws them
    table = torch.cat([torch.ones(1), LEVELS]).to(device)
    part = torch.rand(len(sound), generator=generator, device=device)
    level = part * table[drawn] + (1.0 - part) * table[drawn + 1]
    noise = torch.randn(sound.shape, generator=generator, device=device)
    share = level[:, None, None]
    noisy = share * sound + (1.0 - share.square()).sqrt() * noise
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
        found = net(noisy, batch.mono / _PEAK, positions(batch.condition), level)
    kept = batch.lead_frames * HOP
    error: Tensor = (found.float() - noise)[..., kept:].square().mean()
    return error


@torch.no_grad()
def sampled_waveform(net: nn.Module, mono: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
    """Render sounds.

    Parameters
    ----------
    net : nn.Module
        `PaperNet`.
    mono : Tensor, shape (batch, n_samples)
        Mono sounds at the level of a batch.
    condition : Tensor, shape (batch, frames, N_CONDITION)
        Rows.
    generator : torch.Generator
        Noise; on the device of the sounds.

    Returns
    -------
    Tensor, shape (batch, 2, n_samples)
    """
    betas = torch.tensor(FEW_STEPS, device=mono.device)
    alphas = 1.0 - betas
    through = alphas.cumprod(0)
    place = positions(condition)
    shape = (len(mono), 2, mono.shape[1])
    x = torch.randn(shape, generator=generator, device=mono.device)
    for step in reversed(range(len(betas))):
        level = through[step].sqrt().repeat(len(mono))
        noise = net(x, mono / _PEAK, place, level).float()
        x = (x - betas[step] / (1.0 - through[step]).sqrt() * noise) / alphas[step].sqrt()
        if step:
            spread = ((1.0 - through[step - 1]) / (1.0 - through[step]) * betas[step]).sqrt()
            x = x + spread * torch.randn(shape, generator=generator, device=mono.device)
    return x * _PEAK
