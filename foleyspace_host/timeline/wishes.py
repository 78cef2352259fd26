"""Markers ``foley: PROMPT`` as pieces of sound that are still to be made, each at its marked range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.timeline.markers import FoleySaid, foley_said
from foleyspace_host.timeline.model import AUDIO, Marker, Object, Piece, Wish, exact_rate

__all__ = ["touches", "wishes"]

_NO_LENGTH = "the marker has no length: draw it out over the range that is to sound, or write for example dur=1.5 in it"


def wishes(
    markers: Sequence[Marker],
    names: tuple[str, ...],
    *,
    enabled: bool,
    parents: tuple[Object, ...],
    around: Piece | None = None,
    end_s: Fraction | None = None,
) -> list[Piece]:
    """Return the sounds that the markers on an object wish for.

    Parameters
    ----------
    markers : sequence of Marker
        All of its markers, in its own time. Those that place sounds are kept with the wishes that they touch.
    names : tuple of str
        Names from the track to the object.
    enabled : bool
        Whether the object, and all that it lies in, is enabled.
    parents : tuple of Object
        The objects around it.
    around : Piece, optional
        The clip that the markers are on: only what is in use of it counts.
    end_s : Fraction, optional
        Where the object ends, if that is known and nothing after it counts [s].

    Returns
    -------
    list of Piece
        Of sound, without a file. What cannot be made is there with the reason.
    """
    found = []
    if around is not None:
        end_s = around.duration_s
    for marker in markers:
        problem, said = "", None
        try:
            said = foley_said(marker.text)
        except FoleySpaceError as error:
            problem, said = error.problem, FoleySaid(marker.text)
        if said is None:
            continue
        rate = _rate(marker)
        length_s = marker.duration_s if said.duration_s is None else said.duration_s
        if length_s <= 0:
            problem, length_s = problem or _NO_LENGTH, 1 / rate
        whole = Piece(
            kind=AUDIO,
            name="/".join((*names, f"foley: {said.prompt}" if not problem else marker.text[:80])),
            track=names[0],
            clip={"OTIO_SCHEMA": "Clip.2", "name": said.prompt, "metadata": _metadata(marker)},
            start_s=marker.start_s,
            duration_s=length_s,
            source_s=Fraction(0),
            rate=rate,
            enabled=enabled,
            problem=problem,
            parents=parents,
            wish=Wish(said.prompt, said.seed, _content(marker, around)),
        )
        last_s = whole.end_s if end_s is None else end_s
        part = whole.cut(Fraction(0), last_s) if last_s > 0 else None
        if part is not None:
            beside = tuple(other for other in markers if other is not marker and touches(other, part))
            found.append(replace(part, source_s=Fraction(0), markers=beside))
    return found


def touches(marker: Marker, piece: Piece) -> bool:
    """Tell whether a marker is on a piece; one without length is where it starts."""
    if marker.duration_s <= 0:
        return piece.start_s <= marker.start_s < piece.end_s
    return marker.start_s < piece.end_s and marker.start_s + marker.duration_s > piece.start_s


def _rate(marker: Marker) -> Fraction:
    """Return the rate in which a marker counts."""
    marked = (marker.item or {}).get("marked_range") or {}
    return exact_rate((marked.get("duration") or {}).get("rate", 1))


def _metadata(marker: Marker) -> Object:
    metadata = (marker.item or {}).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _content(marker: Marker, around: Piece | None) -> str:
    """Return what stays the same when a marked clip is moved, and differs from other markers."""
    marked = (marker.item or {}).get("marked_range") or {}
    times = [str((marked.get(key) or {}).get("value")) for key in ("start_time", "duration")]
    return "|".join((*times, around.path.name if around is not None and around.path is not None else ""))
