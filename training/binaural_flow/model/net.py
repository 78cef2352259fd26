"""The network: what is missing from a prior, told from the prior's past, the mono sound and where its source is.

A U-Net over frequency alone, whose blocks are those of ConvNeXt (Z. Liu and others: "A ConvNet for the 2020s",
CVPR 2022) with modulation by the condition (E. Perez and others: "FiLM", AAAI 2018). Four things are its own:

- Time is never reduced, and convolutions over it look back with growing dilation: reverberation is memory.
- A block divides by the size of what it sees in each band and frame, and gives that size back. So twice the
  sound makes twice the residual, and loud frames do not drown what follows them.
- Reverberation is for the most part noise that is different at each ear. The noise that the flow begins with is led
  past the blocks, which only tell how much of it is wanted in each band and frame.
- Its last layers begin at zero: an untrained network adds nothing to the prior. And where the prior lacks nothing,
  which is in free field with the listener's own responses, a trained one adds nothing either: the residual is
  multiplied by whether there is something to add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.condition import N_CONDITION, SLICES
from foleyspace_host.diffusion.features import N_BINS, N_MAPS
from foleyspace_host.diffusion.sampler import SIGMA

__all__ = ["FlowNet", "NetSize", "known_share"]

_N_OUT = 4
_N_EARS = 2
_TIME_WAVES = 8
_RESIDUAL = 0.05  # mean power of a part of the residual over the square of the reach, as in rooms of the training
_QUICK = 30.0  # a number that begins at zero and shall soon be one
_FLOOR = 0.02  # size below which a block's share fades out: 68 dB below the level of the sound


@dataclass(frozen=True, slots=True)
class NetSize:
    """How large a network is.

    Parameters
    ----------
    patch : int
        Bins that are one band of the network.
    channels : tuple of 3 ints
        Channels at full, half and quarter resolution over frequency.
    blocks : tuple of 5 ints
        Blocks on the way down (two levels), at the bottom, and on the way up.
    expansion : int
        Factor of the channels inside a block.
    n_condition : int
        Channels of what the blocks are told.
    """

    patch: int = 4
    channels: tuple[int, int, int] = (64, 128, 192)
    blocks: tuple[int, int, int, int, int] = (2, 2, 3, 2, 2)
    expansion: int = 2
    n_condition: int = 64

    def dilations(self) -> list[int]:
        """Return the dilation of each block over time; the first and the last look one frame ahead."""
        inner = sum(self.blocks) - 2
        return [1, *[1 << k for k in range(1, 6)][:inner], *[1] * max(inner - 5, 0), 1]

    @property
    def look_ahead(self) -> int:
        """Frames ahead that the network sees."""
        return 2

    @property
    def memory(self) -> int:
        """Frames back that the network sees."""
        return 2 * sum(self.dilations()[1:-1]) + 2


class Block(nn.Module):
    """One residual block."""

    def __init__(self, channels: int, size: NetSize, dilation: int, *, centred: bool) -> None:
        super().__init__()
        self.pad = (1, 1) if centred else (2 * dilation, 0)
        self.look = nn.Conv2d(channels, channels, 3, padding=(1, 0), dilation=(1, dilation), groups=channels)
        self.film = nn.Conv1d(size.n_condition, 2 * channels, 1)
        self.widen = nn.Conv2d(channels, size.expansion * channels, 1)
        self.narrow = nn.Conv2d(size.expansion * channels, channels, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Add to x, shape (batch, channels, bands, frames), told (batch, n_condition, frames)."""
        seen = self.look(nn.functional.pad(x, self.pad))
        scale = (seen.square().mean(1, keepdim=True) + _FLOOR**2).sqrt()
        gain, shift = self.film(told).unsqueeze(2).chunk(2, dim=1)
        seen = seen / scale * (1.0 + gain) + shift
        return x + scale * self.narrow(nn.functional.silu(self.widen(seen)))


def known_share(t: Tensor) -> Tensor:
    """Return what is known of the residual on the way, as a factor on how far the flow is from the prior.

    On the way there is t times the residual, and noise: this is the linear estimate with the least error (T. Karras and
    others: "Elucidating the design space of diffusion-based generative models", NeurIPS 2022, give their networks such
    a path too). The network is left what is not plain to see.

    Parameters
    ----------
    t : Tensor, shape (batch,)
        Flow time.

    Returns
    -------
    Tensor, shape (batch,)
        t R / (t^2 R + (1 - t)^2 N) for the mean powers R of residuals and N of the noise, re the reach.
    """
    return t * _RESIDUAL / _power_on_the_way(t)


def _power_on_the_way(t: Tensor) -> Tensor:
    """Return the mean power of how far the flow is from the prior, re the reach."""
    return t.square() * _RESIDUAL + (1.0 - t).square() * (0.5 * SIGMA**2)


def _lacking(condition: Tensor) -> Tensor:
    """Return 1 where the prior lacks something and 0 elsewhere, shape (batch, 1, 1, frames)."""
    signs = [condition[:, :, SLICES["room"].stop - 1], condition[:, :, SLICES["extent"].start]]
    told = torch.stack([*signs, condition[:, :, SLICES["sparse"].start]]).abs().amax(dim=0)
    return (told > 0.0).to(condition.dtype)[:, None, None, :]


class FlowNet(nn.Module):
    """The network.

    Parameters
    ----------
    size : NetSize
        How large it is.
    """

    def __init__(self, size: NetSize) -> None:
        super().__init__()
        self.size = size
        one, two, three = size.channels
        bands = N_BINS // size.patch
        self.tell = nn.Sequential(
            nn.Conv1d(N_CONDITION + 2 * _TIME_WAVES, size.n_condition, 1),
            nn.SiLU(),
            nn.Conv1d(size.n_condition, size.n_condition, 1),
            nn.SiLU(),
        )
        self.enter = nn.Conv2d(N_MAPS * size.patch, one, 1)
        self.place = nn.ParameterList(
            nn.Parameter(torch.zeros(1, width, bands >> level, 1)) for level, width in enumerate(size.channels)
        )
        dilations = iter(size.dilations())
        total, made = sum(size.blocks), 0
        stages = []
        for width, count in zip((one, two, three, two, one), size.blocks, strict=True):
            stage = []
            for _ in range(count):
                stage.append(Block(width, size, next(dilations), centred=made in (0, total - 1)))
                made += 1
            stages.append(nn.ModuleList(stage))
        self.stages = nn.ModuleList(stages)
        self.down = nn.ModuleList(
            nn.Conv2d(high, low, (2, 1), stride=(2, 1)) for high, low in ((one, two), (two, three))
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(low, high, (2, 1), stride=(2, 1)) for low, high in ((three, two), (two, one))
        )
        self.leave = nn.Conv2d(one, _N_OUT * size.patch, 1)
        self.shape = nn.Conv2d(one, _N_EARS * _N_EARS, 1)
        for weight in [*self.leave.parameters(), *self.shape.parameters()]:
            nn.init.zeros_(weight)
        self.trust = nn.Parameter(torch.zeros(1))  # in what is known on the way, see `known_share`

    def forward(self, maps: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        """Predict the residual of the end point.

        Parameters
        ----------
        maps : Tensor, shape (batch, 11, 512, frames)
            Where the flow is, the prior (real and imaginary part of left and right each) and the mono sound, over
            their reach, and that; see `training.binaural_flow.model.spectra.shown`.
        condition : Tensor, shape (batch, frames, N_CONDITION)
            Rows of `foleyspace_host.diffusion.condition`.
        t : Tensor, shape (batch,)
            Flow time, 0 to 1.

        Returns
        -------
        Tensor, shape (batch, 4, 512, frames)
            End point less prior, over the reach.
        """
        told = self.tell(self._condition(condition, t))
        x = self.enter(self._patched(maps))
        kept = []
        for level in range(2):
            x = self._blocks(x + self.place[level], told, level)
            kept.append(x)
            x = self.down[level](x)
        x = self._blocks(x + self.place[2], told, 2)
        for level in range(2):
            x = self._blocks(self.up[level](x) + kept.pop(), told, 3 + level)
        away = maps[:, :4] - maps[:, 4:8]
        known = _QUICK * self.trust * known_share(t)[:, None, None, None] * away
        return (self._unpatched(self.leave(x)) + known + self._shaped(away, x, t)) * _lacking(condition)

    def _shaped(self, away: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Return how far the flow is from the prior with gains for each band and frame, from each ear to each."""
        gains = self.shape(x)[:, :, :, None]
        size = (_RESIDUAL / _power_on_the_way(t)).sqrt()[:, None, None, None]
        cut = (size * away).reshape(away.shape[0], _N_OUT, N_BINS // self.size.patch, self.size.patch, -1)
        left, right = cut[:, :2], cut[:, 2:]
        ears = [gains[:, ear : ear + 1] * left + gains[:, ear + 1 : ear + 2] * right for ear in (0, 2)]
        return torch.cat(ears, dim=1).reshape(away.shape)

    def _blocks(self, x: Tensor, told: Tensor, stage: int) -> Tensor:
        for block in self.stages[stage].children():
            x = block(x, told)
        return x

    def _condition(self, condition: Tensor, t: Tensor) -> Tensor:
        """Put sines and cosines of the flow time beside the rows, shape (batch, channels, frames)."""
        rate = torch.pi * 2.0 ** torch.arange(_TIME_WAVES, device=t.device, dtype=condition.dtype)
        phase = t.reshape(-1, 1, 1) * rate.reshape(1, 1, -1)
        waves = torch.cat([torch.sin(phase), torch.cos(phase)], dim=2) / math.sqrt(_TIME_WAVES)
        rows = torch.cat([condition, waves.expand(-1, condition.shape[1], -1)], dim=2)
        return rows.transpose(1, 2)

    def _patched(self, maps: Tensor) -> Tensor:
        patch = self.size.patch
        cut = maps.reshape(maps.shape[0], N_MAPS, N_BINS // patch, patch, -1)
        return cut.transpose(2, 3).reshape(maps.shape[0], N_MAPS * patch, N_BINS // patch, -1)

    def _unpatched(self, x: Tensor) -> Tensor:
        patch = self.size.patch
        cut = x.reshape(x.shape[0], _N_OUT, patch, N_BINS // patch, -1)
        return cut.transpose(2, 3).reshape(x.shape[0], _N_OUT, N_BINS, -1)
