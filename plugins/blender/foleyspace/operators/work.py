"""What the operators share that take time: modal with a timer in a window, in one go for scripts."""

from __future__ import annotations

import time
from typing import Any

import bpy

from .. import compat, running
from ..strips import Refused

__all__ = ["WorkOperator", "sequencer_poll"]

TICK_S = 0.03
STATUS_S = 0.25  # other operators write there too


def sequencer_poll(cls: Any, context: bpy.types.Context) -> bool:
    """Return whether there is a sequencer with strips and nothing else is going on; say why not if not."""
    scene = compat.scene_of(context)
    if scene is None or scene.sequence_editor is None or not len(compat.every(scene.sequence_editor)):
        cls.poll_message_set("There are no strips in this scene")
        return False
    if running.current() is not None:
        cls.poll_message_set("Something else is going on; cancel it, or wait until it is done")
        return False
    return True


class WorkOperator:
    """Mixed into operators that begin a `running.Run`.

    Subclasses say in ``begin(context, scene)`` what is to be done, or raise Refused, and in ``told(run)`` how it went.
    With ``UNDO``, all that was placed is one step to undo; ``REGISTER`` is left out, so that no change in the redo
    panel does everything again while the window stands still.
    """

    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return sequencer_poll(cls, context)

    def begin(self, context: bpy.types.Context, scene: bpy.types.Scene) -> running.Run:
        raise NotImplementedError

    def told(self, run: running.Run) -> str:
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Begin, and go on in a timer."""
        if not self._start(context):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(TICK_S, window=context.window)
        self._said, self._said_at = "", 0.0
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Go on for a tick; every other event is for the rest of Blender."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        more = self._run.step()
        running.publish()
        self._say(context)
        return {"PASS_THROUGH"} if more else self._end(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it all, for scripts."""
        if not self._start(context):
            return {"CANCELLED"}
        while self._run.step():
            time.sleep(0.002)
        running.publish()
        return self._end(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Stop, because the window was closed or another file is opened."""
        if hasattr(self, "_run"):
            self._run.cancel()
            running.publish()
            self._clear(context)

    def _start(self, context: bpy.types.Context) -> bool:
        try:
            run = self.begin(context, compat.scene_of(context))
        except Refused as refusal:
            self.report({"ERROR"}, str(refusal))
            return False
        self._run = running.start(run)
        return True

    def _say(self, context: bpy.types.Context) -> None:
        """Show how far it is in the status bar."""
        text, now = f"FoleySpace: {self._run.message} ({self._run.fraction:.0%})", time.monotonic()
        if text != self._said and now - self._said_at > STATUS_S and context.workspace is not None:
            self._said, self._said_at = text, now
            context.workspace.status_text_set(text)

    def _clear(self, context: bpy.types.Context) -> None:
        timer, self._timer = getattr(self, "_timer", None), None
        if timer is not None:
            context.window_manager.event_timer_remove(timer)
            for workspace in bpy.data.workspaces:  # it may have been changed meanwhile
                workspace.status_text_set(None)

    def _end(self, context: bpy.types.Context) -> set[str]:
        self._clear(context)
        run = self._run
        if run.state == "cancelled":
            self.report({"INFO"}, "Cancelled")
            return {"CANCELLED"}
        if run.state == "failed":
            self.report({"ERROR"}, run.error or "It failed")
            return {"FINISHED"} if len(run.links) > 1 else {"CANCELLED"}  # what was placed before can be undone
        said, partly = self.told(run), any(getattr(link, "error", "") for link in run.links)
        self.report({"WARNING"} if partly else {"INFO"}, said)
        return {"FINISHED"}
