"""Short ways for tests to lay out projects."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .api.effects import make_fx_envelope
from .api.items import sort_items
from .api.sources import source_length_s
from .media import kind_of_file
from .model import Envelope, Fx, Item, Point, Project, Source, Take, Track


def add_track(project: Project, name: str = "", **values: float) -> Track:
    """Append a track; keyword values are REAPER's parameter names (D_VOL=0.5)."""
    track = Track(project, name)
    track.values.update(values)
    project.tracks.append(track)
    return track


def file_source(path: Path | str) -> Source:
    return Source(kind_of_file(os.fspath(path)), os.fspath(path))


def section(parent: Source, start_s: float = 0.0, length_s: float = 0.0, *, reverse: bool = False) -> Source:
    return Source("SECTION", parent=parent, start_s=start_s, length_s=length_s, reverse=reverse)


def add_item(
    track: Track,
    source: Source | Path | None,
    position_s: float = 0.0,
    length_s: float | None = None,
    *,
    selected: bool = True,
    take: dict[str, float] | None = None,
    **values: Any,
) -> Item:
    """Put an item with one take on a track.

    Parameters
    ----------
    length_s
        Default: the whole source at the take's rate.
    take
        Take parameters (D_STARTOFFS, D_PLAYRATE, ...).
    **values
        Item parameters (D_FADEINLEN, ...).
    """
    if isinstance(source, Path):
        source = file_source(source)
    item = Item(track)
    add_take(item, source, **(take or {}))
    if length_s is None:
        length_s = 0.0 if source is None else source_length_s(source) / item.takes[0].values["D_PLAYRATE"]
    item.values.update({"D_POSITION": position_s, "D_LENGTH": length_s, "B_UISEL": float(selected), **values})
    track.items.append(item)
    sort_items(track)
    return item


def add_take(item: Item, source: Source | None, name: str = "", **values: float) -> Take:
    """Add a take behind the others of an item."""
    root = source.root() if source is not None else None
    take = Take(item, source, name or (os.path.basename(root.path) if root else ""))
    take.values.update(values)
    item.takes.append(take)
    return take


def add_envelope(owner: Track | Take, name: str, points: list[tuple[float, ...]], **values: Any) -> Envelope:
    """Give a track or take one of REAPER's own envelopes.

    Parameters
    ----------
    name
        Volume, Pan, Mute, Width, Pitch.
    points
        (time in seconds, value) or (time, value, shape) or (time, value, shape, tension); a take's times count at its
        play rate.
    """
    ranges = {
        "Volume": (0.0, 2.0, 1.0),
        "Pan": (-1.0, 1.0, 0.0),
        "Width": (-1.0, 1.0, 1.0),
        "Pitch": (-12.0, 12.0, 0.0),
    }
    low, high, centre = ranges.get(name, (0.0, 1.0, 1.0))
    envelope = Envelope(name, owner, low, high, centre, **values)
    envelope.points = [Point(*point) for point in points]  # type: ignore[arg-type]
    owner.envelopes.append(envelope)
    return envelope


def add_effect(owner: Track | Take, effect: Fx, automation: dict[int, list[tuple[float, ...]]] | None = None) -> Fx:
    """Put an effect at the end of a chain, with envelopes for the parameters that have automation."""
    owner.fx.append(effect)
    for parameter, points in (automation or {}).items():
        envelope = make_fx_envelope(owner, effect, parameter)
        envelope.points = [Point(*point) for point in points]  # type: ignore[arg-type]
        effect.envelopes[parameter] = envelope
    return effect
