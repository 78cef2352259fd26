"""What markers say: ``foleyspace: az=30 dist=2`` places a sound, ``foley: PROMPT`` wishes for one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite

from foleyspace_host.errors import InvalidInput

__all__ = ["Position", "foley_prompt", "position"]

_WORD = re.compile(r"(\w+)\s*=\s*(\S+)")
_NAMES = {
    "az": "azimuth_deg",
    "azimuth": "azimuth_deg",
    "el": "elevation_deg",
    "elevation": "elevation_deg",
    "dist": "distance_m",
    "distance": "distance_m",
}
_RANGES = {"azimuth_deg": (-180.0, 180.0), "elevation_deg": (-90.0, 90.0), "distance_m": (0.3, 50.0)}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a marker places a sound.

    Parameters
    ----------
    azimuth_deg : float
        Azimuth, left positive, -180 to 180 [deg].
    elevation_deg : float
        Elevation, -90 to 90 [deg].
    distance_m : float
        Distance, 0.3 to 50 [m].
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    distance_m: float = 1.0


def position(text: str) -> Position | None:
    """Return where a marker places its sound.

    Parameters
    ----------
    text : str
        Its text, such as ``foleyspace: az=30 el=10 dist=2``; each may be left out, not all.

    Returns
    -------
    Position or None
        None if the marker speaks of other things.

    Raises
    ------
    InvalidInput
        If it begins with ``foleyspace:`` and says something else then.
    """
    head, colon, rest = text.partition(":")
    if not colon or head.strip().lower() != "foleyspace":
        return None
    told: dict[str, float] = {}
    for name, value in _WORD.findall(rest):
        field = _NAMES.get(name.lower())
        try:
            number = float(value.rstrip(",;"))
        except ValueError:
            number = float("nan")
        low, high = _RANGES.get(field or "", (0.0, 0.0))
        if field is None or field in told or not isfinite(number) or not low <= number <= high:
            raise _unclear(text)
        told[field] = number
    if not told or _WORD.sub("", rest).strip(" ,;"):
        raise _unclear(text)
    return Position(**told)


def foley_prompt(text: str) -> str | None:
    """Return the words that a marker ``foley: PROMPT`` wishes a sound for, or None."""
    head, colon, rest = text.partition(":")
    return rest.strip() if colon and head.strip().lower() == "foley" and rest.strip() else None


def _unclear(text: str) -> InvalidInput:
    return InvalidInput(
        f"the marker {text[:80]!r} is not understood",
        cure="write for example `foleyspace: az=30 el=0 dist=2`, with az -180 to 180, el -90 to 90, dist 0.3 to 50",
    )
