"""Corrections by hand win over a new search: what was found anew is led through the keys that were edited.

The correction at an edited key is the difference between it and what was found at its time: in azimuth, in
elevation and in the logarithm of the distance. It is exact at the key and fades out smoothly on both sides,
within `REACH_S` or up to the next edited key, whichever is nearer; so between two near edited keys one
correction turns into the other. No correction passes a cut.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg, unit_to_angles, wrap_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory

__all__ = ["REACH_S", "corrected", "merge_edited"]

REACH_S = 2.0
"""How far from an edited key its correction is felt [s]."""

_SAME_TIME_S = 0.002  # time stamps are rounded to milliseconds in some files
_SAME_PATH_DEG = 4.0  # two searches of the same thing differ by less, two things by more
_SAME_NAME_DEG = 15.0
_COMPARED = 400  # points of two paths

Array = NDArray[np.float64]


def merge_edited(found: Trajectory, edited: Trajectory, reach_s: float = REACH_S) -> Trajectory:
    """Lead what was found through what was edited.

    Parameters
    ----------
    found : Trajectory
        Of the new search.
    edited : Trajectory
        Of an earlier one, with keys of origin "edited".
    reach_s : float
        How far from an edited key its correction is felt, positive [s].

    Returns
    -------
    Trajectory
        First the sources of the file in their order: those that were found again with their new path, corrected
        (see `corrected`), under the id, label, level, width and selection of the file; those that were not
        found again as they are in the file, if they hold edited keys, or are selected and were once seen. Then
        what else was found, not selected, unless nothing is left of what the file selects.

    Raises
    ------
    InvalidInput
        If the two were seen through different cameras, so that the same direction is not the same point of
        the picture.
    """
    _check_cameras(found, edited)
    pairs = _matches(found, edited)
    sources: list[Source] = []
    for index, own in enumerate(edited.sources):
        if index in pairs:
            again = corrected(found.sources[pairs[index]], _edited_keys(own), found.camera, reach_s)
            confidence = again.confidence if _edited_keys(own) == () else max(again.confidence, own.confidence)
            sources.append(replace(own, keys=again.keys, confidence=confidence))
        elif _edited_keys(own) or (own.selected and _was_seen(own)):
            sources.append(own)
    silent = any(own.selected for own in edited.sources) and not any(own.selected for own in sources)
    taken = {source.id for source in sources}
    for index, new in enumerate(found.sources):
        if index not in pairs.values() and new.id != "centre":
            fresh = replace(new, id=_free_id(new.id, taken), selected=silent and new.selected)
            taken.add(fresh.id)
            sources.append(fresh)
    return replace(found, sources=tuple(sources) or found.sources)


def corrected(found: Source, edited: tuple[Key, ...], camera: Camera | None = None, reach_s: float = REACH_S) -> Source:
    """Lead one source through edited keys.

    Parameters
    ----------
    found : Source
        The source as found.
    edited : tuple of Key
        Keys that are right, in order of time.
    camera : Camera, optional
        Gives the keys that move their point in the picture; without it they lose it.
    reach_s : float
        How far from an edited key its correction is felt, positive [s].

    Returns
    -------
    Source
        With the edited keys as they are, and the found keys at all other times, moved smoothly. Keys that no
        correction reaches are the same objects as before.

    Raises
    ------
    InvalidInput
        If `reach_s` is not positive.
    """
    if not reach_s > 0.0:
        raise InvalidInput(f"a reach of {reach_s} s is not positive", where="reach", cure="use for example 2")
    if not edited:
        return found
    at_s = np.array([key.t_s for key in edited])
    kept = [key for key in found.keys if np.abs(at_s - key.t_s).min() > _SAME_TIME_S]
    time_s = np.array([key.t_s for key in kept])
    cuts_s = np.array([key.t_s for key in (*found.keys[1:], *edited) if key.cut])
    offset = _offsets(time_s, at_s, _misses(found, edited), cuts_s, reach_s)
    keys = [_moved(key, row, camera) if row.any() else key for key, row in zip(kept, offset, strict=True)]
    return replace(found, keys=tuple(sorted((*keys, *edited), key=lambda key: key.t_s)))


def _edited_keys(source: Source) -> tuple[Key, ...]:
    return tuple(key for key in source.keys if key.origin == "edited")


def _was_seen(source: Source) -> bool:
    return any(key.origin == "detected" for key in source.keys)


def _misses(found: Source, edited: tuple[Key, ...]) -> Array:
    """How far each edited key is from the found path: azimuth, elevation [deg], log distance; shape (n, 3)."""
    unit, distance_m = SourcePath.from_source(found).sample([key.t_s for key in edited])
    azimuth, elevation = unit_to_angles(unit)
    # paths are rendered between 0.3 and 50 m; below that a logarithm would run away
    wanted_m = SourcePath.from_source(replace(found, keys=edited)).distance_m
    return np.stack(
        [
            wrap_deg(np.array([key.azimuth_deg for key in edited]) - azimuth),
            np.array([key.elevation_deg for key in edited]) - elevation,
            np.log(wanted_m / distance_m),
        ],
        axis=1,
    )


def _offsets(time_s: Array, at_s: Array, miss: Array, cuts_s: Array, reach_s: float) -> Array:
    """Correction at each time, shape (n, 3)."""
    offset = np.zeros((len(time_s), 3))
    shot, own_shot = (np.searchsorted(np.unique(cuts_s), times, side="right") for times in (time_s, at_s))
    for index, own_s in enumerate(at_s):
        before_s = own_s - at_s[index - 1] if index else np.inf
        after_s = at_s[index + 1] - own_s if index + 1 < len(at_s) else np.inf
        away = (own_s - time_s) / min(before_s, reach_s)
        away = np.where(time_s > own_s, (time_s - own_s) / min(after_s, reach_s), away)
        offset += np.where(shot == own_shot[index], _fade(away), 0.0)[:, None] * miss[index]
    return offset


def _fade(away: Array) -> Array:
    """From 1 at 0 to 0 at 1, with level ends: 1 - 3 x² + 2 x³; fade(x) + fade(1 - x) = 1."""
    x = np.clip(away, 0.0, 1.0)
    return 1.0 - x * x * (3.0 - 2.0 * x)


def _moved(key: Key, offset: Array, camera: Camera | None) -> Key:
    azimuth_deg = float(wrap_deg(key.azimuth_deg + offset[0]))
    elevation_deg = float(np.clip(key.elevation_deg + offset[1], -90.0, 90.0))
    return replace(
        key,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance_m=float(key.distance_m * np.exp(offset[2])),
        image_xy=_point(camera, azimuth_deg, elevation_deg),
    )


def _point(camera: Camera | None, azimuth_deg: float, elevation_deg: float) -> tuple[float, float] | None:
    if camera is None or not -89.0 < azimuth_deg < 89.0 or not -89.0 < elevation_deg < 89.0:
        return None
    u_px, v_px = camera.pixels(azimuth_deg, elevation_deg)
    return float(u_px) / camera.width, float(v_px) / camera.height


def _check_cameras(found: Trajectory, edited: Trajectory) -> None:
    if found.camera is None or edited.camera is None:
        return
    if abs(found.camera.hfov_deg - edited.camera.hfov_deg) > 0.01:
        raise InvalidInput(
            f"the keys were edited with a field of view of {edited.camera.hfov_deg:g} degrees, "
            f"not {found.camera.hfov_deg:g}",
            where="keys",
            cure=f"give --hfov {edited.camera.hfov_deg:g}",
        )


def _matches(found: Trajectory, edited: Trajectory) -> dict[int, int]:
    """Pairs of edited and found sources that are the same thing, the nearest paths first."""
    costs = []
    for row, own in enumerate(edited.sources):
        for column, new in enumerate(found.sources):
            same = own.label == new.label and own.id == new.id
            apart_deg = _apart_deg(own, new)
            if apart_deg < (_SAME_NAME_DEG if same else _SAME_PATH_DEG):
                costs.append((apart_deg, row, column))
    pairs: dict[int, int] = {}
    for _, row, column in sorted(costs):
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return pairs


def _apart_deg(own: Source, new: Source) -> float:
    """Median angle between two paths where the first was seen; infinite if it never was [deg]."""
    seen = [key for key in own.keys if key.origin == "detected"]
    if not seen:
        return float("inf")
    seen = seen[:: max(len(seen) // _COMPARED, 1)]
    unit, _ = SourcePath.from_source(new).sample([key.t_s for key in seen])
    ours = angles_to_unit([key.azimuth_deg for key in seen], [key.elevation_deg for key in seen])
    return float(np.median(great_circle_deg(ours, unit)))


def _free_id(wanted: str, taken: set[str]) -> str:
    number, free = 2, wanted
    while free in taken:
        free, number = f"{wanted}.{number}", number + 1
    return free
