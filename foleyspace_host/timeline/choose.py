"""What of a timeline is rendered, by what it is placed, and why the rest is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from foleyspace_host.errors import FoleySpaceError, InvalidInput
from foleyspace_host.timeline.flatten import Flat
from foleyspace_host.timeline.markers import position
from foleyspace_host.timeline.model import AUDIO, VIDEO, Piece
from foleyspace_host.timeline.picture import Shown, shown

__all__ = ["Choice", "Origin", "choose", "inline_trajectory"]

Origin = Literal["metadata", "marker", "picture", ""]


@dataclass(frozen=True, slots=True)
class Choice:
    """A clip of sound, and what becomes of it.

    Parameters
    ----------
    piece : Piece
        The clip.
    origin : {"metadata", "marker", "picture", ""}
        What places it; empty if it is not rendered.
    reason : str
        Why it is not rendered; empty if it is.
    pictures : tuple of Shown
        What is seen while it sounds, where that places it.
    wanted : bool
        Whether it was chosen and could sound: if it is not rendered, something is missing.
    """

    piece: Piece
    origin: Origin = ""
    reason: str = ""
    pictures: tuple[Shown, ...] = ()
    wanted: bool = True


def choose(
    flat: Flat,
    *,
    tracks: Sequence[str] = (),
    clips: Sequence[str] = (),
    marked: bool = False,
    with_metadata: bool = False,
) -> list[Choice]:
    """Decide on every clip of sound.

    Parameters
    ----------
    flat : Flat
        The timeline.
    tracks : sequence of str
        Names of tracks (``A1``, or as they are called; ``*`` stands for anything); all if empty.
    clips : sequence of str
        Names of clips in the same way; all if empty.
    marked : bool
        Take only clips with a marker ``foleyspace: ...``, and markers that wish for a sound.
    with_metadata : bool
        Take only clips whose metadata hold a trajectory of this program.

    Returns
    -------
    list of Choice
        In the order of the timeline, and what could not be understood in place of it.

    Raises
    ------
    InvalidInput
        If a track or clip of that name does not exist.
    """
    sounds = [piece for piece in flat.pieces if piece.kind == AUDIO]
    for what, names, known in (
        ("track", tracks, [piece.track for piece in sounds]),
        ("clip", clips, [_own_name(piece) for piece in sounds]),
    ):
        for name in names:
            if not any(fnmatchcase(one, name) for one in known):
                have = ", ".join(sorted(set(known))[:12]) or "none"
                raise InvalidInput(f"there is no {what} {name!r} of sound", where=what, cure=f"there are: {have}")
    pictures = [piece for piece in flat.pieces if piece.kind == VIDEO]
    seen: dict[tuple[object, ...], Piece] = {}
    choices = []
    for piece in sounds:
        same = (piece.path, piece.source_s, piece.start_s, piece.duration_s, piece.speed, piece.wish)
        if not _matches(piece, tracks, clips, marked, with_metadata):
            choices.append(Choice(piece, reason="not chosen", wanted=False))
        elif reason := _unusable(piece):
            choices.append(Choice(piece, reason=reason, wanted=piece.enabled))
        elif same in seen and _by_picture(piece) != _by_picture(seen[same]):
            reason = f"the same sound as {seen[same].name!r}, at the same time"
            choices.append(Choice(piece, reason=reason, wanted=False))
        else:
            seen[same] = piece
            choices.append(_placed(replace(piece, notes=(*piece.notes, *_speed_notes(piece))), pictures))
    return choices


def inline_trajectory(piece: Piece) -> object:
    """Return what the metadata of a clip say of its trajectory: a document, the name of a file, or None."""
    told = (piece.clip.get("metadata") or {}).get("foleyspace")
    return told.get("trajectory") if isinstance(told, dict) else None


def _by_picture(piece: Piece) -> bool:
    """Tell whether a sound is there through a nested timeline in a track of video."""
    return any(parent.get("kind") == VIDEO for parent in piece.parents)


def _own_name(piece: Piece) -> str:
    return str(piece.clip.get("name") or "clip")


def _matches(piece: Piece, tracks: Sequence[str], clips: Sequence[str], marked: bool, with_metadata: bool) -> bool:
    if tracks and not any(fnmatchcase(piece.track, name) for name in tracks):
        return False
    if clips and not any(fnmatchcase(_own_name(piece), name) for name in clips):
        return False
    if with_metadata and inline_trajectory(piece) is None:
        return False
    if not marked or piece.wish is not None:
        return True
    return any(marker.text.strip().lower().startswith("foleyspace:") for marker in piece.markers)


def _unusable(piece: Piece) -> str:
    if not piece.enabled:
        return "it is disabled"
    if piece.problem:
        return piece.problem
    if piece.speed == 0:
        return "a frozen frame has no sound"
    return ""


def _speed_notes(piece: Piece) -> list[str]:
    """Return what there is to say of a sound at another speed than its own."""
    pace = f"{float(abs(piece.speed)):g} times its speed and pitch"
    if piece.speed < 0:
        ends = float(piece.source_s), float(piece.source_s + piece.duration_s * piece.speed)
        return [f"backwards from {ends[0]:.3f} s of its media to {ends[1]:.3f} s, at {pace}"]
    return [] if piece.speed == 1 else [f"at {pace}"]


def _placed(piece: Piece, pictures: Sequence[Piece]) -> Choice:
    """Return what places a clip."""
    if inline_trajectory(piece) is not None:
        return Choice(piece, "metadata")
    try:
        if any(position(marker.text) for marker in piece.markers):
            return Choice(piece, "marker")
    except FoleySpaceError as error:
        return Choice(piece, reason=str(error))
    seen = shown(pictures, piece.start_s, piece.end_s)
    usable = tuple(part for part in seen if not part.picture.problem)
    if usable:
        return Choice(piece, "picture", pictures=usable)
    if seen:
        return Choice(piece, reason=f"of the picture {seen[0].picture.name!r}: {seen[0].picture.problem}")
    return Choice(piece, reason="no picture is visible while it sounds, and no metadata or marker places it")
