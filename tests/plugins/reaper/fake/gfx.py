"""The Python side of the drawing calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Violation

if TYPE_CHECKING:
    from .reaper import FakeReaper


def gfx_call(reaper: FakeReaper, name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Carry out one call of the window and give its values to Lua.

    Raises
    ------
    Violation
        Numbers missing or no numbers, an unknown menu answer, drawing without a window.
    """
    drawing = reaper.drawing
    if name == "init":
        if drawing.available:
            drawing.is_open, drawing.title = True, arguments[0].decode()
            drawing.width, drawing.height = int(arguments[1]), int(arguments[2])
        return (drawing.available,)
    if name == "measurestr":
        return drawing.measure(_text(arguments[0]))
    if name == "setfont":
        drawing.font_size = float(arguments[0])
        return ()
    if not drawing.is_open:
        if name == "quit":
            return ()
        if name == "getchar":
            return (-1, 0, 0, 0)
        raise Violation(f"gfx.{name} without a window")
    if name == "quit":
        drawing.is_open = False
        return ()
    if name == "getchar":
        key = drawing.keys.popleft() if drawing.keys else 0
        if key == -1:
            drawing.is_open = False
        return (key, *drawing.mouse)
    if name == "update":
        drawing.background = int(arguments[0])
        drawing.frames.append(drawing.present)
        drawing.present = []
        return ()
    if name == "showmenu":
        return (_menu(reaper, arguments[0].decode()),)
    kind, red, green, blue, alpha, *values = arguments
    shape = kind.decode()
    plain = values[:-1] if shape == "drawstr" else values
    if any(not isinstance(value, int | float) for value in (red, green, blue, alpha, *plain)):
        raise Violation(f"gfx.{shape} with {values}")
    values = [_text(value) if isinstance(value, bytes) else value for value in values]
    drawing.present.append((shape, (red, green, blue, alpha), *values))
    return ()


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise Violation(f"a string is due, not {value!r}")
    return value.decode("utf-8", "replace")


def _menu(reaper: FakeReaper, text: str) -> int:
    # "|" parts entries; "#" greys, "!" ticks, ">" opens a sub-menu, "<" ends one: a sub-menu's head has no number
    entries = [entry for entry in text.split("|") if entry and not entry.startswith(">")]
    if not reaper.dialogs.menus:
        raise Violation(f"nobody answers the menu {entries}")
    answer = reaper.dialogs.menus.popleft()
    if not 0 <= answer <= len(entries):
        raise Violation(f"the test answers {answer} to the menu {entries}")
    return answer
