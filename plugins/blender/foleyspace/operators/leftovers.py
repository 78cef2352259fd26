"""Sounds that nothing plays any more are removed from the disk, on demand and after a question."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from .. import leftovers, running
from ..strips import Refused

__all__ = ["FOLEYSPACE_OT_remove_unused"]


class FOLEYSPACE_OT_remove_unused(bpy.types.Operator):
    bl_idname = "foleyspace.remove_unused"
    bl_label = "Remove Unused Sounds"
    bl_description = (
        "Remove the files that FoleySpace made for this file and that no strip plays any more.\n"
        "Files that you have changed, and what blend files in the same folder use, stay"
    )
    bl_options = {"INTERNAL"}

    also_undo: BoolProperty(
        name="Also What Undo Could Bring Back",
        description="Undo would then bring back strips without their sound",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, _context):
        if running.current() is not None:
            cls.poll_message_set("Something else is going on; cancel it, or wait until it is done")
            return False
        if not bpy.data.filepath:
            cls.poll_message_set("Save the file first")
            return False
        return True

    def invoke(self, context, _event):
        try:
            self._found = leftovers.find()
        except Refused as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        if not self._found:
            self.report({"INFO"}, "There are no unused sounds")
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, _context):
        plain, undone = (_told([one for one in self._found if one.undo == undo]) for undo in (False, True))
        column = self.layout.column(align=True)
        column.label(text=f"Remove {plain} from the disk?", icon="TRASH")
        column.label(text="This cannot be undone. Blend files in other folders are not looked at.", icon="BLANK1")
        if any(one.undo for one in self._found):
            column.separator()
            column.label(
                text=f"{undone} could come back by undo, and can be removed when the file is", icon="LOOP_BACK"
            )
            column.label(text="opened the next time.", icon="BLANK1")
            column.prop(self, "also_undo")

    def execute(self, _context):
        try:
            found = leftovers.find()
        except Refused as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        chosen = [one for one in found if self.also_undo or not one.undo]
        count, n_bytes = leftovers.remove(chosen)
        said = f"{_counted(count)} removed, {n_bytes / 1e6:.1f} MB"
        if count < len(chosen):
            self.report({"WARNING"}, f"{said}; {_counted(len(chosen) - count)} could not be removed")
        else:
            kept = len(found) - len(chosen)
            self.report({"INFO"}, f"{said}; {_counted(kept)} could come back by undo" if kept else said)
        return {"FINISHED"} if count else {"CANCELLED"}


def _counted(count):
    return f"{count} {'sound' if count == 1 else 'sounds'}"


def _told(found):
    return f"{_counted(len(found))} ({sum(one.n_bytes for one in found) / 1e6:.1f} MB)"
