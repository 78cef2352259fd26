"""DiffWave with the trajectory beside the sound (Z. Kong and others: "DiffWave", ICLR 2021).

As FoleySpace describes its condition block, the mono sound and the positions, repeated to the rate of the sound, are
put beside the noisy binaural sound as further channels, and so are the numbers that the flow model is told of a room.
What the paper leaves open is as in DiffWave, and smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foleyspace_host.diffusion.condition import N_ROOM, SLICES
from foleyspace_host.diffusion.features import HOP

__all__ = ["PaperNet", "PaperSize", "positions"]

_N_EARS = 2
_N_POSITION = 3 + N_ROOM
_STEP_WAVES = 32
_NEAR_M = 2.0  # at which the logarithm of the distance is 0 in the rows


@dataclass(frozen=True, slots=True)
class PaperSize:
    """How large a network is.

    Parameters
    ----------
    channels : int
        Channels of a layer.
    layers : int
        Layers.
    cycle : int
        Layers after which dilations begin again at 1.
    """

    channels: int = 48
    layers: int = 20
    cycle: int = 10


def positions(condition: Tensor) -> Tensor:
    """Return where the source is, and in which room, at each sample.

    Parameters
    ----------
    condition : Tensor, shape (batch, frames, N_CONDITION)
        Rows.

    Returns
    -------
    Tensor, shape (batch, 10, frames * HOP)
        Cartesian coordinates in units of 6 m, the paper's largest distance; the description of the room.
    """
    distance_m = _NEAR_M * condition[..., SLICES["distance"]].exp()
    place = condition[..., SLICES["direction"]] * distance_m / 6.0
    place = torch.cat([place, condition[..., SLICES["room"]]], dim=2)
    return place.transpose(1, 2).repeat_interleave(HOP, dim=2)


class _Layer(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.step = nn.Linear(channels, channels)
        self.look = nn.Conv1d(channels, 2 * channels, 3, padding=dilation, dilation=dilation)
        self.leave = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, x: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        gate, value = self.look(x + self.step(step)[:, :, None]).chunk(2, dim=1)
        on, kept = self.leave(gate.sigmoid() * value.tanh()).chunk(2, dim=1)
        return (x + on) / math.sqrt(2.0), kept


class PaperNet(nn.Module):
    """The network.

    Parameters
    ----------
    size : PaperSize
        How large it is.
    """

    def __init__(self, size: PaperSize) -> None:
        super().__init__()
        channels = size.channels
        self.enter = nn.Conv1d(_N_EARS + 1 + _N_POSITION, channels, 1)
        self.step = nn.Sequential(
            nn.Linear(2 * _STEP_WAVES, channels), nn.SiLU(), nn.Linear(channels, channels), nn.SiLU()
        )
        self.layers = nn.ModuleList(_Layer(channels, 1 << (number % size.cycle)) for number in range(size.layers))
        self.leave = nn.Sequential(nn.Conv1d(channels, channels, 1), nn.SiLU(), nn.Conv1d(channels, _N_EARS, 1))
        for weight in self.leave[-1].parameters():
            nn.init.zeros_(weight)

    def forward(self, noisy: Tensor, mono: Tensor, place: Tensor, level: Tensor) -> Tensor:
        """Predict the noise in a binaural sound.

        Parameters
        ----------
        noisy : Tensor, shape (batch, 2, n_samples)
            Sound with noise on it.
        mono : Tensor, shape (batch, n_samples)
            Mono sound.
        place : Tensor, shape (batch, 10, n_samples)
            From `positions`.
        level : Tensor, shape (batch,)
            Share of the sound in the amplitude of `noisy`, 0 to 1.

        Returns
        -------
        Tensor, shape (batch, 2, n_samples)
        """
        rate = 2.0 ** torch.linspace(0.0, 12.0, _STEP_WAVES, device=level.device)
        phase = level[:, None] * rate
        step = self.step(torch.cat([phase.sin(), phase.cos()], dim=1))
        x = self.enter(torch.cat([noisy, mono[:, None], place], dim=1)).relu()
        total = torch.zeros_like(x)
        for layer in self.layers:
            x, kept = layer(x, step)
            total = total + kept
        return self.leave(total / math.sqrt(len(self.layers)))
