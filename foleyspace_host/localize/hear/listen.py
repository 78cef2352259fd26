"""Everything that is heard in a file, in one pass and little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.localize.hear.mel import RATE_HZ, log_mel
from foleyspace_host.localize.hear.onsets import Loudness, follow_loudness
from foleyspace_host.localize.hear.tag import Tagger, Tags

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.models.session import Device

__all__ = ["Heard", "listen"]

_BLOCK_S = 10  # of sound turned into a spectrogram at a time
_OVERLAP = 240  # samples by which windows reach into the next step


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard.

    Parameters
    ----------
    tags : Tags
        Kinds of sound over time.
    loudness : Loudness
        Level and onsets.
    """

    tags: Tags
    loudness: Loudness


def listen(
    sound: AudioSource,
    *,
    model: str | Path | None = None,
    device: Device = "auto",
    on_progress: Callable[[int, int], None] | None = None,
) -> Heard:
    """Listen to a sound.

    Parameters
    ----------
    sound : AudioSource
        The sound, at any rate and with any channels.
    model : str or Path, optional
        ONNX file of YAMNet's signature; the shipped one if not given.
    device : {"auto", "cpu", "cuda"}
        Where the model computes.
    on_progress : callable, optional
        Called as on_progress(done, total) with samples heard; raises Cancelled to stop.

    Returns
    -------
    Heard

    Raises
    ------
    MediaError
        If the sound cannot be read.
    ModelUnavailable
        If the model or ONNX Runtime is missing or broken.
    """
    from foleyspace_host.media.resample import resampled
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    tagger = Tagger(open_session(find("yamnet", model), device=device))
    pieces: list[np.ndarray] = []  # onsets are measured from the level of the loudest, which is known at the end

    def take(heard: np.ndarray) -> None:
        pieces.append(log_mel(heard))
        tagger.add(pieces[-1])

    waiting = np.zeros(0, dtype=np.float32)
    for block in resampled(_counted(sound, on_progress), sound.sample_rate_hz, RATE_HZ):
        waiting = np.concatenate([waiting, block])
        if len(waiting) >= _BLOCK_S * RATE_HZ:
            usable = (len(waiting) - _OVERLAP) // 160 * 160 + _OVERLAP
            take(waiting[:usable])
            waiting = waiting[usable - _OVERLAP :]
    if len(waiting) > _OVERLAP or not pieces:
        take(waiting)
    return Heard(tagger.finish(), follow_loudness(*pieces))


def _counted(sound: AudioSource, on_progress: Callable[[int, int], None] | None) -> Iterator[np.ndarray]:
    done = 0
    for block in sound.blocks(1 << 16, "mono"):
        mono = block.reshape(-1)
        done += len(mono)
        yield mono
        if on_progress is not None:
            on_progress(done, sound.n_samples)
