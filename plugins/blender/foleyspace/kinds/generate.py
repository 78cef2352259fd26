"""A sound is made from words, for a movie strip or of a given length; or anew, as loud as its curve is drawn by now."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

import bpy

from .. import bindings, compat, engines, loudness, placing, strips, wanted
from ..client import Result
from ..strips import Part, Refused
from .base import Kind, Work, strip_of

__all__ = ["Generate"]


@dataclass(eq=False)
class _Sound(Work):
    """A sound that is to be made; `fits` is what it is made for, in the words of the job."""

    fits: dict[str, Any] = field(default_factory=dict)
    prompt: str = ""
    maker: str = ""
    drawn: list[tuple[float, float]] = field(default_factory=list)
    curve: list[tuple[float, float, bool]] = field(default_factory=list)


class Generate(Kind):
    """See `Kind`."""

    doing = "Making the sound"

    def __init__(self, order: wanted.Order) -> None:
        super().__init__(order)
        self._files: list[str] = []

    def collect(self, item: wanted.Item) -> _Sound:
        prompt = self.order.prompt
        if item.uuid:
            scene, strip = strip_of(item.uuid)
            item.name = strip.name
            if strip.type == "SOUND":
                return self._again(item, scene, strip)
            part = strips.video_part_of(scene, strip)
            return _Sound(item, part, fits={"video": {"path": part.path, "span": part.span()}}, prompt=prompt)
        scene = self._scene()
        item.name = prompt
        if not self.order.duration_s or self.order.duration_s <= 0.0:
            raise Refused("Give the sound a length, or select a movie strip")
        fps, duration_s = compat.effective_fps(scene), Fraction(self.order.duration_s)
        left = scene.frame_current
        part = Part("", Fraction(0), duration_s, Fraction(left), left, left + ceil(duration_s * fps), fps)
        return _Sound(item, part, fits={"duration_s": float(duration_s)}, prompt=prompt)

    def request(self, work: _Sound) -> dict[str, Any] | None:
        order = self.order
        told: dict[str, Any] = {"prompt": work.prompt, **work.fits, "folder": self.folder, "suffix": ".wav"}
        told["stem"] = strips.stem_of(work.prompt or work.item.name)
        if work.drawn:
            told["envelope"] = loudness.write(work.drawn, work.item.uuid)
            self._files.append(told["envelope"])
        if order.seed is not None:
            told["seed"] = order.seed
        if order.engine:
            told["engine"] = order.engine
        return told

    def take(self, work: _Sound, result: Result) -> None:
        super().take(work, result)
        work.maker = engines.maker(result.details)
        path = next((one.path for one in result.artifacts if one.role == "envelope"), "")
        work.curve = loudness.points_of_file(path) if path else []

    def place(self, work: _Sound) -> None:
        name, channel, scene = work.prompt or work.item.name, 1, self._scene()
        if work.item.uuid:
            scene, strip = strip_of(work.item.uuid)
            if strip.type == "SOUND":
                self._exchange(work, scene, strip)
                return
            channel = strip.channel + 1
        made = placing.place_file(scene, work.item.path, name, work.part, channel)
        made.select = False
        made.foleyspace.prompt, made.foleyspace.made_for = work.prompt, json.dumps(work.fits)
        made.foleyspace.made_by = work.maker
        loudness.draw(scene, made, work.curve)
        work.item.result = bindings.ensure(scene, made)

    def close(self) -> None:
        for path in self._files:
            with contextlib.suppress(OSError):
                os.remove(path)

    def _again(self, item: wanted.Item, scene: Any, strip: Any) -> _Sound:
        made = strip.foleyspace
        try:
            fits = dict(json.loads(made.made_for))
            span = fits["video"]["span"]["duration"] if "video" in fits else None
            duration_s = Fraction(*span) if span else Fraction(fits["duration_s"])
        except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
            raise Refused("This sound was not generated here; select one that was") from error
        _check_changeable(scene, strip)
        drawn = loudness.read(scene, strip, float(duration_s)) if self.order.follow_curve else []
        return _Sound(item, None, fits=fits, prompt=made.prompt.strip()[:1000], drawn=drawn)

    def _exchange(self, work: _Sound, scene: Any, strip: Any) -> None:
        """Let a strip play the new sound: place, trimming, fades, binding and, if it was followed, the curve stay."""
        _check_changeable(scene, strip)
        try:
            sound = bpy.data.sounds.load(placing.as_blender_likes(work.item.path))
        except RuntimeError as error:
            raise Refused(f"Blender cannot read the result: {work.item.path}") from error
        old, strip.sound = strip.sound, sound
        if old is not None and not old.users:
            bpy.data.sounds.remove(old)
        strip.foleyspace.made_by = work.maker
        if not work.drawn:
            loudness.draw(scene, strip, work.curve)
        work.item.result = bindings.ensure(scene, strip)

    def _scene(self) -> Any:
        scene = bpy.data.scenes.get(self.order.scene_name)
        if scene is None:
            raise Refused(f"The scene {self.order.scene_name} was removed or renamed meanwhile; try again")
        return scene


def _check_changeable(scene: Any, strip: Any) -> None:
    if scene.library is not None:
        raise Refused(f"The scene {scene.name} is linked from another file; open that file")
    if strip.lock:
        raise Refused("The strip is locked; unlock it, and it can be made anew")
