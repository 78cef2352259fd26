"""Rows of text in columns, and numbers as people read them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

__all__ = ["ago", "size", "table"]

_GAP = 2


def table(rows: Sequence[Sequence[str]], *, width: int | None = None) -> list[str]:
    """Return rows with their cells in columns; the last column is cut to the width.

    Parameters
    ----------
    rows : sequence of sequence of str
        Rows of the same number of cells.
    width : int, optional
        Characters in a line; those of the terminal, or no limit in a pipe, if not given.

    Returns
    -------
    list of str
    """
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if width is None:
        width = shutil.get_terminal_size((10_000, 24)).columns
    lines = []
    for row in rows:
        line = "".join(f"{cell:<{w + _GAP}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        lines.append(line if len(line) <= width else line[: max(width - 1, 0)] + "…")
    return lines


def ago(seconds: float) -> str:
    """Return a duration in the unit that fits.

    Parameters
    ----------
    seconds : float
        Duration [s].

    Returns
    -------
    str
        Such as ``3 s``, ``12 min``, ``5 h`` or ``2 days``.
    """
    for unit, length_s, until_s in (("s", 1, 99), ("min", 60, 99 * 60), ("h", 3600, 48 * 3600)):
        if seconds < until_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def size(n_bytes: int) -> str:
    """Return a number of bytes in the unit that fits.

    Parameters
    ----------
    n_bytes : int
        Number of bytes.

    Returns
    -------
    str
        Such as ``12 kB`` or ``1.5 GB``.
    """
    value = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000.0:
            return f"{value:.0f} {unit}"
        value /= 1000.0
    return f"{value:.1f} GB"
