"""What is rendered: points in space, each of which plays one channel of the clip along its own path.

A plain source is one point. Whatever needs more of them (the width of an extended source, the channels of a stereo
clip) adds points in `scene`, and every renderer then treats them alike. Rooms reflect points: see `room`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.render.extent import Part

__all__ = ["Echo", "Path", "Point", "Tone"]


class Path(Protocol):
    """Where a point is over time; `SourcePath` is one."""

    def sample(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit directions (n, 3) and distances (n,) [m] at times (n,) [s]."""
        ...

    def cuts_between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times of jumps in [start_s, end_s) [s]."""
        ...

    def distance_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the distance over all times [m]."""
        ...


class Tone(Protocol):
    """A filter on what a point plays, without phase: what walls or air take from the sound on its way."""

    def __call__(
        self, unit: NDArray[np.float64], distance_m: NDArray[np.float64], frequency_hz: NDArray[np.float64], /
    ) -> NDArray[np.float32]:
        """Return gains for directions (n, 3) and distances (n,), shape (1 or 2 ears, 1 or n, n_frequencies)."""
        ...


class Echo(Protocol):
    """How what comes from a path differs from the direct sound of its source."""

    def beyond_direct(self, t_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return gains re the direct sound (n,) and detours (n,) [m] at times (n,) of leaving [s].

        The path's own distances hold the detour; without it they are the direct sound's.
        """
        ...

    def detour_bounds_m(self) -> tuple[float, float]:
        """Return bounds of the detour over all times [m]."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """A point that sounds.

    Parameters
    ----------
    path : Path
        Where it is.
    gain : float
        Linear factor on the clip.
    reference_m : float
        Distance against which the laws ``relative`` and ``doppler`` count: the source's median [m].
    channel : int
        Channel of the clip that it plays.
    tones : tuple of Tone
        Filters on it, multiplied.
    echo : Echo, optional
        How it differs from the direct sound of its source; it is that sound if not given.
    envelope : GainEnvelope, optional
        Level of the source over time, put on what it plays.
    part : Part, optional
        Part of the spectrum that it plays; all of it if not given.
    """

    path: Path
    gain: float
    reference_m: float
    channel: int = 0
    tones: tuple[Tone, ...] = ()
    echo: Echo | None = None
    envelope: GainEnvelope | None = None
    part: Part | None = None
