"""The binaural renderer, over clips of any length in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import ceil, floor
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput, NonFinite
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.hrtf.prepare import Hrtf, load_hrtf
from foleyspace_host.render.control import PointControl
from foleyspace_host.render.delay import N_TAPS, read_delayed
from foleyspace_host.render.filter import FrameFilter, hop_samples
from foleyspace_host.render.options import DistanceGain, Propagation, RenderOptions
from foleyspace_host.render.points import Point, points_of

__all__ = ["MAX_RATE_HZ", "MIN_RATE_HZ", "render", "render_blocks"]

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000

_CHUNK_FRAMES = 64
"""Frames that are transformed together: enough for long vectors, few enough for the processor's cache."""


def render(
    mono: ArrayLike,
    sample_rate_hz: int,
    trajectory: Trajectory,
    *,
    hrtf: Path | str | None = None,
    distance_gain: DistanceGain = "relative",
    propagation: Propagation = "none",
    spread: float = 1.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Render a mono clip binaurally along a trajectory.

    Parameters
    ----------
    mono : array_like, shape (n_samples,)
        Clip, nominally within +-1; every selected source plays it.
    sample_rate_hz : int
        Its sampling rate, 8 to 192 kHz [Hz].
    trajectory : Trajectory
        Positions; time 0 is the first sample.
    hrtf : path-like, optional
        SOFA file; the KEMAR that ships by default.
    distance_gain, propagation, spread
        See `RenderOptions`.
    on_progress : callable, optional
        Called as on_progress(done_samples, n_samples); may raise `Cancelled`.

    Returns
    -------
    ndarray, float32, shape (2, n_samples)
        Left and right ear, as long as the clip: its first sample is heard at the first sample, give or
        take the travel time across the head. Not limited: a near source may pass +-1.

    Raises
    ------
    InvalidInput
        If the clip is not one-dimensional, the rate is out of range, no source is selected, or an
        option is unknown.
    NonFinite
        If the clip holds NaN or infinite samples.
    HrtfInvalid
        If the SOFA file cannot be used.
    """
    options = RenderOptions(distance_gain, propagation, spread)
    clip = np.ascontiguousarray(mono, dtype=np.float32)
    if clip.ndim != 1:
        raise InvalidInput(f"audio of shape {clip.shape} is not one channel", where="mono", cure="pass shape (n,)")
    out = np.zeros((2, len(clip)), dtype=np.float32)
    prepared = load_hrtf(hrtf, _checked_rate(sample_rate_hz))
    done = 0
    for block in render_blocks([clip], len(clip), sample_rate_hz, trajectory, prepared, options):
        out[:, done : done + block.shape[1]] = block
        done += block.shape[1]
        if on_progress is not None:
            on_progress(done, len(clip))
    return out


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

    Yields
    ------
    ndarray, float32, shape (2, m)
        Left and right ear; n_samples in all.

    Raises
    ------
    InvalidInput
        If no source is selected or the rates differ.
    NonFinite
        If a block holds NaN or infinite samples.
    """
    if hrtf.sample_rate_hz != _checked_rate(sample_rate_hz):
        raise InvalidInput(f"responses at {hrtf.sample_rate_hz} Hz for a clip at {sample_rate_hz} Hz", where="hrtf")
    hop = hop_samples(sample_rate_hz)
    frame_filter = FrameFilter(hrtf, hop)
    duration_s = max(n_samples, 1) / sample_rate_hz
    voices = [_Voice(point, hrtf, options, frame_filter) for point in points_of(trajectory, options, duration_s)]
    feed = _Feed(blocks)
    sound = np.zeros((_CHUNK_FRAMES + 1) * hop, dtype=np.float32)  # one hop of the past, then the chunk
    frame, rendered = 0, 0
    while rendered < n_samples:
        sound[:hop] = sound[-hop:]
        feed.read_into(sound[hop:])
        spectra = frame_filter.analyse(sound)
        for voice in voices:
            voice.push(spectra, frame)
        frame += _CHUNK_FRAMES
        ready = min(min(voice.ready_samples for voice in voices), n_samples)
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
        self._control = PointControl(point, hrtf, options, self._hop)
        shortest, longest = self._control.delay_bounds_samples()
        self._ahead = max(ceil(-shortest), 0) + N_TAPS  # how far readings may reach past the output
        self._behind = max(ceil(longest), 0) + N_TAPS
        chunk = _CHUNK_FRAMES * self._hop
        self._keep = self._behind + self._ahead + 2 * self._hop
        self._lines = np.zeros((2, self._keep + chunk + frame_filter.n_fft), dtype=np.float32)
        self._origin = -self._hop - self._keep  # sample number of the lines' first column
        self.ready_samples = 0

    def push(self, spectra: NDArray[np.complex64], first_frame: int) -> None:
        """Filter the next chunk of frames into the lines."""
        chunk = _CHUNK_FRAMES * self._hop
        if first_frame > 0:
            self._lines[:, :-chunk] = self._lines[:, chunk:]
            self._lines[:, -chunk:] = 0.0
            self._origin += chunk
        control = self._control.filters(first_frame, _CHUNK_FRAMES)
        self._filter.synthesise(spectra, control, self._lines[:, self._keep :])
        complete = (first_frame + _CHUNK_FRAMES - 1) * self._hop  # where the next chunk's first frame starts
        self.ready_samples = max(floor((complete - self._ahead) / self._hop), 0) * self._hop

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


class _Feed:
    """Blocks of any size, read in any size; silence follows the last."""

    def __init__(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        self._blocks = iter(blocks)
        self._rest = np.zeros(0, dtype=np.float32)

    def read_into(self, out: NDArray[np.float32]) -> None:
        filled = 0
        while filled < len(out):
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    out[filled:] = 0.0
                    return
                self._rest = np.asarray(block, dtype=np.float32)
                if not np.isfinite(self._rest).all():
                    raise NonFinite("the audio holds NaN or infinite samples", cure="repair or re-export it")
            taken = min(len(self._rest), len(out) - filled)
            out[filled : filled + taken] = self._rest[:taken]
            self._rest = self._rest[taken:]
            filled += taken


def _checked_rate(sample_rate_hz: int) -> int:
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        raise InvalidInput(
            f"a sampling rate of {sample_rate_hz} Hz cannot be rendered",
            where="audio",
            cure="convert to 8-192 kHz",
        )
    return sample_rate_hz
