"""Project markers and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.model import Marker, Project
from fake.registry import call

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


def _ordered(project: Project) -> list[Marker]:
    return sorted(project.content.markers, key=lambda marker: (marker.start_s, marker.index))


@call
def CountProjectMarkers(reaper: FakeReaper, project: Project) -> tuple[int, int, int]:
    regions = sum(marker.end_s is not None for marker in project.content.markers)
    everything = len(project.content.markers)
    return everything, everything - regions, regions


@call
def EnumProjectMarkers3(
    reaper: FakeReaper, project: Project, index: int
) -> tuple[int, bool, float, float, str, int, int]:
    markers = _ordered(project)
    if not 0 <= index < len(markers):
        return 0, False, 0.0, 0.0, "", 0, 0
    marker = markers[index]
    return (
        index + 1,
        marker.end_s is not None,
        marker.start_s,
        marker.end_s or 0.0,
        marker.name,
        marker.index,
        marker.color,
    )


@call
def AddProjectMarker2(
    reaper: FakeReaper, project: Project, region: bool, start: float, end: float, name: str, wanted: int, color: int
) -> int:
    reaper.edit(project, "project")
    taken = {marker.index for marker in project.content.markers if (marker.end_s is not None) == region}
    index = wanted if wanted >= 0 and wanted not in taken else max(taken, default=0) + 1
    project.content.markers.append(Marker(index, start, end if region else None, name, color))
    return index


@call
def AddProjectMarker(
    reaper: FakeReaper, project: Project, region: bool, start: float, end: float, name: str, wanted: int
) -> int:
    return AddProjectMarker2(reaper, project, region, start, end, name, wanted, 0)
