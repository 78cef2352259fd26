"""Fits recordings in time to a curve: cut, repeated with variation, faded; never pitched, never stretched.

What happens at moments is cut into its hits, and a hit is put to every moment at which the curve says that something
begins, with its own beginning there. What lasts is cut to its length, or repeated from other places with cross-fades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.generate.envelope import NOMINAL_DB
from foleyspace_host.generate.impose import measured_db
from foleyspace_host.media.tape import Tape

__all__ = ["Piece", "hits_in", "levelled", "placed", "sustained"]

Floats = NDArray[np.float32]

_RISE_DB = 9.0  # within `_RISE_FRAMES`, so that something begins
_RISE_FRAMES = 4
_QUIET_DB = 45.0  # below the loudest: the end of a hit
_SHORTEST_S = 0.03
_SOFT_START_S = 0.002
_SOFT_END_S = 0.03
_CROSS_FADE_S = 0.25
_CLOSE = 2  # frames: an onset is spread over the window


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording.

    Parameters
    ----------
    source : int
        Number of the recording.
    start, stop : int
        Its samples.
    """

    source: int
    start: int
    stop: int


def hits_in(sound: Floats, source: int = 0) -> list[Piece]:
    """Find what happens at moments in a recording.

    Parameters
    ----------
    sound : ndarray, float32, shape (n_samples,)
        Recording at 48 kHz.
    source : int
        Its number.

    Returns
    -------
    list of Piece
        Each from its beginning to where it has died away, or the next one begins; none in what lasts.
    """
    level_db = measured_db(sound)
    if not len(level_db) or level_db.max() <= -100.0:
        return []
    floor_db = level_db.max() - _QUIET_DB
    heard = np.maximum(level_db, floor_db)
    padded = np.concatenate([np.full(_RISE_FRAMES, floor_db), heard])
    rise = heard - padded[: len(heard)]
    starts: list[int] = []
    for frame in range(len(heard)):
        around = rise[max(frame - _RISE_FRAMES, 0) : frame + _RISE_FRAMES + 1]
        near = starts and frame - starts[-1] <= _RISE_FRAMES * 2
        if rise[frame] >= _RISE_DB and rise[frame] >= around.max() and not near:
            starts.append(frame)
    hits = []
    for index, frame in enumerate(starts):
        until = starts[index + 1] - _RISE_FRAMES if index + 1 < len(starts) else len(heard)
        quiet = np.flatnonzero(heard[frame:until] <= floor_db + 3.0)
        until = frame + int(quiet[0]) if len(quiet) else until
        start = _start_of(sound, max((frame - _RISE_FRAMES - _CLOSE) * HOP, 0), (frame + _CLOSE) * HOP)
        stop = min((until + 1) * HOP, len(sound))
        if stop - start >= _SHORTEST_S * SAMPLE_RATE_HZ:
            hits.append(Piece(source, start, stop))
    # a recording that begins loud and stays so has not happened at that moment
    if len(hits) == 1 and _lasts(heard, hits[0]):
        return []
    return hits


def _start_of(sound: Floats, first: int, last: int) -> int:
    """Return the first sample that is a tenth as high as the highest of a stretch."""
    part = np.abs(sound[first:last])
    return first + int(np.argmax(part >= 0.1 * part.max())) if len(part) else first


def _lasts(level_db: Floats, hit: Piece) -> bool:
    inside = level_db[hit.start // HOP : -(-hit.stop // HOP)]
    return len(inside) * HOP > SAMPLE_RATE_HZ and float(np.median(inside)) > float(inside.max()) - 15.0


def placed(
    sounds: Sequence[Floats],
    hits: Sequence[Piece],
    onsets_s: Sequence[float],
    n_samples: int,
    seed: int,
    scratch: Path | None = None,
) -> tuple[Tape, list[Piece]]:
    """Put hits to moments.

    Parameters
    ----------
    sounds : sequence of ndarray, float32, shape (n,)
        The recordings.
    hits : sequence of Piece
        What there is, at least one.
    onsets_s : sequence of float
        When something begins [s].
    n_samples : int
        Length of the result.
    seed : int
        The same one chooses the same hits; none follows itself where there are others.
    scratch : Path, optional
        Folder for a long result.

    Returns
    -------
    made : Tape
        The hits at equal levels.
    used : list of Piece
        The hit at each moment.
    """
    random = np.random.default_rng(seed)
    made = Tape(n_samples, scratch)
    used: list[Piece] = []
    deck: list[int] = []
    for onset_s in onsets_s:
        if not deck:  # all are heard before one is heard again
            deck = random.permutation(len(hits)).tolist()
            if used and len(deck) > 1 and hits[deck[-1]] == used[-1]:
                deck.insert(0, deck.pop())
        hit = hits[deck.pop()]
        begin = round(onset_s * SAMPLE_RATE_HZ)
        part = levelled(sounds[hit.source][hit.start : hit.stop])
        _fade(part)
        part = part[: max(n_samples - begin, 0)]
        made[begin : begin + len(part)] += part
        used.append(hit)
    return made, used


def sustained(
    sounds: Sequence[Floats], n_samples: int, seed: int, scratch: Path | None = None, *, loop: bool
) -> tuple[Tape, list[Piece]]:
    """Cut what lasts to a length, or repeat it from other places.

    Parameters
    ----------
    sounds : sequence of ndarray, float32, shape (n,)
        The recordings, each with a sample at least; one follows the other where one is not enough.
    n_samples : int
        Length of the result.
    seed : int
        The same one chooses the same places.
    scratch : Path, optional
        Folder for a long result.
    loop : bool
        Whether the end leads into the beginning.

    Returns
    -------
    made : Tape
    used : list of Piece
    """
    random = np.random.default_rng(seed)
    overlap = min(round(_CROSS_FADE_S * SAMPLE_RATE_HZ), n_samples // 3)
    wanted = n_samples + (overlap if loop else 0)
    made = Tape(wanted, scratch)
    used: list[Piece] = []
    at = turn = 0
    while at < wanted:
        source = turn % len(sounds)
        sound = sounds[source]
        length = min(wanted - at, len(sound))
        start = int(random.integers(0, len(sound) - length + 1))
        if turn >= len(sounds):  # heard before: begin elsewhere, and not at the same length
            start = int(random.integers(0, max(len(sound) // 2, 1)))
            length = min(wanted - at, len(sound) - start)
        part = levelled(sound[start : start + length])
        fade = min(overlap, length // 3)
        if at and fade:
            at -= min(fade, at)
            part = part[: wanted - at]
            curve = np.sqrt(np.linspace(0.0, 1.0, fade, dtype=np.float32))
            made[at : at + fade] *= curve[::-1]
            part[:fade] *= curve[: len(part)]
        made[at : at + len(part)] += part
        used.append(Piece(source, start, start + len(part)))
        at += max(len(part), fade + 1)
        turn += 1
    if loop and overlap:  # what goes on after the end fades out under the beginning
        curve = np.sqrt(np.linspace(0.0, 1.0, overlap, dtype=np.float32))
        made[:overlap] = made[:overlap] * curve + made[n_samples:] * curve[::-1]
        made.cut(n_samples)
    else:
        _fade(made)
    return made, used


def levelled(sound: Floats) -> Floats:
    """Return a sound of which the loudest frames have the usual level."""
    level_db = measured_db(sound)
    if not len(level_db) or level_db.max() <= -140.0:
        return sound.copy()
    usual_db = float(np.percentile(level_db, 95))
    return (sound * np.float32(10.0 ** ((NOMINAL_DB - usual_db) / 20.0))).astype(np.float32)


def _fade(sound: Floats | Tape) -> None:
    """Give a sound soft ends."""
    for n_wanted, end in ((_SOFT_START_S, False), (_SOFT_END_S, True)):
        n = min(round(n_wanted * SAMPLE_RATE_HZ), len(sound) // 4)
        curve = np.linspace(0.0, 1.0, n, dtype=np.float32)
        if n and end:
            sound[-n:] *= curve[::-1]
        elif n:
            sound[:n] *= curve
