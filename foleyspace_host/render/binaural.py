"""The binaural renderer, over clips of any length in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.hrtf.prepare import Hrtf
from foleyspace_host.render.control import PointControl
from foleyspace_host.render.delay import N_TAPS, read_delayed
from foleyspace_host.render.filter import FrameFilter, hop_samples
from foleyspace_host.render.options import RenderOptions, checked_rate
from foleyspace_host.render.points import Point
from foleyspace_host.render.room.presets import room_of
from foleyspace_host.render.scene import direct_points_of, points_of
from foleyspace_host.render.signals import Signals

__all__ = ["render_blocks"]

_CHUNK_FRAMES = 64
"""Frames that are transformed together: enough for long vectors, few enough for the processor's cache."""


def render_blocks(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    trajectory: Trajectory,
    hrtf: Hrtf,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of mono blocks; memory does not depend on its length.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,)
        The clip in order; how it is cut does not change the result. A short clip is followed by silence.
    n_samples : int
        Samples to render, not negative.
    sample_rate_hz : int
        Sampling rate of the clip and of `hrtf` [Hz].
    trajectory : Trajectory
        Positions of the sources; all selected ones play the clip.
    hrtf : Hrtf
        Prepared set.
    options : RenderOptions
        Choices.

    Returns
    -------
    iterator of ndarray, float32, shape (2, m)
        Left and right ear; n_samples in all.

    Raises
    ------
    InvalidInput
        If no source is selected or the rates differ.
    NonFinite
        If a block holds NaN or infinite samples.
    """
    if hrtf.sample_rate_hz != checked_rate(sample_rate_hz):
        raise InvalidInput(f"responses at {hrtf.sample_rate_hz} Hz for a clip at {sample_rate_hz} Hz", where="hrtf")
    duration_s = max(n_samples, 1) / sample_rate_hz
    points = points_of(trajectory, options, duration_s)
    room = room_of(options.room)
    if room is None or not room.tail:
        return _point_blocks(blocks, n_samples, points, hrtf, options)
    from foleyspace_host.render.room.reverb import added, binaural_tail, tail_blocks

    early, late = tee(blocks)
    sources = direct_points_of(trajectory, options, duration_s)
    tail = binaural_tail(room, hrtf, n_samples)
    return added(
        _point_blocks(early, n_samples, points, hrtf, options),
        tail_blocks(late, n_samples, sample_rate_hz, sources, room, options, tail),
    )


def _point_blocks(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    points: Sequence[Point],
    hrtf: Hrtf,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of mono blocks through points."""
    hop = hop_samples(hrtf.sample_rate_hz)
    frame_filter = FrameFilter(hrtf, hop)
    voices = [_Voice(point, hrtf, options, frame_filter) for point in points]
    ahead = max(voice.ahead for voice in voices)
    for voice in voices:
        voice.open(ahead)
    signals = Signals(blocks, points, hrtf.sample_rate_hz)
    rows = [signals.row(point) for point in points]
    # one hop of the past, then the chunk
    sound = np.zeros((signals.n_rows, (_CHUNK_FRAMES + 1) * hop), dtype=np.float32)
    frame, rendered = 0, 0
    while rendered < n_samples:
        sound[:, :hop] = sound[:, -hop:]
        sound[:, hop:] = signals.take(_CHUNK_FRAMES * hop)
        jump = np.any([voice.jumps(frame) for voice in voices], axis=0)
        spectra = [frame_filter.analyse(row, jump) for row in sound]
        for voice, row in zip(voices, rows, strict=True):
            voice.push(spectra[row], frame)
        frame += _CHUNK_FRAMES
        complete = (frame - 1) * hop  # where the next chunk's first frame starts
        ready = min(max(floor((complete - ahead) / hop), 0) * hop, n_samples)
        if ready > rendered:
            out = np.zeros((2, ready - rendered), dtype=np.float32)
            for voice in voices:
                voice.read_into(out, rendered)
            yield out
            rendered = ready


class _Voice:
    """One point: its filtered sound for both ears, and the delay lines that read it."""

    def __init__(self, point: Point, hrtf: Hrtf, options: RenderOptions, frame_filter: FrameFilter) -> None:
        self._filter, self._hop = frame_filter, frame_filter.hop
        self._control = PointControl(point, hrtf, options, self._hop, frame_filter.frequency_hz)
        shortest, longest = self._control.delay_bounds_samples()
        self.ahead = max(ceil(-shortest), 0) + N_TAPS
        """How far readings may reach past the output [samples]."""
        self._behind = max(ceil(longest), 0) + N_TAPS

    def open(self, ahead: int) -> None:
        """Make the lines, for an output that stays `ahead` samples behind what is complete."""
        self._keep = self._behind + ahead + 2 * self._hop
        self._lines = np.zeros((2, self._keep + _CHUNK_FRAMES * self._hop + self._filter.n_fft), dtype=np.float32)
        self._origin = -self._hop - self._keep  # sample number of the lines' first column

    def jumps(self, first_frame: int) -> NDArray[np.bool_]:
        """Tell in which hops of the next chunk the point jumps; the first lies before the chunk's first frame."""
        return self._control.jumps(first_frame - 1, _CHUNK_FRAMES + 1)

    def push(self, spectra: NDArray[np.float32], first_frame: int) -> None:
        """Filter the next chunk of frames into the lines."""
        chunk = _CHUNK_FRAMES * self._hop
        if first_frame > 0:
            self._lines[:, :-chunk] = self._lines[:, chunk:]
            self._lines[:, -chunk:] = 0.0
            self._origin += chunk
        control = self._control.filters(first_frame, _CHUNK_FRAMES)
        self._filter.synthesise(spectra, control, self._lines[:, self._keep :])

    def read_into(self, out: NDArray[np.float32], first: int) -> None:
        """Add the samples first, first + 1, ... as both ears hear them; `first` is a multiple of the hop."""
        n_intervals = ceil(out.shape[1] / self._hop)
        delay, jump = self._control.delays(first // self._hop, n_intervals + 1)
        for ear in range(2):
            read_delayed(
                self._lines[ear],
                self._origin,
                first,
                self._hop,
                np.ascontiguousarray(delay[:, ear]),
                jump,
                out[ear],
            )
