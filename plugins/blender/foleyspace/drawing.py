"""Pieces that several panels are made of."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import Any

import bpy

from . import choices, connection, host_status, running, settings

__all__ = [
    "draw_capabilities",
    "draw_field",
    "draw_host",
    "draw_install",
    "draw_lines",
    "draw_progress",
    "feature_reason",
    "host_state",
    "icon_of",
    "state_of",
]


_CALLED = {
    "render": "Spatialize",
    "localize": "Localize Video",
    "generate": "Generate Foley",
    "spatialize": "Localize and Spatialize",
    "device": "Models Run On",
    "open-vocabulary": "Finds Any Words",
}
_ICONS = {"GPENCIL": "GREASEPENCIL", "LIGHT_PROBE": "LIGHTPROBE"}  # that are called otherwise than the type


def draw_lines(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """Draw a text in as many lines as the region needs for it."""
    scale = context.preferences.system.ui_scale or 1.0  # none without windows
    width = context.region.width if context.region is not None else 300
    n_letters = max(int((width / scale - 60) / 6.2), 18)  # letters are about 6 pixels wide
    column = layout.column(align=True)
    column.scale_y = 0.85
    for number, line in enumerate(textwrap.wrap(text, n_letters)):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))


def draw_field(layout: Any, data: Any, name: str, empty: str, **how: Any) -> None:
    """Draw a field, and in it what it means if it is empty, where Blender can do that."""
    if "placeholder" in bpy.types.UILayout.bl_rna.functions["prop"].parameters:
        how["placeholder"] = empty
    layout.prop(data, name, **how)


def host_state(context: Any) -> str:
    """Return how the host is, as `choices.HOST_STATES` calls it."""
    return str(context.window_manager.foleyspace.host_state)


def draw_host(layout: Any, context: Any) -> None:
    """Draw what is missing before anything can be rendered; nothing if all is well."""
    shown, state = context.window_manager.foleyspace, host_state(context)
    if state == "MISSING":
        box = layout.box()
        box.label(text="FoleySpace Is Not Installed", icon="INFO")
        draw_lines(box, context, "The sound is made by a program of its own, beside Blender. Install it once:")
        draw_install(box)
    elif state == "STOPPED":
        box = layout.box()
        row = box.row()
        row.label(text="Host Not Running", icon="UNLINKED")
        row.operator("foleyspace.connect", text="Start", icon="PLAY")
        if shown.host_problem:
            draw_lines(box, context, shown.host_problem)
    elif state == "CONNECTING":
        layout.label(text="Connecting to the Host...", icon="SORTTIME")
    elif state == "REFUSED":
        box = layout.box()
        box.alert = True
        box.label(text="The Host Cannot Be Used", icon="ERROR")
        draw_lines(box, context, shown.host_problem)
        box.operator("foleyspace.connect", text="Try Again", icon="FILE_REFRESH")


def draw_install(layout: Any) -> None:
    """Draw how to install the host."""
    column = layout.column(align=True)
    column.label(text="Install in a terminal, with Python 3.11 or newer:")
    row = column.row(align=True)
    row.box().label(text=host_status.INSTALL_COMMAND, icon="CONSOLE")
    button = row.row(align=True)
    button.scale_y = 1.4  # as high as the box
    button.operator("foleyspace.copy_command", text="", icon="COPYDOWN")


def draw_capabilities(layout: Any) -> None:
    """List what the host can do, in two columns, and then what it cannot, and why."""
    known = connection.current().capabilities
    if not known:
        return
    box = layout.box()
    able = [name for name, one in known.items() if one.get("available")]
    columns = box.split(factor=0.5)
    for names in (able[: (len(able) + 1) // 2], able[(len(able) + 1) // 2 :]):
        column = columns.column(align=True)
        for name in names:
            column.label(text=_called(name), icon="CHECKMARK")
    column = box.column(align=True)
    column.enabled = False
    for name, one in known.items():
        if not one.get("available"):
            column.label(text=f"{_called(name)}: {one.get('reason') or 'not available'}", icon="X")


def draw_progress(layout: Any, context: Any) -> None:
    """Draw how far it is, and the button that stops it."""
    shown = context.window_manager.foleyspace
    column = layout.column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.4
    row.progress(factor=shown.fraction, type="BAR", text=f"{shown.fraction:.0%}")
    row.operator("foleyspace.cancel", text="", icon="X")
    column.label(text=shown.message)


def state_of(strip: Any) -> tuple[str, str]:
    """Return how a bound strip is, and an icon for it."""
    binding = strip.foleyspace
    if running.is_running_for(binding.uuid):
        return "Rendering", "SORTTIME"
    if binding.target is None:
        return "No Object", "ERROR"
    state = binding.bl_rna.properties["state"].enum_items[binding.state]
    return state.name, state.icon


def feature_reason(name: str) -> str:
    """Return why the host cannot do something; empty if it can, or has not been asked."""
    return settings.reason_against(connection.current().capabilities, name)


def icon_of(item: bpy.types.Object | None) -> str:
    """Return the icon of an object's kind."""
    if item is None:
        return "OBJECT_DATA"
    name = f"OUTLINER_OB_{_ICONS.get(item.type, item.type)}"
    return name if name in _known_icons() else "OBJECT_DATA"


def _called(capability: str) -> str:
    """Return what a capability is called for people."""
    kind, _, name = capability.partition(":")
    items = {"format": choices.FORMATS, "renderer": choices.RENDERERS}.get(kind, ())
    found = next((item[1] for item in items if item[0] == name), name)
    return f"{_CALLED.get(kind, kind.capitalize())}: {found}" if name else _CALLED.get(kind, kind.capitalize())


@lru_cache(maxsize=1)
def _known_icons() -> frozenset[str]:
    """Return the icons of this Blender."""
    return frozenset(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())
