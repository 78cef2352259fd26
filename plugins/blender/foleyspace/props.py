"""What is stored in the file, a binding on each strip and settings on each scene, and what is only shown meanwhile.

``Strip.foleyspace``, ``Strip.foleyspace_level_db`` and ``Scene.foleyspace`` are saved with the file,
``WindowManager.foleyspace`` is not.
No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""

import uuid

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from . import compat, empties
from .choices import HOST_STATES, ROLES, STATES
from .scene_props import FOLEYSPACE_PG_scene

__all__ = [
    "CLASSES",
    "FOLEYSPACE_PG_strip",
    "FOLEYSPACE_PG_window",
    "register",
    "unregister",
]


def _target_changed(self: "FOLEYSPACE_PG_strip", _context: bpy.types.Context) -> None:
    """Make a strip a source when it is given an object, and no source any more when that is taken away."""
    if self.role == "RESULT":
        return
    self.error = ""
    if self.target is None:
        self.bone = ""
        if not self.result_uuid:
            self.role, self.state = "NONE", "BOUND"
        return
    self.role, self.uuid = "SOURCE", self.uuid or uuid.uuid4().hex
    camera = self.target.parent
    if self.listener is None and empties.SOURCE in self.target and camera is not None and camera.type == "CAMERA":
        self.listener = camera  # for which it was keyed, whatever camera is the active one
    if self.bone and (self.target.type != "ARMATURE" or self.bone not in self.target.data.bones):
        self.bone = ""
    self.state = "CHANGED" if self.result_uuid else "BOUND"


def _sound_changed(self: "FOLEYSPACE_PG_strip", _context: bpy.types.Context) -> None:
    """Note that a strip would sound otherwise if it were rendered now."""
    if self.state == "DONE":
        self.state = "CHANGED"


class FOLEYSPACE_PG_strip(bpy.types.PropertyGroup):
    """What a strip is to FoleySpace, and to which object it is bound."""

    uuid: StringProperty(name="ID", description="Tells this strip from all others", options={"HIDDEN"})
    owner: StringProperty(name="Owner", description="Scene and strip that the ID was given to", options={"HIDDEN"})
    role: EnumProperty(name="Role", items=ROLES, default="NONE", options={"HIDDEN"})
    target: PointerProperty(
        name="Object",
        description="The object that the sound comes from",
        type=bpy.types.Object,
        update=_target_changed,
    )
    bone: StringProperty(
        name="Bone",
        description="Bone of the armature that the sound comes from; its origin if empty",
        update=_sound_changed,
    )
    listener: PointerProperty(
        name="Listener",
        description="Hear this strip from here; the listener of the scene if empty",
        type=bpy.types.Object,
        update=_sound_changed,
    )
    gain_db: FloatProperty(
        name="Gain",
        description="Level of the result in decibels",
        default=0.0,
        min=-60.0,
        max=24.0,
        soft_min=-24.0,
        soft_max=12.0,
        precision=1,
        step=50,
        update=_sound_changed,
    )
    extent_deg: FloatProperty(
        name="Width",
        description="How wide the source sounds, in degrees; 0 is a point",
        default=0.0,
        min=0.0,
        max=180.0,
        precision=0,
        step=500,
        update=_sound_changed,
    )
    state: EnumProperty(name="State", items=STATES, default="BOUND", options={"HIDDEN"})
    error: StringProperty(name="Last Error", options={"HIDDEN"})
    content_hash: StringProperty(name="Content Hash", description="Of what it was rendered from", options={"HIDDEN"})
    result_uuid: StringProperty(name="Result", description="ID of the strip made from this", options={"HIDDEN"})
    result_path: StringProperty(name="File", description="File that was made", options={"HIDDEN"})
    source_uuid: StringProperty(name="Made From", description="ID of the strip this was made of", options={"HIDDEN"})
    prompt: StringProperty(name="Prompt", description="Words that this sound was generated from; change them at will")
    made_by: StringProperty(name="Made By", description="Engine that made this sound, and its licence")
    made_for: StringProperty(name="Made For", description="What this sound was generated to fit", options={"HIDDEN"})


class FOLEYSPACE_PG_window(bpy.types.PropertyGroup):
    """What is going on now, for the panel; never saved."""

    running: BoolProperty(name="Running", options={"SKIP_SAVE"})
    kind: StringProperty(name="Kind", options={"SKIP_SAVE"})
    fraction: FloatProperty(name="Progress", min=0.0, max=1.0, subtype="FACTOR", options={"SKIP_SAVE"})
    message: StringProperty(name="Message", options={"SKIP_SAVE"})
    error: StringProperty(name="Last Error", options={"SKIP_SAVE"})
    host_state: EnumProperty(name="Host", items=HOST_STATES, default="UNKNOWN", options={"SKIP_SAVE"})
    host_version: StringProperty(name="Host Version", options={"SKIP_SAVE"})
    host_problem: StringProperty(name="Problem", options={"SKIP_SAVE"})


CLASSES = (FOLEYSPACE_PG_strip, FOLEYSPACE_PG_scene, FOLEYSPACE_PG_window)


def register() -> None:
    """Add the properties to strips, scenes and the window manager; after `CLASSES`."""
    compat.StripType.foleyspace = PointerProperty(type=FOLEYSPACE_PG_strip)
    # not in the group: Blender animates what stands on the strip itself
    compat.StripType.foleyspace_level_db = FloatProperty(
        name="Loudness",
        description="Loudness of the generated sound over time, in decibels: 0 is usual, -100 is silence.\n"
        "Edit its curve in the Graph Editor, and press Generate Again; something begins where it rises quickly",
        default=0.0,
        min=-100.0,
        max=20.0,
        precision=1,
        step=100,
    )
    bpy.types.Scene.foleyspace = PointerProperty(type=FOLEYSPACE_PG_scene)
    bpy.types.WindowManager.foleyspace = PointerProperty(type=FOLEYSPACE_PG_window)


def unregister() -> None:
    """Take them away; what is stored in the file stays there."""
    del bpy.types.WindowManager.foleyspace
    del bpy.types.Scene.foleyspace
    del compat.StripType.foleyspace_level_db
    del compat.StripType.foleyspace
