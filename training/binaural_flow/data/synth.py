"""One batch of examples on the training device: priors and targets from sounds, movements, heads and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.diffusion.condition import condition_rows, radial_velocity_m_s, room_numbers, source_numbers
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Source
from foleyspace_host.render.arc import turned_left
from foleyspace_host.render.extent import part_filters, parts_of
from foleyspace_host.render.room import RoomModel
from foleyspace_host.render.told import direct_to_reverberant_db
from training.binaural_flow.data.direct import Voice, render_direct
from training.binaural_flow.data.listeners import EarSet, ListenerBank
from training.binaural_flow.data.presets import HOP, SAMPLE_RATE_HZ
from training.binaural_flow.data.reflected import RoomSound, Surroundings

__all__ = ["Example", "Rendered", "render_examples"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """What one example is made of.

    Parameters
    ----------
    sound : torch.Tensor, float32, shape (n_frames * HOP,)
        The mono sound; silence comes before it.
    source : Source
        Its movement.
    heard : EarSet
        The set that the prior is rendered with.
    own : EarSet
        The listener's dense set, which the target is rendered with.
    room : RoomModel, optional
        Where the target is heard; free field if not given.
    extent_deg : float
        Width of the target's source [deg].
    code : ndarray, float32, shape (16,)
        What the model is told about the listener.
    """

    sound: torch.Tensor
    source: Source
    heard: EarSet
    own: EarSet
    room: RoomModel | None
    extent_deg: float
    code: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Examples as a model sees them; all tensors float32, on the device.

    Parameters
    ----------
    mono : torch.Tensor, shape (n, n_samples)
        Sounds.
    prior, target : torch.Tensor, shape (n, 2, n_samples)
        What the renderer makes of them in free field, and what they shall become.
    condition : torch.Tensor, shape (n, n_frames, N_CONDITION)
        See `foleyspace_host.diffusion.condition`.
    """

    mono: torch.Tensor
    prior: torch.Tensor
    target: torch.Tensor
    condition: torch.Tensor


def render_examples(examples: Sequence[Example], bank: ListenerBank, surroundings: Surroundings) -> Rendered:
    """Render examples.

    Parameters
    ----------
    examples : sequence of Example
        All of the same length.
    bank : ListenerBank
        Where their sets lie.
    surroundings : Surroundings
        Renders what rooms add.

    Returns
    -------
    Rendered
        At the levels of the law ``physical``.
    """
    mono = torch.stack([example.sound for example in examples])
    n_frames = mono.shape[1] // HOP
    times_s = np.arange(n_frames + 1) * (HOP / SAMPLE_RATE_HZ)
    paths = [SourcePath.from_source(example.source) for example in examples]
    places = [path.sample(times_s) for path in paths]
    voices: list[Voice] = []
    rows = []
    for example, (unit, distance_m) in zip(examples, places, strict=True):
        voice = _voice(example.sound, example.heard, unit, distance_m)
        voices.append(voice)
        rows.append(_condition(example, voice))
    owner: list[int] = []  # of the voices that only targets hear
    for number, (example, (unit, distance_m)) in enumerate(zip(examples, places, strict=True)):
        parts = _target_voices(example, unit, distance_m)
        voices += parts
        owner += [number] * len(parts)
    heard = render_direct(voices, bank)
    prior = heard[: len(examples)]
    target = prior.clone()
    if owner:
        differs = torch.tensor(sorted(set(owner)), device=bank.device)
        target[differs] = 0.0
        target.index_add_(0, torch.tensor(owner, device=bank.device), heard[len(examples) :])
    for number, (example, path) in enumerate(zip(examples, paths, strict=True)):
        if example.room is not None:
            target[number] += surroundings.render(RoomSound(example.sound, path, example.room, example.own))
    return Rendered(mono, prior, target, torch.from_numpy(np.stack(rows)).to(bank.device))


def _voice(sound: torch.Tensor, ears: EarSet, unit: Floats, distance_m: Floats, gain: Floats | float = 1.0) -> Voice:
    return Voice(sound, ears, unit, distance_m, ears.locate(unit), gain / distance_m)


def _target_voices(example: Example, unit: Floats, distance_m: Floats) -> list[Voice]:
    """Direct sounds of the target, where they are not those of the prior."""
    parts = parts_of(example.extent_deg)
    if len(parts) == 1:
        if example.own is example.heard:
            return []
        return [_voice(example.sound, example.own, unit, distance_m)]
    taps = torch.from_numpy(part_filters(len(parts), example.extent_deg, SAMPLE_RATE_HZ)).to(example.sound.device)
    half, n = taps.shape[1] // 2, len(example.sound)
    n_fft = 1 << (n + taps.shape[1] - 1).bit_length()
    sounds = torch.fft.irfft(torch.fft.rfft(taps, n_fft) * torch.fft.rfft(example.sound, n_fft), n_fft)
    units = [turned_left(unit, offset_deg) for offset_deg, _ in parts]
    # as loud at the ears as a point in the middle
    around = np.mean([example.own.locate(beside).power.sum(axis=1) for beside in units], axis=0)
    gain = np.sqrt(example.own.locate(unit).power.sum(axis=1) / around)
    return [
        _voice(sound[half : half + n], example.own, beside, distance_m, gain)
        for sound, beside in zip(sounds, units, strict=True)
    ]


def _condition(example: Example, voice: Voice) -> NDArray[np.float32]:
    """Rows of the frames, whose middles are the control points but the last."""
    located = voice.located
    source = source_numbers(
        voice.unit[:-1],
        voice.distance_m[:-1],
        radial_velocity_m_s(voice.unit, voice.distance_m, SAMPLE_RATE_HZ / HOP),
        located.delay_samples[:-1] / SAMPLE_RATE_HZ,
        np.sqrt(located.power[:-1]),
    )
    room = example.room
    described = None if room is None else room_numbers(room.rt60_s, room.volume_m3, direct_to_reverberant_db(room))
    return condition_rows(source, described, example.extent_deg, example.code, example.heard.sparse)
