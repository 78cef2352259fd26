"""The text of project files (.RPP) as a tree of elements."""

from __future__ import annotations

from dataclasses import dataclass, field

QUOTES = "\"'`"


@dataclass
class Node:
    """One `<NAME ...` element: its words, its lines cut into words, its child elements."""

    words: list[str]
    lines: list[list[str]] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0]

    def find(self, name: str) -> list[str] | None:
        """Give the words behind the first line of that name."""
        return next((line[1:] for line in self.lines if line[0] == name), None)

    def number(self, name: str, place: int = 0, default: float = 0.0) -> float:
        words = self.find(name)
        return float(words[place]) if words is not None and place < len(words) else default

    def text(self, name: str, default: str = "") -> str:
        words = self.find(name)
        return words[0] if words else default


def cut(line: str) -> list[str]:
    """Cut one line into words: a word may stand in double, single or back quotes, whichever it does not hold itself."""
    words, place = [], 0
    while place < len(line):
        if line[place] == " ":
            place += 1
            continue
        if line[place] in QUOTES:
            end = line.find(line[place], place + 1)
            end = len(line) if end < 0 else end
            words.append(line[place + 1 : end])
            place = end + 1
            continue
        end = line.find(" ", place)
        end = len(line) if end < 0 else end
        words.append(line[place:end])
        place = end
    return words


def parse(text: str) -> Node:
    """Read the tree of elements.

    Raises
    ------
    ValueError
        It is no project file, or elements do not close.
    """
    root: Node | None = None
    stack: list[Node] = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            continue
        if line.startswith("<"):
            node = Node(cut(line[1:]))
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
            stack.append(node)
        elif line == ">":
            if not stack:
                raise ValueError("an element ends that never began")
            stack.pop()
        elif stack:
            # notes start with a bar, plug-in states are base64: both are one word
            stack[-1].lines.append([line] if line.startswith("|") else cut(line) or [""])
    if root is None or stack or root.name != "REAPER_PROJECT":
        raise ValueError("no whole REAPER project")
    return root
