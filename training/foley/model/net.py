"""The network: from noise to the bands of a sound of a class, a step of the flow at a time.

A frame is a vector of its bands, and time is the only axis of the convolutions, as in flow models of speech over mel
spectra (M. Le and others: "Voicebox", NeurIPS 2023; the blocks are those of Z. Liu and others: "A ConvNet for the
2020s", CVPR 2022, with a dense convolution over time, which a processor computes faster than one by channel).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import N_CONDITION
from foleyspace_host.generate.embedded.portrait import N_SHOWN

__all__ = ["FoleyNet", "FoleySize"]

_TIME_WAVES = 6


@dataclass(frozen=True, slots=True)
class FoleySize:
    """How large a network is.

    Parameters
    ----------
    width : int
        Channels.
    dilations : tuple of int
        Distance of the three frames that each block looks at.
    widening : int
        Channels within a block in proportion to `width`.
    n_condition : int
        Channels in which it keeps what it is told.
    """

    width: int = 240
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1, 2, 4, 8, 16, 1, 2)
    widening: int = 2
    n_condition: int = 128

    @property
    def reach(self) -> int:
        """Frames before and after one that change what is answered for that one."""
        return sum(self.dilations)


class _Block(nn.Module):
    def __init__(self, size: FoleySize, dilation: int) -> None:
        super().__init__()
        width = size.width
        self.look = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.level = nn.LayerNorm(width, elementwise_affine=False)
        self.turn = nn.Linear(size.n_condition, 2 * width)
        self.widen = nn.Linear(width, size.widening * width)
        self.narrow = nn.Linear(size.widening * width, width)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Return `x` (batch, width, n) moved on, as `told` (batch, n, n_condition) says."""
        factor, offset = self.turn(told).chunk(2, dim=2)
        y = self.level(self.look(x).transpose(1, 2)) * (1.0 + factor) + offset
        moved: Tensor = self.narrow(nn.functional.gelu(self.widen(y)))
        return x + moved.transpose(1, 2)


class FoleyNet(nn.Module):
    """The network.

    Parameters
    ----------
    size : FoleySize
        How large it is.
    """

    def __init__(self, size: FoleySize) -> None:
        super().__init__()
        self.size = size
        self.tell = nn.Sequential(
            nn.Linear(N_CONDITION + 2 * _TIME_WAVES, size.n_condition),
            nn.SiLU(),
            nn.Linear(size.n_condition, size.n_condition),
            nn.SiLU(),
        )
        self.enter = nn.Conv1d(N_BANDS + N_SHOWN, size.width, 1)
        self.begin = nn.Linear(size.n_condition, size.width)
        self.blocks = nn.ModuleList(_Block(size, dilation) for dilation in size.dilations)
        self.level = nn.LayerNorm(size.width)
        self.leave = nn.Linear(size.width, N_BANDS)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, place: Tensor, shown: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        """Say where the flow goes.

        Parameters
        ----------
        place : Tensor, shape (batch, N_BANDS, frames)
            Where it is: bands, less the portrait's mean, over its spread.
        shown : Tensor, shape (batch, N_SHOWN, frames)
            The portrait, see `foleyspace_host.generate.embedded.portrait.shown`.
        condition : Tensor, shape (batch, frames, N_CONDITION)
            Rows of `foleyspace_host.generate.embedded.condition`.
        t : Tensor, shape (batch,)
            Flow time, 0 (noise) to 1 (sound).

        Returns
        -------
        Tensor, shape (batch, N_BANDS, frames)
            Its velocity: sound less noise.
        """
        told = self.tell(self._timed(condition, t))
        x = self.enter(torch.cat([place, shown], dim=1)) + self.begin(told).transpose(1, 2)
        for block in self.blocks:
            x = block(x, told)
        velocity: Tensor = self.leave(self.level(x.transpose(1, 2)))
        return velocity.transpose(1, 2)

    @staticmethod
    def _timed(condition: Tensor, t: Tensor) -> Tensor:
        """Put sines and cosines of the flow time beside the rows."""
        rate = torch.pi * 2.0 ** torch.arange(_TIME_WAVES, device=t.device, dtype=condition.dtype)
        phase = t.reshape(-1, 1, 1) * rate.reshape(1, 1, -1)
        waves = torch.cat([torch.sin(phase), torch.cos(phase)], dim=2) / math.sqrt(_TIME_WAVES)
        return torch.cat([condition, waves.expand(-1, condition.shape[1], -1)], dim=2)
