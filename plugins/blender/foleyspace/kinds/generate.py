"""A sound is made from words, for a movie strip or of a given length."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import bpy

from .. import bindings, compat, placing, strips, wanted
from ..strips import Part, Refused
from .base import Kind, Work, strip_of

__all__ = ["Generate"]


class Generate(Kind):
    """See `Kind`."""

    doing = "Making the sound"

    def collect(self, item: wanted.Item) -> Work:
        if item.uuid:
            scene, strip = strip_of(item.uuid)
            item.name = strip.name
            return Work(item, strips.video_part_of(scene, strip))
        scene = self._scene()
        item.name = self.order.prompt
        if not self.order.duration_s or self.order.duration_s <= 0.0:
            raise Refused("Give the sound a length, or select a movie strip")
        fps, duration_s = compat.effective_fps(scene), Fraction(self.order.duration_s)
        left = scene.frame_current
        return Work(item, Part("", Fraction(0), duration_s, Fraction(left), left, left + ceil(duration_s * fps), fps))

    def request(self, work: Work) -> dict[str, Any] | None:
        order = self.order
        told: dict[str, Any] = {"prompt": order.prompt, "folder": self.folder, "suffix": ".wav"}
        told["stem"] = strips.stem_of(order.prompt or work.item.name)
        if work.part.path:
            told["video"] = {"path": work.part.path, "span": work.part.span()}
        else:
            told["duration_s"] = float(work.part.duration_s)
        if order.seed is not None:
            told["seed"] = order.seed
        if order.engine:
            told["engine"] = order.engine
        return told

    def place(self, work: Work) -> None:
        channel, scene = 1, self._scene()
        if work.item.uuid:
            scene, movie = strip_of(work.item.uuid)
            channel = movie.channel + 1
        made = placing.place_file(scene, work.item.path, self.order.prompt or work.item.name, work.part, channel)
        made.select = False
        work.item.result = bindings.ensure(scene, made)

    def _scene(self) -> Any:
        scene = bpy.data.scenes.get(self.order.scene_name)
        if scene is None:
            raise Refused(f"The scene {self.order.scene_name} was removed or renamed meanwhile; try again")
        return scene
