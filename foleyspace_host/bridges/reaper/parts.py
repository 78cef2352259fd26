"""Which parts of videos are looked at: those of items that are near each other are one.

So a video is not decoded again for each of fifty footsteps, and the same thing is followed through all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from foleyspace_host.bridges.reaper.request import Picture

__all__ = ["Part", "joined"]

_NEAR_S = 2.0  # of the video, between two parts that are looked at as one
_SLACK_S = 1e-6


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a video, and what is looked for in it.

    Parameters
    ----------
    path : str
        The video.
    label : str or None
        What to follow.
    hfov_deg : float or None
        Field of view [deg].
    start_s, end_s : float
        Where in the video it starts and ends [s].
    """

    path: str
    label: str | None
    hfov_deg: float | None
    start_s: float
    end_s: float

    @classmethod
    def of(cls, picture: Picture) -> Part:
        """Return the part that is seen while an item is heard."""
        end_s = picture.start_s + picture.duration_s
        return cls(picture.path, picture.label or None, picture.hfov_deg, picture.start_s, end_s)

    @property
    def words(self) -> dict[str, Any]:
        """The part as the protocol has it."""
        span = {"start": _exact(self.start_s), "duration": _exact(self.end_s - self.start_s)}
        return {"path": self.path, "span": span}

    def holds(self, picture: Picture) -> bool:
        """Return whether another part lies in this one, with the same looked for."""
        other = Part.of(picture)
        return self._same(other) and self.start_s <= other.start_s + _SLACK_S and other.end_s <= self.end_s + _SLACK_S

    def _same(self, other: Part) -> bool:
        return (self.path, self.label, self.hfov_deg) == (other.path, other.label, other.hfov_deg)


def joined(pictures: Iterable[Picture]) -> list[Part]:
    """Return the parts to look at, those that overlap or are near each other as one.

    Parameters
    ----------
    pictures : iterable of Picture
        What is seen while items are heard.

    Returns
    -------
    list of Part
        So that each of the pictures lies in one of them.
    """
    parts: list[Part] = []
    for part in sorted(
        {Part.of(picture) for picture in pictures},
        key=lambda part: (part.path, part.label or "", part.hfov_deg or 0.0, part.start_s),
    ):
        if parts and parts[-1]._same(part) and part.start_s <= parts[-1].end_s + _NEAR_S:
            parts[-1] = replace(parts[-1], end_s=max(parts[-1].end_s, part.end_s))
        else:
            parts.append(part)
    return parts


def _exact(time_s: float) -> list[int]:
    """Return a time as a fraction of a second, to the nanosecond."""
    fraction = Fraction(time_s).limit_denominator(10**9)
    return [fraction.numerator, fraction.denominator]
