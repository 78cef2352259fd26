"""The sound that is placed: any file, as mono or in channels, cut or padded to the length of the clip."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.stages import OnProgress, Stages

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.media.audio import AudioSource

__all__ = ["BLOCK_SAMPLES", "Channels", "DryClip", "Fit", "fitted", "open_dry", "scan"]

BLOCK_SAMPLES = 1 << 16

Channels = Literal["mono", "spread"]
Fit = Literal["exact", "padded", "cut"]


@dataclass(frozen=True, slots=True)
class DryClip:
    """A sound with the length that the output shall have.

    Parameters
    ----------
    source : AudioSource
        The sound, already scanned.
    n_samples : int
        Length of the output.
    channels : {"mono", "spread"}
        Whether the channels are summed or kept side by side.
    """

    source: AudioSource
    n_samples: int
    channels: Channels = "mono"

    @property
    def fit(self) -> Fit:
        """What happens to the end of the sound."""
        if self.source.n_samples == self.n_samples:
            return "exact"
        return "cut" if self.source.n_samples > self.n_samples else "padded"

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield exactly `n_samples` samples, shape (n_channels, n).

        One channel is the sum of all, with the level of the channels kept.
        """
        return fitted(self.source.blocks(BLOCK_SAMPLES, "mono" if self.channels == "mono" else "all"), self.n_samples)


def open_dry(path: Path, span: Span | None = None) -> AudioSource:
    """Open a sound that is to be placed.

    Parameters
    ----------
    path : Path
        Sound file, or video with sound.
    span : Span, optional
        The part of it to take, as if it had been cut out.

    Returns
    -------
    AudioSource

    Raises
    ------
    MediaError
        If there is no sound in it that can be used.
    InvalidInput
        If its sampling rate cannot be rendered, or no sample of it is in the span.
    """
    from foleyspace_host.media.audio import open_audio
    from foleyspace_host.render.options import MAX_RATE_HZ, MIN_RATE_HZ

    source = open_audio(path, span)
    if not MIN_RATE_HZ <= source.sample_rate_hz <= MAX_RATE_HZ:
        raise InvalidInput(
            f"a sampling rate of {source.sample_rate_hz} Hz cannot be rendered",
            where=str(path),
            cure=f"convert it to {MIN_RATE_HZ // 1000} to {MAX_RATE_HZ // 1000} kHz",
        )
    return source


def scan(source: AudioSource, stages: Stages, report: OnProgress) -> None:
    """Count a sound's samples and measure its mono sum, unless that is known from an earlier time.

    Parameters
    ----------
    source : AudioSource
        The sound; see `AudioSource.scan`, also for what is raised.
    stages : Stages
        The chain that this is a part of, which may have a cache.
    report : callable
        Called as (done, total).
    """
    cache = stages.cache_of("decode")
    if cache is None:
        source.scan(report)
        return
    from foleyspace_host.pipeline.stage_cache import file_digest
    from foleyspace_host.pipeline.stage_key import stage_key

    digest = file_digest(source.path, report)
    key = stage_key("decode", sound=digest, span=source.span)
    if (text := cache.fetch_text(key)) is not None:
        facts = json.loads(text)
        source.take_scan(facts["n_samples"], facts["mono_gain"])
        stages.reused.append("decode")
        return
    source.scan(report)
    if file_digest(source.path) == digest:  # it may have changed meanwhile
        cache.store_text(key, json.dumps({"n_samples": source.n_samples, "mono_gain": source.mono_gain}))


def fitted(blocks: Iterable[NDArray[np.float32]], n_samples: int) -> Iterator[NDArray[np.float32]]:
    """Cut a stream of blocks, or pad it with silence, to a length.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n,) or (n_channels, n)
        At least one block.
    n_samples : int
        Length wanted.

    Yields
    ------
    ndarray
        Blocks of together `n_samples` samples.
    """
    left = n_samples
    leading: tuple[int, ...] = ()
    for block in blocks:
        leading = block.shape[:-1]
        if left <= 0:
            break
        yield block[..., :left]
        left -= min(left, block.shape[-1])
    while left > 0:
        size = min(left, BLOCK_SAMPLES)
        yield np.zeros((*leading, size), np.float32)
        left -= size
