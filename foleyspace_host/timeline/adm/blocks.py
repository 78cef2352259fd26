"""A source's path as blocks of the Audio Definition Model: where it moves to in how much time, and how loud it gets.

A block of ITU-R BS.2076 says where a source is at its end; it comes there from the end of the block before,
evenly. ``jumpPosition`` makes it come there at once, or within ``interpolationLength``. Renderers (ITU-R BS.2127)
do the moving with the gains of their loudspeakers, and hold the first block: so the first one here is of one tick,
and the others are short enough for a straight line to be the path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.geometry.frames import angles_to_unit, great_circle_deg, unit_to_angles, wrap_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Source
from foleyspace_host.render.distance import distance_gain
from foleyspace_host.render.options import RenderOptions

__all__ = ["Block", "Course", "blocks_of", "ticks_hz"]

_STEP_DEG = 3.0  # what a loudspeaker gain may be interpolated over
_OFF_DEG = 0.2  # of the straight line, in angles
_OFF_RATIO = 0.01  # of the straight line, in distance and gain
_SHORTEST_S = 2e-3
_JUMP_S = 5e-3  # as the renderer's own: at once would click
_BEFORE_S = 1e-7  # of a jump, where the source still is

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """Where a source is at the end of a while.

    Parameters
    ----------
    start, duration : int
        From the start of the object [ticks, see `ticks_hz`].
    azimuth_deg, elevation_deg : float
        Direction; left and up are positive [deg].
    distance_m : float
        Distance [m].
    gain : float
        Linear factor.
    jump : int or None
        None if it moves there all the time, else how long it takes [ticks].
    """

    start: int
    duration: int
    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    gain: float
    jump: int | None = None


def ticks_hz(sample_rate_hz: int) -> int:
    """Return in which steps times are written: the five decimals that all readers know, if a sample is longer.

    Parameters
    ----------
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    int
        Ticks a second.
    """
    return 100_000 if sample_rate_hz < 100_000 else 10_000_000


class Course:
    """A source as it is rendered, in the time of its object.

    Parameters
    ----------
    source : Source
        The source; its times count from the start of the clip.
    options : RenderOptions
        How it is rendered: its `spread` and `distance_gain` are part of the course.
    lead_s : float
        How long before the clip the object starts [s].
    handle_s, duration_s : float
        How long before the clip its rendering starts, and how long that is: the median distance is taken over it [s].
    """

    def __init__(
        self, source: Source, options: RenderOptions, lead_s: float, handle_s: float, duration_s: float
    ) -> None:
        path = SourcePath.from_source(source, options.spread)
        self._law = options.distance_gain
        self._reference_m = replace(path, t_s=path.t_s + handle_s).median_distance_m(duration_s)
        self._path = replace(path, t_s=path.t_s + lead_s)
        self._level = 10.0 ** (source.gain_db / 20.0)
        envelope = GainEnvelope.from_source(source)
        self._envelope = None if envelope is None else replace(envelope, t_s=envelope.t_s + lead_s)

    def key_times_s(self) -> Array:
        """Return the times of the keys [s]."""
        return self._path.t_s

    def cuts_s(self, end_s: float) -> Array:
        """Return the times at which it jumps, until a time [s]."""
        return self._path.cuts_between(0.0, end_s)

    def at(self, t_s: Array) -> tuple[Array, Array, Array]:
        """Return directions, shape (n, 3), distances [m] and gains at times, shape (n,) [s]."""
        unit, distance_m = self._path.sample(t_s)
        gain = self._level * distance_gain(distance_m, self._reference_m, self._law)
        if self._envelope is not None:
            gain = gain * self._envelope.sample(t_s)
        return unit, distance_m, gain


def blocks_of(course: Course, duration: int, rate_hz: int) -> list[Block]:
    """Return the blocks of a source.

    Parameters
    ----------
    course : Course
        The source.
    duration : int
        Length of the object, at least 1 [ticks].
    rate_hz : int
        Ticks a second.

    Returns
    -------
    list of Block
        Without holes from the start of the object to its end; one if the source stays where it is.
    """
    end_s = duration / rate_hz
    cuts = sorted({tick for cut_s in course.cuts_s(end_s) if 0 < (tick := ceil(cut_s * rate_hz - 1e-6)) < duration})
    found: list[Block] = []
    for first, last in zip([0, *cuts], [*cuts, duration], strict=True):
        jump = 1 if first == 0 else min(max(round(_JUMP_S * rate_hz), 1), max((last - first) // 2, 1))
        ticks = _ticks(course, min(first + jump, last), last, rate_hz)
        times = np.minimum(ticks / rate_hz, last / rate_hz - (_BEFORE_S if last < duration else 0.0))
        unit, distance_m, gain = course.at(times)
        azimuth, elevation = unit_to_angles(unit)
        starts = [first, *ticks[:-1].tolist()]
        for index, (start, stop) in enumerate(zip(starts, ticks.tolist(), strict=True)):
            there = float(azimuth[index]), float(elevation[index]), float(distance_m[index]), float(gain[index])
            found.append(Block(start, stop - start, *there, jump=stop - start if first and not index else None))
    same = {(b.azimuth_deg, b.elevation_deg, b.distance_m, b.gain) for b in found}
    if len(same) == 1:
        return [Block(0, duration, *next(iter(same)))]
    return found


def _ticks(course: Course, first: int, last: int, rate_hz: int) -> NDArray[np.int64]:
    """Return the ends of the blocks in a part of a path without jumps: its first and last tick, and between them."""
    start_s, end_s = first / rate_hz, last / rate_hz - _BEFORE_S
    keys = course.key_times_s()
    times = np.unique(np.concatenate([[start_s], keys[(keys > start_s) & (keys < end_s)], [max(end_s, start_s)]]))
    while len(times) > 1:
        unit, distance_m, gain = course.at(times)
        middle = 0.5 * (times[1:] + times[:-1])
        wide = np.diff(times) > 2.0 * _SHORTEST_S
        wide[wide] = _bent(unit, distance_m, gain, *course.at(middle))[wide]
        if not wide.any():
            break
        times = np.sort(np.concatenate([times, middle[wide]]))
    found = np.unique(np.rint(times * rate_hz).astype(np.int64))
    return np.unique(np.concatenate([[first], found[(found > first) & (found < last)], [last]]))


def _bent(
    unit: Array, distance_m: Array, gain: Array, unit_m: Array, distance_mm: Array, gain_m: Array
) -> NDArray[np.bool_]:
    """Tell which parts of a path are no straight line to a renderer, from their ends and their middles."""
    azimuth, elevation = unit_to_angles(unit)
    halfway = azimuth[:-1] + 0.5 * wrap_deg(np.diff(azimuth))
    line = angles_to_unit(halfway, 0.5 * (elevation[1:] + elevation[:-1]))
    bent = great_circle_deg(line, unit_m) > _OFF_DEG
    bent |= great_circle_deg(unit[1:], unit[:-1]) > _STEP_DEG
    for ends, middle in ((distance_m, distance_mm), (gain, gain_m)):
        bent |= np.abs(0.5 * (ends[1:] + ends[:-1]) - middle) > _OFF_RATIO * middle
    return bent
