"""A sound from words, for a movie strip or of a given length; spatialized at once if wanted."""

from __future__ import annotations

import bpy

from .. import bindings, compat, connection, engines, running, settings
from ..strips import Refused
from ..task import Task
from .spatialize import selected_movie, spatialize_task, told_of
from .work import WorkOperator

__all__ = ["FOLEYSPACE_OT_generate", "FOLEYSPACE_OT_generate_again", "generated_strip"]


def generated_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """Return the active strip if it is selected and was generated; None otherwise."""
    editor = scene.sequence_editor
    active = editor.active_strip if editor is not None else None
    generated = active is not None and active.select and active.type == "SOUND" and active.foleyspace.made_for
    return active if generated else None


def _can_generate(cls, context):
    if running.current() is not None:
        cls.poll_message_set("Something else is going on; cancel it, or wait until it is done")
        return False
    scene = compat.scene_of(context)
    if scene is None:
        cls.poll_message_set("There is no scene to put the sound into")
        return False
    if why := settings.reason_against(connection.current().capabilities, "generate"):
        cls.poll_message_set(why)
        return False
    if why := engines.reason_against(scene.foleyspace.engine):
        cls.poll_message_set(why)
        return False
    return True


class FOLEYSPACE_OT_generate(WorkOperator, bpy.types.Operator):
    bl_idname = "foleyspace.generate"
    bl_label = "Generate Foley"
    bl_description = "Make a sound from words, for the selected movie strip or of the given length"

    @classmethod
    def poll(cls, context):
        return _can_generate(cls, context)

    def begin(self, _context, scene):
        chosen = scene.foleyspace
        movie = selected_movie(scene) if chosen.use_movie else None
        if not chosen.prompt.strip() and movie is None:
            raise Refused("Say what it should sound like, or select a movie strip")
        scene.sequence_editor_create()
        bindings.reconcile()
        uuids = [bindings.ensure(scene, movie)] if movie is not None else []
        task = Task(
            "generate",
            scene.name,
            uuids,
            folder=chosen.output_folder,
            duration_s=None if movie is not None else chosen.duration_s,
            **settings.generate_settings(scene),
        )
        name, target = scene.name, chosen.generate_target.name if chosen.generate_target else ""

        def place(done: Task) -> tuple[Task, None] | None:
            made = [item.result for item in done.items if item.result]
            thing = bpy.data.objects.get(target) if target else None
            if thing is None or not made:
                return None
            for uuid in made:
                if (found := bindings.find(uuid)) is not None:
                    found[1].foleyspace.target = thing
                    bindings.ensure(*found)
            return spatialize_task(bpy.data.scenes[name], made), None

        return running.Run("generate", task, place, uuids)

    def told(self, run):
        n = sum(bool(item.result) for item in run.links[0].items)
        said = f"{n} {'sound' if n == 1 else 'sounds'} generated"
        return f"{said}, {told_of(run)}" if len(run.links) > 1 else said


class FOLEYSPACE_OT_generate_again(WorkOperator, bpy.types.Operator):
    bl_idname = "foleyspace.generate_again"
    bl_label = "Generate Again"
    bl_description = (
        "Make the sound of the active strip anew, with its words, and as loud as its curve is drawn by now.\n"
        "If it is bound to an object, it is spatialized too"
    )

    @classmethod
    def poll(cls, context):
        if not _can_generate(cls, context):
            return False
        if generated_strip(compat.scene_of(context)) is None:
            cls.poll_message_set("Select a strip that was generated")
            return False
        return True

    def begin(self, _context, scene):
        strip = generated_strip(scene)
        if not strip.foleyspace.prompt.strip() and "video" not in strip.foleyspace.made_for:
            raise Refused("Say what it should sound like")
        bindings.reconcile()
        uuid, name = bindings.ensure(scene, strip), scene.name
        fields = {**settings.generate_settings(scene), "prompt": strip.foleyspace.prompt}
        chosen = scene.foleyspace
        task = Task("generate", name, [uuid], folder=chosen.output_folder, follow_curve=chosen.follow_curve, **fields)

        def place(done: Task) -> tuple[Task, None] | None:
            found = bindings.find(uuid)
            if found is None or found[1].foleyspace.target is None or not done.items[0].result:
                return None
            return spatialize_task(bpy.data.scenes[name], [uuid]), None

        return running.Run("generate", task, place, [uuid])

    def told(self, run):
        said = "The sound was generated again"
        return f"{said}, {told_of(run)}" if len(run.links) > 1 else said
