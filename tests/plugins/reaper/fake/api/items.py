"""Media items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.errors import Violation
from fake.model import Item, Project, Take, Track, new_guid
from fake.registry import call

from .values import read_number, read_or_write_string, write_number

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


def sort_items(track: Track) -> None:
    """Keep REAPER's order: by position."""
    track.items.sort(key=lambda item: item.start_s)


@call
def CountMediaItems(reaper: FakeReaper, project: Project) -> int:
    return len(project.items)


@call
def GetMediaItem(reaper: FakeReaper, project: Project, index: int) -> Item | None:
    return project.items[index] if 0 <= index < len(project.items) else None


@call
def CountSelectedMediaItems(reaper: FakeReaper, project: Project) -> int:
    return len(_selected(project))


@call
def GetSelectedMediaItem(reaper: FakeReaper, project: Project, index: int) -> Item | None:
    selected = _selected(project)
    return selected[index] if 0 <= index < len(selected) else None


def _selected(project: Project) -> list[Item]:
    return [item for item in project.items if item.values["B_UISEL"]]


@call
def IsMediaItemSelected(reaper: FakeReaper, item: Item) -> bool:
    return bool(item.values["B_UISEL"])


@call
def SetMediaItemSelected(reaper: FakeReaper, item: Item, selected: bool) -> None:
    item.values["B_UISEL"] = float(selected)


@call
def SelectAllMediaItems(reaper: FakeReaper, project: Project, selected: bool) -> None:
    for item in project.items:
        item.values["B_UISEL"] = float(selected)


@call
def CountTrackMediaItems(reaper: FakeReaper, track: Track) -> int:
    return len(track.items)


@call
def GetTrackNumMediaItems(reaper: FakeReaper, track: Track) -> int:
    return len(track.items)


@call
def GetTrackMediaItem(reaper: FakeReaper, track: Track, index: int) -> Item | None:
    return track.items[index] if 0 <= index < len(track.items) else None


@call
def AddMediaItemToTrack(reaper: FakeReaper, track: Track) -> Item:
    reaper.edit(track, "items")
    item = Item(track)
    item.values["IP_ITEMNUMBER"] = float(len(track.items))
    track.items.append(item)
    sort_items(track)
    return item


@call
def DeleteTrackMediaItem(reaper: FakeReaper, track: Track, item: Item) -> bool:
    if item not in track.items:
        return False
    reaper.edit(track, "items")
    track.items.remove(item)
    destroy_sources(item)
    return True


def destroy_sources(item: Item) -> None:
    """End what an item owned; undo brings it back as something new."""
    for take in item.takes:
        if take.source is not None:
            take.source.destroyed = True


@call
def MoveMediaItemToTrack(reaper: FakeReaper, item: Item, track: Track) -> bool:
    reaper.edit(item, "items")
    item.track.items.remove(item)
    item.track = track
    track.items.append(item)
    sort_items(track)
    return True


@call
def GetMediaItem_Track(reaper: FakeReaper, item: Item) -> Track:
    return item.track


@call
def GetMediaItemTrack(reaper: FakeReaper, item: Item) -> Track:
    return item.track


@call
def GetItemProjectContext(reaper: FakeReaper, item: Item) -> Project:
    return item.track.project


@call
def GetMediaItemInfo_Value(reaper: FakeReaper, item: Item, name: str) -> float:
    if name == "IP_ITEMNUMBER":
        return float(item.track.items.index(item))
    if name == "I_CURTAKE":
        return float(item.active)
    if name == "B_MUTE_ACTUAL":
        return item.values["B_MUTE"]
    return read_number(item.values, name)


@call
def SetMediaItemInfo_Value(reaper: FakeReaper, item: Item, name: str, value: float) -> bool:
    if name == "D_LENGTH" and value < 0:
        raise Violation(f"an item of {value} s")
    done = write_number(reaper, item, "items", name, value)
    if name == "I_CURTAKE":
        item.active = int(value)
    if name == "D_POSITION":
        sort_items(item.track)
    return done


@call
def SetMediaItemPosition(reaper: FakeReaper, item: Item, position: float, refresh: bool) -> bool:
    return SetMediaItemInfo_Value(reaper, item, "D_POSITION", position)


@call
def SetMediaItemLength(reaper: FakeReaper, item: Item, length: float, refresh: bool) -> bool:
    return SetMediaItemInfo_Value(reaper, item, "D_LENGTH", length)


@call
def GetSetMediaItemInfo_String(reaper: FakeReaper, item: Item, name: str, text: str, write: bool) -> tuple[bool, str]:
    return read_or_write_string(reaper, item, "items", {"P_NOTES": "notes", "GUID": "guid"}, name, text, write)


@call
def GetMediaItemNumTakes(reaper: FakeReaper, item: Item) -> int:
    return len(item.takes)


@call
def CountTakes(reaper: FakeReaper, item: Item) -> int:
    return len(item.takes)


@call
def GetMediaItemTake(reaper: FakeReaper, item: Item, index: int) -> Take | None:
    # -1 is documented for the active take
    return item.take if index == -1 else item.takes[index] if 0 <= index < len(item.takes) else None


@call
def GetTake(reaper: FakeReaper, item: Item, index: int) -> Take | None:
    return item.takes[index] if 0 <= index < len(item.takes) else None


@call
def GetActiveTake(reaper: FakeReaper, item: Item) -> Take | None:
    return item.take


@call
def AddTakeToMediaItem(reaper: FakeReaper, item: Item) -> Take:
    reaper.edit(item, "items")
    take = Take(item)
    item.takes.append(take)
    return take


@call
def SplitMediaItem(reaper: FakeReaper, item: Item, position: float) -> Item | None:
    if not item.start_s < position < item.end_s:
        return None
    reaper.edit(item, "items")
    import copy

    right = copy.deepcopy(item, {id(item.track): item.track})
    right.guid = new_guid()
    cut = position - item.start_s
    right.values["D_POSITION"] = position
    right.values["D_LENGTH"] = item.length_s - cut
    item.values["D_LENGTH"] = cut
    for take in right.takes:
        take.guid = new_guid()
        take.values["D_STARTOFFS"] += cut * take.values["D_PLAYRATE"]
    item.values["D_FADEOUTLEN"] = right.values["D_FADEINLEN"] = 0.0
    item.track.items.append(right)
    sort_items(item.track)
    return right


@call
def UpdateItemInProject(reaper: FakeReaper, item: Item) -> None:
    """Redraw one item: nothing to hear."""
