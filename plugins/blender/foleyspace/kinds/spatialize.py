"""Bound sound strips are rendered to be heard from where their objects are."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

import bpy

from .. import bindings, compat, placing, strips, wanted
from ..sampling import Sampler
from ..strips import Part, Refused
from ..tracks import Track, name_of
from .base import Kind, Slices, Work, strip_of

__all__ = ["Spatialize"]

SCHEMA = "foleyspace.trajectory/1"
MOST_KEYS = 3000  # sent within the message; more would take too long to be written in one go, and go into a file
FILES = ("hrtf", "listener", "flow_model")  # settings that name a file


@dataclass(eq=False)
class _Sound(Work):
    """A sound strip."""

    track: Track | None = None
    label: str = ""
    source: dict[str, Any] | None = None
    content: str = ""
    trajectory: str = ""
    level: str = ""


class Spatialize(Kind):
    """See `Kind`."""

    doing = "Rendering"

    def __init__(self, order: wanted.Order) -> None:
        super().__init__(order)
        self.sampler = Sampler(())
        self._files: list[str] = []

    def collect(self, item: wanted.Item) -> _Sound:
        scene, strip = strip_of(item.uuid)
        item.name = strip.name
        binding = strip.foleyspace
        if binding.role == "RESULT":
            raise Refused("This strip was made from another; select that one")
        if binding.target is None:
            raise Refused("Choose the object that the sound comes from")
        placing.check_changeable(scene, strip, self.order.mute_source)
        part = strips.part_of(scene, strip, self.folder)
        track = Track(
            scene.name,
            name_of(binding.target),
            part.first,
            _end(part),
            part.fps,
            binding.bone,
            _listener_of(scene, strip),
            self.order.distance_scale,
        )
        if len(strip.modifiers):
            item.warnings.append(f"The modifiers of {strip.name} are not heard in the result")
        source = track.source(binding.target.name, gain_db=round(binding.gain_db, 4), extent_deg=binding.extent_deg)
        return _Sound(item, part, track=track, label=binding.target.name, source=source, level=_level(strip))

    def prepare(self, sounds: list[_Sound]) -> Slices:
        self.sampler = Sampler([sound.track for sound in sounds])
        while not self.sampler.finished:
            self.sampler.step(self.budget_s)
            yield self.sampler.paused
        for sound in sounds:
            if sound.track.error:
                sound.item.state, sound.item.error = "failed", sound.track.error
                continue
            sound.content = self._content(sound)
            if len(sound.track.keys) > MOST_KEYS:
                yield from self._write(sound)

    def share(self) -> float:
        return self.sampler.done / max(self.sampler.total, 1)

    def request(self, work: _Sound) -> dict[str, Any] | None:
        if self.order.only_changed and self._unchanged(work):
            return None
        return {
            "audio": {"path": work.part.path, "span": work.part.span()},
            "trajectory": work.trajectory or self._document(work, [_key(key) for key in work.track.keys]),
            "settings": {"bit_depth": "float", **self.order.settings},
            "folder": self.folder,
            "stem": strips.stem_of(work.item.name, work.label),
            "suffix": ".wav",
        }

    def place(self, work: _Sound) -> None:
        scene, strip = strip_of(work.item.uuid)
        now = strips.part_of(scene, strip, self.folder)
        part, changed = _moved(work.part, now)
        name = f"{os.path.splitext(strip.name)[0]} ({work.label})"
        made = placing.place_result(scene, strip, work.item.path, part, name, old=bindings.result_of(strip))
        if self.order.mute_source and not made.mute:
            strip.mute = True
        bindings.link_result((scene, strip), (scene, made), work.content, work.item.path)
        if changed:
            bindings.mark(strip, "CHANGED")
        work.item.result = made.foleyspace.uuid

    def close(self) -> None:
        for path in self._files:
            with contextlib.suppress(OSError):
                os.remove(path)

    def _content(self, work: _Sound) -> str:
        """Return a hash of all that the result depends on."""
        settings = dict(self.order.settings)
        for name in FILES:
            if isinstance(settings.get(name), str):
                with contextlib.suppress(OSError):
                    settings[name] = strips.identity(settings[name])
        told = [strips.identity(work.part.path), work.part.span(), work.track.digest, settings, work.source, work.level]
        return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()

    def _unchanged(self, work: _Sound) -> bool:
        """Return whether the result of an earlier task will do; `path` is its file if it has to be placed again."""
        _, strip = strip_of(work.item.uuid)
        binding = strip.foleyspace
        if binding.content_hash != work.content or not os.path.isfile(bpy.path.abspath(binding.result_path)):
            return False
        result = bindings.result_of(strip)
        if result is None or (compat.left(result), compat.right(result)) != (work.part.left, work.part.right):
            work.item.path = bpy.path.abspath(binding.result_path)
        elif binding.state != "DONE":
            bindings.mark(strip, "DONE")
        return True

    def _document(self, work: _Sound, keys: list[dict[str, Any]]) -> dict[str, Any]:
        return {"schema": SCHEMA, "duration_s": float(work.part.duration_s), "sources": [{**work.source, "keys": keys}]}

    def _write(self, work: _Sound) -> Slices:
        """Write a long trajectory to a file of this session, piece by piece."""
        path = os.path.join(bpy.app.tempdir, f"foleyspace-{work.content}.trajectory.json")
        self._files.append(path)
        head, tail = json.dumps(self._document(work, [])).split("[]")
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(head + "[")
                for first in range(0, len(work.track.keys), MOST_KEYS // 2):
                    pieces = [json.dumps(_key(key)) for key in work.track.keys[first : first + MOST_KEYS // 2]]
                    file.write(("," if first else "") + ",".join(pieces))
                    yield ""
                file.write("]" + tail)
        except OSError as error:
            work.item.state, work.item.error = "failed", f"The trajectory cannot be written: {error.strerror}: {path}"
        work.trajectory = path


def _listener_of(scene: Any, strip: Any) -> Any:
    """Return who hears a strip; None for the camera of each frame."""
    if strip.foleyspace.listener is not None:
        return name_of(strip.foleyspace.listener)
    if scene.foleyspace.listener == "CAMERA":
        return None
    if scene.foleyspace.listener_object is None:
        raise Refused("Choose the object that listens, or the camera")
    return name_of(scene.foleyspace.listener_object)


def _end(part: Part) -> Any:
    return part.first + part.duration_s * part.fps


def _key(key: tuple[float, float, float, float, bool]) -> dict[str, Any]:
    time_s, azimuth_deg, elevation_deg, distance_m, cut = key
    told = {"t_s": time_s, "azimuth_deg": azimuth_deg, "elevation_deg": elevation_deg, "distance_m": distance_m}
    return {**told, "cut": True} if cut else told


def _level(strip: Any) -> str:
    """Return what tells how loud a strip is over time."""
    curve = compat.curve_of(strip, "volume")
    if curve is None:
        return repr(round(strip.volume, 6))
    points = [
        (*point.co, point.interpolation, *point.handle_left, *point.handle_right) for point in curve.keyframe_points
    ]
    return repr(points)


def _moved(then: Part, now: Part) -> tuple[Part, bool]:
    """Return where to place what was rendered, if its strip was moved or trimmed meanwhile, and whether it was."""
    if then == now:
        return now, False
    if then.fps != now.fps or then.path != now.path:
        raise Refused("The strip's file or the frame rate was changed meanwhile; try again")
    origin_then, origin_now = then.first - then.start_s * then.fps, now.first - now.start_s * now.fps
    shift = origin_now - origin_then
    if shift.denominator != 1:
        raise Refused("The strip was changed meanwhile; try again")
    moved = Part(
        then.path,
        then.start_s,
        then.duration_s,
        then.first + shift,
        then.left + int(shift),
        then.right + int(shift),
        then.fps,
    )
    return moved, True
