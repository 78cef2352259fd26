"""The loudness of a generated sound as an F-curve of its strip: drawn, edited in the graph editor, and read again.

The curve animates ``Strip.foleyspace_level_db``, which matters to nothing but *Generate Again*. Where something
begins the key is of the type Extreme, to be seen in the dope sheet; the host finds beginnings by how the curve rises.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from typing import Any

import bpy

from . import compat
from .strips import Refused

__all__ = ["NAME", "draw", "points_of_file", "read", "write"]

NAME = "foleyspace_level_db"
LOWEST_DB, HIGHEST_DB = -100.0, 20.0
STEP_S = 0.01  # between samples of what is not straight
MOST_SAMPLES = 100_000
SAME = 1e-3  # frames; what is nearer is one point
APART = 0.02  # frames; of keys that are nearer Blender may keep only one

Points = Sequence[tuple[float, float, bool]]


def draw(scene: Any, strip: Any, points: Points) -> None:
    """Give a strip this curve, in place of one that it has.

    Parameters
    ----------
    scene : Scene
        Of the sequencer.
    strip : Strip
        A sound strip.
    points : sequence of (float, float, bool)
        Time in the sound [s], level [dB], and whether something begins there.
    """
    compat.remove_curve(strip, NAME)
    if not points:
        return
    fps, zero = float(compat.effective_fps(scene)), _zero(scene, strip)
    frames = [zero + points[0][0] * fps]
    for t_s, _, _ in points[1:]:
        frames.append(max(zero + t_s * fps, frames[-1] + APART))
    strip.keyframe_insert(NAME, frame=frames[0])  # makes what a curve needs: action, slot, channels
    keys = compat.curve_of(strip, NAME).keyframe_points
    keys.add(len(points) - 1)
    for key, frame, (_, level_db, onset) in zip(keys, frames, points, strict=True):
        key.co = frame, level_db
        key.interpolation = "LINEAR"
        key.type = "EXTREME" if onset else "KEYFRAME"
    compat.curve_of(strip, NAME).update()


def read(scene: Any, strip: Any, duration_s: float) -> list[tuple[float, float]]:
    """Return what is drawn for a strip's sound, as straight lines: times [s] and levels [dB]; empty if nothing is."""
    curve = compat.curve_of(strip, NAME)
    if curve is None or curve.mute or not len(curve.keyframe_points):
        return []
    fps, zero = float(compat.effective_fps(scene)), _zero(scene, strip)
    end = zero + duration_s * fps
    step = max(STEP_S * fps, (end - zero) / MOST_SAMPLES)
    frames = {zero, end}
    keys = curve.keyframe_points
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        frames.add(key.co.x)
        if following is None:
            continue
        if key.interpolation == "CONSTANT":
            frames.add(max(following.co.x - APART, key.co.x))
        elif key.interpolation != "LINEAR":
            frames.update(_between(max(key.co.x, zero), min(following.co.x, end), step))
    if len(curve.modifiers):
        frames.update(_between(zero, end, step))
    within: list[float] = []
    for frame in sorted(frames):
        if zero <= frame <= end and (not within or frame - within[-1] > SAME):
            within.append(frame)
    return [((f - zero) / fps, min(max(curve.evaluate(f), LOWEST_DB), HIGHEST_DB)) for f in within]


def write(points: Sequence[tuple[float, float]], name: str) -> str:
    """Write an envelope for the host into a file of this session, and return its path.

    Raises
    ------
    Refused
        If it cannot be written.
    """
    path = os.path.join(bpy.app.tempdir, f"foleyspace-{name}.envelope.csv")
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write("t_s,level_db\n")
            file.writelines(f"{t_s:.6f},{level_db:.2f}\n" for t_s, level_db in points)
    except OSError as error:
        raise Refused(f"The curve cannot be written: {error.strerror}: {path}") from error
    return path


def points_of_file(path: str) -> list[tuple[float, float, bool]]:
    """Return the points of an envelope that the host wrote; none if there are none to be read."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [(float(row["t_s"]), float(row["level_db"]), row.get("onset") == "1") for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _zero(scene: Any, strip: Any) -> float:
    """Return the frame at which the strip's sound begins, or would if it was not trimmed."""
    return compat.content_start(strip) + compat.sound_offset_s(strip) * float(compat.effective_fps(scene))


def _between(first: float, last: float, step: float) -> list[float]:
    return [first + n * step for n in range(1, int((last - first) / step) + 1)] if last > first else []
