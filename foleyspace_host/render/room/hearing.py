"""How images are heard: by two ears, or in the channels of a format."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import lattice
from foleyspace_host.kernels.images import Readings, images_at_ears, images_in_channels
from foleyspace_host.kernels.spectra import Fourier, Responses
from foleyspace_host.render.filter import hop_samples
from foleyspace_host.render.panning.law import PanLaw
from foleyspace_host.render.room.diffuse import diffuse_field
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.tail import tail_noises, tail_response

__all__ = ["Channels", "Ears", "Frames", "Hearing", "Placed"]

_LONGEST_HOP = 3  # of the direct sound's: 16 ms
_GRAIN = 8  # parts of the direct sound's hop of which that of the images is made
_LEAD_S = 1.5e-3
_DIRECTIONS = 2000  # that stand for all


@dataclass(frozen=True, slots=True)
class Frames:
    """How the sound of images is cut.

    Parameters
    ----------
    hop : int
        Distance of the frames, which are triangles two hops long [samples].
    lead : int
        Room before a frame for what filters put there [samples].
    fourier : Fourier
        Transforms that hold lead, frame and response.
    """

    hop: int
    lead: int
    fourier: Fourier

    @classmethod
    def for_responses(cls, sample_rate_hz: int, n_taps: int) -> Frames:
        """Return the longest frames, up to 16 ms apart, that the transforms for frames 10 ms apart hold."""
        base = hop_samples(sample_rate_hz)
        lead = round(_LEAD_S * sample_rate_hz)
        n_fft = 1 << (4 * base + lead + n_taps - 1).bit_length()
        grain = base // _GRAIN
        hop = min((n_fft - lead - n_taps) // 2 // grain * grain, _LONGEST_HOP * base)
        return cls(hop, lead, Fourier.of(n_fft))


class Placed(Protocol):
    """Images whose places are known, as they are heard."""

    @property
    def delay_samples(self) -> NDArray[np.float64]:
        """What is added to the travel times, shape (n_images, n) [samples]."""
        ...

    def add(self, readings: Readings, first: int, out: NDArray[np.float32]) -> None:
        """Add frames, the first of which is at place number `first`, to the channels."""
        ...


class Hearing(Protocol):
    """Who hears the images."""

    frames: Frames
    n_channels: int
    late_samples: int
    """Delay inside the responses, which `Placed.delay_samples` makes up for."""

    def delay_bounds_samples(self) -> tuple[float, float]:
        """Return the smallest and the largest delay that is added to the travel time [samples]."""
        ...

    def place(self, unit: NDArray[np.float64], gain: NDArray[np.float64]) -> Placed:
        """Take where images are, (n_images, n, 3), and how loud, (n_images, n)."""
        ...

    def tail(self, room: RoomModel, max_samples: int) -> NDArray[np.float32]:
        """Return the room's tail, shape (n_channels, at most max_samples); see `tail_response`."""
        ...


class Ears:
    """Two ears; a `Hearing`.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses.
    """

    n_channels = 2

    def __init__(self, hrtf: Hrtf) -> None:
        self.frames = Frames.for_responses(hrtf.sample_rate_hz, hrtf.n_taps)
        self._hrtf, self.late_samples = hrtf, hrtf.pre_roll_samples
        self._responses = _responses(hrtf, self.frames.fourier)
        self._triangle = 0  # where the walk over the mesh left off

    def delay_bounds_samples(self) -> tuple[float, float]:
        """Return bounds of the delays; see `Hearing`."""
        delay = self._hrtf.delay_samples.mean(axis=1) - self._hrtf.pre_roll_samples
        return float(delay.min()), float(delay.max())

    def place(self, unit: NDArray[np.float64], gain: NDArray[np.float64]) -> Placed:
        """Find the triangles, and the times at both ears; see `Hearing`."""
        shape = gain.shape
        triangle, weight = np.empty(gain.size, dtype=np.int32), np.empty((gain.size, 3), dtype=np.float32)
        mesh = self._hrtf.mesh
        directions = np.ascontiguousarray(unit.reshape(-1, 3))
        self._triangle = locate(
            directions, self._triangle, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight
        )
        vertex = mesh.triangles[triangle]
        delay = np.einsum("nk,nke->ne", weight, self._hrtf.delay_samples[vertex])
        weight *= gain.reshape(-1, 1).astype(np.float32)
        return _AtEars(
            (delay.mean(axis=1) - self._hrtf.pre_roll_samples).reshape(shape),
            self._responses,
            vertex.reshape(*shape, 3),
            weight.reshape(*shape, 3),
            (0.5 * (delay[:, 1] - delay[:, 0])).astype(np.float32).reshape(shape),
        )

    def tail(self, room: RoomModel, max_samples: int) -> NDArray[np.float32]:
        """Return the tail of a diffuse field; see `Hearing`."""
        return tail_response(room, diffuse_field(self._hrtf), max_samples)


@lru_cache(maxsize=1)
def _responses(hrtf: Hrtf, fourier: Fourier) -> Responses:
    return Responses(hrtf.responses, fourier)


@dataclass(frozen=True, slots=True)
class _AtEars:
    delay_samples: NDArray[np.float64]
    responses: Responses
    vertex: NDArray[np.int32]
    weight: NDArray[np.float32]
    turn_samples: NDArray[np.float32]

    def add(self, readings: Readings, first: int, out: NDArray[np.float32]) -> None:
        span = slice(first, first + readings.row.shape[1])
        vertex, weight = np.ascontiguousarray(self.vertex[:, span]), np.ascontiguousarray(self.weight[:, span])
        images_at_ears(readings, self.responses, vertex, weight, np.ascontiguousarray(self.turn_samples[:, span]), out)


class Channels:
    """The channels of a format; a `Hearing`.

    Parameters
    ----------
    law : PanLaw
        Gains of the channels.
    n_channels : int
        How many there are.
    sample_rate_hz : int
        Sampling rate [Hz].
    """

    late_samples = 0

    def __init__(self, law: PanLaw, n_channels: int, sample_rate_hz: int) -> None:
        # instead of a response, as much room after a frame as before it
        self.frames = Frames.for_responses(sample_rate_hz, round(_LEAD_S * sample_rate_hz))
        self.n_channels, self._law, self._rate_hz = n_channels, law, sample_rate_hz

    def delay_bounds_samples(self) -> tuple[float, float]:
        """Return (0, 0)."""
        return 0.0, 0.0

    def place(self, unit: NDArray[np.float64], gain: NDArray[np.float64]) -> Placed:
        """Find the gains of the channels; see `Hearing`."""
        gains = (self._law.gains(unit.reshape(-1, 3)) * gain.reshape(-1, 1)).astype(np.float32)
        return _InChannels(np.zeros_like(gain), self.frames.fourier, gains.reshape(*gain.shape, self.n_channels))

    def tail(self, room: RoomModel, max_samples: int) -> NDArray[np.float32]:
        """Return independent noises, each at the level that sound from everywhere has there; see `Hearing`."""
        level = np.sqrt((self._law.gains(lattice(_DIRECTIONS)) ** 2).mean(axis=0))
        used = level > 0.0
        noises = tail_noises(room, self._rate_hz, int(used.sum()))[:, :max_samples]
        out = np.zeros((self.n_channels, noises.shape[1]), dtype=np.float32)
        out[used] = noises * level[used][:, None]
        return out


@dataclass(frozen=True, slots=True)
class _InChannels:
    delay_samples: NDArray[np.float64]
    fourier: Fourier
    gains: NDArray[np.float32]

    def add(self, readings: Readings, first: int, out: NDArray[np.float32]) -> None:
        gains = np.ascontiguousarray(self.gains[:, first : first + readings.row.shape[1]])
        images_in_channels(readings, self.fourier, gains, out)
