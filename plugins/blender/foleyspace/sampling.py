"""Where objects are for the listener, frame by frame, in slices of time so that Blender stays alive.

A frame of the sequencer is looked up where its picture comes from: in the sequencer's own scene if the object is in
it, otherwise in the scene of the topmost scene strip that shows the object. Every slice leaves all scenes at the
frame, and with the camera, that it found.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor
from typing import Any

import bpy

from . import compat, empties, frames
from .strips import Refused
from .tracks import Name, Pose, Track, View, name_of

__all__ = ["Sampler"]

STEPPED = 4.0  # frames; jumps that follow each other so closely are movement "on twos", and no cuts


class Sampler:
    """Follows several objects at once, in one pass over the frames.

    Parameters
    ----------
    tracks : sequence of Track
        What to follow; all belong to sequencers of this file.
    clock : callable
        Seconds that pass, for tests.

    Attributes
    ----------
    done, total : int
        Positions that were read, and how many there are.
    paused : str
        Why nothing is done at the moment; empty if it goes on.
    longest_s : float
        Longest slice so far [s].
    """

    def __init__(self, tracks: Sequence[Track], clock: Callable[[], float] = time.perf_counter) -> None:
        self.tracks, self._clock = list(tracks), clock
        self.done, self.total = 0, sum(track.n_samples for track in tracks)
        self.paused, self.longest_s = "", 0.0
        self._restore_s = 0.0
        self._moments = heapq.merge(
            *([(moment, number) for moment in track.moments()] for number, track in enumerate(self.tracks))
        )
        self._next = next(self._moments, None)
        self._layers: dict[tuple[str, Name, Name], str] = {}
        self._inside: dict[tuple[str, Name], bool] = {}
        self._steps: dict[Name, list[float]] = {}

    @property
    def finished(self) -> bool:
        """Whether all is read."""
        return self._next is None

    def step(self, budget_s: float = 0.02) -> tuple[int, int]:
        """Read positions for about so long, restoring included, but at least one; return `done` and `total`.

        Nothing happens while Blender plays or renders. What cannot be followed has an `error` afterwards.
        """
        self.paused = compat.pause_reason()
        if self.paused or self._next is None:
            return self.done, self.total
        start = self._clock()
        stage = _Stage()
        try:
            while self._next is not None:
                self._read(stage)
                if self._clock() - start + self._restore_s >= budget_s:
                    break
        finally:
            before = self._clock()
            stage.restore()
            now = self._clock()
            self._restore_s = now - before
            self.longest_s = max(self.longest_s, now - start)
        return self.done, self.total

    def _read(self, stage: _Stage) -> None:
        """Read the next position."""
        moment, number = self._next or (Fraction(0), 0)
        track = self.tracks[number]
        if not track.error:
            try:
                self._follow(track, moment, stage)
            except Refused as error:
                track.error = str(error)
        self.done += 1
        self._next = next(self._moments, None)
        if self._next is None:
            for track in self.tracks:
                if not track.keys and not track.error:
                    track.error = (
                        f"{track.target[0]} is neither in the scene {track.scene} nor in one that a scene strip shows "
                        "there; put it into one of them"
                    )

    def _follow(self, track: Track, moment: Fraction, stage: _Stage) -> None:
        place = self._place(track, moment, stage)
        if place is None:
            track.lose()
            return
        scene, shift, frame, camera = place
        stage.go(scene, frame)
        listener = track.listener or camera or _camera_of(scene)
        view = View(scene.name, shift, listener)
        before = None
        if track.view is not None and view != track.view and not track.lost:
            before = self._pose(track, track.view, moment + track.view.shift, stage)
        pose = self._pose(track, view, frame, stage)
        jumps = self._jumps(track.target, stage)
        step = bool(jumps) and any(track.moment + shift < frame <= moment + shift for frame in jumps)
        track.add(moment, pose, view, before, step)

    def _place(self, track: Track, moment: Fraction, stage: _Stage) -> tuple[Any, int, Fraction, Name | None] | None:
        """Return in which scene a frame is to be looked up, the shift to its frames, which it is, and whose camera."""
        scene = stage.scene(track.scene)
        if self._holds(scene, track.target):
            return scene, 0, moment, None
        editor = scene.sequence_editor
        best = None
        for strip in compat.every(editor) if editor is not None else ():
            if strip.type != "SCENE" or strip.mute or editor.channels[strip.channel].mute or strip.scene is None:
                continue
            if not compat.left(strip) <= moment < compat.right(strip) or not self._holds(strip.scene, track.target):
                continue
            if best is None or strip.channel > best.channel:
                best = strip
        if best is None:
            return None
        if compat.is_retimed(best) or best.use_reverse_frames:
            raise Refused(f"The scene strip {best.name} is retimed or reversed; let it play as it is")
        shown, start = best.scene, int(compat.content_start(best))
        first = shown.frame_start + compat.trim_start(best)
        index = min(max(moment - start, Fraction(0)), Fraction(compat.content_length(best) - 1))  # held beyond its ends
        return (
            shown,
            first - start,
            first + index,
            name_of(best.scene_camera) if best.scene_camera is not None else None,
        )

    def _pose(self, track: Track, view: View, frame: Fraction, stage: _Stage) -> Pose:
        """Return where the target is for a view, at a frame of the scene that is viewed."""
        scene = stage.scene(view.scene)
        stage.go(scene, frame)
        target, listener = stage.thing(track.target), stage.thing(view.listener)
        graph = self._graph(scene, track.target, view.listener)
        seen, ear = target.evaluated_get(graph), listener.evaluated_get(graph)
        for original, evaluated in ((target, seen), (listener, ear)):
            if not evaluated.is_evaluated:
                raise Refused(
                    f"{original.name} is disabled in viewports, or in a collection that is, so that Blender does not "
                    "move it; enable it"
                )
        matrix = seen.matrix_world
        if track.bone:
            bone = seen.pose.bones.get(track.bone) if seen.pose is not None else None
            if bone is None:
                raise Refused(f"{target.name} has no bone {track.bone}; choose another")
            point = matrix @ bone.head
        else:
            point = matrix.translation
        axes = frames.axes_of(listener)
        azimuth_deg, elevation_deg, distance = frames.angles(*frames.seen_from(point, ear.matrix_world, axes))
        return azimuth_deg, elevation_deg, distance * scene.unit_settings.scale_length * track.distance_scale

    def _graph(self, scene: Any, target: Name, listener: Name) -> Any:
        """Return the evaluated state of a view layer that holds both objects."""
        key = (scene.name, target, listener)
        if (known := self._layers.get(key)) is not None and known in scene.view_layers:
            return scene.view_layers[known].depsgraph
        for wanted in (listener, target):
            if not self._holds(scene, wanted):
                raise Refused(f"{wanted[0]} is not in the scene {scene.name}; put it there, or choose another listener")
        layers = list(scene.view_layers)
        both = (layer for layer in layers if _in(layer.objects, target) and _in(layer.objects, listener))
        layer = next(both, layers[0])
        self._layers[key] = layer.name
        return layer.depsgraph

    def _jumps(self, target: Name, stage: _Stage) -> list[float]:
        """Return the frames at which an object, or what it hangs on, jumps from one place to another."""
        if target not in self._steps:
            found: set[float] = set()
            thing = stage.thing(target)
            while thing is not None:
                found |= empties.jumps(thing)
                thing = thing.parent
            order = [float("-inf"), *sorted(found), float("inf")]
            self._steps[target] = [
                frame
                for before, frame, after in zip(order, order[1:], order[2:], strict=False)
                if frame - before > STEPPED and after - frame > STEPPED
            ]
        return self._steps[target]

    def _holds(self, scene: Any, thing: Name) -> bool:
        key = (scene.name, thing)
        if key not in self._inside:
            self._inside[key] = _in(scene.objects, thing)
        return self._inside[key]


class _Stage:
    """What a slice uses: looked up once, moved about, and put back as it was."""

    def __init__(self) -> None:
        self._scenes: dict[str, Any] = {}
        self._things: dict[Name, Any] = {}
        self._at: dict[str, Fraction] = {}
        self._before: dict[str, tuple[int, float, Any]] = {}

    def scene(self, name: str) -> Any:
        if name not in self._scenes:
            scene = bpy.data.scenes.get(name)
            if scene is None:
                raise Refused(f"The scene {name} was removed or renamed meanwhile; try again")
            self._scenes[name] = scene
        return self._scenes[name]

    def thing(self, name: Name) -> Any:
        if name not in self._things:
            thing = bpy.data.objects.get((name[0], name[1] or None))
            if thing is None:
                raise Refused(f"{name[0]} was removed or renamed meanwhile; try again")
            self._things[name] = thing
        return self._things[name]

    def go(self, scene: Any, frame: Fraction) -> None:
        name = scene.name
        if self._at.get(name) == frame:
            return
        if name not in self._before:
            self._before[name] = scene.frame_current, scene.frame_subframe, scene.camera
        whole = floor(frame)
        scene.frame_set(whole, subframe=float(frame - whole))
        self._at[name] = frame

    def restore(self) -> None:
        for name, (frame, subframe, camera) in self._before.items():
            scene = self._scenes.get(name) or bpy.data.scenes[name]
            scene.frame_set(frame, subframe=subframe)
            if scene.camera != camera:  # a marker was passed, or the camera was chosen in spite of one
                scene.camera = camera


def _camera_of(scene: Any) -> Name:
    if scene.camera is None:
        raise Refused(f"The scene {scene.name} has no camera; add one, or choose a listener")
    return name_of(scene.camera)


def _in(objects: Any, thing: Name) -> bool:
    found = objects.get(thing[0])
    if found is not None and name_of(found) == thing:
        return True
    return any(name_of(other) == thing for other in objects if other.name == thing[0])
