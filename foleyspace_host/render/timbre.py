"""What distance does to the timbre of a point."""

from __future__ import annotations

from foleyspace_host.render.air import AirAbsorption
from foleyspace_host.render.distance import PHYSICAL_REFERENCE_M, RELATIVE_LIMIT_DB
from foleyspace_host.render.near_field import FAR_M, NearField
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.points import Path, Tone

__all__ = ["distance_tones"]

_INAUDIBLE_DB = 0.05


def distance_tones(path: Path, reference_m: float, options: RenderOptions) -> tuple[Tone, ...]:
    """Return what distance does to the timbre of a path: the air's filter, and the near field.

    Parameters
    ----------
    path : Path
        Where the point is.
    reference_m : float
        Distance at which the law ``relative`` is neutral [m].
    options : RenderOptions
        Laws; with the distance gain ``none`` distance does nothing.

    Returns
    -------
    tuple of Tone
        Only those that are audible on this path.
    """
    if options.distance_gain == "none":
        return ()
    tones: list[Tone] = []
    bounds_m = path.distance_bounds_m()
    if options.air is not None:
        recorded_m = reference_m if options.distance_gain == "relative" else PHYSICAL_REFERENCE_M
        farthest_m = max(abs(bound - recorded_m) for bound in bounds_m)
        if farthest_m * float(options.air.attenuation_db_m(16_000.0)) > _INAUDIBLE_DB:
            tones.append(AirAbsorption(options.air, recorded_m, RELATIVE_LIMIT_DB))
    if bounds_m[0] < FAR_M:
        tones.append(NearField())
    return tuple(tones)
