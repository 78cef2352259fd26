"""How the pitch of a sound goes: what a portrait, which stands still, cannot show.

Of a sound that glides two things are learnt: its portrait with the pitch held still, in which partials are sharp, and
the course of its pitch, call by call. To make one like it, calls are drawn for what the curve of loudness shows, each a
little faster or slower, deeper or flatter than it was; the sound is made with its pitch held, and played along them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOWEST_OCTAVES", "Course", "drawn", "packed", "unpacked"]

LOWEST_OCTAVES = -2.5
"""How far below its highest pitch a sound may go [octaves]."""

_UNIT = 1.0 / 96.0  # octaves; of what is kept
_EVENT_DB = 6.0  # by which an event stands out from what is around it
_HEARD_DB = 30.0  # below the loudest of an event
_STRETCH = (0.5, 2.0)  # of a call, to fit an event
_PACE = 1.25  # by which calls that follow each other are faster or slower
_DEPTH = 1.2  # likewise, how far they go
_SHORTEST = 4  # steps of a call
_JOINT = 4  # steps from the end of a call to the beginning of the next within one event

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The calls of a sound that glides.

    Parameters
    ----------
    calls : tuple of ndarray, float32, shape (n,)
        Pitch of each, every `varispeed.STEP` samples, re the highest of all: `LOWEST_OCTAVES` to 0 [octaves].
    """

    calls: tuple[Floats, ...]


def drawn(course: Course, levels_db: Floats, rng: np.random.Generator) -> Floats:
    """Draw a course for a sound of a given loudness.

    Parameters
    ----------
    course : Course
        What it shall be like.
    levels_db : ndarray, float32, shape (n,)
        Level every `varispeed.STEP` samples [dB].
    rng : Generator
        Draws.

    Returns
    -------
    ndarray, float32, shape (n,)
        Pitch re the highest, `LOWEST_OCTAVES` to 0 [octaves].
    """
    place, octaves = [0.0], [0.0]
    for first, stop in _events(levels_db):
        for begin, end, call in _calls_for(course, first, stop, rng):
            place.extend(np.linspace(begin, end, len(call)))
            octaves.extend(call)
    if len(place) > 1:
        octaves[0] = octaves[1]
    found = np.interp(np.arange(len(levels_db)), place, octaves)
    return np.clip(found, LOWEST_OCTAVES, 0.0).astype(np.float32)


def _events(levels_db: Floats) -> list[tuple[int, int]]:
    """Return first and last step of what is heard as one, in order."""
    from scipy.signal import find_peaks

    if not len(levels_db):
        return []
    padded = np.pad(levels_db, 1, constant_values=levels_db.min() - 2.0 * _EVENT_DB)
    peaks = find_peaks(padded, prominence=_EVENT_DB)[0] - 1
    between = [int(first + levels_db[first:last].argmin()) for first, last in pairwise(peaks)]
    found = []
    for first, stop in zip([0, *between], [*between, len(levels_db)], strict=True):
        heard = first + np.flatnonzero(levels_db[first:stop] > levels_db[first:stop].max() - _HEARD_DB)
        found.append((int(heard[0]), int(heard[-1])))
    return found


def _calls_for(
    course: Course, first: int, last: int, rng: np.random.Generator
) -> list[tuple[float, float, NDArray[np.float64]]]:
    """Return calls that fill an event: where each begins and ends, and its pitches."""
    found: list[tuple[float, float, NDArray[np.float64]]] = []
    begin = float(first)
    while begin <= last:
        call = course.calls[int(rng.integers(len(course.calls)))].astype(np.float64)
        middle = 0.5 * (call.max() + call.min())
        call = np.clip(middle + (call - middle) * _DEPTH ** rng.uniform(-1.0, 1.0), LOWEST_OCTAVES, 0.0)
        length, left = len(call) * _PACE ** rng.uniform(-1.0, 1.0), last - begin + 1.0
        if left < _STRETCH[0] * length:  # a part of it
            count = max(_SHORTEST, int(len(call) * left / length))
            start = int(rng.integers(0, max(len(call) - count, 0) + 1))
            call, length = call[start : start + count], left
        elif left < _STRETCH[1] * length:
            length = left
        found.append((begin, begin + max(length - 1.0, 0.0), call))
        begin += length + _JOINT
    return found


def packed(course: Course | None) -> str:
    """Return a course as letters that `unpacked` takes; none for a sound whose pitch stands still."""
    if course is None:
        return ""
    steps = [np.clip(np.round(-call / _UNIT), 0, 254).astype(np.uint8).tobytes() for call in course.calls]
    return b64encode(b"\xff".join(steps)).decode()


def unpacked(content: str) -> Course | None:
    """Return the course in letters from `packed`.

    Raises
    ------
    ValueError
        If a call has no length.
    """
    if not content:
        return None
    calls = tuple(
        (-_UNIT * np.frombuffer(one, dtype=np.uint8)).astype(np.float32)
        for one in b64decode(content, validate=True).split(b"\xff")
    )
    if not all(map(len, calls)):
        raise ValueError("a call has no length")
    return Course(calls)
