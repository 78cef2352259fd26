"""Application: files, clock, ext state, actions, programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fake.errors import Violation
from fake.model import Project, new_guid
from fake.registry import call
from fake.relations import project_of
from fake.signatures import Handle, table

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def APIExists(reaper: FakeReaper, name: str) -> bool:
    return name in table() and name not in reaper.missing_functions


@call
def GetAppVersion(reaper: FakeReaper) -> str:
    return reaper.version


@call
def GetOS(reaper: FakeReaper) -> str:
    return reaper.operating_system


@call
def GetResourcePath(reaper: FakeReaper) -> str:
    return os.fspath(reaper.resource)


@call
def GetAudioDeviceInfo(reaper: FakeReaper, name: str) -> tuple[bool, str]:
    if name not in ("MODE", "IDENT_IN", "IDENT_OUT", "BSIZE", "SRATE", "BPS"):
        raise Violation(f"the audio device has no {name!r}")
    if reaper.device_rate_hz is None:
        return False, ""
    return (True, str(reaper.device_rate_hz)) if name == "SRATE" else (True, "")


@call
def time_precise(reaper: FakeReaper) -> float:
    return reaper.now_s


@call
def file_exists(reaper: FakeReaper, path: str) -> bool:
    return os.path.isfile(path)


@call
def RecursiveCreateDirectory(reaper: FakeReaper, path: str, ignored: int) -> int:
    existed = os.path.isdir(path)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError:
        return 0
    return 0 if existed else 1


@call
def EnumerateFiles(reaper: FakeReaper, path: str, index: int) -> str | None:
    return _entry(path, index, files=True)


@call
def EnumerateSubdirectories(reaper: FakeReaper, path: str, index: int) -> str | None:
    return _entry(path, index, files=False)


_listings: dict[tuple[str, bool], list[str]] = {}


def _entry(path: str, index: int, *, files: bool) -> str | None:
    # REAPER lists a folder once and answers from that until index 0 or -1 is asked for
    if index <= 0 or (path, files) not in _listings:
        try:
            names = sorted(one.name for one in os.scandir(path) if one.is_file() == files)
        except OSError:
            names = []
        _listings[path, files] = names
    names = _listings[path, files]
    return names[index] if 0 <= index < len(names) else None


@call
def SetExtState(reaper: FakeReaper, section: str, key: str, value: str, persist: bool) -> None:
    if persist and any(letter in value + key + section for letter in "\r\n"):
        raise Violation("a line break in a persistent ext state: the .ini file keeps only the first line")
    reaper.ext_state[section, key] = (value, persist)


@call
def GetExtState(reaper: FakeReaper, section: str, key: str) -> str:
    return reaper.ext_state.get((section, key), ("", False))[0]


@call
def HasExtState(reaper: FakeReaper, section: str, key: str) -> bool:
    return (section, key) in reaper.ext_state


@call
def DeleteExtState(reaper: FakeReaper, section: str, key: str, persist: bool) -> None:
    reaper.ext_state.pop((section, key), None)


@call
def ExecProcess(reaper: FakeReaper, line: str, timeout_ms: int) -> str | None:
    return reaper.processes.execute(line, timeout_ms)


@call
def genGuid(reaper: FakeReaper, text: str | None = None) -> str:
    return new_guid()


@call
def ColorToNative(reaper: FakeReaper, red: int, green: int, blue: int) -> int:
    # byte order differs between systems: Windows and Linux keep red lowest, macOS blue
    if "OS" in reaper.operating_system:
        red, blue = blue, red
    return red | green << 8 | blue << 16


@call
def ColorFromNative(reaper: FakeReaper, color: int) -> tuple[int, int, int]:
    parts = (color & 255, color >> 8 & 255, color >> 16 & 255)
    return parts[::-1] if "OS" in reaper.operating_system else parts  # type: ignore[return-value]


@call
def ValidatePtr2(reaper: FakeReaper, project: Project, pointer: Any, kind: str) -> bool:
    if not isinstance(pointer, Handle) or f"{pointer.type}*" != kind or not reaper.alive(pointer.target):
        return False
    if kind == "ReaProject*":
        return True
    return kind in ("PCM_source*", "AudioAccessor*") or project_of(pointer.target) is project


@call
def ValidatePtr(reaper: FakeReaper, pointer: Any, kind: str) -> bool:
    return isinstance(pointer, Handle) and f"{pointer.type}*" == kind and reaper.alive(pointer.target)


@call
def PreventUIRefresh(reaper: FakeReaper, step: int) -> None:
    reaper.ui_refresh_prevented += step
    if reaper.ui_refresh_prevented < 0:
        raise Violation("PreventUIRefresh falls below zero")


@call
def UpdateArrange(reaper: FakeReaper) -> None:
    """Redraw the arrange view."""


@call
def UpdateTimeline(reaper: FakeReaper) -> None:
    """Redraw the timeline."""


NEW_TAB, CLOSE_TAB, BUILD_MISSING_PEAKS = 40859, 40860, 40047


@call
def Main_OnCommandEx(reaper: FakeReaper, command: int, flag: int, project: Project) -> None:
    reaper.commands.append(command)
    if command == NEW_TAB:
        reaper.new_project()
    elif command == CLOSE_TAB:
        reaper.close_project(reaper.active)
    elif command != BUILD_MISSING_PEAKS:
        raise Violation(f"the action {command} is not modelled")


@call
def Main_OnCommand(reaper: FakeReaper, command: int, flag: int) -> None:
    Main_OnCommandEx(reaper, command, flag, reaper.active)


@call
def NamedCommandLookup(reaper: FakeReaper, name: str) -> int:
    return 0


@call
def SetToggleCommandState(reaper: FakeReaper, section: int, command: int, state: int) -> bool:
    reaper.toggle_states[command] = state
    return True


@call
def RefreshToolbar2(reaper: FakeReaper, section: int, command: int) -> None:
    """Redraw a toolbar button."""
