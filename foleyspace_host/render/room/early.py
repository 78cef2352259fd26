"""Renders the reflections of a room, over clips of any length in constant memory.

A reflection is a voice like any other: it has a delay of its own that slides, a direction of its own and a filter.
But its images share all that can be shared: the path is sampled once and mirrored, the sound becomes one line
that all read, and their spectra are added up before they are transformed back. Frames are longer than those of
the direct sound, and the time between the ears moves with them, from frame to frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.images import Readings
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Point
from foleyspace_host.render.room.hearing import Hearing, Placed
from foleyspace_host.render.room.line import SoundLine
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.reflections import Arrivals, Reflections, whole_points
from foleyspace_host.render.room.tones import ImageTones
from foleyspace_host.render.signals import Signals

__all__ = ["reflection_blocks"]

_CHUNK_FRAMES = 24
_BATCH_CHUNKS = 16  # whose control values are computed together


def reflection_blocks(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    points: Sequence[Point],
    room: RoomModel,
    hearing: Hearing,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render the reflections of points.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (n_clip_channels, any)
        The clip in order; how it is cut does not change the result.
    n_samples : int
        Samples to render.
    sample_rate_hz : int
        Sampling rate [Hz].
    points : sequence of Point
        Direct sounds, at least one.
    room : RoomModel
        The room.
    hearing : Hearing
        Ears or channels.
    options : RenderOptions
        Laws of distance and propagation.

    Yields
    ------
    ndarray, float32, shape (hearing.n_channels, m)
        n_samples in all, without the direct sound.
    """
    frames = hearing.frames
    sources = whole_points(points)
    signals = Signals(blocks, sources, sample_rate_hz)
    duration_s = max(n_samples, 1) / sample_rate_hz
    reflected = [Reflections(point, room, options, sample_rate_hz, frames.hop, duration_s) for point in sources]
    heard = [field for field in reflected if len(field.images)]
    fields = [_Field(field, hearing, options, sample_rate_hz) for field in heard]
    rows = [signals.row(field.point) for field in heard]
    span = _CHUNK_FRAMES * frames.hop
    shortest = min((field.bounds_samples[0] for field in fields), default=0.0)
    longest = max((field.bounds_samples[1] for field in fields), default=0.0)
    # a chunk reads from one hop before its first frame's middle to one hop after the last one's
    behind, ahead = max(ceil(longest), 0) + frames.hop, max(ceil(-shortest), 0)
    lines = {row: SoundLine(behind, ahead, span) for row in rows}
    for line, sound in _rows(lines, signals, next(iter(lines.values())).n_ahead if lines else 0):
        line.push(sound)
    ears = np.zeros((hearing.n_channels, (_CHUNK_FRAMES - 1) * frames.hop + frames.fourier.n), dtype=np.float32)
    first_frame = 0
    while (first_frame - 1) * frames.hop - frames.lead < n_samples:
        for line, sound in _rows(lines, signals, span):
            line.push(sound)
        for field, row in zip(fields, rows, strict=True):
            field.add(lines[row], first_frame, ears)
        begin = (first_frame - 1) * frames.hop - frames.lead  # sample number of the first column
        ready = ears[:, max(-begin, 0) : min(span, n_samples - begin)].copy()
        if ready.shape[1]:
            yield ready
        ears[:, :-span] = ears[:, span:]
        ears[:, -span:] = 0.0
        first_frame += _CHUNK_FRAMES


def _rows(
    lines: dict[int, SoundLine], signals: Signals, n_samples: int
) -> Iterator[tuple[SoundLine, NDArray[np.float32]]]:
    """Take the next samples, and hand them out to the lines that hold them."""
    if lines:
        sound = signals.take(n_samples)
        for row, line in lines.items():
            yield line, sound[row]


class _Field:
    """The images of one source, and what is known of their next frames."""

    def __init__(self, reflections: Reflections, hearing: Hearing, options: RenderOptions, sample_rate_hz: int) -> None:
        self._reflections, self._hearing, self._frames = reflections, hearing, hearing.frames
        n_fft = hearing.frames.fourier.n
        frequency_hz = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate_hz / n_fft)
        self._tones = ImageTones(reflections.images, reflections.point.reference_m, options, frequency_hz)
        both = zip(reflections.bounds_samples(), hearing.delay_bounds_samples(), strict=True)
        shortest, longest = (travel + ear for travel, ear in both)
        self.bounds_samples = shortest, longest
        line = np.arange(hearing.frames.hop) / hearing.frames.hop
        self._rises = np.stack([line, 0.5 - 0.5 * np.cos(np.pi * line)]).astype(np.float32)  # moving, jumping
        self._batch = -1
        self._arrivals: Arrivals
        self._placed: Placed
        self._delay_samples: NDArray[np.float64]

    def add(self, line: SoundLine, first_frame: int, out: NDArray[np.float32]) -> None:
        """Add the frames first_frame, ... of all images, the first of which begins at sample `lead` of `out`."""
        hop = self._frames.hop
        at = self._prepared(first_frame)
        points = slice(at, at + _CHUNK_FRAMES + 2)  # from where the first frame begins to where the last one ends
        middles = slice(at + 1, at + 1 + _CHUNK_FRAMES)
        tone, row = self._tones.rows(self._arrivals.distance_m[:, middles])
        readings = Readings(
            line=line.terms,
            start=line.column((first_frame - 1) * hop),
            delay_samples=np.ascontiguousarray(self._delay_samples[:, points]),
            jump=np.ascontiguousarray(self._arrivals.jump[:, at : at + _CHUNK_FRAMES + 1]),
            rises=self._rises,
            lead=self._frames.lead,
            tone=tone,
            row=row,
        )
        self._placed.add(readings, at + 1, out)

    def _prepared(self, first_frame: int) -> int:
        """Have the control values of a chunk ready; return where they begin."""
        size = _BATCH_CHUNKS * _CHUNK_FRAMES
        batch, at = divmod(first_frame, size)
        if batch != self._batch:
            self._batch = batch
            self._arrivals = self._reflections.arrivals(batch * size - 1, size + 2, self._hearing.late_samples)
            self._placed = self._hearing.place(self._arrivals.unit, self._arrivals.gain)
            self._delay_samples = self._arrivals.delay_samples + self._placed.delay_samples
        return at
