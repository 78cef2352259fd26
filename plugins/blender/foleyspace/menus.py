"""Entries in the sequencer's own menus, where editors look for what can be done with a strip."""

from __future__ import annotations

from typing import Any

import bpy

from . import bindings, compat

__all__ = ["register", "unregister"]


def _draw(self: Any, context: bpy.types.Context) -> None:
    scene = compat.scene_of(context)
    if scene is None or not any(strip.select for _, strip in bindings.all_strips([scene])):
        return
    kinds = {strip.type for _, strip in bindings.all_strips([scene]) if strip.select}
    self.layout.separator()
    if "SOUND" in kinds:
        self.layout.operator("foleyspace.bind_object", icon="RESTRICT_SELECT_OFF")
        self.layout.operator("foleyspace.spatialize", icon="PLAY_SOUND")
    if "MOVIE" in kinds:
        self.layout.operator("foleyspace.localize", icon="TRACKER")


_MENUS = ("SEQUENCER_MT_context_menu", "SEQUENCER_MT_strip")


def register() -> None:
    """Add them."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw)


def unregister() -> None:
    """Take them away."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw)
