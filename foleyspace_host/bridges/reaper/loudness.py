"""Loudness over time on its way from an envelope in REAPER to the host, and back."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from foleyspace_host.errors import InvalidInput

__all__ = ["points_of", "write_points"]

_SILENCE_DB = -100.0  # of the envelope's format: there is nothing below
_JUMP_S = 1e-4  # the least between points: two at one time, a jump, might change places in REAPER


def write_points(points: Sequence[tuple[float, float]], path: Path) -> Path:
    """Write what was drawn as an envelope of the host; what begins in it is left to be found by its rises.

    Parameters
    ----------
    points : sequence of (float, float)
        Time, not falling, 0 or more [s], and level [dB].
    path : Path
        The file.

    Returns
    -------
    Path
        The same.
    """
    lines = [f"{t_s:.6f},{level_db:.2f}" for t_s, level_db in points]
    path.write_text("\n".join(["t_s,level_db", *lines, ""]), encoding="utf-8")
    return path


def points_of(path: Path) -> list[list[float]]:
    """Return an envelope of the host as points to draw.

    Parameters
    ----------
    path : Path
        Its file.

    Returns
    -------
    list of [float, float]
        Time [s] and level [dB], times rising by 0.1 ms and more, also where the curve jumps.

    Raises
    ------
    InvalidInput
        If it is no envelope.
    """
    points: list[list[float]] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if not {"t_s", "level_db"} <= set(table.fieldnames or ()):
                raise ValueError("columns are missing")
            for row in table:
                t_s, level_db = float(row["t_s"]), max(float(row["level_db"]), _SILENCE_DB)
                points.append([max(t_s, points[-1][0] + _JUMP_S) if points else t_s, level_db])
    except (TypeError, ValueError, csv.Error) as error:
        raise InvalidInput("is no envelope", where=str(path)) from error
    return points
