"""The tab in the sequencer's sidebar: what is selected, one button, and the list of all bindings."""

import bpy

from . import bindings, compat, drawing, empties, running, settings_panels
from .operators import spatialize

__all__ = ["CLASSES"]


class _Tab:
    """Where all panels are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "FoleySpace"


class FOLEYSPACE_PT_main(_Tab, bpy.types.Panel):
    bl_label = "FoleySpace"
    bl_order = 0

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        button = self.layout.operator("preferences.addon_show", text="", icon="PREFERENCES", emboss=False)
        button.module = __package__

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, compat.scene_of(context)
        drawing.draw_host(layout, context)
        if scene is None:
            layout.label(text="No scene is edited here", icon="INFO")
            return
        self._draw_selection(layout, context, scene)
        self._draw_button(layout, context, scene)

    def _draw_selection(self, layout, context, scene) -> None:
        """Draw the active strip, and what it follows."""
        editor = scene.sequence_editor
        active = editor.active_strip if editor is not None else None
        box = layout.box()
        if active is None or not active.select:
            box.label(text="Select a Sound Strip", icon="RESTRICT_SELECT_OFF")
            return
        others = sum(strip.select for strip in compat.every(editor)) - 1
        row = box.row()
        row.label(text=active.name, icon={"SOUND": "SOUND", "MOVIE": "FILE_MOVIE"}.get(active.type, "SEQUENCE"))
        tail = row.row()
        tail.alignment = "RIGHT"
        tail.active = False
        if others > 0:
            tail.label(text=f"+{others}")
        elif active.foleyspace.role == "SOURCE":
            state = drawing.state_of(active)
            tail.label(text=state[0], icon=state[1])
        if active.foleyspace.role == "RESULT":
            self._draw_result(box, active)
        elif active.type == "SOUND":
            self._draw_binding(box, context, active)
        elif active.type == "MOVIE":
            self._draw_movie(box, scene, active)
        else:
            box.label(text="Only sound strips can be bound", icon="INFO")

    def _draw_binding(self, box, context, strip) -> None:
        binding = strip.foleyspace
        column = box.column(align=True)
        row = column.row(align=True)
        drawing.draw_field(row, binding, "target", "Sounds From", text="", icon=drawing.icon_of(binding.target))
        row.operator("foleyspace.bind_object", text="", icon="RESTRICT_SELECT_OFF")
        target = binding.target
        if target is not None and target.type == "ARMATURE":
            column.prop_search(binding, "bone", target.data, "bones", text="", icon="BONE_DATA")
        if target is None:
            return
        column = box.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(binding, "gain_db", text="Gain (dB)")
        column.prop(binding, "extent_deg", text="Width (°)")
        icon = drawing.icon_of(binding.listener)
        drawing.draw_field(column, binding, "listener", "As in the Scene", text="Listener", icon=icon)
        if binding.error:
            error = box.column()
            error.alert = True
            drawing.draw_lines(error, context, binding.error, "ERROR")

    @staticmethod
    def _draw_result(box, strip) -> None:
        source = bindings.source_of(strip)
        row = box.row()
        row.label(text=f"Made from {source.name}" if source else "Its source is gone", icon="TRACKING_BACKWARDS_SINGLE")
        if source is not None:
            row.operator("foleyspace.jump", text="", icon="VIEWZOOM").uuid = source.foleyspace.uuid

    @staticmethod
    def _draw_movie(box, scene, strip) -> None:
        found = empties.found_in(scene, strip.foleyspace.uuid) if strip.foleyspace.uuid else []
        sounds = spatialize.sounds_of(scene, strip)
        for sound in sounds:
            target = sound.foleyspace.target
            text = f"{sound.name} follows {target.name}" if target else f"{sound.name} is not bound"
            box.label(text=text, icon="SOUND")
        if not sounds:
            box.label(text="Select its sound as well to spatialize it", icon="INFO")
        for item in found:
            row = box.row()
            row.label(text=item.name, icon=drawing.icon_of(item))
            row.operator("foleyspace.select_object", text="", icon="RESTRICT_SELECT_OFF").target = item.name

    def _draw_button(self, layout, context, scene) -> None:
        """Draw the button, or how far it is."""
        if running.current() is not None:
            drawing.draw_progress(layout, context)
            return
        chosen = spatialize.chosen_sources(scene) if scene.sequence_editor else []
        bound = any(strip.foleyspace.target for strip in chosen)
        column = layout.column()
        column.scale_y = 1.6
        column.enabled = drawing.host_state(context) not in ("MISSING", "REFUSED")
        if not bound and spatialize.selected_movie(scene) is not None:
            column.operator("foleyspace.localize", icon="TRACKER")
        else:
            column.enabled = column.enabled and bound
            text = "Spatialize" if len(chosen) < 2 else f"Spatialize {len(chosen)} Strips"
            column.operator("foleyspace.spatialize", text=text, icon="PLAY_SOUND")
        if error := context.window_manager.foleyspace.error:
            failed = layout.column()
            failed.alert = True
            drawing.draw_lines(failed, context, error, "ERROR")


class FOLEYSPACE_UL_bindings(bpy.types.UIList):
    """All bound strips, in order of time."""

    def draw_item(self, _context, layout, _data, item, _icon, _active_data, _active_property, _index=0, _flag=0):
        binding = item.foleyspace
        split = layout.split(factor=0.55)
        split.label(text=item.name, icon=drawing.state_of(item)[1])
        target = binding.target
        if target is None:
            split.label(text="No Object")
            return
        text = f"{target.name}, {binding.bone}" if binding.bone else target.name
        split.label(text=text, icon=drawing.icon_of(target))

    def filter_items(self, _context, data, name):
        """Show sources alone, the earliest first."""
        strips = getattr(data, name)
        helper = bpy.types.UI_UL_list
        shown = self.bitflag_filter_item
        flags = (
            helper.filter_items_by_name(self.filter_name, shown, strips) if self.filter_name else [shown] * len(strips)
        )
        flags = [
            flag if strip.foleyspace.role == "SOURCE" else flag & ~shown
            for flag, strip in zip(flags, strips, strict=True)
        ]
        order = sorted(range(len(strips)), key=lambda n: (compat.left(strips[n]), strips[n].channel))
        places = [0] * len(strips)
        for place, n in enumerate(order):
            places[n] = place
        return flags, places


class FOLEYSPACE_PT_bindings(_Tab, bpy.types.Panel):
    bl_label = "Bound Strips"
    bl_order = 1

    @classmethod
    def poll(cls, context):
        scene = compat.scene_of(context)
        return scene is not None and scene.sequence_editor is not None

    def draw_header_preset(self, context) -> None:
        bound = bindings.sources(compat.scene_of(context))
        if bound:
            done = sum(strip.foleyspace.state == "DONE" for strip in bound)
            row = self.layout.row()
            row.active = False
            row.label(text=f"{done}/{len(bound)}")

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, compat.scene_of(context)
        editor, chosen = scene.sequence_editor, scene.foleyspace
        bound = bindings.sources(scene)
        if not bound:
            layout.label(text="No strip is bound yet", icon="INFO")
            return
        row = layout.row()
        every = "strips_all" if "strips_all" in editor.bl_rna.properties else "sequences_all"
        row.template_list(
            "FOLEYSPACE_UL_bindings", "", editor, every, chosen, "active_row", rows=4, maxrows=10, sort_lock=True
        )
        active = editor.active_strip
        column = row.column(align=True)
        column.enabled = active is not None and active.foleyspace.role == "SOURCE"
        column.operator("foleyspace.jump", text="", icon="VIEWZOOM")
        column.operator("foleyspace.select", text="", icon="RESTRICT_SELECT_OFF")
        column.operator("foleyspace.select_object", text="", icon="OBJECT_DATA")
        column.separator()
        column.operator("foleyspace.unbind", text="", icon="UNLINKED")
        self._draw_last_error(layout, context, bound)
        column = layout.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(chosen, "only_changed")
        column.prop(chosen, "use_range")
        column = layout.column()
        column.scale_y = 1.3
        column.enabled = running.current() is None and drawing.host_state(context) not in ("MISSING", "REFUSED")
        text = "Update Scene" if chosen.only_changed else "Render Scene"
        column.operator("foleyspace.spatialize_scene", text=text, icon="FILE_REFRESH")

    @staticmethod
    def _draw_last_error(layout, context, bound) -> None:
        """Draw why the first strip failed that did, unless it is the active one, which says so above."""
        active = compat.scene_of(context).sequence_editor.active_strip
        strip = next((one for one in bound if one.foleyspace.error), None)
        if strip is not None and not (strip == active and strip.select):
            column = layout.column()
            column.alert = True
            drawing.draw_lines(column, context, f"{strip.name}: {strip.foleyspace.error}", "ERROR")


CLASSES = (FOLEYSPACE_UL_bindings, FOLEYSPACE_PT_main, FOLEYSPACE_PT_bindings, *settings_panels.CLASSES)
