"""The panels with fields: localize, generate, and how strips are rendered."""

import bpy

from . import choices, compat, drawing, engines, running
from .operators import generate, spatialize

__all__ = ["CLASSES"]


class _Fields:
    """A closed panel in the tab, with labels on the left."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "FoleySpace"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        return compat.scene_of(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        self.draw_fields(layout, context, compat.scene_of(context).foleyspace)


class FOLEYSPACE_PT_localize(_Fields, bpy.types.Panel):
    bl_label = "Localize Video"
    bl_order = 2

    def draw_fields(self, layout, context, chosen) -> None:
        layout = _greyed(layout, context, "localize")
        column = layout.column()
        drawing.draw_field(column, chosen, "label", "Whatever Sounds")
        column.prop(chosen, "hfov")
        if chosen.hfov == "GIVEN":
            column.prop(chosen, "hfov_deg", text="Angle (°)")
        column.prop(chosen, "bind_localized")
        button = layout.column()
        button.scale_y = 1.3
        scene = compat.scene_of(context)
        button.enabled = running.current() is None and spatialize.selected_movie(scene) is not None
        button.operator("foleyspace.localize", icon="TRACKER")
        if spatialize.selected_movie(scene) is None:
            layout.label(text="Select a movie strip", icon="INFO")


class FOLEYSPACE_PT_generate(_Fields, bpy.types.Panel):
    bl_label = "Generate Foley"
    bl_order = 3

    def draw_fields(self, layout, context, chosen) -> None:
        layout = _greyed(layout, context, "generate")
        column = layout.column()
        drawing.draw_field(column, chosen, "prompt", "Footsteps on gravel")
        column.prop(chosen, "use_movie")
        if not (chosen.use_movie and spatialize.selected_movie(compat.scene_of(context)) is not None):
            column.prop(chosen, "duration_s", text="Duration (s)")
        column.prop(chosen, "engine")
        if why := engines.reason_against(chosen.engine):
            row = column.row()
            drawing.draw_lines(row, context, why, "ERROR")
            row.operator("foleyspace.connect", text="", icon="FILE_REFRESH")
        column.prop(chosen, "generate_seed")
        drawing.draw_field(column, chosen, "generate_target", "Do Not Bind", text="Bind To")
        button = layout.column()
        button.scale_y = 1.3
        button.operator("foleyspace.generate", icon="SOUND")
        strip = generate.generated_strip(compat.scene_of(context))
        if strip is not None:
            self._draw_again(layout.box(), context, chosen, strip)

    @staticmethod
    def _draw_again(box, context, chosen, strip) -> None:
        """Draw what the active strip was generated from, and how it is made anew."""
        box.label(text=strip.name, icon="SOUND")
        if strip.foleyspace.made_by:
            drawing.draw_lines(box, context, f"Made by {strip.foleyspace.made_by}", "BLANK1")
        column = box.column()
        drawing.draw_field(column, strip.foleyspace, "prompt", "What Is Seen")
        row = column.row()
        row.use_property_decorate = True
        row.prop(strip, "foleyspace_level_db", text="Loudness (dB)")
        column.prop(chosen, "follow_curve")
        button = box.column()
        button.scale_y = 1.3
        button.operator("foleyspace.generate_again", icon="FILE_REFRESH")


class FOLEYSPACE_PT_rendering(_Fields, bpy.types.Panel):
    bl_label = "Rendering"
    bl_order = 4

    def draw_fields(self, layout, context, chosen) -> None:
        column = layout.column()
        column.prop(chosen, "format")
        _reason(column, context, f"format:{chosen.format}")
        if chosen.format != "binaural" and chosen.format != "stereo":
            note = "Blender plays no such file as it is meant: the result is placed muted, the source stays audible"
            drawing.draw_lines(column, context, note, "INFO")
        if chosen.format == "binaural":
            split = column.split(factor=0.4)
            split.use_property_split = False
            heading = split.row()
            heading.alignment = "RIGHT"
            heading.label(text="Renderer")
            row = split.row(align=True)
            for name, *_ in choices.RENDERERS:
                one = row.row(align=True)
                one.enabled = not drawing.feature_reason(f"renderer:{name}")
                one.prop_enum(chosen, "renderer", name)
            for name, *_ in choices.RENDERERS:
                _reason(column, context, f"renderer:{name}")
            if chosen.renderer == "diffusion":
                column.prop(chosen, "quality")
                column.prop(chosen, "seed")
            drawing.draw_field(column, chosen, "hrtf", "KEMAR", text="Ears (SOFA)")


class FOLEYSPACE_PT_listener(_Fields, bpy.types.Panel):
    bl_label = "Listener"
    bl_parent_id = "FOLEYSPACE_PT_rendering"

    def draw_fields(self, layout, _context, chosen) -> None:
        column = layout.column()
        column.row().prop(chosen, "listener", expand=True)
        if chosen.listener == "OBJECT":
            column.prop(chosen, "listener_object", text="Object")
        column.prop(chosen, "spread")


class FOLEYSPACE_PT_distance(_Fields, bpy.types.Panel):
    bl_label = "Distance and Movement"
    bl_parent_id = "FOLEYSPACE_PT_rendering"

    def draw_fields(self, layout, context, chosen) -> None:
        column = layout.column()
        column.prop(chosen, "distance_gain", text="Gain")
        column.prop(chosen, "propagation")
        column.prop(chosen, "distance_scale", text="Scale")
        unit = compat.scene_of(context).unit_settings.scale_length * chosen.distance_scale
        row = column.row()
        row.active = False
        row.label(text=f"1 unit is heard as {unit:.3g} m", icon="BLANK1")
        column.prop(chosen, "air")


class FOLEYSPACE_PT_room(_Fields, bpy.types.Panel):
    bl_label = "Room"
    bl_parent_id = "FOLEYSPACE_PT_rendering"

    def draw_fields(self, layout, _context, chosen) -> None:
        column = layout.column()
        column.prop(chosen, "room")
        if chosen.room == "CUSTOM":
            column.prop(chosen, "room_custom")


class FOLEYSPACE_PT_output(_Fields, bpy.types.Panel):
    bl_label = "Output"
    bl_parent_id = "FOLEYSPACE_PT_rendering"

    def draw_fields(self, layout, context, chosen) -> None:
        layout.prop(chosen, "output_folder", text="Folder")
        if chosen.output_folder.startswith("//") and not context.blend_data.filepath:
            drawing.draw_lines(
                layout, context, "Until the file is saved, results are kept in the extension's folder", "INFO"
            )
        layout.operator("foleyspace.remove_unused", icon="TRASH")


def _greyed(layout, context, capability):
    """Return a layout that is greyed where the host cannot do it, after the reason why."""
    _reason(layout, context, capability)
    column = layout.column()
    column.enabled = not drawing.feature_reason(capability)
    return column


def _reason(layout, context, capability) -> None:
    if why := drawing.feature_reason(capability):
        drawing.draw_lines(layout, context, why, "INFO")


CLASSES = (
    FOLEYSPACE_PT_localize,
    FOLEYSPACE_PT_generate,
    FOLEYSPACE_PT_rendering,
    FOLEYSPACE_PT_listener,
    FOLEYSPACE_PT_distance,
    FOLEYSPACE_PT_room,
    FOLEYSPACE_PT_output,
)
