"""Answers that a test lays ready for the windows a script opens, and the record of what was shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import Violation


@dataclass(frozen=True)
class Shown:
    """One window that the user saw."""

    kind: str
    title: str
    text: str
    detail: Any = None


@dataclass
class Dialogs:
    """The user of the test.

    Attributes
    ----------
    boxes
        Answers to the next boxes (1 OK, 2 Cancel, 3 Abort, 4 Retry, 5 Ignore, 6 Yes, 7 No), or a function of the
        `Shown` box.
    inputs
        Answers to the next GetUserInputs: a list of field texts, None for Cancel, or a function of (title, captions,
        defaults).
    files
        Answers to the next GetUserFileNameForRead: a path, or None for Cancel.
    menus
        Answers to the next gfx.showmenu: the number of the chosen entry, 0 for none.
    ok_by_default
        Whether a plain OK box with no answer laid ready is simply confirmed.
    """

    boxes: deque[int | Callable[[Shown], int]] = field(default_factory=deque)
    inputs: deque[Any] = field(default_factory=deque)
    files: deque[str | None] = field(default_factory=deque)
    menus: deque[int] = field(default_factory=deque)
    shown: list[Shown] = field(default_factory=list)
    console: str = ""
    ok_by_default: bool = True

    @property
    def texts(self) -> list[str]:
        """What message boxes said, in order."""
        return [one.text for one in self.shown if one.kind == "box"]

    def box(self, text: str, title: str, buttons: int) -> int:
        shown = Shown("box", title, text, buttons)
        self.shown.append(shown)
        allowed = {0: (1,), 1: (1, 2), 2: (3, 4, 5), 3: (6, 7, 2), 4: (6, 7), 5: (4, 2)}.get(buttons)
        if allowed is None:
            raise Violation(f"a message box of type {buttons} does not exist")
        if not self.boxes:
            if buttons == 0 and self.ok_by_default:
                return 1
            raise Violation(f"nobody answers the message box {title!r}: {text!r}")
        answer = self.boxes.popleft()
        value = answer(shown) if callable(answer) else answer
        if value not in allowed:
            raise Violation(f"the test answers {value} to a box with the buttons {allowed}")
        return value

    def ask(self, title: str, count: int, captions: str, defaults: str) -> tuple[bool, str]:
        """Answer GetUserInputs; captions and values are cut at commas, unless the captions name a `separator=`."""
        names = captions.split(",")
        separator = ","
        for extra in names[count:]:
            key, _, value = extra.partition("=")
            if key == "separator" and len(value) == 1:
                separator = value
            elif key != "extrawidth":
                raise Violation(f"GetUserInputs: {len(names)} captions for {count} fields ({captions!r})")
        if not 1 <= count <= 16:
            raise Violation(f"GetUserInputs has 1 to 16 fields, not {count}")
        if len(names) < count:
            raise Violation(f"GetUserInputs: {len(names)} captions for {count} fields ({captions!r})")
        values = defaults.split(separator)
        if len(values) > count:
            raise Violation(f"GetUserInputs: the defaults {defaults!r} fall into {len(values)} fields, not {count}")
        values += [""] * (count - len(values))
        self.shown.append(Shown("inputs", title, captions, tuple(values)))
        if not self.inputs:
            raise Violation(f"nobody answers the dialog {title!r} ({captions})")
        answer = self.inputs.popleft()
        if callable(answer):
            answer = answer(title, names[:count], values)
        if answer is None:
            return False, defaults
        if len(answer) != count:
            raise Violation(f"the test answers {len(answer)} fields of {count}")
        return True, separator.join(str(one) for one in answer)

    def file(self, start: str, title: str, extension: str) -> tuple[bool, str]:
        self.shown.append(Shown("file", title, start, extension))
        if not self.files:
            raise Violation(f"nobody answers the file dialog {title!r}")
        answer = self.files.popleft()
        return (False, start) if answer is None else (True, answer)
