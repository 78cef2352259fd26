"""From an item to the clip that is placed: its part of the source, with gain, fades and volume, at the project's rate.

What is baked here is not set again on the item that comes back. Times are rounded to samples at both ends, never
durations, so that items that adjoin in the project adjoin in samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.bridges.reaper.fades import fade_in_gain, fade_out_gain
from foleyspace_host.bridges.reaper.request import Item, Sound
from foleyspace_host.errors import DiskFull, InvalidInput, OutputUnwritable
from foleyspace_host.geometry.timebase import Span, sample_at
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.resample import resampled

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource

__all__ = ["Clip", "bake", "item_samples"]

_BLOCK_SAMPLES = 1 << 16
_MARGIN_SAMPLES = 1024  # that the filter of the rate conversion sees beyond the part that is heard

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """What was baked.

    Parameters
    ----------
    n_channels : int
        Channels of the file.
    n_samples : int
        Samples per channel.
    silent : bool
        Whether nothing is heard.
    """

    n_channels: int
    n_samples: int
    silent: bool


def item_samples(item: Item, rate_hz: int) -> int:
    """Return how many samples an item covers in the project, at least 1.

    Parameters
    ----------
    item : Item
        The item.
    rate_hz : int
        Rate of the project [Hz].

    Returns
    -------
    int
        Its rounded end less its rounded start; what the script says if that is one more or less.
    """
    n_samples = sample_at(item.position_s + item.length_s, rate_hz) - sample_at(item.position_s, rate_hz)
    if item.n_samples is not None and abs(item.n_samples - n_samples) <= 1:  # halves may be rounded differently
        n_samples = item.n_samples
    return max(1, n_samples)


def bake(
    item: Item,
    folder: Path,
    out: Path,
    rate_hz: int,
    *,
    tail_s: float = 0.0,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> Clip:
    """Write what an item lets hear as a float WAV file.

    Parameters
    ----------
    item : Item
        The item, with a sound.
    folder : Path
        The job's folder, in which its ``wav`` lies.
    out : Path
        File to write.
    rate_hz : int
        Rate of the project [Hz].
    tail_s : float
        Silence after the item, for what sounds after it [s].
    on_progress : callable
        Called as (samples done, samples in all); raise to stop.

    Returns
    -------
    Clip
        Exactly `item_samples` samples long, and the tail.

    Raises
    ------
    InvalidInput
        If the item has no sound, or nothing of the file is in it.
    MediaError
        If the file cannot be read.
    OutputUnwritable
        If the clip cannot be written (DiskFull if there is no space).
    """
    from foleyspace_host.media.wav import WavWriter

    if item.sound is None:
        raise InvalidInput("the item has no sound", cure="select items with audio")
    n_item = item_samples(item, rate_hz)
    n_samples = n_item + sample_at(tail_s, rate_hz)
    n_channels, blocks = _heard(item.sound, folder, rate_hz, n_item)
    done, silent = 0, True
    try:
        with out.open("wb") as file:
            writer = WavWriter(file, rate_hz, n_channels, "FLOAT")
            for block in _of_length(blocks, n_channels, n_samples):
                gained = block * _gain(item, done, block.shape[1], rate_hz).astype(np.float32)
                silent = silent and not gained.any()
                writer.write(gained)
                done += block.shape[1]
                on_progress(done, n_samples)
            writer.finish()
    except OSError as error:
        kind = DiskFull if error.errno == 28 else OutputUnwritable
        raise kind(f"the clip cannot be written ({error.strerror})", where=str(out)) from error
    return Clip(n_channels, n_samples, silent)


def _heard(sound: Sound, folder: Path, rate_hz: int, n_item: int) -> tuple[int, Iterator[Samples]]:
    """Return the channels of what is heard, and its samples at the project's rate from the item's start on."""
    if sound.wav is not None:
        source = open_audio(folder / sound.wav)
        blocks = resampled(source.blocks(_BLOCK_SAMPLES), source.sample_rate_hz, rate_hz)
        return source.n_channels, _first(blocks, n_item)
    if sound.path is None:
        raise InvalidInput("the item has no sound", cure="select items with audio")
    path = Path(sound.path)
    if not path.is_absolute():
        raise InvalidInput("is not an absolute path", where=sound.path, cure="save the project")
    source = open_audio(path)
    duration_s = n_item / rate_hz if sound.duration_s is None else sound.duration_s
    n_silent = max(0, sample_at(-sound.start_s, rate_hz))
    n_covered = sample_at(sound.start_s + duration_s, rate_hz) - sample_at(sound.start_s, rate_hz)
    # the same length may be rounded to one sample more or less elsewhere: no gap shall come of that
    n_heard = (n_item if n_covered >= n_item - 1 else n_covered) - n_silent
    if n_heard <= 0:
        raise InvalidInput("nothing of the file is in the item", where=sound.path, cure="move the item's contents")
    pieces = _played(path, source, max(sound.start_s, 0.0), n_heard, rate_hz)
    pieces = (_mode(piece, sound.channel_mode) for piece in pieces)
    is_single = sound.channel_mode >= 2 and source.n_channels > 1
    n_channels = 1 if is_single else source.n_channels
    return n_channels, _behind_silence(pieces, n_channels, n_silent)


def _played(path: Path, source: AudioSource, start_s: float, n_heard: int, rate_hz: int) -> Iterator[Samples]:
    """Yield a part of a file at another rate, as if all of the file had been converted and then cut."""
    from_hz = source.sample_rate_hz
    first = sample_at(start_s, from_hz)
    if from_hz == rate_hz:
        part = Span(Fraction(first, from_hz), Fraction(n_heard, from_hz))
        yield from open_audio(path, part).blocks(_BLOCK_SAMPLES)
        return
    # so many samples of the one rate are a whole number of the other
    unit = from_hz // math.gcd(from_hz, rate_hz)
    before = min(-(-_MARGIN_SAMPLES // unit), first // unit) * unit
    n_needed = before + -(-n_heard * from_hz // rate_hz) + _MARGIN_SAMPLES
    part = Span(Fraction(first - before, from_hz), Fraction(n_needed, from_hz))
    converted = resampled(open_audio(path, part).blocks(_BLOCK_SAMPLES), from_hz, rate_hz)
    yield from _first(_without_first(converted, before * rate_hz // from_hz), n_heard)


def _mode(block: Samples, mode: int) -> Samples:
    """Choose the channels as the take's channel mode says."""
    if mode == 0 or block.shape[0] < 2:
        return block
    if mode == 1:
        return block[[1, 0, *range(2, block.shape[0])]]
    if mode == 2:
        return block[:2].mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return block[mode - 3 : mode - 2]


def _gain(item: Item, first: int, n_samples: int, rate_hz: int) -> NDArray[np.float64]:
    """Return the factor of each sample from one on."""
    times_s = np.arange(first, first + n_samples) / rate_hz
    gain = np.full(n_samples, item.gain)
    if item.volume_envelope:
        times, factors = zip(*item.volume_envelope, strict=True)
        gain *= np.interp(times_s, times, factors)
    if (fade := item.fade_in) is not None and fade.length_s > 0.0 and times_s[0] < fade.length_s:
        gain *= fade_in_gain(times_s / fade.length_s, fade.shape, fade.curve)
    if (fade := item.fade_out) is not None and fade.length_s > 0.0:
        start_s = item.length_s - fade.length_s
        if times_s[-1] > start_s:
            gain *= fade_out_gain((times_s - start_s) / fade.length_s, fade.shape, fade.curve)
    return gain


def _behind_silence(blocks: Iterator[Samples], n_channels: int, n_silent: int) -> Iterator[Samples]:
    for start in range(0, n_silent, _BLOCK_SAMPLES):
        yield np.zeros((n_channels, min(_BLOCK_SAMPLES, n_silent - start)), np.float32)
    yield from blocks


def _without_first(blocks: Iterator[Samples], n_samples: int) -> Iterator[Samples]:
    for block in blocks:
        yield block[:, n_samples:]
        n_samples = max(0, n_samples - block.shape[1])


def _first(blocks: Iterator[Samples], n_samples: int) -> Iterator[Samples]:
    for block in blocks:
        yield block[:, :n_samples]
        n_samples -= block.shape[1]
        if n_samples <= 0:
            return


def _of_length(blocks: Iterator[Samples], n_channels: int, n_samples: int) -> Iterator[Samples]:
    """Yield exactly so many samples in pieces that are not empty, silence where there are no more."""
    left = n_samples
    for block in blocks:
        if not block.shape[1]:
            continue
        yield block[:, :left]
        left -= min(left, block.shape[1])
        if not left:
            return
    while left:
        size = min(left, _BLOCK_SAMPLES)
        yield np.zeros((n_channels, size), np.float32)
        left -= size
