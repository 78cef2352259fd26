"""Takes, their markers and stretch markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.errors import Violation
from fake.model import Item, Project, Source, Take, Track
from fake.registry import call

from .values import read_number, read_or_write_string, write_number

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def SetActiveTake(reaper: FakeReaper, take: Take) -> None:
    reaper.edit(take, "items")
    take.item.active = take.item.takes.index(take)


@call
def GetMediaItemTake_Item(reaper: FakeReaper, take: Take) -> Item:
    return take.item


@call
def GetMediaItemTake_Track(reaper: FakeReaper, take: Take) -> Track:
    return take.item.track


@call
def GetMediaItemTake_Source(reaper: FakeReaper, take: Take) -> Source | None:
    return take.source


@call
def SetMediaItemTake_Source(reaper: FakeReaper, take: Take, source: Source) -> bool:
    reaper.edit(take, "items")
    in_use = any(
        other.source is source for project in reaper.projects for item in project.items for other in item.takes
    )
    # documented: a source that is in a project already is duplicated; the old one is not destroyed
    take.source = (
        Source(source.kind, source.path, source.parent, source.start_s, source.length_s, source.reverse)
        if in_use
        else source
    )
    return True


@call
def GetMediaItemTakeByGUID(reaper: FakeReaper, project: Project, guid: str) -> Take | None:
    return next((take for item in project.items for take in item.takes if take.guid == guid), None)


@call
def GetMediaItemTakeInfo_Value(reaper: FakeReaper, take: Take, name: str) -> float:
    if name == "IP_TAKENUMBER":
        return float(take.item.takes.index(take))
    return read_number(take.values, name)


@call
def SetMediaItemTakeInfo_Value(reaper: FakeReaper, take: Take, name: str, value: float) -> bool:
    if name == "D_PLAYRATE" and value <= 0:
        raise Violation(f"a take at the rate {value}")
    return write_number(reaper, take, "items", name, value)


@call
def GetSetMediaItemTakeInfo_String(
    reaper: FakeReaper, take: Take, name: str, text: str, write: bool
) -> tuple[bool, str]:
    return read_or_write_string(reaper, take, "items", {"P_NAME": "name", "GUID": "guid"}, name, text, write)


@call
def GetTakeName(reaper: FakeReaper, take: Take) -> str:
    return take.name


@call
def TakeIsMIDI(reaper: FakeReaper, take: Take) -> bool:
    return take.source is not None and take.source.root().kind == "MIDI"


@call
def GetTakeNumStretchMarkers(reaper: FakeReaper, take: Take) -> int:
    return len(take.stretch_markers)


@call
def GetTakeStretchMarker(reaper: FakeReaper, take: Take, index: int) -> tuple[int, float, float | None]:
    if not 0 <= index < len(take.stretch_markers):
        return -1, 0.0, None
    position, source_position = take.stretch_markers[index]
    return index, position, source_position


@call
def SetTakeStretchMarker(
    reaper: FakeReaper, take: Take, index: int, position: float, source_position: float | None
) -> int:
    reaper.edit(take, "items")
    # positions count from the item's edge at the take's rate: (project time - item position) * play rate
    marker = (position, take.values["D_STARTOFFS"] + position if source_position is None else source_position)
    if index >= 0:
        take.stretch_markers[index] = marker
    else:
        take.stretch_markers.append(marker)
    take.stretch_markers.sort()
    return take.stretch_markers.index(marker)


@call
def GetTakeStretchMarkerSlope(reaper: FakeReaper, take: Take, index: int) -> float:
    return 0.0


@call
def GetNumTakeMarkers(reaper: FakeReaper, take: Take) -> int:
    return len(take.markers)


@call
def GetTakeMarker(reaper: FakeReaper, take: Take, index: int) -> tuple[float, str, int | None]:
    if not 0 <= index < len(take.markers):
        return -1.0, "", None
    return take.markers[index]


@call
def SetTakeMarker(
    reaper: FakeReaper, take: Take, index: int, name: str, position: float | None, color: int | None
) -> int:
    reaper.edit(take, "items")
    if index < 0:
        take.markers.append((0.0 if position is None else position, name, color or 0))
        return len(take.markers) - 1
    old = take.markers[index]
    take.markers[index] = (old[0] if position is None else position, name, old[2] if color is None else color)
    return index


@call
def DeleteTakeMarker(reaper: FakeReaper, take: Take, index: int) -> bool:
    if not 0 <= index < len(take.markers):
        return False
    reaper.edit(take, "items")
    del take.markers[index]
    return True
