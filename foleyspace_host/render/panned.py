"""The renderer of all formats but binaural, over clips of any length in constant memory.

Each point is read once, through one delay line on its travel time, and goes to every channel with the gain
that the format's pan law has for its direction. So the channels differ in level alone, and distance,
propagation and cuts follow the same laws as for two ears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.kernels import lines
from foleyspace_host.render.delay import N_TAPS, read_delayed
from foleyspace_host.render.filter import hop_samples
from foleyspace_host.render.formats import OutputFormat
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.panning.law import PanLaw, law_of
from foleyspace_host.render.points import Point
from foleyspace_host.render.room.presets import room_of
from foleyspace_host.render.scene import points_of
from foleyspace_host.render.signals import Signals
from foleyspace_host.render.toned import ToneFilter
from foleyspace_host.render.travel import Travel

__all__ = ["pan_points", "render_panned_blocks"]

_CHUNK_HOPS = 64


def render_panned_blocks(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    trajectory: Trajectory,
    output: OutputFormat,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of blocks into the channels of a format; memory does not depend on its length.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (n_clip_channels, any)
        The clip in order; how it is cut does not change the result. A short clip is followed by silence.
    n_samples : int
        Samples to render, not negative.
    sample_rate_hz : int
        Sampling rate of the clip [Hz].
    trajectory : Trajectory
        Positions of the sources; all selected ones play the clip.
    output : OutputFormat
        Any but binaural.
    options : RenderOptions
        Choices.

    Returns
    -------
    iterator of ndarray, float32, shape (output.n_channels, m)
        The channels; n_samples in all.

    Raises
    ------
    InvalidInput
        If no source is selected.
    NonFinite
        If a block holds NaN or infinite samples.
    """
    duration_s = max(n_samples, 1) / sample_rate_hz
    points, law = points_of(trajectory, options, duration_s), law_of(output)
    room = room_of(options.room)
    if room is None:
        return pan_points(blocks, n_samples, sample_rate_hz, points, law, output.n_channels, options)
    from foleyspace_host.render.room.hearing import Channels
    from foleyspace_host.render.room.surroundings import surrounded

    return surrounded(
        lambda plain: pan_points(plain, n_samples, sample_rate_hz, points, law, output.n_channels, options),
        blocks,
        n_samples,
        sample_rate_hz,
        points,
        room,
        Channels(law, output.n_channels, sample_rate_hz),
        options,
    )


def pan_points(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    points: Sequence[Point],
    law: PanLaw,
    n_channels: int,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of blocks through points and a pan law.

    Parameters
    ----------
    blocks, n_samples, sample_rate_hz, options
        As for `render_panned_blocks`.
    points : sequence of Point
        What sounds, at least one.
    law : PanLaw
        Gains of the channels.
    n_channels : int
        How many channels it has.

    Yields
    ------
    ndarray, float32, shape (n_channels, m)
        The channels; n_samples in all.

    Raises
    ------
    NonFinite
        If a block holds NaN or infinite samples.
    """
    hop = hop_samples(sample_rate_hz)
    voices = [_Voice(point, law, options, sample_rate_hz) for point in points]
    ahead = max(voice.ahead for voice in voices)
    for voice in voices:
        voice.open(ahead)
    signals = Signals(blocks, points, sample_rate_hz)
    chunk = _CHUNK_HOPS * hop
    read, rendered = 0, 0
    while rendered < n_samples:
        sound = signals.take(chunk)
        read += chunk
        for point, voice in zip(points, voices, strict=True):
            voice.push(sound[signals.row(point)])
        ready = min(read - ahead, n_samples)
        if ready < n_samples:
            ready = floor(ready / hop) * hop
        if ready > rendered:
            out = np.zeros((n_channels, ready - rendered), dtype=np.float32)
            for voice in voices:
                voice.read_into(out, rendered)
            yield out
            rendered = ready


class _Voice:
    """One point: its sound so far, and how each channel hears it."""

    def __init__(self, point: Point, law: PanLaw, options: RenderOptions, sample_rate_hz: int) -> None:
        self._point, self._law, self._options = point, law, options
        self._hop = hop_samples(sample_rate_hz)
        self._travel = Travel(point, options, sample_rate_hz, self._hop)
        self._tone = ToneFilter(point, sample_rate_hz, self._hop) if point.tones else None
        shortest, longest = self._travel.bounds_samples()
        late = 0 if self._tone is None else self._tone.n_late
        self.ahead = max(ceil(-shortest), 0) + 2 * N_TAPS + late
        """How far the sound must be known past what is read [samples]."""
        self._behind = max(ceil(longest), 0)

    def open(self, ahead: int) -> None:
        """Make the line, for an output that stays `ahead` samples behind what is known."""
        chunk = _CHUNK_HOPS * self._hop
        self._keep = self._behind + ahead + 4 * self._hop
        self._line = np.zeros(self._keep + chunk + self._hop, dtype=np.float32)
        self._origin = -self._keep - chunk  # sample number of the line's first column

    def push(self, sound: NDArray[np.float32]) -> None:
        """Take the next chunk of what the point plays."""
        n = len(sound)
        self._line[:-n] = self._line[n:]
        self._line[-n:] = 0.0
        self._origin += n
        if self._tone is None:
            self._line[self._keep : self._keep + n] = sound
        else:
            self._tone.add(sound, self._line[self._keep - self._tone.n_early :])

    def read_into(self, out: NDArray[np.float32], first: int) -> None:
        """Add the samples first, first + 1, ... of all channels; `first` is a multiple of the hop."""
        hop, n_samples = self._hop, out.shape[1]
        n_intervals = ceil(n_samples / hop)
        there = self._travel.heard(first // hop, n_intervals + 1)
        delay, jump = there.delay_samples, there.jump
        gains = (self._law.gains(there.unit) * there.gain[:, None]).astype(np.float32)
        lines.pan(self._heard(first, delay, jump, n_samples), gains, jump, hop, out)
        for interval in (int(index) for index in np.flatnonzero(jump)):
            part = slice(interval * hop, min((interval + 1) * hop, n_samples))
            fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(part.stop - part.start) / hop)
            for end, weight in ((interval, 1.0 - fade), (interval + 1, fade)):
                held, still = np.full(2, delay[end]), np.zeros(1, dtype=np.bool_)
                heard = self._heard(first + part.start, held, still, part.stop - part.start)
                out[:, part] += gains[end][:, None] * (heard * weight.astype(np.float32))

    def _heard(
        self, first: int, delay: NDArray[np.float64], jump: NDArray[np.bool_], n_samples: int
    ) -> NDArray[np.float32]:
        """Return the sound as it arrives, in `n_samples` samples from `first` on."""
        if self._travel.is_instant:
            return self._line[first - self._origin : first - self._origin + n_samples]
        heard = np.zeros(n_samples, dtype=np.float32)
        read_delayed(self._line, self._origin, first, self._hop, delay, jump, heard)
        return heard
