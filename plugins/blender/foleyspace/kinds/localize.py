"""Movie strips are looked through for what sounds in them."""

from __future__ import annotations

import json
from typing import Any

from .. import strips, wanted
from ..client import Result
from ..strips import Refused
from .base import Kind, Work, strip_of

__all__ = ["Localize"]


class Localize(Kind):
    """See `Kind`. What is found stands in `documents`, by the ID of the strip; nothing is placed."""

    doing = "Looking through the video"

    def collect(self, item: wanted.Item) -> Work:
        scene, strip = strip_of(item.uuid)
        item.name = strip.name
        return Work(item, strips.video_part_of(scene, strip))

    def request(self, work: Work) -> dict[str, Any] | None:
        return {
            "video": {"path": work.part.path, "span": work.part.span()},
            "settings": self.order.settings,
            "folder": self.folder,
            "stem": strips.stem_of(work.item.name),
        }

    def take(self, work: Work, result: Result) -> None:
        try:
            with open(result.path, encoding="utf-8") as file:
                self.documents[work.item.uuid] = json.load(file)
        except (OSError, ValueError) as error:
            raise Refused(f"What was found cannot be read: {result.path}") from error
        work.item.path = result.path
