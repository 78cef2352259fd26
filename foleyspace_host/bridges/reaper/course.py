"""Where an item's sound comes from, as a trajectory file in the item's own time; and back, for automation.

Azimuths come unwrapped from REAPER, because a path from 170° to 190° does not lead through the front. A trajectory
takes the short way between two keys, so that keys are put in until every step is short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from foleyspace_host.bridges.reaper.request import Key, Picture

__all__ = ["document_of_found", "document_of_keys", "found_sources"]

_STEP_DEG = 5.0
_SOONEST_S = 1e-6  # between two keys, where one jumps to the other
_NEAREST_M = 0.01

Document = dict[str, Any]


def document_of_keys(keys: Sequence[Key], duration_s: float) -> Document:
    """Return the trajectory that an item's keys describe.

    Parameters
    ----------
    keys : sequence of Key
        At least one; of two at the same time the later is a jump.
    duration_s : float
        Length of the item with its tail [s].

    Returns
    -------
    dict
        A trajectory document; azimuths within ±180°, no step longer than 5° in azimuth or elevation.
    """
    plain = [
        {
            "t_s": key.t_s,
            "azimuth_deg": key.azimuth_deg,
            "elevation_deg": key.elevation_deg,
            "distance_m": key.distance_m,
            "cut": key.cut,
        }
        for key in sorted(keys, key=lambda key: key.t_s)
    ]
    dense = [{**key, "azimuth_deg": _wrapped(key["azimuth_deg"])} for key in _dense(_apart(plain))]
    return _document([{"id": "item", "keys": dense}], duration_s)


def document_of_found(found: Document, from_s: float, picture: Picture, duration_s: float) -> Document:
    """Return what was found in a video, in the time of the item.

    Parameters
    ----------
    found : dict
        Trajectory document of a part of the video in which the item's lies.
    from_s : float
        Where in the video that part starts [s].
    picture : Picture
        The part that belongs to the item, and when it is seen.
    duration_s : float
        Length of the item with its tail [s].

    Returns
    -------
    dict
        A trajectory document with the sources that sound.
    """
    sources = [
        {**source, "keys": _within(_shifted(source["keys"], from_s, picture), duration_s)}
        for source in found["sources"]
        if source.get("selected", True)
    ]
    return _document(sources, duration_s)


def found_sources(found: Document, from_s: float, picture: Picture, duration_s: float) -> list[dict[str, Any]]:
    """Return all sources that were found, as a script writes them into envelopes.

    Parameters
    ----------
    found, from_s, picture
        As for `document_of_found`.
    duration_s : float
        Until when keys are wanted, in the time of the item [s].

    Returns
    -------
    list of dict
        ``id``, ``label``, ``score``, ``selected`` and ``keys``, whose azimuths are unwrapped.
    """
    return [
        {
            "id": source["id"],
            "label": source.get("label", ""),
            "score": source.get("confidence", 1.0),
            "selected": source.get("selected", True),
            "keys": list(_unwrapped(_within(_shifted(source["keys"], from_s, picture), duration_s))),
        }
        for source in found["sources"]
    ]


def _document(sources: list[dict[str, Any]], duration_s: float) -> Document:
    return {"schema": "foleyspace.trajectory/1", "duration_s": duration_s, "sources": sources}


def _wrapped(azimuth_deg: float) -> float:
    return (azimuth_deg + 180.0) % 360.0 - 180.0


def _apart(keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let times rise: a second key at a time is a jump right after it."""
    result: list[dict[str, Any]] = []
    for key in keys:
        if result and key["t_s"] < (soonest := result[-1]["t_s"] + _SOONEST_S):
            key = {**key, "t_s": soonest, "cut": True}
        result.append(key)
    return result


def _dense(keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Put keys in between: straight in both angles and in the logarithm of the distance."""
    if keys:
        yield keys[0]
    for start, end in pairwise(keys):
        if not end["cut"]:
            turn = max(abs(end[name] - start[name]) for name in ("azimuth_deg", "elevation_deg"))
            n_steps = max(1, math.ceil(turn / _STEP_DEG))
            n_steps = min(n_steps, max(1, int((end["t_s"] - start["t_s"]) / (2 * _SOONEST_S))))
            for step in range(1, n_steps):
                yield _between(start, end, step / n_steps)
        yield end


def _between(start: dict[str, Any], end: dict[str, Any], share: float) -> dict[str, Any]:
    middle = {name: start[name] + share * (end[name] - start[name]) for name in ("t_s", "azimuth_deg", "elevation_deg")}
    near, far = (max(key["distance_m"], _NEAREST_M) for key in (start, end))
    return {**start, **middle, "distance_m": near * (far / near) ** share, "cut": False}


def _shifted(keys: list[dict[str, Any]], from_s: float, picture: Picture) -> list[dict[str, Any]]:
    """Return keys of a part of a video in the time of the item, which may begin after it."""
    behind_s = from_s - picture.start_s
    return [{**key, "t_s": picture.at_s + (behind_s + key["t_s"]) / picture.rate} for key in keys]


def _within(keys: list[dict[str, Any]], end_s: float) -> list[dict[str, Any]]:
    """Leave out what lies before the item's start or after its end, but for what leads in and out."""
    first = max((index for index, key in enumerate(keys) if key["t_s"] <= 0.0), default=0)
    last = next((index for index, key in enumerate(keys) if key["t_s"] >= end_s), len(keys) - 1)
    kept = [dict(key) for key in keys[first : max(last, first) + 1]]
    if kept[0]["t_s"] < 0.0:
        if len(kept) > 1 and not kept[1].get("cut", False):
            kept[0] = _turned_to(kept[0], kept[1])
        kept[0]["t_s"] = 0.0
    if len(kept) > 1 and kept[1]["t_s"] < _SOONEST_S:  # it stood right at the start
        del kept[0]
        kept[0]["t_s"] = 0.0
    return kept


def _turned_to(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return where the source is at time 0, between two keys."""
    share = -before["t_s"] / (after["t_s"] - before["t_s"])
    near = before["azimuth_deg"]
    return _between(before, {**after, "azimuth_deg": near + _wrapped(after["azimuth_deg"] - near)}, share)


def _unwrapped(keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what envelopes need, each azimuth within half a turn of the one before."""
    azimuth = 0.0
    for number, key in enumerate(keys):
        azimuth = key["azimuth_deg"] if not number else azimuth + _wrapped(key["azimuth_deg"] - azimuth)
        yield {
            "t_s": key["t_s"],
            "azimuth_deg": azimuth,
            "elevation_deg": key["elevation_deg"],
            "distance_m": key["distance_m"],
            "cut": key.get("cut", False),
        }
