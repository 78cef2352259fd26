"""Stops what is going on; a button rather than a key, as Esc stops playback."""

from __future__ import annotations

import bpy

from .. import running

__all__ = ["FOLEYSPACE_OT_cancel"]


class FOLEYSPACE_OT_cancel(bpy.types.Operator):
    bl_idname = "foleyspace.cancel"
    bl_label = "Cancel"
    bl_description = "Stop what FoleySpace is doing; nothing is placed"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context):
        if running.current() is None:
            cls.poll_message_set("Nothing is going on")
            return False
        return True

    def execute(self, _context):
        running.cancel()
        return {"FINISHED"}
