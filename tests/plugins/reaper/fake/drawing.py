"""The gfx window: what a script drew, as text to search and as a picture to look at."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LETTER_WIDTH, LETTER_HEIGHT = 0.55, 1.0
"""Of the font size: a stand-in for real fonts, wide enough that what fits here fits on a screen."""


@dataclass
class Drawing:
    """The window of `gfx`.

    Attributes
    ----------
    available
        False: gfx.init fails, as without a display.
    frames
        Calls of each finished frame (up to gfx.update), as (name, colour, arguments...).
    keys
        What gfx.getchar answers next; the letter's code, 27 Escape, 13 Enter, -1 for a closed window. Empty: 0.
    mouse
        (x, y, buttons) that the script sees.
    """

    available: bool = True
    is_open: bool = False
    title: str = ""
    width: int = 0
    height: int = 0
    frames: list[list[tuple[Any, ...]]] = field(default_factory=list)
    present: list[tuple[Any, ...]] = field(default_factory=list)
    keys: deque[int] = field(default_factory=deque)
    mouse: tuple[int, int, int] = (0, 0, 0)
    font_size: float = 16.0
    background: int = 0

    @property
    def texts(self) -> list[str]:
        """Strings in the last finished frame."""
        return [call[-1] for call in (self.frames[-1] if self.frames else []) if call[0] == "drawstr"]

    def find(self, text: str) -> tuple[float, float, float, float]:
        """Give x, y, width, height of a string of the last frame, so that a test can click on it.

        Raises
        ------
        LookupError
            It was not drawn.
        """
        for call in self.frames[-1] if self.frames else []:
            if call[0] == "drawstr" and text in call[-1]:
                return call[2], call[3], call[4], call[5]
        raise LookupError(f"{text!r} is not drawn; there is {self.texts}")

    def measure(self, text: str) -> tuple[float, float]:
        lines = text.split("\n")
        return max(len(line) for line in lines) * self.font_size * LETTER_WIDTH, len(
            lines
        ) * self.font_size * LETTER_HEIGHT

    def outside(self) -> list[str]:
        """Strings of the last frame that do not lie wholly in the window."""
        return [
            call[-1]
            for call in (self.frames[-1] if self.frames else [])
            if call[0] == "drawstr"
            and (
                call[2] < 0 or call[3] < 0 or call[2] + call[4] > self.width + 1 or call[3] + call[5] > self.height + 1
            )
        ]

    def write_png(self, path: Path) -> None:
        """Draw the last frame simply: boxes and lines as they are, letters in a coarse 5 x 7 face."""
        canvas = Canvas(max(self.width, 1), max(self.height, 1), self.background)
        for name, colour, *arguments in self.frames[-1] if self.frames else []:
            canvas.draw(name, colour, arguments)
        path.write_bytes(png(canvas.pixels))


class Canvas:
    """Pixels that the drawing calls fall on."""

    def __init__(self, width: int, height: int, background: int) -> None:
        self.pixels = np.zeros((height, width, 3), np.float64)
        self.pixels[:] = [background & 255, background >> 8 & 255, background >> 16 & 255]

    def draw(self, name: str, colour: tuple[float, ...], values: list[Any]) -> None:
        if name == "rect":
            x, y, w, h, filled = values
            self._box(x, y, w, h, colour) if filled else self._frame(x, y, w, h, colour)
        elif name == "roundrect":
            self._frame(*values[:4], colour)
        elif name == "line":
            self._line(*values[:4], colour)
        elif name == "circle":
            x, y, radius, filled = values
            for angle in np.linspace(0, 2 * np.pi, 180):
                end = x + radius * np.cos(angle), y + radius * np.sin(angle)
                self._line(x, y, *end, colour) if filled else self._box(*end, 1, 1, colour)
        elif name == "drawstr":
            x, y, w, h, text = values
            lines = text.split("\n")
            for row, line in enumerate(lines):
                self._text(x, y + row * h / len(lines), h / len(lines), line, colour)

    def _box(self, x: float, y: float, w: float, h: float, colour: tuple[float, ...]) -> None:
        rows, columns = slice(max(0, int(y)), max(0, int(y + h))), slice(max(0, int(x)), max(0, int(x + w)))
        red, green, blue, alpha = colour
        self.pixels[rows, columns] += alpha * (np.array([red, green, blue]) * 255.0 - self.pixels[rows, columns])

    def _frame(self, x: float, y: float, w: float, h: float, colour: tuple[float, ...]) -> None:
        for box in ((x, y, w, 1), (x, y + h, w, 1), (x, y, 1, h), (x + w, y, 1, h)):
            self._box(*box, colour)

    def _line(self, x1: float, y1: float, x2: float, y2: float, colour: tuple[float, ...]) -> None:
        for share in np.linspace(0.0, 1.0, int(max(abs(x2 - x1), abs(y2 - y1))) + 2):
            self._box(x1 + share * (x2 - x1), y1 + share * (y2 - y1), 1, 1, colour)

    def _text(self, x: float, y: float, size: float, text: str, colour: tuple[float, ...]) -> None:
        from .letters import dots

        advance = size * LETTER_WIDTH
        unit = size * 0.09
        for place, letter in enumerate(text):
            for column, row in dots(letter):
                self._box(
                    x + place * advance + column * unit,
                    y + 0.15 * size + row * unit,
                    max(unit, 1),
                    max(unit, 1),
                    colour,
                )


def png(pixels: np.ndarray) -> bytes:
    """Pack (height, width, 3) values of 0 to 255 as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.clip(pixels, 0, 255).astype(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
