"""Trajectories as animated Empties: keyed in the camera's space, parented to it, to be corrected as anything else.

An Empty has keys at whole frames, few enough to work with: between them its place is straight, and nowhere further
from the trajectory than `TOLERANCE_DEG` and `TOLERANCE_RATIO`. Where the trajectory cuts, the key before holds
(constant interpolation) and the next one is at the frame of the cut.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import bpy
from mathutils import Vector

from . import compat

__all__ = ["Plan", "PlannedSource", "found_in", "jumps", "make"]

TOLERANCE_DEG = 0.5
"""Direction of an Empty against the trajectory [deg]; less than listeners tell apart."""

TOLERANCE_RATIO = 1.05
"""Distance of an Empty against the trajectory, as a ratio; 0.4 dB."""

COLLECTION = "FoleySpace Sources"
MOVIE, SOURCE, CONFIDENCE = "foleyspace_movie", "foleyspace_source", "foleyspace_confidence"

_PIECE_FRAMES = 600  # looked at in one go

Place = tuple[float, float, float]  # in the camera's space: x right, y up, z backwards


@dataclass
class PlannedSource:
    """What becomes an Empty: where it is at which frames, and whether it holds until the next."""

    id: str
    label: str
    confidence: float
    selected: bool
    extent_deg: float
    frames: list[int] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)


class Plan:
    """Works out the keys of all sources of a trajectory, in slices of time.

    Parameters
    ----------
    document : dict
        A trajectory, as `docs/trajectory.md` of the project tells.
    first, last : int
        Frames of the scene over which the clip lies; the trajectory starts at the first.
    fps : float
        Frames in a second.
    units_per_m : float
        Length of a metre in the scene.

    Attributes
    ----------
    sources : list of PlannedSource
        Those that are worked out.
    """

    def __init__(
        self, document: Mapping[str, Any], first: int, last: int, fps: float, units_per_m: float = 1.0
    ) -> None:
        self.sources: list[PlannedSource] = []
        self._first, self._last, self._fps, self._units = first, max(first, last), float(fps), units_per_m
        self._work = self._all(document["sources"])

    def step(self, budget_s: float) -> bool:
        """Go on for about so long, and return whether there is more to do."""
        end = time.perf_counter() + budget_s
        while time.perf_counter() < end:
            if next(self._work, None) is None:
                return False
        return True

    def _all(self, sources: Sequence[Mapping[str, Any]]) -> Iterator[bool]:
        for source in sources:
            planned = PlannedSource(
                id=str(source["id"]),
                label=str(source.get("label") or source["id"]),
                confidence=float(source.get("confidence", 1.0)),
                selected=bool(source.get("selected", True)),
                extent_deg=float(source.get("extent_deg") or 0.0),
            )
            for keys, first, last in self._takes(source["keys"]):
                yield from self._take(planned, keys, first, last)
            self.sources.append(planned)
            yield True

    def _takes(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[tuple[float, Place]], int, int]]:
        """Yield the keys between cuts, and the first and last frame that they are for."""
        at = [self._first + key["t_s"] * self._fps for key in keys]
        starts = [0, *(n for n in range(1, len(keys)) if keys[n].get("cut"))]
        for start, end in zip(starts, [*starts[1:], len(keys)], strict=True):
            # the frame of a cut is the first one that is not before it; rounding of the file's times is forgiven
            first = self._first if start == 0 else math.ceil(at[start] - 0.01)
            last = self._last if end == len(keys) else math.ceil(at[end] - 0.01) - 1
            first, last = max(first, self._first), min(last, self._last)
            if first <= last:
                yield [(at[n], self._place(keys[n])) for n in range(start, end)], first, last

    def _place(self, key: Mapping[str, Any]) -> Place:
        azimuth, elevation = math.radians(key["azimuth_deg"]), math.radians(key["elevation_deg"])
        distance = max(float(key["distance_m"]), 1e-3) * self._units
        level = distance * math.cos(elevation)
        return -level * math.sin(azimuth), distance * math.sin(elevation), -level * math.cos(azimuth)

    def _take(self, planned: PlannedSource, keys: list[tuple[float, Place]], first: int, last: int) -> Iterator[bool]:
        """Append the keys of one take; a slice of work at a time."""
        number = 0
        for start in range(first, last + 1, _PIECE_FRAMES):
            end = min(start + _PIECE_FRAMES, last)
            if start == end and start > first:
                break
            places = []
            for frame in range(start, end + 1):
                while number + 1 < len(keys) and keys[number + 1][0] <= frame:
                    number += 1
                places.append(_between(keys, number, frame))
            number = max(number - 1, 0)  # the next piece starts with the frame that this one ends with
            keep = sorted(_needed(places))
            for n in keep if start == first else keep[1:]:
                planned.frames.append(start + n)
                planned.places.append(places[n])
                planned.holds.append(False)
            yield True
        if last < self._last:
            planned.holds[-1] = True


def make(
    scene: bpy.types.Scene, camera: bpy.types.Object, movie_uuid: str, planned: Sequence[PlannedSource]
) -> dict[str, bpy.types.Object]:
    """Make the Empties, or key those anew that were made for this movie strip before.

    Parameters
    ----------
    scene : Scene
        Which they are added to.
    camera : Object
        To which they are parented.
    movie_uuid : str
        ID of the movie strip.
    planned : sequence of PlannedSource
        The sources.

    Returns
    -------
    dict of str to Object
        The Empties, by the source's id. Those of an earlier time that are not among them, and to which no strip is
        bound, are removed.
    """
    home = bpy.data.collections.get(COLLECTION) or bpy.data.collections.new(COLLECTION)
    if COLLECTION not in scene.collection.children:
        scene.collection.children.link(home)
    before = {str(empty[SOURCE]): empty for empty in found_in(scene, movie_uuid)}
    made = {}
    for source in planned:
        empty = before.pop(source.id, None) or _new(home, source)
        empty[MOVIE], empty[SOURCE], empty[CONFIDENCE] = movie_uuid, source.id, source.confidence
        empty.parent, empty.parent_type = camera, "OBJECT"
        world = camera.matrix_world  # of which the scale must not change distances
        empty.matrix_parent_inverse = world.inverted_safe() @ world.normalized()
        _key(empty, source)
        made[source.id] = empty
    bound = {strip.foleyspace.target for other in bpy.data.scenes for strip in _strips(other)}
    for empty in before.values():
        if empty not in bound:
            bpy.data.objects.remove(empty)
    return made


def found_in(scene: bpy.types.Scene, movie_uuid: str) -> list[bpy.types.Object]:
    """Return the Empties of a movie strip, the likeliest first."""
    found = [item for item in scene.objects if item.get(MOVIE) == movie_uuid and SOURCE in item]
    return sorted(found, key=lambda item: -float(item.get(CONFIDENCE, 0.0)))


def jumps(item: bpy.types.Object) -> set[float]:
    """Return the frames at which an object jumps, because its place is held until there and then differs."""
    found = set()
    for curve in compat.fcurves_of(item):
        if curve.data_path != "location":
            continue
        points = curve.keyframe_points
        for before, after in pairwise(points):
            if before.interpolation == "CONSTANT" and before.co.y != after.co.y:
                found.add(float(after.co.x))
    return found


def _strips(scene: bpy.types.Scene) -> Any:
    return compat.every(scene.sequence_editor) if scene.sequence_editor else ()


def _new(home: bpy.types.Collection, source: PlannedSource) -> bpy.types.Object:
    empty = bpy.data.objects.new(source.id, None)
    empty.empty_display_type, empty.empty_display_size = "SPHERE", 0.15
    empty.show_name = empty.show_in_front = True
    home.objects.link(empty)
    return empty


def _key(empty: bpy.types.Object, source: PlannedSource) -> None:
    """Animate the place of an Empty, and nothing else of it."""
    empty.animation_data_clear()
    empty.location = source.places[0]
    empty.keyframe_insert("location", frame=source.frames[0])
    kinds = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items
    linear, constant = kinds["LINEAR"].value, kinds["CONSTANT"].value
    for curve in compat.fcurves_of(empty):
        points = curve.keyframe_points
        points.add(len(source.frames) - 1)
        rows = zip(source.frames, source.places, strict=True)
        points.foreach_set("co", [number for frame, place in rows for number in (frame, place[curve.array_index])])
        points.foreach_set("interpolation", [constant if hold else linear for hold in source.holds])
        curve.update()


def _between(keys: Sequence[tuple[float, Place]], number: int, frame: float) -> Place:
    """Return the place at a frame: along the great circle, and the distance evenly in proportion."""
    at, place = keys[number]
    if number + 1 == len(keys) or frame <= at:
        return place
    next_at, next_place = keys[number + 1]
    share = (frame - at) / (next_at - at)
    one, two = Vector(place), Vector(next_place)
    distance = one.length ** (1.0 - share) * two.length**share
    direction = one.normalized().slerp(two.normalized(), share, one.normalized())
    return tuple(direction * distance)


def _needed(places: Sequence[Place]) -> set[int]:
    """Return which places suffice, the first and last among them (Ramer, Douglas and Peucker)."""
    keep, spans = {0, len(places) - 1}, [(0, len(places) - 1)]
    most_cos, most_log = math.cos(math.radians(TOLERANCE_DEG)), math.log(TOLERANCE_RATIO)
    while spans:
        start, end = spans.pop()
        worst, worst_at = 1.0, -1
        (ax, ay, az), (bx, by, bz) = places[start], places[end]
        for n in range(start + 1, end):
            share = (n - start) / (end - start)
            x, y, z = places[n]
            u, v, w = ax + (bx - ax) * share, ay + (by - ay) * share, az + (bz - az) * share
            square, other = x * x + y * y + z * z, u * u + v * v + w * w
            if other <= 0.0:
                worst, worst_at = math.inf, n
                break
            cosine = (x * u + y * v + z * w) / math.sqrt(square * other)
            # both errors as shares of what is allowed; 1 - cos grows with the square of the angle
            error = max((1.0 - cosine) / (1.0 - most_cos), (0.5 * math.log(square / other) / most_log) ** 2)
            if error > worst:
                worst, worst_at = error, n
        if worst_at >= 0:
            keep.add(worst_at)
            spans += [(start, worst_at), (worst_at, end)]
    return keep
