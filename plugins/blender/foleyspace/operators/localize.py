"""Movie strips are looked through by the host; what it finds becomes animated Empties."""

from __future__ import annotations

import time

import bpy

from .. import bindings, compat, empties, running, settings
from ..strips import Refused
from ..task import Task
from .spatialize import sounds_of
from .work import WorkOperator

__all__ = ["FOLEYSPACE_OT_localize", "Placing"]


class Placing:
    """Makes Empties of the trajectories that were found: their keys in slices, the Empties all in one tick.

    Parameters
    ----------
    scene_name : str
        Scene with the movie strips.
    documents : dict of str to dict
        Trajectories, by the ID of the movie strip.
    bind : bool
        Whether sounds of the movies are bound to the likeliest source.
    """

    def __init__(self, scene_name: str, documents: dict[str, dict], bind: bool) -> None:
        self.state, self.fraction, self.message, self.error = "running", 0.0, "Placing the sources", ""
        self.made: list[str] = []
        self.bound = 0
        self._scene_name, self._bind = scene_name, bind
        self._plans: list[tuple[str, empties.Plan]] = []
        scene = bpy.data.scenes[scene_name]
        fps = float(compat.effective_fps(scene))
        metre = 1.0 / (scene.unit_settings.scale_length * scene.foleyspace.distance_scale)
        for uuid, document in documents.items():
            if (found := bindings.find(uuid)) is not None:
                first, end = compat.left(found[1]), compat.right(found[1])
                self._plans.append((uuid, empties.Plan(document, first, end - 1, fps, metre)))
        self._left = [plan for _, plan in self._plans]

    @property
    def finished(self) -> bool:
        return self.state != "running"

    def step(self, budget_s: float = running.BUDGET_S) -> bool:
        """Go on for about so long at most; return whether there is more to do."""
        end = time.perf_counter() + budget_s
        while self._left:
            if self._left[0].step(end - time.perf_counter()):
                return True
            self._left.pop(0)
            self.fraction = 1.0 - len(self._left) / len(self._plans)
        self._place()
        self.state, self.fraction = "done", 1.0
        return False

    def cancel(self) -> None:
        """Place nothing."""
        self.state = "cancelled"

    def _place(self) -> None:
        scene = bpy.data.scenes[self._scene_name]
        camera = scene.camera or self._new_camera(scene)
        for uuid, plan in self._plans:
            found = bindings.find(uuid)
            if found is None or not plan.sources:
                continue
            made = empties.make(scene, camera, uuid, plan.sources)
            self.made += [item.name for item in made.values()]
            if self._bind:
                self._bind_sounds(scene, found[1], plan.sources, made, camera)

    def _bind_sounds(self, scene, movie, sources, made, camera) -> None:
        """Bind the movie's own sound to the source that the host takes for the one that sounds."""
        likeliest = max(sources, key=lambda source: (source.selected, source.confidence))
        for strip in sounds_of(scene, movie):
            binding = strip.foleyspace
            if binding.target is None or binding.target == made[likeliest.id]:
                binding.target, binding.listener = made[likeliest.id], camera
                binding.extent_deg = likeliest.extent_deg
                bindings.ensure(scene, strip)
                self.bound += 1

    @staticmethod
    def _new_camera(scene) -> bpy.types.Object:
        """Give a scene without a camera one that sees as the one that filmed did, looking along +Y."""
        data = bpy.data.cameras.new("FoleySpace Camera")
        camera = bpy.data.objects.new("FoleySpace Camera", data)
        camera.rotation_euler = (1.5707963267948966, 0.0, 0.0)
        data.sensor_fit, data.angle = "AUTO", settings.hfov_deg(scene) * 0.017453292519943295
        scene.collection.objects.link(camera)
        scene.camera = camera
        bpy.context.view_layer.update()
        return camera


class FOLEYSPACE_OT_localize(WorkOperator, bpy.types.Operator):
    bl_idname = "foleyspace.localize"
    bl_label = "Localize Video"
    bl_description = (
        "Find what sounds in the selected movie strips.\n"
        "Each source becomes an animated Empty in front of the camera, to be corrected with Blender's own tools"
    )

    def begin(self, _context, scene):
        movies = [strip for _, strip in bindings.all_strips([scene]) if strip.select and strip.type == "MOVIE"]
        if not movies:
            raise Refused("Select one or more movie strips")
        bindings.reconcile()
        uuids = [bindings.ensure(scene, strip) for strip in movies]
        task = Task(
            "localize",
            scene.name,
            uuids,
            settings.localize_settings(scene),
            folder=scene.foleyspace.output_folder,
        )
        bind, name = scene.foleyspace.bind_localized, scene.name
        return running.Run("localize", task, lambda done: (Placing(name, done.documents, bind), None), uuids)

    def told(self, run):
        placing = run.links[-1]
        n = len(placing.made)
        if not n:
            return "Nothing was found that could sound"
        said = f"{n} {'source' if n == 1 else 'sources'} found"
        if placing.bound:
            said += f", {placing.bound} sound {'strip' if placing.bound == 1 else 'strips'} bound"
        return said
