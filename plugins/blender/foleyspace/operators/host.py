"""The host: start it, see whether it is there, and how to install it."""

from __future__ import annotations

import time

import bpy
from bpy.props import BoolProperty

from .. import connection, host_status, running

__all__ = ["FOLEYSPACE_OT_connect", "FOLEYSPACE_OT_copy_command"]

PATIENCE_S = 25.0


class FOLEYSPACE_OT_connect(bpy.types.Operator):
    bl_idname = "foleyspace.connect"
    bl_label = "Start Host"
    bl_description = "Connect to the FoleySpace host, which is started if it is not running"
    bl_options = {"INTERNAL"}

    start: BoolProperty(
        name="Start", description="Start the host if it is not running", default=True, options={"SKIP_SAVE"}
    )

    def invoke(self, context, _event):
        self._begin()
        self._timer = context.window_manager.event_timer_add(0.05, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._waits():
            return {"PASS_THROUGH"}
        self.cancel(context)
        return self._told()

    def execute(self, _context):
        self._begin()
        while self._waits():
            time.sleep(0.01)
        return self._told()

    def cancel(self, context):
        context.window_manager.event_timer_remove(self._timer)

    def _begin(self):
        self._until = time.monotonic() + PATIENCE_S
        host_status.forget()
        if running.current() is None:
            connection.current().close()  # so that one that is connected is asked again what it can do
        connection.current().connect(start=self.start)
        host_status.publish()

    def _waits(self):
        host = connection.current()
        host.tick()
        host_status.publish()
        return host.state not in ("READY", "REFUSED") and not host.hopeless and time.monotonic() < self._until

    def _told(self):
        host = connection.current()
        if host.state == "READY":
            able = sum(bool(one.get("available")) for one in host.capabilities.values())
            self.report(
                {"INFO"}, f"FoleySpace {host.version} is ready; {able} of {len(host.capabilities)} capabilities"
            )
            return {"FINISHED"}
        self.report(
            {"ERROR"}, ": ".join(part for part in (host.problem, host.cure) if part) or "The host does not answer"
        )
        return {"CANCELLED"}


class FOLEYSPACE_OT_copy_command(bpy.types.Operator):
    bl_idname = "foleyspace.copy_command"
    bl_label = "Copy Command"
    bl_description = "Copy the command that installs FoleySpace; run it in a terminal, with Python 3.11 or newer"
    bl_options = {"INTERNAL"}

    def execute(self, context):
        context.window_manager.clipboard = host_status.INSTALL_COMMAND
        self.report({"INFO"}, "Copied; run it in a terminal")
        return {"FINISHED"}
