"""Tracks and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.errors import Violation
from fake.model import Project, Track
from fake.registry import call

from .items import destroy_sources
from .values import read_number, read_or_write_string, write_number

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def CountTracks(reaper: FakeReaper, project: Project) -> int:
    return len(project.tracks)


@call
def GetTrack(reaper: FakeReaper, project: Project, index: int) -> Track | None:
    return project.tracks[index] if 0 <= index < len(project.tracks) else None


@call
def GetMasterTrack(reaper: FakeReaper, project: Project) -> Track | None:
    return project.master


@call
def CountSelectedTracks(reaper: FakeReaper, project: Project) -> int:
    return len(_selected(project))


@call
def GetSelectedTrack(reaper: FakeReaper, project: Project, index: int) -> Track | None:
    selected = _selected(project)
    return selected[index] if 0 <= index < len(selected) else None


def _selected(project: Project) -> list[Track]:
    return [track for track in project.tracks if track.values["I_SELECTED"]]


@call
def IsTrackSelected(reaper: FakeReaper, track: Track) -> bool:
    return bool(track.values["I_SELECTED"])


@call
def SetTrackSelected(reaper: FakeReaper, track: Track, selected: bool) -> None:
    track.values["I_SELECTED"] = float(selected)


@call
def SetOnlyTrackSelected(reaper: FakeReaper, track: Track) -> None:
    for other in track.project.tracks:
        other.values["I_SELECTED"] = float(other is track)


@call
def InsertTrackAtIndex(reaper: FakeReaper, index: int, defaults: bool) -> None:
    # takes no project: it works on the tab in front, whichever that is by now
    project = reaper.active
    reaper.edit(project, "tracks")
    project.tracks.insert(min(max(index, 0), len(project.tracks)), Track(project))


@call
def DeleteTrack(reaper: FakeReaper, track: Track) -> None:
    if track.is_master:
        raise Violation("the master track cannot be deleted")
    tracks = track.project.tracks
    reaper.edit(track, "tracks")
    index = tracks.index(track)
    depth = track.values["I_FOLDERDEPTH"]
    # folders around stay closed where they were
    if depth < 0 and index > 0:
        tracks[index - 1].values["I_FOLDERDEPTH"] += depth
    elif depth > 0:
        last = next((one for one in reversed(tracks[index + 1 :]) if _inside(one, track)), None)
        if last is not None:
            last.values["I_FOLDERDEPTH"] += 1
    tracks.remove(track)
    for item in track.items:
        destroy_sources(item)


def _inside(track: Track, folder: Track) -> bool:
    parent = track.parent
    while parent is not None and parent is not folder:
        parent = parent.parent
    return parent is folder


@call
def GetParentTrack(reaper: FakeReaper, track: Track) -> Track | None:
    return track.parent


@call
def GetTrackDepth(reaper: FakeReaper, track: Track) -> int:
    return track.depth


@call
def GetTrackGUID(reaper: FakeReaper, track: Track) -> str:
    return track.guid


@call
def GetTrackName(reaper: FakeReaper, track: Track) -> tuple[bool, str]:
    if track.is_master:
        return True, "MASTER"
    return True, track.name or f"Track {track.project.tracks.index(track) + 1}"


@call
def GetMediaTrackInfo_Value(reaper: FakeReaper, track: Track, name: str) -> float:
    if name == "IP_TRACKNUMBER":
        return -1.0 if track.is_master else track.project.tracks.index(track) + 1.0
    return read_number(track.values, name)


@call
def SetMediaTrackInfo_Value(reaper: FakeReaper, track: Track, name: str, value: float) -> bool:
    if name == "I_NCHAN" and (value % 2 or not 2 <= value <= 128):
        raise Violation(f"a track has 2 to 128 channels, an even number, not {value}")
    return write_number(reaper, track, "tracks", name, value)


@call
def GetSetMediaTrackInfo_String(
    reaper: FakeReaper, track: Track, name: str, text: str, write: bool
) -> tuple[bool, str]:
    return read_or_write_string(reaper, track, "tracks", {"P_NAME": "name", "GUID": "guid"}, name, text, write)


@call
def GetTrackColor(reaper: FakeReaper, track: Track) -> int:
    return int(track.values["I_CUSTOMCOLOR"])


@call
def SetTrackColor(reaper: FakeReaper, track: Track, color: int) -> None:
    write_number(reaper, track, "tracks", "I_CUSTOMCOLOR", float(color | 0x1000000))


@call
def GetTrackNumSends(reaper: FakeReaper, track: Track, category: int) -> int:
    if category == 0:
        return len(track.sends)
    if category < 0:
        return sum(send.destination_guid == track.guid for other in track.project.tracks for send in other.sends)
    return 0


@call
def ReorderSelectedTracks(reaper: FakeReaper, before: int, make_folder: int) -> bool:
    if make_folder:
        raise Violation("the fake moves tracks without making folders of them (makePrevFolder 0)")
    project = reaper.active
    reaper.edit(project, "tracks")
    moved = _selected(project)
    anchor = project.tracks[before] if before < len(project.tracks) else None
    rest = [track for track in project.tracks if track not in moved]
    place = rest.index(anchor) if anchor in rest else len(rest)
    project.tracks[:] = rest[:place] + moved + rest[place:]
    return True


@call
def TrackList_AdjustWindows(reaper: FakeReaper, minor: bool) -> None:
    """Redraw the track panels."""
