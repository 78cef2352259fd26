"""The diffusion renderer: a flow model adds to the renderer's free field what that lacks.

The *prior* is what `render.binaural` makes of a source in free field. A network, asked once (``draft``) or four
times (``fine``), moves its spectrum to what the source would sound like in the room, at the listener's own ears, with
its width. Each source is a flow of its own. Without a step the renderer alone plays: the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.chunks import CHUNK_FRAMES, Stretch
from foleyspace_host.diffusion.features import (
    HOP,
    N_BINS,
    N_FFT,
    SAMPLE_RATE_HZ,
    compressed,
    expanded,
    overlapped,
    spectra,
)
from foleyspace_host.diffusion.listener import listener_of
from foleyspace_host.diffusion.model import FlowModel
from foleyspace_host.diffusion.sampler import Sampler
from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Source, Trajectory
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.media.resample import resampled, resampled_length
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.feed import Feed
from foleyspace_host.render.options import N_STEPS, RenderOptions, checked_rate
from foleyspace_host.render.room.presets import room_of
from foleyspace_host.render.room.reverb import added
from foleyspace_host.render.told import SourceConditions, check_room

__all__ = ["render_flow_blocks"]

Blocks = Iterable[NDArray[np.float32]]

_FIRST = -1  # frame: its window reaches into the first samples
_BEFORE = N_FFT // 2 - _FIRST * HOP  # samples that its window begins before the clip


def render_flow_blocks(
    blocks: Blocks,
    n_samples: int,
    sample_rate_hz: int,
    trajectory: Trajectory,
    hrtf: Hrtf,
    options: RenderOptions,
    model: FlowModel,
    *,
    on_step: Callable[[], None] | None = None,
    chunk_frames: int = CHUNK_FRAMES,
) -> Iterator[NDArray[np.float32]]:
    """Render a clip with a flow model; memory does not depend on its length.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (1, any)
        The clip in order. It is gone through several times, so it must be a collection or something else that
        begins anew with each `iter`.
    n_samples : int
        Samples to render, not negative.
    sample_rate_hz : int
        Sampling rate of the clip [Hz].
    trajectory : Trajectory
        Positions of the sources; all selected ones play the clip.
    hrtf : Hrtf
        Set at 48 kHz.
    options : RenderOptions
        Choices.
    model : FlowModel
        The network.
    on_step : callable, optional
        Called after each evaluation of the network, and often before the first; may raise `Cancelled`.
    chunk_frames : int
        Frames that are computed together; what comes out does not depend on it beyond rounding.

    Returns
    -------
    iterator of ndarray, float32, shape (2, m)
        Left and right ear; n_samples in all.

    Raises
    ------
    InvalidInput
        If no source is selected, the clip is to be spread over channels, the room is of a kind that the model does
        not know, or `hrtf` is at another rate than the model.
    NonFinite
        If a block holds NaN or infinite samples.
    """
    checked_rate(sample_rate_hz)
    if hrtf.sample_rate_hz != SAMPLE_RATE_HZ:
        raise InvalidInput(f"responses at {hrtf.sample_rate_hz} Hz for a model at {SAMPLE_RATE_HZ} Hz", where="hrtf")
    if iter(blocks) is blocks:
        raise InvalidInput("the diffusion renderer reads the clip several times", where="audio", cure="pass a list")
    if not trajectory.selected:
        raise InvalidInput("no source is selected", where="trajectory", cure="select at least one")
    room = room_of(options.room)
    if room is not None:
        check_room(room, model)
    n_inside = resampled_length(n_samples, sample_rate_hz, SAMPLE_RATE_HZ)
    clip = blocks if sample_rate_hz == SAMPLE_RATE_HZ else _Resampled(blocks, sample_rate_hz)
    pause = on_step or (lambda: None)
    flows = [_Flow(clip, n_inside, trajectory, source, hrtf, options, model) for source in trajectory.selected]
    whole = _together([flow.blocks(chunk_frames, pause) for flow in flows])
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return whole
    return _fitted(resampled(whole, SAMPLE_RATE_HZ, sample_rate_hz), n_samples)


class _Flow:
    """One source."""

    def __init__(
        self,
        clip: Blocks,
        n_samples: int,
        trajectory: Trajectory,
        source: Source,
        hrtf: Hrtf,
        options: RenderOptions,
        model: FlowModel,
    ) -> None:
        self._clip, self._n_samples = clip, n_samples
        self._alone = replace(trajectory, sources=(replace(source, selected=True),))
        self._hrtf, self._model = hrtf, model
        # in free field, and a point: what is in a room, or wider, the model makes of it
        self._plain = replace(options, renderer="hrtf", room=None)
        if "extent" in model.adds:
            self._plain = replace(self._plain, extent_deg=0.0)
        self._sampler = Sampler(model, N_STEPS[options.quality], options.seed, _FIRST)
        path = SourcePath.from_source(source, options.spread)
        extent_deg = source.extent_deg if options.extent_deg is None else options.extent_deg
        room = room_of(options.room)
        self._conditions = SourceConditions(path, hrtf, room, extent_deg, listener_of(options.listener), model.adds)
        # beside a prior by the law 1/r, whose reference this stands for, the mono sound has the level of training
        reference_m = path.median_distance_m(max(n_samples, 1) / SAMPLE_RATE_HZ)
        self._mono_gain = 1.0 if options.distance_gain == "physical" else reference_m

    def blocks(self, chunk_frames: int, pause: Callable[[], None]) -> Iterator[NDArray[np.float32]]:
        """Render, calling `pause` after each step."""
        if self._conditions.nothing_lacks:
            yield from self._prior()
            return
        energy = 0.0
        for block in self._prior():
            energy += float(np.square(block, dtype=np.float64).sum())
            pause()
        level = np.float32(np.sqrt(energy / (2 * max(self._n_samples, 1))))
        if level < 1e-9:  # silence
            yield from self._prior()
            return
        prior, mono = Feed(self._prior(), 2), Feed(self._mono(), 1)
        held = np.zeros((3, _BEFORE), dtype=np.float32)
        past = np.zeros((2, N_FFT - HOP), dtype=np.float32)
        n_frames = (self._n_samples + N_FFT // 2 - 1) // HOP - _FIRST + 1
        at = -_BEFORE  # sample at which what comes out begins
        for done in range(0, n_frames, chunk_frames):
            count = min(chunk_frames, n_frames - done)
            held = np.concatenate([held, np.concatenate([prior.take(count * HOP), mono.take(count * HOP)])], axis=1)
            found = spectra(held[:, : N_FFT + (count - 1) * HOP] / level)
            held = held[:, count * HOP :]
            stretch = Stretch.of(
                compressed(found[:2]),
                compressed(found[2:]),
                self._conditions.rows(done + _FIRST, count),
                np.ascontiguousarray(found[:2, N_BINS]),
            )
            for ended in self._sampler.push(stretch, last=done + count == n_frames):
                if ended is None:
                    pause()
                    continue
                sound = overlapped(expanded(ended.maps, ended.nyquist), past) * level
                first, stop = max(-at, 0), self._n_samples - at
                at += sound.shape[1]
                yield sound[:, first : max(min(stop, sound.shape[1]), first)]

    def _prior(self) -> Iterator[NDArray[np.float32]]:
        return render_blocks(self._clip, self._n_samples, SAMPLE_RATE_HZ, self._alone, self._hrtf, self._plain)

    def _mono(self) -> Iterator[NDArray[np.float32]]:
        """Return the clip as it leaves the source, when it is heard: rendered for a listener without a head."""
        options = replace(self._plain, distance_gain="none", air=None)
        headless = _headless(self._hrtf)
        for block in render_blocks(self._clip, self._n_samples, SAMPLE_RATE_HZ, self._alone, headless, options):
            yield block[:1] * np.float32(self._mono_gain)


class _Resampled:
    """A clip at the rate of the model, from the beginning each time."""

    def __init__(self, blocks: Blocks, from_hz: int) -> None:
        self._blocks, self._from_hz = blocks, from_hz

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return resampled(self._blocks, self._from_hz, SAMPLE_RATE_HZ)


def _headless(hrtf: Hrtf) -> Hrtf:
    """Return a set that does nothing, on the same directions."""
    responses = np.zeros((len(hrtf.responses), 2, hrtf.pre_roll_samples + 1), dtype=np.float32)
    responses[..., hrtf.pre_roll_samples] = 1.0
    return replace(hrtf, responses=responses, delay_samples=np.zeros_like(hrtf.delay_samples))


def _together(streams: list[Iterator[NDArray[np.float32]]]) -> Iterator[NDArray[np.float32]]:
    """Add streams."""
    whole = streams[0]
    for stream in streams[1:]:
        whole = added(whole, stream)
    return whole


def _fitted(blocks: Iterable[NDArray[np.float32]], n_samples: int) -> Iterator[NDArray[np.float32]]:
    """Cut or pad what two conversions of the rate made one sample longer or shorter."""
    left = n_samples
    for block in blocks:
        yield block[:, :left]
        left -= min(left, block.shape[1])
    if left:
        yield np.zeros((2, left), dtype=np.float32)
