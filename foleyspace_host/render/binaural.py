"""The binaural renderer, over clips of any length in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.render.arc_level import levelled
from foleyspace_host.render.control import PointControl
from foleyspace_host.render.delay import N_TAPS, read_delayed
from foleyspace_host.render.filter import FrameFilter, hop_samples
from foleyspace_host.render.options import RenderOptions, checked_rate
from foleyspace_host.render.points import Point
from foleyspace_host.render.room.presets import room_of
from foleyspace_host.render.scene import points_of
from foleyspace_host.render.signals import Signals

__all__ = ["render_blocks"]

_CHUNK_HOPS = 128
"""Hops that are computed together: enough to keep Python out of the way, few enough for the processor's cache."""


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
    points = levelled(points_of(trajectory, options, duration_s), hrtf)
    room = room_of(options.room)
    if room is None:
        return _point_blocks(blocks, n_samples, points, hrtf, options)
    from foleyspace_host.render.room.hearing import Ears
    from foleyspace_host.render.room.surroundings import surrounded

    return surrounded(
        lambda plain: _point_blocks(plain, n_samples, points, hrtf, options),
        blocks,
        n_samples,
        sample_rate_hz,
        points,
        room,
        Ears(hrtf),
        options,
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
    frame_filter = FrameFilter(hrtf, hop, rings=any(point.tones for point in points))
    voices = [_Voice(point, hrtf, options, frame_filter) for point in points]
    ahead = max(voice.ahead for voice in voices)
    for voice in voices:
        voice.open(ahead)
    signals = Signals(blocks, points, hrtf.sample_rate_hz)
    rows = [signals.row(point) for point in points]
    spectra = [frame_filter.spectra(_CHUNK_HOPS) for _ in range(signals.n_rows)]
    first, rendered = 0, 0
    while rendered < n_samples:
        jump = np.any([voice.jumps(first) for voice in voices], axis=0)
        for sound, target in zip(signals.take(_CHUNK_HOPS * hop), spectra, strict=True):
            frame_filter.analyse(sound, jump, target)
        for voice, row in zip(voices, rows, strict=True):
            voice.push(spectra[row], first)
        first += _CHUNK_HOPS
        ready = min(max(floor((first * hop - ahead) / hop), 0) * hop, n_samples)
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
        self.ahead = max(ceil(-shortest), 0) + N_TAPS + frame_filter.lead
        """How far readings may reach past the output [samples]."""
        self._behind = max(ceil(longest), 0) + N_TAPS

    def open(self, ahead: int) -> None:
        """Make the lines, for an output that stays `ahead` samples behind what is complete."""
        self._keep = self._behind + ahead + 2 * self._hop
        self._lines = np.zeros((2, self._keep + _CHUNK_HOPS * self._hop + self._filter.n_fft), dtype=np.float32)
        self._origin = -self._keep  # sample number of the lines' first column

    def jumps(self, first_hop: int) -> NDArray[np.bool_]:
        """Tell in which hops of the next chunk the point jumps."""
        return self._control.jumps(first_hop, _CHUNK_HOPS)

    def push(self, spectra: NDArray[np.float32], first_hop: int) -> None:
        """Filter the next chunk of hops into the lines."""
        chunk = _CHUNK_HOPS * self._hop
        if first_hop > 0:
            self._lines[:, :-chunk] = self._lines[:, chunk:]
            self._lines[:, -chunk:] = 0.0
            self._origin += chunk
        control = self._control.filters(first_hop, _CHUNK_HOPS + 1)
        self._filter.synthesise(spectra, control, self._lines[:, self._keep - self._filter.lead :])

    def read_into(self, out: NDArray[np.float32], first: int) -> None:
        """Add the samples first, first + 1, ... as both ears hear them; `first` is a multiple of the hop."""
        n_intervals = ceil(out.shape[1] / self._hop)
        delay, jump = self._control.delays(first // self._hop, n_intervals + 1)
        for ear in range(2):
            read_delayed(self._lines[ear], self._origin, first, self._hop, delay[:, ear], jump, out[ear])
