"""The network: from noise of the right loudness and colour to a sound of a class, a step of the flow at a time.

Its blocks and its shape are those of the binaural model. Input and output are scaled by what is known of the flow (T.
Karras and others: "Elucidating the design space of diffusion-based generative models", NeurIPS 2022), so that at every
flow time the blocks see, and are asked for, numbers of about 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.features import N_BINS
from foleyspace_host.generate.embedded.condition import N_CONDITION, N_FOLEY_MAPS
from training.binaural_flow.model.net import Block, NetSize

__all__ = ["FoleyNet", "scales"]

_N_OUT = 2
_TIME_WAVES = 6


def scales(t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return how a network is preconditioned at a flow time, where sound and noise both have power 1.

    Parameters
    ----------
    t : Tensor, shape (batch,)
        Flow time, 0 (noise) to 1 (sound).

    Returns
    -------
    tuple of 3 Tensors, shape (batch, 1, 1, 1)
        Factors on the input; on the input where it is led past the network; on the network's answer.
    """
    size = (t.square() + (1.0 - t).square()).sqrt()
    return tuple(one.reshape(-1, 1, 1, 1) for one in (1.0 / size, t / size.square(), (1.0 - t) / size))  # type: ignore[return-value]


class FoleyNet(nn.Module):
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
        self.enter = nn.Conv2d(N_FOLEY_MAPS * size.patch, one, 1)
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
        for weight in self.leave.parameters():
            nn.init.zeros_(weight)

    def forward(self, maps: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        """Predict the end point.

        Parameters
        ----------
        maps : Tensor, shape (batch, 3, 512, frames)
            Where the flow is (real and imaginary part, over the level), and that level as the network sees it.
        condition : Tensor, shape (batch, frames, N_CONDITION)
            Rows of `foleyspace_host.generate.embedded.condition`.
        t : Tensor, shape (batch,)
            Flow time, 0 to 1.

        Returns
        -------
        Tensor, shape (batch, 2, 512, frames)
            End point over the level.
        """
        shown, past, asked = scales(t)
        told = self.tell(self._told(condition, t))
        place = maps[:, :_N_OUT]
        x = self.enter(self._patched(torch.cat([shown * place, maps[:, _N_OUT:]], dim=1)))
        kept = []
        for level in range(2):
            x = self._blocks(x + self.place[level], told, level)
            kept.append(x)
            x = self.down[level](x)
        x = self._blocks(x + self.place[2], told, 2)
        for level in range(2):
            x = self._blocks(self.up[level](x) + kept.pop(), told, 3 + level)
        return past * place + asked * self._unpatched(self.leave(x))

    def _blocks(self, x: Tensor, told: Tensor, stage: int) -> Tensor:
        for block in self.stages[stage].children():
            x = block(x, told)
        return x

    def _told(self, condition: Tensor, t: Tensor) -> Tensor:
        """Put sines and cosines of the flow time beside the rows, shape (batch, channels, frames)."""
        rate = torch.pi * 2.0 ** torch.arange(_TIME_WAVES, device=t.device, dtype=condition.dtype)
        phase = t.reshape(-1, 1, 1) * rate.reshape(1, 1, -1)
        waves = torch.cat([torch.sin(phase), torch.cos(phase)], dim=2) / math.sqrt(_TIME_WAVES)
        return torch.cat([condition, waves.expand(-1, condition.shape[1], -1)], dim=2).transpose(1, 2)

    def _patched(self, maps: Tensor) -> Tensor:
        patch = self.size.patch
        cut = maps.reshape(maps.shape[0], N_FOLEY_MAPS, N_BINS // patch, patch, -1)
        return cut.transpose(2, 3).reshape(maps.shape[0], N_FOLEY_MAPS * patch, N_BINS // patch, -1)

    def _unpatched(self, x: Tensor) -> Tensor:
        patch = self.size.patch
        cut = x.reshape(x.shape[0], _N_OUT, patch, N_BINS // patch, -1)
        return cut.transpose(2, 3).reshape(x.shape[0], _N_OUT, N_BINS, -1)
