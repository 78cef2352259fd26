"""Placing what was made of a strip: on a free channel, on the sample, as loud as its source."""

from __future__ import annotations

from fractions import Fraction
from math import floor, sqrt
from typing import Any

import bpy

from . import compat
from .strips import Part, Refused

__all__ = [
    "as_blender_likes",
    "check_changeable",
    "free_channel",
    "level_factor",
    "nudge_s",
    "place_file",
    "place_result",
]

_LAST_CHANNEL = 128
_MARGIN_SAMPLES = 0.02


def check_changeable(scene: Any, strip: Any, mutes: bool) -> None:
    """Raise Refused if a result cannot be placed, or the source not muted."""
    if scene.library is not None:
        raise Refused(f"The scene {scene.name} is linked from another file; open that file")
    if not mutes:
        return
    chain = strip
    while chain is not None:
        if chain.lock or (chain == strip and scene.sequence_editor.channels[chain.channel].lock):
            raise Refused("The strip or its channel is locked, so that it cannot be muted; unlock it")
        chain = chain.parent_meta()


def level_factor(strip: Any) -> float:
    """Return the factor on the volume of a result that makes it as loud as its source.

    Blender's mixer plays a mono strip 3.01 dB softer on each side, so that its power is the same on both as on one; a
    strip of two channels it plays as it is.
    """
    mono = strip.sound is not None and (strip.sound.channels == "MONO" or strip.sound.use_mono)
    return sqrt(0.5) if mono else 1.0


def free_channel(editor: Any, first: int, last: int, start: int, ignore: Any = None) -> int:
    """Return a channel that is neither locked nor occupied in the frames [first, last).

    Parameters
    ----------
    editor : SequenceEditor
        Where to look, at the top level.
    first, last : int
        Frames.
    start : int
        Channel to begin with: upwards from it, and then downwards.
    ignore : Strip, optional
        One that is about to go.

    Raises
    ------
    Refused
        If there is none.
    """
    taken = {
        strip.channel
        for strip in compat.top(editor)
        if strip != ignore and compat.left(strip) < last and first < compat.right(strip)
    }
    start = min(max(start, 1), _LAST_CHANNEL)
    for channel in (*range(start, _LAST_CHANNEL + 1), *range(start - 1, 0, -1)):
        if channel not in taken and not editor.channels[channel].lock:
            return channel
    raise Refused("There is no free channel for the result; remove strips, or unlock channels")


def place_file(scene: Any, path: str, name: str, part: Part, channel: int, ignore: Any = None) -> Any:
    """Add a strip that plays a file from where a part begins to where it ends, and return it.

    Raises
    ------
    Refused
        If there is no channel, or the file cannot be read.
    """
    editor = scene.sequence_editor_create()
    channel = free_channel(editor, part.left, part.right, channel, ignore)
    try:
        strip = compat.new_sound_strip(editor, name, as_blender_likes(path), channel, part.left)
    except RuntimeError as error:
        raise Refused(f"Blender cannot read the result: {path}") from error
    compat.set_sound_offset(strip, float(part.lead_s) - nudge_s(part, round(strip.sound.samplerate)))
    if compat.right(strip) != part.right:
        compat.set_right(strip, part.right)
    return strip


def nudge_s(part: Part, rate_hz: int) -> float:
    """Return how much earlier than its frame a result must be placed to be where its source is, to the sample [s].

    Blender's mixer rounds the position in a file downwards to a sample, and computes it with small errors, so that one
    that should be whole often comes out a sample less. The host rounds the start of a part to the nearest sample. The
    nudge is the difference between the two, and a fiftieth of a sample against the errors.
    """
    start = part.start_s * rate_hz
    return (float(start - floor(start + Fraction(1, 2))) + _MARGIN_SAMPLES) / max(rate_hz, 1)


def place_result(scene: Any, source: Any, path: str, part: Part, name: str, *, old: Any = None) -> Any:
    """Put a result beside its source: on a free channel, aligned with it, as loud, with its fades.

    Parameters
    ----------
    scene : Scene
        Of the sequencer.
    source : Strip
        What it was made from.
    path : str
        File of the result.
    part : Part
        What was rendered.
    name : str
        Of the new strip.
    old : Strip, optional
        An earlier result, which is replaced.

    Returns
    -------
    Strip
        One of two channels is heard; one of more is muted, for Blender's mixer knows nothing of Ambisonics.

    Raises
    ------
    Refused
        If there is no channel, an earlier result is locked, or the file cannot be read.
    """
    editor = scene.sequence_editor
    if old is not None and old.lock:
        raise Refused("The earlier result is locked; unlock or unbind it")
    start = old.channel if old is not None else source.channel + 1
    made = place_file(scene, path, name, part, start, ignore=old)
    if old is not None:
        compat.remove_curve(old, "volume")
        compat.remove(editor, old)
        made.name = name  # which is free only now
    curve = compat.curve_of(source, "volume")
    factor = level_factor(source)
    made.volume = source.volume * factor
    if curve is not None:
        compat.copy_curve(curve, made, "volume", factor)
    made.mute = made.sound.channels not in ("MONO", "STEREO")
    made.select = False
    return made


def as_blender_likes(path: str) -> str:
    """Return a path relative to the blend file where the user wants such paths, and it is possible."""
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        try:
            return bpy.path.relpath(path)
        except ValueError:  # on another drive
            return path
    return path
