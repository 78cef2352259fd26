"""Direct sounds on the training device, many at a time: the renderer's filter and delay, in one step.

At every control point the blend of three responses, its travel time and its gains become one spectrum for each
ear. Each hop of sound is filtered by the spectrum at its beginning and, faded in, by what is new at its end, as in
``foleyspace_host.render.filter``. There the travel time slides apart from the filter; here it moves with it, which
differs where a source moves so fast that the time to an ear changes by a good part of a period within 5 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.render.air import Air
from foleyspace_host.render.distance import PHYSICAL_REFERENCE_M, RELATIVE_LIMIT_DB, SPEED_OF_SOUND_M_S
from foleyspace_host.render.near_field import FAR_M, NearField, ear_angles_rad, extra_path_m
from training.binaural_flow.data.listeners import TAPS, EarSet, ListenerBank, Located
from training.binaural_flow.data.presets import HOP, SAMPLE_RATE_HZ

__all__ = ["Voice", "render_direct"]

_N_FFT = 3 * HOP
_LEAD = 96  # room before a hop, for what comes earlier than the mean and for tones to ring
_NEAR_STEP = 4
_BLOCK = 64  # voices that a GPU computes at a time; one suits a processor's cache

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Voice:
    """One sound from one place at a time, heard with one set.

    Parameters
    ----------
    sound : torch.Tensor, float32, shape (n_frames * HOP,)
        What it plays.
    ears : EarSet
        Who hears it.
    unit : ndarray, float64, shape (n_frames + 1, 3)
        Directions at the control points.
    distance_m : ndarray, float64, shape (n_frames + 1,)
        Distances [m].
    located : Located
        The directions, as the set knows them.
    gain : ndarray, float64, shape (n_frames + 1,)
        Linear gains, that of the distance included.
    """

    sound: torch.Tensor
    ears: EarSet
    unit: Floats
    distance_m: Floats
    located: Located
    gain: Floats


def render_direct(voices: Sequence[Voice], bank: ListenerBank) -> torch.Tensor:
    """Render voices.

    Parameters
    ----------
    voices : sequence of Voice
        All of the same length.
    bank : ListenerBank
        Where their responses lie.

    Returns
    -------
    torch.Tensor, float32, shape (n_voices, 2, n_samples)
        Both ears, with the time across the head but without travel time.
    """
    size = 1 if bank.device.type == "cpu" else _BLOCK
    return torch.cat([_rendered(voices[start : start + size], bank) for start in range(0, len(voices), size)])


def _rendered(voices: Sequence[Voice], bank: ListenerBank) -> torch.Tensor:
    device = bank.device
    sound = torch.stack([voice.sound for voice in voices])
    n_voices, n_frames = len(sound), sound.shape[1] // HOP
    hops = torch.zeros(n_voices, n_frames, 1, _N_FFT, device=device)
    hops[:, :, 0, :HOP] = sound.view(n_voices, n_frames, HOP)
    plain = torch.fft.rfft(hops)
    if all(_is_still(voice) for voice in voices):
        ears = plain * _spectra(voices, bank, 1)
    else:
        spectra = _spectra(voices, bank, n_frames + 1)
        hops[..., :HOP] *= torch.arange(HOP, device=device) / HOP
        rising = torch.fft.rfft(hops)
        ears = (plain - rising).mul(spectra[:, :-1]).addcmul_(rising, spectra[:, 1:])
    parts = torch.fft.irfft(ears, _N_FFT).transpose(1, 2).reshape(n_voices, 2, n_frames, 3, HOP)
    line = torch.zeros(n_voices, 2, n_frames + 2, HOP, device=device)
    for part in range(3):
        line[:, :, part : part + n_frames] += parts[:, :, :, part]
    return line.view(n_voices, 2, -1)[:, :, _LEAD : _LEAD + n_frames * HOP]


def _is_still(voice: Voice) -> bool:
    return bool((voice.unit == voice.unit[0]).all() and (voice.distance_m == voice.distance_m[0]).all())


def _spectra(voices: Sequence[Voice], bank: ListenerBank, n_points: int) -> torch.Tensor:
    """Spectra of both ears at the first control points, (n_voices, n_points, 2, n_bins), later by `_LEAD`."""
    device = bank.device
    vertex = torch.from_numpy(np.stack([voice.located.vertex[:n_points] for voice in voices])).to(device)
    weight = np.stack([voice.located.weight * voice.gain[:, None].astype(np.float32) for voice in voices])
    weights = torch.from_numpy(weight[:, :n_points]).to(device)
    time = torch.zeros(*vertex.shape[:2], 2, _N_FFT, device=device)
    for corner in range(3):
        rows = bank.responses[vertex[..., corner].reshape(-1)].view(*vertex.shape[:2], 2, TAPS)
        time[..., :TAPS].addcmul_(rows.float(), weights[..., corner, None, None])
    spectra = torch.fft.rfft(time)
    delay = np.stack([_delay_samples(voice, n_points) for voice in voices])
    spectra *= _delays(torch.from_numpy(delay.astype(np.float32)).to(device))
    for row, voice in enumerate(voices):
        spectra[row] *= _tones(voice, n_points, device)
    return spectra


def _delay_samples(voice: Voice, n_points: int) -> Floats:
    delay = voice.located.delay_samples[:n_points] + (_LEAD - voice.ears.pre_roll_samples)
    distance_m = voice.distance_m[:n_points]
    if distance_m.min() < FAR_M:
        near_m = extra_path_m(np.minimum(distance_m, FAR_M), ear_angles_rad(voice.unit[:n_points]))
        delay = delay + near_m.T * (SAMPLE_RATE_HZ / SPEED_OF_SOUND_M_S)
    return delay


def _delays(samples: torch.Tensor) -> torch.Tensor:
    """Spectra of delays: products of a coarse and a fine table."""
    n_bins, step = _N_FFT // 2 + 1, 20
    turn = samples[..., None] * (-2.0 * np.pi / _N_FFT)
    fine = turn * torch.arange(step, device=samples.device)
    coarse = turn * torch.arange(0, n_bins, step, device=samples.device)
    one = torch.ones((), device=samples.device)
    product = torch.polar(one, coarse)[..., :, None] * torch.polar(one, fine)[..., None, :]
    return product.flatten(-2)[..., :n_bins]


def _tones(voice: Voice, n_points: int, device: torch.device) -> torch.Tensor:
    """Gains of air and near field, (n_points, 1 or 2, n_bins)."""
    distance_m = voice.distance_m[:n_points]
    farther = torch.from_numpy((distance_m - PHYSICAL_REFERENCE_M).astype(np.float32)).to(device)
    limit = RELATIVE_LIMIT_DB * np.log(10.0) / 20.0
    tones = torch.exp(torch.clamp(farther[:, None] * _air_nepers_m(device), max=limit))[:, None]
    if distance_m.min() < FAR_M:
        near = _near(voice.unit[:n_points], distance_m)
        tones = tones * torch.from_numpy(near).to(device).transpose(0, 1)
    return tones


def _near(unit: Floats, distance_m: Floats) -> NDArray[np.float32]:
    """Gains of the near field, (2, n_points, n_bins): computed at every fourth point, straight in between."""
    last = len(unit) - 1
    knots = np.append(np.arange(0, last, _NEAR_STEP), last)
    gains = NearField()(unit[knots], np.minimum(distance_m[knots], FAR_M), _bins_hz())
    gains = np.broadcast_to(gains, (len(gains), len(knots), gains.shape[2]))  # one for all where all are far
    position = np.interp(np.arange(last + 1), knots, np.arange(len(knots), dtype=np.float64))
    before = position.astype(np.int64)
    after = np.minimum(before + 1, len(knots) - 1)
    part = (position - before).astype(np.float32)[:, None]
    return gains[:, before] * (1.0 - part) + gains[:, after] * part


@lru_cache(maxsize=1)
def _bins_hz() -> Floats:
    return np.arange(_N_FFT // 2 + 1, dtype=np.float64) * (SAMPLE_RATE_HZ / _N_FFT)


@lru_cache(maxsize=2)
def _air_nepers_m(device: torch.device) -> torch.Tensor:
    loss = Air().attenuation_db_m(_bins_hz()) * (-np.log(10.0) / 20.0)
    return torch.from_numpy(loss.astype(np.float32)).to(device)
