"""Targets as FoleySpace's training data was made: few segments, each by one response, and distance by resampling it.

The paper cuts a sound into M segments of its 8 s, convolves each with the response of its position, fades from one to
the next, and makes other distances than the measured one by resampling the response in time. So notches move and the
time between the ears grows with the distance, which no head does; it is here to compare with, not to learn from. What
the paper does not say is chosen so that it is least wrong: resampled responses keep their gain at low frequencies,
fall with 1/r, and the time that sound travels is left out, as it is from the prior.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.fft import next_fast_len

from foleyspace_host.geometry.path import SourcePath
from training.binaural_flow.data.listeners import EarSet, ListenerBank
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ
from training.binaural_flow.data.reflected import Surroundings
from training.binaural_flow.data.synth import Example, Rendered, render_examples

__all__ = ["SEGMENTS", "paper_target", "render_paper"]

SEGMENTS = (200, 8)
"""Segments of 8 s: the paper's fine and coarse ones."""

_CLIP_S = 8.0
_MEASURED_M = 1.47  # where the paper's set was measured
_LONGEST = 2048  # samples of a resampled response, and of the time before it
_FINE = 4096


def render_paper(
    examples: Sequence[Example], bank: ListenerBank, surroundings: Surroundings, rng: np.random.Generator
) -> Rendered:
    """Render examples: priors and conditions as ever, targets as in the paper, finely or coarsely cut.

    Parameters
    ----------
    examples : sequence of Example
        All of the same length, in free field.
    bank : ListenerBank
        Where their sets lie.
    surroundings : Surroundings
        As for `render_examples`.
    rng : numpy.random.Generator
        Chooses the number of segments for each.

    Returns
    -------
    Rendered
    """
    made = render_examples(examples, bank, surroundings)
    segments = rng.choice(SEGMENTS, len(examples)).tolist()
    targets = [paper_target(example, bank, count) for example, count in zip(examples, segments, strict=True)]
    return Rendered(made.mono, made.prior, torch.stack(targets), made.condition)


def paper_target(example: Example, bank: ListenerBank, segments: int) -> torch.Tensor:
    """Render one example as the paper does.

    Parameters
    ----------
    example : Example
        The example.
    bank : ListenerBank
        Where its set lies.
    segments : int
        Segments of 8 s.

    Returns
    -------
    torch.Tensor, float32, shape (2, n_samples)
    """
    sound, device = example.sound, bank.device
    hop = round(_CLIP_S * SAMPLE_RATE_HZ / segments)
    count = -(-len(sound) // hop) + 1
    unit, distance_m = SourcePath.from_source(example.source).sample(np.arange(count) * (hop / SAMPLE_RATE_HZ))
    n_fft = int(next_fast_len(2 * hop + 2 * _LONGEST, real=True))
    spectra = _resampled(example.own, bank, unit, distance_m / _MEASURED_M, n_fft)
    padded = torch.zeros((count + 1) * hop, device=device)
    padded[hop : hop + len(sound)] = sound
    rise = torch.arange(hop, device=device) / hop
    window = torch.cat([rise, 1.0 - rise])
    line = torch.zeros(2, (count - 1) * hop + n_fft, device=device)
    for number in range(count):
        segment = padded[number * hop : (number + 2) * hop] * window
        line[:, number * hop : number * hop + n_fft] += torch.fft.irfft(
            torch.fft.rfft(segment, n_fft) * spectra[number], n_fft
        )
    start = hop + _LONGEST // 2
    return line[:, start : start + len(sound)]


def _resampled(ears: EarSet, bank: ListenerBank, unit: np.ndarray, ratio: np.ndarray, n_fft: int) -> torch.Tensor:
    """Spectra of responses stretched in time by ratios, (n, 2, n_bins), later by half of `_LONGEST`."""
    located = ears.locate(unit)
    rows = bank.responses[torch.from_numpy(located.vertex).to(bank.device)].float()
    weight = torch.from_numpy(located.weight).to(bank.device)
    fine = torch.fft.rfft((rows * weight[..., None, None]).sum(dim=1), _FINE)
    stretch = torch.from_numpy(ratio.astype(np.float32)).to(bank.device)[:, None]
    cycles = torch.arange(n_fft // 2 + 1, device=bank.device) / n_fft  # per sample
    at = cycles * stretch * _FINE  # h(t / s) / s has the spectrum H(f s)
    below = at.floor().clamp(max=_FINE // 2 - 1)
    part, heard = (at - below)[:, None], (at < _FINE // 2)[:, None]
    index = below.long()[:, None].expand(-1, 2, -1)
    blended = torch.lerp(fine.gather(2, index), fine.gather(2, index + 1), part.to(fine.dtype)) * heard
    delay = torch.from_numpy(((located.delay_samples - ears.pre_roll_samples) * ratio[:, None]).astype(np.float32))
    turn = -2.0 * torch.pi * cycles * (delay.to(bank.device)[..., None] + _LONGEST // 2)
    gain = torch.from_numpy((1.0 / (ratio * _MEASURED_M)).astype(np.float32)).to(bank.device)
    return blended * torch.polar(gain[:, None, None].expand_as(turn).contiguous(), turn)
