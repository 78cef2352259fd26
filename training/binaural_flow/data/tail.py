"""The tail of a room on the training device: the noise of ``foleyspace_host.render.room.tail``, sample for sample."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len

from foleyspace_host.render.room import OCTAVES_HZ, RoomModel
from foleyspace_host.render.room.density import tail_share
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ

__all__ = ["tail_noise"]

# as in foleyspace_host.render.room.tail, which tests compare this with
_LENGTH, _FADE = 1.25, 0.04
_CROSSOVER_OCTAVES = 1.0 / 6.0
_STRETCHES, _EVEN_CYCLES = 16.0, 3.0
_STEP = 32  # samples between two values of the decay, straight lines in between


def tail_noise(room: RoomModel, mixing: torch.Tensor) -> torch.Tensor:
    """Make the tail of a room as both ears hear it.

    Parameters
    ----------
    room : RoomModel
        The room; its seed is that of the noise.
    mixing : torch.Tensor, float32, shape (2, 2, n_taps)
        From `DiffuseField.mixing_responses`.

    Returns
    -------
    torch.Tensor, float32, shape (2, n_samples)
        From the arrival of the direct sound on, for one of unit pressure at 1 m.
    """
    device = mixing.device
    n_all = int(_LENGTH * max(room.rt60_s) * SAMPLE_RATE_HZ)
    n = int(next_fast_len(max(n_all, mixing.shape[-1]), real=True))
    padded = torch.zeros(2, 2, n, device=device)
    padded[..., : mixing.shape[-1]] = mixing
    mixer = torch.fft.rfft(torch.roll(padded, -(mixing.shape[-1] // 2), dims=-1))
    white = np.random.default_rng(room.seed).standard_normal((2, n), dtype=np.float32)
    spectra = (mixer * torch.fft.rfft(torch.from_numpy(white).to(device))).sum(dim=1)
    power = mixer.abs().square_().sum(dim=1)
    weights = _band_weights(n, device)
    parts = torch.fft.irfft(spectra * weights[:, None], n)
    expected = (power * weights[:, None] ** 2).mean(dim=-1, keepdim=True)
    envelope = _envelope(room, n_all).to(device)
    sound = torch.zeros(2, n_all, device=device)
    for band, (rt60_s, centre_hz) in enumerate(zip(room.rt60_s, OCTAVES_HZ, strict=True)):
        stretch_s = max(rt60_s / _STRETCHES, _EVEN_CYCLES / (0.7 * centre_hz))
        even = _evened(parts[band], expected[band], int(stretch_s * SAMPLE_RATE_HZ))
        sound += even[:, :n_all] * envelope[band]
    fade = int(_FADE * n_all)
    sound[:, n_all - fade :] *= torch.cos(0.5 * torch.pi * torch.arange(fade, device=device) / max(fade, 1)) ** 2
    return sound


def _envelope(room: RoomModel, n: int) -> torch.Tensor:
    """Amplitude of every band over time, shape (8, n)."""
    time_s = np.arange(0, n + 2 * _STEP, _STEP) / SAMPLE_RATE_HZ
    energy = room.diffuse_energy_per_s(time_s) * tail_share(room).at(time_s)
    level = torch.from_numpy(np.sqrt(energy * (10.0 ** (room.tail_db / 10.0) / SAMPLE_RATE_HZ)).astype(np.float32))
    part = torch.arange(_STEP) / _STEP
    return torch.lerp(level[:, :-1, None], level[:, 1:, None], part).flatten(1)[:, :n]


@lru_cache(maxsize=64)
def _band_weights(n: int, device: torch.device) -> torch.Tensor:
    """Gains of the bands at the bins of a transform of length n, shape (8, n // 2 + 1); they add up to 1."""
    hz = torch.arange(n // 2 + 1, device=device) * (SAMPLE_RATE_HZ / n)
    position = torch.log2(torch.clamp(hz, min=1e-3) / OCTAVES_HZ[0])
    edges = torch.arange(len(OCTAVES_HZ) - 1, device=device) + 0.5
    above = torch.clamp((position - edges[:, None]) / _CROSSOVER_OCTAVES + 0.5, 0.0, 1.0)
    above = torch.sin(0.5 * torch.pi * above) ** 2
    edge = torch.ones(1, len(hz), device=device)
    return torch.cat([edge, above]) - torch.cat([above, 0.0 * edge])


def _evened(noise: torch.Tensor, power: torch.Tensor, width: int) -> torch.Tensor:
    """Noises (2, n) whose power over any stretch much longer than `width` is `power` (2, 1)."""
    local = noise.double() ** 2
    for _ in range(2):
        local = _ring_mean(local, max(width, 1))
    return noise * torch.sqrt(power / torch.maximum(local.float(), 1e-3 * power))


def _ring_mean(values: torch.Tensor, width: int) -> torch.Tensor:
    """Mean over `width` values around each, where the last are followed by the first."""
    before = width // 2
    around = torch.cat([values[:, -before - 1 :], values, values[:, : width - before]], dim=1)
    total = around.cumsum(dim=1)
    n = values.shape[1]
    return (total[:, width : width + n] - total[:, :n]) / width
