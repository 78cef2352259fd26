"""What markers say: ``foleyspace: az=30 dist=2`` places a sound, ``foley: PROMPT`` wishes for one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any

from foleyspace_host.errors import InvalidInput

__all__ = ["FoleySaid", "Position", "foley_said", "marker_text", "position"]

_HEADS = ("foley", "foleyspace")
_OPTION = re.compile(r"\b(seed|dur)\s*=\s*(\S+)", re.IGNORECASE)
_MAX_SEED = (1 << 63) - 1
_MAX_DURATION_S = 3600
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


@lru_cache(maxsize=1024)  # what places a clip is asked when it is chosen, and when it is rendered
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


@dataclass(frozen=True, slots=True)
class FoleySaid:
    """What a marker wishes for.

    Parameters
    ----------
    prompt : str
        What the sound should be like.
    seed : int or None
        Of its noise; None if the marker says none.
    duration_s : Fraction or None
        How long it is; None if that is the marker's length [s].
    """

    prompt: str
    seed: int | None = None
    duration_s: Fraction | None = None


def foley_said(text: str) -> FoleySaid | None:
    """Return what a marker ``foley: PROMPT`` wishes for.

    Parameters
    ----------
    text : str
        Its text, such as ``foley: glass breaks``, with ``seed=3`` and ``dur=1.5`` anywhere in it.

    Returns
    -------
    FoleySaid or None
        None if the marker speaks of other things.

    Raises
    ------
    InvalidInput
        If it wishes for a sound without saying which, or a number is out of range.
    """
    head, colon, rest = text.partition(":")
    if not colon or head.strip().lower() != "foley":
        return None
    told: dict[str, str] = {}
    for name, value in _OPTION.findall(rest):
        if told.setdefault(name.lower(), value.rstrip(",;")) != value.rstrip(",;"):
            raise _unclear_wish(text)
    prompt = " ".join(_OPTION.sub(" ", rest).split()).strip(" ,;")
    try:
        seed = int(told["seed"]) if "seed" in told else None
        duration_s = Fraction(told["dur"]) if "dur" in told else None
    except (ValueError, ZeroDivisionError):
        raise _unclear_wish(text) from None
    in_range = 0 <= (seed or 0) <= _MAX_SEED and (duration_s is None or 0 < duration_s <= _MAX_DURATION_S)
    if not prompt or not in_range:
        raise _unclear_wish(text)
    return FoleySaid(prompt, seed, duration_s)


def marker_text(marker: dict[str, Any]) -> str:
    """Return what a marker of a document says: its name, or the comment or note in which it speaks to this program.

    Programs keep comments in different places; adapters put them into the metadata.
    """
    name, comment = (str(marker.get(key) or "") for key in ("name", "comment"))
    metadata = marker.get("metadata")
    told = [one for one in (metadata.values() if isinstance(metadata, dict) else ()) if isinstance(one, dict)]
    notes = [value for one in told for value in one.values() if isinstance(value, str)]
    meant = (text for text in (name, comment, *notes) if text.partition(":")[0].strip().lower() in _HEADS)
    return next(meant, name or comment)


def _unclear_wish(text: str) -> InvalidInput:
    return InvalidInput(
        f"the marker {text[:80]!r} is not understood",
        cure="write for example `foley: glass breaks seed=3 dur=1.5`; the seed and the length may be left out",
    )


def _unclear(text: str) -> InvalidInput:
    return InvalidInput(
        f"the marker {text[:80]!r} is not understood",
        cure="write for example `foleyspace: az=30 el=0 dist=2`, with az -180 to 180, el -90 to 90, dist 0.3 to 50",
    )
