"""What is done with one binding: select, jump to, bind to another object, unbind."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import bindings, compat

__all__ = [
    "FOLEYSPACE_OT_bind_object",
    "FOLEYSPACE_OT_jump",
    "FOLEYSPACE_OT_select",
    "FOLEYSPACE_OT_select_object",
    "FOLEYSPACE_OT_unbind",
]


class _OnStrip:
    """Mixed into operators on the strip with an ID, the active one if none is given."""

    uuid: StringProperty(name="ID", description="Of the strip; the active one if empty", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context):
        scene = compat.scene_of(context)
        if scene is None or scene.sequence_editor is None:
            cls.poll_message_set("There are no strips in this scene")
            return False
        return True

    def strip(self, context):
        """Return the strip that is meant; None, with a report, if there is none."""
        scene = compat.scene_of(context)
        strip = scene.sequence_editor.active_strip
        if self.uuid:
            found = bindings.find(self.uuid)
            strip = found[1] if found and found[0] == scene else None
        if strip is None:
            self.report({"WARNING"}, "The strip is gone")
        return strip


class FOLEYSPACE_OT_select(_OnStrip, bpy.types.Operator):
    bl_idname = "foleyspace.select"
    bl_label = "Select Strips"
    bl_description = "Select the strip together with what was made from it"
    bl_options = {"REGISTER", "UNDO"}

    extend: BoolProperty(name="Extend", description="Keep what is selected")

    def execute(self, context):
        strip = self.strip(context)
        if strip is None:
            return {"CANCELLED"}
        editor = compat.scene_of(context).sequence_editor
        wanted = [strip, bindings.result_of(strip), bindings.source_of(strip)]
        for other in compat.every(editor):
            if any(other == one for one in wanted if one is not None):
                other.select = True
            elif not self.extend:
                other.select = False
        editor.active_strip = strip
        return {"FINISHED"}


class FOLEYSPACE_OT_jump(_OnStrip, bpy.types.Operator):
    bl_idname = "foleyspace.jump"
    bl_label = "Jump to Strip"
    bl_description = "Go to the first frame of the strip, and bring it into view"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        strip = self.strip(context)
        if strip is None:
            return {"CANCELLED"}
        scene = compat.scene_of(context)
        compat.set_active(scene.sequence_editor, strip)
        scene.frame_set(compat.left(strip))
        if context.area is not None and bpy.ops.sequencer.view_selected.poll():
            bpy.ops.sequencer.view_selected()
        return {"FINISHED"}


class FOLEYSPACE_OT_select_object(_OnStrip, bpy.types.Operator):
    bl_idname = "foleyspace.select_object"
    bl_label = "Select Object"
    bl_description = "Select the object that the strip is bound to, in the 3D viewport"
    bl_options = {"REGISTER", "UNDO"}

    target: StringProperty(
        name="Object", description="Object to select; that of the strip if empty", options={"SKIP_SAVE"}
    )

    def execute(self, context):
        strip = None if self.target else self.strip(context)
        thing = bpy.data.objects.get(self.target) if strip is None else strip.foleyspace.target
        if thing is None:
            return {"CANCELLED"}
        layer = context.view_layer
        if thing.name not in layer.objects:
            self.report({"WARNING"}, f"{thing.name} is not in the scene that this window shows")
            return {"CANCELLED"}
        for other in layer.objects:
            other.select_set(other == thing)
        layer.objects.active = thing
        return {"FINISHED"}


class FOLEYSPACE_OT_bind_object(bpy.types.Operator):
    bl_idname = "foleyspace.bind_object"
    bl_label = "Bind to Active Object"
    bl_description = "Bind the selected sound strips to the object that is active in the 3D viewport"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if context.view_layer is None or context.view_layer.objects.active is None:
            cls.poll_message_set("No object is active in the 3D viewport")
            return False
        return _OnStrip.poll.__func__(cls, context)

    def execute(self, context):
        from .spatialize import chosen_sources

        scene, thing = compat.scene_of(context), context.view_layer.objects.active
        chosen = chosen_sources(scene)
        if not chosen:
            self.report({"WARNING"}, "Select one or more sound strips")
            return {"CANCELLED"}
        bone = ""
        if thing.type == "ARMATURE" and thing.mode == "POSE" and context.active_pose_bone is not None:
            bone = context.active_pose_bone.name
        for strip in chosen:
            strip.foleyspace.target, strip.foleyspace.bone = thing, bone
            bindings.ensure(scene, strip)
        bindings.reconcile()
        where = f"{thing.name}, {bone}" if bone else thing.name
        self.report({"INFO"}, f"{len(chosen)} {'strip' if len(chosen) == 1 else 'strips'} bound to {where}")
        return {"FINISHED"}


class FOLEYSPACE_OT_unbind(_OnStrip, bpy.types.Operator):
    bl_idname = "foleyspace.unbind"
    bl_label = "Unbind"
    bl_description = "Make the strip an ordinary one again, and unmute it; what was made from it is removed"
    bl_options = {"REGISTER", "UNDO"}

    keep_result: BoolProperty(
        name="Keep Result", description="Leave the strip that was made in the sequencer, as an ordinary one"
    )

    def execute(self, context):
        strip = self.strip(context)
        if strip is None:
            return {"CANCELLED"}
        strip = bindings.source_of(strip) or strip
        if strip.foleyspace.role != "SOURCE":
            self.report({"WARNING"}, f"{strip.name} is not bound")
            return {"CANCELLED"}
        result = bindings.result_of(strip)
        bindings.unbind(strip)
        if result is not None and not self.keep_result:
            strip.mute = False
            compat.remove(compat.scene_of(context).sequence_editor, result)
        return {"FINISHED"}
