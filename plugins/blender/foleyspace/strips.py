"""Strips: which part of which file one plays, exactly, and what cannot be done with it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import bpy

from . import compat

__all__ = [
    "Part",
    "Refused",
    "file_of",
    "identity",
    "output_folder",
    "part_of",
    "stem_of",
    "video_part_of",
]

_LONGEST = 1 << 53  # of the protocol's integers


class Refused(Exception):
    """Something cannot be done with a strip; the text says why, and what to do, in one sentence."""


@dataclass(frozen=True)
class Part:
    """What a strip plays, exactly.

    Parameters
    ----------
    path : str
        Absolute path of the file.
    start_s, duration_s : Fraction
        The part of the file that is heard [s].
    first : Fraction
        Frame at which that part begins: the strip's left handle, or where the sound begins if that is later.
    left, right : int
        First frame, and frame after the last one, that the part touches.
    fps : Fraction
        Frames per second, as Blender computes it.
    """

    path: str
    start_s: Fraction
    duration_s: Fraction
    first: Fraction
    left: int
    right: int
    fps: Fraction

    @property
    def lead_s(self) -> Fraction:
        """Time from the left frame to where the part begins, less than a frame [s]."""
        return (self.first - self.left) / self.fps

    def span(self) -> dict[str, list[int]]:
        """Return the protocol's ``Span``."""
        return {"start": _ratio(self.start_s), "duration": _ratio(self.duration_s)}


# --- reading strips ----------------------------------------------------------------------------------------------


def part_of(scene: Any, strip: Any, keep_in: str = "") -> Part:
    """Return what a sound strip plays.

    Parameters
    ----------
    scene : Scene
        Of the sequencer that holds the strip.
    strip : Strip
        A sound strip, at the top level or inside of meta strips, which trim it.
    keep_in : str
        Folder to which a packed sound is written.

    Returns
    -------
    Part

    Raises
    ------
    Refused
        If it is no sound strip, is retimed, has no file, or nothing of it can be heard.
    """
    if strip.type == "META":
        raise Refused("This is a meta strip; select the sound strips inside of it")
    if strip.type != "SOUND":
        raise Refused("This is not a sound strip; select one, or add the sound of the movie as a strip of its own")
    _check_speed(strip)
    path = file_of(strip, keep_in)
    fps = compat.effective_fps(scene)
    left, right = _shown(strip)
    offset = Fraction(compat.sound_offset_s(strip))
    content = Fraction(compat.content_start(strip)) + offset * fps  # frame of the file's first sample
    first = max(Fraction(left), content)
    if first >= right:
        raise Refused("Nothing of its sound lies between its handles; move them")
    return Part(path, (first - content) / fps, (right - first) / fps, first, floor(first), right, fps)


def video_part_of(scene: Any, strip: Any) -> Part:
    """Return what a movie strip shows; as `part_of`.

    Raises
    ------
    Refused
        If it is no movie strip, is retimed, has no file, or is not played at the speed it was filmed.
    """
    if strip.type != "MOVIE":
        raise Refused("This is not a movie strip; select one")
    _check_speed(strip)
    path = os.path.abspath(bpy.path.abspath(strip.filepath, library=scene.library))
    if not os.path.isfile(path):
        raise Refused(f"Its file is missing: {path}")
    fps = compat.effective_fps(scene)
    if strip.fps and abs(strip.fps / float(fps) - 1.0) > 1e-3:
        raise Refused(
            f"The movie has {strip.fps:.6g} frames per second and the scene {float(fps):.6g}, so that it is not played "
            "at its own speed; set the scene's frame rate to that of the movie"
        )
    left, right = _shown(strip)
    start = Fraction(compat.content_start(strip))
    first = max(Fraction(left), start)
    if first >= right:
        raise Refused("Nothing of its picture lies between its handles; move them")
    return Part(path, (first - start) / fps, (right - first) / fps, first, floor(first), right, fps)


def file_of(strip: Any, keep_in: str = "") -> str:
    """Return the absolute path of a sound strip's file; a packed sound is written to a folder first.

    Raises
    ------
    Refused
        If there is no file, or it cannot be written.
    """
    sound = strip.sound
    if sound is None:
        raise Refused("It has no sound; choose a file for it")
    if sound.packed_file is not None:
        return _unpacked(sound, keep_in)
    path = os.path.abspath(bpy.path.abspath(sound.filepath, library=sound.library))
    if not os.path.isfile(path):
        raise Refused(f"Its file is missing: {path}")
    return path


def identity(path: str) -> str:
    """Return what changes with the content of a file, and not with the place of a project."""
    found = os.stat(path)
    return f"{os.path.basename(path)}\n{found.st_size}\n{found.st_mtime_ns}"


def stem_of(*names: str) -> str:
    """Return how a result's file name begins."""
    joined = "-".join(re.sub(r"\.\w{1,5}$", "", name) for name in names if name)
    return re.sub(r'[\x00-\x1f/\\:*?"<>|]+', "_", joined).strip(" ._")[:80] or "foleyspace"


def output_folder(named: str) -> str:
    """Return the absolute path of a folder for results, which is made.

    Parameters
    ----------
    named : str
        Absolute, or ``//`` and relative to the blend file; where that was never saved, the extension's own folder.

    Raises
    ------
    Refused
        If it cannot be made.
    """
    try:
        if named.startswith("//") and not bpy.data.filepath:
            folder = _own_folder()
        else:
            folder = os.path.abspath(bpy.path.abspath(named or "//foleyspace/"))
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Refused(f"The output folder cannot be made: {error.strerror}: {error.filename}") from error
    return folder


# --- particulars -------------------------------------------------------------------------------------------------


def _check_speed(strip: Any) -> None:
    if compat.is_retimed(strip):
        raise Refused("It is retimed; reset its retiming, or bounce it to a file of its own speed")


def _shown(strip: Any) -> tuple[int, int]:
    """Return the frames [left, right) that are left of a strip by its handles and those of the metas around it."""
    left, right = compat.left(strip), compat.right(strip)
    meta = strip.parent_meta()
    while meta is not None:
        left, right = max(left, compat.left(meta)), min(right, compat.right(meta))
        meta = meta.parent_meta()
    return left, right


def _ratio(time_s: Fraction) -> list[int]:
    if max(time_s.numerator, time_s.denominator) > _LONGEST:
        time_s = time_s.limit_denominator(10**9)
    return [time_s.numerator, time_s.denominator]


def _unpacked(sound: Any, keep_in: str) -> str:
    data = bytes(sound.packed_file.data)
    digest = hashlib.blake2b(data, digest_size=6).hexdigest()
    named = Path(bpy.path.basename(sound.filepath) or sound.name)
    folder = keep_in or output_folder("//foleyspace/")
    path = os.path.join(folder, f"{stem_of(named.stem)}-{digest}{named.suffix or '.wav'}")
    if not os.path.isfile(path):
        try:
            with open(path + ".part", "wb") as file:
                file.write(data)
            os.replace(path + ".part", path)
        except OSError as error:
            raise Refused(f"The packed sound cannot be written: {error.strerror}: {path}") from error
    return path


def _own_folder() -> str:
    package = __package__ or "foleyspace"
    if package.startswith("bl_ext."):
        return str(bpy.utils.extension_path_user(package, path="results", create=True))
    return os.path.join(bpy.utils.user_resource("DATAFILES"), "foleyspace", "results")  # not run as an extension
