"""Every difference between the versions of Blender, 4.2 to 5.2, in one place.

Old names are never touched where new ones exist, because they warn of their removal.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import bpy

__all__ = [
    "RELATIVE_PATH",
    "StripType",
    "children",
    "content_length",
    "content_start",
    "copy_curve",
    "curve_of",
    "effective_fps",
    "every",
    "fcurves_of",
    "has_sound",
    "is_retimed",
    "left",
    "new_sound_strip",
    "pause_reason",
    "remove",
    "remove_curve",
    "right",
    "scene_of",
    "selected",
    "set_active",
    "set_left",
    "set_right",
    "set_sound_offset",
    "set_trim_start",
    "sound_offset_s",
    "top",
    "trim_start",
]

StripType = getattr(bpy.types, "Strip", None) or bpy.types.Sequence
"""What all strips are in RNA."""

RELATIVE_PATH = (
    {"PATH_SUPPORTS_BLEND_RELATIVE"}
    if "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties
    else set()
)
"""Options of a property that holds a path which may begin with ``//``; 4.5 and newer warn without."""


def _has(owner: Any, name: str) -> bool:
    return name in owner.bl_rna.properties


def has_sound() -> bool:
    """Return whether this Blender can make sound strips at all."""
    return bool(bpy.app.build_options.audaspace)


# --- the sequencer -----------------------------------------------------------------------------------------------


def scene_of(context: Any) -> Any:
    """Return the scene that the sequencer shows; None if there is none. Without windows it is the context's."""
    shown = context.sequencer_scene if hasattr(context, "sequencer_scene") else context.scene
    return context.scene if shown is None and bpy.app.background else shown


def top(editor: Any) -> Any:
    """Return the collection of the strips that are not inside of meta strips."""
    return editor.strips if _has(editor, "strips") else editor.sequences


def every(editor: Any) -> Any:
    """Return the collection of all strips, those inside of meta strips too."""
    return editor.strips_all if _has(editor, "strips_all") else editor.sequences_all


def children(meta: Any) -> Any:
    """Return the collection of the strips inside of a meta strip."""
    return meta.strips if _has(meta, "strips") else meta.sequences


def selected(context: Any) -> list[Any]:
    """Return the selected strips of the scene that the sequencer shows, those inside of meta strips too."""
    scene = scene_of(context)
    editor = scene.sequence_editor if scene is not None else None
    return [strip for strip in every(editor) if strip.select] if editor is not None else []


def set_active(editor: Any, strip: Any) -> None:
    """Make a strip the active and the only selected one."""
    for other in every(editor):
        other.select = other == strip
    editor.active_strip = strip


def new_sound_strip(editor: Any, name: str, path: str, channel: int, frame: int) -> Any:
    """Add a sound strip at the top level, and return it.

    Raises RuntimeError if the file cannot be read.
    """
    return top(editor).new_sound(name=name, filepath=path, channel=channel, frame_start=frame)


def remove(editor: Any, strip: Any) -> None:
    """Remove a strip, also from inside a meta strip."""
    homes = [top(editor)] + [children(other) for other in every(editor) if other.type == "META"]
    for home in homes:
        if any(other == strip for other in home):
            home.remove(strip)
            return


# --- where a strip is --------------------------------------------------------------------------------------------


def left(strip: Any) -> int:
    """Return the first frame of a strip."""
    return int(strip.left_handle if _has(strip, "left_handle") else strip.frame_final_start)


def right(strip: Any) -> int:
    """Return the frame after the last one of a strip."""
    return int(strip.right_handle if _has(strip, "right_handle") else strip.frame_final_end)


def content_start(strip: Any) -> float:
    """Return the frame at which the content would start if nothing was trimmed."""
    return float(strip.content_start if _has(strip, "content_start") else strip.frame_start)


def content_length(strip: Any) -> int:
    """Return how many frames of content there are behind the handles."""
    return int(strip.content_duration if _has(strip, "content_duration") else strip.frame_duration)


def trim_start(strip: Any) -> int:
    """Return how many frames are left out at the start of the content."""
    return int(strip.content_trim_start if _has(strip, "content_trim_start") else strip.animation_offset_start)


def set_trim_start(strip: Any, n_frames: int) -> None:
    """Leave out frames at the start of the content."""
    if _has(strip, "content_trim_start"):
        strip.content_trim_start = n_frames
    else:
        strip.animation_offset_start = n_frames


def set_left(strip: Any, frame: int) -> None:
    """Move the left handle; the content stays where it is."""
    if _has(strip, "left_handle"):
        strip.left_handle = frame
    else:
        strip.frame_final_start = frame


def set_right(strip: Any, frame: int) -> None:
    """Move the right handle."""
    if _has(strip, "right_handle"):
        strip.right_handle = frame
    else:
        strip.frame_final_end = frame


def sound_offset_s(strip: Any) -> float:
    """Return by how much the sound is later than the strip's frames say, in seconds (4.3 and newer)."""
    return float(strip.sound_offset) if _has(strip, "sound_offset") else 0.0


def set_sound_offset(strip: Any, offset_s: float) -> None:
    """Make the sound later than the strip's frames say; nothing happens before 4.3, which cannot."""
    if offset_s and _has(strip, "sound_offset"):
        strip.sound_offset = offset_s


def is_retimed(strip: Any) -> bool:
    """Return whether a strip plays at another speed than its content has."""
    return len(getattr(strip, "retiming_keys", ())) > 0


def effective_fps(scene: Any) -> Fraction:
    """Return the frame rate exactly as Blender itself computes it.

    ``fps_base`` is a float of 32 bit: 1.001 is a little more there, which is a sample of 48 kHz after seven minutes.
    """
    return Fraction(scene.render.fps) / Fraction(scene.render.fps_base)


# --- animation ---------------------------------------------------------------------------------------------------


def fcurves_of(owner: Any) -> Any:
    """Return the collection of the F-curves that animate a data-block; empty if there are none."""
    data = owner.animation_data
    action = data.action if data is not None else None
    if action is None:
        return ()
    if _has(action, "fcurves"):  # up to 4.5; of the first slot there
        return action.fcurves
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot) if data.action_slot is not None else None
            if bag is not None:
                return bag.fcurves
    return ()


def curve_of(strip: Any, name: str) -> Any:
    """Return the F-curve that animates a property of a strip; None if there is none."""
    path = strip.path_from_id(name)
    return next((curve for curve in fcurves_of(strip.id_data) if curve.data_path == path), None)


def remove_curve(strip: Any, name: str) -> None:
    """Let a property of a strip be animated no more; the curve would wait for the next strip of this name."""
    curve = curve_of(strip, name)
    if curve is not None:
        fcurves_of(strip.id_data).remove(curve)


def copy_curve(source: Any, strip: Any, name: str, factor: float) -> None:
    """Animate a property of a strip as a curve says, times a factor; a curve that it has is replaced."""
    remove_curve(strip, name)
    new = fcurves_of(strip.id_data).new(strip.path_from_id(name))
    new.extrapolation = source.extrapolation
    new.keyframe_points.add(len(source.keyframe_points))
    for point, like in zip(new.keyframe_points, source.keyframe_points, strict=True):
        point.co = like.co.x, like.co.y * factor
        point.interpolation, point.easing = like.interpolation, like.easing
        point.handle_left_type, point.handle_right_type = like.handle_left_type, like.handle_right_type
        point.handle_left = like.handle_left.x, like.handle_left.y * factor
        point.handle_right = like.handle_right.x, like.handle_right.y * factor
    new.update()


# --- what Blender is busy with -----------------------------------------------------------------------------------


def pause_reason(context: Any = None) -> str:
    """Return why frames must not be changed now; empty if they may."""
    manager = (context or bpy.context).window_manager
    for window in manager.windows if manager is not None else ():
        if window.screen is not None and window.screen.is_animation_playing:
            return "Paused during playback"
    if any(bpy.app.is_job_running(job) for job in ("RENDER", "OBJECT_BAKE")):
        return "Paused during rendering"
    return ""
