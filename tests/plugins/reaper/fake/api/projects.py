"""Project tabs, undo, ext state of projects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fake.errors import Violation
from fake.model import Content, Project, Track, UndoPoint
from fake.registry import call
from fake.state import difference

from .values import read_number

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def EnumProjects(reaper: FakeReaper, index: int) -> tuple[Project | None, str | None]:
    if index == -1:
        project: Project | None = reaper.active
    elif index == 0x40000000:
        project = None  # nothing is being rendered
    else:
        project = reaper.projects[index] if 0 <= index < len(reaper.projects) else None
    return (None, None) if project is None else (project, _file_name(project))


def _file_name(project: Project) -> str:
    return "" if project.path is None else os.fspath(project.path)


@call
def SelectProjectInstance(reaper: FakeReaper, project: Project) -> None:
    reaper.active = project


@call
def GetProjectName(reaper: FakeReaper, project: Project) -> str:
    return "" if project.path is None else project.path.name


@call
def GetProjectPathEx(reaper: FakeReaper, project: Project) -> str:
    """Give the effective record path: RECORD_PATH below the project's folder, the default folder for an unsaved one."""
    if project.path is None:
        return os.fspath(project.record_path or reaper.resource.parent / "REAPER Media")
    return os.path.normpath(os.path.join(project.path.parent, project.strings.get("RECORD_PATH", "")))


@call
def GetProjectPath(reaper: FakeReaper) -> str:
    return GetProjectPathEx(reaper, reaper.active)


@call
def IsProjectDirty(reaper: FakeReaper, project: Project) -> int:
    return int(project.dirty)


@call
def MarkProjectDirty(reaper: FakeReaper, project: Project) -> None:
    project.dirty = True


@call
def GetProjectStateChangeCount(reaper: FakeReaper, project: Project) -> int:
    return project.changes


@call
def GetProjectLength(reaper: FakeReaper, project: Project) -> float:
    return max((item.end_s for item in project.items), default=0.0)


@call
def GetSetProjectInfo(reaper: FakeReaper, project: Project, name: str, value: float, write: bool) -> float:
    read_number(project.values, name)
    if write:
        reaper.edit(project, "project")
        project.values[name] = value
    return project.values[name]


@call
def GetSetProjectInfo_String(
    reaper: FakeReaper, project: Project, name: str, text: str, write: bool
) -> tuple[bool, str]:
    known = {"PROJECT_NAME", "PROJECT_TITLE", "PROJECT_AUTHOR", "RECORD_PATH", "RENDER_FILE", "RENDER_PATTERN"}
    if name not in known:
        raise Violation(f"there is no project string {name!r}")
    if write:
        reaper.edit(project, "project")
        project.strings[name] = text
    if name == "PROJECT_NAME":
        return True, "" if project.path is None else project.path.name
    return True, project.strings.get(name, "")


@call
def GetSet_LoopTimeRange2(
    reaper: FakeReaper, project: Project, write: bool, is_loop: bool, start: float, end: float, seek: bool
) -> tuple[float, float]:
    if write:
        setattr(project, "loop" if is_loop else "time_selection", (start, end))
    return project.loop if is_loop else project.time_selection


@call
def GetSet_LoopTimeRange(
    reaper: FakeReaper, write: bool, is_loop: bool, start: float, end: float, seek: bool
) -> tuple[float, float]:
    return GetSet_LoopTimeRange2(reaper, reaper.active, write, is_loop, start, end, seek)


@call
def GetCursorPosition(reaper: FakeReaper) -> float:
    return reaper.active.cursor_s


@call
def GetCursorPositionEx(reaper: FakeReaper, project: Project) -> float:
    return project.cursor_s


@call
def TimeMap_curFrameRate(reaper: FakeReaper, project: Project) -> tuple[float, bool]:
    return project.frame_rate, project.drop_frame


@call
def TimeMap_GetDividedBpmAtTime(reaper: FakeReaper, time_s: float) -> float:
    return reaper.active.tempo


@call
def TimeMap2_QNToTime(reaper: FakeReaper, project: Project, quarter_notes: float) -> float:
    return quarter_notes * 60.0 / project.tempo


@call
def TimeMap2_timeToQN(reaper: FakeReaper, project: Project, time_s: float) -> float:
    return time_s * project.tempo / 60.0


# -- ext state in the project ---------------------------------------------------------------------------------------


@call
def SetProjExtState(reaper: FakeReaper, project: Project, section: str, key: str, value: str) -> int:
    for word in (section, key):
        if not word or any(letter in word for letter in " \t\r\n\"'`"):
            raise Violation(f"{word!r} as a name in the project file would not come back")
    # names are compared without case; an empty value deletes
    place = _place(project, section, key) or (section, key)
    project.dirty = True
    if value:
        project.ext_state[place] = value
    else:
        project.ext_state.pop(place, None)
    return len(project.ext_state)


def _place(project: Project, section: str, key: str) -> tuple[str, str] | None:
    wanted = (section.upper(), key.upper())
    return next((place for place in project.ext_state if (place[0].upper(), place[1].upper()) == wanted), None)


@call
def GetProjExtState(reaper: FakeReaper, project: Project, section: str, key: str) -> tuple[int, str]:
    place = _place(project, section, key)
    return (0, "") if place is None else (1, project.ext_state[place])


@call
def EnumProjExtState(
    reaper: FakeReaper, project: Project, section: str, index: int
) -> tuple[bool, str | None, str | None]:
    found = [(key, value) for (where, key), value in project.ext_state.items() if where.upper() == section.upper()]
    return (True, *found[index]) if 0 <= index < len(found) else (False, None, None)


# -- undo -----------------------------------------------------------------------------------------------------------


@call
def Undo_BeginBlock2(reaper: FakeReaper, project: Project) -> None:
    if project.block_depth:
        raise Violation("an undo block inside another")
    project.block_depth = 1
    project.block_before = project.copied_content()
    project.block_touched = set()


@call
def Undo_EndBlock2(reaper: FakeReaper, project: Project, label: str, flags: int) -> None:
    from fake.reaper import UNDO_ALL, UNDO_FLAGS

    if not project.block_depth:
        raise Violation("an undo block ends that was never begun")
    if not label:
        raise Violation("an undo point without a name")
    before = project.block_before
    assert before is not None
    project.block_depth, project.block_before = 0, None
    if flags == 0:
        # no undo point: then there must be nothing to undo
        changed = difference(before, project.content)
        if changed:
            raise Violation(f"no undo point holds what was changed: {changed}")
        return
    if flags != UNDO_ALL:
        lost = sorted(kind for kind in project.block_touched if not flags & UNDO_FLAGS[kind])
        if lost:
            raise Violation(f"the undo flags {flags} leave out what was edited: {', '.join(lost)}")
    project.undo.append(UndoPoint(label, flags, before))
    project.redo.clear()


@call
def Undo_BeginBlock(reaper: FakeReaper) -> None:
    Undo_BeginBlock2(reaper, reaper.active)


@call
def Undo_EndBlock(reaper: FakeReaper, label: str, flags: int) -> None:
    Undo_EndBlock2(reaper, reaper.active, label, flags)


@call
def Undo_CanUndo2(reaper: FakeReaper, project: Project) -> str | None:
    return project.undo[-1].label if project.undo else None


@call
def Undo_CanRedo2(reaper: FakeReaper, project: Project) -> str | None:
    return project.redo[-1].label if project.redo else None


@call
def Undo_DoUndo2(reaper: FakeReaper, project: Project) -> int:
    return _step(project, project.undo, project.redo)


@call
def Undo_DoRedo2(reaper: FakeReaper, project: Project) -> int:
    return _step(project, project.redo, project.undo)


def _step(project: Project, source: list[UndoPoint], target: list[UndoPoint]) -> int:
    if project.block_depth:
        raise Violation("undo inside an open undo block")
    if not source:
        return 0
    point = source.pop()
    target.append(UndoPoint(point.label, point.flags, project.copied_content()))
    restore(project, point.before)
    project.restored[:] = [project.content]
    return 1


def restore(project: Project, content: Content) -> None:
    """Put a state back. Tracks keep their pointers, items and what is below are made anew, as REAPER may."""
    present = {track.guid: track for track in project.tracks}
    tracks: list[Track] = []
    for track in content.tracks:
        kept = present.get(track.guid)
        if kept is None:
            tracks.append(track)
            continue
        state: dict[str, Any] = dict(track.__dict__)
        kept.__dict__.update(state)
        for item in kept.items:
            item.track = kept
        for envelope in [*kept.envelopes, *(one for effect in kept.fx for one in effect.envelopes.values())]:
            envelope.owner = kept
        tracks.append(kept)
    project.content.tracks[:] = tracks
    project.content.markers[:] = content.markers
    project.changes += 1


@call
def Undo_OnStateChange2(reaper: FakeReaper, project: Project, label: str) -> None:
    raise Violation("an undo point after the fact; use a block")
