"""Message boxes, input dialogs, the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.registry import call

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def MB(reaper: FakeReaper, text: str, title: str, buttons: int) -> int:
    return reaper.dialogs.box(text, title, buttons)


@call
def ShowMessageBox(reaper: FakeReaper, text: str, title: str, buttons: int) -> int:
    return reaper.dialogs.box(text, title, buttons)


@call
def ShowConsoleMsg(reaper: FakeReaper, text: str) -> None:
    reaper.dialogs.console += text


@call
def ClearConsole(reaper: FakeReaper) -> None:
    reaper.dialogs.console = ""


@call
def GetUserInputs(reaper: FakeReaper, title: str, count: int, captions: str, defaults: str) -> tuple[bool, str]:
    return reaper.dialogs.ask(title, count, captions, defaults)


@call
def GetUserFileNameForRead(reaper: FakeReaper, start: str, title: str, extension: str) -> tuple[bool, str]:
    return reaper.dialogs.file(start, title, extension)


@call
def ReaScriptError(reaper: FakeReaper, text: str) -> None:
    reaper.dialogs.console += text + "\n"
