"""The settings of a scene: how its strips are rendered, and what the panels' fields hold; saved with the file.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat, engines
from .choices import DISTANCE_GAINS, FORMATS, LISTENERS, PROPAGATIONS, QUALITIES, RENDERERS, ROOMS

__all__ = ["FOLEYSPACE_PG_scene"]


def _settings_changed(self: "FOLEYSPACE_PG_scene", _context: bpy.types.Context) -> None:
    """Note that every strip of the scene would sound otherwise if it were rendered now."""
    editor = self.id_data.sequence_editor
    for strip in compat.every(editor) if editor else ():
        if strip.foleyspace.role == "SOURCE" and strip.foleyspace.state == "DONE":
            strip.foleyspace.state = "CHANGED"


def _get_active_row(self: "FOLEYSPACE_PG_scene") -> int:
    editor = self.id_data.sequence_editor
    if editor is None or editor.active_strip is None:
        return -1
    name = editor.active_strip.name
    return next((row for row, strip in enumerate(compat.every(editor)) if strip.name == name), -1)


def _set_active_row(self: "FOLEYSPACE_PG_scene", row: int) -> None:
    """Make the strip of a row of the list the sequencer's active and only selected one."""
    editor = self.id_data.sequence_editor
    strips = list(compat.every(editor)) if editor else []
    if not 0 <= row < len(strips):
        return
    for number, strip in enumerate(strips):
        strip.select = number == row
    editor.active_strip = strips[row]


def _engines(self: "FOLEYSPACE_PG_scene", _context: bpy.types.Context) -> list[tuple[str, str, str, str, int]]:
    return engines.items(self.engine_name)


def _get_engine(self: "FOLEYSPACE_PG_scene") -> int:
    return next((item[4] for item in engines.items(self.engine_name) if item[0] == self.engine_name), 0)


def _set_engine(self: "FOLEYSPACE_PG_scene", number: int) -> None:
    self.engine_name = next((item[0] for item in engines.items(self.engine_name) if item[4] == number), "")


class FOLEYSPACE_PG_scene(bpy.types.PropertyGroup):
    """How the strips of a scene are rendered, and what the panel's fields hold."""

    listener: EnumProperty(
        name="Listener",
        description="Where the sound is heard",
        items=LISTENERS,
        default="CAMERA",
        update=_settings_changed,
    )
    listener_object: PointerProperty(
        name="Listener Object",
        description="The head; it looks along the object's -Y axis, as a model of a person does",
        type=bpy.types.Object,
        update=_settings_changed,
    )
    format: EnumProperty(
        name="Format",
        description="Channels of the result",
        items=FORMATS,
        default="binaural",
        update=_settings_changed,
    )
    renderer: EnumProperty(
        name="Renderer",
        description="How directions are made audible",
        items=RENDERERS,
        default="hrtf",
        update=_settings_changed,
    )
    quality: EnumProperty(
        name="Quality",
        description="How often the diffusion renderer's model is evaluated",
        items=QUALITIES,
        default="draft",
        update=_settings_changed,
    )
    seed: IntProperty(
        name="Seed",
        description="The same seed gives the same result",
        default=0,
        min=0,
        update=_settings_changed,
    )
    hrtf: StringProperty(
        name="HRTF",
        description="SOFA file with the ears to render for; those of a KEMAR head if empty",
        subtype="FILE_PATH",
        options=compat.RELATIVE_PATH,
        update=_settings_changed,
    )
    room: EnumProperty(
        name="Room",
        description="Reflections around the sound",
        items=ROOMS,
        default="dry",
        update=_settings_changed,
    )
    room_custom: StringProperty(
        name="Description",
        description='The room as the command line takes it, such as "hall:rt60=1.6" or "shoebox:6x4x3,rt60=0.5"',
        default="shoebox:6x4x3,rt60=0.5",
        update=_settings_changed,
    )
    propagation: EnumProperty(
        name="Propagation",
        description="How long the sound takes to the listener",
        items=PROPAGATIONS,
        default="none",
        update=_settings_changed,
    )
    distance_gain: EnumProperty(
        name="Distance Gain",
        description="How the level depends on the distance",
        items=DISTANCE_GAINS,
        default="relative",
        update=_settings_changed,
    )
    distance_scale: FloatProperty(
        name="Distance Scale",
        description="Factor on distances, on top of the scene's unit scale",
        default=1.0,
        min=0.001,
        max=1000.0,
        soft_min=0.1,
        soft_max=10.0,
        update=_settings_changed,
    )
    spread: FloatProperty(
        name="Spread",
        description="Factor on azimuths: 1 is true, 1.5 to 2 sounds wider than the picture",
        default=1.0,
        min=0.0,
        max=10.0,
        soft_max=3.0,
        update=_settings_changed,
    )
    air: BoolProperty(
        name="Air Absorption",
        description="Far sounds lose their highs, as in air of 20 °C and 50 % humidity",
        default=True,
        update=_settings_changed,
    )
    output_folder: StringProperty(
        name="Output Folder",
        description="Where results are written; // is the folder of the blend file",
        default="//foleyspace/",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )
    use_range: BoolProperty(
        name="Frame Range Only",
        description="Only strips that the scene's frame range, or its preview range, touches",
    )
    only_changed: BoolProperty(
        name="Only Changed",
        description="Leave out strips of which sound, movement and settings are as they were rendered",
        default=True,
    )
    active_row: IntProperty(name="Active Binding", get=_get_active_row, set=_set_active_row, options={"SKIP_SAVE"})

    label: StringProperty(
        name="Follow",
        description='What to look for, such as "car" or "dog"; the most prominent thing if empty',
    )
    hfov: EnumProperty(
        name="Field of View",
        description="Field of view of the camera that filmed the video, over the longer side of the picture",
        items=(
            ("GIVEN", "Given", "The angle below"),
            ("CAMERA", "Scene Camera", "That of the scene's active camera, if it matches the one that filmed"),
        ),
        default="GIVEN",
    )
    hfov_deg: FloatProperty(
        name="Angle",
        description="Field of view over the longer side of the picture, in degrees",
        default=60.0,
        min=1.0,
        max=179.0,
        precision=1,
        step=100,
    )
    bind_localized: BoolProperty(
        name="Bind the Video's Sound",
        description="Bind sound strips of the same file, over the same frames, to the likeliest source",
        default=True,
    )

    prompt: StringProperty(name="Prompt", description='What it should sound like, such as "footsteps on gravel"')
    engine: EnumProperty(
        name="Engine",
        description="What makes the sound",
        items=_engines,
        get=_get_engine,
        set=_set_engine,
        options={"SKIP_SAVE"},
    )
    engine_name: StringProperty(
        name="Name of the Engine", description="That of the host if empty", options={"HIDDEN"}
    )  # what is saved: the menu depends on the host
    duration_s: FloatProperty(
        name="Duration",
        description="Length of the sound, in seconds",
        default=4.0,
        min=0.1,
        max=600.0,
        precision=2,
        step=50,
    )
    use_movie: BoolProperty(
        name="Fit Selected Movie",
        description="Take place and length from the selected movie strip, and let its picture lead the sound",
        default=True,
    )
    follow_curve: BoolProperty(
        name="Follow Its Curve",
        description="Make it as loud as its curve is drawn by now; a new curve is made if not",
        default=True,
    )
    generate_seed: IntProperty(name="Seed", description="The same seed gives the same sound", default=0, min=0)
    generate_target: PointerProperty(
        name="Object",
        description="Bind the sound to this object, and spatialize it at once; neither if empty",
        type=bpy.types.Object,
    )
