"""The trajectory document as it stands in messages, checked like a trajectory file.

The file's own reader is `foleyspace_host.geometry.trajectory_file`, which the host process does not import (it
needs numpy); the tests hold both equal. Two rules are beyond a schema: keys increase in time, ids are unique.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from foleyspace_host.errors import ProtocolError
from foleyspace_host.protocol.strict import convert

__all__ = ["SCHEMA", "Camera", "Key", "Source", "Trajectory", "check_trajectory"]

SCHEMA = "foleyspace.trajectory/1"

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Gain = Annotated[float, Meta(ge=-120.0, le=60.0)]


class Camera(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The camera through which the sources were seen."""

    width: Annotated[int, Meta(ge=1, description="display width, pixels")]
    height: Annotated[int, Meta(ge=1, description="display height, pixels")]
    hfov_deg: Annotated[float, Meta(ge=1.0, le=179.0, description="field of view over the longer side")] = 60.0


class Key(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One position of a source; keys increase in time."""

    t_s: Annotated[float, Meta(ge=0.0, le=1e7, description="from the start of presentation, seconds")]
    azimuth_deg: Annotated[float, Meta(ge=-1e6, le=1e6, description="0 in front, left positive")]
    elevation_deg: Annotated[float, Meta(ge=-90.0, le=90.0, description="up positive")]
    distance_m: Annotated[float, Meta(ge=0.0, le=1e6)]  # from the listener
    confidence: Share = 1.0  # that the source is there
    image_xy: (
        Annotated[tuple[float, float], Meta(description="fractions of display width and height from the top left")]
        | None
    ) = None
    origin: Literal["detected", "interpolated", "offscreen", "edited"] = "edited"  # how the position was found
    cut: Annotated[bool, Meta(description="the source jumps here from the key before")] = False
    gain_db: Gain = 0.0  # level at this time, on top of that of the source; straight from key to key


class Source(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sounding thing; its id is unique in the document."""

    id: Annotated[str, Meta(min_length=1)]  # unique in the document
    label: str = ""  # what it is, for people
    confidence: Share = 1.0  # that it is the one that sounds
    selected: Annotated[bool, Meta(description="only selected sources sound")] = True
    gain_db: Gain = 0.0  # of the whole source
    extent_deg: Annotated[float, Meta(ge=0.0, le=180.0, description="width as heard; 0 is a point")] = 0.0
    keys: Annotated[list[Key], Meta(min_length=1, max_length=10_000_000)]  # rising in t_s


class Trajectory(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where each source of a clip is over time."""

    schema: Literal["foleyspace.trajectory/1"]  # kind and version of the document
    duration_s: Annotated[float, Meta(gt=0.0)]  # of the clip
    camera: Camera | None = None  # through which it was seen, for information
    sources: Annotated[list[Source], Meta(max_length=256)]  # what there is to hear


def check_trajectory(document: Any, where: str) -> Trajectory:
    """Check a document that stands in a message.

    Parameters
    ----------
    document : object
        What was decoded, all numbers finite.
    where : str
        Path of the document in the message: ``$.job.trajectory.inline``.

    Returns
    -------
    Trajectory

    Raises
    ------
    ProtocolError
        If it is no trajectory; ``where`` names the field.
    """
    trajectory = convert(document, Trajectory, where)
    seen: set[str] = set()
    for number, source in enumerate(trajectory.sources):
        place = f"{where}.sources[{number}]"
        if source.id in seen:
            raise ProtocolError(f"two sources are called {source.id[:60]!r}", where=f"{place}.id", cure="rename one")
        seen.add(source.id)
        for index, (before, key) in enumerate(pairwise(source.keys), 1):
            if key.t_s <= before.t_s:
                raise ProtocolError(
                    f"{key.t_s:g} does not come after {before.t_s:g}",
                    where=f"{place}.keys[{index}].t_s",
                    cure="sort the keys by time, one per time",
                )
    return trajectory


def trajectory_schema() -> dict[str, Any]:
    """Return the document's JSON Schema, with what it refers to under ``$defs``."""
    return msgspec.json.schema(Trajectory)
