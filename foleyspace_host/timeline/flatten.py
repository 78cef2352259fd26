"""A timeline as flat pieces: nested stacks opened, every time exact, whatever is not understood named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from foleyspace_host.timeline.document import children, schema_of
from foleyspace_host.timeline.markers import marker_text
from foleyspace_host.timeline.model import AUDIO, VIDEO, Fade, Marker, Object, Piece, seconds
from foleyspace_host.timeline.reference import clip_piece, source_range, speed_of
from foleyspace_host.timeline.warp import warped
from foleyspace_host.timeline.wishes import touches, wishes

__all__ = ["Flat", "flatten", "is_ours", "was_replaced"]

_LETTERS = {AUDIO: "A", VIDEO: "V"}
_CONTAINERS = ("Stack", "Track", "Sequence")


@dataclass(frozen=True, slots=True)
class Flat:
    """A timeline in pieces.

    Parameters
    ----------
    pieces : tuple of Piece
        From the lowest track to the top-most; within a track in order of time.
    duration_s : Fraction
        How long the timeline is [s].
    markers : tuple of Marker
        Those of the timeline as a whole.
    offset_s : Fraction
        Where it starts in the time of its tracks, which may be longer than what is shown of them [s].
    """

    pieces: tuple[Piece, ...]
    duration_s: Fraction
    markers: tuple[Marker, ...]
    offset_s: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the timeline an object is."""

    kind: str
    names: tuple[str, ...]
    enabled: bool
    parents: tuple[Object, ...]

    def inside(self, item: Object, *, kind: str | None = None, name: str | None = None) -> _Place:
        called = item.get("name") or name
        return _Place(
            kind or self.kind,
            (*self.names, str(called)) if called else self.names,
            self.enabled and (item.get("enabled") is not False or was_replaced(item)),
            (*self.parents, item),
        )


_Part = tuple[list[Piece], Fraction]


def is_ours(track: Object) -> bool:
    """Tell whether this program wrote a track earlier."""
    told = (track.get("metadata") or {}).get("foleyspace")
    return isinstance(told, dict) and told.get("role") == "render"


def was_replaced(item: Object) -> bool:
    """Tell whether this program disabled a clip earlier, because a rendered one sounds in its place."""
    told = (item.get("metadata") or {}).get("foleyspace")
    return isinstance(told, dict) and told.get("replaced") is True


def flatten(timeline: Object, file: Callable[[str], Path], length_of: Callable[[Path], Fraction]) -> Flat:
    """Return the pieces of a timeline.

    Parameters
    ----------
    timeline : Object
        A ``Timeline`` of the document.
    file : callable
        Gives the file of a URL, or raises `FoleySpaceError`.
    length_of : callable
        Gives the duration of a file that the timeline does not say [s], or raises `FoleySpaceError`.

    Returns
    -------
    Flat
        Tracks that this program wrote are left out.
    """
    stack = timeline["tracks"]
    walk = _Walk(file, length_of)
    numbers: dict[str, int] = {}
    pieces: list[Piece] = []
    duration_s = Fraction(0)
    top = _Place("", (), stack.get("enabled") is not False, (stack,))
    for child in children(stack):
        kind = str(child.get("kind") or "")
        numbers[kind] = numbers.get(kind, 0) + (not is_ours(child))
        if is_ours(child):
            continue
        name = f"{_LETTERS.get(kind, 'T')}{numbers[kind]}"
        part, length_s = walk.item(child, replace(top, names=() if child.get("name") else (name,)))
        pieces += part
        duration_s = max(duration_s, length_s)
    markers = _markers(stack, Fraction(0))
    pieces = _marked(pieces, markers)
    pieces += wishes(markers, (str(stack.get("name") or "timeline"),), enabled=top.enabled, parents=(stack,))
    problems: list[str] = []
    if speed_of(stack, problems)[0] != 1 or problems:
        problem = "a time warp on the whole timeline is not understood"
        pieces = [replace(piece, problem=piece.problem or problem) for piece in pieces]
    offset_s = Fraction(0)
    if (whole := source_range(stack)) is not None:
        offset_s = whole[0]
        pieces, duration_s = _trimmed(pieces, *whole)
        markers = tuple(replace(marker, start_s=marker.start_s - whole[0]) for marker in markers)
    return Flat(tuple(pieces), duration_s, markers, offset_s)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Goes through the objects of a timeline."""

    file: Callable[[str], Path]
    length_of: Callable[[Path], Fraction]

    def item(self, item: Object, place: _Place) -> _Part:
        """Return the pieces of an item from its own start on, and how long it lasts."""
        schema = schema_of(item)
        if schema == "Clip":
            at = place.inside(item, name="clip")
            piece = clip_piece(item, at.kind, at.names, self.file, self.length_of)
            piece = replace(piece, enabled=at.enabled, parents=place.parents)
            wished = wishes(piece.markers, at.names, enabled=at.enabled, parents=place.parents, around=piece)
            return [piece, *wished], piece.duration_s
        if schema in _CONTAINERS:
            return self._container(item, place, is_track=schema != "Stack")
        known = source_range(item)
        length_s = Fraction(0) if known is None else known[1]
        if schema in ("Gap", "Filler"):
            at = place.inside(item, name="gap")
            markers = _markers(item, Fraction(0) if known is None else known[0])
            return wishes(markers, at.names, enabled=at.enabled, parents=place.parents, end_s=length_s), length_s
        at = place.inside(item, name=schema or "object")
        problem = f"an object of the unknown schema {schema!r}"
        piece = Piece(at.kind, "/".join(at.names), at.names[0], item, Fraction(0), length_s, Fraction(0), Fraction(1))
        if known is None:
            problem += ", which does not say how long it is"
        return [replace(piece, problem=problem, parents=place.parents)], Fraction(-1) if known is None else length_s

    def _container(self, item: Object, place: _Place, *, is_track: bool) -> _Part:
        at = place.inside(item, kind=str(item.get("kind") or place.kind) if is_track else None)
        if place.kind == AUDIO:  # of a nested timeline in a track of sound, only the sound is meant
            at = replace(at, kind=at.kind if is_track else AUDIO)
        pieces, length_s = self._track(item, at) if is_track else self._stack(item, at)
        if place.kind == AUDIO:
            pieces = [piece for piece in pieces if piece.kind == AUDIO]
        problems: list[str] = []
        speed, others = speed_of(item, problems)
        part = source_range(item)
        markers = _markers(item, Fraction(0))
        if speed != 1 and not problems:  # its own markers count in the time of the result
            start_s, length_s = (Fraction(0), length_s) if part is None else part
            pieces = warped(pieces, start_s, length_s, speed)
            markers, part = _markers(item, start_s), (Fraction(0), length_s)
        pieces = _marked(pieces, markers)
        pieces += wishes(markers, at.names, enabled=at.enabled, parents=at.parents)
        if part is not None:
            pieces, length_s = _trimmed(pieces, *part)
        if problems:
            problem = f"of the nested stack or track around it: {problems[0]}"
            pieces = [replace(piece, problem=piece.problem or problem) for piece in pieces]
        if others:
            note = "effects of the nested stack or track around it are not applied"
            pieces = [replace(piece, notes=(*piece.notes, note)) for piece in pieces]
        return pieces, length_s

    def _stack(self, stack: Object, place: _Place) -> _Part:
        pieces: list[Piece] = []
        length_s = Fraction(0)
        for child in children(stack):
            part, part_s = self.item(child, place)
            pieces += part
            length_s = max(length_s, part_s)
        return pieces, length_s

    def _track(self, track: Object, place: _Place) -> _Part:
        pieces: list[Piece] = []
        at_s, lost = Fraction(0), ""
        items = list(children(track))
        for before, item, after in zip([None, *items], items, [*items[1:], None], strict=False):
            if schema_of(item) == "Transition":
                continue
            part, length_s = self.item(item, place)
            if length_s < 0:  # nobody knows where the rest of the track is
                lost = lost or f"follows {part[0].name!r}, whose length is not known"
            elif lost:
                part = [replace(piece, problem=lost) for piece in part]
            pieces += (_faded(piece, before, after, whole=schema_of(item) == "Clip").moved(at_s) for piece in part)
            at_s += max(length_s, Fraction(0))
        return pieces, at_s


def _faded(piece: Piece, before: Object | None, after: Object | None, *, whole: bool) -> Piece:
    """Return a piece with the transitions that stand beside it in its track."""
    if piece.wish is not None:
        return piece
    fades = [_fade(item) for item in (before, after)]
    if whole:
        return replace(piece, fade_in=fades[0], fade_out=fades[1])
    if any(fades):
        return replace(piece, notes=(*piece.notes, "a transition at the end of a nested stack is not applied"))
    return piece


def _fade(item: Object | None) -> Fade | None:
    if item is None or schema_of(item) != "Transition":
        return None
    nothing: Object = {"rate": 1, "value": 0}
    before_s, after_s = (max(seconds(item.get(name) or nothing), Fraction(0)) for name in ("in_offset", "out_offset"))
    return Fade(before_s, after_s, item)


def _trimmed(pieces: list[Piece], start_s: Fraction, duration_s: Fraction) -> _Part:
    cut = (piece.cut(start_s, start_s + duration_s) for piece in pieces)
    return [piece.moved(-start_s) for piece in cut if piece is not None], duration_s


def _markers(item: Object, zero_s: Fraction) -> tuple[Marker, ...]:
    """Return the markers of an object; `zero_s` is its own time where it starts."""
    found = []
    for marker in item.get("markers") or ():
        marked = marker.get("marked_range") if isinstance(marker, dict) else None
        if isinstance(marked, dict):
            start_s = seconds(marked.get("start_time") or {}) - zero_s
            length_s = seconds(marked.get("duration") or {})
            found.append(Marker(marker_text(marker), start_s, length_s, item=marker))
    return tuple(found)


def _marked(pieces: list[Piece], markers: tuple[Marker, ...]) -> list[Piece]:
    """Return pieces with the markers around them that touch them."""
    if not markers:
        return pieces
    return [replace(piece, markers=(*piece.markers, *(m for m in markers if touches(m, piece)))) for piece in pieces]
