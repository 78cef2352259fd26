"""Trajectories of clips: from metadata, from markers, or put together from the pictures that are visible."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from foleyspace_host.errors import InvalidInput, NothingFound
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import loads, read_trajectory
from foleyspace_host.timeline.choose import Choice, inline_trajectory
from foleyspace_host.timeline.markers import position
from foleyspace_host.timeline.model import Piece
from foleyspace_host.timeline.picture import Shown

__all__ = ["Look", "from_markers", "from_metadata", "from_pictures", "look_of", "shifted"]

_BEFORE_CUT_S = 1e-3


@dataclass(frozen=True, slots=True)
class Look:
    """A part of a video that is looked at once.

    Parameters
    ----------
    path : Path
        The video.
    span : Span
        The part of it.
    """

    path: Path
    span: Span


def look_of(part: Shown) -> Look:
    """Return which part of its video a range of a picture shows; of a frozen one, that frame."""
    picture = part.picture
    assert picture.path is not None  # noqa: S101 - `choose` leaves the others out
    first = picture.source_s + (part.start_s - picture.start_s) * picture.speed
    length_s = (part.end_s - part.start_s) * abs(picture.speed)
    if picture.speed < 0:
        first -= length_s
    return Look(picture.path, Span(max(first, Fraction(0)), length_s or 1 / picture.rate))


def from_metadata(piece: Piece, file: Callable[[str], Path]) -> Trajectory:
    """Return the trajectory that a clip's metadata hold or name, in the time of the piece.

    Its own times count from the start of the clip, which what is around it may cut or warp.

    Raises
    ------
    TrajectoryInvalid, InvalidInput, MediaMissing
        If it is none, or its file cannot be used.
    """
    told = inline_trajectory(piece)
    if isinstance(told, str):
        return _of_piece(read_trajectory(file(told)), piece)
    if not isinstance(told, dict):
        raise InvalidInput('metadata["foleyspace"]["trajectory"] is neither a trajectory nor the name of a file')
    return _of_piece(loads(json.dumps(told), 'metadata["foleyspace"]["trajectory"]'), piece)


def _of_piece(trajectory: Trajectory, piece: Piece) -> Trajectory:
    """Return the part of a clip's trajectory that a piece of it has."""
    if piece.clip_s == 0 and piece.clip_speed == 1:
        return trajectory
    ends_s = sorted((piece.clip_s, piece.clip_s + piece.duration_s * piece.clip_speed))
    first_s, last_s = (float(max(end_s, Fraction(0))) for end_s in ends_s)
    sources = []
    for source in trajectory.sources:
        keys = [replace(key, t_s=key.t_s - first_s) for key in _between(source, first_s, last_s)]
        sources.append(_played(replace(source, keys=tuple(keys)), piece.clip_speed, float(piece.duration_s)))
    return Trajectory(float(piece.duration_s), tuple(sources), trajectory.camera)


def from_markers(piece: Piece) -> Trajectory:
    """Return the trajectory that the markers on a clip say: each is a key at its start, the nearest before others."""
    keys: dict[float, Key] = {}
    for marker in piece.markers:  # those on the clip itself first, then what is around it
        if (there := position(marker.text)) is not None:
            t_s = float(max(marker.start_s - piece.start_s, Fraction(0)))
            keys.setdefault(t_s, Key(t_s, there.azimuth_deg, there.elevation_deg, there.distance_m))
    return Trajectory(float(piece.duration_s), (Source("marker", tuple(keys[t_s] for t_s in sorted(keys))),))


def from_pictures(
    choice: Choice, looks: Sequence[tuple[Shown, Trajectory]], failed: Sequence[tuple[Shown, str]] = ()
) -> Trajectory:
    """Return the trajectory of a clip from what was found in the pictures that are visible while it sounds.

    Parameters
    ----------
    choice : Choice
        The clip and its pictures.
    looks : sequence of (Shown, Trajectory)
        What was found in each range that was looked at; every picture of the choice lies in one of them
        or of those that failed.
    failed : sequence of (Shown, str)
        Where nothing could be found, and why.

    Returns
    -------
    Trajectory
        One source, which jumps where the picture is cut and stays where it was while there is none.

    Raises
    ------
    NothingFound
        If there is no source in any of them.
    """
    keys: list[Key] = []
    label = ""
    for part in choice.pictures:
        look = next((look for look in looks if _holds(look[0], part)), None)
        if look is None:
            continue
        whole, found_there = look
        source = next(iter(found_there.selected), None)
        if source is None:
            continue
        label = label or source.label
        speed = part.picture.speed
        found = _played(source, speed, float(whole.end_s - whole.start_s))
        start_s, length_s = float(part.start_s - whole.start_s), float(part.end_s - part.start_s)
        at_s = float(part.start_s - choice.piece.start_s)
        for key in _between(found, start_s, start_s + length_s):
            t_s = key.t_s - start_s + at_s
            if not keys or t_s > keys[-1].t_s:
                keys.append(replace(key, t_s=t_s, image_xy=None, cut=bool(keys) and (key.cut or key.t_s == start_s)))
    if not keys:
        why = next((reason for whole, reason in failed if any(_holds(whole, part) for part in choice.pictures)), "")
        raise NothingFound(why or "nothing that sounds was found in the picture")
    return Trajectory(float(choice.piece.duration_s), (Source("picture", tuple(keys), label),))


def shifted(trajectory: Trajectory, by_s: Fraction, duration_s: Fraction) -> Trajectory:
    """Return a trajectory that starts later, of another duration."""
    by = float(by_s)
    sources = tuple(
        replace(source, keys=tuple(replace(key, t_s=key.t_s + by) for key in source.keys))
        for source in trajectory.sources
    )
    return Trajectory(float(duration_s), sources, trajectory.camera)


def _holds(whole: Shown, part: Shown) -> bool:
    return whole.picture is part.picture and whole.start_s <= part.start_s and part.end_s <= whole.end_s


def _played(source: Source, speed: Fraction, duration_s: float) -> Source:
    """Return a source as it is seen when the picture runs at a speed."""
    if speed == 0:
        return replace(source, keys=(replace(source.keys[0], t_s=0.0, cut=False),))
    pace = float(abs(speed))
    keys = [replace(key, t_s=key.t_s / pace) for key in source.keys]
    if speed < 0:
        cuts = [False, *(key.cut for key in keys[:0:-1])]
        keys = [replace(key, t_s=duration_s - key.t_s, cut=cut) for key, cut in zip(keys[::-1], cuts, strict=True)]
        keys = [key for key in keys if key.t_s >= 0.0] or [replace(keys[-1], t_s=0.0)]
    return replace(source, keys=tuple(keys))


def _between(source: Source, start_s: float, end_s: float) -> list[Key]:
    """Return the keys of a part of a path, with one at its start and one just before its end, where a cut may be."""
    from foleyspace_host.geometry.frames import unit_to_angles
    from foleyspace_host.geometry.path import SourcePath

    last_s = end_s - min(_BEFORE_CUT_S, (end_s - start_s) / 2)
    times = [key.t_s for key in source.keys]
    inside = [key for key in source.keys if start_s < key.t_s < last_s]
    unit, distance_m = SourcePath.from_source(source).sample([start_s, last_s])
    azimuth, elevation = unit_to_angles(unit)
    ends = []
    for index, t_s in enumerate((start_s, last_s)):
        near = source.keys[max(bisect_right(times, t_s) - 1, 0)]
        ends.append(
            Key(
                t_s,
                float(azimuth[index]),
                float(elevation[index]),
                float(distance_m[index]),
                near.confidence,
                origin=near.origin if near.t_s == t_s or near.origin == "offscreen" else "interpolated",
                gain_db=near.gain_db,
            )
        )
    return [ends[0], *inside, ends[1]]
