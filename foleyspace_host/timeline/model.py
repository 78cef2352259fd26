"""What a timeline comes down to: pieces of media, each at its exact time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

from foleyspace_host.errors import InvalidInput

__all__ = [
    "AUDIO",
    "VIDEO",
    "Fade",
    "Marker",
    "Object",
    "Piece",
    "Wish",
    "check_time",
    "exact_rate",
    "rational",
    "seconds",
]

AUDIO, VIDEO = "Audio", "Video"

Object = dict[str, Any]
"""An object of the document, as JSON has it."""

_NTSC_BASES = (24, 30, 48, 60, 120)
_NTSC_TOLERANCE = Fraction(1, 5000)  # 23.98 is meant as 24000/1001, 24 is not
_MAX_RATE_HZ = 10**7
_MAX_VALUE = 10**15


@dataclass(frozen=True, slots=True)
class Fade:
    """Half of a transition: what happens at one end of a piece.

    Parameters
    ----------
    before_s, after_s : Fraction
        How long the transition lasts before and after the cut [s].
    transition : Object
        The transition of the document; both of its sides name the same one.
    """

    before_s: Fraction
    after_s: Fraction
    transition: Object


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker that lies within a piece.

    Parameters
    ----------
    text : str
        Its name, or its comment where the name says nothing to this program.
    start_s, duration_s : Fraction
        From the start of the timeline [s].
    item : Object, optional
        The marker of the document.
    """

    text: str
    start_s: Fraction
    duration_s: Fraction
    item: Object | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """A sound that a marker wishes for, and that is to be made.

    Parameters
    ----------
    prompt : str
        What it should sound like.
    seed : int or None
        Of its noise; None to make one of the content.
    content : str
        What tells it from other wishes of the same words: the marked range, in which media.
    """

    prompt: str
    seed: int | None
    content: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A clip, flattened: which part of which file is at which time.

    Parameters
    ----------
    kind : str
        Kind of its track: "Audio", "Video" or another.
    name : str
        Path of its names, such as ``A1/door slam``.
    track : str
        Name of the outermost track, or ``A1``, ``V2`` ... where it has none.
    clip : Object
        The clip in the document.
    start_s, duration_s : Fraction
        Where it is in the timeline [s].
    source_s : Fraction
        Where it starts in its file [s]; 0 without a file.
    rate : Fraction
        Rate in which the clip counts its time [Hz].
    speed : Fraction
        Seconds of the file in a second of the timeline: 0 is a frozen frame, negative runs backwards.
    path : Path or None
        Its file.
    available : (Fraction, Fraction) or None
        Start and end of what there is of the file, as the timeline says [s].
    enabled : bool
        Whether it, and all that it lies in, is enabled.
    problem : str
        Why it cannot be used; empty if it can.
    fade_in, fade_out : Fade or None
        The transitions at its ends.
    markers : tuple of Marker
        Those on it and on its surroundings that touch it.
    notes : tuple of str
        What a user should know of it although it can be used.
    parents : tuple of Object
        The objects around it, the outermost first.
    clip_s : Fraction
        Time of the clip, from its own start, at which the piece starts [s]: not 0 where what is around it cuts it.
    clip_speed : Fraction
        Seconds of the clip in a second of the timeline: not 1 where something around it is warped.
    wish : Wish, optional
        It is no clip but a marker that wishes for a sound; `clip` then stands for one.
    """

    kind: str
    name: str
    track: str
    clip: Object
    start_s: Fraction
    duration_s: Fraction
    source_s: Fraction
    rate: Fraction
    speed: Fraction = Fraction(1)
    path: Path | None = None
    available: tuple[Fraction, Fraction] | None = None
    enabled: bool = True
    problem: str = ""
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    markers: tuple[Marker, ...] = ()
    notes: tuple[str, ...] = ()
    parents: tuple[Object, ...] = field(default=(), repr=False)
    clip_s: Fraction = Fraction(0)
    clip_speed: Fraction = Fraction(1)
    wish: Wish | None = None

    @property
    def end_s(self) -> Fraction:
        """Where it ends in the timeline [s]."""
        return self.start_s + self.duration_s

    def cut(self, start_s: Fraction, end_s: Fraction) -> Piece | None:
        """Return the part within a range of the timeline, or None; a fade goes with the end that it was at."""
        first, last = max(start_s, self.start_s), min(end_s, self.end_s)
        if last <= first:
            return None
        return replace(
            self,
            start_s=first,
            duration_s=last - first,
            source_s=self.source_s + (first - self.start_s) * self.speed,
            clip_s=self.clip_s + (first - self.start_s) * self.clip_speed,
            fade_in=self.fade_in if first == self.start_s else None,
            fade_out=self.fade_out if last == self.end_s else None,
        )

    def moved(self, by_s: Fraction) -> Piece:
        """Return the same later in time."""
        markers = tuple(replace(marker, start_s=marker.start_s + by_s) for marker in self.markers)
        return replace(self, start_s=self.start_s + by_s, markers=markers)


def exact_rate(rate: float, where: str = "rate") -> Fraction:
    """Return the rate that a number in a file means: 23.976, 29.97 and 59.94 are fractions over 1001.

    Parameters
    ----------
    rate : float
        Frames or samples a second [Hz].
    where : str
        What messages call it.

    Returns
    -------
    Fraction

    Raises
    ------
    InvalidInput
        If it is no positive number, or beyond all media.
    """
    if (
        isinstance(rate, bool)
        or not isinstance(rate, int | float)
        or not isfinite(rate)
        or not 0 < rate <= _MAX_RATE_HZ
    ):
        raise InvalidInput(
            f"a rate of {str(rate)[:40]} is no rate",
            where=where,
            cure="export the timeline again with a valid frame rate",
        )
    return _exact(rate)


@lru_cache(maxsize=256)  # a timeline says the same few rates thousands of times
def _exact(rate: float) -> Fraction:
    given = Fraction(rate)
    for base in _NTSC_BASES:
        exact = Fraction(base * 1000, 1001)
        if abs(given - exact) <= exact * _NTSC_TOLERANCE:
            return exact
    return given.limit_denominator(1_000_000)


def check_time(time: Object, where: str = "time") -> Fraction:
    """Check a ``RationalTime``, and return its rate.

    Raises
    ------
    InvalidInput
        If its rate or value is no number.
    """
    rate = exact_rate(time.get("rate", 1), where)
    value = time.get("value", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > _MAX_VALUE:
        raise InvalidInput(f"a time of {str(value)[:40]} is no time", where=where, cure="export the timeline again")
    return rate


def seconds(time: Object, where: str = "time") -> Fraction:
    """Return a ``RationalTime`` in exact seconds.

    Raises
    ------
    InvalidInput
        If its rate or value is no number.
    """
    rate = check_time(time, where)
    value = time.get("value", 0)
    if value == int(value):  # nearly always: one fraction instead of two
        return Fraction(int(value) * rate.denominator, rate.numerator)
    return Fraction(value) / rate


def rational(time_s: Fraction, rate: Fraction) -> Object:
    """Return a time as a ``RationalTime`` that says it exactly where the rate allows.

    Parameters
    ----------
    time_s : Fraction
        Time [s].
    rate : Fraction
        Rate to count in [Hz].

    Returns
    -------
    Object
    """
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(time_s * rate)}
