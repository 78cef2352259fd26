"""The extension's preferences: which host, whether to start it, how to install it, and what it can do."""

import bpy
from bpy.props import BoolProperty, StringProperty

from . import connection, drawing, host_status

__all__ = ["CLASSES", "apply"]


def apply(_self: object = None, context: bpy.types.Context | None = None) -> None:
    """Tell the connection which host is meant."""
    addon = (context or bpy.context).preferences.addons.get(__package__)
    if addon is not None and addon.preferences is not None:
        chosen = addon.preferences
        connection.configure(chosen.profile.strip(), chosen.start_host, bpy.path.abspath(chosen.command))
    host_status.forget()


class FOLEYSPACE_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    profile: StringProperty(
        name="Profile",
        description="Which host to use, where there are several; each has jobs and settings of its own",
        default="default",
        update=apply,
    )
    start_host: BoolProperty(
        name="Start the Host Automatically",
        description="Start the FoleySpace host on this computer when there is work for it and it is not running. "
        "It listens to this computer alone, and needs no internet",
        default=True,
        update=apply,
    )
    command: StringProperty(
        name="Program",
        description="The foleyspace program, if it is not found by itself",
        subtype="FILE_PATH",
        update=apply,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "profile")
        drawing.draw_field(column, self, "command", "Found by Itself")
        column.prop(self, "start_host")
        layout.separator()
        shown = context.window_manager.foleyspace
        state = shown.bl_rna.properties["host_state"].enum_items[shown.host_state]
        row = layout.row()
        name = f"FoleySpace {shown.host_version}" if shown.host_state == "READY" else "FoleySpace Host"
        row.label(text=f"{name}: {state.name}", icon=state.icon)
        row.operator("foleyspace.connect", text="Test Connection", icon="FILE_REFRESH")
        if shown.host_problem and shown.host_state != "MISSING":
            layout.label(text=shown.host_problem, icon="INFO")
        drawing.draw_capabilities(layout)
        drawing.draw_install(layout)


CLASSES = (FOLEYSPACE_AP_preferences,)
