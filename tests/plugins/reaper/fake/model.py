"""The project as REAPER holds it: tracks, items, takes, sources, envelopes, effects."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import parameters


def new_guid() -> str:
    """Give a GUID in REAPER's spelling: braces and capitals."""
    return "{" + str(uuid.uuid4()).upper() + "}"


@dataclass(eq=False)
class Source:
    """A PCM source: a media file, or a window on a parent source (SECTION: part of it, reversed, or both).

    Attributes
    ----------
    kind
        What GetMediaSourceType answers: WAVE, MP3, VIDEO, MIDI, SECTION, RPP_PROJECT, EMPTY, ... An offline file's kind
        starts with an underscore, as in project files.
    path
        Of a file source; empty otherwise.
    start_s, length_s
        Of a section in its parent; a length of 0 means up to the parent's end.
    length_quarter_notes
        Length of a MIDI source, whose length counts quarter notes.
    """

    kind: str
    path: str = ""
    parent: Source | None = None
    start_s: float = 0.0
    length_s: float = 0.0
    reverse: bool = False
    length_quarter_notes: float | None = None
    destroyed: bool = False

    def root(self) -> Source:
        source = self
        while source.parent is not None:
            source = source.parent
        return source


@dataclass(eq=False)
class Point:
    """One envelope point in the units and time of its envelope."""

    time_s: float
    value: float
    shape: int = 0
    tension: float = 0.0
    selected: bool = False


@dataclass(eq=False)
class AutomationItem:
    """A piece of an envelope that lies over its own points; times inside count from its start, at rate 1."""

    position_s: float
    length_s: float
    points: list[Point] = field(default_factory=list)


@dataclass(eq=False)
class Envelope:
    """One lane of automation.

    Attributes
    ----------
    fader_scaling
        Values lie on REAPER's fader scale; ScaleFromEnvelopeMode turns them into gains.
    active
        Whether it is heard.
    """

    name: str
    owner: Any
    minimum: float = 0.0
    maximum: float = 1.0
    centre: float = 0.0
    fader_scaling: bool = False
    active: bool = True
    visible: bool = True
    armed: bool = False
    points: list[Point] = field(default_factory=list)
    automation_items: list[AutomationItem] = field(default_factory=list)
    guid: str = field(default_factory=new_guid)
    sorted: bool = True


@dataclass(frozen=True)
class FxParameter:
    """A slider: name, range and default in the effect's own units."""

    name: str
    default: float
    minimum: float
    maximum: float


@dataclass(eq=False)
class Fx:
    """An effect in a chain with the values of its parameters; `renamed` is what the user calls it."""

    name: str
    ident: str
    parameters: list[FxParameter]
    values: list[float]
    renamed: str = ""
    enabled: bool = True
    offline: bool = False
    guid: str = field(default_factory=new_guid)
    envelopes: dict[int, Envelope] = field(default_factory=dict)


@dataclass(eq=False)
class Take:
    """One take of an item. `source` is None for an empty one."""

    item: Item
    source: Source | None = None
    name: str = ""
    values: dict[str, float] = field(default_factory=lambda: dict(parameters.TAKE))
    extra: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)
    envelopes: list[Envelope] = field(default_factory=list)
    fx: list[Fx] = field(default_factory=list)
    stretch_markers: list[tuple[float, float]] = field(default_factory=list)
    markers: list[tuple[float, str, int]] = field(default_factory=list)


@dataclass(eq=False)
class Item:
    """A media item on a track. Times of its envelopes and fades count from its left edge."""

    track: Track
    takes: list[Take] = field(default_factory=list)
    active: int = 0
    values: dict[str, float] = field(default_factory=lambda: dict(parameters.ITEM))
    notes: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)

    @property
    def start_s(self) -> float:
        return self.values["D_POSITION"]

    @property
    def length_s(self) -> float:
        return self.values["D_LENGTH"]

    @property
    def end_s(self) -> float:
        return self.start_s + self.length_s

    @property
    def take(self) -> Take | None:
        return self.takes[self.active] if self.takes else None


@dataclass(eq=False)
class Send:
    """A send from one track to another, after the fader."""

    destination_guid: str
    gain: float = 1.0
    mute: bool = False


@dataclass(eq=False)
class Track:
    """A track. `I_FOLDERDEPTH` 1 opens a folder, -n closes n of them, as in REAPER's track list."""

    project: Project
    name: str = ""
    items: list[Item] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=lambda: dict(parameters.TRACK))
    extra: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)
    envelopes: list[Envelope] = field(default_factory=list)
    fx: list[Fx] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    is_master: bool = False

    @property
    def depth(self) -> int:
        """How many folders lie around the track."""
        depth = 0
        for track in self.project.tracks:
            if track is self:
                return depth
            depth = max(0, depth + int(track.values["I_FOLDERDEPTH"]))
        return 0

    @property
    def parent(self) -> Track | None:
        """The folder the track lies in."""
        open_folders: list[Track] = []
        for track in self.project.tracks:
            if track is self:
                return open_folders[-1] if open_folders else None
            step = int(track.values["I_FOLDERDEPTH"])
            if step > 0:
                open_folders.append(track)
            elif step < 0:
                del open_folders[step:]
        return None


@dataclass(eq=False)
class Marker:
    """A project marker, or a region when it has an end."""

    index: int
    start_s: float
    end_s: float | None
    name: str
    color: int = 0


@dataclass(eq=False)
class Content:
    """All that an undo point brings back."""

    tracks: list[Track] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)


@dataclass(eq=False)
class UndoPoint:
    """State before a step, and the words in the Edit menu."""

    label: str
    flags: int
    before: Content


@dataclass(eq=False)
class Project:
    """One project tab.

    Attributes
    ----------
    path
        Of the .RPP file; None until it was saved.
    restored
        The present state, once undo or redo has brought it back: what is in it are copies.
    record_path
        What GetProjectPathEx answers for a project that was saved nowhere.
    """

    path: Path | None = None
    record_path: Path | None = None
    content: Content = field(default_factory=Content)
    master: Track | None = None
    values: dict[str, float] = field(default_factory=lambda: dict(parameters.PROJECT))
    strings: dict[str, str] = field(default_factory=dict)
    ext_state: dict[tuple[str, str], str] = field(default_factory=dict)
    time_selection: tuple[float, float] = (0.0, 0.0)
    loop: tuple[float, float] = (0.0, 0.0)
    cursor_s: float = 0.0
    frame_rate: float = 30.0
    drop_frame: bool = False
    tempo: float = 120.0
    dirty: bool = False
    changes: int = 0
    closed: bool = False
    undo: list[UndoPoint] = field(default_factory=list)
    redo: list[UndoPoint] = field(default_factory=list)
    restored: list[Content] = field(default_factory=list)
    block_depth: int = 0
    block_before: Content | None = None
    block_touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.master is None:
            self.master = Track(self, name="MASTER", is_master=True)

    @property
    def tracks(self) -> list[Track]:
        return self.content.tracks

    @property
    def items(self) -> list[Item]:
        """Items in REAPER's order: track by track, by position."""
        return [item for track in self.tracks for item in track.items]

    def copied_content(self) -> Content:
        """Copy what undo restores; the project itself is not copied."""
        return copy.deepcopy(self.content, {id(self): self})
