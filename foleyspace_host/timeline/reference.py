"""A clip of the document as a piece: its part of its file, its speed, its markers, and why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isfinite
from pathlib import Path

from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.timeline.document import schema_of
from foleyspace_host.timeline.markers import marker_text
from foleyspace_host.timeline.model import Marker, Object, Piece, exact_rate, seconds

__all__ = ["active_reference", "clip_piece", "is_time_effect", "source_range", "speed_of"]

_TIME_EFFECTS = ("TimeEffect", "LinearTimeWarp", "FreezeFrame")
_MAX_SPEED = 1000

Span = tuple[Fraction, Fraction]


def source_range(item: Object) -> Span | None:
    """Return the start and the duration of an item's part of its content [s], or None for all of it."""
    return _range(item.get("source_range"))


def is_time_effect(effect: object) -> bool:
    """Tell whether an effect changes what is at which time."""
    return schema_of(effect) in _TIME_EFFECTS


def active_reference(clip: Object) -> tuple[Object | None, str]:
    """Return the media reference that is in use, and its key; of a clip of an older schema the only one."""
    if "media_references" not in clip:
        only = clip.get("media_reference")
        return only if isinstance(only, dict) else None, ""
    key = str(clip.get("active_media_reference_key") or "DEFAULT_MEDIA")
    references = clip["media_references"]
    reference = references.get(key) if isinstance(references, dict) else None
    return reference if isinstance(reference, dict) else None, key


def clip_piece(
    clip: Object,
    kind: str,
    names: tuple[str, ...],
    file: Callable[[str], Path],
    length_of: Callable[[Path], Fraction],
) -> Piece:
    """Return a clip as a piece that starts at 0.

    Parameters
    ----------
    clip : Object
        A ``Clip`` of the document.
    kind : str
        Kind of its track.
    names : tuple of str
        Names from the track to the clip.
    file : callable
        Gives the file of a URL, or raises `FoleySpaceError`.
    length_of : callable
        Gives the duration of a file [s], or raises `FoleySpaceError`.

    Returns
    -------
    Piece
        With a duration of -1 where nothing tells how long it is.
    """
    problems: list[str] = []
    reference, key = active_reference(clip)
    path = _path(reference, key, clip, file, problems)
    available = _range((reference or {}).get("available_range"))
    used = source_range(clip)
    if used is None:
        used = available
    if used is None and path is not None:
        try:
            used = Fraction(0), length_of(path)
        except FoleySpaceError as error:
            problems.append(error.problem)
    if used is None:
        problems.append("neither the clip nor its media say how long it is")
        used = Fraction(0), Fraction(-1)
    zero_s = Fraction(0) if available is None else available[0]
    start_s, duration_s = used
    speed, notes = speed_of(clip, problems)
    source_s = start_s - zero_s
    if speed < 0:  # its range is the part of the media that is used, played from its end
        source_s -= duration_s * speed
    if duration_s == 0:
        problems.append("it has no length")
    if path is not None and min(source_s, source_s + duration_s * speed) < 0:
        problems.append("it starts before its media")
    if available is not None and max(source_s, source_s + duration_s * speed) > available[1]:
        notes.append(f"it lasts longer than its media, silence {'follows' if speed > 0 else 'comes first'}")
    return Piece(
        kind=kind,
        name="/".join(names),
        track=names[0],
        clip=clip,
        start_s=Fraction(0),
        duration_s=duration_s,
        source_s=source_s,
        rate=_rate(clip, reference),
        speed=speed,
        path=path,
        available=None if available is None else (Fraction(0), available[1]),
        problem="; ".join(problems),
        markers=_markers(clip, start_s),
        notes=tuple(notes),
    )


def _range(value: object) -> Span | None:
    if not isinstance(value, dict):
        return None
    return seconds(value.get("start_time") or {}), max(seconds(value.get("duration") or {}), Fraction(0))


def _path(
    reference: Object | None, key: str, clip: Object, file: Callable[[str], Path], problems: list[str]
) -> Path | None:
    """Return the file of a reference; without one, say why."""
    schema = schema_of(reference)
    others = [name for name in clip.get("media_references") or () if name != key]
    if schema == "ExternalReference" and reference is not None:
        try:
            return file(str(reference.get("target_url") or ""))
        except FoleySpaceError as error:
            problems.append(error.problem)
    elif schema in ("", "MissingReference"):
        problems.append(f"no media is linked as {key!r}" if others else "no media is linked")
    elif schema == "GeneratorReference":
        problems.append("its media come from a generator of the editing program")
    elif schema == "ImageSequenceReference":
        problems.append("its media are a sequence of images")
    else:
        problems.append(f"its media are of the unknown schema {schema!r}")
    if others and problems:
        problems[-1] += f" (it has {', '.join(map(repr, others))} too, which is not in use)"
    return None


def speed_of(item: Object, problems: list[str]) -> tuple[Fraction, list[str]]:
    """Return the speed at which an item runs, and what it has of other effects.

    Parameters
    ----------
    item : Object
        A clip, stack or track.
    problems : list of str
        Gets why its speed is not known, if that is so.

    Returns
    -------
    speed : Fraction
        Seconds of its content in a second outside of it: 0 is a frozen frame, negative runs backwards.
    notes : list of str
        A line for each of the other effects.
    """
    speed, notes = Fraction(1), []
    for effect in item.get("effects") or ():
        schema = schema_of(effect)
        name = (effect.get("effect_name") or effect.get("name") or schema) if isinstance(effect, dict) else "?"
        if schema == "FreezeFrame":
            speed = Fraction(0)
        elif schema == "LinearTimeWarp":
            scalar = effect.get("time_scalar", 1)
            if isinstance(scalar, bool) or not isinstance(scalar, int | float) or not isfinite(scalar):
                problems.append("its time warp has no valid speed")
            elif abs(scalar) > _MAX_SPEED:
                problems.append(f"its time warp is faster than {_MAX_SPEED} times")
            else:
                speed *= Fraction(scalar).limit_denominator(1_000_000)
        elif is_time_effect(effect):
            problems.append(f"its time effect {name!r} is not understood")
        else:
            notes.append(f"the effect {name!r} is left to the editing program")
    return speed, notes


def _rate(clip: Object, reference: Object | None) -> Fraction:
    """Return the rate in which a clip counts."""
    for span in (clip.get("source_range"), (reference or {}).get("available_range")):
        duration = span.get("duration") if isinstance(span, dict) else None
        if isinstance(duration, dict):
            return exact_rate(duration.get("rate", 1))
    return Fraction(1000)


def _markers(clip: Object, start_s: Fraction) -> tuple[Marker, ...]:
    """Return the markers of a clip, which count in its own time: from the start of its range, at any speed."""
    found = []
    for marker in clip.get("markers") or ():
        marked = _range(marker.get("marked_range")) if isinstance(marker, dict) else None
        if marked is not None:
            found.append(Marker(marker_text(marker), marked[0] - start_s, marked[1], item=marker))
    return tuple(found)
