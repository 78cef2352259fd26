"""How a trajectory is rendered: choices that are the listener's, not the trajectory's."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from foleyspace_host.errors import InvalidInput

__all__ = ["DistanceGain", "Propagation", "RenderOptions"]

DistanceGain = Literal["relative", "physical", "none"]
Propagation = Literal["none", "doppler", "physical"]


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Choices of a rendering.

    Parameters
    ----------
    distance_gain : {"relative", "physical", "none"}
        ``relative`` (for recorded clips, whose level already holds their distance) is 1/r against the
        path's median distance within +-12 dB; ``physical`` (for dry sound) is 1/r against 1 m.
    propagation : {"none", "doppler", "physical"}
        ``none`` keeps the clip in exact sync; ``doppler`` delays by (r - median r) / c; ``physical`` by r / c.
    spread : float
        Factor on azimuths, 0 to 10; 1 is true geometry.

    Raises
    ------
    InvalidInput
        If a choice is unknown or out of range.
    """

    distance_gain: DistanceGain = "relative"
    propagation: Propagation = "none"
    spread: float = 1.0

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("distance_gain", self.distance_gain, get_args(DistanceGain)),
            ("propagation", self.propagation, get_args(Propagation)),
        ):
            if value not in choices:
                raise InvalidInput(f"{value!r} is unknown", where=name, cure=f"use one of: {', '.join(choices)}")
        if not (isfinite(self.spread) and 0.0 <= self.spread <= 10.0):
            raise InvalidInput(f"{self.spread} is outside 0 to 10", where="spread", cure="use 1 for true geometry")
