"""FoleySpace in the sequencer: strips that are heard where the object is."""

from __future__ import annotations

import bpy

from . import connection, handlers, menus, operators, panels, preferences, props, running

_CLASSES = (*props.CLASSES, *operators.CLASSES, *preferences.CLASSES, *panels.CLASSES)


def register() -> None:
    """Make the extension known to Blender."""
    for each in _CLASSES:
        bpy.utils.register_class(each)
    props.register()
    connection.register()
    preferences.apply()
    menus.register()
    handlers.register()


def unregister() -> None:
    """Take all of it away; nothing goes on afterwards."""
    running.cancel()
    handlers.unregister()
    menus.unregister()
    connection.unregister()
    props.unregister()
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
