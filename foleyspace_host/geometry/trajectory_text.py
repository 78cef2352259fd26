"""Trajectories as text: JSON of schema ``foleyspace.trajectory/1``, one key a line, rounded to what can be heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory

__all__ = ["SCHEMA", "as_written", "dumps", "pieces", "seconds_as_written"]

SCHEMA = "foleyspace.trajectory/1"

_TIME_DIGITS = 6  # a microsecond: 1/20 of a sample at 48 kHz
_ANGLE_DIGITS = 4
_DISTANCE_DIGITS = 4
_SHARE_DIGITS = 5  # confidences and fractions of the picture: 1/10 pixel of an 8K frame
_LEVEL_DIGITS = 3


def dumps(trajectory: Trajectory) -> str:
    """Write a trajectory as JSON text, one key a line.

    Times are rounded to a microsecond, angles to 0.0001 degrees, distances to 0.1 mm, shares to 0.00001
    and levels to 0.001 dB; times that would collide keep all their digits. Reading the text back and writing
    it again gives the same text.

    Parameters
    ----------
    trajectory : Trajectory
        What to write.

    Returns
    -------
    str
        JSON of schema ``foleyspace.trajectory/1``, ending with a line feed.
    """
    return "".join(pieces(trajectory))


def pieces(trajectory: Trajectory) -> Iterator[str]:
    """Yield the text that `dumps` returns, line by line: that of a film takes less memory so.

    Parameters
    ----------
    trajectory : Trajectory
        What to write.

    Yields
    ------
    str
    """
    head: dict[str, object] = {
        "schema": SCHEMA,
        "duration_s": seconds_as_written(trajectory.duration_s),
    }
    if trajectory.camera is not None:
        camera = trajectory.camera
        head["camera"] = {
            "hfov_deg": float(camera.hfov_deg),
            "width": int(camera.width),
            "height": int(camera.height),
        }
    yield "{\n"
    for name, value in head.items():
        yield f" {json.dumps(name)}: {json.dumps(value)},\n"
    yield ' "sources": ['
    for index, source in enumerate(trajectory.sources):
        yield ",\n" if index else "\n"
        yield from _source_pieces(source)
    yield "\n ]\n}\n" if trajectory.sources else "]\n}\n"


def as_written(source: Source) -> Source:
    """Return a source as it is read from the text that it is written to.

    Parameters
    ----------
    source : Source
        A source of any digits.

    Returns
    -------
    Source
        With those of the text.
    """
    keys = tuple(
        Key(
            t_s=t_s,
            azimuth_deg=_rounded(key.azimuth_deg, _ANGLE_DIGITS),
            elevation_deg=_rounded(key.elevation_deg, _ANGLE_DIGITS),
            distance_m=_rounded(key.distance_m, _DISTANCE_DIGITS),
            confidence=_rounded(key.confidence, _SHARE_DIGITS),
            image_xy=_rounded_point(key.image_xy),
            origin=key.origin,
            cut=bool(key.cut),
            gain_db=_rounded(key.gain_db, _LEVEL_DIGITS),
        )
        for key, t_s in zip(source.keys, _times(source), strict=True)
    )
    return replace(
        source,
        keys=keys,
        confidence=_rounded(source.confidence, _SHARE_DIGITS),
        selected=bool(source.selected),
        gain_db=_rounded(source.gain_db, _LEVEL_DIGITS),
        extent_deg=_rounded(source.extent_deg, _ANGLE_DIGITS),
    )


def seconds_as_written(duration_s: float) -> float:
    """Return a duration as it is read from the text that it is written to [s]."""
    return _rounded(duration_s, _TIME_DIGITS) or duration_s


def _source_pieces(source: Source) -> Iterator[str]:
    head = {
        "id": source.id,
        "label": source.label,
        "confidence": _rounded(source.confidence, _SHARE_DIGITS),
        "selected": bool(source.selected),
        "gain_db": _rounded(source.gain_db, _LEVEL_DIGITS),
    }
    if source.extent_deg:
        head["extent_deg"] = _rounded(source.extent_deg, _ANGLE_DIGITS)
    yield f'  {json.dumps(head, ensure_ascii=False)[:-1]},\n   "keys": [\n'
    for index, (key, t_s) in enumerate(zip(source.keys, _times(source), strict=True)):
        yield (",\n    " if index else "    ") + _key_text(key, t_s)
    yield "\n   ]}"


def _times(source: Source) -> list[float]:
    """Return the times of the keys, rounded unless some would be the same then."""
    times = [_rounded(key.t_s, _TIME_DIGITS) for key in source.keys]
    if any(late <= early for early, late in pairwise(times)):
        return [float(key.t_s) for key in source.keys]
    return times


def _key_text(key: Key, t_s: float) -> str:
    point = _rounded_point(key.image_xy)
    fields: dict[str, object] = {
        "t_s": t_s,
        "azimuth_deg": _rounded(key.azimuth_deg, _ANGLE_DIGITS),
        "elevation_deg": _rounded(key.elevation_deg, _ANGLE_DIGITS),
        "distance_m": _rounded(key.distance_m, _DISTANCE_DIGITS),
        "confidence": _rounded(key.confidence, _SHARE_DIGITS),
        "image_xy": None if point is None else list(point),
        "origin": key.origin,
        "cut": bool(key.cut),
        "gain_db": _rounded(key.gain_db, _LEVEL_DIGITS) or None,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def _rounded_point(point: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if point is None else (_rounded(point[0], _SHARE_DIGITS), _rounded(point[1], _SHARE_DIGITS))


def _rounded(value: float, digits: int) -> float:
    return round(float(value), digits) + 0.0  # adding zero turns -0.0 into 0.0
