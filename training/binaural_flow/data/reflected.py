"""What a room adds, on the training device: moving reflections, and a tail with the statistics of the renderer's.

Where images are and when they are heard is computed by the renderer's own code (``Reflections``); here they are read
from one oversampled line, filtered in frames 21 ms apart by the response of the nearest of 200 directions, and added
up before they are transformed back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.spatial import cKDTree

from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.hrtf.refine import lattice
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.room import RoomModel
from foleyspace_host.render.room.images import inside
from foleyspace_host.render.room.reflections import Arrivals, Reflections
from foleyspace_host.render.room.tail import tail_gain
from foleyspace_host.render.room.tones import ImageTones
from training.binaural_flow.data.listeners import EarSet, ListenerBank
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ
from training.binaural_flow.data.tail import tail_noise

__all__ = ["RoomSound", "Surroundings"]

_HOP = 1024
_WINDOW = 2 * _HOP
_N_FFT = 2560  # the window, a response of 256 and the time across the head
_LEAD = 96
_OVERSAMPLING = 4
_DIRECTIONS = 200

Floats = NDArray[np.float64]

_OPTIONS = RenderOptions(distance_gain="physical")


@dataclass(slots=True)
class RoomSound:
    """A source in a room, and who hears it.

    Parameters
    ----------
    sound : torch.Tensor, float32, shape (n_samples,)
        What it plays; silent before.
    path : SourcePath
        Where it is.
    room : RoomModel
        The room.
    ears : EarSet
        A dense set.
    """

    sound: torch.Tensor
    path: SourcePath
    room: RoomModel
    ears: EarSet


@dataclass(slots=True)
class Surroundings:
    """Renders what rooms add; keeps tables of the heads that it met.

    Parameters
    ----------
    bank : ListenerBank
        All sets.
    """

    bank: ListenerBank
    _tables: dict[int, torch.Tensor] = field(default_factory=dict)

    def render(self, heard: RoomSound) -> torch.Tensor:
        """Return the reflections and the tail, shape (2, n_samples), without the direct sound."""
        return self.reflections(heard) + self.tail(heard)

    def reflections(self, heard: RoomSound) -> torch.Tensor:
        """Return the reflections alone, shape (2, n_samples)."""
        n_samples = len(heard.sound)
        n_frames = -(-n_samples // _HOP) + 1
        duration_s = n_samples / SAMPLE_RATE_HZ
        point = Point(heard.path, 1.0, heard.path.median_distance_m(duration_s))
        images = Reflections(point, heard.room, _OPTIONS, SAMPLE_RATE_HZ, _HOP, duration_s)
        device = self.bank.device
        if not len(images.images):
            return torch.zeros(2, n_samples, device=device)
        # frame k is centred at k * _HOP and reads from the control point before to the one behind it
        arrivals = images.arrivals(-1, n_frames + 2)
        frames = _frames(_oversampled(heard.sound), arrivals)
        spectra = torch.fft.rfft(frames)
        tones = ImageTones(images.images, point.reference_m, _OPTIONS, _bins_hz())
        row_gains, row = tones.rows(arrivals.distance_m[:, 1:-1].mean(axis=1, keepdims=True))
        spectra *= torch.from_numpy(row_gains[row[:, 0]]).to(device)[:, None]
        spectra *= torch.from_numpy(arrivals.gain[:, 1:-1].astype(np.float32)).to(device)[..., None]
        nearest = _grid().query(arrivals.unit[:, 1:-1].reshape(-1, 3))[1]
        table = self._table(heard.ears)
        total = torch.zeros(n_frames, 2, spectra.shape[-1], dtype=torch.complex64, device=device)
        chosen = torch.from_numpy(nearest.reshape(spectra.shape[:2]).astype(np.int64)).to(device)
        for image in range(len(spectra)):
            total.addcmul_(spectra[image][:, None], table[chosen[image]])
        parts = torch.fft.irfft(total, _N_FFT).transpose(0, 1).reshape(2, n_frames, 5, _HOP // 2)
        line = torch.zeros(2, n_frames + 2, 2, _HOP // 2, device=device)
        for part in range(5):
            line[:, part // 2 : part // 2 + n_frames, part % 2] += parts[:, :, part]
        start = _HOP + _LEAD  # frame 0 begins one hop before the first sample
        return line.view(2, -1)[:, start : start + n_samples]

    def tail(self, heard: RoomSound) -> torch.Tensor:
        """Return the tail alone, shape (2, n_samples)."""
        device, n_samples = self.bank.device, len(heard.sound)
        response = tail_noise(heard.room, torch.from_numpy(heard.ears.mixing).to(device))
        times_s = np.arange(0, n_samples + 256, 256) / SAMPLE_RATE_HZ
        unit, distance_m = heard.path.sample(times_s)
        near_m = np.linalg.norm(inside(heard.room, unit * distance_m[:, None]), axis=1)
        gain = (tail_gain(heard.room, near_m) / distance_m).astype(np.float32)
        gains = torch.from_numpy(gain).to(device)
        line = torch.arange(256, device=device) / 256
        fed = heard.sound.view(-1, 256) * torch.lerp(gains[:-1, None], gains[1:, None], line)
        n_fft = next_fast_len(n_samples + response.shape[1], real=True)
        spectrum = torch.fft.rfft(fed.reshape(-1), n_fft)
        return torch.fft.irfft(spectrum * torch.fft.rfft(response, n_fft), n_fft)[:, :n_samples]

    def _table(self, ears: EarSet) -> torch.Tensor:
        """Spectra of 200 directions with their travel times, (200, 2, n_bins), later by `_LEAD`."""
        if ears.first not in self._tables:
            located = ears.locate(lattice(_DIRECTIONS))
            rows = self.bank.responses[torch.from_numpy(located.vertex).to(self.bank.device)].float()
            weight = torch.from_numpy(located.weight).to(self.bank.device)
            time = (rows * weight[..., None, None]).sum(dim=1)
            delay = located.delay_samples - ears.pre_roll_samples + _LEAD
            turn = np.exp((-2j * np.pi / _N_FFT) * delay[..., None] * np.arange(_N_FFT // 2 + 1))
            turned = torch.fft.rfft(time, _N_FFT) * torch.from_numpy(turn.astype(np.complex64)).to(self.bank.device)
            self._tables[ears.first] = turned
        return self._tables[ears.first]


def _oversampled(sound: torch.Tensor) -> torch.Tensor:
    n = int(next_fast_len(len(sound) + _LEAD, real=True))
    return torch.fft.irfft(torch.fft.rfft(sound, n) * _OVERSAMPLING, _OVERSAMPLING * n)


def _frames(line: torch.Tensor, arrivals: Arrivals) -> torch.Tensor:
    """Windowed readings of all images, (n_images, n_frames, _N_FFT): those at the delays between control points.

    Where an image jumps, the frame before stays with the delay before and the frame after with that after.
    """
    device = line.device
    delay = torch.from_numpy(arrivals.delay_samples.astype(np.float32)).to(device)
    jump = torch.from_numpy(arrivals.jump).to(device)
    start, stop = delay[:, :-1], delay[:, 1:]
    part = torch.arange(_HOP, device=device) / _HOP
    first = torch.arange(-1, delay.shape[1] - 2, device=device) * _HOP

    def read(start: torch.Tensor, stop: torch.Tensor) -> torch.Tensor:
        delays = torch.lerp(start[..., None], stop[..., None], part)
        at = (first[:, None] + torch.arange(_HOP, device=device)) - delays
        at = at.clamp_(-1.0, len(line) // _OVERSAMPLING - 1.5).mul_(_OVERSAMPLING)
        whole = at.floor()
        at -= whole
        index = whole.long().add_(_OVERSAMPLING)  # the silence before the sound stands in front
        return torch.lerp(padded[index], padded[index + 1], at)

    padded = torch.cat([torch.zeros(_OVERSAMPLING, device=device), line])
    before = read(start, torch.where(jump, start, stop))
    after = before
    if bool(jump.any()):
        after = read(torch.where(jump, stop, start), stop)
    frames = torch.zeros(len(delay), delay.shape[1] - 2, _N_FFT, device=device)
    torch.mul(after[:, :-1], part, out=frames[..., :_HOP])
    torch.mul(before[:, 1:], 1.0 - part, out=frames[..., _HOP:_WINDOW])
    return frames


@lru_cache(maxsize=1)
def _grid() -> cKDTree:
    return cKDTree(lattice(_DIRECTIONS))


@lru_cache(maxsize=1)
def _bins_hz() -> Floats:
    return np.arange(_N_FFT // 2 + 1, dtype=np.float64) * (SAMPLE_RATE_HZ / _N_FFT)
