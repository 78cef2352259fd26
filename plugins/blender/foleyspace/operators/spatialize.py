"""Selected strips, or all of the scene, sound from where their objects are."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import bindings, compat, running, settings
from ..strips import Refused
from ..task import Task
from .work import WorkOperator

__all__ = [
    "FOLEYSPACE_OT_spatialize",
    "FOLEYSPACE_OT_spatialize_scene",
    "chosen_sources",
    "selected_movie",
    "sounds_of",
    "spatialize_task",
    "told_of",
]


def spatialize_task(scene: bpy.types.Scene, uuids: list[str], *, only_changed: bool = False) -> Task:
    """Return the work of placing these strips, with the settings of the scene."""
    chosen = scene.foleyspace
    return Task(
        "spatialize",
        scene.name,
        uuids,
        settings.render_settings(scene),
        folder=chosen.output_folder,
        distance_scale=chosen.distance_scale,
        only_changed=only_changed,
    )


def chosen_sources(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """Return the strips that are meant by the selection, in order of time.

    Sound strips; for a result its source; for a movie, where no sound is selected, the sound of its file.
    """
    selected = [strip for _, strip in bindings.all_strips([scene]) if strip.select]
    meant = []
    for strip in selected:
        if strip.type != "SOUND":
            continue
        of = bindings.source_of(strip) if strip.foleyspace.role == "RESULT" else None
        if (of or strip) not in meant:
            meant.append(of or strip)
    if not meant:
        for movie in (strip for strip in selected if strip.type == "MOVIE"):
            meant += [strip for strip in sounds_of(scene, movie) if strip not in meant]
    return sorted(meant, key=lambda strip: (compat.left(strip), strip.channel))


def sounds_of(scene: bpy.types.Scene, movie: bpy.types.Strip) -> list[bpy.types.Strip]:
    """Return the sound strips of a movie strip's file that lie over the same frames."""
    path = bpy.path.abspath(movie.filepath)
    return [
        strip
        for _, strip in bindings.all_strips([scene])
        if strip.type == "SOUND"
        and strip.foleyspace.role != "RESULT"
        and strip.sound is not None
        and bpy.path.abspath(strip.sound.filepath, library=strip.sound.library) == path
        and compat.left(strip) < compat.right(movie)
        and compat.left(movie) < compat.right(strip)
    ]


def selected_movie(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """Return the movie strip that is meant by the selection; None if there is none."""
    editor = scene.sequence_editor
    if editor is None:
        return None
    active = editor.active_strip
    if active is not None and active.type == "MOVIE" and active.select:
        return active
    return next((strip for _, strip in bindings.all_strips([scene]) if strip.select and strip.type == "MOVIE"), None)


class FOLEYSPACE_OT_spatialize(WorkOperator, bpy.types.Operator):
    bl_idname = "foleyspace.spatialize"
    bl_label = "Spatialize"
    bl_description = (
        "Make the selected sound strips sound from where their objects are.\n"
        "Strips without an object take that of the active strip"
    )

    target: StringProperty(
        name="Object", description="Bind all selected strips to this object first", options={"SKIP_SAVE"}
    )
    bone: StringProperty(name="Bone", description="Of that object", options={"SKIP_SAVE"})

    def begin(self, _context, scene):
        chosen = chosen_sources(scene)
        if not chosen:
            raise Refused("Select one or more sound strips")
        target, bone, listener = self._default(scene)
        for strip in chosen:
            binding = strip.foleyspace
            if target is not None and (self.target or binding.target is None):
                binding.target, binding.bone = target, bone
                binding.listener = binding.listener or listener
        bound = [strip for strip in chosen if strip.foleyspace.target is not None]
        if not bound:
            raise Refused("Choose the object that the sound comes from")
        bindings.reconcile()
        uuids = [bindings.ensure(scene, strip) for strip in bound]
        return running.Run("spatialize", spatialize_task(scene, uuids), uuids=uuids)

    def _default(self, scene):
        """Return object, bone and listener of strips that have none of their own."""
        if self.target:
            target = bpy.data.objects.get(self.target)
            if target is None:
                raise Refused(f"There is no object called {self.target}")
            return target, self.bone, None
        active = scene.sequence_editor.active_strip
        if active is None:
            return None, "", None
        return active.foleyspace.target, active.foleyspace.bone, active.foleyspace.listener

    def told(self, run):
        return told_of(run)


class FOLEYSPACE_OT_spatialize_scene(WorkOperator, bpy.types.Operator):
    bl_idname = "foleyspace.spatialize_scene"
    bl_label = "Spatialize Scene"
    bl_description = "Render all bound strips of the scene; by default only those that would sound otherwise now"

    everything: BoolProperty(
        name="Everything", description="Also strips of which nothing changed", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        if not bindings.sources(compat.scene_of(context)):
            cls.poll_message_set("No strip is bound to an object yet")
            return False
        return True

    def begin(self, _context, scene):
        bindings.reconcile()
        chosen = scene.foleyspace
        bound = bindings.sources(scene, in_range=chosen.use_range)
        if not bound:
            raise Refused("No bound strip lies in the frame range")
        uuids = [bindings.ensure(scene, strip) for strip in bound]
        task = spatialize_task(scene, uuids, only_changed=chosen.only_changed and not self.everything)
        return running.Run("spatialize", task, uuids=uuids)

    def told(self, run):
        return told_of(run)


def told_of(run: running.Run) -> str:
    """Return how it went, in a sentence."""
    items = [item for link in run.links if isinstance(link, Task) and link.kind == "spatialize" for item in link.items]
    count = {state: sum(item.state == state for item in items) for state in ("done", "skipped", "failed")}
    parts = []
    if count["done"] or not any(count.values()):
        parts.append(f"{count['done']} {'strip' if count['done'] == 1 else 'strips'} spatialized")
    if count["skipped"]:
        parts.append(f"{count['skipped']} unchanged")
    if count["failed"]:
        parts.append(f"{count['failed']} failed: {next(item.error for item in items if item.state == 'failed')}")
    return ", ".join(parts)
