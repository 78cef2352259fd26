"""Timelines made in code for the tests, as plain documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Object = dict[str, Any]


def time(value: float, rate: float = 24) -> Object:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}


def span(start: float, duration: float, rate: float = 24) -> Object:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start, rate), "duration": time(duration, rate)}


def media(url: str, available: Object | None = None) -> Object:
    return {"OTIO_SCHEMA": "ExternalReference.1", "target_url": url, "available_range": available, "metadata": {}}


def clip(name: str, part: Object | None, reference: Object | None = None, **fields: Any) -> Object:
    reference = reference or {"OTIO_SCHEMA": "MissingReference.1"}
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "metadata": {},
        "source_range": part,
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    } | fields


def gap(duration: float, rate: float = 24) -> Object:
    return {"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": span(0, duration, rate)}


def transition(before: float, after: float, rate: float = 24) -> Object:
    return {"OTIO_SCHEMA": "Transition.1", "in_offset": time(before, rate), "out_offset": time(after, rate)}


def warp(speed: float) -> Object:
    return {"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": speed, "effect_name": "LinearTimeWarp"}


FREEZE = {"OTIO_SCHEMA": "FreezeFrame.1", "time_scalar": 0.0, "effect_name": "FreezeFrame"}


def marker(name: str, start: float, duration: float = 0, rate: float = 24) -> Object:
    return {"OTIO_SCHEMA": "Marker.2", "name": name, "marked_range": span(start, duration, rate), "metadata": {}}


def track(*items: Object, kind: str = "Audio", **fields: Any) -> Object:
    return {"OTIO_SCHEMA": "Track.1", "name": "", "kind": kind, "metadata": {}, "children": [*items]} | fields


def stack(*items: Object, **fields: Any) -> Object:
    return {"OTIO_SCHEMA": "Stack.1", "name": "", "metadata": {}, "children": [*items]} | fields


def timeline(*tracks: Object, **fields: Any) -> Object:
    return {"OTIO_SCHEMA": "Timeline.1", "name": "cut", "metadata": {}, "tracks": stack(*tracks)} | fields


def write(path: Path, document: Object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
