"""Positions that were found for a strip: the keys of its trajectory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

__all__ = ["Name", "Pose", "Track", "View", "name_of"]

Name = tuple[str, str]
"""Name of an object and path of the library that it is linked from, empty if it is in this file."""
Pose = tuple[float, float, float]  # azimuth_deg, elevation_deg, distance_m

CUT_S = 1e-6  # how long before a cut the last position of the shot before it stands


def name_of(thing: Any) -> Name:
    """Return by what an object is found again; references do not survive an undo."""
    return thing.name, thing.library.filepath if thing.library is not None else ""


class View(NamedTuple):
    """From where a frame of the sequencer is seen: a scene, its frame less the sequencer's, and the listener."""

    scene: str
    shift: int
    listener: Name


@dataclass(eq=False)
class Track:
    """What is to be followed, and the positions found so far.

    Parameters
    ----------
    scene : str
        Scene of the sequencer.
    target : Name
        The object.
    first, last : Fraction
        Frames of the sequencer between which it is followed.
    fps : Fraction
        Frames per second of the sequencer's scene.
    bone : str
        Bone of the armature `target`, of which the head is followed; empty for the object's origin.
    listener : Name, optional
        Who hears it; the camera of each frame if not given.
    distance_scale : float
        Factor on distances, on top of the unit scale of each scene.

    Attributes
    ----------
    keys : list of tuple
        Time since `first` [s], azimuth [deg], elevation [deg], distance [m], and whether it is a cut.
    error : str
        Why it cannot be followed; empty if it can.
    """

    scene: str
    target: Name
    first: Fraction
    last: Fraction
    fps: Fraction
    bone: str = ""
    listener: Name | None = None
    distance_scale: float = 1.0
    keys: list[tuple[float, float, float, float, bool]] = field(default_factory=list)
    error: str = ""
    _hash: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16), repr=False)
    view: View | None = None
    lost: bool = False
    moment: Fraction = Fraction(0)

    @property
    def n_samples(self) -> int:
        """How many frames are looked at."""
        return max(ceil(self.last) - floor(self.first) - 1, 0) + 2

    @property
    def digest(self) -> str:
        """Digest of all positions, to a ten-thousandth of a degree and of a metre."""
        return str(self._hash.hexdigest())

    def moments(self) -> Iterator[Fraction]:
        """Yield the frames that are looked at: all whole ones, and where the track begins and ends."""
        yield self.first
        yield from map(Fraction, range(floor(self.first) + 1, ceil(self.last)))
        yield self.last

    def add(self, frame: Fraction, pose: Pose, view: View, before: Pose | None, jumps: bool) -> None:
        """Take a position; `before` is that of the shot before, where a cut is here."""
        time_s = float((frame - self.first) / self.fps)
        cut = bool(self.keys) and (self.lost or jumps or view != self.view)
        if cut and before is not None:
            self._append(time_s - CUT_S, before, False)
        self._append(time_s, pose, cut)
        self.view, self.lost, self.moment = view, False, frame

    def lose(self) -> None:
        """Note that it is in no picture here; the next position is a cut."""
        self.lost = True

    def source(self, label: str, *, gain_db: float = 0.0, extent_deg: float = 0.0) -> dict[str, Any]:
        """Return all but the keys of a source of the trajectory document."""
        return {"id": "object", "label": label[:200], "gain_db": gain_db, "extent_deg": extent_deg}

    def _append(self, time_s: float, pose: Pose, cut: bool) -> None:
        key = (round(time_s, 7), round(pose[0], 4), round(pose[1], 4), round(pose[2], 4), cut)
        self._hash.update(repr(key).encode())
        last, still = self.keys[-1:], [one[1:4] for one in self.keys[-2:]] == [key[1:4]] * 2
        if still and not cut and not last[0][4]:
            self.keys[-1] = key  # two keys say that it stands still
        else:
            self.keys.append(key)
