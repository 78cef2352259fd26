"""A time warp on a whole nested stack or track: what it holds, at the times at which that is seen and heard then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from foleyspace_host.timeline.model import Fade, Marker, Piece

__all__ = ["warped"]

_Pieces = list[Piece]


def warped(pieces: Sequence[Piece], start_s: Fraction, duration_s: Fraction, speed: Fraction) -> _Pieces:
    """Return the pieces of a nested timeline that runs at another speed.

    Moment t of the result is moment ``start_s + speed * t`` of what is nested; backwards, the same part is seen and
    heard from its end: ``start_s + speed * (t - duration_s)``.

    Parameters
    ----------
    pieces : sequence of Piece
        What is nested, in its own time.
    start_s : Fraction
        Where the part of what is nested starts that is used [s].
    duration_s : Fraction
        How long the result is [s].
    speed : Fraction
        Seconds of what is nested in a second of the result: 0 is a frozen frame, negative runs backwards.

    Returns
    -------
    list of Piece
        From 0 to `duration_s`.
    """
    if speed < 0:
        start_s -= speed * duration_s
    moved = (_frozen(piece, start_s, duration_s) if speed == 0 else _run(piece, start_s, speed) for piece in pieces)
    cut = (piece.cut(Fraction(0), duration_s) for piece in moved if piece is not None)
    return [piece for piece in cut if piece is not None]


def _frozen(piece: Piece, at_s: Fraction, duration_s: Fraction) -> Piece | None:
    """Return what a piece is while its surroundings stand still: one moment of it, or nothing."""
    if not piece.start_s <= at_s < piece.end_s:
        return None
    return replace(
        piece,
        start_s=Fraction(0),
        duration_s=duration_s,
        source_s=piece.source_s + (at_s - piece.start_s) * piece.speed,
        speed=Fraction(0),
        clip_s=piece.clip_s + (at_s - piece.start_s) * piece.clip_speed,
        clip_speed=Fraction(0),
        fade_in=None,
        fade_out=None,
        markers=(),
    )


def _run(piece: Piece, start_s: Fraction, speed: Fraction) -> Piece:
    """Return a piece as it is when its surroundings run at a speed from a moment on."""
    pace = abs(speed)
    backwards = speed < 0
    first_s = (start_s - piece.end_s if backwards else piece.start_s - start_s) / pace
    fades = piece.fade_in, piece.fade_out
    if backwards:
        fades = _turned(piece.fade_out), _turned(piece.fade_in)
    return replace(
        piece,
        start_s=first_s,
        duration_s=piece.duration_s / pace,
        source_s=piece.source_s + piece.duration_s * piece.speed if backwards else piece.source_s,
        clip_s=piece.clip_s + piece.duration_s * piece.clip_speed if backwards else piece.clip_s,
        clip_speed=piece.clip_speed * speed,
        speed=piece.speed if piece.wish is not None else piece.speed * speed,  # a sound that is made has no other
        fade_in=_scaled(fades[0], pace),
        fade_out=_scaled(fades[1], pace),
        markers=tuple(_marked(marker, start_s, speed) for marker in piece.markers),
    )


def _turned(fade: Fade | None) -> Fade | None:
    return None if fade is None else Fade(fade.after_s, fade.before_s, fade.transition)


def _scaled(fade: Fade | None, pace: Fraction) -> Fade | None:
    return None if fade is None else Fade(fade.before_s / pace, fade.after_s / pace, fade.transition)


def _marked(marker: Marker, start_s: Fraction, speed: Fraction) -> Marker:
    ends = sorted((marker.start_s + more_s - start_s) / speed for more_s in (Fraction(0), marker.duration_s))
    return replace(marker, start_s=ends[0], duration_s=ends[1] - ends[0])
