"""Which strip is bound to which object and what was made of it: found again by IDs, told apart when duplicated.

A strip that is copied, split or pasted takes the ID along. `reconcile` gives the copy one of its own: the original
is the strip with the name that the ID was given to. A result that was copied together with its source stays its.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

import bpy

from . import compat

__all__ = [
    "all_strips",
    "ensure",
    "find",
    "link_result",
    "mark",
    "reconcile",
    "result_of",
    "source_of",
    "sources",
    "unbind",
]

RESULT_COLOUR = "COLOR_06"
"""Tag of results, so that they are told from their sources at a glance; the theme's violet."""

Found = tuple[bpy.types.Scene, compat.StripType]


def all_strips(scenes: Iterable[bpy.types.Scene] | None = None) -> Iterator[Found]:
    """Yield every strip of these scenes, or of all that can be changed, with its scene."""
    for scene in bpy.data.scenes if scenes is None else scenes:
        if scene.library is None and scene.sequence_editor is not None:
            for strip in compat.every(scene.sequence_editor):
                yield scene, strip


def ensure(scene: bpy.types.Scene, strip: bpy.types.Strip) -> str:
    """Return the strip's ID, which it is given if it has none."""
    binding = strip.foleyspace
    if not binding.uuid:
        binding.uuid = uuid.uuid4().hex
    if not binding.owner:
        binding.owner = _home(scene, strip)
    return str(binding.uuid)


def find(wanted: str) -> Found | None:
    """Return the strip with an ID, and its scene; None if there is none."""
    if not wanted:
        return None
    return next(((scene, strip) for scene, strip in all_strips() if strip.foleyspace.uuid == wanted), None)


def result_of(source: bpy.types.Strip) -> bpy.types.Strip | None:
    """Return the strip that was made from a source; None if there is none (any more)."""
    found = find(source.foleyspace.result_uuid)
    return found[1] if found else None


def source_of(result: bpy.types.Strip) -> bpy.types.Strip | None:
    """Return the strip that a result was made from; None if there is none (any more)."""
    found = find(result.foleyspace.source_uuid)
    return found[1] if found else None


def sources(scene: bpy.types.Scene, *, in_range: bool = False, selected: bool = False) -> list[bpy.types.Strip]:
    """Return the bound strips of a scene in order of time.

    Parameters
    ----------
    scene : Scene
        With the strips.
    in_range : bool
        Only those that the scene's frame range touches; its preview range where that is used.
    selected : bool
        Only selected ones.
    """
    found = [strip for _, strip in all_strips([scene]) if strip.foleyspace.role == "SOURCE"]
    if in_range:
        preview = scene.use_preview_range
        first = scene.frame_preview_start if preview else scene.frame_start
        last = scene.frame_preview_end if preview else scene.frame_end
        found = [strip for strip in found if compat.left(strip) <= last and compat.right(strip) > first]
    if selected:
        found = [strip for strip in found if strip.select]
    return sorted(found, key=lambda strip: (compat.left(strip), strip.channel))


def mark(strip: bpy.types.Strip, state: str, error: str = "") -> None:
    """Set a source's state: BOUND, DONE, CHANGED or FAILED, and why it failed."""
    strip.foleyspace.state, strip.foleyspace.error = state, error


def link_result(source: Found, result: Found, content_hash: str, path: str) -> None:
    """Note that a strip was made from another.

    Parameters
    ----------
    source, result : tuple of Scene and Strip
        What it was made from, and what was made.
    content_hash : str
        Of all that the result depends on.
    path : str
        The file of the result.
    """
    made, of = result[1].foleyspace, source[1].foleyspace
    made.role, made.source_uuid = "RESULT", ensure(*source)
    made.uuid, made.owner = uuid.uuid4().hex, _home(*result)
    if getattr(result[1], "color_tag", "") == "NONE":
        result[1].color_tag = RESULT_COLOUR
    of.role, of.result_uuid, of.result_path, of.content_hash = "SOURCE", made.uuid, path, content_hash
    mark(source[1], "DONE")


def unbind(source: bpy.types.Strip) -> None:
    """Make a source an ordinary strip; what was made from it becomes one too, and stays."""
    result = result_of(source)
    if result is not None:
        _forget(result)
    _forget(source)


def reconcile(scenes: Iterable[bpy.types.Scene] | None = None) -> int:
    """Give copies of strips IDs of their own, and note which results are gone; return how many strips changed.

    Parameters
    ----------
    scenes : iterable of Scene, optional
        Where to look; all scenes if not given.
    """
    known = [(scene, strip) for scene, strip in all_strips(scenes) if strip.foleyspace.uuid]
    holders: dict[str, list[Found]] = {}
    for scene, strip in known:
        holders.setdefault(strip.foleyspace.uuid, []).append((scene, strip))
    copies: list[tuple[str, Found]] = []
    for same in holders.values():
        if len(same) > 1:
            same.sort(key=lambda found: (found[1].foleyspace.owner != _home(*found), _home(*found)))
            copies += [(found[1].foleyspace.uuid, found) for found in same[1:]]
    changed = _tell_apart(copies) if copies else 0
    ids = {strip.foleyspace.uuid for _, strip in known}
    for scene, strip in known:
        binding = strip.foleyspace
        if binding.owner != _home(scene, strip):
            binding.owner = _home(scene, strip)
            changed += 1
        if scenes is not None:
            continue  # the other half may be elsewhere
        if binding.role == "SOURCE" and binding.result_uuid and binding.result_uuid not in ids:
            binding.result_uuid = ""
            if binding.state in ("DONE", "CHANGED"):
                binding.state = "BOUND"
            changed += 1
        elif binding.role == "RESULT" and binding.source_uuid not in ids:
            _forget(strip)
            changed += 1
    return changed


def _tell_apart(copies: list[tuple[str, Found]]) -> int:
    """Give copies new IDs, and join those of sources to those of their results that lie over the same frames."""
    old_of: dict[str, str] = {}
    for old, (scene, strip) in copies:
        strip.foleyspace.uuid, strip.foleyspace.owner = uuid.uuid4().hex, _home(scene, strip)
        old_of[strip.foleyspace.uuid] = old
    free = [found for _, found in copies if found[1].foleyspace.role == "RESULT"]
    for _, (scene, strip) in copies:
        binding = strip.foleyspace
        if binding.role != "SOURCE" or not binding.result_uuid:
            continue
        place = (compat.left(strip), compat.right(strip))
        for result in free:
            made = result[1].foleyspace
            fits = old_of[made.uuid] == binding.result_uuid and made.source_uuid == old_of[binding.uuid]
            if fits and result[0] == scene and (compat.left(result[1]), compat.right(result[1])) == place:
                made.source_uuid, binding.result_uuid = binding.uuid, made.uuid
                free.remove(result)
                break
        else:
            binding.result_uuid = binding.content_hash = binding.result_path = binding.error = ""
            binding.state = "BOUND"
    for _, strip in free:
        _forget(strip)
    return len(copies)


def _home(scene: bpy.types.Scene, strip: bpy.types.Strip) -> str:
    return f"{scene.name}/{strip.name}"


def _forget(strip: bpy.types.Strip) -> None:
    """Make a strip ordinary; it keeps its ID, under which a running job may look for it."""
    binding = strip.foleyspace
    binding.result_uuid = binding.source_uuid = binding.content_hash = binding.result_path = ""
    binding.role = "NONE"
    binding.target, binding.listener = None, None
    binding.bone, binding.state, binding.error = "", "BOUND", ""
